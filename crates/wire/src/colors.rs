//! The colours that were used last, on both ends: a ring of [`limits::COLOR_SLOTS`].
//!
//! Layout of a colour: its place in the ring (one byte), or [`NEW`] and its four bytes, which then take the next place.

use tresen_scene::Color;

use crate::bytes::Reader;
use crate::{DecodeError, limits};

/// Stands for a colour that is not in the ring.
const NEW: u8 = limits::COLOR_SLOTS as u8;

/// The ring.
#[derive(Clone, Debug, Default)]
pub(crate) struct Colors {
    ring: Vec<Color>,
    next: u8,
}

/// How to take one new colour back: its place, and what was there.
pub(crate) type ColorUndo = (u8, Option<Color>);

impl Colors {
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, color: Color, undo: &mut Vec<ColorUndo>) {
        if let Some(at) = self.ring.iter().position(|have| *have == color) {
            out.push(at as u8);
            return;
        }
        out.push(NEW);
        out.extend(color.bytes());
        undo.push((self.next, self.ring.get(usize::from(self.next)).copied()));
        self.add(color);
    }

    pub(crate) fn get(&mut self, reader: &mut Reader<'_>) -> Result<Color, DecodeError> {
        let at = reader.u8()?;
        if at != NEW {
            return self.ring.get(usize::from(at)).copied().ok_or(DecodeError::Missing("a colour"));
        }
        let [r, g, b, a] = reader.array()?;
        let color = Color { r, g, b, a };
        self.add(color);
        Ok(color)
    }

    pub(crate) fn undo(&mut self, (at, before): ColorUndo) {
        match before {
            Some(color) => self.ring[usize::from(at)] = color,
            None => self.ring.truncate(usize::from(at)),
        }
        self.next = at;
    }

    fn add(&mut self, color: Color) {
        match self.ring.get_mut(usize::from(self.next)) {
            Some(place) => *place = color,
            None => self.ring.push(color),
        }
        self.next = (self.next + 1) % NEW;
    }
}
