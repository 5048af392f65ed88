//! Amounts of money: they never wrap and are never cut.

use smol_str::SmolStr;
use tresen_scene::{Point, Rect, Size};

use super::{component, inputs_of, rigid};
use crate::ui::{Component, Ink, Kit, Pen, Space, Type};

/// An amount; see [`amount`].
#[derive(Clone, Debug, Hash)]
pub struct Amount {
    content: SmolStr,
    of: Type,
    ink: Ink,
    doubt: Doubt,
}

/// Whether an amount is certain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// It is.
    #[default]
    None,
    /// Another station may change it: a dotted line is under it.
    Unconfirmed,
    /// Another station may change it: a client that shows it before the server did marks it.
    Shared,
}

/// An amount, formatted for its locale.
pub fn amount(of: Type, content: impl Into<SmolStr>) -> Amount {
    Amount { content: content.into(), of, ink: Ink::Text, doubt: Doubt::None }
}

impl Amount {
    /// Its colour.
    pub fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// Whether it is certain.
    pub fn doubt(self, doubt: Doubt) -> Self {
        Self { doubt, ..self }
    }
}

component!(Amount);

impl Component for Amount {
    inputs_of!("amount");
    rigid!();

    fn measure(&self, kit: &Kit, _: Space) -> Size {
        let style = self.of.style(self.of.weight());
        let width = kit.typesetter.shape(&self.content, style, kit.scale).width();
        Size::new(width, kit.px(self.of.line()))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let shaped = pen.shape(&self.content, self.of, self.of.weight());
        let (left, height) = (pen.size().w - shaped.width(), pen.size().h);
        pen.line(&shaped, left, 0, height, self.ink);
        if self.doubt == Doubt::Unconfirmed {
            let below = shaped.centred(0, height) + shaped.descent().max(pen.px(3));
            pen.dots(Point::new(left, below), shaped.width(), self.ink);
        }
        if self.doubt == Doubt::Shared {
            pen.shared(Rect::new(left, 0, shaped.width(), height));
        }
    }
}
