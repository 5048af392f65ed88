//! A relay node: what its parts share.

mod start;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::{Connection, Endpoint};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tresen_identity::{KeyPair, PublicPlace};
use tresen_path::{Capacity, ClientName, FromNode, Gate, NodeAt, NodeId, Party};

use crate::clock::Clock;
use crate::common::Common;
use crate::control::{CLOSED, REPLACED};
use crate::counters::Counters;
use crate::data::DataFolder;
use crate::directory::Directory;
use crate::letters::{Letter, Letters};
use crate::limits::Limits;
use crate::passes::{self, Passes};
use crate::switch::Switch;
use crate::unsaved::Unsaved;

pub use start::{Settings, StartError, start};

/// How often the table is looked through for those whose time is over. Their packets are dropped before.
const SWEEP: Duration = Duration::from_secs(1);

/// See the module.
pub struct Node {
    pub(crate) clock: Clock,
    pub(crate) switch: Arc<Switch>,
    pub(crate) counters: Arc<Counters>,
    gate: Mutex<Gate>,
    pub(crate) directory: Mutex<Directory>,
    pub(crate) data: DataFolder,
    pub(crate) common: Option<Arc<Common>>,
    pub(crate) number: NodeId,
    /// The nodes of the relay that take newcomers, as far as this one knows.
    pub(crate) nodes: watch::Sender<Vec<NodeAt>>,
    pub(crate) is_leaving: AtomicBool,
    /// The directory is changed by one after the other ...
    pub(crate) changes: tokio::sync::Mutex<()>,
    /// ... and one file is written after the other, however long the disk takes.
    pub(crate) writing: Arc<tokio::sync::Mutex<()>>,
    pub(crate) unsaved: Arc<Unsaved>,
    /// Its socket has failed for good.
    broken: CancellationToken,
    pub(crate) guests: Mutex<HashMap<Party, Guest>>,
    /// Clients that wait for their edge server's answer; one each, so no more than connections.
    callers: Mutex<HashMap<ClientName, Letters>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) passes: Arc<Passes>,
    settled: Arc<AtomicUsize>,
    capacity: Capacity,
    /// Where endpoints look how they look from there.
    pub(crate) second_port: Option<NonZeroU16>,
}

/// A party whose control connection is open.
pub(crate) struct Guest {
    connection: Connection,
    letters: Letters,
}

/// Counts a control connection whose handshake is done, until it is dropped.
pub(crate) struct Settled(Arc<AtomicUsize>);

impl Drop for Settled {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A node at work.
pub struct Running {
    /// Its parts.
    pub node: Arc<Node>,
    /// Its key: its name is what endpoints pin.
    pub key: KeyPair,
    /// Where it listens.
    pub listen: SocketAddr,
    endpoint: Endpoint,
    closing: CancellationToken,
}

impl Running {
    /// Takes streams of TCP from now on: tunnels of endpoints whose network has no UDP, and what is passed on.
    pub fn take_streams(&self, listener: tokio::net::TcpListener) {
        let (serving, closing) = (passes::serve(listener, self.node.passes.clone()), self.closing.clone());
        tokio::spawn(async move { closing.run_until_cancelled(serving).await });
    }

    /// Passes TLS on to edge servers from now on, below `place`, to which `listener` listens; once.
    pub fn pass(&self, listener: tokio::net::TcpListener, place: PublicPlace) {
        if let (Some(common), Ok(listen)) = (&self.node.common, listener.local_addr()) {
            common.nodes().take_tls(&[listen]);
        }
        self.node.passes.set_place(place);
        for (party, guest) in lock(&self.node.guests).iter() {
            self.node.offer_passes(party, &guest.connection, &guest.letters);
        }
        self.take_streams(listener);
    }

    /// Other nodes hand TLS over to this one there; without, it is where TLS is listened for.
    pub fn take_handovers(&self, at: &[SocketAddr]) {
        if let Some(common) = &self.node.common {
            common.nodes().take_tls(at);
        }
    }

    /// Refuses newcomers, tells everybody to go elsewhere, waits a moment, and closes.
    pub async fn drain(&self, patience: Duration) {
        self.node.leave();
        for guest in lock(&self.node.guests).values() {
            let _ = guest.letters.try_send(Letter::Say(FromNode::Leaving));
        }
        tokio::time::sleep(patience).await;
        self.closing.cancel();
        self.endpoint.close(CLOSED, b"");
        self.endpoint.wait_idle().await;
        self.node.switch.tunnels.close();
    }
}

impl Node {
    /// Who and how many are here: edge servers and clients.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        self.switch.router().counts()
    }

