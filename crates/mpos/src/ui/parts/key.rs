//! Keypads.

use smol_str::SmolStr;
use tresen_scene::{Action, Role, Size, TouchState};
use tresen_typeset::{Corners, Icon};

use super::{component, inputs_of, rigid};
use crate::ui::pen::Press;
use crate::ui::{
    Component, Element, GAP, Ink, KEY, Kit, MIN_TARGET, Pen, Space, State, Symbol, Type, Weight, grid,
};

/// A key; see [`key`].
#[derive(Clone, Debug, Hash)]
pub struct Key {
    text: SmolStr,
    icon: Option<Symbol>,
    action: Action,
    state: State,
    look: Look,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Look {
    Digit,
    Quiet,
}

/// A key that types `text`.
pub fn key(text: impl Into<SmolStr>, action: Action) -> Key {
    Key { text: text.into(), icon: None, action, state: State::Ready, look: Look::Digit }
}

impl Key {
    /// A key of second rank: smaller letters, no ground.
    pub fn quiet(self) -> Self {
        Self { look: Look::Quiet, ..self }
    }

    /// Shows an icon in place of its text, which stays its name.
    pub fn icon(self, icon: Icon) -> Self {
        Self { icon: Some(Symbol(icon)), look: Look::Quiet, ..self }
    }

    /// Whether it can be pressed.
    pub fn state(self, state: State) -> Self {
        Self { state, ..self }
    }
}

/// Keys in three columns.
pub fn keypad(keys: impl IntoIterator<Item = Key>) -> Element {
    grid(3).gap(GAP).children(keys)
}

const RADIUS: i32 = 12;

component!(Key);

impl Component for Key {
    inputs_of!("key");
    rigid!();

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        Size::new(space.clamp(kit.px(MIN_TARGET), kit.px(96)), kit.px(KEY))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        let (of, weight, ready) = match self.look {
            Look::Digit => {
                pen.outlined(area, RADIUS, Corners::All, Ink::Card, Ink::Line);
                (Type::Key, Weight::Medium, Ink::Text)
            }
            Look::Quiet => (Type::Body, Weight::Medium, Ink::Muted),
        };
        let ink = if self.state == State::Ready { ready } else { Ink::Muted };
        if let Some(Symbol(symbol)) = self.icon {
            let ink = if self.state == State::Ready { Ink::Text } else { Ink::Muted };
            pen.icon(symbol, 24, area, ink);
        } else {
            let text = pen.wrap(&self.text, of, weight, area.w - pen.px(8), 1);
            text.lines().iter().for_each(|line| pen.line_centred(line, area, ink));
        }
        let state = TouchState { disabled: self.state != State::Ready, ..TouchState::default() };
        let label = self.icon.map(|_| self.text.clone());
        pen.press(
            area,
            area,
            RADIUS,
            &Press { role: Role::Key, label, state, ..Press::button(self.action.clone()) },
        );
    }
}
