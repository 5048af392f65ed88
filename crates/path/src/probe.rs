//! Probes: small sealed packets from the socket that carries the connection.
//!
//! ```text
//! 0x03 | link of the receiver 8 | counter 8 | sealed: kind 1 (1 ping, 2 pong), number 4, zeros 19 | tag 16
//! ```
//!
//! 57 bytes, so an answer is never larger than its question. The keys are derived from the offer's secret, one for each direction. A counter is taken once
//! (a window of 128 for what is overtaken).

use tresen_identity::Secret;

use crate::exchange::LinkId;
use crate::packet;
use crate::seal::{Sealer, TAG_BYTES};

/// Length of a probe, in bytes.
pub const PROBE_BYTES: usize = HEADER_BYTES + BODY_BYTES + TAG_BYTES;

const HEADER_BYTES: usize = 1 + 8 + 8;
const BODY_BYTES: usize = 24;

/// What a probe says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// Are you there?
    Ping(u32),
    /// I am, at the address that was asked.
    Pong(u32),
}

/// Which end this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Edge,
}

/// Seals what one end sends and opens what it gets.
pub(crate) struct ProbeKeys {
    send: Sealer,
    receive: Sealer,
    next_counter: u64,
    window: Window,
}

/// The counters that were seen: the highest one plus one, and a bit for each of the 128 below.
#[derive(Default)]
struct Window {
    next: u64,
    seen: u128,
}

impl ProbeKeys {
    pub(crate) fn new(side: Side, secret: &Secret<32>) -> Self {
        let to_edge = Sealer::derive("tresen path probe to edge v1", secret);
        let to_client = Sealer::derive("tresen path probe to client v1", secret);
        let (send, receive) = match side {
            Side::Client => (to_edge, to_client),
            Side::Edge => (to_client, to_edge),
        };
        Self { send, receive, next_counter: 0, window: Window::default() }
    }

    pub(crate) fn seal(&mut self, to: LinkId, probe: Probe) -> [u8; PROBE_BYTES] {
        let (kind, number) = match probe {
            Probe::Ping(number) => (1, number),
            Probe::Pong(number) => (2, number),
        };
        let mut datagram = [0; PROBE_BYTES];
        let (header, rest) = datagram.split_at_mut(HEADER_BYTES);
        header[0] = packet::PROBE;
        header[1..9].copy_from_slice(&to.0);
        header[9..].copy_from_slice(&self.next_counter.to_be_bytes());
        let (body, tag) = rest.split_at_mut(BODY_BYTES);
        body[0] = kind;
        body[1..5].copy_from_slice(&number.to_be_bytes());
        tag.copy_from_slice(&self.send.seal(self.next_counter, header, body));
        self.next_counter += 1;
        datagram
    }

    /// `None`: forged, malformed, or seen before.
    pub(crate) fn open(&mut self, datagram: &[u8]) -> Option<Probe> {
        let datagram: &[u8; PROBE_BYTES] = datagram.try_into().ok()?;
        let (header, rest) = datagram.split_first_chunk::<HEADER_BYTES>()?;
        let (&body, tag) = rest.split_first_chunk::<BODY_BYTES>()?;
        let (counter, mut body) = (u64::from_be_bytes(*header.last_chunk()?), body);
        self.receive.open(counter, header, &mut body, *tag.first_chunk()?)?;
        self.window.take(counter)?;
        let number = u32::from_be_bytes(*body[1..].first_chunk()?);
        match body[0] {
            1 => Some(Probe::Ping(number)),
            2 => Some(Probe::Pong(number)),
            _ => None,
        }
    }
}

impl Window {
    fn take(&mut self, counter: u64) -> Option<()> {
        let next = counter.checked_add(1)?;
        if next > self.next {
            let ahead = u32::try_from(next - self.next).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(ahead).unwrap_or(0) | 1;
            self.next = next;
            return Some(());
        }
        let bit = 1_u128.checked_shl(u32::try_from(self.next - next).ok()?)?;
        let is_new = self.seen & bit == 0;
        self.seen |= bit;
        is_new.then_some(())
    }
}

/// For whom a probe is, before anything of it is believed.
pub(crate) fn claimed_link(datagram: &[u8]) -> Option<LinkId> {
    let datagram: &[u8; PROBE_BYTES] = datagram.try_into().ok()?;
    (datagram[0] == packet::PROBE).then_some(())?;
    datagram[1..].first_chunk().map(|link| LinkId(*link))
}
