//! A server's mirror of a client's banks of glyphs.
//!
//! All sessions that began at one scale draw with the same few hundred letters. An [`Alphabet`] gives each its slot, the same one for all of them, so a session keeps a
//! bit a letter. Where there are more letters of a face than a bank has slots, whoever meets one without a number mirrors that bank by itself: what
//! was used longest ago makes room.
//!
//! Invariants: what a bit stands for is the letter that the alphabet has under this number; a number is never given away again; of a face, no session
//! adds more than [`ADDED`] letters, so that it takes several to use the numbers up. Who comes then mirrors by himself.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashTable;
use tresen_scene::{FaceId, Glyph, ObjectId};

use crate::limits::{FACES, GLYPH_SLOTS};
use crate::ops;
use crate::pool::{Held, Pool, Worth, hash};

/// Letters of a face that one session may bring up as the first. What a site is made of has less than a hundred, and many bring it up together.
const ADDED: u16 = 256;

/// The letters of a server's screens of one scale, in the order in which they were first sent to anybody. At most [`GLYPH_SLOTS`] a face.
#[derive(Debug, Default)]
pub struct Alphabet([RwLock<Letters>; FACES]);

/// Those of one face.
#[derive(Debug, Default)]
struct Letters {
    all: Vec<Letter>,
    /// The places in `all`, found by the names there.
    by_id: HashTable<u16>,
}

#[derive(Clone, Copy, Debug)]
struct Letter {
    id: ObjectId,
    bytes: u32,
}

/// A thread that panicked while it held letters left whole ones.
impl Alphabet {
    /// Those of a face below [`FACES`].
    fn read(&self, face: FaceId) -> RwLockReadGuard<'_, Letters> {
        self.0[usize::from(face.0)].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, face: FaceId) -> RwLockWriteGuard<'_, Letters> {
        self.0[usize::from(face.0)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Letters {
    /// The number of a letter that has one.
    fn find(&self, id: ObjectId) -> Option<u16> {
        self.by_id.find(hash(id), |number| self.all[usize::from(*number)].id == id).copied()
    }

    /// The number of a letter, a new one if it has none; `None` when a bank's worth of others came before it.
    fn find_or_add(&mut self, glyph: &Glyph) -> Option<u16> {
        let known = self.find(glyph.id());
        if known.is_some() || self.all.len() >= GLYPH_SLOTS {
            return known;
        }
        let Self { all, by_id } = self;
        let number = all.len() as u16;
        all.push(Letter { id: glyph.id(), bytes: bytes(glyph) });
        by_id.insert_unique(hash(glyph.id()), number, |number| hash(all[usize::from(*number)].id));
        Some(number)
    }
}

/// The memory that a glyph takes on a client.
fn bytes(glyph: &Glyph) -> u32 {
    let size = glyph.mask().size();
    ops::bitmap_bytes(size.w, size.h, 1)
}

/// A letter came up that has no number and gets none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unnumbered(pub FaceId);

/// A glyph that a frame brings.
#[derive(Clone, Copy)]
pub(crate) struct Brought<'a> {
    pub slot: u16,
    pub glyph: &'a Glyph,
    /// The memory that it takes on a client.
    pub bytes: u32,
    /// What it replaces.
    pub before: Option<Held>,
}

/// The banks of one client.
#[derive(Debug, Default)]
pub(crate) struct Banks {
    alphabet: Arc<Alphabet>,
    banks: Vec<Bank>,
}

#[derive(Debug)]
struct Bank {
    /// The slot that the next glyph fills unless told otherwise.
    cursor: u16,
    /// Letters that this session brought up as the first.
    added: u16,
    slots: Slots,
}

#[derive(Debug)]
enum Slots {
    /// Of each number whether the client has it.
    Numbered(Vec<u64>),
    Own(Box<Pool>),
}

impl Banks {
    /// Empty ones.
    pub fn new(alphabet: Arc<Alphabet>) -> Self {
        Self { alphabet, banks: Vec::new() }
    }

    /// The client has emptied them. What this session added counts on.
    pub fn clear(&mut self) {
        for bank in &mut self.banks {
            (bank.cursor, bank.slots) = (0, Slots::Numbered(Vec::new()));
        }
    }

