//! What a server knows of a client's slots, and how it turns a screen into the commands of a frame.

use std::sync::Arc;

use thiserror::Error;
use tresen_scene::{Glyph, Mask, Namer, Node, ObjectId, Op, Sprite, TextRun, limits as scene_limits};

use crate::bases::Bases;
use crate::bytes::put_varint;
use crate::colors::{ColorUndo, Colors};
use crate::encode::{OpWriter, put_slot};
use crate::glyph_code::put_glyph;
use crate::limits;
use crate::mask_code::put_mask;
use crate::ops::{self, Seen};
use crate::patch::{diff, put_steps};
use crate::photo_code::put_photo;
use crate::pool::{Held, Pool, Worth};
use crate::sprite_code::put_sprite;

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
    changes: Vec<Change>,
    colors: Vec<ColorUndo>,
    bank_cursors: Vec<(u8, u16)>,
    cursor: u16,
    bytes: u64,
    digest: [u8; 16],
}

/// What was in a slot: of a glyph bank, or of objects.
#[derive(Debug)]
struct Change {
    bank: Option<u8>,
    slot: u16,
    before: Option<Held>,
}

/// A mirror of a client's slots. It holds names, not objects; only the last node of each key is kept.
#[derive(Debug)]
pub struct ServerTable {
    objects: Pool,
    banks: Vec<Pool>,
    bank_cursors: Vec<u16>,
    colors: Colors,
    /// The slot that the next object fills unless told otherwise.
    cursor: u16,
    bases: Bases,
    bytes: u64,
    budget_bytes: u64,
    frame: u32,
    digest: [u8; 16],
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
            banks: Vec::new(),
            bank_cursors: Vec::new(),
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
        *self = Self { budget_bytes: self.budget_bytes, ..Self::new() };
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
        let undo = Undo { cursor: self.cursor, bytes: self.bytes, digest: self.digest, ..Undo::default() };
        let mut frame = FrameWriter { table: self, out: Vec::new(), undo, objects: 0, ops: 0, pixels: 0 };
        let placed = frame.node(root);
        let FrameWriter { mut out, undo, .. } = frame;
        let placed = placed.and_then(|slot| {
            out.push(ops::ROOT);
            put_slot(&mut out, self.cursor, slot);
            out.extend(&root.id().0[..2]);
            if out.len() > limits::TO_CLIENT_BYTES - 16 { Err(TooBig("TO_CLIENT_BYTES")) } else { Ok(()) }
        });
        if let Err(limit) = placed {
            self.undo(undo);
            return Err(limit);
        }
        if self.frame.is_multiple_of(REFRESH_FRAMES) {
            self.refresh(root);
        }
        self.digest = namer.chain(&self.digest, &out);
        Ok((out, undo))
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
        let undo = Undo { cursor: self.cursor, bytes: self.bytes, digest: self.digest, ..Undo::default() };
        self.digest = namer.chain(&self.digest, &[]);
        undo
    }

    /// Takes the last frame, guess or confirmation back that was not taken back yet.
    pub fn undo(&mut self, undo: Undo) {
        for Change { bank, slot, before } in undo.changes.into_iter().rev() {
            match bank.map(|face| self.banks.get_mut(usize::from(face))) {
                Some(Some(bank)) => bank.restore(slot, before),
                Some(None) => {}
                None => self.objects.restore(slot, before),
            }
        }
        undo.colors.into_iter().rev().for_each(|color| self.colors.undo(color));
        for (face, cursor) in undo.bank_cursors.into_iter().rev() {
            self.bank_cursors[usize::from(face)] = cursor;
        }
        self.cursor = undo.cursor;
        self.bytes = undo.bytes;
        self.digest = undo.digest;
    }
}

struct FrameWriter<'a> {
    table: &'a mut ServerTable,
    out: Vec<u8>,
    undo: Undo,
    objects: usize,
    ops: usize,
    pixels: usize,
}

