//! How a node is started: what it needs, and why it can't be had.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{ServerConfig, TransportConfig};
use thiserror::Error;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tresen_identity::{
    Certificate, CertificateError, KeyPair, Secret, TlsError, relay_server_config, tunnel_server_config,
};
use tresen_path::{Capacity, Gate, NodeId, Router, RoutingKey};
use tresen_reach::OwnIds;

use super::{Node, Running, sweep};
use crate::clock::Clock;
use crate::common::{Common, MOST_NODES, RedisAddress, Revision, follow};
use crate::control;
use crate::counters::Counters;
use crate::data::DataFolder;
use crate::directory::{Damaged, Directory};
use crate::handover::HandoverKey;
use crate::limits::{LimitSettings, Limits};
use crate::looks;
use crate::moves;
use crate::neighbours::own_addresses;
use crate::own_socket::OwnSocket;
use crate::passes::{Passes, STREAM_WINDOW_BYTES};
use crate::places::PassLimits;
use crate::revocations;
use crate::switch::Switch;
use crate::unsaved::keep_saved;

/// An endpoint that says nothing for so long is gone; it says something every ten seconds.
const IDLE: Duration = Duration::from_secs(30);

/// What an endpoint may send before it is read, in bytes.
const RECEIVE_WINDOW_BYTES: u32 = 4096;

/// What may wait to be acknowledged by one endpoint, in bytes.
const SEND_WINDOW_BYTES: u64 = 64 * 1024;

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
        directory: Mutex::new(directory),
        data,
        number: settings.node,
        nodes: watch::channel(own_addresses).0,
        is_leaving: AtomicBool::new(false),
        common,
        changes: tokio::sync::Mutex::default(),
        writing: Arc::default(),
        unsaved: Arc::default(),
        broken: CancellationToken::new(),
        guests: Mutex::default(),
        callers: Mutex::default(),
        limits,
        passes: Arc::new(Passes::new(node.clone(), handovers, tunnels, settings.passes)),
        settled: Arc::default(),
        capacity: settings.capacity,
        second_port: looks::serve(switch.clone(), clock, listen, bind),
    });
    tokio::spawn(forward(switch, node.broken.clone()));
    tokio::spawn(control::serve(node.clone(), endpoint.clone()));
    tokio::spawn(moves::tell(Arc::downgrade(&node), moves));
    tokio::spawn(sweep(Arc::downgrade(&node)));
    tokio::spawn(keep_saved(Arc::downgrade(&node)));
    if let Some(common) = &node.common {
        tokio::spawn(follow(Arc::downgrade(&node), common.clone()));
    }
    Ok(Running { node, key, listen, endpoint, closing: CancellationToken::new() })
}

/// Forwards packets until the socket fails for good.
async fn forward(switch: Arc<Switch>, broken: CancellationToken) {
    if let Err(error) = switch.run().await {
        tracing::error!(%error, "the node's socket has failed");
        broken.cancel();
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
        // What is said here is short, and a probe would cost every connection a larger buffer for good.
        .mtu_discovery_config(None)
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
