//! What an instance is doing, for the back office and the metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tresen_identity::Fingerprint;
use tresen_scene::{Node, Size};
use tresen_session::Stats;
use tresen_till::StaffId;

/// What an instance is doing. It writes, others read.
#[derive(Default)]
pub struct Status {
    inner: Mutex<Inner>,
    /// Inputs that it applied.
    pub inputs: AtomicU64,
    /// Messages that it sent.
    pub messages: AtomicU64,
    /// Bytes that it sent.
    pub sent_bytes: AtomicU64,
    /// Guesses that it sent.
    pub guesses: AtomicU64,
    /// Bytes of guesses that it sent.
    pub guess_bytes: AtomicU64,
    /// Bytes of guesses that went without being used.
    pub wasted_bytes: AtomicU64,
    /// Inputs that the device answered by itself, rightly.
    pub hits: AtomicU64,
    /// … and wrongly.
    pub misses: AtomicU64,
    /// What it tried, to guess it.
    pub tries: AtomicU64,
    /// The time that took, in µs.
    pub tries_us: AtomicU64,
    /// How often it panicked.
    pub panics: AtomicU64,
}

/// Whether it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It is being started.
    #[default]
    Starting,
    /// It runs.
    Running,
    /// It panicked and will be started again.
    Restarting,
    /// It was stopped.
    Stopped,
}

/// What a device was shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The screen.
    pub root: Arc<Node>,
    /// The size of the device's screen in pixels. What the screen draws may reach beyond it, as a shadow does.
    pub size: Size,
}

/// What was counted of the session that is here, or was last.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Its device.
    pub device: Fingerprint,
    /// Another one: another session, that counts from the beginning.
    pub epoch: u64,
    /// The counts.
    pub stats: Stats,
}

#[derive(Default)]
struct Inner {
    state: State,
    attached: Option<(Fingerprint, Timestamp)>,
    shown: Option<Shown>,
    staff: Option<StaffId>,
    counted: Option<Counted>,
}

impl Status {
    /// Whether it runs.
    #[must_use]
    pub fn state(&self) -> State {
        self.lock().state
    }

    /// Which device is attached, and since when.
    #[must_use]
    pub fn attached(&self) -> Option<(Fingerprint, Timestamp)> {
        self.lock().attached
    }

    /// The screen that was shown last, if ever one was.
    #[must_use]
    pub fn shown(&self) -> Option<Shown> {
        self.lock().shown.clone()
    }

    /// Who is logged in.
    #[must_use]
    pub fn staff(&self) -> Option<StaffId> {
        self.lock().staff
    }

    /// From a frame to its acknowledgement, smoothed, in ms.
    #[must_use]
    pub fn rtt_ms(&self) -> Option<u64> {
        self.lock().counted.and_then(|counted| counted.stats.rtt_ms)
    }

    /// What was counted of the session that is here, or was last.
    #[must_use]
    pub fn counted(&self) -> Option<Counted> {
        self.lock().counted
    }

    pub(super) fn set_state(&self, state: State) {
        self.lock().state = state;
    }

    pub(super) fn set_attached(&self, attached: Option<(Fingerprint, Timestamp)>) {
        self.lock().attached = attached;
    }

    pub(super) fn set_shown(&self, shown: Shown) {
        self.lock().shown = Some(shown);
    }

    pub(super) fn set_staff(&self, staff: Option<StaffId>) {
        self.lock().staff = staff;
    }

    pub(crate) fn set_counted(&self, counted: Counted) {
        self.lock().counted = Some(counted);
    }

    pub(super) fn count(&self, counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
