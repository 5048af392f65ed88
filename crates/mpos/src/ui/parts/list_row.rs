//! Rows of lists, mostly lines of an order.

use std::hash::Hash as _;

use smol_str::SmolStr;
use tresen_scene::{Action, Insets, Point, Rect, Role, Size, TouchState};
use tresen_typeset::{Corners, Icon};

use super::{component, inputs_of};
use crate::ui::pen::Press;
use crate::ui::{
    Component, EDGE, Ink, Inputs, Kit, MIN_TARGET, Pen, ROW, Selected, Space, Symbol, Type, Weight,
};

/// A row; see [`list_row`].
#[derive(Clone, Debug, Hash)]
pub struct ListRow {
    quantity: Option<SmolStr>,
    icon: Option<Symbol>,
    title: SmolStr,
    subtitle: Option<SmolStr>,
    amount: Option<SmolStr>,
    look: RowLook,
    selected: Selected,
    action: Option<Action>,
    hold: Option<Action>,
    goes_on: bool,
}

/// The state of what a row shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RowLook {
    /// Nothing special, for instance sent to the kitchen.
    #[default]
    Plain,
    /// New: its quantity is accented.
    New,
    /// Not confirmed by the till yet: a dotted line is under its amount.
    Unconfirmed,
    /// It did not work; the subtitle says what to do.
    Failed,
}

/// A row that is called `title`.
pub fn list_row(title: impl Into<SmolStr>) -> ListRow {
    ListRow {
        quantity: None,
        icon: None,
        title: title.into(),
        subtitle: None,
        amount: None,
        look: RowLook::Plain,
        selected: Selected::No,
        action: None,
        hold: None,
        goes_on: false,
    }
}

impl ListRow {
    /// How many, before the title.
    pub fn quantity(self, quantity: impl Into<SmolStr>) -> Self {
        Self { quantity: Some(quantity.into()), ..self }
    }

    /// An icon before the title.
    pub fn icon(self, icon: Icon) -> Self {
        Self { icon: Some(Symbol(icon)), ..self }
    }

    /// What is below the title, in at most two lines.
    pub fn subtitle(self, subtitle: impl Into<SmolStr>) -> Self {
        Self { subtitle: Some(subtitle.into()), ..self }
    }

    /// What is at the right; never cut.
    pub fn amount(self, amount: impl Into<SmolStr>) -> Self {
        Self { amount: Some(amount.into()), ..self }
    }

    /// The state of what it shows.
    pub fn look(self, look: RowLook) -> Self {
        Self { look, ..self }
    }

    /// Whether it is the chosen one.
    pub fn selected(self, selected: Selected) -> Self {
        Self { selected, ..self }
    }

    /// What a tap sends.
    pub fn on(self, action: Action) -> Self {
        Self { action: Some(action), ..self }
    }

    /// What a long press sends.
    pub fn on_hold(self, hold: Action) -> Self {
        Self { hold: Some(hold), ..self }
    }

    /// An arrow at the right: a tap opens something.
    pub fn goes_on(self) -> Self {
        Self { goes_on: true, ..self }
    }

    /// Left end and width of title and subtitle in a row of `width` pixels.
    fn words(&self, kit: &Kit, width: i32) -> (i32, i32) {
        let leads = self.quantity.is_some() || self.icon.is_some();
        let quantity = self.quantity.as_ref().map_or(0, |quantity| {
            let style = Type::Body.style(Weight::Semibold);
            kit.typesetter.shape(quantity, style, kit.scale).width() + kit.px(8)
        });
        let left = kit.px(EDGE) + if leads { kit.px(LEAD).max(quantity) } else { 0 };
        let amount = self.amount.as_ref().map_or(0, |amount| {
            kit.typesetter.shape(amount, AMOUNT.0.style(AMOUNT.1), kit.scale).width() + kit.px(12)
        });
        let arrow = if self.goes_on { kit.px(ARROW) } else { 0 };
        (left, (width - left - amount - arrow - kit.px(EDGE)).max(0))
    }

    fn height(&self, kit: &Kit, width: i32) -> i32 {
        let (_, room) = self.words(kit, width);
        let lines = |text: &str, of: Type, most| {
            let style = of.style(of.weight());
            let broken = kit.typesetter.wrap(text, style, kit.scale, room, most);
            broken.lines().len() as i32 * kit.px(of.line())
        };
        let subtitle = self.subtitle.as_ref().map_or(0, |text| lines(text, Type::Label, 2));
        let title = lines(&self.title, Type::Body, 2);
        (title + subtitle + kit.px(16)).max(kit.px(ROW))
    }
}

