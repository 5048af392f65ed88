//! A server's mirror of one space of slots: what is in which slot, and which one was used longest ago. Every step takes constant time.
//!
//! Invariants: `by_id` holds the filled slots, found by the name in them; the lists from `newest` to `oldest`, one for each [`Worth`], hold exactly
//! the filled slots of that worth, in the order of their last use; what was restored counts as used just now in its list, with the age that it had.

use std::num::NonZero;

use hashbrown::HashTable;
use tresen_scene::ObjectId;

/// No slot.
const NONE: u16 = u16::MAX;

/// What is in a slot. There is a mirror for each session: whatever it is made of counts a thousand times a session.
#[derive(Clone, Copy, Debug)]
struct Entry {
    id: ObjectId,
    /// Twice the bytes, and one more if it is dear.
    bytes_2: NonZero<u32>,
    /// The frame that used it last.
    used: u32,
    newer: u16,
    older: u16,
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The object's name.
    pub id: ObjectId,
    /// The memory that it takes on a client.
    pub bytes: u32,
    /// Whether it is kept though it is not used.
    pub worth: Worth,
    /// The frame that used it last.
    pub used: u32,
}

/// What it is worth to keep an object that is not used for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Nothing: its slot is filled anew when enough are in use.
    Cheap,
    /// It is kept while the client has memory for it: a photo.
    Dear,
}

/// A slot that was not used by so many frames may be filled anew before others are opened.
const OLD_FRAMES: u32 = 64;

/// One space of slots.
#[derive(Debug)]
pub(crate) struct Pool {
    capacity: u16,
    /// With so many slots in use, those that were not used for long are filled anew before others are opened.
    enough: u16,
    by_id: HashTable<u16>,
    entries: Vec<Option<Entry>>,
    free: Vec<u16>,
    newest: [u16; 2],
    oldest: [u16; 2],
}

impl Pool {
    /// With `capacity` slots, of which `enough` do unless more are looked at within [`OLD_FRAMES`].
    pub(crate) fn new(capacity: usize, enough: usize) -> Self {
        debug_assert!(capacity < usize::from(NONE));
        Self {
            capacity: capacity as u16,
            enough: enough.min(capacity) as u16,
            by_id: HashTable::new(),
            entries: Vec::new(),
            free: Vec::new(),
            newest: [NONE; 2],
            oldest: [NONE; 2],
        }
    }

