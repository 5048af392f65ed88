//! TLS from browsers, and from devices whose network has no UDP: passed on to the edge server that its first message names, unread.
//!
//! A node listens on TCP; `<edge server's name>.<domain>` in a hello tells whose a stream is. It goes there in a stream of the edge server's control connection
//! ([`tresen_path::PassHead`]), so an edge server needs no open port, and its passes end with that connection.
//!
//! Whoever comes to a node where the edge server is not, is handed over to one where it is ([`crate::handover`]), as unread. A stream that begins with a hello
//! to the node itself is a tunnel for datagrams ([`crate::tunnels`]).
//!
//! Invariants: of a stream that is passed on nothing is read but the name in its hello, and nothing is kept; everybody has to say a name within
//! [`HELLO_PATIENCE`] and [`MAX_HELLO_BYTES`](crate::hello::MAX_HELLO_BYTES); what is open is counted before it is open ([`crate::places`]), at each node that
//! it goes through, and makes room for others until it has proven something; what was handed over once is not handed over again.

use std::collections::HashMap;
use std::fmt::Write;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_ok;
use quinn::{Connection, RecvStream, SendStream, VarInt};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tresen_identity::{Fingerprint, PublicPlace, RELAY_SERVER_NAME};
use tresen_path::{LimitKey, NodeId, Party, PassHead};

use crate::allowances::Allowances;
use crate::handover::{self, HandoverKey, NotHandedOver};
use crate::hello::{self, Hello, NoHello};
use crate::node::{Node, lock};
use crate::pipe::pipe;
use crate::places::{Full, PassLimits, Place, Places};
use crate::tunnels;

/// How long a client may take to say whom it wants.
pub(crate) const HELLO_PATIENCE: Duration = Duration::from_secs(5);

/// How long an edge server may take to give a stream.
const STREAM_PATIENCE: Duration = Duration::from_secs(5);

/// How long it may take to hand a client over, whatever nodes are asked.
const HANDOVER_PATIENCE: Duration = Duration::from_secs(6);

/// How long one of them may take, its edge server included.
const NODE_PATIENCE: Duration = Duration::from_secs(2);

/// A pass on which nothing moves is let go after this. Sessions say something every 10 s.
const IDLE: Duration = Duration::from_secs(120);

/// How long to wait after an accept failed (usually: out of file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What an edge server may send in one stream before a browser takes it, in bytes.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 128 * 1024;

/// What may wait to be acknowledged by one edge server, in bytes.
const SEND_WINDOW_BYTES: u64 = 1024 * 1024;

