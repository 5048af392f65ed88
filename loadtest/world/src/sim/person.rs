//! A person at a handheld: sales of some taps, at human pace, with pauses between them.

use tresen_scene::Node;
use tresen_wire::{Input, Key};

use super::reach::possible;
use crate::dice::Dice;
use crate::wan::{MINUTE, MS, SECOND};

/// Half of the taps come within this after the one before.
const THINKS_US: u64 = 1_600 * MS;
/// And one in six later than so many times that.
const SPREAD: f64 = 2.0;
/// A quick one: a double tap, digits on a keypad.
const QUICK_US: u64 = 90 * MS;
/// One in so many is quick.
const QUICK_ONE_IN: u64 = 5;
/// Taps of a sale, in the mean.
const SALE_TAPS: u64 = 14;
/// From one sale to the next, in the mean: on a usual day, and when the house is full.
const PAUSE_US: [u64; 3] = [4 * MINUTE, 4 * MINUTE, 15 * SECOND];

#[derive(Debug)]
pub(super) struct Person {
    dice: Dice,
    taps_left: u64,
    pause_us: u64,
    pub next_us: u64,
}

impl Person {
    pub fn new(mut dice: Dice) -> Self {
        let taps_left = dice.exponential(SALE_TAPS);
        let pause_us = PAUSE_US[dice.below(PAUSE_US.len() as u64) as usize];
        Self { dice, taps_left, pause_us, next_us: 0 }
    }

    /// What is done now, on this screen; sets when something is done again.
    pub fn act(&mut self, now_us: u64, root: Option<&Node>) -> Option<Input> {
        self.next_us = now_us + 1;
        if self.taps_left == 0 {
            self.taps_left = 1 + self.dice.exponential(SALE_TAPS);
            self.next_us += self.dice.exponential(self.pause_us);
        } else {
            self.taps_left -= 1;
            self.next_us += match self.dice.below(QUICK_ONE_IN) {
                0 => QUICK_US,
                _ => self.dice.lognormal(THINKS_US, SPREAD),
            };
        }
        let possible = root.map_or(Vec::new(), |root| possible(root, &mut self.dice));
        match self.dice.below(20) {
            0 => Some(Input::Scan(format!("{:013}", self.dice.below(1_000_000)).into())),
            1 => Some(Input::Key(Key::Digit(self.dice.below(10) as u8))),
            2 => Some(Input::Key(Key::Backspace)),
            3 => Some(Input::Key(Key::PageDown)),
            _ => self.dice.pick(&possible).cloned(),
        }
    }
}
