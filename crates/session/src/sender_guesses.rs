//! What a server guessed, and what the client did with it.
//!
//! Invariants:
//! - a client never keeps a guess that is not in `made`: both let the oldest go first, and this end keeps as many more as may be on their way;
//! - what a client says it showed counts only if it is the answer of a guess for *that* input on a root that the client may have before it;
//! - `claims` are in the order of their inputs, and none of them was covered by a frame.

use std::collections::VecDeque;
use std::sync::Arc;

use tresen_scene::{Node, ObjectId};
use tresen_wire::{Input, RootTag};

use crate::{Sender, Stats, limits};

/// A guess that was sent.
#[derive(Debug)]
struct Made {
    sequence: u64,
    base: ObjectId,
    input: Input,
    root: Arc<Node>,
    bytes: usize,
    /// The client keeps it, as far as is known.
    kept: bool,
    used: bool,
}

/// An input for which the client showed something by itself.
#[derive(Debug)]
struct Claim {
    number: u64,
    /// What it showed, and in which guess that came; `None`: nobody knows.
    shown: Option<(Arc<Node>, u64)>,
}

/// How the claims came out that a screen covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There are none.
    Nothing,
    /// The newest one was right, and nothing was done since.
    Right,
    /// Something was shown that is not so, or is not so any more.
    Wrong,
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

    /// Whether the client keeps some, as far as is known.
    pub fn are_kept(&self) -> bool {
        self.made.iter().any(|made| made.kept)
    }

    /// Nothing is known of what the client shows.
    pub fn forget(&mut self) {
        self.dismiss();
        self.made.clear();
        self.claims.clear();
    }

    /// The answer that the client keeps for an input on a root.
    pub fn answer(&self, base: ObjectId, input: &Input) -> Option<&Arc<Node>> {
        let same = |made: &&Made| made.kept && made.base == base && made.input == *input;
        self.made.iter().find(same).map(|made| &made.root)
    }

    /// How many guesses lead from the client's screen to `root`; `None` when it is not among those that it keeps.
    pub fn depth(&self, screen: ObjectId, root: ObjectId) -> Option<usize> {
        let mut at = root;
        for depth in 0..=limits::GUESS_DEPTH {
            if at == screen {
                return Some(depth);
            }
            at = self.made.iter().rev().find(|made| made.kept && made.root.id() == at)?.base;
        }
        Some(limits::GUESS_DEPTH + 1)
    }

    /// A guess is sent.
    pub fn push(&mut self, sequence: u64, base: ObjectId, input: Input, root: Arc<Node>, bytes: usize) {
        self.let_go(|made| made.base == base && made.input == input);
        self.made.push_back(Made { sequence, base, input, root, bytes, kept: true, used: false });
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

    /// The client says that it showed `shown` for an input. Returns the root, if it is the answer to that input on a screen that it may have.
    pub fn claim(
        &mut self,
        number: u64,
        input: &Input,
        shown: RootTag,
        may_show: impl Fn(ObjectId) -> bool,
    ) -> Option<Arc<Node>> {
        let fits = |made: &&mut Made| {
            RootTag::of(made.root.id()) == shown && made.input == *input && may_show(made.base)
        };
        let made = self.made.iter_mut().rev().find(fits);
        let found = made.map(|made| {
            self.used_bytes += if made.used { 0 } else { made.bytes as u64 };
            made.used = true;
            (made.root.clone(), made.sequence)
        });
        let root = found.as_ref().map(|(root, _)| root.clone());
        if self.claims.len() as u64 >= limits::INPUTS_OPEN {
            // The outcome of the newer ones says it as well.
            self.claims.pop_front();
        }
        self.claims.push_back(Claim { number, shown: found });
        root
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
        let known = newest.shown.filter(|_| newest.number == applied);
        match known {
            Some((shown, _)) if shown.id() == root => {
                self.hits += covered;
                Outcome::Right
            }
            Some((_, sequence)) => {
                self.misses += covered;
                self.let_go(|made| made.sequence >= sequence);
                Outcome::Wrong
            }
            None => {
                self.misses += covered;
                Outcome::Wrong
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

    /// The client is to forget every guess: for whom they were made is gone. The next frame is a fresh one, which needs some kilobytes; nothing
    /// happens when it was told none. Call it right before [`Sender::show`], so that no screen is sent twice.
    pub fn forget_guesses(&mut self) {
        if !self.guesses.are_kept() {
            return;
        }
        // Frames on their way are not looked for any more, but may be before the person when the next input is made.
        let under_way: Vec<_> = self.flight.roots().cloned().collect();
        under_way.into_iter().for_each(|root| self.inputs.root_guessed(root));
        self.start_afresh();
    }

    /// Whether round trips take much longer than they could.
    fn is_congested(&self) -> bool {
        let Stats { rtt_ms, least_rtt_ms, .. } = *self.stats();
        let (Some(rtt_ms), Some(least_ms)) = (rtt_ms, least_rtt_ms) else { return false };
        rtt_ms > least_ms + least_ms / 2 + limits::GUESS_JITTER_MS
    }

    /// The answer that the client keeps for an input on a root.
    pub fn guessed(&self, base: ObjectId, input: &Input) -> Option<&Arc<Node>> {
        self.guesses.answer(base, input)
    }

    /// Sends what `root` will be shown if `input` is made on `base`: the client's screen, or what another guess leads to. Returns the bytes that
    /// it takes.
    ///
    /// # Errors
    /// When it is not sent; nothing has changed then.
    pub fn guess(
        &mut self,
        now_ms: u64,
        base: ObjectId,
        input: &Input,
        root: &Arc<Node>,
        most_bytes: usize,
    ) -> Result<usize, NoGuess> {
        if !self.can_guess() || !input.is_guessable() {
            return Err(NoGuess::Busy);
        }
        if self.guessed(base, input).is_some_and(|known| known.id() == root.id()) {
            return Err(NoGuess::Known);
        }
        let screen = self.root().map(|root| root.id()).ok_or(NoGuess::Busy)?;
        match self.guesses.depth(screen, base) {
            None => return Err(NoGuess::Astray),
            Some(depth) if depth >= limits::GUESS_DEPTH => return Err(NoGuess::TooDeep),
            Some(_) => {}
        }
        let bytes = self.send_guess(now_ms, base, input, root, most_bytes.min(limits::GUESS_BYTES));
        bytes.ok_or(NoGuess::TooLarge)
    }
}
