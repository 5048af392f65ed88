//! How long a silent server is waited for. A connection may be dead without anybody saying so: the server was killed, or the handheld is
//! in another network now. So the first silence is answered with a new connection soon; only when that brings no better one, the link is
//! taken for slow, and the session's own limit holds.
//!
//! Whom a new connection did not help soon once it was open was not cut off: the server has much to do, and connections that everybody makes anew are what it
//! needs least. He waits twice as long the next time, for some minutes. And where the transport tells that packets still arrive at the server (QUIC
//! acknowledges them, whatever its session does), nobody makes a connection anew for some seconds more.

use tresen_session::LinkState;
use tresen_session::limits::SLOW_MS;

/// A link that is slow for so long is given up, once.
const REDIAL_MS: u64 = 1_200;

/// The longest that it is waited for; then the session's own limit holds anyway.
const LONGEST_MS: u64 = 6 * REDIAL_MS;

/// What the transport acknowledged counts for so long: the device may have left the network since.
const THERE_MS: u64 = 3_000;

/// A new connection that brought an answer within this time of being open was of use. How long it took to open is the network's affair.
const USEFUL_MS: u64 = 800;

/// How long it is remembered that one was not.
const REMEMBERED_MS: u64 = 180_000;

#[derive(Debug)]
pub(crate) struct Patience {
    slow_since_ms: Option<u64>,
    /// It was given up once, for another.
    is_redialled: bool,
    /// When the transport acknowledged something last.
    acknowledged_ms: Option<u64>,
    /// Since when that other one is open.
    open_since_ms: Option<u64>,
    redial_after_ms: u64,
    patient_until_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            slow_since_ms: None,
            is_redialled: false,
            acknowledged_ms: None,
            open_since_ms: None,
            redial_after_ms: REDIAL_MS,
            patient_until_ms: 0,
        }
    }
}

impl Patience {
    /// The link is like this now.
    pub fn note(&mut self, now_ms: u64, link: LinkState) {
        match link {
            LinkState::Slow => {
                self.slow_since_ms.get_or_insert(now_ms);
            }
            LinkState::Away => {
                (self.slow_since_ms, self.open_since_ms, self.acknowledged_ms) = (None, None, None);
            }
            LinkState::Connecting => {
                self.slow_since_ms = None;
                if self.is_redialled {
                    self.open_since_ms.get_or_insert(now_ms);
                }
            }
            // However late the answer came: it came.
            LinkState::Good { .. } => self.answered(now_ms),
        }
    }

    fn answered(&mut self, now_ms: u64) {
        self.slow_since_ms = None;
        self.is_redialled = false;
        match self.open_since_ms.take() {
            Some(since_ms) if now_ms.saturating_sub(since_ms) > USEFUL_MS => {
                self.redial_after_ms = (2 * self.redial_after_ms).min(LONGEST_MS);
                self.patient_until_ms = now_ms + REMEMBERED_MS;
            }
            Some(_) => self.redial_after_ms = REDIAL_MS,
            None if now_ms >= self.patient_until_ms => self.redial_after_ms = REDIAL_MS,
            None => {}
        }
    }

    /// The transport's other end acknowledged something that was sent: it is there, and so is the way to it.
    pub const fn acknowledged(&mut self, now_ms: u64) {
        self.acknowledged_ms = Some(now_ms);
    }

    /// When [`Patience::is_over`] may become true.
    pub fn poll_timeout(&self) -> Option<u64> {
        let since_ms = self.slow_since_ms.filter(|_| !self.is_redialled)?;
        // The link is slow so long after the question to which there is no answer.
        let asked_ms = since_ms.saturating_sub(SLOW_MS);
        let there_until_ms =
            self.acknowledged_ms.filter(|at_ms| *at_ms > asked_ms).map(|at_ms| at_ms + THERE_MS);
        Some((since_ms + self.redial_after_ms).max(there_until_ms.unwrap_or(0)))
    }

