//! Devices that this server let in at a node of the relay and whose tokens may still be good there, so that the node hears of it when one of them is revoked.
//!
//! It is told again whenever this server comes back to it: what was said into a connection that was dying may not have arrived.

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
    /// Since when it is void.
    revoked_s: Option<u64>,
    is_told: bool,
}

impl LetIn {
    /// A device gets a token at `now_s` (Unix seconds).
    pub fn put(&mut self, device: Fingerprint, now_s: u64, snapshot: &Snapshot) {
        let longest_s = u64::from(*TOKEN_LIFETIME_S.end());
        self.0.retain(|_, token| token.issued_s + longest_s > now_s);
        let was_paired = snapshot.devices.contains_key(&device);
        self.0.insert(device, Token { issued_s: now_s, was_paired, revoked_s: None, is_told: false });
    }

    /// At a new connection everything has to be told.
    pub fn come_back(&mut self) {
        self.0.values_mut().for_each(|token| token.is_told = false);
    }

    /// Those that may not come any more and of whom was not told, at most `most`, and since when.
    pub fn revoked(
        &mut self,
        now_s: u64,
        snapshot: &Snapshot,
        most: usize,
    ) -> Option<(u64, Vec<Fingerprint>)> {
        let is_out = |device: &Fingerprint, token: &Token| match snapshot.devices.get(device) {
            Some(known) => known.revoked,
            None => token.was_paired,
        };
        let mut found: Option<(u64, Vec<Fingerprint>)> = None;
        for (device, token) in &mut self.0 {
            if token.is_told || !is_out(device, token) {
                continue;
            }
            let since_s = *token.revoked_s.get_or_insert(now_s);
            let (of_all_s, devices) = found.get_or_insert((since_s, Vec::new()));
            if *of_all_s == since_s && devices.len() < most {
                devices.push(*device);
                token.is_told = true;
            }
        }
        found
    }
}
