//! Buttons.

use smol_str::SmolStr;
use tresen_scene::{Action, Insets, Rect, Role, Size, TouchState};
use tresen_typeset::{Corners, Icon};

use super::{component, inputs_of, rigid, text};
use crate::ui::pen::Press;
use crate::ui::{
    ACTION, Align, Component, Doubt, Element, Ink, Justify, Kit, MIN_TARGET, Pen, Place, Space, State,
    Symbol, Type, Weight, row,
};

/// A button; see [`button`].
#[derive(Clone, Debug, Hash)]
pub struct Button {
    text: SmolStr,
    trailing: Option<SmolStr>,
    doubt: Doubt,
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
        doubt: Doubt::None,
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

    /// Whether the amount at its right end is certain.
    pub fn doubt(self, doubt: Doubt) -> Self {
        Self { doubt, ..self }
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
        let state = TouchState { disabled: self.state != State::Ready, ..TouchState::default() };
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
    rigid!();

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
        let side = pen.px(if self.trailing.is_some() { self.side() } else { 8 });
        let beside = area.inset(Insets { left: side, right: side, ..Insets::default() });
        let edge = pen.px(8);
        let within = area.inset(Insets { left: edge, right: edge, ..Insets::default() });
        let cut = !self.draw_beside(pen, beside, ink) && !self.draw_below(pen, within, ink);
        if self.state == State::Pending {
            pen.pending(area, ink);
        }
        let mut press = self.press();
        if cut && press.label.is_none() {
            press.label = Some(self.full_name());
        }
        pen.press(area, area, RADIUS, &press);
    }
}

impl Button {
    /// Icon and text in one line: at the left when an amount is at the right, else in the middle. What is too long for that gets
    /// smaller letters, then no icon, then an amount in smaller letters. Draws nothing and says no when that does not do.
    fn draw_beside(&self, pen: &mut Pen<'_>, within: Rect, ink: Ink) -> bool {
        let (of, weight) = self.letters();
        let icon = self.icon.map_or(0, |_| pen.px(BUTTON_ICON + if self.text.is_empty() { 0 } else { 8 }));
        let room = |pen: &Pen<'_>, amount: Type| {
            let taken =
                self.trailing.as_ref().map(|text| pen.shape(text, amount, weight).width() + pen.px(8));
            within.w - taken.unwrap_or(0)
        };
        let fits = |pen: &Pen<'_>, of: Type, amount: Type, icon: i32| {
            self.text.is_empty() || pen.shape(&self.text, of, weight).width() + icon <= room(pen, amount)
        };
        let icons = [self.icon.is_some(), false];
        let tried = icons.into_iter().flat_map(|icon| [(of, of, icon), (Type::Body, of, icon)]);
        let tried = tried.chain([(Type::Body, Type::Body, false)]);
        let tried = tried.chain(self.trailing.is_none().then_some((Type::Label, of, false)));
        let shown = |shown: bool| if shown { icon } else { 0 };
        let found = tried.into_iter().find(|(of, amount, icon)| fits(pen, *of, *amount, shown(*icon)));
        let Some((of, amount, has_icon)) = found else { return false };
        let icon = shown(has_icon);
        let text = pen.shape(&self.text, of, weight);
        let room = room(pen, amount);
        let left = if self.trailing.is_some() { 0 } else { (room - text.width() - icon) / 2 };
        if let (Some(Symbol(symbol)), true) = (self.icon, has_icon) {
            let place = Rect::new(within.x + left, within.y, pen.px(BUTTON_ICON), within.h);
            pen.icon(symbol, BUTTON_ICON, place, ink);
        }
        // What is drawn first is read first.
        pen.line(&text, within.x + left + icon, within.y, within.h, ink);
        if let Some(trailing) = &self.trailing {
            let trailing = pen.shape(trailing, amount, weight);
            pen.line_right(&trailing, within.right(), within.y, within.h, ink);
            let (width, height) = (trailing.width(), pen.px(amount.line()));
            let top = within.y + (within.h - height) / 2;
            self.mark(pen, Rect::new(within.right() - width, top, width, height));
        }
        true
    }

    /// Text and amount below one another, in the middle. Whether all of it was drawn: at last, a text is cut, an amount never.
    fn draw_below(&self, pen: &mut Pen<'_>, within: Rect, ink: Ink) -> bool {
        let (_, weight) = self.letters();
        let sizes = [Type::Body, Type::Label];
        let fits = |pen: &Pen<'_>, text: &str, of: Type| pen.shape(text, of, weight).width() <= within.w;
        let size_of = |pen: &Pen<'_>, text: &str| {
            sizes.into_iter().find(|of| fits(pen, text, *of)).unwrap_or(Type::Label)
        };
        let lines = if self.trailing.is_some() { 1 } else { 2 };
        let of = if lines == 1 { size_of(pen, &self.text) } else { Type::Label };
        let text = pen.wrap(&self.text, of, weight, within.w, lines);
        let amount = self.trailing.as_ref().map(|text| {
            let of = size_of(pen, text);
            (pen.shape(text, of, weight), pen.px(of.line()))
        });
        let line = pen.px(of.line());
        let height = line * text.lines().len() as i32 + amount.as_ref().map_or(0, |(_, line)| *line);
        let mut place = Rect { y: within.y + (within.h - height) / 2, h: line, ..within };
        for shaped in text.lines() {
            pen.line_centred(shaped, place, ink);
            place.y += line;
        }
        if let Some((shaped, line)) = amount {
            pen.line_centred(&shaped, Rect { h: line, ..place }, ink);
            let width = shaped.width();
            self.mark(pen, Rect::new(place.x + (place.w - width) / 2, place.y, width, line));
        }
        !text.is_cut()
    }

    fn mark(&self, pen: &mut Pen<'_>, rect: Rect) {
        if self.doubt == Doubt::Shared {
            pen.shared(rect);
        }
    }

    fn full_name(&self) -> SmolStr {
        let parts = [Some(&self.text), self.trailing.as_ref()];
        parts.into_iter().flatten().map(SmolStr::as_str).collect::<Vec<_>>().join(" ").into()
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
    rigid!();

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
        let state = TouchState { disabled: self.state != State::Ready, ..TouchState::default() };
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
