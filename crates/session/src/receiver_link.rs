//! A receiver's connection: what waits to be said on it, and what of the acknowledgements rides along.
//!
//! Invariant: the server hears an acknowledgement before everything that was said after the message arrived that it is about, and after
//! everything that was said before.

use std::collections::VecDeque;

use tresen_wire::{Hello, ToServer};

use crate::limits;

#[derive(Debug)]
pub(crate) struct Question {
    pub number: u8,
    pub asked_ms: u64,
}

/// What was applied and not acknowledged yet. An acknowledgement is worth no packet of its own while the server can go on without it.
#[derive(Debug)]
struct Owed {
    sequence: u8,
    /// When it came.
    at_ms: u64,
    due_ms: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Link {
    outbox: VecDeque<Vec<u8>>,
    pub since_ms: u64,
    pub heard_ms: u64,
    pub welcomed: bool,
    pub new_look: bool,
    /// The inputs up to this one followed the hello, and did not wait for the welcome.
    pub sent_ahead: u64,
    pub question: Option<Question>,
    pub questions: u8,
    /// Since when nothing was heard of the open inputs; moved when the first one begins to wait, and when they are sent again. Known while any is open.
    pub inputs_ms: Option<u64>,
    /// A fresh frame was asked for, then.
    pub nak_ms: Option<u64>,
    owed: Option<Owed>,
    /// Something was acknowledged: the server knows how long a round trip takes.
    acknowledges: bool,
}

impl Link {
    /// A connection that begins with a hello.
    pub fn new(now_ms: u64, hello: Hello) -> Self {
        let outbox = VecDeque::from([ToServer::Hello(hello).encode()]);
        Self { outbox, since_ms: now_ms, heard_ms: now_ms, ..Self::default() }
    }

    /// Whether there is room for another message.
    pub fn takes_more(&self) -> bool {
        self.outbox.len() < limits::OUTBOX
    }

    /// Queues a message, and before it what is owed.
    pub fn say(&mut self, now_ms: u64, message: &ToServer) {
        self.pay(now_ms);
        self.outbox.push_back(message.encode());
    }

    /// The next message to send.
    pub fn next(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        if self.outbox.is_empty() && self.owed_due_ms().is_some_and(|due_ms| due_ms <= now_ms) {
            self.pay(now_ms);
        }
        self.outbox.pop_front()
    }

    /// Whether nothing waits to be sent but what can wait.
    pub fn is_silent(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Everything up to this message is applied. `can_wait`: the server does not wait for this message's acknowledgement itself; it does for the
    /// first one of a connection, and for one of two.
    pub fn owe(&mut self, now_ms: u64, sequence: u8, can_wait: bool) {
        let alone = self.owed.is_none() && self.acknowledges;
        let due_ms = if alone && can_wait { now_ms + limits::ACK_RIDES_MS } else { now_ms };
        self.owed = Some(Owed { sequence, at_ms: now_ms, due_ms });
    }

    /// When the acknowledgement that is owed goes by itself.
    pub fn owed_due_ms(&self) -> Option<u64> {
        self.owed.as_ref().map(|owed| owed.due_ms)
    }

    fn pay(&mut self, now_ms: u64) {
        let Some(Owed { sequence, at_ms, .. }) = self.owed.take() else { return };
        self.acknowledges = true;
        let waited_ms = u16::try_from(now_ms.saturating_sub(at_ms)).unwrap_or(u16::MAX);
        self.outbox.push_back(ToServer::FrameAck { sequence, waited_ms }.encode());
    }
}
