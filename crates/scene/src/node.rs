//! Nodes and their ops.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::{Color, FaceId, Glyph, Insets, Mask, Namer, ObjectId, Point, Rect, Sprite, limits};

/// What a touch area means to the server: bytes that a client only echoes. At most [`limits::ACTION_BYTES`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Action(Arc<[u8]>);

impl Action {
    /// An action of these bytes.
    ///
    /// # Panics
    /// Beyond [`limits::ACTION_BYTES`].
    pub fn new(bytes: &[u8]) -> Self {
        assert!(bytes.len() <= limits::ACTION_BYTES, "an action stays within its limit");
        Self(bytes.into())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({:02x?})", &self.0)
    }
}

/// What an area is to assistive technology and to tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Something to press.
    Button = 0,
    /// One of several views.
    Tab = 1,
    /// An entry of a list.
    ListItem = 2,
    /// A heading.
    Heading = 3,
    /// Text that is read.
    Text = 4,
    /// Text that is announced when it changes.
    Status = 5,
    /// A picture.
    Image = 6,
    /// A key of a keypad.
    Key = 7,
}

/// The state of a touch area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TouchState {
    /// Chosen among its peers.
    pub selected: bool,
    /// Shown, but does nothing.
    pub disabled: bool,
}

/// An area that can be pressed.
#[derive(Clone, Debug)]
pub struct Touch {
    /// Where.
    pub rect: Rect,
    /// What a tap sends.
    pub action: Action,
    /// What a long press sends, if anything else than a tap.
    pub hold: Option<Action>,
    /// What it is.
    pub role: Role,
    /// Its name; `None` when the text drawn inside `rect` says it.
    pub label: Option<SmolStr>,
    /// Its state.
    pub state: TouchState,
    /// Drawn over the node, at the origin of `rect`, while it is pressed.
    pub pressed: Option<Arc<Node>>,
}

/// A viewport onto content that the client scrolls vertically by itself.
#[derive(Clone, Debug)]
pub struct Scroll {
    /// The viewport.
    pub rect: Rect,
    /// Its identity across frames, and what the client sends with its offset when it comes to rest.
    pub action: Action,
    /// What is scrolled, drawn at `(rect.x, rect.y - offset)`.
    pub content: Arc<Node>,
    /// Height of the content in pixels.
    pub content_h: i32,
    /// Offset that the server wishes, in pixels; the client's own one holds as long as this does not change.
    pub offset: i32,
}

/// The keyboard that a text field asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Keyboard {
    /// Letters.
    Text = 0,
    /// Digits.
    Digits = 1,
    /// Letters with a search key.
    Search = 2,
}

/// A text field. The client edits; the server draws.
#[derive(Clone, Debug)]
pub struct Field {
    /// Where.
    pub rect: Rect,
    /// What a change sends, with the text.
    pub action: Action,
    /// The keyboard it wants.
    pub keyboard: Keyboard,
    /// Its name.
    pub label: SmolStr,
    /// The text that the server knows.
    pub value: SmolStr,
}

/// A name for something that is not pressed.
#[derive(Clone, Debug)]
pub struct Label {
    /// Where.
    pub rect: Rect,
    /// What it is.
    pub role: Role,
    /// Its name; `None` when the text drawn inside `rect` says it.
    pub text: Option<SmolStr>,
}

/// A glyph in a run. `kern_64` moves the pen before it is drawn, in 1/64 px.
#[derive(Clone, Debug)]
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

/// One step of drawing, or one way of touching.
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
    Touch(Touch),
    /// A text field.
    Field(Field),
    /// A name for assistive technology and tests.
    Label(Label),
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
        let (mut one, mut two) = (Vec::with_capacity(64), Vec::with_capacity(64));
        write_canonical(self, &mut one);
        write_canonical(other, &mut two);
        one == two
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
fn write_canonical(op: &Op, out: &mut Vec<u8>) {
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
            out.push(u8::from(touch.state.selected) | u8::from(touch.state.disabled) << 1);
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
    }
}
