//! What a server guessed, and what the client did with it.
//!
//! Invariants:
//! - a client never keeps a guess that is not in `made`: both let the oldest go first, and this end keeps as many more as may be on their way;
//! - what a client says it showed counts only if it is the answer of a guess for *that* input on a root that the client may have before it;
//! - `claims` are in the order of their inputs, and none of them was covered by a frame.

use std::collections::VecDeque;
use std::sync::Arc;

use tresen_scene::{Node, ObjectId};
use tresen_wire::{GuessKind, Input, RootTag};

use crate::offers::Offers;
use crate::{Sender, Stats, limits};

/// What an input on a root leads to.
#[derive(Clone, Copy, Debug)]
pub struct Foresight<'a> {
    /// The client's screen, or what another guess leads to.
    pub base: ObjectId,
    /// What is done on it.
    pub input: &'a Input,
    /// What is shown then.
    pub root: &'a Arc<Node>,
    /// Whether that is the answer, or only shown until it comes.
    pub kind: GuessKind,
}

impl<'a> Foresight<'a> {
    /// The answer itself.
    pub const fn answer(base: ObjectId, input: &'a Input, root: &'a Arc<Node>) -> Self {
        Self { base, input, root, kind: GuessKind::Answer }
    }

    /// What is shown until the answer comes.
    pub const fn pending(base: ObjectId, input: &'a Input, root: &'a Arc<Node>) -> Self {
        Self { base, input, root, kind: GuessKind::Pending }
    }
}

/// A guess that was sent.
#[derive(Debug)]
struct Made {
    sequence: u64,
    base: ObjectId,
    input: Input,
    /// The name of the root that it leads to.
    name: ObjectId,
    /// What can be done there.
    offers: Offers,
    kind: GuessKind,
    bytes: usize,
    /// The client keeps it, as far as is known.
    kept: bool,
    used: bool,
}

/// An input for which the client showed something by itself.
#[derive(Debug)]
struct Claim {
    number: u64,
    /// What it showed; `None`: nobody knows.
    shown: Option<Shown>,
}

#[derive(Debug)]
struct Shown {
    name: ObjectId,
    kind: GuessKind,
    /// The guess in which it came.
    sequence: u64,
}

/// How the claims came out that a screen covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There are none.
    Nothing,
    /// The newest one was right, and nothing was done since.
    Right,
    /// Something else is to be shown.
    Other,
}

/// Why a guess is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoGuess {
    /// There is something more important to send, or enough is on its way, or nobody listens.
    Busy,
    /// The client has it.
    Known,
    /// The base is neither the client's screen nor a guess that it keeps.
    Astray,
    /// Too many guesses build on each other.
    TooDeep,
    /// It takes more bytes than it may.
    TooLarge,
}

#[derive(Debug, Default)]
pub(crate) struct Guesses {
    /// How many the client keeps.
    keeps: usize,
    made: VecDeque<Made>,
    claims: VecDeque<Claim>,
    pub hits: u64,
    pub misses: u64,
    pub pending: u64,
    pub used_bytes: u64,
    pub wasted_bytes: u64,
}

impl Guesses {
    /// A client connected that keeps so many.
    pub fn connect(&mut self, keeps: u16) {
        self.keeps = usize::from(keeps).min(limits::GUESSES_KEPT);
    }

    pub const fn keeps(&self) -> usize {
        self.keeps
    }

    /// Whether every input that the client answered by itself is settled.
    pub fn are_settled(&self) -> bool {
        self.claims.is_empty()
    }

    /// The client keeps none of them any more. What it did before it knew that still counts.
    pub fn dismiss(&mut self) {
        self.let_go(|_| true);
    }

    /// Nothing is known of what the client shows.
    pub fn forget(&mut self) {
        self.dismiss();
        self.made.clear();
        self.claims.clear();
    }

    /// Whether the client keeps the root with this name as the answer for an input on a root.
    fn knows(&self, base: ObjectId, input: &Input, name: ObjectId) -> bool {
        let same = |made: &&Made| made.kept && made.base == base && made.input == *input;
        self.made.iter().find(same).is_some_and(|made| made.name == name)
    }

    /// How many guesses lead from the client's screen to `root`; `None` when it is not among those that it keeps.
    pub fn depth(&self, screen: ObjectId, root: ObjectId) -> Option<usize> {
        let mut at = root;
        for depth in 0..=limits::GUESS_DEPTH {
            if at == screen {
                return Some(depth);
            }
            at = self.made.iter().rev().find(|made| made.kept && made.name == at)?.base;
        }
        Some(limits::GUESS_DEPTH + 1)
    }

    /// A guess is sent.
    pub fn push(&mut self, sequence: u64, foresight: &Foresight<'_>, offers: Offers, bytes: usize) {
        let Foresight { base, input, root, kind } = *foresight;
        self.let_go(|made| made.base == base && made.input == *input);
        let (input, name, kept, used) = (input.clone(), root.id(), true, false);
        self.made.push_back(Made { sequence, base, input, name, offers, kind, bytes, kept, used });
        let most = self.keeps + limits::GUESSES_IN_FLIGHT;
        for kept in [true, false] {
            while self.made.iter().filter(|made| made.kept == kept).count() > most
                && let Some(at) = self.made.iter().position(|made| made.kept == kept)
            {
                let gone = self.made.remove(at);
                self.wasted_bytes +=
                    gone.filter(|gone| gone.kept && !gone.used).map_or(0, |gone| gone.bytes as u64);
            }
        }
    }

