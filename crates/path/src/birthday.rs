//! The birthday method: when one side's NAT box shows another port to each destination, that side sends from many sockets to the other's one port, and
//! the other side tries many ports of the first one's address, until two meet.
//!
//! With 256 sockets and 1,400 ports of 64,512 they miss each other in four of a thousand attempts (`(1 - 256/64512)^1400`). Where a box hands out
//! ports in a row, the steps between the tried ports (a golden section) can't miss a run of 256.
//!
//! Bounded and polite: in 4.2 s 1,400 pings to many ports or 768 from many sockets (120 and 65 KB, headers included), one at a time at an edge server, and
//! from it only towards an address that a relay has vouched for.

use std::net::{IpAddr, SocketAddr};

use crate::limits;
use crate::link::SocketId;

/// One side's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// From many sockets to this address.
    ManySockets(SocketAddr),
    /// From the one socket to many ports of this address.
    ManyPorts(IpAddr),
}

/// What is sent when.
pub(crate) struct Birthday {
    part: Part,
    /// The sockets that were opened for it.
    sockets: Vec<SocketId>,
    first_port: u64,
    sent: u64,
    next_at_ms: u64,
    until_ms: u64,
}

/// Ports below are not handed out by NAT boxes.
const FIRST_PORT: u64 = 1024;
const PORTS: u64 = 65_536 - FIRST_PORT;
/// The golden section of [`PORTS`], with no common divisor: every port comes once, and any few are spread evenly.
const STEP: u64 = 39_869;

impl Birthday {
    /// `random` is below 2^32.
    pub(crate) const fn new(part: Part, start_ms: u64, random: u64) -> Self {
        let until_ms = start_ms + limits::BIRTHDAY_MS;
        let first_port = random % PORTS;
        Self { part, sockets: Vec::new(), first_port, sent: 0, next_at_ms: start_ms, until_ms }
    }

    /// When its sockets are needed; `None` when it needs none, or has them.
    pub(crate) fn wants_sockets_at_ms(&self) -> Option<u64> {
        self.waits_for_sockets().then_some(self.next_at_ms)
    }

    fn waits_for_sockets(&self) -> bool {
        matches!(self.part, Part::ManySockets(_)) && self.sockets.is_empty()
    }

    pub(crate) fn opened(&mut self, now_ms: u64, sockets: Vec<SocketId>) {
        (self.sockets, self.next_at_ms) = (sockets, now_ms);
    }

    /// When the next ping is due; `None` when it is over, or waits for sockets.
    pub(crate) fn next_at_ms(&self) -> Option<u64> {
        let is_on = self.next_at_ms < self.until_ms && !self.waits_for_sockets();
        is_on.then_some(self.next_at_ms)
    }

    /// From where to where the next ping goes.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<(SocketId, SocketAddr)> {
        self.next_at_ms().filter(|at_ms| *at_ms <= now_ms)?;
        let number = self.sent;
        self.sent += 1;
        match self.part {
            Part::ManySockets(to) => {
                let count = self.sockets.len() as u64;
                let socket = self.sockets[(number % count) as usize];
                // Each socket again after a while, so three times in all: a packet may have been lost.
                let pause_ms = if self.sent.is_multiple_of(count) { limits::BIRTHDAY_AGAIN_MS } else { 1 };
                self.next_at_ms += pause_ms;
                Some((socket, to))
            }
            Part::ManyPorts(ip) => {
                let port = FIRST_PORT + (self.first_port + number * STEP) % PORTS;
                self.next_at_ms += limits::BIRTHDAY_PORT_MS;
                Some((SocketId::MAIN, SocketAddr::new(ip, port as u16)))
            }
        }
    }
}
