//! The client's choice of a way: through the relay, or direct.
//!
//! It alone decides, because in QUIC only a client migrates: once a way is proven it sends there, and the edge server sees an ordinary migration. So this is
//! a machine of its own, and the edge server's ([`crate::EdgePaths`]) another one; what both do alike, probing, is one (`link`).
//!
//! 1. When the end-to-end connection stands, it offers; when the answer comes, it probes, and uses the first way that is proven, or a much shorter one that is
//!    proven later.
//! 2. While it is used, the direct way is asked every [`limits::PING_BUSY_MS`]; at rest every [`limits::PING_IDLE_MS`], which keeps NAT boxes open. Without
//!    an answer for [`limits::DEAD_MS`] the client goes back to the relay, whose connection stays up all the while.
//! 3. What failed is tried again later and later; a change of the network begins anew at once.
//!
//! Order of calls: after anything, [`ClientPath::poll_message`], [`ClientPath::poll_action`] and [`ClientPath::poll_transmit`] until each gives
//! `None`; at [`ClientPath::poll_timeout`], [`ClientPath::handle_timeout`].

use std::collections::VecDeque;
use std::net::SocketAddr;

use tresen_identity::Secret;

use crate::action::{PathAction, Way};
use crate::address::canonical;
use crate::birthday::Birthday;
use crate::candidate::Local;
use crate::exchange::{Exchange, ExchangeError, LinkId, Terms};
use crate::limits;
use crate::link::{self, Link, Proven, SocketId, Transmit};
use crate::probe::{Side, claimed_link};
use crate::seal::Entropy;

/// A client's paths to one edge server.
pub struct ClientPath {
    entropy: Entropy,
    local: Option<Local>,
    connected: bool,
    round: u32,
    offered: Option<(Terms, Secret<32>)>,
    /// Probes that overtook the answer: from a box that shows an address of its own to each, they alone tell where the edge server is.
    early: Vec<(SocketId, SocketAddr, Vec<u8>)>,
    /// The newest round, and the one whose way is used.
    links: Vec<(LinkId, Link)>,
    active: Option<Active>,
    round_ends_at_ms: Option<u64>,
    retry_at_ms: Option<u64>,
    failures: usize,
    birthday_again_at_ms: u64,
    next_socket: u32,
    /// Sockets of the birthday method that are open: the first, and how many.
    open: Option<(SocketId, u32)>,
    offered_at_ms: Option<u64>,
    messages: VecDeque<Vec<u8>>,
    actions: VecDeque<PathAction>,
}

/// The direct way that is used.
struct Active {
    link: LinkId,
    way: Proven,
    busy_until_ms: u64,
    next_ping_ms: u64,
    /// When a ping was answered last.
    answered_ms: u64,
    /// Since when pings have no answer, and how many.
    unanswered: Option<(u64, u32)>,
}

impl ClientPath {
    /// Through the relay, so far. `seed` is random.
    #[must_use]
    pub fn new(seed: &Secret<32>) -> Self {
        Self {
            entropy: Entropy::new(seed),
            local: None,
            connected: false,
            round: 0,
            offered: None,
            early: Vec::new(),
            links: Vec::new(),
            active: None,
            round_ends_at_ms: None,
            retry_at_ms: None,
            failures: 0,
            birthday_again_at_ms: 0,
            next_socket: 1,
            open: None,
            offered_at_ms: None,
            messages: VecDeque::new(),
            actions: VecDeque::new(),
        }
    }

    /// Which way packets go.
    #[must_use]
    pub fn way(&self) -> Way {
        self.active.as_ref().map_or(Way::Relay, |active| Way::Direct {
            socket: active.way.socket,
            address: active.way.address,
        })
    }

    /// The round trip of the direct way that is used, in milliseconds.
    #[must_use]
    pub fn rtt_ms(&self) -> Option<u64> {
        self.active.as_ref().map(|active| active.way.rtt_ms)
    }

