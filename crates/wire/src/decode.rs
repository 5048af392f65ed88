//! Ops and nodes from bytes.

use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::{
    Action, Color, FaceId, Field, Glyph, Insets, Keyboard, Label, Mask, Node, Op, PlacedGlyph, Point, Rect,
    Role, Scroll, Size, TextRun, Touch, TouchState, limits as scene_limits,
};

use crate::bytes::Reader;
use crate::client_table::ClientTable;
use crate::gallery::Gallery;
use crate::input::action;
use crate::ops::{self, FOURTH, Like, THIRD, unknown};
use crate::{DecodeError, limits};

/// Reads one op; what it draws is looked up in `table`, whose cursor is the slot that is being filled.
pub(crate) fn get_op(
    reader: &mut Reader<'_>,
    table: &mut ClientTable,
    first: u8,
    like: Like<'_>,
) -> Result<Op, DecodeError> {
    let flags = first >> 4;
    let kind = first & 15;
    let mut input = OpReader { reader, table, flags };
    match kind {
        ops::FILL => Ok(Op::Fill { rect: input.rect(like.place)?, color: input.color()? }),
        ops::MASK => input.mask(like),
        ops::NINE_PATCH => input.nine_patch(like),
        ops::SPRITE => {
            let at = input.point(like.place)?;
            let sprite = match like.op {
                Some(Op::Sprite { sprite, .. }) if flags & THIRD == 0 => sprite.clone(),
                _ => input.slot().and_then(|slot| input.table.sprite(slot))?,
            };
            Ok(Op::Sprite { at, sprite })
        }
        ops::TEXT => input.text(like),
        ops::CHILD => {
            let at = input.point(like.place)?;
            let node = match like.op {
                Some(Op::Child { node, .. }) if flags & THIRD == 0 => node.clone(),
                _ => input.node()?,
            };
            Ok(Op::Child { at, node })
        }
        ops::CLIP => input.clip(like),
        ops::SCROLL => input.scroll(like),
        ops::TOUCH => input.touch(like),
        ops::FIELD => input.field(like),
        ops::LABEL => input.label(like),
        value => Err(unknown("op", value)),
    }
}

struct OpReader<'a, 'b> {
    reader: &'a mut Reader<'b>,
    table: &'a mut ClientTable,
    flags: u8,
}

impl OpReader<'_, '_> {
    fn mask(&mut self, like: Like<'_>) -> Result<Op, DecodeError> {
        let at = self.point(like.place)?;
        let old = if let Some(Op::Mask { mask, color, .. }) = like.op { Some((mask, *color)) } else { None };
        let mask = self.either(THIRD, old.map(|old| old.0), Self::mask_object)?;
        let color = self.either(FOURTH, old.map(|old| old.1).as_ref(), Self::color)?;
        Ok(Op::Mask { at, mask, color })
    }

    fn nine_patch(&mut self, like: Like<'_>) -> Result<Op, DecodeError> {
        let rect = self.rect(like.place)?;
        self.flags = self.flag_byte(3)?;
        let old = match like.op {
            Some(Op::NinePatch { mask, color, insets, .. }) => Some((mask, *color, *insets)),
            _ => None,
        };
        let mask = self.either(1, old.map(|old| old.0), Self::mask_object)?;
        let color = self.either(2, old.map(|old| old.1).as_ref(), Self::color)?;
        let insets = self.either(4, old.map(|old| old.2).as_ref(), |input| {
            let mut side = || input.reader.signed();
            Ok(Insets { left: side()?, top: side()?, right: side()?, bottom: side()? })
        })?;
        // A painter takes the corners from the mask and repeats a column and a row between them.
        let side = 0..=scene_limits::BITMAP_SIDE_PX as i32;
        let Size { w, h } = mask.size();
        let fits =
            [insets.left, insets.top, insets.right, insets.bottom].iter().all(|inset| side.contains(inset))
                && insets.left + insets.right < w
                && insets.top + insets.bottom < h;
        if fits {
            Ok(Op::NinePatch { rect, mask, insets, color })
        } else {
            Err(DecodeError::OutOfRange("nine-patch insets"))
        }
    }

