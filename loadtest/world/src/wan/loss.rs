//! Loss in bursts: Gilbert and Elliott's two states, in time. In the good one nothing is lost, in the bad one everything.

use super::Way;
use crate::dice::Dice;

/// After a silence of so many mean cycles the state is drawn anew instead of followed.
const FORGOTTEN_CYCLES: u64 = 64;

#[derive(Clone, Debug)]
pub(super) struct Loss {
    ppm: u32,
    bad_us: u64,
    good_us: u64,
    bad: bool,
    until_us: u64,
}

impl Loss {
    pub(super) fn new(way: &Way, dice: &mut Dice) -> Self {
        let ppm = way.loss_ppm.min(1_000_000);
        let good_us = way.burst_us * u64::from(1_000_000 - ppm) / u64::from(ppm.max(1));
        let mut loss = Self { ppm, bad_us: way.burst_us, good_us, bad: false, until_us: 0 };
        if loss.in_bursts() {
            loss.draw(0, dice);
        }
        loss
    }

    /// Whether a packet that passes at this time is lost.
    pub(super) fn takes(&mut self, now_us: u64, dice: &mut Dice) -> bool {
        if !self.in_bursts() {
            return dice.happens(self.ppm);
        }
        if now_us.saturating_sub(self.until_us) > FORGOTTEN_CYCLES * (self.bad_us + self.good_us) {
            self.draw(now_us, dice);
        }
        while now_us >= self.until_us {
            self.bad = !self.bad;
            self.until_us += 1 + dice.exponential(if self.bad { self.bad_us } else { self.good_us });
        }
        self.bad
    }

    /// Neither without bursts nor with nothing but loss there are two states.
    const fn in_bursts(&self) -> bool {
        self.bad_us > 0 && self.ppm > 0 && self.ppm < 1_000_000
    }

    fn draw(&mut self, now_us: u64, dice: &mut Dice) {
        self.bad = dice.happens(self.ppm);
        self.until_us = now_us + 1 + dice.exponential(if self.bad { self.bad_us } else { self.good_us });
    }
}
