//! Ops and nodes to bytes.

use tresen_scene::{Op, PlacedGlyph, Point, Rect, TextRun, Touch, TouchState, limits as scene_limits};

use crate::bytes::{put_bytes, put_signed, put_varint};
use crate::colors::{ColorUndo, Colors};
use crate::limits;
use crate::ops::{self, FOURTH, Like, THIRD};
use crate::pool::Pool;

/// Where ops are written to, and what they may refer to: every object that they draw is in its slot already.
pub(crate) struct OpWriter<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) objects: &'a Pool,
    pub(crate) banks: &'a [Pool],
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
        match (op, like.op) {
            (Op::Fill { rect, color }, _) => {
                self.rect(ops::FILL, *rect, like.place);
                self.colors.put(self.out, *color, self.color_undo);
            }
            (Op::Mask { at, mask, color }, old) => {
                let (same_mask, same_color) = match old {
                    Some(Op::Mask { mask: old, color: hue, .. }) => (old.id() == mask.id(), hue == color),
                    _ => (false, false),
                };
                self.point(ops::MASK, *at, like.place, !same_mask, !same_color);
                if !same_mask {
                    self.object(mask.id());
                }
                if !same_color {
                    self.colors.put(self.out, *color, self.color_undo);
                }
            }
            (Op::NinePatch { rect, mask, insets, color }, old) => {
                let same = match old {
                    Some(Op::NinePatch { mask: old, insets: margin, color: hue, .. }) => {
                        [old.id() == mask.id(), hue == color, margin == insets]
                    }
                    _ => [false; 3],
                };
                self.rect(ops::NINE_PATCH, *rect, like.place);
                self.flags(same);
                if !same[0] {
                    self.object(mask.id());
                }
                if !same[1] {
                    self.colors.put(self.out, *color, self.color_undo);
                }
                if !same[2] {
                    for side in [insets.left, insets.top, insets.right, insets.bottom] {
                        put_signed(self.out, side);
                    }
                }
            }
            (Op::Sprite { at, sprite }, old) => {
                let same = matches!(old, Some(Op::Sprite { sprite: old, .. }) if old.id() == sprite.id());
                self.point(ops::SPRITE, *at, like.place, !same, false);
                if !same {
                    self.object(sprite.id());
                }
            }
            (Op::Text(run), old) => {
                let old = if let Some(Op::Text(old)) = old { Some(old) } else { None };
                self.text(run, old, like.place);
            }
            (Op::Child { at, node }, old) => {
                let same = matches!(old, Some(Op::Child { node: old, .. }) if old.id() == node.id());
                self.point(ops::CHILD, *at, like.place, !same, false);
                if !same {
                    self.object(node.id());
                }
            }
            (Op::Clip { rect, at, node }, old) => {
                let same = match old {
                    Some(Op::Clip { at: point, node: old, .. }) => [old.id() == node.id(), point == at, true],
                    _ => [false, false, true],
                };
                self.rect(ops::CLIP, *rect, like.place);
                self.flags(same);
                if !same[0] {
                    self.object(node.id());
                }
                if !same[1] {
                    self.coordinates([at.x - rect.x, at.y - rect.y], [at.x, at.y]);
                }
            }
            (Op::Scroll(scroll), old) => {
                let same = match old {
                    Some(Op::Scroll(old)) => [
                        old.content.id() == scroll.content.id(),
                        old.action == scroll.action,
                        old.content_h == scroll.content_h,
                        old.offset == scroll.offset,
                    ],
                    _ => [false; 4],
                };
                self.rect(ops::SCROLL, scroll.rect, like.place);
                self.flags(same);
                if !same[0] {
                    self.object(scroll.content.id());
                }
                if !same[1] {
                    put_bytes(self.out, scroll.action.bytes());
                }
                if !same[2] {
                    self.coordinates([scroll.content_h], [scroll.content_h]);
                }
                if !same[3] {
                    self.coordinates([scroll.offset], [scroll.offset]);
                }
            }
            (Op::Touch(touch), old) => {
                let old = if let Some(Op::Touch(old)) = old { Some(old) } else { None };
                self.touch(touch, old, like.place);
            }
            (Op::Field(field), old) => {
                let same = match old {
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
                if !same[0] {
                    put_bytes(self.out, field.action.bytes());
                }
                if !same[1] {
                    self.out.push(field.keyboard as u8);
                }
                if !same[2] {
                    self.label(&field.label);
                }
                if !same[3] {
                    self.label(&field.value);
                }
            }
            (Op::Label(label), old) => {
                let same = match old {
                    Some(Op::Label(old)) => [old.role == label.role, old.text == label.text],
                    _ => [false, label.text.is_none()],
                };
                self.rect(ops::LABEL, label.rect, like.place);
                self.flags(same);
                if !same[0] {
                    self.out.push(label.role as u8);
                }
                if !same[1] {
                    self.optional_label(label.text.as_deref());
                }
            }
        }
    }

    fn touch(&mut self, touch: &Touch, old: Option<&Touch>, place: Rect) {
        let pressed = |touch: &Touch| touch.pressed.as_ref().map(|node| node.id());
        let same = match old {
            Some(old) => [
                old.action == touch.action,
                old.hold == touch.hold,
                old.role == touch.role,
                old.label == touch.label,
                old.state == touch.state,
                pressed(old) == pressed(touch),
            ],
            None => [
                false,
                touch.hold.is_none(),
                false,
                touch.label.is_none(),
                touch.state == TouchState::default(),
                touch.pressed.is_none(),
            ],
        };
        self.rect(ops::TOUCH, touch.rect, place);
        self.flags(same);
        if !same[0] {
            put_bytes(self.out, touch.action.bytes());
        }
        if !same[1] {
            self.out.push(u8::from(touch.hold.is_some()));
            if let Some(hold) = &touch.hold {
                put_bytes(self.out, hold.bytes());
            }
        }
        if !same[2] {
            self.out.push(touch.role as u8);
        }
        if !same[3] {
            self.optional_label(touch.label.as_deref());
        }
        if !same[4] {
            self.out.push(u8::from(touch.state.selected) | u8::from(touch.state.disabled) << 1);
        }
        if !same[5] {
            self.out.push(u8::from(touch.pressed.is_some()));
            if let Some(node) = &touch.pressed {
                self.object(node.id());
            }
        }
    }

    fn text(&mut self, run: &TextRun, old: Option<&TextRun>, place: Rect) {
        let same_color = old.is_some_and(|old| old.color == run.color);
        let kept = old.map_or((0, 0), |old| common_ends(old, run));
        let differs = kept.0 + kept.1 > 0;
        self.point(ops::TEXT, run.baseline, place, !same_color, differs);
        if !same_color {
            self.colors.put(self.out, run.color, self.color_undo);
        }
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
        let Some(bank) = self.banks.get(usize::from(run.face.0)) else {
            self.beyond = Some("FACES");
            return;
        };
        for placed in glyphs {
            match bank.slot(placed.glyph.id()) {
                Some(slot) => put_varint(self.out, slot.into()),
                None => self.beyond = Some("GLYPH_SLOTS"),
            }
        }
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

    fn point(&mut self, kind: u8, at: Point, like: Rect, third: bool, fourth: bool) {
        self.check(&[at.x, at.y]);
        let mut flags = u8::from(at.x != like.x) | u8::from(at.y != like.y) << 1;
        flags |= if third { THIRD } else { 0 } | if fourth { FOURTH } else { 0 };
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

    fn object(&mut self, id: tresen_scene::ObjectId) {
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
