//! Where each scroll area of a screen stands: local to a client.

use crate::{Action, Scroll};

/// The offsets of scroll areas by their action, in pixels. Areas that were never moved stand where the server wishes.
#[derive(Clone, Debug, Default)]
pub struct ScrollOffsets {
    moved: Vec<(Action, Moved)>,
}

#[derive(Clone, Copy, Debug)]
struct Moved {
    offset: i32,
    wished: i32,
}

/// Scroll areas whose offset is remembered.
const AREAS: usize = 32;

impl ScrollOffsets {
    /// The offset of `scroll`, within its content. What the person chose holds until the server's wish changes.
    pub fn get(&self, scroll: &Scroll) -> i32 {
        let moved = self.moved.iter().find(|(action, _)| *action == scroll.action).map(|(_, moved)| moved);
        let offset =
            moved.filter(|moved| moved.wished == scroll.offset).map_or(scroll.offset, |moved| moved.offset);
        offset.clamp(0, Self::largest(scroll))
    }

    /// Moves `scroll` to `offset`, within its content. Returns whether that moves anything.
    pub fn set(&mut self, scroll: &Scroll, offset: i32) -> bool {
        let before = self.get(scroll);
        let offset = offset.clamp(0, Self::largest(scroll));
        self.moved.retain(|(action, _)| *action != scroll.action);
        if self.moved.len() == AREAS {
            self.moved.remove(0);
        }
        self.moved.push((scroll.action.clone(), Moved { offset, wished: scroll.offset }));
        before != offset
    }

    /// The largest offset of `scroll`.
    pub fn largest(scroll: &Scroll) -> i32 {
        (scroll.content_h - scroll.rect.h).max(0)
    }
}