/// Why a stream is not passed on. For the operator's log; the client learns nothing.
#[derive(Debug, Error)]
enum NotPassed {
    #[error("its network connects too often")]
    TooOften,
    #[error(transparent)]
    Full(#[from] Full),
    #[error(transparent)]
    Hello(#[from] NoHello),
    #[error(transparent)]
    Handover(#[from] NotHandedOver),
    #[error("it says nothing")]
    Silent,
    #[error("it has proven nothing, and others need its place")]
    Displaced,
    #[error("its tunnel: {0}")]
    Tunnel(#[from] io::Error),
    #[error("it wants {0}, which is no edge server's name here")]
    NoName(String),
    #[error("it wants an edge server that is not here, nor at a node that takes it")]
    NotHere,
    #[error("the edge server takes no streams")]
    NoStream,
}

/// Somebody who has said whom he wants.
struct Client {
    /// Where he is.
    from: SocketAddr,
    hello: Hello,
    /// By another node, which he came to.
    is_handed_over: bool,
}

/// What is passed at a node, and to whom.
pub(crate) struct Passes {
    node: Weak<Node>,
    key: HandoverKey,
    /// Of tunnels.
    acceptor: TlsAcceptor,
    /// Where browsers reach this node's edge servers, if they do.
    place: OnceLock<PublicPlace>,
    places: Arc<Places>,
    limits: PassLimits,
    edges: Mutex<HashMap<Fingerprint, Connection>>,
    connects: Mutex<Allowances<LimitKey>>,
    connects_a_minute: NonZeroU32,
    opened: AtomicU64,
    handed_over: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

impl Passes {
    pub(crate) fn new(node: Weak<Node>, key: HandoverKey, acceptor: TlsAcceptor, limits: PassLimits) -> Self {
        Self {
            node,
            key,
            acceptor,
            place: OnceLock::new(),
            places: Places::new(limits),
            limits,
            edges: Mutex::default(),
            connects: Mutex::default(),
            connects_a_minute: limits.connects_a_minute,
            opened: AtomicU64::default(),
            handed_over: AtomicU64::default(),
            refused: AtomicU64::default(),
            bytes: AtomicU64::default(),
        }
    }

    /// Browsers reach this node's edge servers there from now on, and wherever they did before.
    pub(crate) fn set_place(&self, place: PublicPlace) {
        let _ = self.place.set(place);
    }

    /// Where browsers reach this node's edge servers.
    pub(crate) fn place(&self) -> Option<&PublicPlace> {
        self.place.get()
    }

    /// Streams for this party go through this connection from now on. Whether it is one that takes any.
    pub(crate) fn introduce(&self, party: &Party, connection: &Connection) -> bool {
        let Party::Edge(name) = party else { return false };
        // Streams that nobody reads must not hold up those that are read, nor what the edge server has to say.
        let streams = u64::try_from(self.limits.edge).unwrap_or(u64::MAX).saturating_add(1);
        let window = streams.saturating_mul(STREAM_WINDOW_BYTES.into());
        connection.set_receive_window(VarInt::from_u64(window).unwrap_or(VarInt::MAX));
        connection.set_send_window(SEND_WINDOW_BYTES);
        lock(&self.edges).insert(name.edge, connection.clone());
        true
    }

    /// This connection is over.
    pub(crate) fn forget(&self, party: &Party, connection: &Connection) {
        let Party::Edge(name) = party else { return };
        let mut edges = lock(&self.edges);
        if edges.get(&name.edge).is_some_and(|known| known.stable_id() == connection.stable_id()) {
            edges.remove(&name.edge);
        }
    }

    /// Streams that are open, or about to be.
    pub(crate) fn open(&self) -> usize {
        self.places.count()
    }

    /// As a Prometheus server reads it.
    pub(crate) fn text(&self) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut text = String::new();
        for (name, kind, help, value) in [
            (
                "tresen_relay_passes_open",
                "gauge",
                "TLS streams that are passed on, or about to be; and tunnels.",
                self.open() as u64,
            ),
            (
                "tresen_relay_passes_tunnels",
                "gauge",
                "Of these, tunnels: endpoints without UDP.",
                self.node.upgrade().map_or(0, |node| node.switch.tunnels.count()) as u64,
            ),
            (
                "tresen_relay_passes_opened_total",
                "counter",
                "TLS streams that were passed on.",
                count(&self.opened),
            ),
            (
                "tresen_relay_passes_handed_over_total",
                "counter",
                "TLS streams among them whose edge server is at another node.",
                count(&self.handed_over),
            ),
            (
                "tresen_relay_passes_refused_total",
                "counter",
                "TLS streams that were not.",
                count(&self.refused),
            ),
            (
                "tresen_relay_passes_displaced_total",
                "counter",
                "TLS streams that had proven nothing and made room for others.",
                self.places.displaced(),
            ),
            ("tresen_relay_passes_bytes_total", "counter", "Bytes in them, both ways.", count(&self.bytes)),
        ] {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }

    /// A network that has no connect left; it is not even read.
    fn is_spent(&self, from: IpAddr) -> bool {
        lock(&self.connects).is_spent(&LimitKey::network(from))
    }

    fn count(&self, from: IpAddr) -> Result<(), NotPassed> {
        // This machine itself is not slowed down.
        let is_here = from.to_canonical().is_loopback();
        if is_here || lock(&self.connects).take(LimitKey::network(from), self.connects_a_minute) {
            Ok(())
        } else {
            Err(NotPassed::TooOften)
        }
    }

    /// A place for somebody who has just come from there. It is taken in the order in which they come, so that nobody makes room for who came before.
    fn admit(&self, from: IpAddr) -> Result<Place, NotPassed> {
        if self.is_spent(from) {
            return Err(NotPassed::TooOften);
        }
        Ok(self.places.take(from)?)
    }

    async fn attend(&self, mut stream: TcpStream, peer: SocketAddr, place: Place) -> Result<(), NotPassed> {
        let _ = stream.set_nodelay(true);
        let client = tokio::select! {
            client = timeout(HELLO_PATIENCE, self.client(&mut stream, peer)) => {
                client.unwrap_or(Err(NotPassed::Silent))
            }
            () = place.displaced() => Err(NotPassed::Displaced),
        };
        // Whoever another node has brought counts as himself, here too, and everybody else as the one who connected.
        let from = client.as_ref().map_or(peer, |client| client.from).ip();
        self.count(from)?;
        place.of(from)?;
        let client = client?;
        tokio::select! {
            served = self.serve((stream, peer), client, &place) => served,
            () = place.displaced() => Err(NotPassed::Displaced),
        }
    }

    /// Serves somebody who has said whom he wants.
    async fn serve(
        &self,
        (stream, peer): (TcpStream, SocketAddr),
        client: Client,
        place: &Place,
    ) -> Result<(), NotPassed> {
        if client.hello.server_name == RELAY_SERVER_NAME
            && !client.is_handed_over
            && let Some(node) = self.node.upgrade()
        {
            let switch = node.switch.clone();
            drop(node);
            place.tunnel()?;
            return Ok(tunnels::serve(&switch, &self.acceptor, (stream, peer), client.hello, place).await?);
        }
        let Some(edge) = self.place().and_then(|place| place.edge(&client.hello.server_name)) else {
            return Err(NotPassed::NoName(client.hello.server_name));
        };
        place.at(edge)?;
        let connection = lock(&self.edges).get(&edge).cloned();
        match connection {
            Some(connection) => self.pass(stream, client, &connection, place).await,
            None if client.is_handed_over => Err(NotPassed::NotHere),
            None => self.hand_over(stream, client, &edge, place).await,
        }
    }

    /// Who is there, and whom he wants.
    async fn client(&self, stream: &mut TcpStream, peer: SocketAddr) -> Result<Client, NotPassed> {
        let mut first = [0];
        stream.peek(&mut first).await.map_err(NoHello::from)?;
        let is_handed_over = first == [handover::KIND];
        let from = match self.node.upgrade() {
            Some(node) if is_handed_over => self.key.receive(stream, node.number, rand::random()).await?.from,
            _ => peer,
        };
        Ok(Client { from, hello: hello::read(stream).await?, is_handed_over })
    }

    async fn pass(
        &self,
        mut stream: TcpStream,
        Client { from, hello, is_handed_over }: Client,
        connection: &Connection,
        place: &Place,
    ) -> Result<(), NotPassed> {
        let opening = open(connection, PassHead { from }, &hello.bytes);
        let tunnel = timeout(STREAM_PATIENCE, opening).await.ok().flatten().ok_or(NotPassed::NoStream)?;
        drop(hello);
        if is_handed_over {
            handover::taken(&mut stream).await.map_err(NotHandedOver::from)?;
        }
        self.opened.fetch_add(1, Ordering::Relaxed);
        pipe(stream.split(), tunnel, IDLE, &self.bytes, || place.prove()).await;
        Ok(())
    }

    /// Its edge server is elsewhere.
    async fn hand_over(
        &self,
        mut stream: TcpStream,
        Client { from, hello, .. }: Client,
        edge: &Fingerprint,
        place: &Place,
    ) -> Result<(), NotPassed> {
        let node = self.node.upgrade().ok_or(NotPassed::NotHere)?;
        let nodes = node.tls_of(edge).await;
        drop(node);
        let offering = timeout(HANDOVER_PATIENCE, self.offer(nodes, PassHead { from }, &hello.bytes));
        let mut other = offering.await.ok().flatten().ok_or(NotPassed::NotHere)?;
        drop(hello);
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.handed_over.fetch_add(1, Ordering::Relaxed);
        pipe(stream.split(), other.split(), IDLE, &self.bytes, || place.prove()).await;
        Ok(())
    }

    /// To the first of the nodes that takes a client.
    async fn offer(
        &self,
        nodes: Vec<(NodeId, Vec<SocketAddr>)>,
        head: PassHead,
        said: &[u8],
    ) -> Option<TcpStream> {
        for (node, addresses) in nodes {
            let offering = async {
                let connecting = addresses.into_iter().map(|at| TcpStream::connect(at).boxed());
                let (mut other, _) = select_ok(connecting).await?;
                other.set_nodelay(true)?;
                self.key.offer(&mut other, node, head, said).await?;
                io::Result::Ok(other)
            };
            match timeout(NODE_PATIENCE, offering).await {
                Ok(Ok(other)) => return Some(other),
                Ok(Err(error)) => tracing::debug!(node = node.0, %error, "a client was not taken"),
                Err(_) => tracing::debug!(node = node.0, "a node does not answer to a handover"),
            }
        }
        None
    }
}

async fn open(connection: &Connection, head: PassHead, hello: &[u8]) -> Option<(RecvStream, SendStream)> {
    let (mut send, receive) = connection.open_bi().await.ok()?;
    send.write_all(&head.encode()).await.ok()?;
    send.write_all(hello).await.ok()?;
    Some((receive, send))
}

/// Takes connections until it is dropped.
pub(crate) async fn serve(listener: TcpListener, passes: Arc<Passes>) {
    loop {
        let (client, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let place = passes.admit(from.ip());
        let passes = passes.clone();
        tokio::spawn(async move {
            let attended = match place {
                Ok(place) => passes.attend(client, from, place).await,
                Err(why) => Err(why),
            };
            if let Err(why) = attended {
                passes.refused.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%from, %why, "a TLS stream was not passed on");
            }
        });
    }
}