    /// The guess with this sequence never arrived.
    pub fn take_back(&mut self, sequence: u64) {
        self.made.retain(|made| made.sequence != sequence);
    }

    /// The client says that it showed `shown` for an input. Returns what can be done there, if it is the answer to that input on a screen that it may
    /// have.
    pub fn claim(
        &mut self,
        number: u64,
        input: &Input,
        shown: RootTag,
        may_show: impl Fn(ObjectId) -> bool,
    ) -> Option<Offers> {
        let fits =
            |made: &&mut Made| RootTag::of(made.name) == shown && made.input == *input && may_show(made.base);
        let made = self.made.iter_mut().rev().find(fits);
        let found = made.map(|made| {
            self.used_bytes += if made.used { 0 } else { made.bytes as u64 };
            made.used = true;
            (Shown { name: made.name, kind: made.kind, sequence: made.sequence }, made.offers.clone())
        });
        let (shown, offers) = found.unzip();
        if self.claims.len() as u64 >= limits::INPUTS_OPEN {
            // The outcome of the newer ones says it as well.
            self.claims.pop_front();
        }
        self.claims.push_back(Claim { number, shown });
        offers
    }

    /// Whether an input that the client answered by itself has its effect by now.
    pub fn is_due(&self, applied: u64) -> bool {
        self.claims.front().is_some_and(|claim| claim.number <= applied)
    }

    /// A screen goes out that shows all inputs up to `applied`. A miss takes what was guessed after it with it.
    pub fn cover(&mut self, applied: u64, root: ObjectId) -> Outcome {
        let mut newest = None;
        let mut covered = 0;
        while self.is_due(applied) {
            newest = self.claims.pop_front();
            covered += 1;
        }
        let Some(newest) = newest else { return Outcome::Nothing };
        let exact = newest.number == applied;
        let known = newest.shown.filter(|_| exact);
        match known {
            Some(shown) if shown.name == root => {
                self.hits += covered;
                Outcome::Right
            }
            Some(Shown { kind: GuessKind::Pending, .. }) => {
                self.pending += covered;
                Outcome::Other
            }
            Some(Shown { sequence, .. }) => {
                self.misses += covered;
                self.let_go(|made| made.sequence >= sequence);
                Outcome::Other
            }
            None => {
                self.misses += covered;
                // Which guess it was, and what the client forgets with it, is not known.
                self.let_go(|_| exact);
                Outcome::Other
            }
        }
    }

    fn let_go(&mut self, which: impl Fn(&Made) -> bool) {
        for made in self.made.iter_mut().filter(|made| made.kept && which(made)) {
            made.kept = false;
            self.wasted_bytes += if made.used { 0 } else { made.bytes as u64 };
        }
    }
}

/// What a server does about guesses.
impl Sender {
    /// Whether a guess may be sent now: the client wants some, everything that it should see has arrived, and the line is not busy.
    pub fn can_guess(&self) -> bool {
        self.wants_guesses()
            && self.link.as_ref().is_some_and(|link| link.catch_up.is_none())
            && !self.has_news()
            && self.guesses.are_settled()
            && !self.is_congested()
            && self.flight.takes_guess(limits::GUESS_BYTES)
    }

    /// Whether a client is connected that keeps guesses.
    pub const fn wants_guesses(&self) -> bool {
        self.is_connected() && self.guesses.keeps() > 0
    }

    /// Whether round trips take much longer than they could.
    fn is_congested(&self) -> bool {
        let Stats { rtt_ms, least_rtt_ms, .. } = *self.stats();
        let (Some(rtt_ms), Some(least_ms)) = (rtt_ms, least_rtt_ms) else { return false };
        rtt_ms > least_ms + least_ms / 2 + limits::GUESS_JITTER_MS
    }

    /// Sends what an input leads to. Returns the bytes that it takes.
    ///
    /// # Errors
    /// When it is not sent; nothing has changed then.
    pub fn guess(
        &mut self,
        now_ms: u64,
        foresight: &Foresight<'_>,
        most_bytes: usize,
    ) -> Result<usize, NoGuess> {
        let Foresight { base, input, root, .. } = *foresight;
        if !self.can_guess() || !input.is_guessable() {
            return Err(NoGuess::Busy);
        }
        if self.guesses.knows(base, input, root.id()) {
            return Err(NoGuess::Known);
        }
        let screen = self.root().map(|root| root.id()).ok_or(NoGuess::Busy)?;
        match self.guesses.depth(screen, base) {
            None => return Err(NoGuess::Astray),
            Some(depth) if depth >= limits::GUESS_DEPTH => return Err(NoGuess::TooDeep),
            Some(_) => {}
        }
        let bytes = self.send_guess(now_ms, foresight, most_bytes.min(limits::GUESS_BYTES));
        bytes.ok_or(NoGuess::TooLarge)
    }
}
