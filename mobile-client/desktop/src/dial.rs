//! Ways to the server. Every address is tried at the same time by QUIC and, a little later, by WebSocket for networks that block UDP; the
//! first at which the pinned server answers is taken.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use quinn::ClientConfig;
use tokio::task::JoinSet;
use tresen_client::Path;
use tresen_identity::{Fingerprint, KeyPair, RelayRoute};
use tresen_reach::{Networks, Reach, Route};

use crate::quic::{self, QuicLink};
use crate::store::Server;
use crate::websocket::{self, WebSocketLink};

/// How long all attempts together may take.
const DIAL_LIMIT: Duration = Duration::from_secs(5);

/// QUIC is ahead by this: it is the better way, and answers sooner on any network that lets it through.
const WEBSOCKET_AFTER: Duration = Duration::from_millis(300);

/// Direct ways are ahead of the relay by this: they are the better ones, but it need not wait until they have failed.
const RELAY_AFTER: Duration = Duration::from_millis(500);

/// Addresses that are tried.
const ADDRESSES: usize = 16;

/// An open connection that carries messages.
pub enum Link {
    /// Over UDP.
    Quic(Box<QuicLink>),
    /// Over TCP.
    WebSocket(Box<WebSocketLink>),
}

impl Link {
    /// The way it takes.
    pub fn path(&self) -> Path {
        match self {
            Self::Quic(link) => link.path(),
            Self::WebSocket(link) => link.remote_address().map_or(Path::Direct, path_to),
        }
    }

    /// To hear of it when it takes another way.
    pub fn ways(&self) -> Ways {
        match self {
            Self::Quic(link) => Ways(link.ways()),
            Self::WebSocket(_) => Ways(None),
        }
    }

    /// Takes a message to be sent, with others if they come before [`Link::flush`].
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn feed(&mut self, message: Vec<u8>) -> Result<()> {
        match self {
            Self::Quic(link) => link.send(&message).await,
            Self::WebSocket(link) => link.feed(message).await,
        }
    }

    /// Sends what was fed.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn flush(&mut self) -> Result<()> {
        match self {
            // Its packets are made when this thread has nothing else to do.
            Self::Quic(_) => Ok(()),
            Self::WebSocket(link) => link.flush().await,
        }
    }

    /// The next message; may be dropped and called again without losing any. `None`: the server closed the connection.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        match self {
            Self::Quic(link) => link.receive().await,
            Self::WebSocket(link) => link.receive().await,
        }
    }

    /// How many acknowledgements have come; `None` when the transport does not tell.
    pub fn acknowledgements(&self) -> Option<u64> {
        match self {
            Self::Quic(link) => Some(link.acknowledgements()),
            Self::WebSocket(_) => None,
        }
    }

    /// Where the server is; `None` when that is not known any more.
    pub fn remote_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Quic(link) => Some(link.remote_address()),
            Self::WebSocket(link) => link.remote_address(),
        }
    }

    /// There is no network: whether the connection can wait for another one.
    ///
    /// # Errors
    /// When it can't: TCP knows no other address.
    pub fn hold(&self) -> Result<()> {
        match self {
            Self::Quic(_) => Ok(()),
            Self::WebSocket(_) => bail!("there is no network"),
        }
    }

    /// Goes on in another network; see [`QuicLink::go_on`].
    ///
    /// # Errors
    /// When it can't: it is to be called anew.
    pub async fn go_on(&mut self) -> Result<Duration> {
        match self {
            Self::Quic(link) => link.go_on().await,
            Self::WebSocket(_) => bail!("another network"),
        }
    }

    /// Leaves.
    pub async fn close(self) {
        match self {
            Self::Quic(link) => link.close(),
            Self::WebSocket(link) => link.close().await,
        }
    }
}

/// The ways that a connection takes, one after another; a connection that a relay has no part in takes one.
pub struct Ways(Option<tresen_reach::Ways>);

impl Ways {
    /// Waits for another one. Safe to drop and call again.
    pub async fn change(&mut self) -> Path {
        match &mut self.0 {
            Some(ways) => path_of(ways.change().await),
            None => std::future::pending().await,
        }
    }
}

