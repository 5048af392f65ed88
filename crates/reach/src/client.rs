//! A device's way to its edge server through a relay, and past it when there is one.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use quinn::{ClientConfig, Connection, Endpoint};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tresen_identity::{Fingerprint, KeyPair, RelayRoute, Secret};
use tresen_path::{EdgeName, FromNode, Grant, Knocker, ToNode, Way};

use crate::control::{Control, ControlFailed};
use crate::direct::{Means, News, keep_direct};
use crate::ids::{EdgeIds, OwnIds};
use crate::knocking::{Moved, Node, Seen, keep_knocking, moves};
use crate::routed::RoutedSocket;
use crate::socket::{OwnPacket, OwnPackets, Socket, endpoint, own_packets};

/// Names in certificates mean nothing, but TLS wants one.
const SERVER_NAME: &str = "tresen";

/// How long the relay, and the edge server behind it, may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Words about traffic that may wait.
const TRAFFIC: usize = 16;

/// From one attempt to be known there again to the next.
const RETRY: Duration = Duration::from_secs(2);

/// Why the edge server is not reached.
#[derive(Debug, Error)]
pub enum NotReached {
    /// The relay has no address here.
    #[error("the relay {0} has no address here")]
    NoAddress(String),
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

/// A connection to an edge server through a relay, kept open there until this is dropped, whatever way its packets go.
pub struct Relayed {
    /// End to end: the relay can't read it.
    pub connection: Connection,
    /// The endpoint; it keeps the socket open.
    pub endpoint: Endpoint,
    way: watch::Receiver<Way>,
    moved: mpsc::Sender<Moved>,
    /// They end with this.
    _tasks: JoinSet<()>,
}

impl Relayed {
    /// Which way packets go.
    #[must_use]
    pub fn way(&self) -> Way {
        *self.way.borrow()
    }

    /// To hear of it when they go another way.
    #[must_use]
    pub fn ways(&self) -> watch::Receiver<Way> {
        self.way.clone()
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
    mut config: ClientConfig,
) -> Result<Relayed, NotReached> {
    let no_address = || NotReached::NoAddress(route.authority().to_owned());
    let mut found = tokio::net::lookup_host(route.authority()).await.map_err(|_| no_address())?;
    let at = found.next().ok_or_else(no_address)?;
    let ((probe, probes), (knock, own)) = (own_packets(), own_packets());
    let socket = Socket::new(bind(at)?, OwnPackets { probes: probe, knocks: knock })?;
    let (told, traffic) = mpsc::channel(TRAFFIC);
    let (routed, control_socket) = RoutedSocket::new(socket.clone(), at, told);
    let (ids, edge_ids) = (OwnIds::default(), EdgeIds::default());
    let endpoint = endpoint(routed.clone(), ids.clone(), None)?;
    let control_endpoint = crate::socket::endpoint(control_socket, OwnIds::default(), None)?;
    let mut control = Control::connect(&control_endpoint, at, route.relay, key).await?;
    let wish = ToNode::Call(EdgeName { tenant: route.tenant, edge });
    let granted =
        tokio::time::timeout(PATIENCE, ask(&mut control, &wish)).await.map_err(|_| NotReached::Refused)??;
    ids.set(&granted.grant.own_handles);
    routed.grant(&granted.grant.own_handles);
    edge_ids.set(&granted.grant.edge_handles);
    config.initial_dst_cid_provider(Arc::new(move || edge_ids.next()));
    let (way_is, way) = watch::channel(Way::Relay);
    let (observed_is, observed) = watch::channel(Some(Seen::at(granted.grant.observed)));
    let (knocking, knocks) = moves();
    let (moved, moving) = moves();
    let guest = Guest {
        socket: socket.clone(),
        own,
        control,
        endpoint: control_endpoint,
        at,
        relay: route.relay,
        key: KeyPair::from_seed(&key.seed()),
        wish,
        observed: observed_is,
        moved: knocks,
    };
    let mut tasks = JoinSet::new();
    // How this device looks from outside is known when the server answers.
    tasks.spawn(stay(guest, granted));
    let connection = endpoint.connect_with(config, at, SERVER_NAME)?.await?;
    let means = Means { connection: connection.clone(), socket, routed, way: way_is, knock: knocking };
    let news = News { probes, traffic, observed, moved: moving };
    tasks.spawn(keep_direct(means, news));
    Ok(Relayed { connection, endpoint, way, moved, _tasks: tasks })
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

struct Granted {
    grant: Box<Grant>,
    lifetime: Duration,
    second_port: Option<NonZeroU16>,
}

/// What stays at the relay beside the connection itself.
struct Guest {
    socket: Arc<Socket>,
    own: mpsc::Receiver<OwnPacket>,
    control: Control,
    endpoint: Endpoint,
    at: SocketAddr,
    relay: Fingerprint,
    key: KeyPair,
    wish: ToNode,
    observed: watch::Sender<Option<Seen>>,
    moved: mpsc::Receiver<Moved>,
}

async fn ask(control: &mut Control, wish: &ToNode) -> Result<Granted, NotReached> {
    control.say(wish).await?;
    loop {
        match control.hear().await? {
            FromNode::Granted { grant, lifetime_s, second_port } => {
                let lifetime = Duration::from_secs(lifetime_s.into());
                return Ok(Granted { grant, lifetime, second_port });
            }
            FromNode::Leaving => {}
            FromNode::Refused | FromNode::Joined(_) | FromNode::Client(..) | FromNode::Call(_) => {
                return Err(NotReached::Refused);
            }
        }
    }
}

/// Knocks, and calls again before the time is over, as often as it takes: the connection may go on past the relay meanwhile.
async fn stay(mut guest: Guest, mut granted: Granted) {
    loop {
        let Some(knocker) = Knocker::new(&granted.grant, &Secret::new(rand::random())) else { return };
        let node = Node::new(guest.at, granted.second_port);
        let Guest { socket, own, control, endpoint, at, relay, key, wish, observed, moved } = &mut guest;
        let knocking = keep_knocking(socket.clone(), node, knocker, own, moved, observed.clone());
        let caller = Caller { endpoint, at: *at, relay: *relay, key };
        tokio::select! {
            () = knocking => return,
            renewed = caller.renew(control, wish, granted.lifetime / 2) => granted = renewed,
        }
    }
}

/// What a control connection is opened with.
struct Caller<'a> {
    endpoint: &'a Endpoint,
    at: SocketAddr,
    relay: Fingerprint,
    key: &'a KeyPair,
}

impl Caller<'_> {
    /// Calls again after `pause`, on another control connection if need be, until there is a grant.
    async fn renew(&self, control: &mut Control, wish: &ToNode, pause: Duration) -> Granted {
        tokio::time::sleep(pause).await;
        loop {
            match tokio::time::timeout(PATIENCE, ask(control, wish)).await {
                Ok(Ok(granted)) => return granted,
                Ok(Err(error)) => tracing::debug!(%error, "the relay did not renew this device's place"),
                Err(_) => tracing::debug!("the relay does not answer"),
            }
            tokio::time::sleep(RETRY).await;
            let again = Control::connect(self.endpoint, self.at, self.relay, self.key);
            if let Ok(Ok(again)) = tokio::time::timeout(PATIENCE, again).await {
                *control = again;
            }
        }
    }
}
