//! Keys, scanners and text fields.

use tresen_scene::{Action, Field, Node, Op, Rect, ScrollOffsets};
use tresen_wire::{Input, Key};

use super::{Client, Event};
use crate::keyboard::{KeyPress, Typed};
use crate::outline::walk;

/// A text field that is being edited.
#[derive(Clone, Debug)]
pub struct Editing {
    /// Where it is, in the coordinates of the screen.
    pub rect: Rect,
    /// The field as the server drew it.
    pub field: Field,
    /// The text as it was edited here.
    pub text: String,
}

impl Client {
    /// A key of a hardware keyboard or a wedge scanner.
    pub fn key(&mut self, now_ms: u64, key: KeyPress) {
        let typed = self.keyboard.press(now_ms, key);
        self.typed(now_ms, typed);
    }

    /// Whether an Enter now may end a scan.
    pub fn is_scanning(&self) -> bool {
        self.keyboard.is_holding()
    }

    /// The text field that is edited now.
    pub fn editing(&self) -> Option<Editing> {
        let (action, text) = self.editing.as_ref()?;
        let root = self.receiver.root()?;
        let (rect, field) = find_field(root, &self.scrolls, action)?;
        Some(Editing { rect, field, text: text.clone() })
    }

    /// The text of the field that is edited has become `text`.
    pub fn edit(&mut self, now_ms: u64, text: &str) {
        let Some((action, edited)) = &mut self.editing else { return };
        if edited != text {
            text.clone_into(edited);
            let input = Input::Text { action: action.clone(), text: edited.as_str().into() };
            self.send(now_ms, input);
        }
    }

    /// Begins to edit the field with this action.
    pub fn begin_editing(&mut self, action: &Action) {
        let root = self.receiver.root();
        let Some((_, field)) = root.and_then(|root| find_field(root, &self.scrolls, action)) else { return };
        if self.editing.as_ref().is_none_or(|(edited, _)| edited != action) {
            self.editing = Some((action.clone(), field.value.to_string()));
            self.tell(Event::EditingChanged);
        }
    }

    /// The field is left.
    pub fn end_editing(&mut self) {
        if self.editing.take().is_some() {
            self.tell(Event::EditingChanged);
        }
    }

    pub(super) fn typed(&mut self, now_ms: u64, typed: Vec<Typed>) {
        for typed in typed {
            match typed {
                Typed::Scan(code) => self.send(now_ms, Input::Scan(code.into())),
                Typed::Key(key) => self.key_pressed(now_ms, key),
            }
        }
    }

    fn key_pressed(&mut self, now_ms: u64, key: KeyPress) {
        let Some((_, text)) = &self.editing else {
            return self.send(
                now_ms,
                Input::Key(match key {
                    KeyPress::Character(character) => match character.to_digit(10) {
                        Some(digit) => Key::Digit(digit as u8),
                        None => Key::Character(character),
                    },
                    KeyPress::Enter => Key::Enter,
                    KeyPress::Back => Key::Back,
                    KeyPress::Erase => Key::Backspace,
                }),
            );
        };
        let mut text = text.clone();
        match key {
            KeyPress::Character(character) => text.push(character),
            KeyPress::Erase => drop(text.pop()),
            KeyPress::Enter | KeyPress::Back => return self.end_editing(),
        }
        self.edit(now_ms, &text);
    }
}

pub(super) fn find_field(root: &Node, scrolls: &ScrollOffsets, action: &Action) -> Option<(Rect, Field)> {
    let mut found = None;
    walk(root, scrolls, &mut |op, place| match op {
        Op::Field(field) if field.action == *action => {
            found = Some((field.rect.offset(place.at).intersect(place.clip), Field::clone(field)));
        }
        _ => {}
    });
    found
}
