//! Ops and nodes to bytes.

use tresen_scene::{
    Color, Field, Insets, Mask, ObjectId, Op, PlacedGlyph, Point, Rect, Scroll, TextRun, Touch, TouchState,
    limits as scene_limits,
};

use crate::banks::Banks;
use crate::bytes::{put_bytes, put_signed, put_varint};
use crate::colors::{ColorUndo, Colors};
use crate::limits;
use crate::ops::{self, FOURTH, Like, THIRD};
use crate::pool::Pool;

/// Where ops are written to, and what they may refer to: every object that they draw is in its slot already.
pub(crate) struct OpWriter<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) objects: &'a Pool,
    pub(crate) banks: &'a Banks,
    pub(crate) colors: &'a mut Colors,
    pub(crate) color_undo: &'a mut Vec<ColorUndo>,
    /// The slot that is being filled.
    pub(crate) cursor: u16,
    /// The limit that an op is beyond.
    pub(crate) beyond: Option<&'static str>,
}

/// A slot as its distance back from `cursor`: what was put last is near.
pub(crate) fn put_slot(out: &mut Vec<u8>, cursor: u16, slot: u16) {
    let slots = limits::OBJECT_SLOTS as u16;
    put_varint(out, u64::from((cursor + slots - 1 - slot) % slots));
}