    /// The end-to-end connection stands.
    pub fn connected(&mut self, now_ms: u64) {
        self.connected = true;
        self.failures = 0;
        self.begin(now_ms);
    }

    /// The end-to-end connection is gone; the next one begins through the relay.
    pub fn disconnected(&mut self) {
        self.connected = false;
        (self.offered, self.offered_at_ms) = (None, None);
        (self.round_ends_at_ms, self.retry_at_ms) = (None, None);
        self.links.clear();
        self.early.clear();
        self.messages.clear();
        if self.active.take().is_some() {
            self.actions.push_back(PathAction::Use(Way::Relay));
        }
        self.close_sockets(None);
    }

    /// The network changed, or more is known of one's own addresses.
    pub fn set_local(&mut self, now_ms: u64, local: Local) {
        if self.local.as_ref() == Some(&local) {
            return;
        }
        self.local = Some(local);
        self.failures = 0;
        if let Some(active) = &mut self.active {
            (active.busy_until_ms, active.next_ping_ms) = (now_ms + limits::BUSY_MS, now_ms);
        }
        self.begin(now_ms);
    }

    fn begin(&mut self, now_ms: u64) {
        let Some(local) = self.local.as_ref().filter(|_| self.connected) else { return };
        // Sooner than that it would get no answer.
        let soonest_ms = self.offered_at_ms.map_or(0, |at_ms| at_ms + limits::OFFER_AGAIN_MS);
        if now_ms < soonest_ms {
            self.retry_at_ms = Some(soonest_ms);
            return;
        }
        self.offered_at_ms = Some(now_ms);
        self.round = self.round.wrapping_add(1);
        let (link, secret) = (LinkId(self.entropy.bytes()), Secret::new(self.entropy.bytes()));
        let candidates = local.candidates().to_vec();
        let terms = Terms { round: self.round, link, mapping: local.mapping(), candidates };
        self.messages.clear();
        self.messages.push_back(Exchange::Offer(terms.clone(), secret.clone()).encode());
        self.offered = Some((terms, secret));
        self.early.clear();
        (self.round_ends_at_ms, self.retry_at_ms) = (Some(now_ms + limits::ROUND_MS), None);
    }

    /// A message of the edge server's came over the end-to-end connection.
    ///
    /// # Errors
    /// When it is none; the shell closes the connection.
    pub fn handle_message(&mut self, now_ms: u64, message: &[u8]) -> Result<(), ExchangeError> {
        let Exchange::Answer(answer) = Exchange::decode(message)? else {
            return Err(ExchangeError::Unexpected);
        };
        // An answer to an older round is late, not wrong.
        let Some((offer, secret)) = self.offered.take_if(|(offer, _)| offer.round == answer.round) else {
            return Ok(());
        };
        let Some(local) = self.local.clone() else { return Ok(()) };
        let in_use = self.active.as_ref().map(|active| active.link);
        self.links.retain(|(id, _)| Some(*id) == in_use);
        let mut link = Link::new(now_ms, Side::Client, &secret, &local, &answer);
        let part = link::part(&local, &answer, |_| true);
        if let Some(part) = part.filter(|_| self.active.is_none() && now_ms >= self.birthday_again_at_ms) {
            self.birthday_again_at_ms = now_ms + limits::BIRTHDAY_PAUSE_MS;
            let start_ms = now_ms + limits::BIRTHDAY_AFTER_MS;
            link.set_birthday(Birthday::new(part, start_ms, self.entropy.below(1 << 32)));
        }
        self.links.push((offer.link, link));
        self.round_ends_at_ms = Some(now_ms + limits::ROUND_MS);
        for (socket, from, datagram) in std::mem::take(&mut self.early) {
            self.handle_datagram(now_ms, socket, from, &datagram);
        }
        Ok(())
    }

