//! What is counted of a session.

use crate::sender_guesses::Guesses;

/// What a sender has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections opened.
    pub connections: u64,
    /// Of these, those whose slots were still good.
    pub resumed: u64,
    /// Messages sent.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames sent.
    pub frames: u64,
    /// Their bytes.
    pub frame_bytes: u64,
    /// Fresh frames that a client asked for.
    pub repairs: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Time from a frame or guess to its acknowledgement, smoothed.
    pub rtt_ms: Option<u64>,
    /// The shortest such time lately: it creeps up, so that another way is learned.
    pub least_rtt_ms: Option<u64>,
    /// How often that time was measured.
    pub round_trips: u64,
    /// Guesses sent.
    pub guesses: u64,
    /// Their bytes.
    pub guess_bytes: u64,
    /// Inputs that the client answered by itself, rightly.
    pub hits: u64,
    /// … and wrongly.
    pub misses: u64,
    /// Inputs for which the client showed by itself that they are being done.
    pub pending: u64,
    /// Bytes of guesses that were used.
    pub used_bytes: u64,
    /// Bytes of guesses that went without being used.
    pub wasted_bytes: u64,
}

impl Stats {
    pub(crate) fn note_guesses(&mut self, guesses: &Guesses) {
        self.hits = guesses.hits;
        self.misses = guesses.misses;
        self.pending = guesses.pending;
        self.used_bytes = guesses.used_bytes;
        self.wasted_bytes = guesses.wasted_bytes;
    }

    pub(crate) fn note_rtt(&mut self, rtt_ms: u64) {
        self.round_trips += 1;
        self.rtt_ms = Some(self.rtt_ms.map_or(rtt_ms, |old| (old * 7 + rtt_ms) / 8));
        self.least_rtt_ms = Some(self.least_rtt_ms.map_or(rtt_ms, |old| rtt_ms.min(old + old / 64 + 1)));
    }
}
