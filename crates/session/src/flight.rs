//! What a sender has sent and the client has not acknowledged: frames and guesses in one order, oldest first.
//!
//! Invariant: at most [`limits::FRAMES_IN_FLIGHT`] of them are frames, at most [`limits::GUESSES_IN_FLIGHT`] are guesses, so that a sequence
//! modulo 64 names one of them.

use std::collections::VecDeque;
use std::sync::Arc;

use tresen_scene::Node;
use tresen_wire::{SEQUENCES, Undo};

use crate::limits;

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Sent {
    pub sequence: u64,
    /// The screen that it brings; `None` for a guess.
    pub root: Option<Arc<Node>>,
    pub undo: Undo,
    pub at_ms: u64,
    pub bytes: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Flight(VecDeque<Sent>);

impl Flight {
    pub fn push(&mut self, sent: Sent) {
        self.0.push_back(sent);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn oldest(&self) -> Option<&Sent> {
        self.0.front()
    }

    /// Takes the newest one back.
    pub fn pop_newest(&mut self) -> Option<Sent> {
        self.0.pop_back()
    }

    pub fn pop_oldest(&mut self) -> Option<Sent> {
        self.0.pop_front()
    }

    /// The screens that are on their way.
    pub fn roots(&self) -> impl DoubleEndedIterator<Item = &Arc<Node>> {
        self.0.iter().filter_map(|sent| sent.root.as_ref())
    }

    /// Whether no more frames may be sent.
    pub fn is_full(&self) -> bool {
        self.roots().count() >= limits::FRAMES_IN_FLIGHT
    }

    /// Whether there is room for a guess of so many bytes: little enough is under way, frames included. So the answer to a fast finger's next tap follows
    /// right behind the answer to this one.
    pub fn takes_guess(&self, bytes: usize) -> bool {
        let under_way: usize = self.0.iter().map(|sent| sent.bytes).sum();
        self.0.len() < limits::GUESSES_IN_FLIGHT && under_way + bytes <= limits::GUESS_BYTES_IN_FLIGHT
    }

    /// Whether a message with this sequence (modulo 64) is on its way.
    pub fn has(&self, sequence: u8) -> bool {
        self.0.iter().any(|sent| (sent.sequence % u64::from(SEQUENCES)) as u8 == sequence)
    }
}
