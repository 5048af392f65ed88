//! An app with a screen and a finger: what is tapped is what lies under the finger, as on a client.

use std::sync::Arc;

use smol_str::SmolStr;
use tresen_mpos::ui::{Kit, Scale, Theme};
use tresen_mpos::{Message, view};
use tresen_scene::{
    Action, Canvas, Namer, Node, Op, OutlineItem, OutlineKind, Point, Rect, Role, ScrollOffsets, Size,
    hit_test, outline,
};
use tresen_till::Language;
use tresen_typeset::Typesetter;

use super::House;

/// How a screen looks.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub width_dp: i32,
    pub height_dp: i32,
    pub scale_100: u16,
    pub theme: Theme,
    pub language: Language,
}

impl Look {
    pub const PHONE: Self =
        Self { width_dp: 360, height_dp: 720, scale_100: 100, theme: Theme::Light, language: Language::De };

    pub fn size_px(&self) -> Size {
        let px = |dp: i32| dp * i32::from(self.scale_100) / 100;
        Size::new(px(self.width_dp), px(self.height_dp))
    }
}

/// One typesetter for all tests of a file, as on a server.
pub fn typesetter() -> Arc<Typesetter> {
    static SHARED: std::sync::LazyLock<Arc<Typesetter>> =
        std::sync::LazyLock::new(|| Typesetter::new(Namer::new([7; 32])));
    SHARED.clone()
}

pub struct Screen {
    pub house: House,
    pub look: Look,
    pub scrolls: ScrollOffsets,
    pub taps: usize,
}

impl Screen {
    pub fn new(mut house: House, look: Look) -> Self {
        house.language = look.language;
        Self { house, look, scrolls: ScrollOffsets::default(), taps: 0 }
    }

    pub fn kit(&self) -> Kit {
        Kit::new(typesetter(), self.look.theme, Scale::from_hundredths(self.look.scale_100))
    }

    pub fn root(&self) -> Arc<Node> {
        view(&self.house.app, &self.house.world(), &self.kit(), self.look.size_px())
    }

    pub fn paint(&self) -> Canvas {
        let mut canvas = Canvas::new(self.look.size_px());
        let all = Rect::of_size(canvas.size());
        canvas.paint(&self.root(), &[all], &self.scrolls, None);
        canvas
    }

    pub fn outline(&self) -> Vec<OutlineItem> {
        spaced(outline(&self.root(), &self.scrolls))
    }

    /// Everything that is read on the screen, by ear or eye.
    pub fn words(&self) -> String {
        let mut words: Vec<String> = self.outline().into_iter().map(|item| item.label).collect();
        collect_texts(&self.root(), &mut words);
        words.join("\n").replace('\u{a0}', " ")
    }

    /// What can be pressed: reachable under a finger, and not disabled.
    pub fn pressable(&self) -> Vec<OutlineItem> {
        let root = self.root();
        let mut items = spaced(outline(&root, &self.scrolls));
        items.retain(|item| match &item.kind {
            OutlineKind::Touch { action, state } => {
                let hit = hit_test(&root, middle(item.rect), &self.scrolls);
                !state.disabled && hit.touch.is_some_and(|(_, touch)| touch.action == *action)
            }
            OutlineKind::Field { .. } => hit_test(&root, middle(item.rect), &self.scrolls).field.is_some(),
            OutlineKind::Label => false,
        });
        items
    }

    pub fn find(&self, label: &str) -> OutlineItem {
        let items = self.pressable();
        let exact = items.iter().position(|item| item.label == label);
        let begins = || items.iter().position(|item| item.label.starts_with(label));
        let found =
            exact.or_else(begins).or_else(|| items.iter().position(|item| item.label.ends_with(label)));
        match found {
            Some(index) => items[index].clone(),
            None => {
                let there: Vec<_> = items.iter().map(|item| item.label.as_str()).collect();
                panic!("nothing to press is called {label:?}; there is {there:?}")
            }
        }
    }

    /// Taps what is called `label`, or begins so.
    pub fn tap(&mut self, label: &str) {
        let item = self.find(label);
        self.press(item.rect);
    }

    pub fn tap_all<'a>(&mut self, labels: impl IntoIterator<Item = &'a str>) {
        labels.into_iter().for_each(|label| self.tap(label));
    }

    /// Taps the middle of `rect`.
    pub fn press(&mut self, rect: Rect) {
        let hit = hit_test(&self.root(), middle(rect), &self.scrolls);
        if let Some((_, touch)) = hit.touch
            && !touch.state.disabled
        {
            self.taps += 1;
            self.house.say(Message::tap(&touch.action).expect("the app knows its own actions"));
        }
    }

    /// Presses long what is called `label`.
    pub fn hold(&mut self, label: &str) {
        let item = self.find(label);
        let hit = hit_test(&self.root(), middle(item.rect), &self.scrolls);
        let hold = hit.touch.and_then(|(_, touch)| touch.hold).expect("it can be pressed long");
        self.taps += 1;
        self.house.say(Message::tap(&hold).expect("the app knows its own actions"));
    }

    /// Writes into the last text field of the screen; a client brings it into sight.
    pub fn write(&mut self, text: &str) {
        let action = last_field(&self.root()).expect("a text field is shown");
        self.house.say(Message::text(&action, SmolStr::new(text)).expect("the app knows its own actions"));
    }

    pub fn shows(&self, text: &str) -> bool {
        self.words().contains(text)
    }

    pub fn has_heading(&self) -> bool {
        self.outline().iter().any(|item| item.role == Role::Heading)
    }
}

pub fn middle(rect: Rect) -> Point {
    Point::new(rect.x + rect.w / 2, rect.y + rect.h / 2)
}

fn spaced(mut items: Vec<OutlineItem>) -> Vec<OutlineItem> {
    items.iter_mut().for_each(|item| item.label = item.label.replace('\u{a0}', " "));
    items
}

pub fn last_field(node: &Node) -> Option<Action> {
    node.ops().iter().rev().find_map(|op| match op {
        Op::Field(field) => Some(field.action.clone()),
        _ => op.children().find_map(|child| last_field(child)),
    })
}

fn collect_texts(node: &Node, texts: &mut Vec<String>) {
    for op in node.ops() {
        if let Op::Text(run) = op {
            texts.push(run.text());
        }
        op.children().for_each(|child| collect_texts(child, texts));
    }
}
