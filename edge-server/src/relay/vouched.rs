//! Where the relay sees devices. A device is told of when it is let in, and when it moves; as a token ends, so does what was told with it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;
use tresen_identity::{Fingerprint, TOKEN_LIFETIME_S};

/// Devices of which it is known; beyond that, of none before.
const MOST: usize = 16_384;

/// For so long at most a device stays at the relay without being let in again.
const LIFETIME: Duration = Duration::from_secs(*TOKEN_LIFETIME_S.end() as u64);

/// See the module.
#[derive(Default)]
pub struct Vouched(HashMap<Fingerprint, (SocketAddr, Instant)>);

impl Vouched {
    /// The relay sees it there.
    pub fn put(&mut self, now: Instant, device: Fingerprint, at: SocketAddr) {
        if self.0.len() >= MOST && !self.0.contains_key(&device) {
            self.0.retain(|_, (_, until)| *until > now);
            if self.0.len() >= MOST {
                self.0.clear();
            }
        }
        self.0.insert(device, (at, now + LIFETIME));
    }

    /// Where it was seen, if it may still be there.
    pub fn get(&self, now: Instant, device: Fingerprint) -> Option<SocketAddr> {
        self.0.get(&device).filter(|(_, until)| *until > now).map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: where the relay has seen a device counts no longer than the token with which it was there; there is a most.
    #[test]
    fn what_was_told_ends_with_the_token() {
        let (mut vouched, start) = (Vouched::default(), Instant::now());
        let device = |number: u32| {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            Fingerprint::from_bytes(bytes)
        };
        let (here, there) = (SocketAddr::from(([192, 0, 2, 1], 1)), SocketAddr::from(([192, 0, 2, 2], 1)));
        vouched.put(start, device(0), here);
        let almost = start + LIFETIME - Duration::from_secs(1);
        assert_eq!(vouched.get(almost, device(0)), Some(here));
        assert_eq!(vouched.get(start + LIFETIME, device(0)), None);
        vouched.put(almost, device(0), there);
        assert_eq!(vouched.get(start + LIFETIME, device(0)), Some(there));
        (1..MOST as u32 + 10).for_each(|number| vouched.put(almost, device(number), here));
        assert!(vouched.0.len() <= MOST);
        assert_eq!(vouched.get(almost, device(MOST as u32 + 9)), Some(here));
    }
}
