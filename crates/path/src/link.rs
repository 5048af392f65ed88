//! One round of probing between a client and an edge server: the same for both, because each has to open its own NAT box for the other.
//!
//! As soon as an end knows the other's candidates it sends a ping to each, and again after some time ([`limits::PING_AFTER_MS`]). A ping is answered to where it came
//! from, and that address is pinged too (a NAT box may show an address that nobody knew). A pong from where a ping went proves the way in both directions.
//!
//! Invariants: pings are bounded for each target, targets for each round; an answer is as large as its question.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use tresen_identity::Secret;

use crate::address::canonical;
use crate::birthday::{Birthday, Part};
use crate::candidate::{CandidateKind, Local, Mapping};
use crate::exchange::{LinkId, Terms};
use crate::limits;
use crate::probe::{PROBE_BYTES, Probe, ProbeKeys, Side};

/// A socket of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u32);

/// A probe to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// From this socket.
    pub socket: SocketId,
    /// To this address.
    pub to: SocketAddr,
    /// This.
    pub datagram: [u8; PROBE_BYTES],
}

/// A way that was proven in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) socket: SocketId,
    pub(crate) address: SocketAddr,
    pub(crate) rtt_ms: u64,
}

pub(crate) struct Link {
    keys: ProbeKeys,
    peer: LinkId,
    targets: Vec<Target>,
    learned: usize,
    pings: VecDeque<Ping>,
    next_number: u32,
    outbox: VecDeque<(SocketId, SocketAddr, Probe)>,
    birthday: Option<Birthday>,
}

struct Target {
    socket: SocketId,
    address: SocketAddr,
    start_ms: u64,
    /// How many of [`limits::PING_AFTER_MS`] are done.
    done: usize,
}

struct Ping {
    number: u32,
    socket: SocketId,
    to: SocketAddr,
    at_ms: u64,
}

impl SocketId {
    /// The one that carries everything.
    pub const MAIN: Self = Self(0);

    /// Whether it is one of `count` with numbers from `first` on.
    pub(crate) const fn is_among(self, first: Self, count: u32) -> bool {
        self.0.wrapping_sub(first.0) < count
    }
}

impl Target {
    fn next_at_ms(&self) -> Option<u64> {
        limits::PING_AFTER_MS.get(self.done).map(|after_ms| self.start_ms + after_ms)
    }
}

