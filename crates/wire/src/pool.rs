//! A server's mirror of one space of slots: what is in which slot, and which one was used longest ago. Every step takes constant time.
//!
//! Invariants: `by_id` and `entries` say the same; the list from `newest` to `oldest` holds exactly the filled slots.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tresen_scene::ObjectId;

/// No slot.
const NONE: u16 = u16::MAX;

/// Names are keyed hashes already: some of their bytes do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NameHasher(u64);

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = self.0.rotate_left(5) ^ u64::from_le_bytes(word);
        }
    }

    fn write_usize(&mut self, _length: usize) {}
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: ObjectId,
    bytes: u32,
    /// The frame that used it last.
    used: u32,
    newer: u16,
    older: u16,
}

/// What a slot held: a name and its size in bytes.
pub(crate) type Content = Option<(ObjectId, u32)>;

/// One space of slots.
#[derive(Debug)]
pub(crate) struct Pool {
    capacity: u16,
    by_id: HashMap<ObjectId, u16, BuildHasherDefault<NameHasher>>,
    entries: Vec<Option<Entry>>,
    free: Vec<u16>,
    newest: u16,
    oldest: u16,
}

impl Pool {
    pub(crate) fn new(capacity: usize) -> Self {
        debug_assert!(capacity < usize::from(NONE));
        Self {
            capacity: capacity as u16,
            by_id: HashMap::default(),
            entries: Vec::new(),
            free: Vec::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// The slot that holds this, without using it.
    pub(crate) fn slot(&self, id: ObjectId) -> Option<u16> {
        self.by_id.get(&id).copied()
    }

    /// The slot that holds this, used by `frame`.
    pub(crate) fn touch(&mut self, id: ObjectId, frame: u32) -> Option<u16> {
        let slot = self.slot(id)?;
        if self.entries[usize::from(slot)].is_some_and(|entry| entry.used != frame) {
            self.unlink(slot);
            self.link_newest(slot);
            if let Some(entry) = &mut self.entries[usize::from(slot)] {
                entry.used = frame;
            }
        }
        Some(slot)
    }

    /// The slot that the next [`Pool::put`] fills; `None` when `frame` uses all of them.
    pub(crate) fn place(&self, frame: u32) -> Option<u16> {
        if let Some(&free) = self.free.last() {
            return Some(free);
        }
        if self.entries.len() < usize::from(self.capacity) {
            return Some(self.entries.len() as u16);
        }
        self.unused(frame)
    }

    /// The slot that was used longest ago, unless that was in `frame`.
    pub(crate) fn unused(&self, frame: u32) -> Option<u16> {
        let entry = self.entries.get(usize::from(self.oldest))?.as_ref()?;
        (entry.used != frame).then_some(self.oldest)
    }

    /// Fills a slot that [`Pool::place`] gave. Returns what was in it.
    pub(crate) fn put(&mut self, slot: u16, id: ObjectId, bytes: u32, frame: u32) -> Content {
        let before = self.remove(slot);
        if self.free.last() == Some(&slot) {
            self.free.pop();
        }
        if usize::from(slot) == self.entries.len() {
            self.entries.push(None);
        }
        self.entries[usize::from(slot)] = Some(Entry { id, bytes, used: frame, newer: NONE, older: NONE });
        self.link_newest(slot);
        self.by_id.insert(id, slot);
        before
    }

    /// Empties a slot. Returns what was in it.
    pub(crate) fn evict(&mut self, slot: u16) -> Content {
        let before = self.remove(slot);
        self.free.push(slot);
        before
    }

    /// Undoes the last [`Pool::put`] or [`Pool::evict`] of this slot.
    pub(crate) fn restore(&mut self, slot: u16, before: Content) {
        let was_empty = self.remove(slot).is_none();
        let Some((id, bytes)) = before else {
            self.free.push(slot);
            return;
        };
        if was_empty {
            self.free.retain(|free| *free != slot);
        }
        self.entries[usize::from(slot)] = Some(Entry { id, bytes, used: 0, newer: NONE, older: NONE });
        self.link_newest(slot);
        self.by_id.insert(id, slot);
    }

    fn remove(&mut self, slot: u16) -> Content {
        let entry = self.entries.get(usize::from(slot)).copied().flatten()?;
        self.unlink(slot);
        self.entries[usize::from(slot)] = None;
        self.by_id.remove(&entry.id);
        Some((entry.id, entry.bytes))
    }

    fn unlink(&mut self, slot: u16) {
        let Some(Entry { newer, older, .. }) = self.entries[usize::from(slot)] else { return };
        match self.entry(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
        match self.entry(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_newest(&mut self, slot: u16) {
        let before = self.newest;
        match self.entry(before) {
            Some(entry) => entry.newer = slot,
            None => self.oldest = slot,
        }
        if let Some(entry) = self.entry(slot) {
            entry.older = before;
            entry.newer = NONE;
        }
        self.newest = slot;
    }

    fn entry(&mut self, slot: u16) -> Option<&mut Entry> {
        self.entries.get_mut(usize::from(slot))?.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u8) -> ObjectId {
        ObjectId([number; 16])
    }

    proptest! {
        /// The pool does what a list of slots in order of use does, and undoing gives back what was.
        #[test]
        fn oldest_goes_first(uses: Vec<u8>) {
            let mut pool = Pool::new(4);
            let mut model: Vec<u8> = Vec::new();
            for (frame, number) in (1..).zip(uses.iter().map(|number| number % 9)) {
                let known = pool.touch(id(number), frame).is_some();
                prop_assert_eq!(known, model.contains(&number));
                model.retain(|have| *have != number);
                model.push(number);
                if !known {
                    let slot = pool.place(frame).unwrap();
                    let before = pool.put(slot, id(number), 1, frame);
                    pool.restore(slot, before);
                    prop_assert_eq!(pool.slot(id(number)), None);
                    if let Some((was, _)) = before {
                        prop_assert_eq!(pool.slot(was), Some(slot));
                    }
                    pool.put(slot, id(number), 1, frame);
                    if model.len() > 4 {
                        let gone = model.remove(0);
                        prop_assert_eq!(before, Some((id(gone), 1)));
                    }
                }
                prop_assert!(model.iter().all(|number| pool.slot(id(*number)).is_some()));
            }
        }
    }
}
