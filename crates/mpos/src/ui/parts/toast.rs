//! Toasts: what happened, and what to do.

use smol_str::SmolStr;
use tresen_scene::{Action, Rect, Role, Size, TouchState};
use tresen_typeset::{Corners, Icon};

use super::{component, inputs_of};
use crate::ui::pen::Press;
use crate::ui::{Component, Ink, Kit, MIN_TARGET, Pen, Space, Type, Weight};

/// A toast; see [`toast`].
#[derive(Clone, Debug, Hash)]
pub struct Toast {
    text: SmolStr,
    detail: Option<SmolStr>,
    tone: Tone,
    close: Option<(Action, SmolStr)>,
    ground: Ground,
}

/// What it lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Ground {
    Screen,
    Bar,
}

/// What kind of news it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tone {
    /// It is done.
    #[default]
    Done,
    /// It waits for you.
    Waits,
    /// It did not work.
    Failed,
}

/// News in a few words.
pub fn toast(tone: Tone, text: impl Into<SmolStr>) -> Toast {
    Toast { text: text.into(), detail: None, tone, close: None, ground: Ground::Screen }
}

impl Toast {
    /// What to do, in at most two lines.
    pub fn detail(self, detail: impl Into<SmolStr>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// A tap on it sends `action` and is called `label`; a cross says so.
    pub fn close(self, action: Action, label: impl Into<SmolStr>) -> Self {
        Self { close: Some((action, label.into())), ..self }
    }

    /// On the bar, which is near black in both themes.
    pub(in crate::ui) fn on_bar(self) -> Self {
        Self { ground: Ground::Bar, ..self }
    }

    const fn inks(&self) -> (Ink, Ink) {
        match self.ground {
            Ground::Screen => (Ink::Chosen, Ink::OnChosen),
            Ground::Bar => (Ink::OnBar, Ink::Bar),
        }
    }

    fn room(&self, kit: &Kit, width: i32) -> i32 {
        let close = if self.close.is_some() { CROSS } else { SIDE };
        (width - kit.px(TEXT + close)).max(0)
    }
}

const RADIUS: i32 = 14;
const SIDE: i32 = 16;
/// Room for the cross, in dp.
const CROSS: i32 = 36;
/// Where its text begins, in dp.
const TEXT: i32 = 44;

component!(Toast);

impl Component for Toast {
    inputs_of!("toast");

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        let width = space.clamp(kit.px(4 * MIN_TARGET), kit.px(480));
        let room = self.room(kit, width);
        let height_of = |text: &str, of: Type, weight| {
            let broken = kit.typesetter.wrap(text, of.style(weight), kit.scale, room, 2);
            broken.lines().len() as i32 * kit.px(of.line())
        };
        let detail = self.detail.as_ref().map_or(0, |text| height_of(text, Type::Label, Weight::Regular));
        let height = height_of(&self.text, Type::Body, Weight::Medium) + detail + kit.px(16);
        Size::new(width, height.max(kit.px(MIN_TARGET)))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let (area, (ground, ink)) = (pen.area(), self.inks());
        pen.shadow(area, RADIUS, 12, 2);
        pen.rounded(area, RADIUS, Corners::All, ground);
        let icon = match self.tone {
            Tone::Done => Icon::Check,
            Tone::Waits => Icon::Clock,
            Tone::Failed => Icon::TriangleAlert,
        };
        pen.icon(icon, 20, Rect::new(pen.px(14), 0, pen.px(20), area.h), ink);
        let room = self.room(pen.kit(), area.w);
        let text = pen.wrap(&self.text, Type::Body, Weight::Medium, room, 2);
        let detail =
            self.detail.as_ref().map(|detail| pen.wrap(detail, Type::Label, Weight::Regular, room, 2));
        let (line, small) = (pen.px(Type::Body.line()), pen.px(Type::Label.line()));
        let height = text.lines().len() as i32 * line
            + detail.as_ref().map_or(0, |detail| detail.lines().len() as i32 * small);
        let (left, top) = (pen.px(TEXT), (area.h - height) / 2);
        let said = [Some(&self.text), self.detail.as_ref()];
        let said = said.into_iter().flatten().map(SmolStr::as_str).collect::<Vec<_>>().join(". ");
        pen.label(area, Role::Status, Some(said.into()));
        pen.paragraph(&text, left, top, line, ink);
        if let Some(detail) = &detail {
            pen.paragraph(detail, left, top + text.lines().len() as i32 * line, small, ink);
        }
        if let Some((action, label)) = &self.close {
            let place = Rect::new(area.w - pen.px(CROSS), 0, pen.px(CROSS), area.h);
            pen.icon(Icon::X, 20, place, ink);
            let state = TouchState::default();
            let press = Press { label: Some(label.clone()), state, ..Press::button(action.clone()) };
            pen.press(area, area, RADIUS, &press);
        }
    }
}
