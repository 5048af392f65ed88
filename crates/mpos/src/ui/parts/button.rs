//! Buttons.

use smol_str::SmolStr;
use tresen_scene::{Action, Insets, Rect, Role, Size, TouchState};
use tresen_typeset::{Corners, Icon};

use super::{component, inputs_of, text};
use crate::ui::pen::Press;
use crate::ui::{
    ACTION, Align, Component, Element, Ink, Justify, Kit, MIN_TARGET, Pen, Place, Space, State, Symbol, Type,
    Weight, row,
};

/// A button; see [`button`].
#[derive(Clone, Debug, Hash)]
pub struct Button {
    text: SmolStr,
    trailing: Option<SmolStr>,
    icon: Option<Symbol>,
    kind: Kind,
    state: State,
    size: ButtonSize,
    action: Action,
    hold: Option<Action>,
    label: Option<SmolStr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Primary,
    Secondary,
    Quiet,
    Danger,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum ButtonSize {
    Action,
    Compact,
}

/// A button, secondary unless it is told otherwise.
pub fn button(text: impl Into<SmolStr>, action: Action) -> Button {
    Button {
        text: text.into(),
        trailing: None,
        icon: None,
        kind: Kind::Secondary,
        state: State::Ready,
        size: ButtonSize::Action,
        action,
        hold: None,
        label: None,
    }
}

impl Button {
    /// The action that most likely comes next: one for each screen.
    pub fn primary(self) -> Self {
        Self { kind: Kind::Primary, ..self }
    }

    /// Without a ground of its own.
    pub fn quiet(self) -> Self {
        Self { kind: Kind::Quiet, ..self }
    }

    /// Takes something away.
    pub fn danger(self) -> Self {
        Self { kind: Kind::Danger, ..self }
    }

    /// 48 dp high, with smaller letters.
    pub fn compact(self) -> Self {
        Self { size: ButtonSize::Compact, ..self }
    }

    /// Text at its right end, mostly an amount; never cut.
    pub fn trailing(self, trailing: impl Into<SmolStr>) -> Self {
        Self { trailing: Some(trailing.into()), ..self }
    }

    /// An icon before its text.
    pub fn icon(self, icon: Icon) -> Self {
        Self { icon: Some(Symbol(icon)), ..self }
    }

    /// Whether it can be pressed.
    pub fn state(self, state: State) -> Self {
        Self { state, ..self }
    }

    /// What a long press sends.
    pub fn on_hold(self, hold: Action) -> Self {
        Self { hold: Some(hold), ..self }
    }

