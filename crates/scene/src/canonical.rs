//! The bytes that name a node.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::{Op, PlacedGlyph, Rect};

fn put_i32(out: &mut Vec<u8>, values: &[i32]) {
    values.iter().for_each(|value| out.extend(value.to_le_bytes()));
}

fn put_rect(out: &mut Vec<u8>, rect: Rect) {
    put_i32(out, &[rect.x, rect.y, rect.w, rect.h]);
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}

fn put_text(out: &mut Vec<u8>, text: Option<&SmolStr>) {
    out.push(u8::from(text.is_some()));
    put_bytes(out, text.map_or(b"", |text| text.as_bytes()));
}

/// Appends the bytes that name an op: a tag, then each part in the order of its declaration.
pub(crate) fn write_canonical(op: &Op, out: &mut Vec<u8>) {
    match op {
        Op::Fill { rect, color } => {
            out.push(1);
            put_rect(out, *rect);
            out.extend(color.bytes());
        }
        Op::Mask { at, mask, color } => {
            out.push(2);
            put_i32(out, &[at.x, at.y]);
            out.extend(mask.id().0);
            out.extend(color.bytes());
        }
        Op::NinePatch { rect, mask, insets, color } => {
            out.push(3);
            put_rect(out, *rect);
            out.extend(mask.id().0);
            put_i32(out, &[insets.left, insets.top, insets.right, insets.bottom]);
            out.extend(color.bytes());
        }
        Op::Sprite { at, sprite } => {
            out.push(4);
            put_i32(out, &[at.x, at.y]);
            out.extend(sprite.id().0);
        }
        Op::Text(run) => {
            out.push(5);
            put_i32(out, &[run.baseline.x, run.baseline.y]);
            out.extend(run.color.bytes());
            out.push(run.face.0);
            out.extend((run.glyphs.len() as u32).to_le_bytes());
            for placed in run.glyphs.iter() {
                out.extend(placed.glyph.id().0);
                put_i32(out, &[placed.kern_64]);
            }
        }
        Op::Child { at, node } => {
            out.push(6);
            put_i32(out, &[at.x, at.y]);
            out.extend(node.id().0);
        }
        Op::Clip { rect, at, node } => {
            out.push(7);
            put_rect(out, *rect);
            put_i32(out, &[at.x, at.y]);
            out.extend(node.id().0);
        }
        Op::Scroll(_) | Op::Touch(_) | Op::Field(_) | Op::Label(_) => write_interaction(op, out),
    }
}

fn write_interaction(op: &Op, out: &mut Vec<u8>) {
    match op {
        Op::Scroll(scroll) => {
            out.push(8);
            put_rect(out, scroll.rect);
            put_bytes(out, scroll.action.bytes());
            out.extend(scroll.content.id().0);
            put_i32(out, &[scroll.content_h, scroll.offset]);
        }
        Op::Touch(touch) => {
            out.push(9);
            put_rect(out, touch.rect);
            put_bytes(out, touch.action.bytes());
            out.push(u8::from(touch.hold.is_some()));
            put_bytes(out, touch.hold.as_ref().map_or(b"", |hold| hold.bytes()));
            out.push(touch.role as u8);
            put_text(out, touch.label.as_ref());
            out.push(touch.state.bits());
            out.extend(touch.pressed.as_ref().map_or([0; 16], |node| node.id().0));
        }
        Op::Field(field) => {
            out.push(10);
            put_rect(out, field.rect);
            put_bytes(out, field.action.bytes());
            out.push(field.keyboard as u8);
            put_text(out, Some(&field.label));
            put_text(out, Some(&field.value));
        }
        Op::Label(label) => {
            out.push(11);
            put_rect(out, label.rect);
            out.push(label.role as u8);
            put_text(out, label.text.as_ref());
        }
        Op::Fill { .. }
        | Op::Mask { .. }
        | Op::NinePatch { .. }
        | Op::Sprite { .. }
        | Op::Text(_)
        | Op::Child { .. }
        | Op::Clip { .. } => unreachable!("what only draws is written by its caller"),
    }
}

/// Whether two ops have the same canonical bytes, without writing them.
pub(crate) fn same_op(one: &Op, other: &Op) -> bool {
    match (one, other) {
        (Op::Fill { rect: a, color: b }, Op::Fill { rect: c, color: d }) => (a, b) == (c, d),
        (Op::Mask { at, mask, color }, Op::Mask { at: place, mask: shape, color: tint }) => {
            (at, mask, color) == (place, shape, tint)
        }
        (
            Op::NinePatch { rect, mask, insets, color },
            Op::NinePatch { rect: r, mask: m, insets: i, color: c },
        ) => (rect, mask, insets, color) == (r, m, i, c),
        (Op::Sprite { at, sprite }, Op::Sprite { at: place, sprite: picture }) => {
            (at, sprite) == (place, picture)
        }
        (Op::Text(a), Op::Text(b)) => {
            (a.baseline, a.color, a.face) == (b.baseline, b.color, b.face)
                && same_glyphs(&a.glyphs, &b.glyphs)
        }
        (Op::Child { at, node }, Op::Child { at: place, node: child }) => (at, node) == (place, child),
        (Op::Clip { rect, at, node }, Op::Clip { rect: r, at: place, node: child }) => {
            (rect, at, node) == (r, place, child)
        }
        (Op::Scroll(a), Op::Scroll(b)) => a == b,
        (Op::Touch(a), Op::Touch(b)) => a == b,
        (Op::Field(a), Op::Field(b)) => a == b,
        (Op::Label(a), Op::Label(b)) => a == b,
        _ => false,
    }
}

fn same_glyphs(one: &Arc<[PlacedGlyph]>, other: &Arc<[PlacedGlyph]>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}