    /// Whether the connection is to be given up now. True once.
    pub fn is_over(&mut self, now_ms: u64) -> bool {
        let over = self.poll_timeout().is_some_and(|at| now_ms >= at);
        self.is_redialled |= over;
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_link_is_given_up_once() {
        let mut patience = Patience::default();
        patience.note(1_000, LinkState::Slow);
        patience.note(1_500, LinkState::Slow);
        assert_eq!(patience.poll_timeout(), Some(1_000 + REDIAL_MS));
        assert!(!patience.is_over(1_000 + REDIAL_MS - 1));
        assert!(patience.is_over(1_000 + REDIAL_MS));
        patience.note(3_000, LinkState::Away);
        patience.note(4_000, LinkState::Slow);
        assert!(!patience.is_over(60_000), "the new connection is slow as well");
        patience.note(61_000, LinkState::Good { rtt_ms: 20 });
        patience.note(62_000, LinkState::Slow);
        assert!(patience.is_over(62_000 + REDIAL_MS));
    }

    /// Promise: whom a new connection did not help soon waits longer before the next, so that a busy server is not made busier; whom it helped, however
    /// long it took to open, and whoever has waited for nothing for minutes, does not.
    #[test]
    fn who_was_not_helped_waits_longer() {
        let good = LinkState::Good { rtt_ms: 20 };
        let mut patience = Patience::default();
        let mut now_ms = 1_000;
        let mut silence = |patience: &mut Patience, helped_after_ms: u64| {
            now_ms += 10_000;
            patience.note(now_ms, LinkState::Slow);
            let waited_ms = patience.poll_timeout().unwrap() - now_ms;
            now_ms += waited_ms;
            assert!(patience.is_over(now_ms));
            patience.note(now_ms, LinkState::Away);
            now_ms += 5_000;
            patience.note(now_ms, LinkState::Connecting);
            now_ms += helped_after_ms;
            patience.note(now_ms, good);
            waited_ms
        };
        let waited = [3_000, 3_000, 3_000, 3_000, 3_000, 500, 500].map(|after| silence(&mut patience, after));
        assert_eq!(waited, [1, 2, 4, 6, 6, 6, 1].map(|times| times * REDIAL_MS));
        silence(&mut patience, 3_000);
        patience.note(now_ms + REMEMBERED_MS - 1, good);
        assert_eq!(patience.redial_after_ms, 2 * REDIAL_MS);
        patience.note(now_ms + REMEMBERED_MS, good);
        assert_eq!(patience.redial_after_ms, REDIAL_MS);
    }

    /// Promise: a connection whose packets still arrive is not made anew, however late the server answers: that would keep a busy server busy. What
    /// arrived before the question that has no answer proves nothing, and what arrived some seconds ago no longer.
    #[test]
    fn a_server_that_is_there_is_waited_for() {
        let mut patience = Patience::default();
        patience.acknowledged(1_000);
        patience.note(5_000, LinkState::Slow);
        assert_eq!(patience.poll_timeout(), Some(5_000 + REDIAL_MS), "that was before");
        patience.acknowledged(5_000 - SLOW_MS + 20);
        let there_until_ms = 5_000 - SLOW_MS + 20 + THERE_MS;
        assert!(there_until_ms > 5_000 + REDIAL_MS);
        assert_eq!(patience.poll_timeout(), Some(there_until_ms));
        patience.acknowledged(7_000);
        assert!(!patience.is_over(7_000 + THERE_MS - 1), "it was there again");
        assert_eq!(patience.poll_timeout(), Some(7_000 + THERE_MS), "it may be gone");
        patience.note(9_000, LinkState::Good { rtt_ms: 20 });
        patience.note(20_000, LinkState::Slow);
        assert!(patience.is_over(20_000 + REDIAL_MS), "the next silence is another one");
        patience.note(21_500, LinkState::Away);
        patience.note(22_000, LinkState::Connecting);
        assert_eq!(patience.acknowledged_ms, None, "another connection proves itself");
    }

    /// A slow network is shown as one, and kept: a connection anew would be as slow, and costs the server as much as a tap.
    #[test]
    fn a_late_answer_is_an_answer() {
        let mut patience = Patience::default();
        patience.note(1_000, LinkState::Slow);
        patience.note(1_900, LinkState::Good { rtt_ms: 900 });
        assert_eq!(patience.poll_timeout(), None);
        assert!(!patience.is_over(60_000));
    }
}
