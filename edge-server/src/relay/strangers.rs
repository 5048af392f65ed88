//! Devices that are not paired and were let in at the relay to show that they know the open code.
//!
//! Anybody can call, and each has a place at the relay for a while. So they are few, and fewer still from one network: whoever wants to keep a new device
//! from pairing needs many networks.

use std::net::IpAddr;

use tresen_identity::{Fingerprint, PAIRING_LIFETIME_MS};
use tresen_path::LimitKey;

/// In the time in which a pairing code is good.
const MOST: usize = 32;

/// Of them, from one network.
const MOST_OF_NETWORK: usize = 4;

/// See the module.
#[derive(Default)]
pub struct Strangers(Vec<Stranger>);

struct Stranger {
    device: Fingerprint,
    network: LimitKey,
    called_ms: u64,
}

impl Strangers {
    /// Whether a device may come that calls from this address now.
    pub fn admit(
        &mut self,
        now_ms: u64,
        device: Fingerprint,
        at: IpAddr,
        is_paired: impl Fn(&Fingerprint) -> bool,
    ) -> bool {
        let network = LimitKey::network(at);
        self.0.retain(|stranger| {
            !is_paired(&stranger.device) && stranger.called_ms + PAIRING_LIFETIME_MS > now_ms
        });
        if self.0.iter().any(|stranger| stranger.device == device) {
            return true;
        }
        let of_network = self.0.iter().filter(|stranger| stranger.network == network).count();
        let has_room = self.0.len() < MOST && of_network < MOST_OF_NETWORK;
        if has_room {
            self.0.push(Stranger { device, network, called_ms: now_ms });
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: while a code is open, a few devices that are not paired may come to show it; one network can't take the room of all, and who calls again takes no more
    /// of it.
    #[test]
    fn few_strangers_come_in() {
        let mut strangers = Strangers::default();
        let mut call = |now_ms, device: u8, network: u8| {
            let (device, at) = (Fingerprint::from_bytes([device; 32]), IpAddr::from([203, 0, 113, network]));
            strangers.admit(now_ms, device, at, |_| false)
        };
        let most = MOST_OF_NETWORK as u8;
        assert!((0..most).all(|device| call(0, device, 1)));
        assert!(!call(1_000, 99, 1), "its network has no room");
        assert!(
            call(1_000, 0, 1) && call(1_000, 100, 2),
            "another network has, and who was let in may call again"
        );
        assert_eq!(
            (101..200).filter(|device| call(1_000, *device, *device)).count(),
            MOST - MOST_OF_NETWORK - 1
        );
        assert!(call(PAIRING_LIFETIME_MS, 99, 1), "those were long ago");
    }
}