    /// What it has done.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many streams of TCP are open, or about to be.
    #[must_use]
    pub fn open_passes(&self) -> usize {
        self.passes.open()
    }

    /// The directory, to look at.
    pub fn directory(&self) -> MutexGuard<'_, Directory> {
        lock(&self.directory)
    }

    /// Whether it still forwards.
    #[must_use]
    pub fn is_well(&self) -> bool {
        !self.broken.is_cancelled()
    }

    /// Returns when the node's socket has failed for good.
    pub async fn failed(&self) {
        self.broken.cancelled().await;
    }

    pub(crate) fn gate(&self) -> MutexGuard<'_, Gate> {
        lock(&self.gate)
    }

    pub(crate) fn settle(&self) -> Settled {
        self.settled.fetch_add(1, Ordering::Relaxed);
        Settled(self.settled.clone())
    }

    /// Control connections whose handshake is done.
    pub(crate) fn settled(&self) -> usize {
        self.settled.load(Ordering::Relaxed)
    }

    /// Every party has one, and may make a new one before the old one is known to be gone.
    pub(crate) const fn most_connections(&self) -> usize {
        2 * (self.capacity.edges + self.capacity.clients)
    }

    /// This connection speaks for a party; one that did before is closed.
    pub(crate) fn introduce(&self, party: Party, connection: &Connection, letters: Letters) {
        let guest = Guest { connection: connection.clone(), letters: letters.clone() };
        let before = lock(&self.guests).insert(party, guest);
        self.offer_passes(&party, connection, &letters);
        self.party_changed(&party);
        if let Some(before) = before.filter(|before| before.connection.stable_id() != connection.stable_id())
        {
            before.connection.close(REPLACED, b"");
        }
    }

    /// An edge server is told that TLS is passed on to it, if it is.
    fn offer_passes(&self, party: &Party, connection: &Connection, letters: &Letters) {
        if let Some(place) = self.passes.place()
            && self.passes.introduce(party, connection)
        {
            let _ = letters.try_send(Letter::Say(FromNode::Public(place.clone())));
        }
    }

    /// This connection no longer speaks for a party.
    pub(crate) fn forget(&self, party: &Party, connection: &Connection) {
        self.passes.forget(party, connection);
        let mut guests = lock(&self.guests);
        if guests.get(party).is_some_and(|guest| guest.connection.stable_id() == connection.stable_id()) {
            guests.remove(party);
            drop(guests);
            self.party_changed(party);
        }
    }

    /// Tells a party something, when its connection is open and it listens. Whether it was told.
    pub(crate) fn tell(&self, party: &Party, letter: FromNode) -> bool {
        let guests = lock(&self.guests);
        guests.get(party).is_some_and(|guest| guest.letters.try_send(Letter::Say(letter)).is_ok())
    }

    /// A client waits for its edge server's answer.
    pub(crate) fn put_caller(&self, caller: ClientName, letters: Letters) {
        lock(&self.callers).insert(caller, letters);
    }

    /// The connection of a client whose answer has come.
    pub(crate) fn take_caller(&self, caller: &ClientName) -> Option<Letters> {
        lock(&self.callers).remove(caller)
    }

    /// A client no longer waits, unless a newer connection of it does.
    pub(crate) fn remove_caller(&self, caller: &ClientName, letters: &Letters) {
        let mut callers = lock(&self.callers);
        if callers.get(caller).is_some_and(|waiting| waiting.is_same(letters)) {
            callers.remove(caller);
        }
    }

    pub(crate) fn let_go(&self, parties: &[Party]) {
        let mut guests = lock(&self.guests);
        // Somebody may have come again meanwhile.
        let is_gone = |party: &&Party| self.switch.router().address_of(party).is_none();
        for guest in parties.iter().filter(is_gone).filter_map(|party| guests.remove(party)) {
            guest.connection.close(CLOSED, b"");
        }
        drop(guests);
        parties.iter().for_each(|party| self.party_changed(party));
    }
}

/// Takes out whose time is over.
async fn sweep(node: std::sync::Weak<Node>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let Some(node) = node.upgrade() else { return };
        let gone = node.switch.router_mut().handle_timeout(node.clock.now_ms());
        node.let_go(&gone);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
