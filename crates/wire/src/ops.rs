//! What the coding of ops on both ends has in common.
//!
//! An op is coded by what differs from a *like*: in a node that is sent whole, the last op of its kind (and, for its place, the last
//! rectangle); in a patch, the op that it replaces. Layout of the first byte: `ffff kkkk`, k the kind, f flags by kind. Of ops with a rectangle the
//! flags say which of x, y, width, height follow as signed differences; of ops with a point, the first two do so for x and y.

use tresen_scene::{Op, Point, Rect};

use crate::DecodeError;

pub(crate) const FILL: u8 = 0;
pub(crate) const MASK: u8 = 1;
pub(crate) const NINE_PATCH: u8 = 2;
pub(crate) const SPRITE: u8 = 3;
pub(crate) const TEXT: u8 = 4;
pub(crate) const CHILD: u8 = 5;
pub(crate) const CLIP: u8 = 6;
pub(crate) const SCROLL: u8 = 7;
pub(crate) const TOUCH: u8 = 8;
pub(crate) const FIELD: u8 = 9;
pub(crate) const LABEL: u8 = 10;
/// Kinds of ops.
pub(crate) const KINDS: usize = 11;

/// Flags of ops with a point, after x and y.
pub(crate) const THIRD: u8 = 4;
pub(crate) const FOURTH: u8 = 8;

/// Commands of a frame; low four bits of their first byte, the high four are a small number.
pub(crate) const ROOT: u8 = 0;
pub(crate) const NODE: u8 = 1;
pub(crate) const PATCH: u8 = 2;
pub(crate) const PUT_MASK: u8 = 3;
pub(crate) const PUT_SPRITE: u8 = 4;
pub(crate) const PUT_GLYPHS: u8 = 5;
pub(crate) const SEEK: u8 = 6;
pub(crate) const SEEK_GLYPH: u8 = 7;
pub(crate) const EVICT: u8 = 8;
pub(crate) const PUT_PHOTO: u8 = 9;

/// Steps of a patch; low two bits of a varint, the rest is how many ops.
pub(crate) const KEEP: u64 = 0;
pub(crate) const CHANGE: u64 = 1;
pub(crate) const INSERT: u64 = 2;
pub(crate) const DROP: u64 = 3;

/// The kind of an op.
pub(crate) const fn kind(op: &Op) -> u8 {
    match op {
        Op::Fill { .. } => FILL,
        Op::Mask { .. } => MASK,
        Op::NinePatch { .. } => NINE_PATCH,
        Op::Sprite { .. } => SPRITE,
        Op::Text(_) => TEXT,
        Op::Child { .. } => CHILD,
        Op::Clip { .. } => CLIP,
        Op::Scroll(_) => SCROLL,
        Op::Touch(_) => TOUCH,
        Op::Field(_) => FIELD,
        Op::Label(_) => LABEL,
    }
}

/// Where an op is: its rectangle, or an empty one at its point.
pub(crate) const fn place(op: &Op) -> Rect {
    match op {
        Op::Fill { rect, .. } | Op::NinePatch { rect, .. } | Op::Clip { rect, .. } => *rect,
        Op::Scroll(scroll) => scroll.rect,
        Op::Touch(touch) => touch.rect,
        Op::Field(field) => field.rect,
        Op::Label(label) => label.rect,
        Op::Mask { at, .. } | Op::Sprite { at, .. } | Op::Child { at, .. } => at_point(*at),
        Op::Text(run) => at_point(run.baseline),
    }
}

const fn at_point(at: Point) -> Rect {
    Rect::new(at.x, at.y, 0, 0)
}

/// Whether ops of this kind have a rectangle.
pub(crate) const fn has_rect(kind: u8) -> bool {
    !matches!(kind, MASK | SPRITE | TEXT | CHILD)
}

/// What an op is coded against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Like<'a> {
    /// An op of the same kind.
    pub(crate) op: Option<&'a Op>,
    /// Where it might be.
    pub(crate) place: Rect,
}

impl<'a> Like<'a> {
    /// The op that is replaced.
    pub(crate) const fn replaced(op: &'a Op) -> Self {
        Self { op: Some(op), place: place(op) }
    }
}

/// What was coded so far in a node that is sent whole, or inserted in a patch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    last: [Option<u16>; KINDS],
    rect: Rect,
}

impl Seen {
    pub(crate) const fn nothing() -> Self {
        Self { last: [None; KINDS], rect: Rect::new(0, 0, 0, 0) }
    }

    /// What the next op of this kind is coded against; `ops` holds the ones that were noted.
    pub(crate) fn like<'a>(&self, ops: &'a [Op], kind: u8) -> Like<'a> {
        let op = self.last[usize::from(kind)].and_then(|index| ops.get(usize::from(index)));
        let place = match op {
            Some(op) if !has_rect(kind) => place(op),
            _ => self.rect,
        };
        Like { op, place }
    }

    /// Notes the op with this index.
    pub(crate) fn note(&mut self, index: usize, op: &Op) {
        let kind = kind(op);
        self.last[usize::from(kind)] = Some(index as u16);
        if has_rect(kind) {
            self.rect = place(op);
        }
    }
}

/// Memory that a node takes on a client, in bytes.
pub(crate) const fn node_bytes(ops: usize) -> u32 {
    (96 + 96 * ops) as u32
}

/// Memory that a bitmap takes on a client, in bytes.
pub(crate) const fn bitmap_bytes(w: i32, h: i32, bytes_per_pixel: u32) -> u32 {
    64 + w as u32 * h as u32 * bytes_per_pixel
}

/// A number that must be a tag of ours.
pub(crate) const fn unknown(what: &'static str, value: u8) -> DecodeError {
    DecodeError::Unknown { what, value }
}