/// What a way is to a person.
pub fn path_of(route: Route) -> Path {
    match route {
        Route::Relayed => Path::Relayed,
        Route::Tunnelled => Path::Passed,
        Route::Direct(address) => path_to(address),
    }
}

/// The way to a server at this address.
pub fn path_to(address: SocketAddr) -> Path {
    match Networks::of_this_machine().reach(address.ip()) {
        Reach::Here | Reach::Near => Path::Direct,
        Reach::Far => Path::Internet,
    }
}

/// Connects to the server by whichever of its addresses and ways answers first.
///
/// # Errors
/// When none does.
pub async fn dial(server: &Server, key: &Arc<KeyPair>) -> Result<Link> {
    let (name, authority) = (server.name, server.authority.clone());
    let quic = quic::config(name, key)?;
    let mut attempts = JoinSet::new();
    if let Some(route) = &server.relay {
        let relayed = through(route.clone(), name, key.clone(), quic.clone());
        attempts.spawn(async move { Ok(Link::Quic(Box::new(relayed.await?))) });
    }
    first(server, attempts, move |attempts, address| {
        let quic = quic.clone();
        attempts.spawn(named(address, async move {
            Ok(Link::Quic(Box::new(quic::connect(address, quic).await?)))
        }));
        let (key, authority) = (key.clone(), authority.clone());
        attempts.spawn(named(address, async move {
            tokio::time::sleep(WEBSOCKET_AFTER).await;
            let link = websocket::connect(address, &authority, name, &key).await?;
            Ok(Link::WebSocket(Box::new(link)))
        }));
    })
    .await
}

/// Connects by QUIC only; what a device that is not paired yet can do.
///
/// # Errors
/// When no address answers.
pub async fn dial_quic(server: &Server, key: &Arc<KeyPair>) -> Result<QuicLink> {
    let quic = quic::config(server.name, key)?;
    let mut attempts = JoinSet::new();
    if let Some(route) = &server.relay {
        attempts.spawn(through(route.clone(), server.name, key.clone(), quic.clone()));
    }
    first(server, attempts, move |attempts, address| {
        attempts.spawn(named(address, quic::connect(address, quic.clone())));
    })
    .await
}

/// Through the relay, a little later than directly.
async fn through(
    route: RelayRoute,
    server: Fingerprint,
    key: Arc<KeyPair>,
    config: ClientConfig,
) -> Result<QuicLink> {
    tokio::time::sleep(RELAY_AFTER).await;
    let link = quic::connect_through(&route, server, &key, config).await;
    link.with_context(|| route.authority().to_owned())
}

async fn named<T>(address: SocketAddr, attempt: impl Future<Output = Result<T>>) -> Result<T> {
    attempt.await.with_context(|| address.to_string())
}

/// The first attempt that succeeds, of these and of one or more for each address; the others are dropped.
async fn first<T: 'static>(
    server: &Server,
    mut attempts: JoinSet<Result<T>>,
    start: impl Fn(&mut JoinSet<Result<T>>, SocketAddr),
) -> Result<T> {
    addresses(server).await?.into_iter().for_each(|address| start(&mut attempts, address));
    let first = async {
        let mut why = anyhow!("it has no address");
        while let Some(attempt) = attempts.join_next().await {
            match attempt.context("an attempt was cancelled").and_then(|result| result) {
                Ok(link) => return Ok(link),
                Err(error) => why = error,
            }
        }
        Err(why)
    };
    match tokio::time::timeout(DIAL_LIMIT, first).await {
        Ok(found) => found.context("The server does not answer"),
        Err(_) => bail!("The server does not answer"),
    }
}

async fn addresses(server: &Server) -> Result<Vec<SocketAddr>> {
    let mut addresses = Vec::new();
    match tokio::net::lookup_host(&server.authority).await {
        Ok(found) => addresses.extend(found),
        Err(error) if server.addresses.is_empty() && server.relay.is_none() => {
            return Err(error).with_context(|| format!("{} has no address", server.authority));
        }
        Err(error) => tracing::debug!(%error, "the server's name has no address here"),
    }
    for address in &server.addresses {
        if !addresses.contains(address) {
            addresses.push(*address);
        }
    }
    addresses.truncate(ADDRESSES);
    Ok(addresses)
}
