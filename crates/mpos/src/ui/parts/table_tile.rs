//! Tiles of tables.

use smol_str::SmolStr;
use tresen_scene::{Action, Insets, Rect, Size, TouchState};
use tresen_typeset::{Corners, Icon};

use super::{component, inputs_of, rigid};
use crate::ui::pen::Press;
use crate::ui::{Component, Ink, Kit, Pen, Space, Type, Weight};

/// A table; see [`table_tile`].
#[derive(Clone, Debug, Hash)]
pub struct TableTile {
    name: SmolStr,
    amount: Option<SmolStr>,
    minutes: Option<SmolStr>,
    guests: Option<SmolStr>,
    note: Option<SmolStr>,
    look: TableLook,
    action: Action,
    hold: Option<Action>,
    label: Option<SmolStr>,
}

/// How a table is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TableLook {
    /// Nobody sits there.
    #[default]
    Free,
    /// It has an open check.
    Open,
    /// It has been waiting too long.
    Late,
    /// It waits for you: the bill, a pick-up.
    Waits,
}

/// A table called `name` (mostly its number). Amount, minutes and guests each have their place.
pub fn table_tile(name: impl Into<SmolStr>, action: Action) -> TableTile {
    TableTile {
        name: name.into(),
        amount: None,
        minutes: None,
        guests: None,
        note: None,
        look: TableLook::Free,
        action,
        hold: None,
        label: None,
    }
}

impl TableTile {
    /// What is open on it: bottom left, never cut.
    pub fn amount(self, amount: impl Into<SmolStr>) -> Self {
        Self { amount: Some(amount.into()), ..self }
    }

    /// Since when: in the middle.
    pub fn minutes(self, minutes: impl Into<SmolStr>) -> Self {
        Self { minutes: Some(minutes.into()), ..self }
    }

    /// How many sit there: top right.
    pub fn guests(self, guests: impl Into<SmolStr>) -> Self {
        Self { guests: Some(guests.into()), ..self }
    }

    /// A word in the place of the amount: free, reserved for.
    pub fn note(self, note: impl Into<SmolStr>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// How it is doing.
    pub fn look(self, look: TableLook) -> Self {
        Self { look, ..self }
    }

    /// What a long press sends.
    pub fn on_hold(self, hold: Action) -> Self {
        Self { hold: Some(hold), ..self }
    }

    /// Its name for assistive technology and tests, when it is not what the tile shows.
    pub fn label(self, label: impl Into<SmolStr>) -> Self {
        Self { label: Some(label.into()), ..self }
    }
}

/// Height in dp.
const HEIGHT: i32 = 84;
const WISH: i32 = 104;
const RADIUS: i32 = 12;
const INSET: i32 = 12;

component!(TableTile);

impl Component for TableTile {
    inputs_of!("table tile");
    rigid!();

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        Size::new(space.clamp(kit.px(72), kit.px(WISH)), kit.px(HEIGHT))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        let (fill, line, ink, second) = match self.look {
            TableLook::Free => (Ink::Card, Ink::Line, Ink::Text, Ink::Muted),
            TableLook::Open => (Ink::AccentTint, Ink::AccentTint, Ink::Accent, Ink::Accent),
            TableLook::Late => (Ink::LateTint, Ink::LateTint, Ink::Late, Ink::Late),
            TableLook::Waits => (Ink::WaitsTint, Ink::WaitsTint, Ink::Waits, Ink::Waits),
        };
        if fill == line {
            pen.rounded(area, RADIUS, Corners::All, fill);
        } else {
            pen.outlined(area, RADIUS, Corners::All, fill, line);
        }
        let within = area.inset(Insets::all(pen.px(INSET)));
        self.head(pen, within, ink, second);
        self.foot(pen, within, second);
        let state = TouchState::default();
        let press = Press {
            hold: self.hold.clone(),
            label: self.label.clone(),
            state,
            ..Press::button(self.action.clone())
        };
        pen.press(area, area, RADIUS, &press);
    }
}

impl TableTile {
    fn head(&self, pen: &mut Pen<'_>, within: Rect, ink: Ink, second: Ink) {
        let line = pen.px(20);
        let mut room = within.w;
        if let Some(guests) = &self.guests {
            let shaped = pen.shape(guests, Type::Label, Weight::Medium);
            pen.line_right(&shaped, within.right(), within.y, line, second);
            let side = pen.px(14);
            let left = within.right() - shaped.width() - pen.px(3) - side;
            pen.icon(Icon::User, 14, Rect::new(left, within.y, side, line), second);
            room = left - within.x - pen.px(4);
        }
        let fits = |of: &Type| pen.shape(&self.name, *of, Weight::Semibold).width() <= room;
        let of = [Type::Title, Type::Body, Type::Label].into_iter().find(fits).unwrap_or(Type::Label);
        let name = pen.wrap(&self.name, of, Weight::Semibold, room.max(0), 1);
        pen.paragraph(&name, within.x, within.y, line, ink);
    }

    /// The last line is the amount or a word; the minutes stand over it.
    fn foot(&self, pen: &mut Pen<'_>, within: Rect, second: Ink) {
        let line = pen.px(Type::Body.line());
        let top = within.bottom() - line + pen.px(2);
        if let Some(amount) = &self.amount {
            let wide = pen.shape(amount, Type::Body, Weight::Semibold);
            let small = pen.shape(amount, Type::Label, Weight::Semibold);
            let shaped = if wide.width() <= within.w { wide } else { small };
            pen.line(&shaped, within.x, top, line, second);
            pen.shared(Rect::new(within.x, top, shaped.width(), line));
        } else if let Some(note) = &self.note {
            let note = pen.wrap(note, Type::Label, Weight::Regular, within.w, 1);
            pen.paragraph(&note, within.x, top, line, second);
        }
        if let Some(minutes) = &self.minutes {
            let small = pen.px(Type::Label.line());
            let minutes = pen.wrap(minutes, Type::Label, Weight::Regular, within.w, 1);
            pen.paragraph(&minutes, within.x, top - small, small, second);
        }
    }
}
