//! Devices that this server let in at a node of the relay and whose tokens may still be good there, so that the node hears of it when one of them is revoked.
//!
//! It is told again whenever this server comes back to it: what was said into a connection that was dying may not have arrived.

use std::collections::HashMap;
use std::time::Duration;

use imbl::OrdMap;
use tokio::time::Instant;
use tresen_identity::{Fingerprint, TOKEN_LIFETIME_S};

use crate::registry::{Device, Snapshot};

/// So long a device that was revoked has to hear it from this server, before the relay cuts it off.
const FAREWELL: Duration = Duration::from_millis(500);

/// See the module. No larger than the registry, and the few devices that may come to show an open code.
#[derive(Default)]
pub struct LetIn(HashMap<Fingerprint, Token>);

#[derive(Clone, Copy)]
struct Token {
    issued_s: u64,
    was_paired: bool,
    /// Since when it is void (Unix seconds), and when the relay may hear of it.
    revoked: Option<(u64, Instant)>,
    is_told: bool,
}

impl LetIn {
    /// A device gets a token at `now_s` (Unix seconds).
    pub fn put(&mut self, device: Fingerprint, now_s: u64, snapshot: &Snapshot) {
        let longest_s = u64::from(*TOKEN_LIFETIME_S.end());
        self.0.retain(|_, token| token.issued_s + longest_s > now_s);
        let was_paired = snapshot.devices.contains_key(&device);
        self.0.insert(device, Token { issued_s: now_s, was_paired, revoked: None, is_told: false });
    }

    /// At a new connection everything has to be told.
    pub fn come_back(&mut self) {
        self.0.values_mut().for_each(|token| token.is_told = false);
    }

    /// Looks who has been revoked by now.
    pub fn notice(&mut self, now: Instant, now_s: u64, devices: &OrdMap<Fingerprint, Device>) {
        for (device, token) in &mut self.0 {
            let is_out = match devices.get(device) {
                Some(known) => known.revoked,
                None => token.was_paired,
            };
            if is_out {
                token.revoked.get_or_insert_with(|| (now_s, now + FAREWELL));
            }
        }
    }

    /// When there is somebody to tell of.
    pub fn due(&self) -> Option<Instant> {
        let untold = self.0.values().filter(|token| !token.is_told);
        untold.filter_map(|token| token.revoked).map(|(_, due)| due).min()
    }

    /// Those of whom it is time to tell, at most `most`, and since when they may not come any more.
    pub fn revoked(&mut self, now: Instant, most: usize) -> Option<(u64, Vec<Fingerprint>)> {
        let mut found: Option<(u64, Vec<Fingerprint>)> = None;
        for (device, token) in self.0.iter_mut().filter(|(_, token)| !token.is_told) {
            let Some((since_s, _)) = token.revoked.filter(|(_, due)| *due <= now) else { continue };
            let (of_all_s, devices) = found.get_or_insert((since_s, Vec::new()));
            if *of_all_s == since_s && devices.len() < most {
                devices.push(*device);
                token.is_told = true;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: whoever is revoked hears it from the server first, whatever changed just before; and the relay hears of each once, and again after a new connection.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "any moment will do")]
    fn the_relay_hears_of_it_after_the_device() {
        let [one, other] = [1, 2].map(|number| Fingerprint::from_bytes([number; 32]));
        let token = |was_paired| Token { issued_s: 7, was_paired, revoked: None, is_told: false };
        let mut let_in = LetIn([(one, token(true)), (other, token(false))].into());
        let (begun, gone) = (Instant::now(), OrdMap::new());
        let at = |halves: u32| begun + FAREWELL / 2 * halves;
        assert_eq!(let_in.due(), None);
        let_in.notice(at(0), 10, &gone);
        let_in.0.insert(other, token(true));
        let_in.notice(at(1), 11, &gone);
        assert_eq!(let_in.revoked(at(1), 9), None, "nobody is told of before it is time");
        assert_eq!(let_in.due(), Some(at(2)));
        assert_eq!(let_in.revoked(at(2), 9), Some((10, vec![one])));
        assert_eq!(let_in.due(), Some(at(3)), "the other one has its time, too");
        assert_eq!(let_in.revoked(at(3), 9), Some((11, vec![other])));
        assert_eq!((let_in.due(), let_in.revoked(at(4), 9)), (None, None));
        let_in.come_back();
        assert_eq!(let_in.due(), Some(at(2)), "what was said into a dying connection is said again");
    }
}
