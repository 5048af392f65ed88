//! Nodes and their ops.

use std::fmt;
use std::sync::Arc;

use crate::canonical::{same_op, write_canonical};
use crate::{
    Color, FaceId, Field, Glyph, Insets, Label, Mask, Namer, ObjectId, Point, Rect, Scroll, Sprite, Touch,
    limits,
};

/// A glyph in a run. `kern_64` moves the pen before it is drawn, in 1/64 px.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedGlyph {
    /// What is drawn.
    pub glyph: Arc<Glyph>,
    /// Adjustment before it, in 1/64 px.
    pub kern_64: i32,
}

/// Glyphs of one face on one baseline.
#[derive(Clone, Debug)]
pub struct TextRun {
    /// Where the pen starts.
    pub baseline: Point,
    /// Their colour.
    pub color: Color,
    /// Their face; every glyph is of it.
    pub face: FaceId,
    /// Shared, because the same text is drawn by many.
    pub glyphs: Arc<[PlacedGlyph]>,
}

impl TextRun {
    /// Each glyph with the whole pixel its pen stands on: the pen is kept in 1/64 px and rounded half up.
    pub fn pens(&self) -> impl Iterator<Item = (Point, &Arc<Glyph>)> {
        let mut pen_64 = 0;
        self.glyphs.iter().map(move |placed| {
            pen_64 += placed.kern_64;
            let pen = Point::new(self.baseline.x + ((pen_64 + 32) >> 6), self.baseline.y);
            pen_64 += placed.glyph.advance_64();
            (pen, &placed.glyph)
        })
    }

    /// The text it draws.
    pub fn text(&self) -> String {
        self.glyphs.iter().map(|placed| placed.glyph.text()).collect()
    }
}

/// One step of drawing, or one way of touching. A session keeps hundreds: what is large and not of
/// most nodes is behind a pointer.
#[derive(Clone, Debug)]
pub enum Op {
    /// A rectangle of one colour.
    Fill {
        /// Where.
        rect: Rect,
        /// Which colour.
        color: Color,
    },
    /// A mask, tinted.
    Mask {
        /// Its top left corner.
        at: Point,
        /// The coverage.
        mask: Arc<Mask>,
        /// The tint.
        color: Color,
    },
    /// A mask stretched to `rect`: the corners given by `insets` are copied, the column and row after the left and top
    /// inset are repeated.
    NinePatch {
        /// Where.
        rect: Rect,
        /// The coverage; `insets.left + insets.right < w`, likewise vertically.
        mask: Arc<Mask>,
        /// What is not stretched.
        insets: Insets,
        /// The tint.
        color: Color,
    },
    /// A picture.
    Sprite {
        /// Its top left corner.
        at: Point,
        /// The picture.
        sprite: Arc<Sprite>,
    },
    /// Text.
    Text(TextRun),
    /// Another node, its origin at `at`.
    Child {
        /// Its origin.
        at: Point,
        /// The node.
        node: Arc<Node>,
    },
    /// Another node of which only what lies inside `rect` is drawn and touched.
    Clip {
        /// In this node's coordinates.
        rect: Rect,
        /// The child's origin.
        at: Point,
        /// The node.
        node: Arc<Node>,
    },
    /// Content that scrolls.
    Scroll(Scroll),
    /// An area that can be pressed. Of several under a finger the last one drawn counts.
    Touch(Box<Touch>),
    /// A text field.
    Field(Box<Field>),
    /// A name for assistive technology and tests.
    Label(Label),
}

impl From<Touch> for Op {
    fn from(touch: Touch) -> Self {
        Self::Touch(Box::new(touch))
    }
}

impl From<Field> for Op {
    fn from(field: Field) -> Self {
        Self::Field(Box::new(field))
    }
}

impl Op {
    /// The nodes that it refers to.
    pub fn children(&self) -> impl Iterator<Item = &Arc<Node>> {
        let child = match self {
            Self::Child { node, .. } | Self::Clip { node, .. } => Some(node),
            Self::Scroll(scroll) => Some(&scroll.content),
            Self::Touch(touch) => touch.pressed.as_ref(),
            _ => None,
        };
        child.into_iter()
    }

    /// Every pixel that it may touch, in its node's coordinates.
    pub fn bounds(&self) -> Rect {
        op_bounds(self)
    }

    /// Whether both draw and do the same.
    pub fn same(&self, other: &Self) -> bool {
        same_op(self, other)
    }
}

/// A list of ops with its name.
pub struct Node {
    id: ObjectId,
    key: u64,
    bounds: Rect,
    depth: usize,
    weight: usize,
    ops: Box<[Op]>,
}

impl Node {
    /// A node that draws `ops` in order.
    ///
    /// `key` says what the node *is* (the third row, the total), whatever it shows: the sender may code a node as a
    /// patch of the last one with the same key. 0: no such thing. It is no part of the name.
    pub fn new(namer: &Namer, key: u64, ops: Vec<Op>) -> Arc<Self> {
        assert!(ops.len() <= limits::NODE_OPS, "a node stays within its limit");
        let mut canonical = Vec::with_capacity(32 * ops.len() + 1);
        canonical.push(4);
        ops.iter().for_each(|op| write_canonical(op, &mut canonical));
        let bounds = ops.iter().fold(Rect::default(), |bounds, op| bounds.union(op_bounds(op)));
        let depth = 1 + ops.iter().flat_map(Op::children).map(|node| node.depth).max().unwrap_or(0);
        let weight =
            ops.iter().flat_map(Op::children).fold(ops.len(), |sum, node| sum.saturating_add(node.weight));
        Arc::new(Self { id: namer.name(&canonical), key, bounds, depth, weight, ops: ops.into() })
    }

    /// Its name.
    pub const fn id(&self) -> ObjectId {
        self.id
    }

    /// What it is; see [`Node::new`].
    pub const fn key(&self) -> u64 {
        self.key
    }

    /// Every pixel it may touch, in its own coordinates.
    pub const fn bounds(&self) -> Rect {
        self.bounds
    }

    /// Levels of nodes from here downwards, itself included.
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Ops that painting it visits, those of all children included.
    pub const fn weight(&self) -> usize {
        self.weight
    }

    /// Its ops, in order of drawing.
    pub const fn ops(&self) -> &[Op] {
        &self.ops
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Node {}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:?}, {} ops)", self.id, self.ops.len())
    }
}

/// Every pixel that an op may touch, in its node's coordinates.
fn op_bounds(op: &Op) -> Rect {
    match op {
        Op::Fill { rect, .. } | Op::NinePatch { rect, .. } => *rect,
        Op::Mask { at, mask, .. } => Rect::of_size(mask.size()).offset(*at),
        Op::Sprite { at, sprite } => Rect::of_size(sprite.size()).offset(*at),
        Op::Text(run) => run.pens().fold(Rect::default(), |all, (pen, glyph)| all.union(glyph.bounds(pen))),
        Op::Child { at, node } => node.bounds().offset(*at),
        Op::Clip { rect, at, node } => node.bounds().offset(*at).intersect(*rect),
        Op::Scroll(scroll) => scroll.rect,
        Op::Touch(touch) => touch.rect,
        Op::Field(field) => field.rect,
        Op::Label(label) => label.rect,
    }
}