    fn text(&mut self, like: Like<'_>) -> Result<Op, DecodeError> {
        let baseline = self.point(like.place)?;
        let old = if let Some(Op::Text(run)) = like.op { Some(run) } else { None };
        let differs = self.flags & FOURTH != 0;
        let color = self.either(THIRD, old.map(|run| &run.color), Self::color)?;
        if !differs {
            let head = self.reader.count(scene_limits::RUN_GLYPHS << 2 | 3, "glyphs of a run")?;
            let face = self.face(head & 2 != 0, old)?;
            let glyphs = self.glyphs(face, head >> 2, head & 1 != 0)?;
            return Ok(Op::Text(TextRun { baseline, color, face, glyphs: glyphs.into() }));
        }
        let old = old.ok_or(DecodeError::Missing("the older text"))?;
        let ends = self.reader.u8()?;
        let front = self.end(ends & 15)?;
        let back = self.end(ends >> 4)?;
        let head = self.reader.count(scene_limits::RUN_GLYPHS << 1 | 1, "glyphs of a run")?;
        let count = head >> 1;
        if front + back > old.glyphs.len() || front + back + count > scene_limits::RUN_GLYPHS {
            return Err(DecodeError::OutOfRange("glyphs of a run"));
        }
        let new = self.glyphs(old.face, count, head & 1 != 0)?;
        let kept = old.glyphs.iter();
        let glyphs =
            kept.clone().take(front).cloned().chain(new).chain(kept.skip(old.glyphs.len() - back).cloned());
        Ok(Op::Text(TextRun { baseline, color, face: old.face, glyphs: glyphs.collect() }))
    }

    fn end(&mut self, small: u8) -> Result<usize, DecodeError> {
        match small {
            15 => Ok(15 + self.reader.count(scene_limits::RUN_GLYPHS, "glyphs of a run")?),
            _ => Ok(small.into()),
        }
    }

    fn face(&mut self, new: bool, old: Option<&TextRun>) -> Result<FaceId, DecodeError> {
        if !new {
            return old.map(|run| run.face).ok_or(DecodeError::Missing("the face of the text before"));
        }
        let face = self.reader.u8()?;
        if usize::from(face) < limits::FACES {
            Ok(FaceId(face))
        } else {
            Err(DecodeError::OutOfRange("face"))
        }
    }

    fn glyphs(&mut self, face: FaceId, count: usize, kerned: bool) -> Result<Vec<PlacedGlyph>, DecodeError> {
        // A glyph takes at least a byte.
        if count > self.reader.rest().len() {
            return Err(DecodeError::Truncated);
        }
        let mut glyphs = Vec::with_capacity(count);
        for _ in 0..count {
            let slot = self.reader.count(limits::GLYPH_SLOTS - 1, "glyph slot")?;
            glyphs.push(PlacedGlyph { glyph: self.table.glyph(face, slot)?, kern_64: 0 });
        }
        if kerned {
            let kerns = self.reader.count(count, "kerned glyphs")?;
            let mut next = 0;
            for _ in 0..kerns {
                let at = next + self.reader.count(scene_limits::RUN_GLYPHS, "kerned glyph")?;
                let placed = glyphs.get_mut(at).ok_or(DecodeError::OutOfRange("kerned glyph"))?;
                placed.kern_64 = within(self.reader.signed()?, limits::ADVANCE_64, "kerning")?;
                next = at + 1;
            }
        }
        Ok(glyphs)
    }

