//! Text, icons, shapes and pictures, rasterised once on the server into scene objects.
//!
//! A [`Typesetter`] is shared by all instances of an edge server: a word that one handheld shows is shaped and rasterised
//! for all of them. It reads nothing but the fonts that are compiled in, so every build draws the same pixels.
//!
//! Not for: layout of screens and their colours (the UI kit of `tresen-mpos`), painting (`tresen-scene`).
//!
//! Invariants:
//! - equal arguments give equal objects, with equal names for equal namers;
//! - every cache is bounded by [`limits`]; dropping an entry costs time, never a different result;
//! - lengths are device pixels; only [`Scale`] knows of density-independent pixels (dp).

mod cache;
mod face;
mod headers;
mod icon;
mod image;
mod nodes;
mod photos;
mod scale;
mod shape;
mod shapes;
mod typesetter;
mod wrap;

pub use face::{Face, TextStyle, Weight};
pub use image::{ImageError, normal_photo};
pub use lucide_icons::Icon;
pub use nodes::Drawn;
pub use photos::{Scaled, Wanted};
pub use scale::Scale;
pub use shape::Shaped;
pub use shapes::{Corners, NinePatch};
pub use typesetter::{Spot, Typesetter};
pub use wrap::Paragraph;

/// Named limits of what is kept and of what is taken in.
pub mod limits {
    /// Shaped lines kept.
    pub const SHAPED: usize = 16_384;
    /// Broken paragraphs kept.
    pub const PARAGRAPHS: usize = 8_192;
    /// Glyphs kept.
    pub const GLYPHS: usize = 16_384;
    /// Masks of icons, rounded corners and shadows kept.
    pub const MASKS: usize = 2_048;
    /// Scaled photos kept, and nodes that show them.
    pub const SPRITES: usize = 256;
    /// Names of scaled photos that are remembered while somebody shows them, before those that nobody shows any more are forgotten.
    pub const SHOWN_SPRITES: usize = 1_024;
    /// What the scaled photos take that are kept, in bytes, and those that kept nodes show.
    pub const SPRITE_BYTES: usize = 64 << 20;
    /// Layouts kept, and what they take in bytes.
    pub const LAYOUTS: usize = 8_192;
    /// See [`LAYOUTS`].
    pub const LAYOUT_BYTES: usize = 8 << 20;
    /// Drawn components kept.
    pub const NODES: usize = 16_384;
    /// What the ops of components kept take that show no photos, in bytes.
    pub const NODE_BYTES: usize = 12 << 20;
    /// Drawn composites kept: without photos, and with them. What photos they show take at most [`SPRITE_BYTES`].
    pub const COMPOSITES: usize = 2_048;
    /// What the ops of composites kept take that show no photos, in bytes: counted for each, though most of their tiles are those of others, too.
    pub const COMPOSITE_BYTES: usize = 48 << 20;
    /// See [`COMPOSITES`].
    pub const PICTURED_COMPOSITES: usize = 256;
    /// Longest text that is shaped, in bytes; the rest is cut off at a character.
    pub const TEXT_BYTES: usize = 2_048;
    /// Largest encoded picture, in bytes.
    pub const IMAGE_BYTES: usize = 16 << 20;
    /// Largest width or height of a picture before it is scaled, in pixels.
    pub const IMAGE_SIDE_PX: u32 = 10_000;
    /// Most pixels of a picture before it is scaled: the largest that phones take today.
    pub const IMAGE_PIXELS: u64 = 50_000_000;
    /// Largest width or height of a photo that is kept, in pixels: the widest tile at the finest scale.
    pub const PHOTO_SIDE_PX: u32 = 512;
    /// What a photo that is kept takes at most, unless it is nothing but noise, in bytes.
    pub const PHOTO_BYTES: usize = 64 << 10;
    /// Most memory that decoding a picture may take, in bytes.
    pub const IMAGE_MEMORY_BYTES: u64 = 256 << 20;
}
