//! A connection over a lossy path as the session sees one: one stream of messages each way, in order and whole, until it breaks.
//!
//! After QUIC (RFC 9000, RFC 9002): numbered packets that are never sent again as such, acknowledgements of the last sixty-four, loss by
//! what was acknowledged after, probes that wait twice as long each time, slow start and halving, an idle limit, and an address that may
//! change: a server that hears from a new one asks back at once, which also tells what was lost on the old one, and says nothing else until
//! it has an answer (a few bytes allow no more than three times as many to an address that nobody has proven).
//!
//! Not for: encryption, flow control, datagrams.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use crate::wan::SECOND;

/// Content of a packet.
const CHUNK_BYTES: usize = 1_200;
/// Headers of a packet, of IP and UDP too, and what encryption adds.
const HEADER_BYTES: usize = 28 + 30;
/// Size of the packets that open a connection.
const OPENING_BYTES: usize = 1_228;
/// Packets under way at the beginning.
const FIRST_WINDOW: f64 = 10.0;
/// A probe sends so much again.
const PROBE_CHUNKS: usize = 2;
/// A connection on which nothing arrives for so long is gone.
const IDLE_US: u64 = 45 * SECOND;
/// An opening without an answer is given up after this.
const OPENING_US: u64 = 10 * SECOND;

/// What goes over a path.
#[derive(Clone, Debug)]
pub enum Packet {
    /// A client wants a connection.
    Open,
    /// It has one.
    Opened,
    /// A piece of the stream.
    Data {
        /// Counts the packets.
        number: u64,
        /// What is in it.
        chunk: Rc<Chunk>,
    },
    /// Wants an answer.
    Probe {
        /// Counts the packets.
        number: u64,
    },
    /// Packets have arrived.
    Ack {
        /// The newest.
        newest: u64,
        /// And which of the sixty-three before it, the nearest in the lowest bit but one.
        those: u64,
    },
    /// The connection is over.
    Close,
}

/// A piece of a message.
#[derive(Debug)]
pub struct Chunk {
    index: u64,
    bytes: Vec<u8>,
    last: bool,
}

/// The connection is gone: nothing was heard for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// Whether the other end lives at its new address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// It has to be asked.
    ToAsk,
    /// It was, by the packet with this number.
    Asked(u64),
}

#[derive(Debug)]
struct Sent {
    index: Option<u64>,
    at_us: u64,
}

/// One end of a connection.
#[derive(Debug)]
pub struct End {
    opened: bool,
    since_us: u64,
    heard_us: u64,
    /// Control packets to be sent.
    outbox: VecDeque<Packet>,
    next_number: u64,
    next_index: u64,
    open: BTreeMap<u64, Rc<Chunk>>,
    /// Of the open ones, those never sent.
    fresh: VecDeque<u64>,
    again: BTreeSet<u64>,
    flying: BTreeMap<u64, Sent>,
    newest_acked: Option<u64>,
    unproven: Option<Proof>,
    window: f64,
    threshold: f64,
    halved_us: u64,
    round_trip_us: Option<(u64, u64)>,
    probes: u32,
    probing: usize,
    eliciting_us: u64,
    expected: u64,
    parts: BTreeMap<u64, Rc<Chunk>>,
    message: Vec<u8>,
    arrived: VecDeque<Vec<u8>>,
    held_back: Option<Vec<u8>>,
    received: Option<(u64, u64)>,
    owes_ack: bool,
}

impl End {
    /// The client's end of a new connection.
    #[must_use]
    pub fn client(now_us: u64) -> Self {
        let mut end = Self::new(now_us, false);
        end.outbox.push_back(Packet::Open);
        end
    }

    /// The server's end, when a client wanted a connection.
    #[must_use]
    pub fn server(now_us: u64) -> Self {
        let mut end = Self::new(now_us, true);
        end.outbox.push_back(Packet::Opened);
        end
    }

    fn new(now_us: u64, opened: bool) -> Self {
        Self {
            opened,
            since_us: now_us,
            heard_us: now_us,
            outbox: VecDeque::new(),
            next_number: 0,
            next_index: 0,
            open: BTreeMap::new(),
            fresh: VecDeque::new(),
            again: BTreeSet::new(),
            flying: BTreeMap::new(),
            newest_acked: None,
            unproven: None,
            window: FIRST_WINDOW,
            threshold: f64::MAX,
            halved_us: 0,
            round_trip_us: None,
            probes: 0,
            probing: 0,
            eliciting_us: now_us,
            expected: 0,
            parts: BTreeMap::new(),
            message: Vec::new(),
            arrived: VecDeque::new(),
            held_back: None,
            received: None,
            owes_ack: false,
        }
    }

