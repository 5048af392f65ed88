//! TLS from browsers, and from devices whose network has no UDP: passed on to the edge server that its first message names, unread.
//!
//! A node listens on TCP; `<edge server's name>.<domain>` in a hello tells whose a stream is. It goes there in a stream of the edge server's control connection
//! ([`tresen_path::PassHead`]), so an edge server needs no open port, and its passes end with that connection.
//!
//! Invariants: of a stream nothing is read but the name in its hello, and nothing is kept; everybody has to say a name within [`HELLO_PATIENCE`] and
//! [`MAX_HELLO_BYTES`](crate::hello::MAX_HELLO_BYTES); what is open is counted before it is open ([`crate::places`]).

use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream, VarInt};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tresen_identity::{Fingerprint, PublicPlace};
use tresen_path::{LimitKey, Party, PassHead};

use crate::allowances::Allowances;
use crate::hello::{self, NoHello};
use crate::node::lock;
use crate::pipe::pipe;
use crate::places::{Full, PassLimits, Place, Places};

/// How long a client may take to say whom it wants.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);

/// How long an edge server may take to give a stream.
const STREAM_PATIENCE: Duration = Duration::from_secs(5);

/// A pass on which nothing moves is let go after this. Sessions say something every 15 s.
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
    #[error("it says nothing")]
    Silent,
    #[error("it wants {0}, which is no edge server's name here")]
    NoName(String),
    #[error("it wants an edge server that is not here")]
    NotHere,
    #[error("the edge server takes no streams")]
    NoStream,
}

/// What is passed at a node, and to whom.
pub(crate) struct Passes {
    place: PublicPlace,
    places: Arc<Places>,
    limits: PassLimits,
    edges: Mutex<HashMap<Fingerprint, Connection>>,
    connects: Mutex<Allowances<LimitKey>>,
    connects_a_minute: NonZeroU32,
    opened: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

impl Passes {
    pub(crate) fn new(place: PublicPlace, limits: PassLimits) -> Self {
        Self {
            place,
            places: Places::new(limits),
            limits,
            edges: Mutex::default(),
            connects: Mutex::default(),
            connects_a_minute: NonZeroU32::new(limits.connects_a_minute).unwrap_or(NonZeroU32::MIN),
            opened: AtomicU64::default(),
            refused: AtomicU64::default(),
            bytes: AtomicU64::default(),
        }
    }

    /// Where browsers reach this node's edge servers.
    pub(crate) const fn place(&self) -> &PublicPlace {
        &self.place
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

    /// As a Prometheus server reads it.
    pub(crate) fn text(&self) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut text = String::new();
        for (name, kind, help, value) in [
            ("open", "gauge", "TLS streams that are passed on, or about to be.", self.places.count() as u64),
            ("opened_total", "counter", "TLS streams that were passed on.", count(&self.opened)),
            ("refused_total", "counter", "TLS streams that were not.", count(&self.refused)),
            ("bytes_total", "counter", "Bytes in them, both ways.", count(&self.bytes)),
        ] {
            let name = format!("tresen_relay_passes_{name}");
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }

    fn admit(&self, from: IpAddr) -> Result<Place, NotPassed> {
        // This machine itself is not slowed down.
        let is_here = from.to_canonical().is_loopback();
        if !is_here && !lock(&self.connects).take(LimitKey::network(from), self.connects_a_minute) {
            return Err(NotPassed::TooOften);
        }
        Ok(self.places.take(from)?)
    }

    async fn attend(&self, mut client: TcpStream, from: SocketAddr) -> Result<(), NotPassed> {
        let mut place = self.admit(from.ip())?;
        let _ = client.set_nodelay(true);
        let hello =
            timeout(HELLO_PATIENCE, hello::read(&mut client)).await.map_err(|_| NotPassed::Silent)??;
        let Some(edge) = self.place.edge(&hello.server_name) else {
            return Err(NotPassed::NoName(hello.server_name));
        };
        let connection = lock(&self.edges).get(&edge).cloned().ok_or(NotPassed::NotHere)?;
        place.at(edge)?;
        let opening = open(&connection, PassHead { from }, &hello.bytes);
        let tunnel = timeout(STREAM_PATIENCE, opening).await.ok().flatten().ok_or(NotPassed::NoStream)?;
        drop(hello);
        self.opened.fetch_add(1, Ordering::Relaxed);
        pipe(client.split(), tunnel, IDLE, &self.bytes).await;
        Ok(())
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
        let passes = passes.clone();
        tokio::spawn(async move {
            if let Err(why) = passes.attend(client, from).await {
                passes.refused.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%from, %why, "a TLS stream was not passed on");
            }
        });
    }
}
