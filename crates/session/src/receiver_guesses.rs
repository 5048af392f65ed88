//! What a client may show by itself, and what it shows by itself.
//!
//! Invariants:
//! - a guess is used only on exactly the root that it was made for, and only when every input before has been answered, by the server or by a
//!   guess;
//! - what is shown by itself is shown until a frame covers the last input that was answered so, or the time is up, or the connection is gone;
//! - `claims` are in the order of their inputs; at most [`limits::GUESSES_OPEN`], and at most [`limits::GUESSES_KEPT`] guesses are held.

use std::collections::VecDeque;
use std::sync::Arc;

use tresen_scene::{Node, ObjectId};
use tresen_wire::{Guess, GuessKind, Input, RootTag};

use crate::limits;

#[derive(Clone, Debug)]
struct Held {
    base: RootTag,
    input: Input,
    kind: GuessKind,
    root: Arc<Node>,
    /// Counts the guesses that have arrived.
    ordinal: u64,
}

/// An input that was answered by a guess, and has no answer of the server yet.
#[derive(Clone, Debug)]
struct Claim {
    number: u64,
    kind: GuessKind,
    root: Arc<Node>,
    ordinal: u64,
}

/// What a client did with guesses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuessStats {
    /// Inputs that were answered by a guess, and the server agreed.
    pub hits: u64,
    /// … and it did not.
    pub misses: u64,
    /// Inputs that were answered by what is shown while they are being done.
    pub pending: u64,
    /// Inputs that were answered by a guess, and nobody said in time how it came out.
    pub given_up: u64,
    /// Inputs that had to wait for the server.
    pub waited: u64,
    /// Guesses that have arrived, and their bytes.
    pub arrived: u64,
    /// Bytes of guesses that have arrived.
    pub bytes: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Guesses {
    held: VecDeque<Held>,
    claims: VecDeque<Claim>,
    /// What is shown instead of the server's screen, since when, and for which input.
    shown: Option<(Arc<Node>, u64, u64)>,
    ordinals: u64,
    pub stats: GuessStats,
}

impl Guesses {
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Whether what is shown instead of the server's screen says no more than that something is being done.
    pub fn is_pending(&self) -> bool {
        self.shown.is_some() && self.claims.back().is_some_and(|claim| claim.kind == GuessKind::Pending)
    }

    /// What is shown instead of the server's screen.
    pub fn shown(&self) -> Option<&Arc<Node>> {
        self.shown.as_ref().map(|(root, ..)| root)
    }

    /// When what is shown by itself has been shown for too long.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.shown.as_ref().map(|(_, since_ms, _)| since_ms + limits::GUESS_SHOWN_MS)
    }

    /// Shows the server's screen. Claims stay until a frame settles them.
    pub fn give_up(&mut self) {
        if self.shown.take().is_some() {
            self.stats.given_up += 1;
        }
    }

    /// The slots are empty, or will be: what leads on from here is unknown. What is shown by itself is over too.
    pub fn forget(&mut self) {
        self.held.clear();
        self.give_up();
    }

    /// Another session begins.
    pub fn begin(&mut self) {
        *self = Self { stats: self.stats, ..Self::default() };
    }

    /// A guess has arrived; `keeps` is how many are kept.
    pub fn take(&mut self, guess: Guess<'_>, root: Arc<Node>, keeps: usize) {
        let Guess { kind, base, input, .. } = guess;
        self.held.retain(|held| held.base != base || held.input != input);
        self.ordinals += 1;
        self.held.push_back(Held { base, input, kind, root, ordinal: self.ordinals });
        while self.held.len() > keeps {
            self.held.pop_front();
        }
    }

    /// Answers an input by itself, if there is a guess for it on what is shown. `last` is the input before, `applied` the last one whose effect
    /// the server's screen shows.
    pub fn answer(
        &mut self,
        now_ms: u64,
        number: u64,
        input: &Input,
        screen: Option<&Arc<Node>>,
        applied: u64,
    ) -> Option<RootTag> {
        let found = self.find(number, input, screen, applied);
        let Some(Held { kind, root, ordinal, .. }) = found else {
            self.stats.waited += 1;
            return None;
        };
        self.claims.push_back(Claim { number, kind, root: root.clone(), ordinal });
        let tag = RootTag::of(root.id());
        let since_ms = self.shown.as_ref().map_or(now_ms, |(_, since_ms, _)| *since_ms);
        self.shown = Some((root, since_ms, number));
        Some(tag)
    }

    fn find(&self, number: u64, input: &Input, screen: Option<&Arc<Node>>, applied: u64) -> Option<Held> {
        let answered = match &self.shown {
            Some((_, _, last)) => *last,
            None => applied,
        };
        let oldest = self.claims.front().map_or(number, |claim| claim.number);
        let far = self.claims.len() >= limits::GUESSES_OPEN || number - oldest >= limits::INPUTS_OPEN;
        if answered + 1 != number || far {
            return None;
        }
        let base = RootTag::of(self.shown().or(screen)?.id());
        self.held.iter().rev().find(|held| held.base == base && held.input == *input).cloned()
    }

    /// The root that was shown for the input with this number.
    pub fn claimed(&self, number: u64) -> Option<&Arc<Node>> {
        self.claims.iter().find(|claim| claim.number == number).map(|claim| &claim.root)
    }

    /// The server's screen is `root` after the inputs up to `applied`. A miss takes what was guessed after it with it.
    pub fn cover(&mut self, now_ms: u64, applied: u64, root: ObjectId) {
        let covered = self.claims.iter().take_while(|claim| claim.number <= applied).count();
        if let Some(newest) = self.claims.drain(..covered).next_back() {
            let exact = newest.number == applied;
            let right = exact && newest.root.id() == root;
            let counted = if right {
                &mut self.stats.hits
            } else if exact && newest.kind == GuessKind::Pending {
                &mut self.stats.pending
            } else {
                self.held.retain(|held| !exact || held.ordinal < newest.ordinal);
                &mut self.stats.misses
            };
            *counted += covered as u64;
        }
        match &mut self.shown {
            Some((_, _, last)) if *last <= applied => self.shown = None,
            Some((_, since_ms, _)) if covered > 0 => *since_ms = now_ms,
            _ => {}
        }
    }

    /// The server says nothing of inputs: its screen holds.
    pub fn settle(&mut self) {
        self.claims.clear();
        self.give_up();
    }
}
