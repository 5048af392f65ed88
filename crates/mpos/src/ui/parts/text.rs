//! Plain text.

use std::hash::Hash as _;

use smol_str::SmolStr;
use tresen_scene::{Rect, Role, Size};

use crate::ui::element::Content;
use crate::ui::{Element, Ink, Inputs, Kit, Pen, Space, Type, Weight};

/// A text; see [`text`].
#[derive(Clone, Debug)]
pub struct Text {
    content: SmolStr,
    of: Type,
    weight: Weight,
    ink: Ink,
    lines: usize,
    align: TextAlign,
    role: Option<Role>,
}

/// Where the lines of a text stand in its width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextAlign {
    /// At its left end.
    #[default]
    Left,
    /// In its middle.
    Center,
    /// At its right end.
    Right,
}

/// A text that breaks into as many lines as it needs.
pub fn text(of: Type, content: impl Into<SmolStr>) -> Text {
    Text {
        content: content.into(),
        of,
        weight: of.weight(),
        ink: Ink::Text,
        lines: usize::MAX,
        align: TextAlign::Left,
        role: None,
    }
}

impl Text {
    /// Its colour.
    pub fn ink(self, ink: Ink) -> Self {
        Self { ink, ..self }
    }

    /// Its colour: second rank.
    pub fn muted(self) -> Self {
        self.ink(Ink::Muted)
    }

    /// Its weight.
    pub fn weight(self, weight: Weight) -> Self {
        Self { weight, ..self }
    }

    /// At most this many lines; what does not fit ends in an ellipsis.
    pub fn lines(self, lines: usize) -> Self {
        Self { lines, ..self }
    }

    /// Its lines in the middle.
    pub fn centred(self) -> Self {
        Self { align: TextAlign::Center, ..self }
    }

    /// Its lines at the right.
    pub fn right(self) -> Self {
        Self { align: TextAlign::Right, ..self }
    }

    /// What it is for assistive technology; else it is part of what is around it.
    pub fn role(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    pub(in crate::ui) fn measure(&self, kit: &Kit, space: Space) -> Size {
        let line = kit.px(self.of.line());
        let style = self.of.style(self.weight);
        let width_of = |piece: &str| kit.typesetter.shape(piece, style, kit.scale).width();
        match space {
            Space::Least if self.lines == 1 => Size::new(0, line),
            Space::Least => {
                let widest = self.content.split_whitespace().map(width_of).max().unwrap_or(0);
                Size::new(widest, line)
            }
            Space::Most => {
                let widest = self.content.lines().map(width_of).max().unwrap_or(0);
                Size::new(widest, line * self.content.lines().count().max(1) as i32)
            }
            // One that is cut takes all the room.
            Space::Width(width) if self.is_line() => {
                Size::new(width_of(&self.content).min(width.max(0)), line)
            }
            Space::Width(width) => {
                let paragraph = kit.typesetter.wrap(&self.content, style, kit.scale, width, self.lines);
                Size::new(paragraph.width().min(width.max(0)), line * paragraph.lines().len() as i32)
            }
        }
    }

    /// Everything that its size depends on.
    pub(in crate::ui) fn footprint(&self, kit: &Kit, out: &mut Inputs) {
        if self.is_line() {
            self.measure(kit, Space::Most).hash(out);
        } else {
            (&self.content, self.of, self.weight, self.lines).hash(out);
        }
    }

    /// Whether it is one line, whatever its width.
    fn is_line(&self) -> bool {
        self.lines == 1 && !self.content.contains('\n')
    }

    pub(in crate::ui) fn draw(&self, pen: &mut Pen<'_>, rect: Rect) {
        let line = pen.px(self.of.line());
        let paragraph = pen.wrap(&self.content, self.of, self.weight, rect.w, self.lines);
        let cut = paragraph.is_cut().then(|| self.content.clone());
        if self.role.is_some() || cut.is_some() {
            pen.label(rect, self.role.unwrap_or(Role::Text), cut);
        }
        for (index, shaped) in (0..).zip(paragraph.lines()) {
            let left = match self.align {
                TextAlign::Left => 0,
                TextAlign::Center => (rect.w - shaped.width()) / 2,
                TextAlign::Right => rect.w - shaped.width(),
            };
            pen.line(shaped, rect.x + left, rect.y + index * line, line, self.ink);
        }
    }
}

impl From<Text> for Element {
    fn from(text: Text) -> Self {
        Self::new(Content::Text(text))
    }
}
