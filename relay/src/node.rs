//! A relay node: what its parts share, and how they are started.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, ServerConfig, TransportConfig};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tresen_identity::{
    Certificate, CertificateError, KeyPair, PublicPlace, Secret, TlsError, relay_server_config,
    tunnel_server_config,
};
use tresen_path::{Capacity, ClientName, FromNode, Gate, NodeAt, NodeId, Party, Router, RoutingKey};
use tresen_reach::OwnIds;

use crate::clock::Clock;
use crate::common::{Common, MOST_NODES, RedisAddress, Revision, follow};
use crate::control::{self, CLOSED, Letter};
use crate::counters::Counters;
use crate::data::DataFolder;
use crate::directory::{Damaged, Directory};
use crate::handover::HandoverKey;
use crate::limits::{LimitSettings, Limits};
use crate::looks;
use crate::moves;
use crate::neighbours::own_addresses;
use crate::own_socket::OwnSocket;
use crate::passes::{self, Passes, STREAM_WINDOW_BYTES};
use crate::places::PassLimits;
use crate::revocations;
use crate::switch::Switch;

/// An endpoint that says nothing for so long is gone; it says something every ten seconds.
const IDLE: Duration = Duration::from_secs(30);

/// What an endpoint may send before it is read, in bytes.
const RECEIVE_WINDOW_BYTES: u32 = 4096;

/// What may wait to be acknowledged by one endpoint, in bytes.
const SEND_WINDOW_BYTES: u64 = 64 * 1024;

/// How often the table is looked through for those whose time is over. Their packets are dropped before.
const SWEEP: Duration = Duration::from_secs(1);

/// What a node is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where keys and the directory lie.
    pub data: PathBuf,
    /// Where packets and control connections come in.
    pub listen: SocketAddr,
    /// The node's number within its relay, from 1 to [`crate::MOST_NODES`].
    pub node: NodeId,
    /// Where endpoints reach it, when that is not where it listens.
    pub public: Vec<SocketAddr>,
    /// How many endpoints it takes.
    pub capacity: Capacity,
    /// What networks, devices, tenants and the node may do.
    pub limits: LimitSettings,
    /// How many streams of TCP it takes.
    pub passes: PassLimits,
    /// What the nodes of the relay have in common; without, this is the only one.
    pub redis: Option<RedisAddress>,
}

impl Settings {
    /// Of the only node of a relay, with the usual limits.
    #[must_use]
    pub fn alone(data: PathBuf, listen: SocketAddr, capacity: Capacity) -> Self {
        let (limits, passes) = (LimitSettings::default(), PassLimits::default());
        Self { data, listen, node: NodeId(1), public: Vec::new(), capacity, limits, passes, redis: None }
    }
}

/// Why a node can't be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address is taken, or not one of this machine.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The number is none of a node.
    #[error("nodes are numbered from 1 to {MOST_NODES}")]
    Number,
    /// One node of several, and nobody could be told where it is.
    #[error("a node of several has to say where it is reached: name its addresses with --public")]
    NoAddress,
    /// A file of the data folder can't be read or written.
    #[error("{path} can't be used: {why}", path = .0.display(), why = .1)]
    File(PathBuf, io::Error),
    /// Another node works there.
    #[error("another node works on {}: each has a data folder of its own, with the same relay.key in it", .0.display())]
    Locked(PathBuf),
    /// The directory, or what was revoked, can't be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// The key fits no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// QUIC can't be set up.
    #[error("QUIC can't be set up: {0}")]
    Quic(io::Error),
}

