//! What a screen is: a content-addressed tree of drawing nodes.
//!
//! A [`Node`] is a short list of [`Op`]s in its own coordinates (device pixels). Its name, [`ObjectId`], is the keyed
//! hash of its canonical bytes; children, masks, sprites and glyphs enter those bytes by their own names, so equal names
//! mean equal pixels and equal behaviour all the way down.
//!
//! Not for: layout and text (crate `tresen-typeset` makes nodes), bytes on a wire (`tresen-wire`), sessions.
//!
//! Invariants:
//! - objects never change after they are made; they are shared by `Arc`;
//! - painting needs integer arithmetic only, so every client shows the same pixels;
//! - nothing here reads a clock, a file, a socket or randomness.

mod canonical;
mod cover;
mod damage;
mod geometry;
mod hit;
mod id;
mod interact;
mod node;
mod object;
pub mod photo;
mod raster;
mod scroll;

pub use cover::covers;
pub use damage::{add_damage, damage};
pub use geometry::{Insets, Point, Rect, Size};
pub use hit::{Hit, OutlineItem, OutlineKind, hit_test, offers, outline, touches};
pub use id::{Namer, ObjectId};
pub use interact::{Action, Field, Keyboard, Label, Pull, Role, Scroll, Touch, TouchState};
pub use node::{Node, Op, PlacedGlyph, TextRun};
pub use object::{Color, FaceId, Glyph, Mask, Sprite};
pub use photo::Photo;
pub use raster::{Canvas, Pressed, window_pixel};
pub use scroll::ScrollOffsets;

/// Named limits of a scene. A decoder refuses what lies beyond them; a builder asserts.
pub mod limits {
    /// Longest action in bytes.
    pub const ACTION_BYTES: usize = 64;
    /// Longest label or field value in bytes.
    pub const LABEL_BYTES: usize = 512;
    /// Ops of one node.
    pub const NODE_OPS: usize = 4096;
    /// Glyphs of one text run.
    pub const RUN_GLYPHS: usize = 512;
    /// Largest coordinate or extent in pixels, either sign.
    pub const COORDINATE_PX: i32 = 1 << 20;
    /// Largest width or height of a mask or sprite in pixels.
    pub const BITMAP_SIDE_PX: u32 = 4096;
    /// Deepest nesting of nodes.
    pub const DEPTH: usize = 24;
    /// Ops that painting one root may visit.
    pub const ROOT_WEIGHT: usize = 1 << 18;
    /// Rectangles of one damage list.
    pub const DAMAGE_RECTS: usize = 16;
}
