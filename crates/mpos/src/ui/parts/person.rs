//! Small things: avatars, badges, icons, the dots of a PIN.

use smol_str::SmolStr;
use tresen_scene::{Rect, Role, Size};
use tresen_typeset::{Corners, Icon};

use super::{component, inputs_of, rigid};
use crate::ui::{Component, Ink, Kit, Pen, Space, Symbol, Type, Weight};

/// A person's initial in a circle; see [`avatar`].
#[derive(Clone, Debug, Hash)]
pub struct Avatar {
    initial: SmolStr,
    side: i32,
}

/// A circle of `side` dp with a person's initial.
pub fn avatar(name: &str, side: i32) -> Avatar {
    let initial = name.chars().next().map(|letter| letter.to_uppercase().collect::<SmolStr>());
    Avatar { initial: initial.unwrap_or_default(), side }
}

/// A number in a circle; see [`badge`].
#[derive(Clone, Debug, Hash)]
pub struct Badge {
    text: SmolStr,
    ground: Ink,
    ink: Ink,
}

/// A number that counts something beside it.
pub fn badge(text: impl Into<SmolStr>) -> Badge {
    Badge { text: text.into(), ground: Ink::Accent, ink: Ink::OnAccent }
}

impl Badge {
    /// In the colours of something late.
    pub fn late(self) -> Self {
        Self { ground: Ink::Late, ink: Ink::OnLate, ..self }
    }

    /// In the colours of something that waits for you.
    pub fn waits(self) -> Self {
        Self { ground: Ink::WaitsTint, ink: Ink::Waits, ..self }
    }
}

/// An icon that is not pressed; see [`icon`].
#[derive(Clone, Debug, Hash)]
pub struct IconPart {
    icon: Symbol,
    side: i32,
    ink: Ink,
}

/// An icon of 24 dp.
pub const fn icon(icon: Icon) -> IconPart {
    IconPart { icon: Symbol(icon), side: 24, ink: Ink::Text }
}

impl IconPart {
    /// Its side in dp.
    pub fn side(self, side: i32) -> Self {
        Self { side, ..self }
    }

    /// Its colour.
    pub fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }
}

/// The digits of a PIN as dots; see [`pin_dots`].
#[derive(Clone, Debug, Hash)]
pub struct PinDots {
    typed: usize,
    of: usize,
    label: SmolStr,
    ink: Ink,
}

/// `typed` of `of` digits, called `label` (what assistive technology says when it changes).
pub fn pin_dots(typed: usize, of: usize, label: impl Into<SmolStr>) -> PinDots {
    PinDots { typed, of, label: label.into(), ink: Ink::Accent }
}

impl PinDots {
    /// The PIN was wrong.
    pub fn failed(self) -> Self {
        Self { ink: Ink::Late, ..self }
    }
}

component!(Avatar, Badge, IconPart, PinDots);

impl Component for Avatar {
    inputs_of!("avatar");
    rigid!();

    fn measure(&self, kit: &Kit, _: Space) -> Size {
        Size::new(kit.px(self.side), kit.px(self.side))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        pen.rounded(area, self.side / 2, Corners::All, Ink::AccentTint);
        let of = if self.side >= 56 { Type::Key } else { Type::Action };
        let initial = pen.shape(&self.initial, of, Weight::Semibold);
        pen.line_centred(&initial, area, Ink::Accent);
    }
}

impl Component for Badge {
    inputs_of!("badge");
    rigid!();

    fn measure(&self, kit: &Kit, _: Space) -> Size {
        let style = Type::Label.style(Weight::Semibold);
        let text = kit.typesetter.shape(&self.text, style, kit.scale).width();
        let height = kit.px(super::tile::BADGE);
        Size::new((text + kit.px(12)).max(height), height)
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        pen.rounded(area, super::tile::BADGE / 2, Corners::All, self.ground);
        let text = pen.shape(&self.text, Type::Label, Weight::Semibold);
        pen.line_centred(&text, area, self.ink);
    }
}

impl Component for IconPart {
    inputs_of!("icon");
    rigid!();

    fn measure(&self, kit: &Kit, _: Space) -> Size {
        Size::new(kit.px(self.side), kit.px(self.side))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        pen.icon(self.icon.0, self.side, pen.area(), self.ink);
    }
}

/// Diameter of a dot and room between two, in dp.
const DOT: i32 = 14;
const DOT_GAP: i32 = 16;

impl Component for PinDots {
    inputs_of!("pin dots");
    rigid!();

    fn measure(&self, kit: &Kit, _: Space) -> Size {
        let count = self.of as i32;
        Size::new(kit.px(count * DOT + (count - 1).max(0) * DOT_GAP), kit.px(DOT))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        for index in 0..self.of {
            let side = pen.px(DOT);
            let place = Rect::new(index as i32 * pen.px(DOT + DOT_GAP), 0, side, side);
            if index < self.typed {
                pen.rounded(place, DOT / 2, Corners::All, self.ink);
            } else {
                pen.outlined(place, DOT / 2, Corners::All, Ink::Ground, Ink::Muted);
            }
        }
        pen.label(pen.area(), Role::Status, Some(self.label.clone()));
    }
}
