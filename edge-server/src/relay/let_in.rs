//! Devices that this server let in at a relay and whose tokens may still be good there, so that the relay hears of it when one of them is revoked.

use std::collections::HashMap;

use tresen_identity::{Fingerprint, TOKEN_LIFETIME_S};

use crate::registry::Snapshot;

/// See the module. No larger than the registry, and the few devices that may come to show an open code.
#[derive(Default)]
pub struct LetIn(HashMap<Fingerprint, Token>);

#[derive(Clone, Copy)]
struct Token {
    issued_s: u64,
    was_paired: bool,
}

impl LetIn {
    /// A device gets a token at `now_s` (Unix seconds).
    pub fn put(&mut self, device: Fingerprint, now_s: u64, snapshot: &Snapshot) {
        let longest_s = u64::from(*TOKEN_LIFETIME_S.end());
        self.0.retain(|_, token| token.issued_s + longest_s > now_s);
        let was_paired = snapshot.devices.contains_key(&device);
        self.0.insert(device, Token { issued_s: now_s, was_paired });
    }

    /// Those that may not come any more; they are said once.
    pub fn take_revoked(&mut self, snapshot: &Snapshot) -> Vec<Fingerprint> {
        let is_out = |device: &Fingerprint, token: &mut Token| match snapshot.devices.get(device) {
            Some(known) => known.revoked,
            None => token.was_paired,
        };
        self.0.extract_if(is_out).map(|(device, _)| device).collect()
    }
}