    /// Whether messages can be sent.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.opened
    }

    /// Puts a message into the stream.
    pub fn send(&mut self, message: &[u8]) {
        let mut pieces = message.chunks(CHUNK_BYTES).peekable();
        while let Some(piece) = pieces.next() {
            let index = self.next_index;
            self.next_index += 1;
            let chunk = Chunk { index, bytes: piece.to_vec(), last: pieces.peek().is_none() };
            self.open.insert(index, Rc::new(chunk));
            self.fresh.push_back(index);
        }
    }

    /// What of the stream has not been acknowledged, in packets.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.open.len()
    }

    /// The own address has changed: asks whether anybody is there.
    pub fn address_changed(&mut self) {
        self.probing = self.probing.max(1);
    }

    /// The other end has another address, so it says: nothing else goes there until it has answered.
    pub fn peer_moved(&mut self) {
        self.unproven = Some(Proof::ToAsk);
    }

    /// A packet has arrived.
    pub fn handle(&mut self, now_us: u64, packet: &Packet) {
        self.heard_us = now_us;
        match packet {
            Packet::Open => self.outbox.push_back(Packet::Opened),
            Packet::Opened if !self.opened => {
                self.opened = true;
                self.measure(now_us - self.since_us);
            }
            Packet::Opened | Packet::Close => {}
            Packet::Data { number, chunk } => {
                self.note_received(*number);
                if chunk.index >= self.expected {
                    self.parts.insert(chunk.index, chunk.clone());
                }
                self.assemble();
            }
            Packet::Probe { number } => self.note_received(*number),
            Packet::Ack { newest, those } => self.handle_ack(now_us, *newest, *those),
        }
    }

    /// The next message of the stream.
    pub fn poll_message(&mut self) -> Option<Vec<u8>> {
        self.arrived.pop_front()
    }

    /// The next packet to send, and its size.
    pub fn poll_packet(&mut self, now_us: u64) -> Option<(usize, Packet)> {
        if let Some(packet) = self.outbox.pop_front() {
            return Some((OPENING_BYTES, packet));
        }
        if !self.opened {
            return None;
        }
        match self.unproven {
            Some(Proof::ToAsk) => {
                let number = self.number(now_us, None);
                self.unproven = Some(Proof::Asked(number));
                return Some((OPENING_BYTES, Packet::Probe { number }));
            }
            Some(Proof::Asked(_)) => return None,
            None => {}
        }
        let (probe, room) = (self.probing > 0, self.flying.len() < self.window as usize);
        let index = match self.again.first() {
            Some(_) if probe || room => self.again.pop_first(),
            None if probe || room => self.fresh.pop_front(),
            _ => None,
        };
        if index.is_some() || probe {
            self.probing = self.probing.saturating_sub(1);
            let number = self.number(now_us, index);
            let chunk = index.and_then(|index| self.open.get(&index)).cloned();
            return Some(match chunk {
                Some(chunk) => (HEADER_BYTES + chunk.bytes.len(), Packet::Data { number, chunk }),
                None => (HEADER_BYTES, Packet::Probe { number }),
            });
        }
        let (newest, those) = self.received.filter(|_| std::mem::take(&mut self.owes_ack))?;
        Some((HEADER_BYTES, Packet::Ack { newest, those }))
    }

    /// When to call [`End::handle_timeout`] if nothing else happens before.
    #[must_use]
    pub fn next_us(&self) -> u64 {
        if !self.opened {
            return self.probe_us().min(self.since_us + OPENING_US);
        }
        let idle_us = self.heard_us + IDLE_US;
        if self.flying.is_empty() { idle_us } else { idle_us.min(self.probe_us()).min(self.lost_us()) }
    }

    /// Time has passed.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn handle_timeout(&mut self, now_us: u64) -> Result<(), Gone> {
        let dead_us = if self.opened { self.heard_us + IDLE_US } else { self.since_us + OPENING_US };
        if now_us >= dead_us {
            return Err(Gone);
        }
        if !self.opened {
            if now_us >= self.probe_us() {
                self.probes += 1;
                self.eliciting_us = now_us;
                self.outbox.push_back(Packet::Open);
            }
            return Ok(());
        }
        if self.flying.is_empty() {
            return Ok(());
        }
        if now_us >= self.lost_us() {
            self.find_lost(now_us);
        } else if now_us >= self.probe_us() {
            self.probes += 1;
            self.probing = PROBE_CHUNKS;
            self.unproven = self.unproven.map(|_| Proof::ToAsk);
            self.eliciting_us = now_us;
            let oldest = self.flying.values().filter_map(|sent| sent.index).take(PROBE_CHUNKS);
            self.again.extend(oldest.filter(|index| self.open.contains_key(index)));
        }
        Ok(())
    }

    /// The number of a packet that is sent now.
    fn number(&mut self, now_us: u64, index: Option<u64>) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        self.eliciting_us = now_us;
        self.flying.insert(number, Sent { index, at_us: now_us });
        number
    }

    fn note_received(&mut self, number: u64) {
        self.owes_ack = true;
        self.received = Some(match self.received {
            None => (number, 1),
            Some((newest, those)) if number > newest => {
                (number, those.checked_shl((number - newest) as u32).unwrap_or(0) | 1)
            }
            Some((newest, those)) => {
                (newest, those | 1_u64.checked_shl((newest - number) as u32).unwrap_or(0))
            }
        });
    }

    fn assemble(&mut self) {
        while let Some(chunk) = self.parts.remove(&self.expected) {
            self.expected += 1;
            self.message.extend_from_slice(&chunk.bytes);
            if chunk.last {
                self.arrived.push_back(std::mem::take(&mut self.message));
            }
        }
    }
}

mod loss;
mod spoil;
#[cfg(test)]
mod tests;