    /// A datagram that begins with [`crate::PROBE`] came to a socket. What is not a probe of this machine's is left alone.
    pub fn handle_datagram(&mut self, now_ms: u64, socket: SocketId, from: SocketAddr, datagram: &[u8]) {
        let Some(id) = claimed_link(datagram) else { return };
        let Some((_, link)) = self.links.iter_mut().find(|(own, _)| *own == id) else {
            let is_early = self.offered.as_ref().is_some_and(|(offer, _)| offer.link == id);
            if is_early && self.early.len() < limits::EARLY_PROBES {
                self.early.push((socket, from, datagram.to_vec()));
            }
            return;
        };
        let Some(heard) = link.handle(now_ms, socket, from, datagram) else { return };
        if let Some(way) = heard.proven {
            self.proven(now_ms, id, way);
        }
    }

    fn proven(&mut self, now_ms: u64, link: LinkId, way: Proven) {
        match &mut self.active {
            Some(active) if same_way(&active.way, &way) => {
                // From now on in the newest round that knows it.
                (active.link, active.way.rtt_ms) = (link, way.rtt_ms);
                active.answered(now_ms);
            }
            Some(active) if !active.is_doubtful() && !much_shorter(&way, &active.way) => {}
            _ => self.use_direct(now_ms, link, way),
        }
    }

    fn use_direct(&mut self, now_ms: u64, link: LinkId, way: Proven) {
        let busy_until_ms = now_ms + limits::BUSY_MS;
        let next_ping_ms = now_ms + limits::PING_BUSY_MS;
        let answered_ms = now_ms;
        self.active = Some(Active { link, way, busy_until_ms, next_ping_ms, answered_ms, unanswered: None });
        (self.failures, self.retry_at_ms, self.round_ends_at_ms) = (0, None, None);
        self.actions.push_back(PathAction::Use(self.way()));
        self.links.retain(|(id, _)| *id == link);
        self.links.iter_mut().for_each(|(_, link)| link.settle(way.socket));
        self.close_sockets(Some(way.socket));
    }

    /// Which of the sockets that were asked for could be opened. Those that come too late are closed.
    pub fn opened(&mut self, now_ms: u64, sockets: Vec<SocketId>) {
        let is_asked_for =
            |socket: &SocketId| self.open.is_some_and(|(first, count)| socket.is_among(first, count));
        let (own, late): (Vec<SocketId>, Vec<SocketId>) = sockets.into_iter().partition(is_asked_for);
        self.actions.extend(late.into_iter().map(PathAction::close));
        let birthday = self.links.iter_mut().find_map(|(_, link)| link.birthday());
        if let Some(birthday) = birthday.filter(|_| !own.is_empty()) {
            birthday.opened(now_ms, own);
        }
    }

    /// Packets of the connection were sent on the direct way.
    pub fn sent(&mut self, now_ms: u64) {
        if let Some(active) = &mut self.active {
            active.busy_until_ms = now_ms + limits::BUSY_MS;
            active.next_ping_ms = active.next_ping_ms.min(now_ms + limits::PING_BUSY_MS);
        }
    }

