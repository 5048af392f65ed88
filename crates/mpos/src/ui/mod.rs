//! The UI kit: a screen is described as a tree of elements and becomes a tree of drawing nodes.
//!
//! Lengths are whole density-independent pixels (dp); colours are tokens ([`Ink`]); text comes in the sizes of [`Type`].
//! [`render`] lays the tree out (taffy), draws it, and cuts it into nodes so that a changed row, tile or total changes few
//! small ones. What looks the same and does the same is drawn once for all instances of a server.
//!
//! Not for: what a screen says or does; that is `view` and `update`.
//!
//! Invariants:
//! - `render` is a pure function of the kit's theme and scale, the size and the elements; with [`Developing::Later`] also of which photos were
//!   scaled before;
//! - everything that can be pressed has a role, a name, a pressed look, and is at least [`MIN_TARGET`] dp each way;
//! - an amount never wraps and is never cut.

mod component;
mod developing;
mod draw;
mod element;
mod footprint;
mod layout;
mod parts;
mod pen;
mod place;
mod style;
mod surface;
mod theme;
mod typography;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use component::{Component, Composite, Inputs, Space, Symbol};
pub use developing::{Developing, Missing};
pub use element::{
    Align, Element, Justify, Selected, State, apart, column, divider, grid, modal, row, scroll, sheet,
    spacer, stack, toast_over,
};
pub use parts::{
    Amount, Avatar, Badge, Button, Chip, Choice, Doubt, Field, Header, IconButton, IconPart, Key, ListRow,
    Paper, PaperAlign, PaperLine, PaperStyle, Picture, PinDots, RowLook, TILE_HEIGHT, TableLook, TableTile,
    Text, TextAlign, Tile, Toast, Tone, amount, avatar, badge, button, chip, chips, choice, field, header,
    icon, icon_button, key, keypad, list_row, paper, photo_height, photo_tile_height, pin_dots, stepper,
    table_tile, text, tile, toast,
};
pub use pen::Pen;
pub use place::Place;
pub use surface::Surface;
pub use theme::{Ink, Theme};
pub use tresen_typeset::{Icon, Scale, Weight};
pub use typography::Type;

use tresen_scene::{Node, Size};
use tresen_typeset::Typesetter;

/// Below this height, a screen that is wider than high is a phone held sideways, in dp.
pub const SIDEWAYS: i32 = 480;
/// Smallest side of anything that can be pressed, in dp.
pub const MIN_TARGET: i32 = 48;
/// Height of the bar at the top, in dp.
pub const BAR: i32 = 56;
/// Height of a row of a list, in dp.
pub const ROW: i32 = 48;
/// Height of the buttons at the bottom, in dp.
pub const ACTION: i32 = 56;
/// Height of a key of a keypad, in dp.
pub const KEY: i32 = 64;
/// Space between a screen's edge and what stands on it, in dp.
pub const EDGE: i32 = 16;
/// Space between tiles, in dp.
pub const GAP: i32 = 8;

/// What drawing needs to know besides the elements.
#[derive(Clone, Debug)]
pub struct Kit {
    /// Shared by all instances.
    pub typesetter: Arc<Typesetter>,
    /// Light or dark.
    pub theme: Theme,
    /// Device pixels a dp.
    pub scale: Scale,
    /// Whether amounts that others may change are told to the client.
    pub marks: Marks,
    /// When photos are scaled that nobody has scaled yet.
    pub developing: Developing,
    /// For whom is drawn; told with the marks.
    pub viewer: Option<u32>,
}

/// Whether a screen says which of its amounts others may change, and for whom it is drawn. Only a client that shows guesses has a use for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Marks {
    /// It does not.
    #[default]
    Left,
    /// It does.
    Told,
}

impl Kit {
    /// A kit that draws with `typesetter`.
    pub const fn new(typesetter: Arc<Typesetter>, theme: Theme, scale: Scale) -> Self {
        Self { typesetter, theme, scale, marks: Marks::Left, developing: Developing::AtOnce, viewer: None }
    }

    /// The same, with marks or without.
    #[must_use]
    pub fn marking(self, marks: Marks) -> Self {
        Self { marks, ..self }
    }

    /// The same, for this person.
    #[must_use]
    pub fn seen_by(self, viewer: Option<u32>) -> Self {
        Self { viewer, ..self }
    }

    /// The same, with another way to come by photos.
    #[must_use]
    pub fn developing(self, developing: Developing) -> Self {
        Self { developing, ..self }
    }

    /// `dp` in device pixels.
    pub fn px(&self, dp: i32) -> i32 {
        self.scale.px(dp as f32)
    }

    /// A screen's size in dp, rounded down: what a view decides its layout by.
    pub fn size_dp(&self, size_px: Size) -> Size {
        let dp = |px: i32| px * 100 / i32::from(self.scale.hundredths());
        Size::new(dp(size_px.w), dp(size_px.h))
    }
}

/// Draws `root` on a screen of `size_px` device pixels.
pub fn render(kit: &Kit, size_px: Size, root: Element) -> Arc<Node> {
    layout::screen(kit, size_px, &root)
}