impl FrameWriter<'_> {
    /// Makes sure that the client has `node`, and everything that it draws before.
    fn node(&mut self, node: &Arc<Node>) -> Result<u16, TooBig> {
        let frame = self.table.frame;
        if let Some(slot) = self.table.objects.touch(node.id(), frame) {
            self.table.bases.keep(node);
            return Ok(slot);
        }
        for op in node.ops() {
            match op {
                Op::Mask { mask, .. } | Op::NinePatch { mask, .. } => self.mask(mask)?,
                Op::Sprite { sprite, .. } => self.sprite(sprite)?,
                Op::Text(run) => self.glyphs(run)?,
                _ => op.children().try_for_each(|child| self.node(child).map(|_| ()))?,
            }
        }
        self.ops += node.ops().len();
        if self.ops > limits::FRAME_OPS {
            return Err(TooBig("FRAME_OPS"));
        }
        let base = self.table.bases.get(node.key()).cloned();
        let patch = base.and_then(|base| {
            let slot = self.table.objects.touch(base.id(), frame)?;
            diff(&base, node).map(|steps| (base, slot, steps))
        });
        let slot = self.place(node.id(), ops::node_bytes(node.ops().len()), Worth::Cheap)?;
        let mut writer = OpWriter {
            out: &mut self.out,
            objects: &self.table.objects,
            banks: &self.table.banks,
            colors: &mut self.table.colors,
            color_undo: &mut self.undo.colors,
            cursor: slot,
            beyond: None,
        };
        match patch {
            Some((base, base_slot, steps)) => {
                put_command(writer.out, ops::PATCH, steps.len());
                put_slot(writer.out, slot, base_slot);
                put_steps(&mut writer, &steps, &base, node);
            }
            None => {
                put_command(writer.out, ops::NODE, node.ops().len());
                let mut seen = Seen::nothing();
                for (index, op) in node.ops().iter().enumerate() {
                    writer.op(op, seen.like(node.ops(), ops::kind(op)));
                    seen.note(index, op);
                }
            }
        }
        if let Some(limit) = writer.beyond {
            return Err(TooBig(limit));
        }
        self.table.bases.keep(node);
        Ok(slot)
    }

    fn mask(&mut self, mask: &Mask) -> Result<(), TooBig> {
        if self.table.objects.touch(mask.id(), self.table.frame).is_some() {
            return Ok(());
        }
        let size = mask.size();
        self.unpacked(mask.alpha().len())?;
        self.place(mask.id(), ops::bitmap_bytes(size.w, size.h, 1), Worth::Cheap)?;
        self.out.push(ops::PUT_MASK);
        put_mask(&mut self.out, mask);
        Ok(())
    }

    fn sprite(&mut self, sprite: &Sprite) -> Result<(), TooBig> {
        if self.table.objects.touch(sprite.id(), self.table.frame).is_some() {
            return Ok(());
        }
        let size = sprite.size();
        self.unpacked(sprite.rgba().len() / 4)?;
        self.place(sprite.id(), ops::bitmap_bytes(size.w, size.h, 4), Worth::Dear)?;
        match sprite.photo() {
            Some(photo) => {
                self.out.push(ops::PUT_PHOTO);
                put_photo(&mut self.out, sprite, photo);
            }
            None => {
                self.out.push(ops::PUT_SPRITE);
                put_sprite(&mut self.out, sprite);
            }
        }
        Ok(())
    }

    /// Makes sure that the client has the glyphs of a run: those that are new, in as few commands as may be.
    fn glyphs(&mut self, run: &TextRun) -> Result<(), TooBig> {
        let face = usize::from(run.face.0);
        if face >= limits::FACES {
            return Err(TooBig("FACES"));
        }
        while self.table.banks.len() <= face {
            self.table.banks.push(Pool::new(limits::GLYPH_SLOTS, limits::GLYPH_SLOTS));
            self.table.bank_cursors.push(0);
        }
        let frame = self.table.frame;
        let bank = &mut self.table.banks[face];
        let mut next = self.table.bank_cursors[face];
        let mut new: Vec<(u16, &Glyph)> = Vec::new();
        for placed in run.glyphs.iter() {
            let glyph = &*placed.glyph;
            if bank.touch(glyph.id(), frame).is_some() {
                continue;
            }
            let slot = bank.place(frame, next).ok_or(TooBig("GLYPH_SLOTS"))?;
            next = slot + 1;
            let bytes = ops::bitmap_bytes(glyph.mask().size().w, glyph.mask().size().h, 1);
            let held = Held { id: glyph.id(), bytes, worth: Worth::Cheap, used: frame };
            let before = bank.put(slot, held);
            self.table.bytes += u64::from(bytes);
            self.table.bytes -= before.map_or(0, |held| u64::from(held.bytes));
            self.undo.changes.push(Change { bank: Some(run.face.0), slot, before });
            new.push((slot, glyph));
        }
        for batch in new.chunk_by(|one, two| one.0 + 1 == two.0) {
            self.glyph_batch(run.face.0, batch)?;
        }
        Ok(())
    }

    fn glyph_batch(&mut self, face: u8, batch: &[(u16, &Glyph)]) -> Result<(), TooBig> {
        let first = batch[0].0;
        let cursor = &mut self.table.bank_cursors[usize::from(face)];
        self.undo.bank_cursors.push((face, *cursor));
        if *cursor != first {
            self.out.extend([ops::SEEK_GLYPH, face]);
            put_varint(&mut self.out, first.into());
        }
        *cursor = first + batch.len() as u16;
        put_command(&mut self.out, ops::PUT_GLYPHS, batch.len());
        self.out.push(face);
        for (_, glyph) in batch {
            self.unpacked(glyph.mask().alpha().len())?;
            put_glyph(&mut self.out, glyph)?;
        }
        Ok(())
    }

    /// Counts a new object and its pixels.
    fn unpacked(&mut self, pixels: usize) -> Result<(), TooBig> {
        self.pixels += pixels;
        if self.pixels > limits::FRAME_PIXELS { Err(TooBig("FRAME_PIXELS")) } else { self.counted() }
    }

    fn counted(&mut self) -> Result<(), TooBig> {
        self.objects += 1;
        if self.objects > limits::FRAME_OBJECTS { Err(TooBig("FRAME_OBJECTS")) } else { Ok(()) }
    }

    /// Finds a slot for an object that is sent next, and frees what is not needed when memory runs out.
    fn place(&mut self, id: ObjectId, bytes: u32, worth: Worth) -> Result<u16, TooBig> {
        let table = &mut *self.table;
        while table.bytes + u64::from(bytes) > table.budget_bytes
            && let Some(slot) = table.objects.unused(table.frame)
        {
            let before = table.objects.evict(slot);
            table.bytes -= before.map_or(0, |held| u64::from(held.bytes));
            self.undo.changes.push(Change { bank: None, slot, before });
            self.out.push(ops::EVICT);
            put_slot(&mut self.out, table.cursor, slot);
        }
        let slot = table.objects.place(table.frame, table.cursor).ok_or(TooBig("OBJECT_SLOTS"))?;
        if slot != table.cursor {
            self.out.push(ops::SEEK);
            put_varint(&mut self.out, slot.into());
        }
        let before = table.objects.put(slot, Held { id, bytes, worth, used: table.frame });
        table.bytes += u64::from(bytes);
        table.bytes -= before.map_or(0, |held| u64::from(held.bytes));
        table.cursor = (slot + 1) % limits::OBJECT_SLOTS as u16;
        self.undo.changes.push(Change { bank: None, slot, before });
        self.counted()?;
        Ok(slot)
    }
}

/// A command with a small number: four bits, or fifteen and the rest as a varint.
fn put_command(out: &mut Vec<u8>, command: u8, number: usize) {
    out.push(command | (number.min(15) as u8) << 4);
    if number >= 15 {
        put_varint(out, number as u64 - 15);
    }
}
