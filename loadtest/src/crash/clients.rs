//! The clients: each numbers its bookings, keeps a few unanswered, and sends those again after a restart.

use rand::RngExt;
use rand::rngs::StdRng;

/// Most bookings that a client has under way.
const UNANSWERED_MAX: u64 = 8;

/// One client.
pub(super) struct Client {
    pub(super) session: u32,
    pub(super) acknowledged: u64,
    pub(super) sent: u64,
}

impl Client {
    pub(super) fn new(session: u32) -> Client {
        Client { session, acknowledged: 0, sent: 0 }
    }

    /// What to send after a restart: everything that was not answered, and perhaps more.
    pub(super) fn again(&mut self, random: &mut StdRng) -> Vec<u64> {
        self.sent = self.sent.max(self.acknowledged + random.random_range(1..=UNANSWERED_MAX));
        (self.acknowledged + 1..=self.sent).collect()
    }

    /// Takes an answer and gives what to send next.
    pub(super) fn answered(&mut self, input: u64, random: &mut StdRng) -> Vec<u64> {
        self.acknowledged = self.acknowledged.max(input);
        let wanted = self.acknowledged + random.random_range(1..=UNANSWERED_MAX);
        let more = (self.sent + 1..=wanted).collect();
        self.sent = self.sent.max(wanted);
        more
    }
}