/// Room for the quantity, in dp.
const LEAD: i32 = 32;
/// Room for the arrow, in dp.
const ARROW: i32 = 24;
/// Corners of what is chosen or pressed, in dp.
const RADIUS: i32 = 10;
const AMOUNT: (Type, Weight) = (Type::Body, Weight::Medium);

component!(ListRow);

impl Component for ListRow {
    inputs_of!("list row");

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        let width = space.clamp(kit.px(4 * MIN_TARGET), kit.px(360));
        Size::new(width, self.height(kit, width))
    }

    fn footprint(&self, kit: &Kit, out: &mut Inputs) {
        // How its words break depends on the room beside them.
        ("list row", self.words(kit, kit.px(1000)), &self.title, &self.subtitle).hash(out);
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let (area, kit) = (pen.area(), pen.kit());
        let hair = pen.hairline();
        let side = pen.px(EDGE);
        pen.fill(Rect::new(side, area.h - hair, area.w - 2 * side, hair), Ink::Line);
        let inner =
            area.inset(Insets { left: side / 2, top: side / 8, right: side / 2, bottom: side / 8 + hair });
        if self.selected == Selected::Yes {
            pen.rounded(inner, RADIUS, Corners::All, Ink::AccentTint);
        }
        self.lead(pen);
        let (left, room) = self.words(kit, area.w);
        let second = match (self.look, self.selected) {
            (RowLook::Failed, _) => Ink::Late,
            (_, Selected::Yes) => Ink::Accent,
            _ => Ink::Muted,
        };
        let title = pen.wrap(&self.title, Type::Body, Weight::Regular, room, 2);
        let (line, small) = (pen.px(Type::Body.line()), pen.px(Type::Label.line()));
        let subtitle =
            self.subtitle.as_ref().map(|text| pen.wrap(text, Type::Label, Weight::Regular, room, 2));
        let height = title.lines().len() as i32 * line
            + subtitle.as_ref().map_or(0, |text| text.lines().len() as i32 * small);
        let top = (area.h - hair - height) / 2;
        pen.paragraph(&title, left, top, line, Ink::Text);
        if let Some(subtitle) = &subtitle {
            pen.paragraph(subtitle, left, top + title.lines().len() as i32 * line, small, second);
        }
        self.tail(pen);
        if let Some(action) = &self.action {
            let cut = title.is_cut() || subtitle.is_some_and(|text| text.is_cut());
            let press = Press {
                hold: self.hold.clone(),
                role: Role::ListItem,
                label: cut.then(|| self.full_name()),
                state: TouchState { selected: self.selected == Selected::Yes, ..TouchState::default() },
                ..Press::button(action.clone())
            };
            pen.press(area, inner, RADIUS, &press);
        }
    }
}

impl ListRow {
    fn lead(&self, pen: &mut Pen<'_>) {
        let (ink, weight) = match self.look {
            RowLook::Plain => (Ink::Muted, Weight::Regular),
            RowLook::New | RowLook::Unconfirmed => (Ink::Accent, Weight::Semibold),
            RowLook::Failed => (Ink::Late, Weight::Semibold),
        };
        let (left, height) = (pen.px(EDGE), pen.size().h);
        if let Some(Symbol(symbol)) = self.icon {
            pen.icon(symbol, 20, Rect::new(left, 0, pen.px(20), height), ink);
        } else if let Some(quantity) = &self.quantity {
            let shaped = pen.shape(quantity, Type::Body, weight);
            pen.line(&shaped, left, 0, height, ink);
        }
    }

    fn tail(&self, pen: &mut Pen<'_>) {
        let size = pen.size();
        let mut right = size.w - pen.px(EDGE);
        if self.goes_on {
            let side = pen.px(20);
            pen.icon(Icon::ChevronRight, 20, Rect::new(right - side, 0, side, size.h), Ink::Muted);
            right -= pen.px(ARROW);
        }
        if let Some(amount) = &self.amount {
            let shaped = pen.shape(amount, AMOUNT.0, AMOUNT.1);
            let ink = if self.look == RowLook::Failed { Ink::Late } else { Ink::Text };
            pen.line_right(&shaped, right, 0, size.h, ink);
            if self.look == RowLook::Unconfirmed {
                let below = shaped.centred(0, size.h) + shaped.descent();
                pen.dots(Point::new(right - shaped.width(), below), shaped.width(), Ink::Muted);
            }
        }
    }

    fn full_name(&self) -> SmolStr {
        let parts = [self.quantity.as_ref(), Some(&self.title), self.subtitle.as_ref(), self.amount.as_ref()];
        parts.into_iter().flatten().map(SmolStr::as_str).collect::<Vec<_>>().join(" ").into()
    }
}