/// See the module.
pub struct Node {
    pub(crate) clock: Clock,
    pub(crate) switch: Arc<Switch>,
    pub(crate) counters: Arc<Counters>,
    gate: Mutex<Gate>,
    pub(crate) directory: Arc<Mutex<Directory>>,
    pub(crate) data: DataFolder,
    pub(crate) common: Option<Arc<Common>>,
    pub(crate) number: NodeId,
    /// The nodes of the relay that take newcomers, as far as this one knows.
    pub(crate) nodes: watch::Sender<Vec<NodeAt>>,
    pub(crate) is_leaving: AtomicBool,
    /// One change reaches the disk after the other.
    pub(crate) writing: Arc<tokio::sync::Mutex<()>>,
    /// Its socket has failed for good.
    broken: CancellationToken,
    pub(crate) guests: Mutex<HashMap<Party, Guest>>,
    /// Clients that wait for their edge server's answer; one each, so no more than connections.
    callers: Mutex<HashMap<ClientName, mpsc::Sender<Letter>>>,
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
    letters: mpsc::Sender<Letter>,
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

/// Starts a node; to be called within a runtime.
///
/// # Errors
/// When something it needs can't be had.
pub fn start(settings: &Settings) -> Result<Running, StartError> {
    if !(1..=MOST_NODES).contains(&settings.node.0) {
        return Err(StartError::Number);
    }
    let data = DataFolder::open(&settings.data)?;
    let key = data.key()?;
    let routing = RoutingKey::new(Secret::new(key.derive("tresen relay routing v1")));
    let directory = Directory::load(&data.file("directory.json"))?;
    let revision = Revision::load(&data.file("directory.revision"))?;
    let (clock, counters) = (Clock::default(), Arc::new(Counters::default()));
    let mut gate = Gate::new(&[key.public_key()]);
    revocations::load(&data.file("revocations.json"), clock.now_s(), &mut gate)?;
    let socket = bind(settings.listen).map_err(|error| StartError::Listen(settings.listen, error))?;
    let listen = socket.local_addr().map_err(StartError::Quic)?;
    let limits = Arc::new(Limits::new(settings.limits));
    let router = Router::new(routing, settings.node, settings.capacity);
    let ids = OwnIds::default();
    ids.set(router.node_handles());
    let (switch, own, moves) =
        Switch::new(socket, router, clock, counters.clone(), limits.clone()).map_err(StartError::Quic)?;
    let server = Some(server_config(&key)?);
    let endpoint =
        tresen_reach::endpoint(OwnSocket::new(switch.clone(), own), ids, server).map_err(StartError::Quic)?;
    let own_addresses = own_addresses(settings, listen);
    if settings.redis.is_some() && own_addresses.is_empty() {
        return Err(StartError::NoAddress);
    }
    let tunnels = TlsAcceptor::from(Arc::new(tunnel_server_config(Certificate::for_key_pair(&key)?)?));
    let handovers = HandoverKey::of(&key);
    let common = settings.redis.clone().map(|address| {
        let own = own_addresses.iter().map(|own| own.at).collect();
        Arc::new(Common::new(address, settings.node, own, revision))
    });
    let node = Arc::new_cyclic(|node| Node {
        clock,
        switch: switch.clone(),
        counters,
        gate: Mutex::new(gate),
        directory: Arc::new(Mutex::new(directory)),
        data,
        number: settings.node,
        nodes: watch::channel(own_addresses).0,
        is_leaving: AtomicBool::new(false),
        common,
        writing: Arc::default(),
        broken: CancellationToken::new(),
        guests: Mutex::default(),
        callers: Mutex::default(),
        limits,
        passes: Arc::new(Passes::new(node.clone(), handovers, tunnels, settings.passes)),
        settled: Arc::default(),
        capacity: settings.capacity,
        second_port: looks::serve(switch.clone(), clock, listen, bind),
    });
    let broken = node.broken.clone();
    tokio::spawn(async move {
        if let Err(error) = switch.run().await {
            tracing::error!(%error, "the node's socket has failed");
            broken.cancel();
        }
    });
    tokio::spawn(control::serve(node.clone(), endpoint.clone()));
    tokio::spawn(moves::tell(Arc::downgrade(&node), moves));
    tokio::spawn(sweep(Arc::downgrade(&node)));
    if let Some(common) = &node.common {
        tokio::spawn(follow(Arc::downgrade(&node), common.clone()));
    }
    Ok(Running { node, key, listen, endpoint, closing: CancellationToken::new() })
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
    pub(crate) fn introduce(&self, party: Party, connection: &Connection, letters: mpsc::Sender<Letter>) {
        let guest = Guest { connection: connection.clone(), letters: letters.clone() };
        let before = lock(&self.guests).insert(party, guest);
        self.offer_passes(&party, connection, &letters);
        self.party_changed(&party);
        if let Some(before) = before.filter(|before| before.connection.stable_id() != connection.stable_id())
        {
            before.connection.close(CLOSED, b"");
        }
    }

    /// An edge server is told that TLS is passed on to it, if it is.
    fn offer_passes(&self, party: &Party, connection: &Connection, letters: &mpsc::Sender<Letter>) {
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
    pub(crate) fn put_caller(&self, caller: ClientName, letters: mpsc::Sender<Letter>) {
        lock(&self.callers).insert(caller, letters);
    }

    /// The connection of a client whose answer has come.
    pub(crate) fn take_caller(&self, caller: &ClientName) -> Option<mpsc::Sender<Letter>> {
        lock(&self.callers).remove(caller)
    }

    /// A client no longer waits, unless a newer connection of it does.
    pub(crate) fn remove_caller(&self, caller: &ClientName, letters: &mpsc::Sender<Letter>) {
        let mut callers = lock(&self.callers);
        if callers.get(caller).is_some_and(|waiting| waiting.same_channel(letters)) {
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

fn server_config(key: &KeyPair) -> Result<ServerConfig, StartError> {
    let tls = relay_server_config(Certificate::for_key_pair(key)?)?;
    let crypto =
        QuicServerConfig::try_from(tls).map_err(|error| StartError::Quic(io::Error::other(error)))?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    let mut transport = TransportConfig::default();
    let idle = IDLE.try_into().map_err(|error| StartError::Quic(io::Error::other(error)))?;
    transport
        .max_concurrent_bidi_streams(1_u8.into())
        .max_concurrent_uni_streams(0_u8.into())
        .datagram_receive_buffer_size(None)
        .enable_segmentation_offload(false)
        // What is received of all streams together, stays little; only edge servers get more, for what they send to browsers.
        .stream_receive_window(STREAM_WINDOW_BYTES.into())
        .receive_window(RECEIVE_WINDOW_BYTES.into())
        .send_window(SEND_WINDOW_BYTES)
        .max_idle_timeout(Some(idle));
    config.transport_config(Arc::new(transport));
    // Its address is what an endpoint is forwarded to: a new one is told by knocks, and proven.
    config.migration(false);
    Ok(config)
}

/// What may wait in the kernel to be read or sent.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024 * 1024;

fn bind(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = socket2::Socket::new(
        socket2::Domain::for_address(address),
        socket2::Type::DGRAM,
        Some(socket2::Protocol::UDP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // The system may allow less.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
