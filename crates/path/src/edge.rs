//! The edge server's paths: it answers offers, opens its NAT box for clients, and answers their pings. It chooses nothing: where a client's packets
//! come from, an ordinary QUIC migration follows.
//!
//! Invariants: rounds are bounded, and each connection has two at most, the newest and the one last heard, whose way may still be used; the birthday method
//! runs for one client at a time, and only towards an address that the relay vouches for, so that no device can have a stranger flooded. A client with which it led
//! nowhere has to wait ([`limits::BIRTHDAY_PAUSE_MS`]), and one with which it led somewhere for a while that depends on how long that took
//! ([`limits::BIRTHDAY_MET_PAUSES`]), so that none keeps it from the others.
//!
//! Order of calls: as with [`crate::ClientPath`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use tresen_identity::Secret;

use crate::action::PathAction;
use crate::birthday::Birthday;
use crate::candidate::Local;
use crate::exchange::{Exchange, ExchangeError, LinkId, Terms};
use crate::limits;
use crate::link::{self, Link, SocketId, Transmit};
use crate::probe::{Side, claimed_link};
use crate::seal::Entropy;

/// A client's end-to-end connection, as the shell numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionNumber(pub u64);

/// An edge server's paths to all of its clients.
pub struct EdgePaths {
    entropy: Entropy,
    local: Option<Local>,
    rounds: BTreeMap<LinkId, Round>,
    /// Of each connection, those that are kept.
    of_connections: BTreeMap<ConnectionNumber, Vec<LinkId>>,
    /// Rounds that have something to say, and when: what one costs does not depend on how many there are.
    due: BTreeSet<(u64, LinkId)>,
    birthday: Option<Running>,
    /// With whom it was tried lately, and when it may be again.
    birthday_again_at_ms: BTreeMap<ConnectionNumber, u64>,
    next_socket: u32,
    messages: VecDeque<(ConnectionNumber, Vec<u8>)>,
    actions: VecDeque<PathAction>,
}

struct Round {
    connection: ConnectionNumber,
    at_ms: u64,
    heard_at_ms: u64,
    link: Link,
    /// One of the birthday method's sockets that it uses.
    socket: Option<SocketId>,
    /// As it stands in the list of those that have something to say.
    due_ms: Option<u64>,
}

/// The birthday method, for one client.
struct Running {
    link: LinkId,
    since_ms: u64,
    until_ms: u64,
    /// The first of the sockets that were asked for.
    first: Option<SocketId>,
}

impl EdgePaths {
    /// Without clients. `seed` is random.
    #[must_use]
    pub fn new(seed: &Secret<32>) -> Self {
        Self {
            entropy: Entropy::new(seed),
            local: None,
            rounds: BTreeMap::new(),
            of_connections: BTreeMap::new(),
            due: BTreeSet::new(),
            birthday: None,
            birthday_again_at_ms: BTreeMap::new(),
            next_socket: 1,
            messages: VecDeque::new(),
            actions: VecDeque::new(),
        }
    }

    /// What is known of one's own addresses; for the offers that come from now on.
    pub fn set_local(&mut self, local: Local) {
        self.local = Some(local);
    }

    /// How many rounds are kept.
    #[must_use]
    pub fn round_count(&self) -> usize {
        self.rounds.len()
    }

    /// From when on an offer of this connection is answered.
    #[must_use]
    pub fn next_offer_ms(&self, connection: ConnectionNumber) -> u64 {
        let own = self.rounds_of(connection).into_iter();
        own.map(|(round, _)| round.at_ms + limits::OFFER_PAUSE_MS).max().unwrap_or(0)
    }

