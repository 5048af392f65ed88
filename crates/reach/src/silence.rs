//! Whether what is sent through the relay's node gets answers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Packets without an answer for so long, or for two round trips, are a reason to ask.
const QUIET: Duration = Duration::from_millis(250);

/// What QUIC wants answered it sends again, so there is more than one packet; a lone one may have been an acknowledgement.
const AGAIN_MS: u64 = 20;

/// See the module.
pub(crate) struct Silence {
    start: Instant,
    /// The first packet since the last one was heard, and the last one, in ms after `start`; 0: none.
    first_ms: AtomicU64,
    last_ms: AtomicU64,
    sent: Notify,
}

impl Default for Silence {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            first_ms: AtomicU64::new(0),
            last_ms: AtomicU64::new(0),
            sent: Notify::new(),
        }
    }
}

impl Silence {
    /// Something is sent through the node.
    pub(crate) fn sent(&self) {
        let now_ms = self.start.elapsed().as_millis() as u64 + 1;
        self.last_ms.store(now_ms, Ordering::Relaxed);
        let first_ms = self.first_ms.load(Ordering::Relaxed);
        if first_ms == 0 {
            self.first_ms.store(now_ms, Ordering::Relaxed);
        } else if now_ms >= first_ms + AGAIN_MS {
            self.sent.notify_one();
        }
    }

    /// Something came through it.
    pub(crate) fn heard(&self) {
        self.first_ms.store(0, Ordering::Relaxed);
    }

    /// How long there was no answer to more than one packet.
    fn unanswered_for(&self) -> Option<Duration> {
        let (first_ms, last_ms) =
            (self.first_ms.load(Ordering::Relaxed), self.last_ms.load(Ordering::Relaxed));
        let now_ms = self.start.elapsed().as_millis() as u64 + 1;
        let is_doubtful = first_ms > 0 && last_ms >= first_ms + AGAIN_MS;
        is_doubtful.then(|| Duration::from_millis(now_ms.saturating_sub(first_ms)))
    }

    /// Whether packets wait for an answer now.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.unanswered_for().is_some()
    }

    /// Until packets have waited for an answer for too long; `rtt` is how long a round trip takes.
    pub(crate) async fn unanswered(&self, rtt: impl Fn() -> Duration) {
        loop {
            let quiet = QUIET.max(2 * rtt());
            match self.unanswered_for() {
                None => self.sent.notified().await,
                Some(silence) if silence >= quiet => return,
                Some(silence) => sleep(quiet - silence).await,
            }
        }
    }
}