    fn clip(&mut self, like: Like<'_>) -> Result<Op, DecodeError> {
        let rect = self.rect(like.place)?;
        self.flags = self.flag_byte(3)?;
        let old = if let Some(Op::Clip { at, node, .. }) = like.op { Some((node, *at)) } else { None };
        let node = self.either(1, old.map(|old| old.0), Self::node)?;
        let at = self.either(2, old.map(|old| old.1).as_ref(), |input| {
            let (x, y) = (input.reader.signed()?, input.reader.signed()?);
            Ok(Point::new(coordinate(rect.x.wrapping_add(x))?, coordinate(rect.y.wrapping_add(y))?))
        })?;
        Ok(Op::Clip { rect, at, node })
    }

    fn scroll(&mut self, like: Like<'_>) -> Result<Op, DecodeError> {
        let rect = self.rect(like.place)?;
        self.flags = self.flag_byte(4)?;
        let old = if let Some(Op::Scroll(scroll)) = like.op { Some(scroll) } else { None };
        Ok(Op::Scroll(Scroll {
            rect,
            content: self.either(1, old.map(|old| &old.content), Self::node)?,
            action: self.either(2, old.map(|old| &old.action), Self::action)?,
            content_h: self
                .either(4, old.map(|old| &old.content_h), |input| coordinate(input.reader.signed()?))?,
            offset: self.either(8, old.map(|old| &old.offset), |input| coordinate(input.reader.signed()?))?,
        }))
    }

    fn touch(&mut self, like: Like<'_>) -> Result<Op, DecodeError> {
        let rect = self.rect(like.place)?;
        self.flags = self.flag_byte(6)?;
        let old = if let Some(Op::Touch(touch)) = like.op { Some(touch) } else { None };
        Ok(Op::from(Touch {
            rect,
            action: self.either(1, old.map(|old| &old.action), Self::action)?,
            hold: self
                .either(2, Some(old.map_or(&None, |old| &old.hold)), |input| input.optional(Self::action))?,
            role: self.either(4, old.map(|old| &old.role), Self::role)?,
            label: self.either(8, Some(old.map_or(&None, |old| &old.label)), |input| {
                input.optional(Self::text_label)
            })?,
            state: self.either(16, Some(&old.map_or(TouchState::default(), |old| old.state)), |input| {
                let bits = input.reader.u8()?;
                TouchState::from_bits(bits).ok_or(unknown("touch state", bits))
            })?,
            pressed: self.either(32, Some(old.map_or(&None, |old| &old.pressed)), |input| {
                input.optional(Self::node)
            })?,
        }))
    }

    fn field(&mut self, like: Like<'_>) -> Result<Op, DecodeError> {
        let rect = self.rect(like.place)?;
        self.flags = self.flag_byte(4)?;
        let old = if let Some(Op::Field(field)) = like.op { Some(field) } else { None };
        Ok(Op::from(Field {
            rect,
            action: self.either(1, old.map(|old| &old.action), Self::action)?,
            keyboard: self.either(2, old.map(|old| &old.keyboard), |input| match input.reader.u8()? {
                0 => Ok(Keyboard::Text),
                1 => Ok(Keyboard::Digits),
                2 => Ok(Keyboard::Search),
                value => Err(unknown("keyboard", value)),
            })?,
            label: self.either(4, old.map(|old| &old.label), Self::text_label)?,
            value: self.either(8, old.map(|old| &old.value), Self::text_label)?,
        }))
    }

    fn label(&mut self, like: Like<'_>) -> Result<Op, DecodeError> {
        let rect = self.rect(like.place)?;
        self.flags = self.flag_byte(2)?;
        let old = if let Some(Op::Label(label)) = like.op { Some(label) } else { None };
        Ok(Op::Label(Label {
            rect,
            role: self.either(1, old.map(|old| &old.role), Self::role)?,
            text: self.either(2, Some(old.map_or(&None, |old| &old.text)), |input| {
                input.optional(Self::text_label)
            })?,
        }))
    }

