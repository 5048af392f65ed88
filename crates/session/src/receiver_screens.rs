//! Screens of a receiver: frames and guesses that arrive, and what becomes of them.

use std::sync::Arc;

use tresen_scene::Node;
use tresen_wire::{Frame, Guess, SEQUENCES, ToServer};

use crate::receiver::Resume;
use crate::{PeerError, Receiver, ReceiverEvent, limits};

impl Resume {
    /// Follows the commands of a frame or guess, or a confirmation of what was shown for the input `applied`. `None` when they do not fit.
    fn apply(&mut self, applied: Option<u64>, body: &[u8]) -> Option<Arc<Node>> {
        let namer = self.namer.as_ref()?;
        if body.is_empty() {
            let root = self.guesses.claimed(applied?)?.clone();
            self.table.confirm(namer);
            return Some(root);
        }
        self.table.apply(namer, body).ok()
    }
}

impl Receiver {
    pub(crate) fn handle_frame(
        &mut self,
        now_ms: u64,
        frame: &Frame<'_>,
    ) -> Result<Option<ReceiverEvent>, PeerError> {
        if let Some(low) = frame.input_ack {
            self.handle_input_ack(now_ms, low);
        }
        let ahead = frame.sequence.wrapping_sub(self.kept.sequence).wrapping_sub(1) % SEQUENCES;
        let old = !self.lost && ahead >= SEQUENCES / 2;
        if old || self.lost && !frame.fresh {
            // Applied before, or of no use without a fresh one.
            return Ok(None);
        }
        if frame.fresh {
            self.kept.table.clear();
            self.kept.guesses.forget();
        }
        let applied = frame.applied.map(|low| self.sent_input(low));
        let fits = frame.fresh || ahead == 0;
        let root = if fits { self.kept.apply(applied, frame.body) } else { None };
        let Some(root) = root else { return self.lose(now_ms).map(|()| None) };
        self.lost = false;
        if let Some(link) = &mut self.link {
            link.nak_ms = None;
        }
        let kept = &mut self.kept;
        kept.sequence = frame.sequence;
        match applied {
            Some(applied) => {
                kept.applied = kept.applied.max(applied);
                kept.guesses.cover(now_ms, applied, root.id());
            }
            None => kept.guesses.settle(),
        }
        kept.root = Some(root);
        // A server that does not say what a frame shows answers with it what was done before it came.
        let answered = applied.unwrap_or(kept.next_input.saturating_sub(1));
        self.note_answer(now_ms, answered);
        let leaves_room = frame.body.len() <= self.riding_bytes();
        self.owe(now_ms, frame.sequence, leaves_room);
        Ok(self.root().cloned().map(ReceiverEvent::Screen))
    }

    pub(crate) fn handle_guess(
        &mut self,
        now_ms: u64,
        guess: Guess<'_>,
        bytes: usize,
    ) -> Result<(), PeerError> {
        let ahead = guess.sequence.wrapping_sub(self.kept.sequence).wrapping_sub(1) % SEQUENCES;
        if self.lost || ahead >= SEQUENCES / 2 {
            return Ok(());
        }
        let root = if ahead == 0 { self.kept.apply(None, guess.body) } else { None };
        let Some(root) = root else { return self.lose(now_ms) };
        let guesses = &mut self.kept.guesses;
        let sequence = guess.sequence;
        guesses.take(guess, root, usize::from(self.keeps));
        guesses.stats.arrived += 1;
        guesses.stats.bytes += bytes as u64;
        self.kept.sequence = sequence;
        self.owe(now_ms, sequence, false);
        Ok(())
    }

    /// Only a fresh frame is of use now.
    fn lose(&mut self, now_ms: u64) -> Result<(), PeerError> {
        self.lost = true;
        if let Some(link) = &mut self.link {
            link.nak_ms = Some(now_ms);
        }
        self.queue(now_ms, &ToServer::Nak)
    }

    /// A frame or guess was applied.
    fn owe(&mut self, now_ms: u64, sequence: u8, can_wait: bool) {
        if let Some(link) = &mut self.link {
            link.owe(now_ms, sequence, can_wait);
        }
    }

    /// A frame of at most so many bytes leaves room for guesses while it is not acknowledged.
    const fn riding_bytes(&self) -> usize {
        match self.kept.guesses.stats.arrived {
            0 => limits::ACK_RIDES_UNGUESSED_BYTES,
            _ => limits::ACK_RIDES_BYTES,
        }
    }
}
