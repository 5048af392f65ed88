//! Who was here lately: boxes and devices that had proven who they are and what they may, and the networks from which they came. Strangers in the same
//! network can't use up what is theirs.
//!
//! Invariants: bounded; nobody is known for longer than [`KNOWN`] after he was last let in.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tresen_identity::Fingerprint;
use tresen_path::LimitKey;

/// How long somebody is known: as long as tokens live.
const KNOWN: Duration = Duration::from_secs(15 * 60);

/// Those who are known at a time, of each kind; more are not.
const MOST: usize = 131_072;

/// See the module.
#[derive(Default)]
pub struct Known {
    parties: HashMap<Fingerprint, Instant>,
    networks: HashMap<LimitKey, Instant>,
}

impl Known {
    /// Somebody is let in.
    pub fn add(&mut self, now: Instant, who: Fingerprint, from: IpAddr) {
        add(&mut self.parties, now, who, MOST);
        add(&mut self.networks, now, LimitKey::network(from), MOST);
    }

    /// Whether he was lately.
    #[must_use]
    pub fn has(&self, now: Instant, who: &Fingerprint) -> bool {
        self.parties.get(who).is_some_and(|until| *until > now)
    }

    /// Whether somebody from this network was.
    #[must_use]
    pub fn has_from(&self, now: Instant, from: IpAddr) -> bool {
        self.networks.get(&LimitKey::network(from)).is_some_and(|until| *until > now)
    }
}

fn add<K: Eq + Hash>(known: &mut HashMap<K, Instant>, now: Instant, key: K, most: usize) {
    if known.len() >= most.min(known.capacity()) && !known.contains_key(&key) {
        known.retain(|_, until| *until > now);
        if known.len() >= most {
            return;
        }
    }
    known.insert(key, now + KNOWN);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(number: u8) -> Fingerprint {
        Fingerprint::from_bytes([number; 32])
    }

    /// Promise: who was let in is known for a quarter of an hour, and so is his network; nobody else is.
    #[test]
    fn who_was_here_is_known_for_a_while() {
        let (now, mut known) = (Instant::now(), Known::default());
        let (here, there) = (IpAddr::from([203, 0, 113, 1]), IpAddr::from([203, 0, 113, 2]));
        known.add(now, who(1), here);
        assert!(known.has(now, &who(1)) && known.has_from(now, here));
        assert!(!known.has(now, &who(2)) && !known.has_from(now, there));
        let later = now + KNOWN;
        assert!(!known.has(later, &who(1)) && !known.has_from(later, here));
        known.add(later, who(1), there);
        assert!(known.has(later, &who(1)) && known.has_from(later, there) && !known.has_from(later, here));
    }

    /// Promise: the map is bounded, and those whose time is over make room.
    #[test]
    fn the_map_is_bounded() {
        let (now, mut known) = (Instant::now(), HashMap::new());
        for number in 0..9 {
            add(&mut known, now, who(number), 3);
        }
        assert_eq!(known.len(), 3);
        add(&mut known, now + KNOWN, who(9), 3);
        assert_eq!(known.len(), 1);
    }
}
