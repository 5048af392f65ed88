//! Text fields. The client edits, the server draws.

use smol_str::SmolStr;
use tresen_scene::{Action, Insets, Keyboard, Rect, Size};
use tresen_typeset::Corners;

use super::{component, inputs_of, rigid};
use crate::ui::{Component, Ink, Kit, MIN_TARGET, Pen, Space, Type};

/// A text field; see [`field`].
#[derive(Clone, Debug, Hash)]
pub struct Field {
    label: SmolStr,
    value: SmolStr,
    hint: SmolStr,
    action: Action,
    keyboard: Keyboard,
}

/// A field called `label` that holds `value`; `action` is sent with what was typed.
pub fn field(label: impl Into<SmolStr>, value: impl Into<SmolStr>, action: Action) -> Field {
    let (label, value) = (label.into(), value.into());
    Field { label, value, hint: SmolStr::default(), action, keyboard: Keyboard::Text }
}

impl Field {
    /// Shown while it is empty.
    pub fn hint(self, hint: impl Into<SmolStr>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// The keyboard it wants.
    pub fn keyboard(self, keyboard: Keyboard) -> Self {
        Self { keyboard, ..self }
    }
}

const RADIUS: i32 = 12;
const WISH: i32 = 240;

component!(Field);

impl Component for Field {
    inputs_of!("field");
    rigid!();

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        let height = kit.px(Type::Label.line() + 4 + MIN_TARGET);
        Size::new(space.clamp(kit.px(2 * MIN_TARGET), kit.px(WISH)), height)
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let (size, line) = (pen.size(), pen.px(Type::Label.line()));
        let label = pen.wrap(&self.label, Type::Label, Type::Label.weight(), size.w, 1);
        pen.paragraph(&label, 0, 0, line, Ink::Muted);
        let top = line + pen.px(4);
        let frame = Rect::new(0, top, size.w, size.h - top);
        pen.outlined(frame, RADIUS, Corners::All, Ink::Card, Ink::Line);
        let within = frame.inset(Insets { left: pen.px(14), right: pen.px(14), ..Insets::default() });
        let (text, ink) =
            if self.value.is_empty() { (&self.hint, Ink::Muted) } else { (&self.value, Ink::Text) };
        let text = pen.wrap(text, Type::Body, Type::Body.weight(), within.w, 1);
        pen.paragraph(&text, within.x, within.y, within.h, ink);
        pen.field(frame, self.action.clone(), self.keyboard, self.label.clone(), self.value.clone());
    }
}
