//! The bar at the top of a screen.

use smol_str::SmolStr;
use tresen_scene::{Action, Rect, Role, Size};
use tresen_typeset::Icon;

use super::{component, inputs_of, rigid};
use crate::ui::pen::Press;
use crate::ui::{BAR, Component, EDGE, Ink, Kit, Pen, Space, Symbol, Type, Weight};

/// A bar; see [`header`].
#[derive(Clone, Debug, Hash)]
pub struct Header {
    title: SmolStr,
    subtitle: Option<SmolStr>,
    back: Option<(Action, SmolStr)>,
    actions: Vec<(Symbol, SmolStr, Action)>,
}

/// A bar that is called `title`. Its right end is left to the client's link dot.
pub fn header(title: impl Into<SmolStr>) -> Header {
    Header { title: title.into(), subtitle: None, back: None, actions: Vec::new() }
}

impl Header {
    /// Text of second rank at the right.
    pub fn subtitle(self, subtitle: impl Into<SmolStr>) -> Self {
        Self { subtitle: Some(subtitle.into()), ..self }
    }

    /// An arrow at the left that sends `action` and is called `label`.
    pub fn back(self, action: Action, label: impl Into<SmolStr>) -> Self {
        Self { back: Some((action, label.into())), ..self }
    }

    /// An icon at the right that sends `action` and is called `label`.
    pub fn action(mut self, icon: Icon, label: impl Into<SmolStr>, action: Action) -> Self {
        self.actions.push((Symbol(icon), label.into(), action));
        self
    }
}

/// Left to the client's link dot, in dp.
const LINK: i32 = 24;
const TARGET: i32 = 48;

component!(Header);

impl Component for Header {
    inputs_of!("header");
    rigid!();

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        Size::new(space.clamp(0, kit.px(360)), kit.px(BAR))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        pen.fill(area, Ink::Bar);
        let mut left = pen.px(EDGE);
        if let Some((action, label)) = &self.back {
            let place = Rect::new(pen.px(4), 0, pen.px(TARGET), area.h);
            icon(pen, place, Icon::ArrowLeft, label, action);
            left = place.right();
        }
        let mut right = area.w - pen.px(LINK + 12);
        for (Symbol(symbol), label, action) in self.actions.iter().rev() {
            let place = Rect::new(right - pen.px(TARGET), 0, pen.px(TARGET), area.h);
            icon(pen, place, *symbol, label, action);
            right = place.x;
        }
        self.words(pen, left, right);
    }
}

impl Header {
    /// The title first; the subtitle gets what is left, or nothing.
    fn words(&self, pen: &mut Pen<'_>, left: i32, right: i32) {
        let height = pen.size().h;
        let title = pen.wrap(&self.title, Type::Title, Weight::Semibold, right - left, 1);
        let cut = title.is_cut().then(|| self.title.clone());
        pen.label(Rect::new(left, 0, title.width().max(1), height), Role::Heading, cut);
        pen.paragraph(&title, left, 0, height, Ink::OnBar);
        let Some(subtitle) = &self.subtitle else { return };
        let room = right - left - title.width() - pen.px(16);
        if room < pen.px(40) {
            return;
        }
        let subtitle = pen.wrap(subtitle, Type::Label, Weight::Regular, room, 1);
        subtitle.lines().iter().for_each(|line| pen.line_right(line, right, 0, height, Ink::OnBarMuted));
    }
}

fn icon(pen: &mut Pen<'_>, place: Rect, icon: Icon, label: &SmolStr, action: &Action) {
    pen.icon(icon, 24, place, Ink::OnBar);
    let inset = (place.h - place.w).max(0) / 2;
    let drawn = Rect::new(place.x, place.y + inset, place.w, place.h - 2 * inset);
    let press = Press { label: Some(label.clone()), ..Press::button(action.clone()) };
    pen.press(place, drawn, TARGET / 2, &press);
}