    /// Packets of the connection came from an address. Nobody has opened them yet, so they put off the next ping for a while, and answer none.
    pub fn received(&mut self, now_ms: u64, from: SocketAddr) {
        if let Some(active) = self.active.as_mut().filter(|active| active.way.address == canonical(from)) {
            active.heard(now_ms);
        }
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let links = self.links.iter().filter_map(|(_, link)| link.poll_timeout());
        let own =
            [self.active.as_ref().map(|active| active.next_ping_ms), self.round_ends_at_ms, self.retry_at_ms];
        links.chain(own.into_iter().flatten()).chain(self.sockets_wanted_at_ms()).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        if self.sockets_wanted_at_ms().is_some_and(|at_ms| at_ms <= now_ms) {
            let first = SocketId(self.next_socket);
            self.next_socket = self.next_socket.checked_add(limits::BIRTHDAY_SOCKETS).unwrap_or(1);
            self.open = Some((first, limits::BIRTHDAY_SOCKETS));
            self.actions.push_back(PathAction::OpenSockets { first, count: limits::BIRTHDAY_SOCKETS });
        }
        self.watch(now_ms);
        if self.round_ends_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            (self.round_ends_at_ms, self.offered) = (None, None);
            if self.active.is_none() {
                self.close_sockets(None);
                self.links.clear();
                self.try_later(now_ms);
            }
        }
        if self.retry_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            self.begin(now_ms);
        }
    }

    /// Asks whether the direct way still holds, and gives it up when it does not.
    fn watch(&mut self, now_ms: u64) {
        let Some(active) = self.active.as_mut().filter(|active| active.next_ping_ms <= now_ms) else {
            return;
        };
        let dead_ms = limits::DEAD_MS.max(2 * active.way.rtt_ms + limits::PING_AGAIN_MS);
        let (since_ms, count) = active.unanswered.unwrap_or((now_ms, 0));
        if count >= limits::DEAD_PINGS && now_ms.saturating_sub(since_ms) >= dead_ms {
            self.active = None;
            self.links.clear();
            self.actions.push_back(PathAction::Use(Way::Relay));
            self.close_sockets(None);
            if self.round_ends_at_ms.is_none() {
                self.try_later(now_ms);
            }
            return;
        }
        active.unanswered = Some((since_ms, count + 1));
        active.next_ping_ms = now_ms + limits::PING_AGAIN_MS.max(active.way.rtt_ms / 2);
        let (id, way) = (active.link, active.way);
        if let Some((_, link)) = self.links.iter_mut().find(|(own, _)| *own == id) {
            link.ping(way.socket, way.address);
        }
    }

    fn try_later(&mut self, now_ms: u64) {
        let pauses = limits::RETRY_MS;
        let pause_ms = pauses[self.failures.min(pauses.len() - 1)];
        self.failures += 1;
        // Spread by a quarter, so that those who lost their way together don't all come at once.
        self.retry_at_ms = Some(now_ms + pause_ms + self.entropy.below(pause_ms / 4));
    }

    fn sockets_wanted_at_ms(&self) -> Option<u64> {
        let mut wanted = self.links.iter().filter_map(|(_, link)| link.wants_sockets_at_ms());
        wanted.next().filter(|_| self.open.is_none())
    }

    fn close_sockets(&mut self, except: Option<SocketId>) {
        if let Some((first, count)) = self.open {
            let except = except.filter(|socket| socket.is_among(first, count));
            self.actions.push_back(PathAction::CloseSockets { first, count, except });
            self.open = except.map(|socket| (socket, 1));
        }
    }

    /// The next message for the edge server, over the end-to-end connection.
    pub fn poll_message(&mut self) -> Option<Vec<u8>> {
        self.messages.pop_front()
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<PathAction> {
        self.actions.pop_front()
    }

    /// The next probe to send.
    pub fn poll_transmit(&mut self, now_ms: u64) -> Option<Transmit> {
        self.links.iter_mut().find_map(|(_, link)| link.poll_transmit(now_ms))
    }
}

impl Active {
    /// Whether another way that holds is better: this one was asked twice in vain.
    fn is_doubtful(&self) -> bool {
        self.unanswered.is_some_and(|(_, count)| count > 1)
    }

    fn heard(&mut self, now_ms: u64) {
        if self.unanswered.is_none() && now_ms < self.busy_until_ms {
            let latest_ms = self.answered_ms + limits::PING_TRAFFIC_MS;
            self.next_ping_ms = (now_ms + limits::PING_BUSY_MS).min(latest_ms);
        }
    }

    fn answered(&mut self, now_ms: u64) {
        (self.unanswered, self.answered_ms) = (None, now_ms);
        let is_busy = now_ms < self.busy_until_ms;
        self.next_ping_ms = now_ms + if is_busy { limits::PING_BUSY_MS } else { limits::PING_IDLE_MS };
    }
}

fn same_way(one: &Proven, other: &Proven) -> bool {
    one.socket == other.socket && one.address == other.address
}

/// Worth another migration.
fn much_shorter(new: &Proven, old: &Proven) -> bool {
    new.rtt_ms + limits::SHORTER_MS < old.rtt_ms * 7 / 10
}
