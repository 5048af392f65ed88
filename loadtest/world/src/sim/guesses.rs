//! What has to hold of guesses.
//!
//! - What a client shows by itself is a guess that the server sent for exactly the screen that it showed before, and exactly that input.
//! - It is over with the frame that covers its input, at the latest; and it is never shown for longer than it may be without an answer.
//! - A guess that was wrong is not shown again, unless it was sent again.

use std::collections::{HashMap, VecDeque};

use tresen_scene::ObjectId;
use tresen_session::limits::GUESS_SHOWN_MS;
use tresen_wire::Input;

use super::broken::Broken;
use crate::wan::MS;

/// A timer may be so late: the client counts whole milliseconds.
const LATE_US: u64 = 2 * MS;

/// A guess that was sent.
#[derive(Debug)]
struct Sent {
    input: Input,
    root: ObjectId,
    /// Which message of the connection it was; 0: of an earlier connection.
    said: u64,
}

/// An input that the client answered by itself.
#[derive(Debug)]
struct Claim {
    number: u64,
    base: ObjectId,
    input: Input,
    root: ObjectId,
}

#[derive(Debug)]
struct Shown {
    root: ObjectId,
    number: u64,
    since_us: u64,
}

/// What the client shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    pub root: ObjectId,
    pub is_guess: bool,
}

#[derive(Debug, Default)]
pub(super) struct Guesses {
    /// A transport that changes messages changes guesses too: nothing is held against them then.
    unchecked: bool,
    sent: HashMap<ObjectId, Vec<Sent>>,
    /// Messages that the server sent on this connection, and that the client got.
    pub said: u64,
    pub heard: u64,
    /// The highest input that a frame of this connection covers.
    answered_up_to: u64,
    claims: VecDeque<Claim>,
    shown: Option<Shown>,
    newest_input: u64,
    /// Inputs that were answered by a guess, and how they came out.
    pub answered: u64,
    pub hits: u64,
    pub misses: u64,
}

impl Guesses {
    /// Checks that look at nothing.
    pub fn unchecked() -> Self {
        Self { unchecked: true, ..Self::default() }
    }

    /// The client connected: what was said before is told apart no more.
    pub fn connected(&mut self) {
        self.said = 0;
        self.answered_up_to = 0;
        self.sent.values_mut().flatten().for_each(|sent| sent.said = 0);
    }

    /// The client's slots are empty.
    pub fn forgotten(&mut self) {
        self.sent.clear();
    }

    /// The client starts again; with nothing, if it `forgot`.
    pub fn restarted(&mut self) {
        self.shown = None;
    }

    /// … and has nothing of what it had.
    pub fn client_forgot(&mut self) {
        self.claims.clear();
    }

    /// The server sends a guess, as its next message.
    pub fn guessed(&mut self, base: ObjectId, input: &Input, root: ObjectId) {
        let said = self.said + 1;
        self.sent.entry(base).or_default().push(Sent { input: input.clone(), root, said });
    }

    /// The person did something, and the client may have shown something for it at once.
    pub fn entered(
        &mut self,
        now_us: u64,
        number: u64,
        input: &Input,
        before: ObjectId,
        after: Screen,
    ) -> Result<(), Broken> {
        self.newest_input = number;
        if after.root == before || self.unchecked {
            return Ok(());
        }
        let known = self.sent.get(&before).into_iter().flatten();
        if !after.is_guess || !known.clone().any(|sent| sent.root == after.root && sent.input == *input) {
            return Err(Broken::new(format!(
                "the client answers {input:?} by itself with what was never guessed for it"
            )));
        }
        self.answered += 1;
        let since_us = self.shown.as_ref().map_or(now_us, |shown| shown.since_us);
        self.shown = Some(Shown { root: after.root, number, since_us });
        self.claims.push_back(Claim { number, base: before, input: input.clone(), root: after.root });
        Ok(())
    }

    /// The client got a frame that shows the inputs up to `applied` (its low bits), and `truth`.
    pub fn covered(
        &mut self,
        now_us: u64,
        applied: Option<u8>,
        truth: ObjectId,
        after: Screen,
    ) -> Result<(), Broken> {
        if self.unchecked {
            return Ok(());
        }
        let Some(low) = applied else {
            self.claims.clear();
            return self.over(after, truth);
        };
        let number = self.in_full(low);
        let mut newest = None;
        while self.claims.front().is_some_and(|claim| claim.number <= number) {
            newest = self.claims.pop_front();
        }
        if let (Some(shown), true) = (&mut self.shown, newest.is_some()) {
            shown.since_us = now_us;
        }
        if let Some(claim) = newest.filter(|claim| claim.number == number) {
            self.outcome(&claim, truth);
        }
        match &self.shown {
            Some(shown) if shown.number > number && after.is_guess => {
                let same = shown.root == after.root;
                if same {
                    Ok(())
                } else {
                    Err(Broken::new("the client shows another guess without an input".into()))
                }
            }
            _ => self.over(after, truth),
        }
    }

    /// Time has passed, or the connection is gone.
    pub fn look(&mut self, now_us: u64, after: Screen) -> Result<(), Broken> {
        match &self.shown {
            _ if self.unchecked => Ok(()),
            Some(shown) if after.is_guess => {
                let late = now_us > shown.since_us + GUESS_SHOWN_MS * MS + LATE_US;
                if late {
                    Err(Broken::new("a guess is shown for too long without an answer".into()))
                } else {
                    Ok(())
                }
            }
            None if after.is_guess => Err(Broken::new("a guess is shown without an input".into())),
            _ => {
                self.shown = None;
                Ok(())
            }
        }
    }

    /// The server sends a frame that shows the inputs up to `applied`.
    pub fn answers(&mut self, applied: u8) {
        let number = self.in_full(applied);
        self.answered_up_to = self.answered_up_to.max(number);
    }

    /// The server has shown the effects of the inputs up to this one, and a frame might be sent: whoever shows a guess has its answer on
    /// the way.
    pub fn owes(&self, shown: u64) -> Result<(), Broken> {
        match &self.shown {
            Some(guess) if guess.number <= shown && self.answered_up_to < guess.number => {
                Err(Broken::new(format!("the server says nothing of the guess for input {}", guess.number)))
            }
            _ => Ok(()),
        }
    }

    /// The newest input with these low bits.
    fn in_full(&self, low: u8) -> u64 {
        self.newest_input.saturating_sub(self.newest_input.wrapping_sub(u64::from(low)) & 127)
    }

    fn over(&mut self, after: Screen, truth: ObjectId) -> Result<(), Broken> {
        self.shown = None;
        if after.is_guess || after.root != truth {
            return Err(Broken::new("a guess is shown although the server has answered".into()));
        }
        Ok(())
    }

    fn outcome(&mut self, claim: &Claim, truth: ObjectId) {
        if claim.root == truth {
            self.hits += 1;
            return;
        }
        self.misses += 1;
        // Only one that is sent after this frame may be shown again.
        if let Some(sent) = self.sent.get_mut(&claim.base) {
            sent.retain(|sent| {
                sent.said > self.heard || sent.root != claim.root || sent.input != claim.input
            });
        }
    }
}
