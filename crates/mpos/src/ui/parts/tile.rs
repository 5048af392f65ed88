//! Tiles of products.

use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::{Action, Insets, Op, Point, Rect, Size, Sprite, TouchState};
use tresen_typeset::Corners;

use super::{component, inputs_of};
use crate::ui::pen::Press;
use crate::ui::{Component, Ink, Kit, Pen, Space, State, Type, Weight};

/// A product; see [`tile`].
#[derive(Clone, Debug, Hash)]
pub struct Tile {
    name: SmolStr,
    price: SmolStr,
    count: Option<SmolStr>,
    photo: Option<Photo>,
    state: State,
    action: Action,
    hold: Option<Action>,
}

/// A picture that is told from others by its name.
#[derive(Clone, Debug)]
struct Photo(Arc<Sprite>);

impl std::hash::Hash for Photo {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.id().hash(state);
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

    /// A picture above the name, scaled by the typesetter.
    pub fn photo(self, photo: Arc<Sprite>) -> Self {
        Self { photo: Some(Photo(photo)), ..self }
    }

    /// Whether it can be ordered.
    pub fn state(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// What a long press sends.
    pub fn on_hold(self, hold: Action) -> Self {
        Self { hold: Some(hold), ..self }
    }

    fn photo_height(&self, kit: &Kit) -> i32 {
        self.photo.as_ref().map_or(0, |photo| photo.0.size().h + kit.px(8))
    }
}

/// Height in dp, without a picture.
const HEIGHT: i32 = 84;
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
        Size::new(space.clamp(kit.px(72), kit.px(WISH)), kit.px(HEIGHT) + self.photo_height(kit))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        let ready = self.state != State::Disabled;
        let fill = if ready { Ink::Card } else { Ink::Pressed };
        pen.outlined(area, RADIUS, Corners::All, fill, Ink::Line);
        let mut within = area.inset(Insets::all(pen.px(INSET)));
        if let Some(Photo(sprite)) = &self.photo {
            let left = within.x + (within.w - sprite.size().w) / 2;
            pen.op(Op::Sprite { at: Point::new(left, within.y), sprite: sprite.clone() });
            let height = self.photo_height(pen.kit());
            within = Rect::new(within.x, within.y + height, within.w, within.h - height);
        }
        let is_torn = self.name(pen, within, if ready { Ink::Text } else { Ink::Muted });
        self.foot(pen, within);
        let state = TouchState { selected: self.count.is_some(), disabled: !ready, pull: None };
        let label = is_torn.then(|| self.name.clone());
        let press = Press { hold: self.hold.clone(), label, state, ..Press::button(self.action.clone()) };
        pen.press(area, area, RADIUS, &press);
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