    /// A client's message came over its end-to-end connection. `vouched`: its address as the relay sees it, told over the control connection. An offer
    /// that comes too soon after the one before ([`limits::OFFER_PAUSE_MS`]), or when there is no room, gets no answer: the client offers again.
    ///
    /// # Errors
    /// When it is none; the shell closes the connection.
    pub fn handle_message(
        &mut self,
        now_ms: u64,
        connection: ConnectionNumber,
        message: &[u8],
        vouched: Option<IpAddr>,
    ) -> Result<(), ExchangeError> {
        let Exchange::Offer(offer, secret) = Exchange::decode(message)? else {
            return Err(ExchangeError::Unexpected);
        };
        let Some(local) = self.local.clone() else { return Ok(()) };
        let is_soon = now_ms < self.next_offer_ms(connection);
        let own = self.rounds_of(connection);
        if is_soon || own.len() < 2 && self.rounds.len() >= limits::ROUNDS {
            return Ok(());
        }
        let longest_silent = own.iter().min_by_key(|(round, _)| round.heard_at_ms).map(|(_, id)| *id);
        if let Some(id) = longest_silent.filter(|_| own.len() >= 2) {
            self.remove(id);
        }
        let mut link = Link::new(now_ms, Side::Edge, &secret, &local, &offer);
        let id = LinkId(self.entropy.bytes());
        let is_vouched = |ip: IpAddr| vouched.is_some_and(|vouched| vouched.to_canonical() == ip);
        let part = link::part(&local, &offer, is_vouched);
        if let Some(part) = part.filter(|_| self.may_have_birthday(now_ms, connection)) {
            self.birthday_again_at_ms.insert(connection, now_ms + limits::BIRTHDAY_PAUSE_MS);
            let start_ms = now_ms + limits::BIRTHDAY_AFTER_MS;
            link.set_birthday(Birthday::new(part, start_ms, self.entropy.below(1 << 32)));
            let until_ms = start_ms + limits::BIRTHDAY_MS;
            self.birthday = Some(Running { link: id, since_ms: now_ms, until_ms, first: None });
        }
        let (at_ms, heard_at_ms) = (now_ms, now_ms);
        self.rounds.insert(id, Round { connection, at_ms, heard_at_ms, link, socket: None, due_ms: None });
        self.of_connections.entry(connection).or_default().push(id);
        self.plan(id);
        let candidates = local.candidates().to_vec();
        let answer = Terms { round: offer.round, link: id, mapping: local.mapping(), candidates };
        self.messages.push_back((connection, Exchange::Answer(answer).encode()));
        Ok(())
    }

    /// A datagram that begins with [`crate::PROBE`] came to a socket. What is not a probe of this machine's is left alone.
    pub fn handle_datagram(&mut self, now_ms: u64, socket: SocketId, from: SocketAddr, datagram: &[u8]) {
        let Some(id) = claimed_link(datagram) else { return };
        let Some(round) = self.rounds.get_mut(&id) else { return };
        let Some(heard) = round.link.handle(now_ms, socket, from, datagram) else { return };
        round.heard_at_ms = now_ms;
        let is_extra = socket != SocketId::MAIN;
        let birthday = self.birthday.as_ref().filter(|running| running.link == id);
        if let Some(running) = birthday.filter(|_| is_extra || heard.proven.is_some()) {
            round.socket = is_extra.then_some(socket);
            let pause_ms = limits::BIRTHDAY_MET_PAUSES * now_ms.saturating_sub(running.since_ms);
            self.birthday_again_at_ms.insert(round.connection, now_ms + pause_ms);
            self.end_birthday();
        }
        self.plan(id);
    }

    /// Which of the sockets that were asked for could be opened. Those that come too late are closed.
    pub fn opened(&mut self, now_ms: u64, sockets: Vec<SocketId>) {
        let running = self.birthday.as_ref().and_then(|running| Some((running.link, running.first?)));
        let is_asked_for = |socket: &SocketId| {
            running.is_some_and(|(_, first)| socket.is_among(first, limits::BIRTHDAY_SOCKETS))
        };
        let is_used = |socket: &SocketId| self.rounds.values().any(|round| round.socket == Some(*socket));
        let (own, late): (Vec<SocketId>, Vec<SocketId>) = sockets.into_iter().partition(is_asked_for);
        let late = late.into_iter().filter(|socket| !is_used(socket));
        self.actions.extend(late.map(PathAction::close));
        let birthday = running.and_then(|(link, _)| self.rounds.get_mut(&link)?.link.birthday());
        if let Some(birthday) = birthday.filter(|_| !own.is_empty()) {
            birthday.opened(now_ms, own);
        }
        if let Some((link, _)) = running {
            self.plan(link);
        }
    }

    /// A client's end-to-end connection is gone.
    pub fn closed(&mut self, connection: ConnectionNumber) {
        self.messages.retain(|(of, _)| *of != connection);
        let own: Vec<LinkId> = self.rounds_of(connection).into_iter().map(|(_, id)| id).collect();
        own.into_iter().for_each(|id| self.remove(id));
    }

