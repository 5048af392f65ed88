//! Keys of the window in the words of the client.

use tresen_client::KeyPress;
use winit::event::KeyEvent;
use winit::keyboard::{Key, NamedKey};

/// What a key that went down means, if anything.
pub fn presses(event: &KeyEvent) -> Vec<KeyPress> {
    match &event.logical_key {
        Key::Named(NamedKey::Enter) => vec![KeyPress::Enter],
        Key::Named(NamedKey::Escape | NamedKey::BrowserBack | NamedKey::GoBack) => vec![KeyPress::Back],
        Key::Named(NamedKey::Backspace | NamedKey::Delete) => vec![KeyPress::Erase],
        Key::Named(NamedKey::Space) => vec![KeyPress::Character(' ')],
        Key::Character(text) => characters(text),
        _ => Vec::new(),
    }
}

fn characters(text: &str) -> Vec<KeyPress> {
    text.chars().filter(|character| !character.is_control()).map(KeyPress::Character).collect()
}
