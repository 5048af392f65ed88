//! A device's way to its edge server through a relay, and past it when there is one.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{ClientConfig, Connection, Endpoint};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tresen_identity::{Fingerprint, KeyPair, RelayRoute};
use tresen_path::{EdgeName, ToNode, Way, canonical};

use crate::approach::{Caller, Reached};
use crate::control::ControlFailed;
use crate::direct::{Means, News, keep_direct};
use crate::ids::{EdgeIds, OwnIds};
use crate::knocking::{Moved, Seen, moves};
use crate::resolve::resolve;
use crate::routed::RoutedSocket;
use crate::socket::{OwnPackets, Socket, endpoint, own_packets};
use crate::stay::{Guest, Nodes, ask, stay};

/// Names in certificates mean nothing, but TLS wants one.
const SERVER_NAME: &str = "tresen";

/// How long an address of the relay may take to answer: there may be others.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);

/// Words about traffic that may wait.
const TRAFFIC: usize = 16;

/// Why the edge server is not reached.
#[derive(Debug, Error)]
pub enum NotReached {
    /// The relay has no address here.
    #[error("the relay {0} has no address here")]
    NoAddress(String),
    /// An address of the relay.
    #[error("the relay at {0} does not answer")]
    Silent(SocketAddr),
    /// The control connection.
    #[error(transparent)]
    Control(#[from] ControlFailed),
    /// The relay or the edge server refuses.
    #[error("the relay or the server refuses this device, or the server is not there")]
    Refused,
    /// The system gives no socket.
    #[error("no socket: {0}")]
    Socket(#[from] std::io::Error),
    /// QUIC is not set up for it.
    #[error(transparent)]
    Setup(#[from] quinn::ConnectError),
    /// The edge server does not answer.
    #[error("the server does not answer through the relay: {0}")]
    Connect(#[from] quinn::ConnectionError),
}

/// The way of packets to an edge server that was called through its relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Through the relay, by UDP.
    Relayed,
    /// Through the relay, which is reached by TLS alone.
    Tunnelled,
    /// Past the relay, to this address.
    Direct(SocketAddr),
}

/// To hear of the ways that packets take, one after another.
#[derive(Clone)]
pub struct Ways {
    routed: Arc<RoutedSocket>,
    way: watch::Receiver<Way>,
}

impl Ways {
    fn route(&self) -> Route {
        match *self.way.borrow() {
            Way::Direct { address, .. } => Route::Direct(address),
            Way::Relay if self.routed.is_tunnelled() => Route::Tunnelled,
            Way::Relay => Route::Relayed,
        }
    }

    /// Waits for another one, or for another way to the relay. Safe to drop and call again.
    pub async fn change(&mut self) -> Route {
        if self.way.changed().await.is_err() {
            return std::future::pending().await;
        }
        self.way.mark_unchanged();
        self.route()
    }
}

/// A connection to an edge server through a relay, kept open there until this is dropped, whatever way its packets go.
pub struct Relayed {
    /// End to end: the relay can't read it.
    pub connection: Connection,
    /// The endpoint; it keeps the socket open.
    pub endpoint: Endpoint,
    ways: Ways,
    moved: mpsc::Sender<Moved>,
    /// They end with this.
    _tasks: JoinSet<()>,
}

impl Relayed {
    /// Which way packets go.
    #[must_use]
    pub fn route(&self) -> Route {
        self.ways.route()
    }

    /// To hear of it when they go another way.
    #[must_use]
    pub fn ways(&self) -> Ways {
        self.ways.clone()
    }

    /// This machine is in another network: packets go through the relay again, and it is told where from. Whether it knows now; it takes one round trip.
    pub async fn moved(&self) -> bool {
        let (known, is_known) = oneshot::channel();
        self.moved.send(known).await.is_ok() && is_known.await.is_ok()
    }
}

/// Calls an edge server through its relay, as the owner of `key`. `config` is for the end-to-end connection.
///
/// # Errors
/// When the relay or the edge server does not answer, or refuses.
pub async fn call(
    route: &RelayRoute,
    edge: Fingerprint,
    key: &KeyPair,
    config: ClientConfig,
) -> Result<Relayed, NotReached> {
    let found = resolve(route.authority()).await;
    let found = found.map_err(|_| NotReached::NoAddress(route.authority().to_owned()))?;
    let (mut to_try, mut tried, mut why) = (found, Vec::new(), NotReached::Refused);
    while !to_try.is_empty() {
        let at = to_try.remove(0);
        if tried.contains(&at) {
            continue;
        }
        tried.push(at);
        let mut nodes = Nodes::default();
        match call_at(at, route, edge, key, config.clone(), &mut nodes).await {
            Ok(relayed) => return Ok(relayed),
            Err(error) => why = error,
        }
        // The edge server may be at other nodes, and this one knows at which.
        to_try.splice(0..0, nodes.others(at));
    }
    Err(why)
}

async fn call_at(
    at: SocketAddr,
    route: &RelayRoute,
    edge: Fingerprint,
    key: &KeyPair,
    mut config: ClientConfig,
    nodes: &mut Nodes,
) -> Result<Relayed, NotReached> {
    let ((probe, probes), (knock, own)) = (own_packets(), own_packets());
    let socket = Socket::new(bind(at)?, OwnPackets { probes: probe, knocks: knock })?;
    let at = socket.written(at);
    let (told, traffic) = mpsc::channel(TRAFFIC);
    let (routed, control_socket) = RoutedSocket::new(socket.clone(), at, told);
    let (ids, edge_ids) = (OwnIds::default(), EdgeIds::default());
    let endpoint = endpoint(routed.clone(), ids.clone(), None)?;
    let control_endpoint = crate::socket::endpoint(control_socket, OwnIds::default(), None)?;
    let caller = Caller::new(route, &control_endpoint, &socket, key);
    let reached = tokio::time::timeout(CONNECT_PATIENCE, caller.call(at)).await;
    let Reached { mut control, at: through, tunnel } = reached.map_err(|_| NotReached::Silent(at))??;
    routed.move_to(through);
    let wish = ToNode::Call(EdgeName { tenant: route.tenant, edge });
    let granted = ask(&mut control, &wish, nodes).await?;
    ids.set(&granted.grant.own_handles);
    routed.grant(&granted.grant.own_handles);
    edge_ids.set(&granted.grant.edge_handles);
    config.initial_dst_cid_provider(Arc::new(move || edge_ids.next()));
    let (way_is, way) = watch::channel(Way::Relay);
    let (observed_is, observed) = watch::channel(Some(Seen::at(granted.grant.observed)));
    let (knocking, knocks) = moves();
    let (moved, moving) = moves();
    let (connection_is, connected) = watch::channel(None);
    let guest = Guest {
        socket: socket.clone(),
        routed: routed.clone(),
        own,
        control,
        endpoint: control_endpoint,
        carried: endpoint.clone(),
        connection: connected,
        at: canonical(at),
        through,
        tunnel,
        way: way_is.clone(),
        nodes: std::mem::take(nodes),
        route: route.clone(),
        key: KeyPair::from_seed(&key.seed()),
        wish,
        observed: observed_is,
        knock: knocking.clone(),
        moved: knocks,
    };
    let mut tasks = JoinSet::new();
    // How this device looks from outside is known when the server answers.
    tasks.spawn(stay(guest, granted));
    let connection = endpoint.connect_with(config, at, SERVER_NAME)?.await?;
    connection_is.send_replace(Some(connection.clone()));
    let means = Means {
        connection: connection.clone(),
        socket,
        routed: routed.clone(),
        way: way_is,
        knock: knocking,
    };
    let news = News { probes, traffic, observed, moved: moving };
    tasks.spawn(keep_direct(means, news));
    Ok(Relayed { connection, endpoint, ways: Ways { routed, way }, moved, _tasks: tasks })
}

/// A socket for both families where there are both, because the direct way may be of the other one than the relay.
fn bind(relay: SocketAddr) -> io::Result<UdpSocket> {
    let both = || -> io::Result<UdpSocket> {
        let kind = (socket2::Type::DGRAM, Some(socket2::Protocol::UDP));
        let socket = socket2::Socket::new(socket2::Domain::IPV6, kind.0, kind.1)?;
        socket.set_only_v6(false)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into())?;
        Ok(socket.into())
    };
    match both() {
        Err(_) if relay.is_ipv4() => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
        bound => bound,
    }
}
