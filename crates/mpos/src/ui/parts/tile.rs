//! Tiles of products.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::{Action, Insets, Op, Point, Rect, Size, TouchState};
use tresen_typeset::Corners;

use super::{component, inputs_of};
use crate::ui::pen::Press;
use crate::ui::{Component, Ink, Inputs, Kit, Pen, Space, State, Type, Weight};

/// A product; see [`tile`].
#[derive(Clone, Debug, Hash)]
pub struct Tile {
    name: SmolStr,
    price: SmolStr,
    count: Option<SmolStr>,
    photo: Option<Picture>,
    state: State,
    action: Action,
    hold: Option<Action>,
}

/// An encoded picture, told from others by its name. It is decoded and scaled once for each size that it is shown at: whoever shows the same
/// tile shows the same node.
#[derive(Clone)]
pub struct Picture {
    name: [u8; 32],
    bytes: Arc<[u8]>,
}

impl Picture {
    /// A PNG, JPEG or WebP; equal names mean equal bytes.
    pub const fn new(name: [u8; 32], bytes: Arc<[u8]>) -> Self {
        Self { name, bytes }
    }
}

impl Hash for Picture {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} bytes)", self.bytes.len())
    }
}

/// A product called `name` that costs `price`.
pub fn tile(name: impl Into<SmolStr>, price: impl Into<SmolStr>, action: Action) -> Tile {
    let (name, price) = (name.into(), price.into());
    Tile { name, price, count: None, photo: None, state: State::Ready, action, hold: None }
}

impl Tile {
    /// How many are on the order: in a badge beside the price.
    pub fn count(self, count: impl Into<SmolStr>) -> Self {
        Self { count: Some(count.into()), ..self }
    }

    /// A picture above the name, as wide as the tile.
    pub fn photo(self, photo: Picture) -> Self {
        Self { photo: Some(photo), ..self }
    }

    /// Whether it can be ordered.
    pub fn state(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// What a long press sends.
    pub fn on_hold(self, hold: Action) -> Self {
        Self { hold: Some(hold), ..self }
    }
}

/// Height in dp, without a picture, and of what stands below one.
pub const TILE_HEIGHT: i32 = 84;
const CAPTION: i32 = 78;
/// A picture is this much wider than it is high.
const PHOTO: (i32, i32) = (8, 5);
const WISH: i32 = 104;
const RADIUS: i32 = 12;
const INSET: i32 = 10;
/// Diameter of the badge, in dp.
pub(super) const BADGE: i32 = 22;
/// The line of price and badge, in dp.
const FOOT: i32 = 20;

component!(Tile);

impl Component for Tile {
    inputs_of!("tile");

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        let width = space.clamp(kit.px(72), kit.px(WISH));
        let height = match self.photo {
            // Its column may be wider than it would like to be.
            Some(_) => match space {
                Space::Width(column) => photo_height(column) + kit.px(CAPTION),
                Space::Least | Space::Most => photo_height(width) + kit.px(CAPTION),
            },
            None => kit.px(TILE_HEIGHT),
        };
        Size::new(width, height)
    }

    fn footprint(&self, _: &Kit, out: &mut Inputs) {
        ("tile", self.photo.is_some()).hash(out);
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        let ready = self.state != State::Disabled;
        let fill = if ready { Ink::Card } else { Ink::Pressed };
        pen.outlined(area, RADIUS, Corners::All, fill, Ink::Line);
        let inset = pen.px(INSET);
        let within = match &self.photo {
            Some(photo) => {
                let height = photo_height(area.w).min(area.h - pen.px(CAPTION)).max(0);
                draw_photo(pen, photo, Rect { h: height, ..area });
                let gap = pen.px(6);
                let below = Rect::new(area.x, area.y + height + gap, area.w, area.h - height - gap);
                below.inset(Insets { left: inset, top: 0, right: inset, bottom: pen.px(8) })
            }
            None => area.inset(Insets::all(inset)),
        };
        let is_torn = self.name(pen, within, if ready { Ink::Text } else { Ink::Muted });
        self.foot(pen, within);
        let state = TouchState { selected: self.count.is_some(), disabled: !ready, pull: None };
        let label = is_torn.then(|| self.name.clone());
        let press = Press { hold: self.hold.clone(), label, state, ..Press::button(self.action.clone()) };
        pen.press(area, area, RADIUS, &press);
    }
}

/// Height of a tile with a photo at this width, in dp.
pub fn photo_tile_height(width: i32) -> i32 {
    photo_height(width) + CAPTION
}

/// Height of a photo on a tile of this width, in the same unit.
pub fn photo_height(width: i32) -> i32 {
    width * PHOTO.1 / PHOTO.0
}

/// Draws a picture in the middle of its place within the outline, round at the top as the tile is. One that can't be read leaves its place empty, and so
/// does one that is scaled later.
fn draw_photo(pen: &mut Pen<'_>, photo: &Picture, rect: Rect) {
    let hair = pen.hairline();
    let place = Rect::new(rect.x + hair, rect.y + hair, rect.w - 2 * hair, rect.h - hair);
    let radius = pen.px(RADIUS) - hair;
    if let Some(sprite) = pen.photo(&photo.bytes, place.size(), radius) {
        let (w, h) = (place.w - sprite.size().w, place.h - sprite.size().h);
        pen.op(Op::Sprite { at: Point::new(place.x + w / 2, place.y + h / 2), sprite });
    }
}

impl Tile {
    /// The name in as many lines as there are above the price. Smaller letters come before a broken word, and a broken
    /// word before a missing one. Returns whether it is not whole.
    fn name(&self, pen: &mut Pen<'_>, within: Rect, ink: Ink) -> bool {
        let room = within.h - pen.px(FOOT);
        let broken = |of: Type, line: i32| {
            let lines = ((room + pen.px(2)) / pen.px(line)).clamp(1, 3) as usize;
            (pen.wrap(&self.name, of, Weight::Medium, within.w, lines), pen.px(line))
        };
        let large = broken(Type::Body, 20);
        let small = broken(Type::Label, 15);
        let (name, line) = match (large.0.is_whole(), small.0.is_cut(), large.0.is_cut()) {
            (true, _, _) => large,
            (false, true, false) => large,
            (false, _, _) => small,
        };
        pen.paragraph(&name, within.x, within.y - pen.px(1), line, ink);
        !name.is_whole()
    }

    fn foot(&self, pen: &mut Pen<'_>, within: Rect) {
        let foot = pen.px(FOOT);
        let top = within.bottom() - foot + pen.px(2);
        let price = pen.shape(&self.price, Type::Label, Weight::Regular);
        pen.line(&price, within.x, top, foot, Ink::Muted);
        if let Some(count) = &self.count {
            let shaped = pen.shape(count, Type::Label, Weight::Semibold);
            let height = pen.px(BADGE);
            let width = (shaped.width() + pen.px(12)).max(height);
            let reach = pen.px(2);
            let place = Rect::new(within.right() + reach - width, top + (foot - height) / 2, width, height);
            pen.rounded(place, BADGE / 2, Corners::All, Ink::Accent);
            pen.line_centred(&shaped, place, Ink::OnAccent);
        }
    }
}
