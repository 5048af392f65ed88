//! What is drawn once for all who show the same: a component draws itself, a composite is made of other elements.

use std::hash::Hasher;

use tresen_scene::Size;
use tresen_typeset::Icon;

use super::{Element, Kit, Pen};

/// Something that draws itself. What it draws depends on nothing but its [`inputs`](Component::inputs), its size and the
/// kit's theme and scale.
pub trait Component {
    /// Everything that it looks like and does; by this, drawn nodes are found again. Starts with a name of the type.
    fn inputs(&self, inputs: &mut Inputs);

    /// The size in pixels that it would like.
    fn measure(&self, kit: &Kit, space: Space) -> Size;

    /// Everything that its size depends on, in every space: what [`measure`](Component::measure) looks at.
    fn footprint(&self, _: &Kit, out: &mut Inputs) {
        self.inputs(out);
    }

    /// Draws it within `pen.size()`.
    fn draw(&self, pen: &mut Pen<'_>);
}

/// A part of a screen that is the same on many screens: its elements are made only when nobody has drawn them yet. They depend on nothing but its
/// [`inputs`](Composite::inputs) and the kit.
pub trait Composite {
    /// Everything that it looks like and does; by this, its drawn node is found again. Starts with a name of the type.
    fn inputs(&self, inputs: &mut Inputs);

    /// Everything that the size of its elements depends on, in every space.
    fn footprint(&self, out: &mut Inputs);

    /// Its elements.
    fn compose(&self, kit: &Kit) -> Element;
}

/// The width that a component may have, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// As little as it can live with.
    Least,
    /// As much as it likes.
    Most,
    /// This much, or less.
    Width(i32),
}

impl Space {
    /// `wish`, or `least`, or what is there.
    pub fn clamp(self, least: i32, wish: i32) -> i32 {
        match self {
            Self::Least => least,
            Self::Most => wish,
            Self::Width(width) => wish.min(width).max(least),
        }
    }
}

/// The bytes of a component's inputs: what a `derive(Hash)` writes.
#[derive(Debug, Default)]
pub struct Inputs(Vec<u8>);

impl Inputs {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Hasher for Inputs {
    fn finish(&self) -> u64 {
        let fold = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.0.iter().fold(0xcbf2_9ce4_8422_2325, fold)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// An icon that can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Symbol(pub Icon);

impl std::hash::Hash for Symbol {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u32(u32::from(self.0.unicode()));
    }
}
