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

/// From one look for those whose time is over to the next.
const SWEEP: Duration = Duration::from_secs(1);

/// Those who are known at a time, of each kind; more are not.
const MOST: usize = 131_072;

/// See the module.
#[derive(Default)]
pub struct Known {
    parties: Until<Fingerprint>,
    networks: Until<LimitKey>,
}

/// Those of a kind.
struct Until<K> {
    known: HashMap<K, Instant>,
    most: usize,
    swept: Option<Instant>,
}

impl<K> Default for Until<K> {
    fn default() -> Self {
        Self { known: HashMap::new(), most: MOST, swept: None }
    }
}

impl Known {
    /// Somebody is let in.
    pub fn add(&mut self, now: Instant, who: Fingerprint, from: IpAddr) {
        self.parties.add(now, who);
        self.networks.add(now, LimitKey::network(from));
    }

    /// Whether he was lately.
    #[must_use]
    pub fn has(&self, now: Instant, who: &Fingerprint) -> bool {
        self.parties.has(now, who)
    }

    /// Whether somebody from this network was.
    #[must_use]
    pub fn has_from(&self, now: Instant, from: IpAddr) -> bool {
        self.networks.has(now, &LimitKey::network(from))
    }
}

impl<K: Eq + Hash> Until<K> {
    fn has(&self, now: Instant, key: &K) -> bool {
        self.known.get(key).is_some_and(|until| *until > now)
    }

    fn add(&mut self, now: Instant, key: K) {
        if self.known.len() >= self.most.min(self.known.capacity()) && !self.known.contains_key(&key) {
            self.sweep(now);
            if self.known.len() >= self.most {
                return;
            }
        }
        self.known.insert(key, now + KNOWN);
    }

    /// Forgets those whose time is over; all are walked through, so not for each who comes.
    fn sweep(&mut self, now: Instant) {
        if self.swept.is_none_or(|swept| now.duration_since(swept) >= SWEEP) {
            self.swept = Some(now);
            self.known.retain(|_, until| *until > now);
        }
    }
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
        let (now, mut parties) = (Instant::now(), Until { most: 3, ..Until::default() });
        for number in 0..9 {
            parties.add(now, who(number));
        }
        assert_eq!(parties.known.len(), 3);
        parties.add(now + KNOWN, who(9));
        assert_eq!(parties.known.len(), 1);
    }

    /// Promise: among many who are known, a newcomer costs little: they are not all looked at for each.
    #[test]
    fn not_all_are_looked_at_for_each() {
        let (now, mut parties) = (Instant::now(), Until { most: 2, ..Until::default() });
        parties.add(now, who(1));
        parties.add(now + KNOWN - SWEEP / 2, who(2));
        parties.add(now + KNOWN - SWEEP / 2, who(3));
        assert_eq!(parties.swept, Some(now + KNOWN - SWEEP / 2));
        parties.add(now + KNOWN, who(4));
        assert!(!parties.has(now + KNOWN, &who(4)), "the first one's time is over, which is noticed later");
        parties.add(now + KNOWN + SWEEP / 2, who(4));
        assert!(parties.has(now + KNOWN + SWEEP / 2, &who(4)));
    }
}