impl Link {
    /// Begins to probe what the peer offers.
    pub(crate) fn new(now_ms: u64, side: Side, secret: &Secret<32>, local: &Local, peer: &Terms) -> Self {
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in peer.candidates.iter().map(|candidate| canonical(candidate.address)) {
            // An address that is named twice is not pinged twice as often.
            if local.may_try(address) && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        let target = |address| Target { socket: SocketId::MAIN, address, start_ms: now_ms, done: 0 };
        Self {
            keys: ProbeKeys::new(side, secret),
            peer: peer.link,
            targets: addresses.into_iter().map(target).collect(),
            learned: 0,
            pings: VecDeque::new(),
            next_number: 0,
            outbox: VecDeque::new(),
            birthday: None,
        }
    }

    pub(crate) fn set_birthday(&mut self, birthday: Birthday) {
        self.birthday = Some(birthday);
    }

    /// A way from this socket is used: the birthday method is over, and its other sockets are closed.
    pub(crate) fn settle(&mut self, socket: SocketId) {
        let is_kept = |other: SocketId| other == SocketId::MAIN || other == socket;
        self.birthday = None;
        self.targets.retain(|target| is_kept(target.socket));
        self.outbox.retain(|(from, ..)| is_kept(*from));
    }

    pub(crate) fn birthday(&mut self) -> Option<&mut Birthday> {
        self.birthday.as_mut()
    }

    /// When its part of the birthday method needs sockets.
    pub(crate) fn wants_sockets_at_ms(&self) -> Option<u64> {
        self.birthday.as_ref().and_then(Birthday::wants_sockets_at_ms)
    }

    /// Asks whether a way still holds.
    pub(crate) fn ping(&mut self, socket: SocketId, to: SocketAddr) {
        let probe = Probe::Ping(self.next_number);
        self.push(socket, to, probe);
    }

    pub(crate) fn handle(
        &mut self,
        now_ms: u64,
        socket: SocketId,
        from: SocketAddr,
        datagram: &[u8],
    ) -> Option<Heard> {
        let from = canonical(from);
        match self.keys.open(datagram)? {
            Probe::Ping(number) => {
                self.push(socket, from, Probe::Pong(number));
                self.answer_in_kind(now_ms, socket, from);
                Some(Heard { proven: None })
            }
            Probe::Pong(number) => {
                let is_answered =
                    |ping: &Ping| ping.number == number && ping.socket == socket && ping.to == from;
                let at = self.pings.iter().position(is_answered)?;
                let ping = self.pings.remove(at)?;
                self.targets.retain(|target| target.address != from || target.socket != socket);
                let proven = Proven { socket, address: from, rtt_ms: now_ms.saturating_sub(ping.at_ms) };
                Some(Heard { proven: Some(proven) })
            }
        }
    }

    /// A ping came: the way back is worth a ping now, whether that address was known or not.
    fn answer_in_kind(&mut self, now_ms: u64, socket: SocketId, from: SocketAddr) {
        let known = self.targets.iter_mut().find(|target| target.address == from && target.socket == socket);
        if let Some(target) = known {
            target.start_ms =
                now_ms.saturating_sub(limits::PING_AFTER_MS.get(target.done).copied().unwrap_or(0));
        } else if self.learned < limits::LEARNED {
            self.learned += 1;
            self.targets.push(Target { socket, address: from, start_ms: now_ms, done: 0 });
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<u64> {
        if !self.outbox.is_empty() {
            return Some(0);
        }
        let targets = self.targets.iter().filter_map(Target::next_at_ms);
        targets.chain(self.birthday.as_ref().and_then(Birthday::next_at_ms)).min()
    }

    pub(crate) fn poll_transmit(&mut self, now_ms: u64) -> Option<Transmit> {
        if self.outbox.is_empty() {
            let is_due = |target: &&mut Target| target.next_at_ms().is_some_and(|at_ms| at_ms <= now_ms);
            if let Some(target) = self.targets.iter_mut().find(is_due) {
                target.done += 1;
                let (socket, address) = (target.socket, target.address);
                self.ping(socket, address);
            } else if let Some((socket, to)) =
                self.birthday.as_mut().and_then(|birthday| birthday.next(now_ms))
            {
                self.ping(socket, to);
            }
        }
        let (socket, to, probe) = self.outbox.pop_front()?;
        if let Probe::Ping(number) = probe {
            if self.pings.len() >= limits::PINGS {
                self.pings.pop_front();
            }
            self.pings.push_back(Ping { number, socket, to, at_ms: now_ms });
        }
        Some(Transmit { socket, to, datagram: self.keys.seal(self.peer, probe) })
    }

    fn push(&mut self, socket: SocketId, to: SocketAddr, probe: Probe) {
        if self.outbox.len() < limits::PROBES_WAITING {
            self.outbox.push_back((socket, to, probe));
            if let Probe::Ping(number) = probe {
                self.next_number = number.wrapping_add(1);
            }
        }
    }
}

/// An authentic probe came.
pub(crate) struct Heard {
    /// It proves this way.
    pub(crate) proven: Option<Proven>,
}

/// An end's part in the birthday method, when exactly one side's mapping is known to be hard. Either part sends hundreds of probes where the peer says that
/// it is seen, so only to an address that is `vouched` for.
pub(crate) fn part(local: &Local, peer: &Terms, vouched: impl Fn(IpAddr) -> bool) -> Option<Part> {
    let observed = peer.candidates.iter().filter(|candidate| candidate.kind == CandidateKind::Observed);
    let is_there =
        |address: &SocketAddr| address.is_ipv4() && local.may_try(*address) && vouched(address.ip());
    let address = observed.map(|candidate| candidate.address).find(is_there)?;
    match (local.mapping(), peer.mapping) {
        (Mapping::PerDestination, Mapping::Stable | Mapping::Unknown) => Some(Part::ManySockets(address)),
        (Mapping::Stable | Mapping::Unknown, Mapping::PerDestination) => Some(Part::ManyPorts(address.ip())),
        (Mapping::PerDestination, Mapping::PerDestination)
        | (Mapping::Stable | Mapping::Unknown, Mapping::Stable | Mapping::Unknown) => None,
    }
}
