//! How long a silent server is waited for. A connection may be dead without anybody saying so: the server was killed, or the handheld is
//! in another network now. So the first silence is answered with a new connection soon; only when that brings no better one, the link is
//! taken for slow, and the session's own limit holds.

use tresen_session::LinkState;

/// A link that is slow for so long is given up, once.
const REDIAL_MS: u64 = 1_200;

#[derive(Debug, Default)]
pub(crate) struct Patience {
    slow_since_ms: Option<u64>,
    redialled: bool,
}

impl Patience {
    /// The link is like this now.
    pub fn note(&mut self, now_ms: u64, link: LinkState) {
        match link {
            LinkState::Slow => {
                self.slow_since_ms.get_or_insert(now_ms);
            }
            LinkState::Away | LinkState::Connecting => self.slow_since_ms = None,
            // However late the answer came: it came.
            LinkState::Good { .. } => *self = Self::default(),
        }
    }

    /// When [`Patience::is_over`] may become true.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.slow_since_ms.filter(|_| !self.redialled).map(|since| since + REDIAL_MS)
    }

    /// Whether the connection is to be given up now. True once.
    pub fn is_over(&mut self, now_ms: u64) -> bool {
        let over = self.poll_timeout().is_some_and(|at| now_ms >= at);
        self.redialled |= over;
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
