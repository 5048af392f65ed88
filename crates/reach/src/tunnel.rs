//! A way to a relay node where UDP is blocked: a stream of TLS over TCP that carries datagrams. To all who send and receive it is an address like others
//! ([`tresen_path::is_tunnel`]), so control connections, knocks and sessions go through it as they are.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_ok;
use quinn_udp::RecvMeta;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tresen_identity::{Fingerprint, RELAY_SERVER_NAME, TUNNEL_ALPN, tunnel_client_config};
use tresen_path::{canonical, is_tunnel, tunnel_address};

use crate::carry::{Datagram, carried, carry};
use crate::handed::{Handed, poll_handed};
use crate::socket::{QUIC_FROM, Socket};

/// Received packets that may wait for whoever reads the socket.
const WAITING: usize = 1024;

/// How long a node may take to shake hands.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where what looks like a web server is let through by any network.
const WEB_PORT: u16 = 443;

/// Where a node takes streams.
#[derive(Clone, Copy, Debug)]
pub struct TunnelEnd {
    /// Its name.
    pub node: Fingerprint,
    /// Where it takes datagrams; it takes streams at the same port of TCP.
    pub at: SocketAddr,
    /// Where it takes TLS for others, if that is known.
    pub public_port: Option<u16>,
}

/// The tunnels of a socket.
pub(crate) struct Tunnels {
    next: AtomicU32,
    open: Mutex<HashMap<SocketAddr, Way>>,
    came: mpsc::Sender<Handed>,
    waiting: Mutex<mpsc::Receiver<Handed>>,
}

/// Where packets for the address of a tunnel go.
struct Way {
    stream: mpsc::Sender<Datagram>,
    /// There, past the stream, when the node is reached by UDP.
    node: Option<SocketAddr>,
}

/// An open tunnel, until it is dropped.
#[derive(Debug)]
pub struct Tunnel {
    socket: Arc<Socket>,
    address: SocketAddr,
    task: JoinSet<()>,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.socket.tunnels.open().remove(&self.address);
    }
}

impl Default for Tunnels {
    fn default() -> Self {
        let (came, waiting) = mpsc::channel(WAITING);
        Self { next: AtomicU32::new(0), open: Mutex::default(), came, waiting: Mutex::new(waiting) }
    }
}

impl Tunnels {
    fn open(&self) -> MutexGuard<'_, HashMap<SocketAddr, Way>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one datagram, or several of this length (the last one may be shorter), through the tunnel with this address. What finds no room, or no tunnel, is
    /// lost. Some: they are to be sent there instead.
    pub(crate) fn send(&self, to: SocketAddr, contents: &[u8], length: Option<usize>) -> Option<SocketAddr> {
        let open = self.open();
        let way = open.get(&to)?;
        if way.node.is_none() {
            for datagram in contents.chunks(length.unwrap_or(contents.len()).max(1)) {
                let _ = way.stream.try_send(datagram.into());
            }
        }
        way.node
    }

    /// A packet of QUIC that came through any of them.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<usize> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Its other end is here.
        poll_handed(&mut waiting, cx, buffers, metas).map(Option::unwrap_or_default)
    }
}

impl Tunnel {
    /// Opens one to a node, for this socket.
    ///
    /// # Errors
    /// When nobody takes it, or somebody else does.
    pub async fn open(socket: &Arc<Socket>, end: TunnelEnd) -> io::Result<Self> {
        let stream = connect(end).await?;
        let (to_send, mut waiting) = carried();
        let address = tunnel_address(socket.tunnels.next.fetch_add(1, Ordering::Relaxed));
        socket.tunnels.open().insert(address, Way { stream: to_send, node: None });
        let (mut task, receiver) = (JoinSet::new(), socket.clone());
        task.spawn(async move {
            let written = receiver.written(address);
            let carrying = carry(stream, &mut waiting, |datagram| match datagram.first() {
                Some(first) if *first >= QUIC_FROM => {
                    let meta = RecvMeta {
                        addr: written,
                        len: datagram.len(),
                        stride: datagram.len(),
                        ecn: None,
                        dst_ip: None,
                    };
                    let _ = receiver.tunnels.came.try_send(Handed::of(&meta, datagram));
                }
                _ => receiver.take_own(address, datagram),
            });
            if let Err(error) = carrying.await {
                tracing::info!(%error, "the tunnel to the relay is gone");
            }
        });
        Ok(Self { socket: socket.clone(), address, task })
    }

    /// The node is reached there now, by UDP, and takes nothing from the tunnel any more: what is sent to its address goes there from now on, and what is still
    /// in it comes out.
    pub fn leave_for(&self, node: SocketAddr) {
        if let Some(way) = self.socket.tunnels.open().get_mut(&self.address) {
            way.node = Some(node);
        }
    }

    /// The address that stands for it, at its socket.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when it is gone. Safe to drop and call again.
    pub async fn gone(&mut self) {
        let _ = self.task.join_next().await;
    }
}

/// The first port that answers.
async fn connect(end: TunnelEnd) -> io::Result<TlsStream<TcpStream>> {
    if is_tunnel(end.at) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut ports = vec![end.at.port()];
    for port in end.public_port.into_iter().chain([WEB_PORT]) {
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    let tls = tunnel_client_config(end.node).map_err(io::Error::other)?;
    let connector = TlsConnector::from(Arc::new(tls));
    let attempts = ports.into_iter().map(|port| {
        let (at, connector) = (SocketAddr::new(canonical(end.at).ip(), port), connector.clone());
        let attempt = async move {
            let name = ServerName::try_from(RELAY_SERVER_NAME).map_err(io::Error::other)?;
            let shaking = async {
                let stream = TcpStream::connect(at).await?;
                stream.set_nodelay(true)?;
                let stream = connector.connect(name, stream).await?;
                let is_tunnel = stream.get_ref().1.alpn_protocol() == Some(TUNNEL_ALPN);
                if is_tunnel { Ok(stream) } else { Err(io::ErrorKind::InvalidData.into()) }
            };
            timeout(PATIENCE, shaking).await.map_err(|_| io::ErrorKind::TimedOut)?
        };
        attempt.boxed()
    });
    select_ok(attempts).await.map(|(stream, _)| stream)
}
