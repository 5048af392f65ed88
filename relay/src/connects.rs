//! How often a network may make a control connection (governor), in a bounded map.
//!
//! Only whoever finished a handshake is counted: so nobody uses up what belongs to an address that he only claims to have.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tresen_path::LimitKey;

/// Networks that are counted. When there are more, those whose allowance is whole again are forgotten.
const NETWORKS: usize = 65_536;

/// From one look for those to the next.
const SWEEP: Duration = Duration::from_secs(1);

/// The allowance of every network.
pub struct Connects {
    quota: Quota,
    networks: HashMap<LimitKey, DefaultDirectRateLimiter>,
    most: usize,
    swept: Option<Instant>,
}

impl Connects {
    /// So many connects a minute for each network; all of them at once, if need be.
    #[must_use]
    pub fn new(a_minute: u32) -> Self {
        let a_minute = NonZeroU32::new(a_minute).unwrap_or(NonZeroU32::MIN);
        Self { quota: Quota::per_minute(a_minute), networks: HashMap::new(), most: NETWORKS, swept: None }
    }

    /// Whether this one may connect now. This machine itself is not slowed down.
    pub fn admit(&mut self, from: IpAddr) -> bool {
        if from.to_canonical().is_loopback() {
            return true;
        }
        let key = LimitKey::network(from);
        if self.networks.len() >= self.most && !self.networks.contains_key(&key) {
            self.sweep();
            if self.networks.len() >= self.most {
                return false;
            }
        }
        let quota = self.quota;
        self.networks.entry(key).or_insert_with(|| RateLimiter::direct(quota)).check().is_ok()
    }

    fn sweep(&mut self) {
        if self.swept.is_some_and(|swept| swept.elapsed() < SWEEP) {
            return;
        }
        self.swept = Some(Instant::now());
        let burst = self.quota.burst_size();
        let has_used_some =
            |limiter: &DefaultDirectRateLimiter| limiter.check_n(burst).is_ok_and(|all| all.is_err());
        self.networks.retain(|_, limiter| has_used_some(limiter));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }

    /// Promise: a network that comes too often is refused, another one is not, and neither is this machine.
    #[test]
    fn each_network_has_its_allowance() {
        let mut connects = Connects::new(3);
        assert_eq!([(); 4].map(|()| connects.admit(v4(1))), [true, true, true, false]);
        assert!(connects.admit(v4(2)));
        assert!((0..10).all(|_| connects.admit(IpAddr::from([127, 0, 0, 1]))));
        let v6 = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        assert_eq!(
            [1, 2, 3, 4].map(|last| connects.admit(v6(last))),
            [true, true, true, false],
            "a /64 is one network"
        );
    }

    /// Promise: the map is bounded; a network that is not in it finds no room while those in it have used something.
    #[test]
    fn the_map_is_bounded() {
        let mut connects = Connects { most: 2, ..Connects::new(3) };
        assert!(connects.admit(v4(1)) && connects.admit(v4(2)));
        assert!(!connects.admit(v4(3)));
        assert_eq!(connects.networks.len(), 2);
        assert!(connects.admit(v4(1)), "who is known goes on");
    }
}
