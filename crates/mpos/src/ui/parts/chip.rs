//! Chips: one of several views, in as many lines as they need.

use smol_str::SmolStr;
use tresen_scene::{Action, Rect, Role, Size, TouchState};
use tresen_typeset::Corners;

use super::{component, inputs_of, rigid};
use crate::ui::pen::Press;
use crate::ui::{Component, Element, Ink, Kit, MIN_TARGET, Pen, Selected, Space, Type, Weight, row};

/// A chip; see [`chip`].
#[derive(Clone, Debug, Hash)]
pub struct Chip {
    text: SmolStr,
    action: Action,
    selected: Selected,
    of: Type,
}

impl Chip {
    /// With smaller letters, where there are many.
    pub fn compact(self) -> Self {
        Self { of: Type::Label, ..self }
    }
}

/// A chip that shows one of several views.
pub fn chip(text: impl Into<SmolStr>, selected: Selected, action: Action) -> Chip {
    Chip { text: text.into(), action, selected, of: Type::Body }
}

/// Chips beside one another; when a line is full they go on in the next.
pub fn chips(chips: impl IntoIterator<Item = Chip>) -> Element {
    row().wrapping().gap(8).line_gap(0).children(chips)
}

/// What is drawn; what is pressed is [`MIN_TARGET`] high.
const HEIGHT: i32 = 40;
const SIDE: i32 = 12;
/// Both sides of a chip that is given less room than it likes; then its letters get smaller before they are cut.
const LEAST_SIDES: i32 = 14;

component!(Chip);

impl Component for Chip {
    inputs_of!("chip");
    rigid!();

    fn measure(&self, kit: &Kit, space: Space) -> Size {
        let style = self.of.style(Weight::Medium);
        let text = kit.typesetter.shape(&self.text, style, kit.scale).width();
        let wish = (text + 2 * kit.px(SIDE)).max(kit.px(MIN_TARGET));
        Size::new(space.clamp(kit.px(MIN_TARGET), wish), kit.px(MIN_TARGET))
    }

    fn draw(&self, pen: &mut Pen<'_>) {
        let area = pen.area();
        let height = pen.px(HEIGHT);
        let pill = Rect::new(0, (area.h - height) / 2, area.w, height);
        let ink = match self.selected {
            Selected::Yes => {
                pen.rounded(pill, HEIGHT / 2, Corners::All, Ink::Chosen);
                Ink::OnChosen
            }
            Selected::No => {
                pen.outlined(pill, HEIGHT / 2, Corners::All, Ink::Card, Ink::Line);
                Ink::Text
            }
        };
        let room = area.w - pen.px(LEAST_SIDES);
        let fits = |of: &Type| pen.shape(&self.text, *of, Weight::Medium).width() <= room;
        let of = [self.of, Type::Label].into_iter().find(fits).unwrap_or(Type::Label);
        let text = pen.wrap(&self.text, of, Weight::Medium, room, 1);
        text.lines().iter().for_each(|line| pen.line_centred(line, pill, ink));
        let state = TouchState { selected: self.selected == Selected::Yes, ..TouchState::default() };
        let label = text.is_cut().then(|| self.text.clone());
        let press = Press { role: Role::Tab, state, label, ..Press::button(self.action.clone()) };
        pen.press(area, pill, HEIGHT / 2, &press);
    }
}
