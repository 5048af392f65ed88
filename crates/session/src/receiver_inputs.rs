//! Inputs of a receiver: numbered, kept until they are acknowledged, sent again when nothing is heard of them for too long.

use tresen_wire::limits::{INPUT_NUMBER, INPUTS_OPEN};
use tresen_wire::{Input, RootTag, ToServer};

use crate::receiver::Resume;
use crate::{Receiver, limits};

/// An input without an acknowledgement.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub number: u64,
    pub input: Input,
    /// What was shown for it, before the server had a say.
    pub shown: Option<RootTag>,
}

impl Open {
    pub fn message(&self) -> ToServer {
        let (number, input) = (self.number, self.input.clone());
        match self.shown {
            Some(shown) => ToServer::GuessedInput { number, shown, input },
            None => ToServer::Input { number, input },
        }
    }
}

impl Receiver {
    /// The person did something. If there is a guess for it, [`Receiver::root`] is another one at once. Returns its number; `None` when it can't
    /// be taken: before the first welcome, or with [`limits::INPUTS_OPEN`] inputs waiting.
    pub fn input(&mut self, now_ms: u64, input: Input) -> Option<u64> {
        let full = self.kept.open.len() as u64 >= INPUTS_OPEN || self.kept.next_input >= INPUT_NUMBER;
        if self.kept.session.is_none() || full {
            return None;
        }
        let number = self.kept.next_input;
        let first_to_wait = self.unanswered() == 0;
        self.kept.next_input += 1;
        let mut open = Open { number, input, shown: None };
        if let Some(link) = self.link.as_mut().filter(|link| link.welcomed) {
            let Resume { guesses, root, applied, .. } = &mut self.kept;
            open.shown = guesses.answer(now_ms, number, &open.input, root.as_ref(), *applied);
            link.say(now_ms, &open.message());
            // Of those before it that are answered, nobody has been waiting to hear.
            if first_to_wait {
                link.inputs_ms = Some(now_ms);
            }
        }
        self.kept.open.push_back(open);
        Some(number)
    }

    /// The input that was sent with these low seven bits: the newest one.
    pub(crate) fn sent_input(&self, low: u8) -> u64 {
        let newest = self.kept.next_input.saturating_sub(1);
        newest.saturating_sub(newest.wrapping_sub(u64::from(low)) & 127)
    }

    pub(crate) fn handle_input_ack(&mut self, now_ms: u64, low: u8) {
        let Some(position) = self.kept.open.iter().position(|open| open.number as u8 & 127 == low) else {
            return;
        };
        let newest = self.kept.open.drain(..=position).next_back().map(|open| open.number);
        if let Some(newest) = newest {
            self.kept.applied = self.kept.applied.max(newest);
            self.note_answer(now_ms, newest);
        }
    }

    /// The server answered the inputs up to this one.
    pub(crate) fn note_answer(&mut self, now_ms: u64, number: u64) {
        let is_news = number > self.kept.answered;
        self.kept.answered = self.kept.answered.max(number);
        let (none_open, nobody_waits) = (self.kept.open.is_empty(), self.unanswered() == 0);
        let Some(link) = &mut self.link else { return };
        if none_open {
            link.inputs_ms = None;
        } else if is_news || nobody_waits {
            link.inputs_ms = Some(now_ms);
        }
    }

    /// When the open inputs are sent again. A screen need not be the answer to them that it is taken for.
    pub(crate) fn inputs_again_ms(&self) -> Option<u64> {
        let patience_ms =
            if self.unanswered() > 0 { limits::INPUT_AGAIN_MS } else { limits::ANSWERED_AGAIN_MS };
        self.link.as_ref()?.inputs_ms.map(|since| since + patience_ms)
    }

    pub(crate) fn handle_resend(&mut self, now_ms: u64, low: u8) {
        let first = self.kept.open.front().map_or(self.kept.next_input, |open| open.number);
        // The number with these low bits from just before the first open one on.
        let base = first.saturating_sub(1);
        let above = base + (u64::from(low).wrapping_sub(base) & 127);
        self.send_again(now_ms, above);
    }

    /// Sends the open inputs above this number again.
    pub(crate) fn send_again(&mut self, now_ms: u64, above: u64) {
        let Some(link) = &mut self.link else { return };
        link.inputs_ms = if self.kept.open.is_empty() { None } else { Some(now_ms) };
        for open in self.kept.open.iter().filter(|open| open.number > above) {
            if link.takes_more() {
                link.say(now_ms, &open.message());
            }
        }
    }
}
