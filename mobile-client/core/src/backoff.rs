//! When to try again after a connection was lost.
//!
//! The first attempt comes at once, the following ones after a time that doubles up to [`LONGEST_MS`]. Half of it is random, so that
//! forty handhelds do not knock on a restarted server at the same moment. Only a connection that lasted begins anew: a server that
//! closes each one at once is not hammered.

/// Wait before the second attempt.
const FIRST_MS: u64 = 250;

/// Longest wait: short enough that somebody who walks back into range does not wait for it.
pub const LONGEST_MS: u64 = 5_000;

/// A connection that lasted so long was a good one.
const GOOD_MS: u64 = 2_000;

/// Waits between attempts.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// A connection is gone that lasted `lasted_ms`, 0 when there was none: how long to wait before the next attempt, in ms. `random`
    /// is any random number.
    pub fn next_wait_ms(&mut self, lasted_ms: u64, random: u32) -> u64 {
        if lasted_ms >= GOOD_MS {
            self.failures = 0;
        }
        let attempt = self.failures;
        self.failures = self.failures.saturating_add(1);
        let Some(doublings) = attempt.checked_sub(1) else {
            return u64::from(random) % 50;
        };
        let whole = (FIRST_MS << doublings.min(16)).min(LONGEST_MS);
        whole / 2 + u64::from(random) % (whole / 2)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_attempt_comes_at_once_and_the_waits_grow() {
        let mut backoff = Backoff::default();
        assert!(backoff.next_wait_ms(60_000, u32::MAX) < 50);
        // Closed at once by the server, and not answered at all.
        let waits: Vec<u64> = (0..6).map(|attempt| backoff.next_wait_ms(attempt % 2 * 100, 0)).collect();
        assert_eq!(waits, [125, 250, 500, 1_000, 2_000, 2_500]);
        assert!(backoff.next_wait_ms(GOOD_MS, 7) < 50);
    }

    proptest! {
        #[test]
        fn no_wait_is_longer_than_the_limit(losses in proptest::collection::vec(any::<(u16, u32)>(), 0..100)) {
            let mut backoff = Backoff::default();
            for (lasted_ms, random) in losses {
                prop_assert!(backoff.next_wait_ms(lasted_ms.into(), random) <= LONGEST_MS);
            }
        }
    }
}