    /// A part: read when `flag` is set, else that of the older op.
    fn either<T: Clone>(
        &mut self,
        flag: u8,
        old: Option<&T>,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.flags & flag != 0 {
            read(self)
        } else {
            old.cloned().ok_or(DecodeError::Missing("the older op"))
        }
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.reader.u8()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            value => Err(unknown("kind of optional part", value)),
        }
    }

    fn flag_byte(&mut self, flags: u32) -> Result<u8, DecodeError> {
        let byte = self.reader.u8()?;
        if u32::from(byte) < 1 << flags { Ok(byte) } else { Err(unknown("parts of an op", byte)) }
    }

    fn rect(&mut self, like: Rect) -> Result<Rect, DecodeError> {
        let old = [like.x, like.y, like.w, like.h];
        let mut parts = old;
        for (at, part) in parts.iter_mut().enumerate() {
            if self.flags & 1 << at != 0 {
                *part = coordinate(part.wrapping_add(self.reader.signed()?))?;
            }
        }
        let [x, y, w, h] = parts;
        Ok(Rect::new(x, y, w, h))
    }

    fn point(&mut self, like: Rect) -> Result<Point, DecodeError> {
        let mut at = like.origin();
        if self.flags & 1 != 0 {
            at.x = coordinate(at.x.wrapping_add(self.reader.signed()?))?;
        }
        if self.flags & 2 != 0 {
            at.y = coordinate(at.y.wrapping_add(self.reader.signed()?))?;
        }
        Ok(at)
    }

    fn color(&mut self) -> Result<Color, DecodeError> {
        self.table.color(self.reader)
    }

    fn action(&mut self) -> Result<Action, DecodeError> {
        action(self.reader)
    }

    fn text_label(&mut self) -> Result<SmolStr, DecodeError> {
        self.reader.text(scene_limits::LABEL_BYTES, "label").map(SmolStr::from)
    }

    fn role(&mut self) -> Result<Role, DecodeError> {
        const ROLES: [Role; 10] = [
            Role::Button,
            Role::Tab,
            Role::ListItem,
            Role::Heading,
            Role::Text,
            Role::Status,
            Role::Image,
            Role::Key,
            Role::Shared,
            Role::Viewer,
        ];
        let value = self.reader.u8()?;
        ROLES.get(usize::from(value)).copied().ok_or(unknown("role", value))
    }

    fn slot(&mut self) -> Result<usize, DecodeError> {
        self.table.slot(self.reader)
    }

    fn node(&mut self) -> Result<Arc<Node>, DecodeError> {
        let slot = self.slot()?;
        self.table.node(slot)
    }

    fn mask_object(&mut self) -> Result<Arc<Mask>, DecodeError> {
        let slot = self.slot()?;
        self.table.mask(slot)
    }
}

/// A glyph of `face`.
pub(crate) fn get_glyph(
    reader: &mut Reader<'_>,
    namer: &tresen_scene::Namer,
    face: FaceId,
    pixels: &mut usize,
    gallery: Option<&Gallery>,
) -> Result<Arc<Glyph>, DecodeError> {
    let first = reader.u8()?;
    let bytes = if first < 0x80 { vec![first] } else { reader.take(usize::from(first & 0x7f))?.to_vec() };
    if bytes.len() > limits::GLYPH_TEXT_BYTES {
        return Err(DecodeError::TooLarge("GLYPH_TEXT_BYTES"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| DecodeError::NotText("glyph"))?;
    let advance_64 = within(reader.signed()?, limits::ADVANCE_64, "advance")?;
    let bearing = Point::new(coordinate(reader.signed()?)?, coordinate(reader.signed()?)?);
    let mask = crate::mask_code::get_mask(reader, namer, pixels, gallery)?;
    Ok(Glyph::new(namer, face, text.into(), advance_64, bearing, mask))
}

fn coordinate(value: i32) -> Result<i32, DecodeError> {
    within(value, scene_limits::COORDINATE_PX, "coordinate")
}

fn within(value: i32, most: i32, what: &'static str) -> Result<i32, DecodeError> {
    if (-most..=most).contains(&value) { Ok(value) } else { Err(DecodeError::OutOfRange(what)) }
}
