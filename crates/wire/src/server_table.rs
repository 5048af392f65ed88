//! What a server knows of a client's slots, and how it turns a screen into the commands of a frame.

use std::sync::Arc;

use thiserror::Error;
use tresen_scene::{FaceId, Namer, Node, Op, limits as scene_limits};

use crate::banks::{Alphabet, Banks};
use crate::bases::Bases;
use crate::colors::{ColorUndo, Colors};
use crate::frame_writer::{Stop, write_frame};
use crate::limits;
use crate::pool::{Held, Pool};

/// Slots for objects that are enough for the screens of an evening. Each slot that is mirrored takes some 35 bytes, for every session.
const ENOUGH_SLOTS: usize = 2048;

/// The same when guesses are sent, of which most are never shown.
const ENOUGH_SLOTS_GUESSING: usize = 4096;

/// Frames from one look at everything that a screen shows to the next. What stands still is not looked at meanwhile, and must not seem old: less than
/// half of what is old in a pool.
const REFRESH_FRAMES: u32 = 24;

/// The screen is beyond a limit of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the screen is larger than {0} allows")]
pub struct TooBig(pub &'static str);

/// How to take a frame back.
#[derive(Debug, Default)]
pub struct Undo {
    pub(crate) changes: Vec<Change>,
    pub(crate) colors: Vec<ColorUndo>,
    pub(crate) bank_cursors: Vec<(FaceId, u16)>,
    pub(crate) cursor: u16,
    pub(crate) bytes: u64,
    pub(crate) digest: [u8; 16],
}

/// What was in a slot: of a glyph bank, or of objects.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) bank: Option<FaceId>,
    pub(crate) slot: u16,
    pub(crate) before: Option<Held>,
}

/// A mirror of a client's slots. It holds names, not objects; only the last node of each key is kept.
#[derive(Debug)]
pub struct ServerTable {
    pub(crate) objects: Pool,
    pub(crate) banks: Banks,
    pub(crate) colors: Colors,
    /// The slot that the next object fills unless told otherwise.
    pub(crate) cursor: u16,
    pub(crate) bases: Bases,
    pub(crate) bytes: u64,
    pub(crate) budget_bytes: u64,
    pub(crate) frame: u32,
    pub(crate) digest: [u8; 16],
}

impl Default for ServerTable {
    fn default() -> Self {
        Self::new()
    }
}

impl ServerTable {
    /// Of a client with nothing in any slot.
    pub fn new() -> Self {
        Self {
            objects: Pool::new(limits::OBJECT_SLOTS, ENOUGH_SLOTS),
            banks: Banks::default(),
            colors: Colors::default(),
            cursor: 0,
            bases: Bases::default(),
            bytes: 0,
            budget_bytes: u64::from(limits::TABLE_KIB.0) * 1024,
            frame: 0,
            digest: [0; 16],
        }
    }

    /// The client has emptied every slot.
    pub fn clear(&mut self) {
        let mut banks = std::mem::take(&mut self.banks);
        banks.clear();
        *self = Self { budget_bytes: self.budget_bytes, banks, ..Self::new() };
    }

    /// The letters that all sessions of its server and scale share: they are mirrored once. To be called while the client has nothing.
    pub fn share(&mut self, alphabet: Arc<Alphabet>) {
        debug_assert_eq!(self.digest, [0; 16], "letters are shared before anything is sent");
        self.banks = Banks::new(alphabet);
    }

    /// From now on guesses are sent, too.
    pub fn expect_guesses(&mut self) {
        self.objects.set_enough(ENOUGH_SLOTS_GUESSING);
    }

    /// The memory that the client offers, in KiB.
    pub fn set_budget(&mut self, table_kib: u32) {
        self.budget_bytes = u64::from(table_kib) * 1024;
    }

    /// The digest that the client's slots have when every frame has arrived.
    pub const fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// The commands that give a client `root`; they count as sent.
    ///
    /// # Errors
    /// When the screen is too large. Nothing has changed then.
    pub fn encode(&mut self, namer: &Namer, root: &Arc<Node>) -> Result<(Vec<u8>, Undo), TooBig> {
        if root.depth() > scene_limits::DEPTH {
            return Err(TooBig("DEPTH"));
        }
        if root.weight() > scene_limits::ROOT_WEIGHT {
            return Err(TooBig("ROOT_WEIGHT"));
        }
        self.frame = self.frame.wrapping_add(1);
        self.bases.turn();
        let (out, undo) = loop {
            match self.commands(root) {
                Ok(commands) => break commands,
                Err(Stop::TooBig(limit)) => return Err(limit),
                // As a frame of its own, so that what the one before used and gave back does not count as used.
                Err(Stop::Unnumbered(face)) if self.banks.mirror(face, self.frame) => {
                    self.frame = self.frame.wrapping_add(1);
                }
                Err(Stop::Unnumbered(_)) => return Err(TooBig("GLYPH_SLOTS")),
            }
        };
        if self.frame.is_multiple_of(REFRESH_FRAMES) {
            self.refresh(root);
        }
        self.digest = namer.chain(&self.digest, &out);
        Ok((out, undo))
    }

    /// The commands of this frame, and how to take them back. Nothing has changed when there are none.
    fn commands(&mut self, root: &Arc<Node>) -> Result<(Vec<u8>, Undo), Stop> {
        let (written, undo) = write_frame(self, root);
        match written {
            Ok(out) => Ok((out, undo)),
            Err(stop) => {
                self.undo(undo);
                Err(stop)
            }
        }
    }

    /// Everything in `node`, which the client has, counts as used.
    fn refresh(&mut self, node: &Arc<Node>) {
        self.objects.touch(node.id(), self.frame);
        self.bases.keep(node);
        for op in node.ops() {
            match op {
                Op::Mask { mask, .. } | Op::NinePatch { mask, .. } => {
                    self.objects.touch(mask.id(), self.frame);
                }
                Op::Sprite { sprite, .. } => {
                    self.objects.touch(sprite.id(), self.frame);
                }
                _ => op.children().for_each(|child| self.refresh(child)),
            }
        }
    }

    /// A confirmation is sent: a frame without commands. It counts like any other.
    pub fn confirm(&mut self, namer: &Namer) -> Undo {
        let undo = self.now();
        self.digest = namer.chain(&self.digest, &[]);
        undo
    }

    /// How to come back to what is now.
    pub(crate) fn now(&self) -> Undo {
        Undo { cursor: self.cursor, bytes: self.bytes, digest: self.digest, ..Undo::default() }
    }

    /// Takes the last frame, guess or confirmation back that was not taken back yet.
    pub fn undo(&mut self, undo: Undo) {
        for Change { bank, slot, before } in undo.changes.into_iter().rev() {
            match bank {
                Some(face) => self.banks.restore(face, slot, before),
                None => self.objects.restore(slot, before),
            }
        }
        undo.colors.into_iter().rev().for_each(|color| self.colors.undo(color));
        for (face, cursor) in undo.bank_cursors.into_iter().rev() {
            self.banks.seek(face, cursor);
        }
        self.cursor = undo.cursor;
        self.bytes = undo.bytes;
        self.digest = undo.digest;
    }
}