    /// Its name, when its text does not say it.
    pub fn label(self, label: impl Into<SmolStr>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    fn letters(&self) -> (Type, Weight) {
        match self.size {
            ButtonSize::Action => (Type::Action, Weight::Semibold),
            ButtonSize::Compact => (Type::Body, Weight::Medium),
        }
    }

    const fn height(&self) -> i32 {
        match self.size {
            ButtonSize::Action => ACTION,
            ButtonSize::Compact => MIN_TARGET,
        }
    }

    const fn side(&self) -> i32 {
        match self.size {
            ButtonSize::Action => 18,
            ButtonSize::Compact => 16,
        }
    }

    /// Its ground and its letters.
    const fn inks(&self) -> (Option<Ink>, Ink) {
        match (self.state, self.kind) {
            (State::Disabled, Kind::Quiet) => (None, Ink::Muted),
            (State::Disabled, _) => (Some(Ink::Pressed), Ink::Muted),
            (_, Kind::Primary) => (Some(Ink::Accent), Ink::OnAccent),
            (_, Kind::Secondary) => (Some(Ink::Pressed), Ink::Text),
            (_, Kind::Quiet) => (None, Ink::Text),
            (_, Kind::Danger) => (Some(Ink::LateTint), Ink::Late),
        }
    }

    fn press(&self) -> Press {
        let state = TouchState { selected: false, disabled: self.state != State::Ready };
        Press {
            hold: self.hold.clone(),
            label: self.label.clone(),
            state,
            ink: if self.kind == Kind::Primary { Ink::PressFilled } else { Ink::Press },
            ..Press::button(self.action.clone())
        }
    }
}

component!(Button, IconButton);

const RADIUS: i32 = 14;
const BUTTON_ICON: i32 = 20;

impl Component for Button {
    inputs_of!("button");

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        let (of, weight) = self.letters();
        let width_of = |text: &str| kit.typesetter.shape(text, of.style(weight), kit.scale).width();
        let icon = self.icon.map_or(0, |_| kit.px(BUTTON_ICON + if self.text.is_empty() { 0 } else { 8 }));
        let trailing = self.trailing.as_ref().map_or(0, |text| width_of(text) + kit.px(16));
        let side = if self.trailing.is_none() { self.side() * 4 / 5 } else { self.side() };
        let wish = width_of(&self.text) + icon + trailing + 2 * kit.px(side);
        Size::new(
            space.clamp(wish.min(kit.px(MIN_TARGET)), wish).max(kit.px(MIN_TARGET)),
            kit.px(self.height()),
        )
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let (area, (ground, ink)) = (pen.area(), self.inks());
        if let Some(ground) = ground {
            pen.rounded(area, RADIUS, Corners::All, ground);
        }
        let (of, weight) = self.letters();
        let side = pen.px(if self.trailing.is_some() { self.side() } else { 8 });
        let mut within = area.inset(Insets { left: side, right: side, ..Insets::default() });
        let trailing = self.trailing.as_ref().map(|trailing| pen.shape(trailing, of, weight));
        let right = within.right();
        within.w -= trailing.as_ref().map_or(0, |shaped| shaped.width() + pen.px(8));
        // What is drawn first is read first.
        self.draw_text(pen, within, ink);
        if let Some(shaped) = trailing {
            pen.line_right(&shaped, right, 0, area.h, ink);
        }
        if self.state == State::Pending {
            pen.pending(area, ink);
        }
        pen.press(area, area, RADIUS, &self.press());
    }
}

impl Button {
    /// Icon and text: at the left when an amount is at the right, else in the middle. A text that is too long gets smaller
    /// letters, and then no icon, before it is cut.
    fn draw_text(&self, pen: &mut Pen<'_>, within: Rect, ink: Ink) {
        let (of, weight) = self.letters();
        let icon = self.icon.map_or(0, |_| pen.px(BUTTON_ICON + if self.text.is_empty() { 0 } else { 8 }));
        let fits =
            self.text.is_empty() || pen.shape(&self.text, Type::Body, weight).width() + icon <= within.w;
        let (symbol, icon) = if fits { (self.icon, icon) } else { (None, 0) };
        let room = (within.w - icon).max(0);
        let smaller = [of, Type::Body, Type::Label];
        let fits = |of: &&Type| pen.shape(&self.text, **of, weight).width() <= room;
        let of = smaller.iter().find(fits).copied().unwrap_or(Type::Label);
        let shaped = pen.wrap(&self.text, of, weight, room, 1);
        let width = shaped.width() + icon;
        let left = if self.trailing.is_some() { within.x } else { within.x + (within.w - width) / 2 };
        if let Some(Symbol(symbol)) = symbol {
            let place = Rect::new(left, within.y, pen.px(BUTTON_ICON), within.h);
            pen.icon(symbol, BUTTON_ICON, place, ink);
        }
        shaped.lines().iter().for_each(|line| pen.line(line, left + icon, within.y, within.h, ink));
    }
}

/// An icon to press; see [`icon_button`].
#[derive(Clone, Debug, Hash)]
pub struct IconButton {
    icon: Symbol,
    label: SmolStr,
    action: Action,
    state: State,
    ground: Option<Ink>,
    ink: Ink,
}

/// An icon to press, 48 dp each way, called `label`.
pub fn icon_button(icon: Icon, label: impl Into<SmolStr>, action: Action) -> IconButton {
    let (state, ground, ink) = (State::Ready, None, Ink::Text);
    IconButton { icon: Symbol(icon), label: label.into(), action, state, ground, ink }
}

impl IconButton {
    /// Its colour.
    pub fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// On a ground of its own.
    pub fn on_ground(self, ground: Ink) -> Self {
        Self { ground: Some(ground), ..self }
    }

    /// Whether it can be pressed.
    pub fn state(self, state: State) -> Self {
        Self { state, ..self }
    }
}

impl Component for IconButton {
    inputs_of!("icon button");

    fn measure(&self, kit: &Kit, _: Space) -> Size {
        Size::new(kit.px(MIN_TARGET), kit.px(MIN_TARGET))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        if let Some(ground) = self.ground {
            pen.rounded(area, RADIUS, Corners::All, ground);
        }
        let ink = if self.state == State::Disabled { Ink::Muted } else { self.ink };
        pen.icon(self.icon.0, 24, area, ink);
        let state = TouchState { selected: false, disabled: self.state != State::Ready };
        let press = Press { label: Some(self.label.clone()), state, ..Press::button(self.action.clone()) };
        pen.press(area, area, RADIUS, &Press { role: Role::Button, ..press });
    }
}

/// A quantity between a button that takes one away and one that adds one.
pub fn stepper(quantity: impl Into<SmolStr>, less: IconButton, more: IconButton) -> Element {
    let number = text(Type::Key, quantity).centred().lines(1);
    row()
        .align(Align::Center)
        .justify(Justify::Between)
        .child(less.on_ground(Ink::Pressed).width(ACTION).height(ACTION))
        .child(number.min_width(64))
        .child(more.on_ground(Ink::Pressed).width(ACTION).height(ACTION))
}