    /// Sees to it that the client has some glyphs of a face below [`FACES`]; returns those that `frame` has to bring.
    ///
    /// # Errors
    /// When one has no number: [`Self::mirror`] this bank, and begin the frame anew. Some may count as brought then.
    pub fn bring<'a>(
        &mut self,
        face: FaceId,
        glyphs: impl Iterator<Item = &'a Glyph>,
        frame: u32,
        brought: &mut Vec<Brought<'a>>,
    ) -> Result<(), Unnumbered> {
        while self.banks.len() <= usize::from(face.0) {
            self.banks.push(Bank { cursor: 0, added: 0, slots: Slots::Numbered(Vec::new()) });
        }
        let bank = &mut self.banks[usize::from(face.0)];
        match &mut bank.slots {
            Slots::Numbered(bits) => {
                let mut letters = self.alphabet.read(face);
                for glyph in glyphs {
                    let slot = match letters.find(glyph.id()) {
                        Some(slot) => slot,
                        None if bank.added == ADDED => return Err(Unnumbered(face)),
                        None => {
                            drop(letters);
                            let added = self.alphabet.write(face).find_or_add(glyph);
                            bank.added += 1;
                            letters = self.alphabet.read(face);
                            added.ok_or(Unnumbered(face))?
                        }
                    };
                    if set(bits, slot) {
                        brought.push(Brought { slot, glyph, bytes: bytes(glyph), before: None });
                    }
                }
            }
            Slots::Own(pool) => {
                let mut next = bank.cursor;
                for glyph in glyphs {
                    if pool.touch(glyph.id(), frame).is_some() {
                        continue;
                    }
                    let slot = pool.place(frame, next).ok_or(Unnumbered(face))?;
                    next = slot + 1;
                    let bytes = bytes(glyph);
                    let before =
                        pool.put(slot, Held { id: glyph.id(), bytes, worth: Worth::Cheap, used: frame });
                    brought.push(Brought { slot, glyph, bytes, before });
                }
            }
        }
        Ok(())
    }

    /// From now on a bank is mirrored by itself; what is in it was used before `frame`. `false` when it is already.
    pub fn mirror(&mut self, Unnumbered(face): Unnumbered, frame: u32) -> bool {
        let Some(Bank { slots, .. }) = self.banks.get_mut(usize::from(face.0)) else { return false };
        let Slots::Numbered(bits) = slots else { return false };
        let letters = self.alphabet.read(face);
        let held =
            (0..).zip(&letters.all).filter(|(number, _)| is_set(bits, *number)).map(|(slot, letter)| {
                let Letter { id, bytes } = *letter;
                (slot, Held { id, bytes, worth: Worth::Cheap, used: frame.wrapping_sub(1) })
            });
        let pool = Pool::holding(GLYPH_SLOTS, &held.collect::<Vec<_>>());
        drop(letters);
        *slots = Slots::Own(Box::new(pool));
        true
    }

    /// Where the glyphs of a face are, which the client has; `None`: nowhere.
    pub fn slots<'a>(
        &self,
        face: FaceId,
        glyphs: impl Iterator<Item = &'a Glyph>,
        mut each: impl FnMut(Option<u16>),
    ) {
        match self.banks.get(usize::from(face.0)).map(|bank| &bank.slots) {
            Some(Slots::Numbered(bits)) => {
                let letters = self.alphabet.read(face);
                for glyph in glyphs {
                    each(letters.find(glyph.id()).filter(|number| is_set(bits, *number)));
                }
            }
            Some(Slots::Own(pool)) => glyphs.for_each(|glyph| each(pool.slot(glyph.id()))),
            None => glyphs.for_each(|_| each(None)),
        }
    }

    /// Moves the cursor of a face's bank; returns where it was.
    pub fn seek(&mut self, FaceId(face): FaceId, slot: u16) -> u16 {
        self.banks.get_mut(usize::from(face)).map_or(0, |bank| std::mem::replace(&mut bank.cursor, slot))
    }

    /// Undoes that a glyph was brought.
    pub fn restore(&mut self, FaceId(face): FaceId, slot: u16, before: Option<Held>) {
        match self.banks.get_mut(usize::from(face)).map(|bank| &mut bank.slots) {
            Some(Slots::Numbered(bits)) => {
                if let Some(word) = bits.get_mut(usize::from(slot / 64)) {
                    *word &= !(1 << (slot % 64));
                }
            }
            Some(Slots::Own(pool)) => pool.restore(slot, before),
            None => {}
        }
    }
}

fn is_set(bits: &[u64], number: u16) -> bool {
    bits.get(usize::from(number / 64)).is_some_and(|word| word >> (number % 64) & 1 == 1)
}

/// Whether it was not set before.
fn set(bits: &mut Vec<u64>, number: u16) -> bool {
    let word = usize::from(number / 64);
    if bits.len() <= word {
        bits.reserve_exact(word + 1 - bits.len());
        bits.resize(word + 1, 0);
    }
    let before = bits[word];
    bits[word] |= 1 << (number % 64);
    before != bits[word]
}