impl OpWriter<'_> {
    /// An op by what differs from `like`.
    pub(crate) fn op(&mut self, op: &Op, like: Like<'_>) {
        match op {
            Op::Fill { rect, color } => {
                self.rect(ops::FILL, *rect, like.place);
                self.color(*color);
            }
            Op::Mask { at, mask, color } => {
                let same = match like.op {
                    Some(Op::Mask { mask: old, color: hue, .. }) => [old == mask, hue == color],
                    _ => [false; 2],
                };
                self.point(ops::MASK, *at, like.place, same);
                self.unless(same[0], |out| out.object(mask.id()));
                self.unless(same[1], |out| out.color(*color));
            }
            Op::NinePatch { rect, mask, insets, color } => {
                self.nine_patch(*rect, mask, *insets, *color, like)
            }
            Op::Sprite { at, sprite } => {
                let same = matches!(like.op, Some(Op::Sprite { sprite: old, .. }) if old == sprite);
                self.point(ops::SPRITE, *at, like.place, [same, true]);
                self.unless(same, |out| out.object(sprite.id()));
            }
            Op::Text(run) => self.text(run, like),
            Op::Child { at, node } => {
                let same = matches!(like.op, Some(Op::Child { node: old, .. }) if old == node);
                self.point(ops::CHILD, *at, like.place, [same, true]);
                self.unless(same, |out| out.object(node.id()));
            }
            Op::Clip { rect, at, node } => {
                let same = match like.op {
                    Some(Op::Clip { at: point, node: old, .. }) => [old == node, point == at],
                    _ => [false; 2],
                };
                self.rect(ops::CLIP, *rect, like.place);
                self.flags(same);
                self.unless(same[0], |out| out.object(node.id()));
                self.unless(same[1], |out| out.coordinates([at.x - rect.x, at.y - rect.y], [at.x, at.y]));
            }
            Op::Scroll(scroll) => self.scroll(scroll, like),
            Op::Touch(touch) => self.touch(touch, like),
            Op::Field(field) => self.field(field, like),
            Op::Label(label) => {
                let same = match like.op {
                    Some(Op::Label(old)) => [old.role == label.role, old.text == label.text],
                    _ => [false, label.text.is_none()],
                };
                self.rect(ops::LABEL, label.rect, like.place);
                self.flags(same);
                self.unless(same[0], |out| out.out.push(label.role as u8));
                self.unless(same[1], |out| out.optional_label(label.text.as_deref()));
            }
        }
    }

    fn nine_patch(&mut self, rect: Rect, mask: &Mask, insets: Insets, color: Color, like: Like<'_>) {
        let same = match like.op {
            Some(Op::NinePatch { mask: old, insets: margin, color: hue, .. }) => {
                [**old == *mask, *hue == color, *margin == insets]
            }
            _ => [false; 3],
        };
        self.rect(ops::NINE_PATCH, rect, like.place);
        self.flags(same);
        self.unless(same[0], |out| out.object(mask.id()));
        self.unless(same[1], |out| out.color(color));
        let Insets { left, top, right, bottom } = insets;
        self.unless(same[2], |out| out.coordinates([left, top, right, bottom], [left, top, right, bottom]));
    }

    fn scroll(&mut self, scroll: &Scroll, like: Like<'_>) {
        let same = match like.op {
            Some(Op::Scroll(old)) => [
                old.content == scroll.content,
                old.action == scroll.action,
                old.content_h == scroll.content_h,
                old.offset == scroll.offset,
            ],
            _ => [false; 4],
        };
        self.rect(ops::SCROLL, scroll.rect, like.place);
        self.flags(same);
        self.unless(same[0], |out| out.object(scroll.content.id()));
        self.unless(same[1], |out| put_bytes(out.out, scroll.action.bytes()));
        self.unless(same[2], |out| out.coordinates([scroll.content_h], [scroll.content_h]));
        self.unless(same[3], |out| out.coordinates([scroll.offset], [scroll.offset]));
    }

    fn field(&mut self, field: &Field, like: Like<'_>) {
        let same = match like.op {
            Some(Op::Field(old)) => [
                old.action == field.action,
                old.keyboard == field.keyboard,
                old.label == field.label,
                old.value == field.value,
            ],
            _ => [false; 4],
        };
        self.rect(ops::FIELD, field.rect, like.place);
        self.flags(same);
        self.unless(same[0], |out| put_bytes(out.out, field.action.bytes()));
        self.unless(same[1], |out| out.out.push(field.keyboard as u8));
        self.unless(same[2], |out| out.label(&field.label));
        self.unless(same[3], |out| out.label(&field.value));
    }

    fn touch(&mut self, touch: &Touch, like: Like<'_>) {
        let same = match like.op {
            Some(Op::Touch(old)) => [
                old.action == touch.action,
                old.hold == touch.hold,
                old.role == touch.role,
                old.label == touch.label,
                old.state == touch.state,
                old.pressed == touch.pressed,
            ],
            _ => [
                false,
                touch.hold.is_none(),
                false,
                touch.label.is_none(),
                touch.state == TouchState::default(),
                touch.pressed.is_none(),
            ],
        };
        self.rect(ops::TOUCH, touch.rect, like.place);
        self.flags(same);
        self.unless(same[0], |out| put_bytes(out.out, touch.action.bytes()));
        self.unless(same[1], |out| {
            out.out.push(u8::from(touch.hold.is_some()));
            touch.hold.iter().for_each(|hold| put_bytes(out.out, hold.bytes()));
        });
        self.unless(same[2], |out| out.out.push(touch.role as u8));
        self.unless(same[3], |out| out.optional_label(touch.label.as_deref()));
        self.unless(same[4], |out| out.out.push(touch.state.bits()));
        self.unless(same[5], |out| {
            out.out.push(u8::from(touch.pressed.is_some()));
            touch.pressed.iter().for_each(|node| out.object(node.id()));
        });
    }

    fn unless(&mut self, same: bool, write: impl FnOnce(&mut Self)) {
        if !same {
            write(self);
        }
    }

    fn color(&mut self, color: Color) {
        self.colors.put(self.out, color, self.color_undo);
    }

    fn text(&mut self, run: &TextRun, like: Like<'_>) {
        let old = if let Some(Op::Text(old)) = like.op { Some(old) } else { None };
        let same_color = old.is_some_and(|old| old.color == run.color);
        let kept = old.map_or((0, 0), |old| common_ends(old, run));
        let differs = kept.0 + kept.1 > 0;
        self.point(ops::TEXT, run.baseline, like.place, [same_color, !differs]);
        self.unless(same_color, |out| out.color(run.color));
        if run.glyphs.len() > scene_limits::RUN_GLYPHS {
            self.beyond = Some("RUN_GLYPHS");
        }
        let new = &run.glyphs[kept.0..run.glyphs.len() - kept.1];
        let kerned = u64::from(new.iter().any(|placed| placed.kern_64 != 0));
        if differs {
            let (front, back) = (kept.0.min(15) as u8, kept.1.min(15) as u8);
            self.out.push(front | back << 4);
            for kept in [kept.0, kept.1].into_iter().filter(|kept| *kept >= 15) {
                put_varint(self.out, kept as u64 - 15);
            }
            put_varint(self.out, (new.len() as u64) << 1 | kerned);
        } else {
            let same_face = old.is_some_and(|old| old.face == run.face);
            put_varint(self.out, (new.len() as u64) << 2 | u64::from(!same_face) << 1 | kerned);
            if !same_face {
                self.out.push(run.face.0);
            }
        }
        self.glyphs(run, new, kerned == 1);
    }

    fn glyphs(&mut self, run: &TextRun, glyphs: &[PlacedGlyph], kerned: bool) {
        let (out, beyond) = (&mut *self.out, &mut self.beyond);
        self.banks.slots(run.face, glyphs.iter().map(|placed| &*placed.glyph), |slot| match slot {
            Some(slot) => put_varint(out, slot.into()),
            None => *beyond = Some("GLYPH_SLOTS"),
        });
        if !kerned {
            return;
        }
        let kerns = glyphs.iter().enumerate().filter(|(_, placed)| placed.kern_64 != 0);
        put_varint(self.out, kerns.clone().count() as u64);
        let mut next = 0;
        for (at, placed) in kerns {
            if placed.kern_64.abs() > limits::ADVANCE_64 {
                self.beyond = Some("ADVANCE_64");
            }
            put_varint(self.out, (at - next) as u64);
            put_signed(self.out, placed.kern_64);
            next = at + 1;
        }
    }

    fn rect(&mut self, kind: u8, rect: Rect, like: Rect) {
        let parts = [rect.x, rect.y, rect.w, rect.h];
        self.check(&parts);
        let old = [like.x, like.y, like.w, like.h];
        let flags = (0..4).fold(0, |flags, at| flags | u8::from(parts[at] != old[at]) << at);
        self.out.push(kind | flags << 4);
        (0..4)
            .filter(|at| parts[*at] != old[*at])
            .for_each(|at| put_signed(self.out, parts[at].wrapping_sub(old[at])));
    }

    /// `same`: of the two other parts of an op with a point.
    fn point(&mut self, kind: u8, at: Point, like: Rect, same: [bool; 2]) {
        self.check(&[at.x, at.y]);
        let mut flags = u8::from(at.x != like.x) | u8::from(at.y != like.y) << 1;
        flags |= if same[0] { 0 } else { THIRD } | if same[1] { 0 } else { FOURTH };
        self.out.push(kind | flags << 4);
        if at.x != like.x {
            put_signed(self.out, at.x.wrapping_sub(like.x));
        }
        if at.y != like.y {
            put_signed(self.out, at.y.wrapping_sub(like.y));
        }
    }

    /// One byte: which parts differ.
    fn flags<const N: usize>(&mut self, same: [bool; N]) {
        self.out.push((0..N).fold(0, |flags, at| flags | u8::from(!same[at]) << at));
    }

    fn coordinates<const N: usize>(&mut self, coded: [i32; N], real: [i32; N]) {
        self.check(&real);
        coded.into_iter().for_each(|value| put_signed(self.out, value));
    }

    fn check(&mut self, values: &[i32]) {
        let most = scene_limits::COORDINATE_PX;
        if values.iter().any(|value| !(-most..=most).contains(value)) {
            self.beyond = Some("COORDINATE_PX");
        }
    }

    fn optional_label(&mut self, text: Option<&str>) {
        self.out.push(u8::from(text.is_some()));
        if let Some(text) = text {
            self.label(text);
        }
    }

    fn label(&mut self, text: &str) {
        if text.len() > scene_limits::LABEL_BYTES {
            self.beyond = Some("LABEL_BYTES");
        }
        put_bytes(self.out, text.as_bytes());
    }

    fn object(&mut self, id: ObjectId) {
        match self.objects.slot(id) {
            Some(slot) => put_slot(self.out, self.cursor, slot),
            None => self.beyond = Some("OBJECT_SLOTS"),
        }
    }
}

/// How many glyphs two runs have in common at their starts and ends; none when their faces differ.
fn common_ends(old: &TextRun, new: &TextRun) -> (usize, usize) {
    if old.face != new.face {
        return (0, 0);
    }
    let same = |(a, b): &(&PlacedGlyph, &PlacedGlyph)| a.kern_64 == b.kern_64 && a.glyph.id() == b.glyph.id();
    let front = old.glyphs.iter().zip(new.glyphs.iter()).take_while(same).count();
    let back =
        old.glyphs[front..].iter().rev().zip(new.glyphs[front..].iter().rev()).take_while(same).count();
    (front, back)
}
