//! A device's way to its edge server through a relay.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::{ClientConfig, Connection, Endpoint};
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tresen_identity::{Fingerprint, KeyPair, RelayRoute, Secret};
use tresen_path::{EdgeName, FromNode, Grant, Knocker, ToNode};

use crate::control::{Control, ControlFailed};
use crate::ids::{EdgeIds, OwnIds};
use crate::knocking::keep_knocking;
use crate::socket::{OwnPacket, Socket, endpoint, own_packets};

/// Names in certificates mean nothing, but TLS wants one.
const SERVER_NAME: &str = "tresen";

/// How long the relay, and the edge server behind it, may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// A connection to an edge server through a relay, kept open there until this is dropped.
pub struct Relayed {
    /// End to end: the relay can't read it.
    pub connection: Connection,
    /// The endpoint; it keeps the socket open.
    pub endpoint: Endpoint,
    stay: AbortHandle,
}

impl Drop for Relayed {
    fn drop(&mut self) {
        self.stay.abort();
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
    let any: IpAddr = if at.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
    let (sender, own) = own_packets();
    let socket = Socket::new(UdpSocket::bind((any, 0))?, sender)?;
    let (ids, edge_ids) = (OwnIds::default(), EdgeIds::default());
    let endpoint = endpoint(socket.clone(), ids.clone(), None)?;
    let mut control = Control::connect(&endpoint, at, route.relay, key).await?;
    let wish = ToNode::Call(EdgeName { tenant: route.tenant, edge });
    let granted =
        tokio::time::timeout(PATIENCE, ask(&mut control, &wish)).await.map_err(|_| NotReached::Refused)??;
    ids.set(&granted.grant.own_handles);
    edge_ids.set(&granted.grant.edge_handles);
    config.initial_dst_cid_provider(Arc::new(move || edge_ids.next()));
    let connection = endpoint.connect_with(config, at, SERVER_NAME)?.await?;
    let guest = Guest {
        socket,
        own,
        control,
        endpoint: endpoint.clone(),
        at,
        relay: route.relay,
        key: KeyPair::from_seed(&key.seed()),
        wish,
    };
    let stay = tokio::spawn(stay(guest, granted)).abort_handle();
    Ok(Relayed { connection, endpoint, stay })
}

struct Granted {
    grant: Box<Grant>,
    lifetime: Duration,
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
}

async fn ask(control: &mut Control, wish: &ToNode) -> Result<Granted, NotReached> {
    control.say(wish).await?;
    loop {
        match control.hear().await? {
            FromNode::Granted { grant, lifetime_s } => {
                return Ok(Granted { grant, lifetime: Duration::from_secs(lifetime_s.into()) });
            }
            FromNode::Leaving => {}
            FromNode::Refused | FromNode::Joined(_) | FromNode::Client(..) | FromNode::Call(_) => {
                return Err(NotReached::Refused);
            }
        }
    }
}

/// Knocks, and calls again before the time is over, as often as it takes. Without success the connection ends with the time that was granted.
async fn stay(mut guest: Guest, mut granted: Granted) {
    loop {
        let Some(knocker) = Knocker::new(&granted.grant, &Secret::new(rand::random())) else { return };
        let (_moved, moved) = watch::channel(());
        let (observed, _seen) = watch::channel(None);
        let Guest { socket, own, control, endpoint, at, relay, key, wish } = &mut guest;
        let knocking = keep_knocking(socket.clone(), *at, knocker, own, moved, observed);
        let caller = Caller { endpoint, at: *at, relay: *relay, key };
        let renewed = caller.renew(control, wish, granted.lifetime / 2);
        tokio::select! {
            () = knocking => return,
            renewed = tokio::time::timeout(granted.lifetime, renewed) => match renewed {
                Ok(renewed) => granted = renewed,
                Err(_) => {
                    tracing::warn!("this device is no longer known at the relay");
                    return;
                }
            }
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
