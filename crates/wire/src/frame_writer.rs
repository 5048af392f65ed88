//! Turns a screen into the commands of a frame, and the mirror of the client's slots into what it is after them.

use std::sync::Arc;

use tresen_scene::{FaceId, Mask, Node, ObjectId, Op, Sprite, TextRun};

use crate::banks::{Brought, Unnumbered};
use crate::bytes::put_varint;
use crate::encode::{OpWriter, put_slot};
use crate::glyph_code::put_glyph;
use crate::limits;
use crate::mask_code::put_mask;
use crate::ops::{self, Seen};
use crate::patch::{diff, put_steps};
use crate::photo_code::put_photo;
use crate::pool::{Held, Worth};
use crate::server_table::{Change, ServerTable, TooBig, Undo};
use crate::sprite_code::put_sprite;

/// Why a frame was not written.
pub(crate) enum Stop {
    TooBig(TooBig),
    /// It is to be written anew, with a bank that is mirrored by itself.
    Unnumbered(Unnumbered),
}

impl From<TooBig> for Stop {
    fn from(limit: TooBig) -> Self {
        Self::TooBig(limit)
    }
}

impl From<Unnumbered> for Stop {
    fn from(face: Unnumbered) -> Self {
        Self::Unnumbered(face)
    }
}

/// The commands that give a client `root`, and how to take back what they changed in the table, also when they end early.
pub(crate) fn write_frame(table: &mut ServerTable, root: &Arc<Node>) -> (Result<Vec<u8>, Stop>, Undo) {
    let undo = table.now();
    let mut frame = FrameWriter { table, out: Vec::new(), undo, objects: 0, ops: 0, pixels: 0 };
    let placed = frame.node(root);
    let FrameWriter { table, mut out, undo, .. } = frame;
    let written = placed.and_then(|slot| {
        out.push(ops::ROOT);
        put_slot(&mut out, table.cursor, slot);
        out.extend(&root.id().0[..2]);
        let fits = out.len() <= limits::TO_CLIENT_BYTES - 16;
        if fits { Ok(out) } else { Err(TooBig("TO_CLIENT_BYTES").into()) }
    });
    (written, undo)
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
    fn node(&mut self, node: &Arc<Node>) -> Result<u16, Stop> {
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
            return Err(TooBig("FRAME_OPS").into());
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
            return Err(TooBig(limit).into());
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
    fn glyphs(&mut self, run: &TextRun) -> Result<(), Stop> {
        if usize::from(run.face.0) >= limits::FACES {
            return Err(TooBig("FACES").into());
        }
        let mut brought = Vec::new();
        let glyphs = run.glyphs.iter().map(|placed| &*placed.glyph);
        let there = self.table.banks.bring(run.face, glyphs, self.table.frame, &mut brought);
        for Brought { slot, bytes, before, .. } in &brought {
            self.table.bytes += u64::from(*bytes);
            self.table.bytes -= before.map_or(0, |held| u64::from(held.bytes));
            self.undo.changes.push(Change { bank: Some(run.face), slot: *slot, before: *before });
        }
        there?;
        for batch in brought.chunk_by(|one, two| one.slot + 1 == two.slot) {
            self.glyph_batch(run.face, batch)?;
        }
        Ok(())
    }

    fn glyph_batch(&mut self, face: FaceId, batch: &[Brought<'_>]) -> Result<(), TooBig> {
        let first = batch[0].slot;
        let cursor = self.table.banks.seek(face, first + batch.len() as u16);
        self.undo.bank_cursors.push((face, cursor));
        if cursor != first {
            self.out.extend([ops::SEEK_GLYPH, face.0]);
            put_varint(&mut self.out, first.into());
        }
        put_command(&mut self.out, ops::PUT_GLYPHS, batch.len());
        self.out.push(face.0);
        for Brought { glyph, .. } in batch {
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
