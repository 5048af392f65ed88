//! Choices: blocks of which one, or some, are chosen.

use smol_str::SmolStr;
use tresen_scene::{Action, Size, TouchState};
use tresen_typeset::Corners;

use super::{component, inputs_of, rigid};
use crate::ui::pen::Press;
use crate::ui::{Component, Ink, Kit, MIN_TARGET, Pen, Selected, Space, State, Type, Weight};

/// A choice; see [`choice`].
#[derive(Clone, Debug, Hash)]
pub struct Choice {
    text: SmolStr,
    extra: Option<SmolStr>,
    action: Action,
    selected: Selected,
    state: State,
}

/// Something that can be chosen: how the steak is done, a note that was given.
pub fn choice(text: impl Into<SmolStr>, selected: Selected, action: Action) -> Choice {
    Choice { text: text.into(), extra: None, action, selected, state: State::Ready }
}

impl Choice {
    /// What it costs.
    pub fn extra(self, extra: impl Into<SmolStr>) -> Self {
        Self { extra: Some(extra.into()), ..self }
    }

    /// Whether it can be pressed.
    pub fn state(self, state: State) -> Self {
        Self { state, ..self }
    }
}

const HEIGHT: i32 = 56;
const RADIUS: i32 = 12;
const SIDE: i32 = 8;
const LETTERS: Type = Type::Body;

component!(Choice);

impl Component for Choice {
    inputs_of!("choice");
    rigid!();

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        let width =
            |text: &str, of: Type, weight| kit.typesetter.shape(text, of.style(weight), kit.scale).width();
        let text = width(&self.text, LETTERS, Weight::Semibold);
        let extra = self.extra.as_ref().map_or(0, |extra| width(extra, Type::Label, Weight::Regular));
        let least = extra.max(kit.px(MIN_TARGET));
        let wish = text.max(extra) + 4 * kit.px(SIDE);
        Size::new(space.clamp(least, wish.max(least)), kit.px(HEIGHT))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        let (fill, line, ink, second) = match (self.state, self.selected) {
            (State::Disabled, _) => (Ink::Pressed, Ink::Line, Ink::Muted, Ink::Muted),
            (_, Selected::Yes) => (Ink::AccentTint, Ink::Accent, Ink::Accent, Ink::Accent),
            (_, Selected::No) => (Ink::Card, Ink::Line, Ink::Text, Ink::Muted),
        };
        pen.outlined(area, RADIUS, Corners::All, fill, line);
        let room = area.w - 2 * pen.px(SIDE);
        let lines = if self.extra.is_some() { 1 } else { 2 };
        let large = pen.wrap(&self.text, LETTERS, Weight::Semibold, room, lines);
        let small = pen.px(Type::Label.line());
        let (text, line) = if large.is_whole() {
            (large, pen.px(LETTERS.line()))
        } else {
            (pen.wrap(&self.text, Type::Label, Weight::Semibold, room, 2), small)
        };
        let height = line * text.lines().len() as i32 + if self.extra.is_some() { small } else { 0 };
        let mut top = (area.h - height) / 2;
        for shaped in text.lines() {
            pen.line(shaped, (area.w - shaped.width()) / 2, top, line, ink);
            top += line;
        }
        if let Some(extra) = &self.extra {
            let shaped = pen.shape(extra, Type::Label, Weight::Regular);
            pen.line(&shaped, (area.w - shaped.width()) / 2, top, small, second);
        }
        let selected = self.selected == Selected::Yes;
        let state = TouchState { selected, disabled: self.state != State::Ready, pull: None };
        let label = text.is_cut().then(|| self.text.clone());
        pen.press(area, area, RADIUS, &Press { state, label, ..Press::button(self.action.clone()) });
    }
}
