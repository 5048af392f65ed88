//! The last node of each key that a client has: what the next node of this key is sent as a patch of.
//!
//! Invariant: at most two generations are kept, of [`GENERATION`] nodes and those of one frame. What was in no frame while a whole generation came
//! is dropped with the old one, whatever keys a long evening brings (each line of each order has its own). A frame drops nothing of its own.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use tresen_scene::Node;

/// So many nodes make a generation: some screens.
const GENERATION: usize = 256;

type Generation = HashMap<u64, Arc<Node>, BuildHasherDefault<KeyHasher>>;

/// Nodes by their keys. Key 0 is none.
#[derive(Debug, Default)]
pub(crate) struct Bases {
    young: Generation,
    old: Generation,
}

impl Bases {
    /// The last node of this key.
    pub(crate) fn get(&self, key: u64) -> Option<&Arc<Node>> {
        self.young.get(&key).or_else(|| self.old.get(&key))
    }

    /// A frame begins.
    pub(crate) fn turn(&mut self) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// From now on `node` is the last one of its key.
    pub(crate) fn keep(&mut self, node: &Arc<Node>) {
        if node.key() == 0 {
            return;
        }
        if let Some(base) = self.young.get_mut(&node.key()) {
            if !Arc::ptr_eq(base, node) {
                *base = node.clone();
            }
            return;
        }
        self.old.remove(&node.key());
        self.young.insert(node.key(), node.clone());
    }
}

/// Keys of nodes are chosen by this server's own app: hashes, or small numbers.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }

    fn write_u64(&mut self, key: u64) {
        // The table looks at the highest bits first; those of small keys are all alike.
        self.0 = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use tresen_scene::{Color, Namer, Op, Rect};

    use super::*;

    fn node(key: u64, shade: u32) -> Arc<Node> {
        let fill = Op::Fill { rect: Rect::new(0, 0, 1, 1), color: Color::rgb(shade) };
        Node::new(&Namer::new([7; 32]), key, vec![fill])
    }

    /// Promise: a session's memory does not grow with the orders of an evening; what is drawn all the time is patched all the time.
    #[test]
    fn a_long_evening_keeps_what_is_drawn() {
        let mut bases = Bases::default();
        for line in 0..20_000 {
            bases.turn();
            bases.keep(&node(1, line));
            bases.keep(&node(1_000 + u64::from(line), line));
            assert!(bases.young.len() + bases.old.len() <= 2 * (GENERATION + 2));
            assert_eq!(bases.get(1), Some(&node(1, line)), "after {line} lines");
        }
        assert_eq!(bases.get(1_000), None);
        assert!(bases.get(1_000 + 19_999).is_some());
    }

    /// Promise: a screen of many parts is patched part by part, however many it has.
    #[test]
    fn a_large_screen_keeps_all_of_its_bases() {
        let mut bases = Bases::default();
        for frame in 0..9 {
            bases.turn();
            for part in 1..900 {
                assert_eq!(bases.get(part).is_some(), frame > 0, "part {part} in frame {frame}");
                bases.keep(&node(part, 7));
            }
        }
    }

    /// Promise: the last node of a key counts, also when an older one is in the old generation; key 0 is no key.
    #[test]
    fn the_last_one_counts() {
        let mut bases = Bases::default();
        bases.keep(&node(5, 1));
        (0..GENERATION as u64).for_each(|other| bases.keep(&node(100 + other, 0)));
        bases.turn();
        assert_eq!(bases.get(5), Some(&node(5, 1)), "it is old, not gone");
        bases.keep(&node(5, 2));
        assert_eq!(bases.get(5), Some(&node(5, 2)));
        bases.keep(&node(0, 3));
        assert_eq!(bases.get(0), None);
    }
}