    /// With `capacity` slots, all of which may be used, of which some are filled: those lie in order. The others are filled in order, too.
    pub(crate) fn holding(capacity: usize, filled: &[(u16, Held)]) -> Self {
        let mut pool = Self::new(capacity, capacity);
        pool.entries.reserve_exact(filled.last().map_or(0, |(slot, _)| usize::from(*slot) + 1));
        for (slot, held) in filled {
            while pool.entries.len() < usize::from(*slot) {
                pool.free.push(pool.entries.len() as u16);
                pool.entries.push(None);
            }
            pool.entries.push(None);
            pool.fill(*slot, *held);
        }
        pool.free.reverse();
        pool
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

    /// From now on so many slots are enough.
    pub(crate) fn set_enough(&mut self, enough: usize) {
        self.enough = enough.min(self.capacity.into()) as u16;
    }

    /// The slot that the next [`Pool::put`] fills: `next`, which costs no seeking, if that was used about as long ago as the oldest; `None` when
    /// `frame` uses all of them.
    pub(crate) fn place(&self, frame: u32, next: u16) -> Option<u16> {
        if let Some(&free) = self.free.last() {
            return Some(free);
        }
        let opened = self.entries.len() as u16;
        if opened >= self.enough
            && let Some(slot) = self.old(frame, next)
        {
            return Some(slot);
        }
        if opened < self.capacity { Some(opened) } else { self.unused(frame) }
    }

    /// A slot whose object nobody will miss: not used for long, and cheap to send again.
    fn old(&self, frame: u32, next: u16) -> Option<u16> {
        let oldest = self.oldest[Worth::Cheap as usize];
        let age = self.age(oldest, frame);
        if age < OLD_FRAMES {
            return None;
        }
        let is_cheap = self.at(next).is_some_and(|entry| entry.worth() == Worth::Cheap);
        let as_old = is_cheap && self.age(next, frame) >= (age / 2).max(OLD_FRAMES);
        Some(if as_old { next } else { oldest })
    }

    fn at(&self, slot: u16) -> Option<&Entry> {
        self.entries.get(usize::from(slot))?.as_ref()
    }

    /// How many frames ago a slot was used; 0 when it is empty.
    fn age(&self, slot: u16, frame: u32) -> u32 {
        self.at(slot).map_or(0, |entry| frame.wrapping_sub(entry.used))
    }

    /// The slot that was used longest ago, unless that was in `frame`.
    pub(crate) fn unused(&self, frame: u32) -> Option<u16> {
        let oldest = self.oldest.into_iter().max_by_key(|slot| self.age(*slot, frame))?;
        (self.age(oldest, frame) > 0).then_some(oldest)
    }

    /// Fills a slot that [`Pool::place`] gave. Returns what was in it.
    pub(crate) fn put(&mut self, slot: u16, held: Held) -> Option<Held> {
        let before = self.remove(slot);
        if self.free.last() == Some(&slot) {
            self.free.pop();
        }
        if usize::from(slot) == self.entries.len() {
            if self.entries.len() == self.entries.capacity() {
                // Not twice as many: what is never used counts for every session, too.
                self.entries.reserve_exact(self.entries.len() / 8 + 8);
            }
            self.entries.push(None);
        }
        self.fill(slot, held);
        before
    }

    /// Empties a slot. Returns what was in it.
    pub(crate) fn evict(&mut self, slot: u16) -> Option<Held> {
        let before = self.remove(slot);
        self.free.push(slot);
        before
    }

    /// Undoes the last [`Pool::put`] or [`Pool::evict`] of this slot.
    pub(crate) fn restore(&mut self, slot: u16, before: Option<Held>) {
        let was_empty = self.remove(slot).is_none();
        let Some(held) = before else {
            self.free.push(slot);
            return;
        };
        if was_empty {
            self.free.retain(|free| *free != slot);
        }
        self.fill(slot, held);
    }

    fn fill(&mut self, slot: u16, held: Held) {
        let Held { id, bytes, worth, used } = held;
        let bytes_2 = NonZero::new(bytes << 1 | worth as u32).expect("every object takes memory");
        self.entries[usize::from(slot)] = Some(Entry { id, bytes_2, used, newer: NONE, older: NONE });
        self.link_newest(slot);
        let Self { by_id, entries, .. } = self;
        let name = |slot: &u16| hash(entries[usize::from(*slot)].expect("by_id holds filled slots only").id);
        by_id.insert_unique(hash(id), slot, name);
    }

    fn holds(&self, slot: u16, id: ObjectId) -> bool {
        self.entries.get(usize::from(slot)).and_then(Option::as_ref).is_some_and(|entry| entry.id == id)
    }

    fn remove(&mut self, slot: u16) -> Option<Held> {
        let entry = self.entries.get(usize::from(slot)).copied().flatten()?;
        self.unlink(slot);
        self.entries[usize::from(slot)] = None;
        let known = self.by_id.find_entry(hash(entry.id), |have| *have == slot);
        known.expect("by_id holds every filled slot").remove();
        let (bytes, worth) = (entry.bytes_2.get() >> 1, entry.worth());
        Some(Held { id: entry.id, bytes, worth, used: entry.used })
    }

    fn unlink(&mut self, slot: u16) {
        let Some(entry) = self.entries[usize::from(slot)] else { return };
        let (Entry { newer, older, .. }, list) = (entry, entry.worth() as usize);
        match self.entry(newer) {
            Some(entry) => entry.older = older,
            None => self.newest[list] = older,
        }
        match self.entry(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest[list] = newer,
        }
    }

    fn link_newest(&mut self, slot: u16) {
        let Some(list) = self.at(slot).map(|entry| entry.worth() as usize) else { return };
        let before = self.newest[list];
        match self.entry(before) {
            Some(entry) => entry.newer = slot,
            None => self.oldest[list] = slot,
        }
        if let Some(entry) = self.entry(slot) {
            entry.older = before;
            entry.newer = NONE;
        }
        self.newest[list] = slot;
    }

    fn entry(&mut self, slot: u16) -> Option<&mut Entry> {
        self.entries.get_mut(usize::from(slot))?.as_mut()
    }
}

impl Entry {
    const fn worth(&self) -> Worth {
        if self.bytes_2.get() & 1 == 0 { Worth::Cheap } else { Worth::Dear }
    }
}

/// Names are keyed hashes already: eight of their bytes do.
pub(crate) fn hash(id: ObjectId) -> u64 {
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

    /// Promise: a session's mirror of a client's slots takes 44 bytes a slot at most, unused room included.
    #[test]
    fn a_slot_is_small() {
        assert_eq!(size_of::<Option<Entry>>(), 28);
        let mut pool = Pool::new(4096, 4096);
        for number in 0..2000_u64 {
            let mut name = [0; 16];
            name[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
            let slot = pool.place(1, NONE).unwrap();
            pool.put(slot, held(ObjectId(name), 1));
            let entries = pool.entries.capacity() * size_of::<Option<Entry>>();
            let bytes = entries + pool.by_id.allocation_size();
            assert!(number < 50 || bytes as u64 <= 44 * (number + 1), "{bytes} B for {number}");
        }
    }

    fn held(id: ObjectId, used: u32) -> Held {
        Held { id, bytes: 4_000, worth: Worth::Cheap, used }
    }

    fn numbered(number: u64) -> ObjectId {
        let mut name = [0; 16];
        name[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        ObjectId(name)
    }

    /// Uses an object as a frame does. Whether it was there; counts seeks.
    fn draw(pool: &mut Pool, number: u64, worth: Worth, frame: u32, next: &mut (u16, u32)) -> bool {
        if pool.touch(numbered(number), frame).is_some() {
            return true;
        }
        let slot = pool.place(frame, next.0).expect("there is room");
        *next = (slot + 1, next.1 + u32::from(slot != next.0));
        pool.put(slot, Held { worth, ..held(numbered(number), frame) });
        false
    }

    /// Promise: a long evening opens no more slots than are enough. What is used all the time stays, and so do photos that are looked at now and
    /// then. What comes once fills the slots in their order, so hardly any of it costs a seek.
    #[test]
    fn enough_is_enough() {
        let (mut pool, mut next) = (Pool::new(4_096, 1_024), (0, 0));
        let photo = |number: u32| 50 + u64::from(number % 20);
        (0..20).for_each(|number| {
            draw(&mut pool, photo(number), Worth::Dear, 1, &mut next);
        });
        for frame in 1..9_000 {
            for number in 0..4 {
                let stays = draw(&mut pool, number, Worth::Cheap, frame, &mut next);
                assert!(stays || frame == 1, "what each frame uses was dropped by frame {frame}");
            }
            let seen = draw(&mut pool, photo(frame / 300), Worth::Dear, frame, &mut next);
            assert!(seen, "a photo was dropped by frame {frame}");
            (0..3).for_each(|other| {
                draw(&mut pool, 1_000 + u64::from(frame) * 3 + other, Worth::Cheap, frame, &mut next);
            });
        }
        assert_eq!(pool.entries.len(), 1_024);
        assert!(next.1 < 9_000 * 3 / 10, "{} seeks for {} objects", next.1, 9_000 * 3);
    }

    /// Promise: a screen with more objects than are enough is there as a whole from its second frame on.
    #[test]
    fn a_large_screen_stays() {
        let (mut pool, mut next) = (Pool::new(4_096, 1_024), (0, 0));
        for frame in 1..500 {
            let new =
                (0..2_500).filter(|number| !draw(&mut pool, *number, Worth::Cheap, frame, &mut next)).count();
            assert_eq!(new, if frame == 1 { 2_500 } else { 0 }, "in frame {frame}");
            draw(&mut pool, 10_000 + u64::from(frame), Worth::Cheap, frame, &mut next);
        }
        assert!(pool.entries.len() < 2_700, "{}", pool.entries.len());
    }

    proptest! {
        /// What a frame uses is in no slot that this frame is given for something else.
        #[test]
        fn a_frame_keeps_what_it_uses(frames: Vec<(Vec<u8>, u16)>) {
            let mut pool = Pool::new(256, 4);
            for (frame, (uses, next)) in (1..).map(|frame| frame * 40).zip(&frames) {
                let mut used = std::collections::HashSet::new();
                for number in uses {
                    let at = pool.touch(id(*number), frame);
                    let slot = at.or_else(|| pool.place(frame, next % 256)).expect("there is room");
                    prop_assert!(used.insert(slot) || at.is_some());
                    if at.is_none() {
                        let worth = if number % 3 == 0 { Worth::Dear } else { Worth::Cheap };
                        pool.put(slot, Held { worth, ..held(id(*number), frame) });
                    }
                }
            }
        }

        /// The pool does what a list of slots in order of use does, and undoing gives back what was.
        #[test]
        fn oldest_goes_first(uses: Vec<u8>) {
            let mut pool = Pool::new(4, 4);
            let mut model: Vec<u8> = Vec::new();
            for (frame, number) in (1..).zip(uses.iter().map(|number| number % 9)) {
                let known = pool.touch(id(number), frame).is_some();
                prop_assert_eq!(known, model.contains(&number));
                model.retain(|have| *have != number);
                model.push(number);
                if !known {
                    let slot = pool.place(frame, NONE).unwrap();
                    let before = pool.put(slot, held(id(number), frame));
                    pool.restore(slot, before);
                    prop_assert_eq!(pool.slot(id(number)), None);
                    if let Some(Held { id: was, .. }) = before {
                        prop_assert_eq!(pool.slot(was), Some(slot));
                    }
                    pool.put(slot, held(id(number), frame));
                    if model.len() > 4 {
                        let gone = model.remove(0);
                        prop_assert_eq!(before.map(|held| held.id), Some(id(gone)));
                    }
                }
                prop_assert!(model.iter().all(|number| pool.slot(id(*number)).is_some()));
            }
        }
    }
}
