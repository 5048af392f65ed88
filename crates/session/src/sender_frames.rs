//! Frames and guesses of a sender: what is sent, what arrived, what is taken back.

use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::Node;
use tresen_wire::{CloseCode, Frame, Guess, Have, RootTag, SEQUENCES, ToClient};

use crate::flight::Sent;
use crate::sender_guesses::{Foresight, Outcome};
use crate::{Sender, limits};

impl Sender {
    pub(crate) fn handle_frame_ack(&mut self, now_ms: u64, sequence: u8, waited_ms: u64) {
        let known = self.flight.has(sequence);
        if let Some(link) = self.link.as_mut().filter(|_| known) {
            link.strange = false;
        }
        while known && let Some(sent) = self.flight.pop_oldest() {
            let last = (sent.sequence % u64::from(SEQUENCES)) as u8 == sequence;
            if last {
                self.stats.note_rtt(now_ms.saturating_sub(sent.at_ms + waited_ms));
            }
            self.root_arrived(sent.root);
            if last {
                break;
            }
        }
    }

    fn root_arrived(&mut self, root: Option<Arc<Node>>) {
        if let Some(root) = root {
            self.arrived = Some(root.clone());
            self.inputs.root_arrived(root);
        }
    }

    /// Forgets what the client has; the next frame needs nothing.
    pub(crate) fn start_afresh(&mut self) {
        self.table.clear();
        self.flight.clear();
        self.guesses.dismiss();
        self.fresh = true;
    }

    /// Takes back the frames that the client has not got, as its digest says. Returns whether its slots are still good.
    pub(crate) fn resume(&mut self, have: &Have) -> bool {
        let empty = have.digest == [0; 16];
        if have.epoch != self.epoch || self.fresh || empty {
            return false;
        }
        while self.table.digest() != have.digest {
            let Some(sent) = self.flight.pop_newest() else { return false };
            self.table.undo(sent.undo);
            self.guesses.take_back(sent.sequence);
            self.next_sequence = sent.sequence;
        }
        while let Some(sent) = self.flight.pop_oldest() {
            self.root_arrived(sent.root);
        }
        // The very first frame may have been taken back: then the client has nothing.
        self.arrived.is_some()
    }

    /// The screen that the client has when everything under way has arrived.
    fn told(&self) -> Option<&Arc<Node>> {
        self.flight.roots().next_back().or(self.arrived.as_ref())
    }

    /// Whether inputs that the client brought along have no effect yet. The screen before them is none that it should go on from.
    fn is_catching_up(&mut self) -> bool {
        let Some(link) = &mut self.link else { return false };
        let inputs = &self.inputs;
        link.catch_up.take_if(|catch_up| inputs.received() >= catch_up.input && !inputs.is_waiting());
        link.catch_up.is_some()
    }

    /// Whether there is a screen, or the outcome of a guess, to be told.
    pub(crate) fn has_news(&self) -> bool {
        let Some(root) = &self.wanted else { return false };
        self.fresh
            || self.told().is_none_or(|told| told.id() != root.id())
            || self.guesses.is_due(self.applied)
    }

    pub(crate) fn next_frame(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        if self.is_catching_up() || self.flight.is_full() || !self.has_news() {
            return None;
        }
        let root = self.wanted.clone()?;
        let outcome = self.guesses.cover(self.applied, root.id());
        self.stats.note_guesses(&self.guesses);
        let (body, undo) = if outcome == Outcome::Right && !self.fresh {
            (Vec::new(), self.table.confirm(&self.namer))
        } else {
            match self.table.encode(&self.namer, &root) {
                Ok(encoded) => encoded,
                Err(_) => return Some(self.fail(CloseCode::TooLarge)),
            }
        };
        let sequence = self.next_sequence;
        let frame = Frame {
            fresh: std::mem::take(&mut self.fresh),
            sequence: (sequence % u64::from(SEQUENCES)) as u8,
            input_ack: self.inputs.news(),
            // Always, so that what others changed is not taken for the answer to a tap that is still on its way.
            applied: (self.guesses.keeps() > 0).then_some((self.applied & 127) as u8),
            body: &body,
        };
        let message = ToClient::Frame(frame).encode();
        self.next_sequence += 1;
        let bytes = message.len();
        self.flight.push(Sent { sequence, root: Some(root), undo, at_ms: now_ms, bytes });
        self.stats.frames += 1;
        self.stats.frame_bytes += bytes as u64;
        Some(message)
    }

    /// Puts a guess into the stream, unless it takes more than `most_bytes`.
    pub(crate) fn send_guess(
        &mut self,
        now_ms: u64,
        foresight: &Foresight<'_>,
        most_bytes: usize,
    ) -> Option<usize> {
        let Foresight { base, input, root, kind } = *foresight;
        let link = self.link.as_mut().filter(|link| link.outbox.len() < limits::OUTBOX)?;
        self.table.expect_guesses();
        let (body, undo) = self.table.encode(&self.namer, root).ok()?;
        let sequence = self.next_sequence;
        let guess = Guess {
            kind,
            sequence: (sequence % u64::from(SEQUENCES)) as u8,
            base: RootTag::of(base),
            input: input.clone(),
            body: &body,
        };
        let message = ToClient::Guess(guess).encode();
        let bytes = message.len();
        if bytes > most_bytes {
            self.table.undo(undo);
            return None;
        }
        link.outbox.push_back(message);
        self.next_sequence += 1;
        self.flight.push(Sent { sequence, root: None, undo, at_ms: now_ms, bytes });
        self.guesses.push(sequence, foresight, self.inputs.offers_of(root), bytes);
        self.stats.guesses += 1;
        self.stats.guess_bytes += bytes as u64;
        Some(bytes)
    }

    /// The screen is beyond the limits of the protocol: says goodbye.
    fn fail(&mut self, code: CloseCode) -> Vec<u8> {
        self.start_afresh();
        if let Some(link) = &mut self.link {
            link.failed = Some(code);
        }
        ToClient::Bye { code, text: SmolStr::default() }.encode()
    }
}
