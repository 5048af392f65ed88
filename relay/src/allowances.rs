//! How often somebody may do something (governor), in bounded maps.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Those who are counted, of a kind. When there are more, those whose allowance is whole again are forgotten.
const COUNTED: usize = 65_536;

/// From one look for those to the next.
const SWEEP: Duration = Duration::from_secs(1);

/// The allowances of all of a kind: networks, devices, edge servers.
pub struct Allowances<K> {
    used: HashMap<K, Allowance>,
    most: usize,
    swept: Option<Instant>,
}

struct Allowance {
    quota: Quota,
    limiter: DefaultDirectRateLimiter,
    /// Until then there is nothing left.
    spent_until: Option<Instant>,
}

impl<K> Default for Allowances<K> {
    fn default() -> Self {
        Self { used: HashMap::new(), most: COUNTED, swept: None }
    }
}

impl<K: Copy + Eq + Hash> Allowances<K> {
    /// Whether this one may do it once more, who may do it so many times a minute; all of them at once, if need be.
    pub fn take(&mut self, key: K, a_minute: NonZeroU32) -> bool {
        if self.used.len() >= self.most && !self.used.contains_key(&key) {
            self.sweep();
            if self.used.len() >= self.most {
                return false;
            }
        }
        let quota = Quota::per_minute(a_minute);
        let allowance = self.used.entry(key).or_insert_with(|| Allowance::of(quota));
        if allowance.quota != quota {
            *allowance = Allowance::of(quota);
        }
        allowance.take()
    }

    /// Whether it is known to have nothing left; takes nothing.
    #[must_use]
    pub fn is_spent(&self, key: &K) -> bool {
        let until = self.used.get(key).and_then(|allowance| allowance.spent_until);
        until.is_some_and(|until| until > Instant::now())
    }

    fn sweep(&mut self) {
        if self.swept.is_some_and(|swept| swept.elapsed() < SWEEP) {
            return;
        }
        self.swept = Some(Instant::now());
        self.used.retain(|_, allowance| {
            let all = allowance.limiter.check_n(allowance.quota.burst_size());
            all.is_ok_and(|all| all.is_err())
        });
    }
}

impl Allowance {
    fn of(quota: Quota) -> Self {
        Self { quota, limiter: RateLimiter::direct(quota), spent_until: None }
    }

    fn take(&mut self) -> bool {
        let taken = self.limiter.check();
        self.spent_until = taken
            .as_ref()
            .err()
            .map(|until| Instant::now() + until.wait_time_from(DefaultClock::default().now()));
        taken.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THREE: NonZeroU32 = NonZeroU32::new(3).expect("not zero");

    /// Promise: who comes too often is refused, and known to be before it is counted again; another one is not.
    #[test]
    fn each_has_its_allowance() {
        let mut allowances = Allowances::default();
        assert_eq!([(); 4].map(|()| allowances.take(1, THREE)), [true, true, true, false]);
        assert!(allowances.is_spent(&1) && !allowances.is_spent(&2));
        assert!(allowances.take(2, THREE));
        let more = NonZeroU32::new(9).expect("not zero");
        assert!(allowances.take(1, more) && !allowances.is_spent(&1), "another allowance counts at once");
    }

    /// Promise: the map is bounded; who is not in it finds no room while those in it have used something.
    #[test]
    fn the_map_is_bounded() {
        let mut allowances = Allowances { most: 2, ..Allowances::default() };
        assert!(allowances.take(1, THREE) && allowances.take(2, THREE));
        assert!(!allowances.take(3, THREE));
        assert_eq!(allowances.used.len(), 2);
        assert!(allowances.take(1, THREE), "who is known goes on");
    }
}
