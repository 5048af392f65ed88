//! What goes wrong, and when.

use crate::dice::Dice;
use crate::wan::{MINUTE, Profile, SECOND};

/// From one trouble to the next, in the mean: on a usual day, and on the worst ones.
const EVERY_US: [u64; 4] = [6 * MINUTE, 6 * MINUTE, MINUTE, 12 * SECOND];
/// From one rest to the next.
const REST_EVERY_US: u64 = 20 * MINUTE;
/// From one change by others to the next, in the mean: on a usual day, and when the house is full.
const OTHERS_US: [u64; 3] = [25 * SECOND, 25 * SECOND, 2 * SECOND];

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server is killed.
    Kill,
    /// The client's program ends and starts again with what it had.
    WarmStart,
    /// … with nothing.
    ColdStart,
    /// Nothing arrives for so long.
    Outage(u64),
    /// The client's address changes, during an outage of so long, and its system says so when there is one.
    Moved(u64),
    /// The client's address changes, and nobody says so.
    MovedSilently,
    /// Another network, and another address with it.
    Network(Profile),
    /// Others change a lot at once.
    Rush(u64),
}

#[derive(Debug)]
pub(super) struct Troubles {
    dice: Dice,
    every_us: u64,
    others_every_us: u64,
    pub trouble_us: u64,
    pub rest_us: u64,
    pub others_us: u64,
}

impl Troubles {
    pub fn new(mut dice: Dice) -> Self {
        let every_us = EVERY_US[dice.below(EVERY_US.len() as u64) as usize];
        let others_every_us = OTHERS_US[dice.below(OTHERS_US.len() as u64) as usize];
        let trouble_us = dice.exponential(every_us);
        Self { dice, every_us, others_every_us, trouble_us, rest_us: REST_EVERY_US, others_us: 0 }
    }

    pub fn next_us(&self) -> u64 {
        self.trouble_us.min(self.rest_us).min(self.others_us)
    }

    /// Goes on after a rest that ends then.
    pub fn rested(&mut self, now_us: u64) {
        self.rest_us = now_us + REST_EVERY_US;
        self.trouble_us = now_us + self.dice.exponential(self.every_us);
        self.others_us = now_us;
    }

    pub fn others(&mut self, now_us: u64) {
        self.others_us = now_us + 1 + self.dice.exponential(self.others_every_us);
    }

    pub fn trouble(&mut self, now_us: u64) -> Trouble {
        self.trouble_us = now_us + 1 + self.dice.exponential(self.every_us);
        match self.dice.below(16) {
            0..3 => Trouble::Kill,
            3 | 4 => Trouble::WarmStart,
            5 => Trouble::ColdStart,
            6 | 7 => Trouble::Outage(self.dice.exponential(4 * SECOND)),
            8 => Trouble::Outage(SECOND * 20 + self.dice.exponential(MINUTE)),
            9 | 10 => Trouble::Moved(self.dice.exponential(3 * SECOND)),
            11 => Trouble::MovedSilently,
            12 | 13 => Trouble::Network(self.profile()),
            _ => Trouble::Rush(1 + self.dice.below(120)),
        }
    }

    /// Some network.
    pub fn profile(&mut self) -> Profile {
        let names = ["lan", "near", "far", "far", "3g", "bad-wifi", "field", "field"];
        let name = self.dice.pick(&names).copied().unwrap_or("far");
        Profile::named(name).unwrap_or_else(|| unreachable!("every name is one of a profile"))
    }
}
