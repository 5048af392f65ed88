//! A transport that breaks its promises, to see that sessions heal from it.

use super::End;
use crate::dice::Dice;

/// One arrival in so many is spoilt in each way.
const SPOILT_ONE_IN: u64 = 60;

impl End {
    /// Breaks what the stream promises now and then: of what has arrived a message is lost, comes twice, or comes after the next one.
    pub fn spoil(&mut self, dice: &mut Dice) {
        if self.arrived.is_empty() {
            return;
        }
        self.arrived.extend(self.held_back.take());
        match dice.below(SPOILT_ONE_IN) {
            0 => drop(self.arrived.pop_back()),
            1 => self.arrived.extend(self.arrived.back().cloned()),
            2 => self.held_back = self.arrived.pop_back(),
            _ => {}
        }
    }

    /// The same, and a byte near the beginning of a message is another one now and then.
    pub fn spoil_bytes(&mut self, dice: &mut Dice) {
        self.spoil(dice);
        let at = dice.below(9) as usize;
        if dice.below(SPOILT_ONE_IN) == 0
            && let Some(byte) = self.arrived.back_mut().and_then(|message| message.get_mut(at))
        {
            *byte ^= 5;
        }
    }
}
