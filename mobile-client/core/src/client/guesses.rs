//! Guesses: screens that are shown before the server has a say, what marks them, and how they come out.

use std::fmt;
use std::sync::Arc;

use tresen_scene::Node;
use tresen_session::limits::GUESSES_KEPT;
use tresen_session::{GuessStats, LinkState, Receiver};
use tresen_wire::Look;

use super::Client;
use crate::look::marks;
use crate::outline::shared;

/// Bytes of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bytes {
    pub sent: u64,
    pub received: u64,
}

/// What a developer wants to see of a client while it runs. As a text it is one short line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What became of guesses.
    pub guesses: GuessStats,
    /// Those held now.
    pub held: usize,
    /// Whether one is shown that the server has not confirmed.
    pub is_guess: bool,
    /// The last round trip that was measured.
    pub rtt_ms: Option<u64>,
    /// Bytes of messages that were sent.
    pub sent_bytes: u64,
    /// Bytes of messages that have arrived.
    pub received_bytes: u64,
    /// Inputs that the server has not confirmed.
    pub open: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let GuessStats { hits, misses, pending, given_up, waited, arrived, bytes } = self.guesses;
        write!(f, "hit {hits} miss {misses} pending {pending} wait {waited}")?;
        if given_up > 0 {
            write!(f, " given up {given_up}")?;
        }
        match self.rtt_ms {
            Some(rtt_ms) => write!(f, " | rtt {rtt_ms} ms")?,
            None => write!(f, " | no link")?,
        }
        write!(f, " | up {} down {} B", self.sent_bytes, self.received_bytes)?;
        write!(f, " | guesses {} of {arrived}, {bytes} B | open {}", self.held, self.open)?;
        if self.is_guess { write!(f, " | guess") } else { Ok(()) }
    }
}

/// A receiver that keeps guesses.
pub(super) fn receiver(look: Look) -> Receiver {
    let mut receiver = Receiver::new(look, None);
    receiver.set_guesses(GUESSES_KEPT as u16);
    receiver
}

impl Client {
    /// What a developer wants to see.
    pub fn report(&self, now_ms: u64) -> Report {
        Report {
            guesses: *self.receiver.guess_stats(),
            held: self.receiver.guesses_held(),
            is_guess: self.receiver.is_guess(),
            rtt_ms: match self.receiver.link(now_ms) {
                LinkState::Good { rtt_ms } => Some(rtt_ms),
                LinkState::Connecting | LinkState::Slow | LinkState::Away => None,
            },
            sent_bytes: self.bytes.sent,
            received_bytes: self.bytes.received,
            open: self.receiver.unacknowledged(),
        }
    }

    /// Whether what is shown is a guess that the server has not confirmed.
    pub fn is_guess(&self) -> bool {
        self.receiver.is_guess()
    }

    /// Whether what is shown says no more than that something is being done, which the server has not confirmed.
    pub fn is_pending(&self) -> bool {
        self.receiver.is_pending()
    }

    /// What is drawn over a guess that is not confirmed: marks under amounts that others may change.
    pub(super) fn guess_marks(&self) -> Option<Arc<Node>> {
        let root = self.receiver.root().filter(|_| self.receiver.is_guess())?;
        let amounts = shared(root, &self.scrolls);
        (!amounts.is_empty()).then(|| marks(&self.look, &amounts))
    }

    /// The screen may be another one now: by a frame, by a guess, or because a guess is no longer shown.
    pub(super) fn note_screen(&mut self) {
        let root = self.receiver.root().cloned();
        if let Some(root) = &root
            && self.known.as_ref() != Some(root)
        {
            self.screen_changed(root);
        }
        self.known = root;
    }
}
