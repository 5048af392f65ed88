//! What a person or a scanner did, and its bytes.

use smol_str::SmolStr;
use tresen_scene::{Action, limits as scene_limits};

use crate::bytes::{Reader, put_bytes, put_varint};
use crate::message::cut;
use crate::{DecodeError, limits};

/// A key of a hardware keyboard. Digits are [`Key::Digit`], never [`Key::Character`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Android's back, or Escape.
    Back,
    /// Enter or return.
    Enter,
    /// Delete to the left.
    Backspace,
    /// Delete to the right.
    Delete,
    /// The next thing.
    Tab,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// 0 to 9.
    Digit(u8),
    /// F1 to F24.
    Function(u8),
    /// Any other character.
    Character(char),
}

/// What a person or a scanner did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A tap on a touch area.
    Tap(Action),
    /// A long press on a touch area that knows one.
    Hold(Action),
    /// A text field's new text.
    Text {
        /// Which field.
        action: Action,
        /// All of its text.
        text: SmolStr,
    },
    /// A scanned code, from a wedge scanner or the camera.
    Scan(SmolStr),
    /// A key that is not for a text field.
    Key(Key),
}

impl Input {
    /// Whether its answer may be guessed: it says everything by itself, and is short.
    pub const fn is_guessable(&self) -> bool {
        match self {
            Self::Tap(_) | Self::Hold(_) | Self::Key(_) => true,
            Self::Text { .. } | Self::Scan(_) => false,
        }
    }
}

const TAP: u8 = 0;
const HOLD: u8 = 1;
// 2 was the place of a list, up to version 4.
const TEXT: u8 = 3;
const SCAN: u8 = 4;
const KEY: u8 = 5;

pub(crate) fn put_input(out: &mut Vec<u8>, input: &Input) {
    match input {
        Input::Tap(action) => {
            out.push(TAP);
            put_bytes(out, action.bytes());
        }
        Input::Hold(action) => {
            out.push(HOLD);
            put_bytes(out, action.bytes());
        }
        Input::Text { action, text } => {
            out.push(TEXT);
            put_bytes(out, action.bytes());
            put_bytes(out, cut(text, limits::INPUT_TEXT_BYTES).as_bytes());
        }
        Input::Scan(text) => {
            out.push(SCAN);
            put_bytes(out, cut(text, limits::INPUT_TEXT_BYTES).as_bytes());
        }
        Input::Key(key) => {
            out.push(KEY);
            put_key(out, *key);
        }
    }
}

pub(crate) fn get_input(reader: &mut Reader<'_>) -> Result<Input, DecodeError> {
    Ok(match reader.u8()? {
        TAP => Input::Tap(action(reader)?),
        HOLD => Input::Hold(action(reader)?),
        TEXT => {
            let action = action(reader)?;
            Input::Text { action, text: reader.text(limits::INPUT_TEXT_BYTES, "text")?.into() }
        }
        SCAN => Input::Scan(reader.text(limits::INPUT_TEXT_BYTES, "scan")?.into()),
        KEY => Input::Key(key(reader)?),
        value => return Err(DecodeError::Unknown { what: "input", value }),
    })
}

/// An action.
pub(crate) fn action(reader: &mut Reader<'_>) -> Result<Action, DecodeError> {
    reader.short_bytes(scene_limits::ACTION_BYTES, "action").map(Action::new)
}

const KEYS: [Key; 11] = [
    Key::Back,
    Key::Enter,
    Key::Backspace,
    Key::Delete,
    Key::Tab,
    Key::Up,
    Key::Down,
    Key::Left,
    Key::Right,
    Key::PageUp,
    Key::PageDown,
];
const DIGIT: u8 = 32;
const FUNCTION: u8 = 48;
const CHARACTER: u8 = 255;

fn put_key(out: &mut Vec<u8>, key: Key) {
    match key {
        Key::Digit(digit) => out.push(DIGIT + digit.min(9)),
        Key::Function(number) => out.push(FUNCTION + number.clamp(1, 24) - 1),
        Key::Character(character) => {
            out.push(CHARACTER);
            put_varint(out, u64::from(u32::from(character)));
        }
        plain => {
            let at = KEYS.iter().position(|&key| key == plain).expect("KEYS holds every plain key");
            out.push(at as u8);
        }
    }
}

fn key(reader: &mut Reader<'_>) -> Result<Key, DecodeError> {
    let tag = reader.u8()?;
    match tag {
        CHARACTER => {
            let code = reader.at_most(u64::from(u32::from(char::MAX)), "character")? as u32;
            char::from_u32(code).map(Key::Character).ok_or(DecodeError::OutOfRange("character"))
        }
        DIGIT..=41 => Ok(Key::Digit(tag - DIGIT)),
        FUNCTION..=71 => Ok(Key::Function(tag - FUNCTION + 1)),
        _ => KEYS.get(usize::from(tag)).copied().ok_or(DecodeError::Unknown { what: "key", value: tag }),
    }
}
