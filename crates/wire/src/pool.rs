//! A server's mirror of one space of slots: what is in which slot, and which one was used longest ago. Every step takes constant time.
//!
//! Invariants: `by_id` holds the filled slots, found by the name in them; the list from `newest` to `oldest` holds exactly the filled slots.

use std::num::NonZero;

use hashbrown::HashTable;
use tresen_scene::ObjectId;

/// No slot.
const NONE: u16 = u16::MAX;

/// What is in a slot. There is a mirror for each session: whatever it is made of counts a thousand times a session.
#[derive(Clone, Copy, Debug)]
struct Entry {
    id: ObjectId,
    bytes: NonZero<u32>,
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
    by_id: HashTable<u16>,
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
            by_id: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// The slot that holds this, without using it.
    pub(crate) fn slot(&self, id: ObjectId) -> Option<u16> {
        self.by_id.find(hash(id), |slot| self.holds(*slot, id)).copied()
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
            if self.entries.len() == self.entries.capacity() {
                // Not twice as many: what is never used counts for every session, too.
                self.entries.reserve_exact(self.entries.len() / 4 + 16);
            }
            self.entries.push(None);
        }
        self.fill(slot, id, bytes, frame);
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
        self.fill(slot, id, bytes, 0);
    }

    fn fill(&mut self, slot: u16, id: ObjectId, bytes: u32, used: u32) {
        let bytes = NonZero::new(bytes).expect("every object takes memory");
        self.entries[usize::from(slot)] = Some(Entry { id, bytes, used, newer: NONE, older: NONE });
        self.link_newest(slot);
        let Self { by_id, entries, .. } = self;
        let name = |slot: &u16| hash(entries[usize::from(*slot)].expect("by_id holds filled slots only").id);
        by_id.insert_unique(hash(id), slot, name);
    }

    fn holds(&self, slot: u16, id: ObjectId) -> bool {
        self.entries.get(usize::from(slot)).and_then(Option::as_ref).is_some_and(|entry| entry.id == id)
    }

    fn remove(&mut self, slot: u16) -> Content {
        let entry = self.entries.get(usize::from(slot)).copied().flatten()?;
        self.unlink(slot);
        self.entries[usize::from(slot)] = None;
        let known = self.by_id.find_entry(hash(entry.id), |have| *have == slot);
        known.expect("by_id holds every filled slot").remove();
        Some((entry.id, entry.bytes.get()))
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

/// Names are keyed hashes already: eight of their bytes do.
fn hash(id: ObjectId) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = id.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u8) -> ObjectId {
        ObjectId([number; 16])
    }

    /// Promise: a session's mirror of a client's slots takes 48 bytes a slot at most, unused room included.
    #[test]
    fn a_slot_is_small() {
        assert_eq!(size_of::<Option<Entry>>(), 28);
        let mut pool = Pool::new(4096);
        for number in 0..2000_u64 {
            let mut name = [0; 16];
            name[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            let slot = pool.place(1).unwrap();
            pool.put(slot, ObjectId(name), 1, 1);
            let entries = pool.entries.capacity() * size_of::<Option<Entry>>();
            let bytes = entries + pool.by_id.allocation_size();
            assert!(number < 50 || bytes as u64 <= 48 * (number + 1), "{bytes} B for {number}");
        }
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
