//! Guesses of an episode's server: what some of the next inputs will show, and what follows from that; some of them wrong on purpose.

use tresen_scene::ObjectId;
use tresen_session::{Foresight, NoGuess, Sender};
use tresen_wire::Input;

use super::app::{Kit, Shared, State};
use super::checker::Checker;
use super::ms;
use super::reach::possible;
use crate::dice::Dice;

/// Guesses for a screen.
const FOR_A_SCREEN: usize = 6;
/// Guesses that build on each other.
const DEEPEST: u8 = 3;
/// One guess in so many is wrong on purpose.
const WRONG_ONE_IN: u64 = 12;
/// Bytes that a guess may take.
const MOST_BYTES: usize = 1_000;

#[derive(Debug)]
struct Idea {
    base: ObjectId,
    before: State,
    input: Input,
    depth: u8,
}

#[derive(Debug)]
pub(super) struct Guesser {
    dice: Dice,
    screen: Option<ObjectId>,
    ideas: Vec<Idea>,
}

impl Guesser {
    pub const fn new(dice: Dice) -> Self {
        Self { dice, screen: None, ideas: Vec::new() }
    }

    /// Whatever was planned is of no use any more.
    pub fn forget(&mut self) {
        self.screen = None;
        self.ideas.clear();
    }

    pub fn guess(
        &mut self,
        now_us: u64,
        sender: &mut Sender,
        kit: &mut Kit,
        (state, shared): (&State, &Shared),
        checker: &mut Checker,
    ) {
        let Some(root) = sender.root().cloned() else { return };
        if self.screen != Some(root.id()) {
            self.screen = Some(root.id());
            self.ideas.clear();
            let mut inputs = possible(&root, &mut self.dice);
            while self.ideas.len() < FOR_A_SCREEN && !inputs.is_empty() {
                let input = inputs.swap_remove(self.dice.below(inputs.len() as u64) as usize);
                self.ideas.push(Idea { base: root.id(), before: state.clone(), input, depth: 0 });
            }
        }
        while let Some(Idea { base, before, input, depth }) = self.ideas.pop() {
            let Some(mut after) = before.guess(shared, &input) else { continue };
            if self.dice.below(WRONG_ONE_IN) == 0 {
                after.spoil();
            }
            let guessed = kit.view(&after, shared);
            if guessed.id() == base {
                continue;
            }
            match sender.guess(ms(now_us), &Foresight::answer(base, &input, &guessed), MOST_BYTES) {
                Ok(_) => checker.guessed(base, &input, &guessed),
                Err(NoGuess::Busy) => {
                    self.ideas.push(Idea { base, before, input, depth });
                    return;
                }
                Err(_) => continue,
            }
            if depth < DEEPEST && self.dice.below(2) == 0 {
                // The same again if it is still there, or something else.
                let next = possible(&guessed, &mut self.dice);
                let again = next.iter().find(|next| **next == input && self.dice.below(2) == 0);
                if let Some(input) = again.or(self.dice.clone().pick(&next)).cloned() {
                    self.ideas.push(Idea { base: guessed.id(), before: after, input, depth: depth + 1 });
                }
            }
        }
    }
}