    fn rounds_of(&self, connection: ConnectionNumber) -> Vec<(&Round, LinkId)> {
        let own = self.of_connections.get(&connection).into_iter().flatten();
        own.filter_map(|id| Some((self.rounds.get(id)?, *id))).collect()
    }

    /// Whether the birthday method is free, and this client does not have to wait for it.
    fn may_have_birthday(&mut self, now_ms: u64, connection: ConnectionNumber) -> bool {
        self.birthday_again_at_ms.retain(|_, again_at_ms| *again_at_ms > now_ms);
        let has_room = self.birthday_again_at_ms.len() < limits::ROUNDS;
        self.birthday.is_none() && has_room && !self.birthday_again_at_ms.contains_key(&connection)
    }

    fn remove(&mut self, id: LinkId) {
        if self.birthday.as_ref().is_some_and(|running| running.link == id) {
            self.end_birthday();
        }
        let Some(round) = self.rounds.remove(&id) else { return };
        if let Some(own) = self.of_connections.get_mut(&round.connection) {
            own.retain(|other| *other != id);
            if own.is_empty() {
                self.of_connections.remove(&round.connection);
            }
        }
        if let Some(due_ms) = round.due_ms {
            self.due.remove(&(due_ms, id));
        }
        if let Some(socket) = round.socket {
            self.actions.push_back(PathAction::close(socket));
        }
    }

    /// To be called when what a round has to say may have changed.
    fn plan(&mut self, id: LinkId) {
        let Some(round) = self.rounds.get_mut(&id) else { return };
        let due_ms = round.link.poll_timeout();
        if let Some(before_ms) = std::mem::replace(&mut round.due_ms, due_ms) {
            self.due.remove(&(before_ms, id));
        }
        self.due.extend(due_ms.map(|due_ms| (due_ms, id)));
    }

    fn end_birthday(&mut self) {
        let Some(running) = self.birthday.take() else { return };
        let round = self.rounds.get_mut(&running.link);
        let except = round.and_then(|round| {
            round.link.settle(round.socket.unwrap_or(SocketId::MAIN));
            round.socket
        });
        if let Some(first) = running.first {
            let count = limits::BIRTHDAY_SOCKETS;
            self.actions.push_back(PathAction::CloseSockets { first, count, except });
        }
        self.plan(running.link);
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let of_rounds = self.due.first().map(|(due_ms, _)| *due_ms);
        let own = [self.sockets_wanted_at_ms(), self.birthday.as_ref().map(|running| running.until_ms)];
        own.into_iter().chain([of_rounds]).flatten().min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        let wanted = self.sockets_wanted_at_ms().is_some_and(|at_ms| at_ms <= now_ms);
        if let Some(running) = self.birthday.as_mut().filter(|_| wanted) {
            let first = SocketId(self.next_socket);
            self.next_socket = self.next_socket.checked_add(limits::BIRTHDAY_SOCKETS).unwrap_or(1);
            running.first = Some(first);
            self.actions.push_back(PathAction::OpenSockets { first, count: limits::BIRTHDAY_SOCKETS });
        }
        if self.birthday.as_ref().is_some_and(|running| running.until_ms <= now_ms) {
            self.end_birthday();
        }
    }

    fn sockets_wanted_at_ms(&self) -> Option<u64> {
        let running = self.birthday.as_ref().filter(|running| running.first.is_none())?;
        self.rounds.get(&running.link)?.link.wants_sockets_at_ms()
    }

    /// The next message, and over which end-to-end connection it goes.
    pub fn poll_message(&mut self) -> Option<(ConnectionNumber, Vec<u8>)> {
        self.messages.pop_front()
    }

    /// The next thing to do; an edge server is never told to use a way.
    pub fn poll_action(&mut self) -> Option<PathAction> {
        self.actions.pop_front()
    }

    /// The next probe to send.
    pub fn poll_transmit(&mut self, now_ms: u64) -> Option<Transmit> {
        let (_, id) = self.due.first().copied().filter(|(due_ms, _)| *due_ms <= now_ms)?;
        let transmit = self.rounds.get_mut(&id)?.link.poll_transmit(now_ms);
        self.plan(id);
        transmit
    }
}
