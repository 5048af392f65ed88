//! The one socket of an endpoint: QUIC's packets go to quinn, our own ones to whoever knocks and probes.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::{AsyncUdpSocket, UdpPoller};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use crate::ids::OwnIds;

/// First bytes below this are our own packets, the rest is QUIC (its fixed bit is kept, see `tresen_path`).
const QUIC_FROM: u8 = 0x40;

/// Own packets that wait to be looked at. Those that find no room are lost, as on any network.
const OWN_WAITING: usize = 256;

/// A packet that is not QUIC's.
#[derive(Debug)]
pub struct OwnPacket {
    /// From where.
    pub from: SocketAddr,
    /// What.
    pub datagram: Vec<u8>,
}

/// A UDP socket for `quinn::Endpoint::new_with_abstract_socket`, which others may use too.
pub struct Socket {
    io: Arc<UdpSocket>,
    state: UdpSocketState,
    own: mpsc::Sender<OwnPacket>,
}

/// Opens QUIC on a socket, with ids that a relay can route by once it has granted some.
///
/// # Errors
/// When the socket doesn't serve.
pub fn endpoint(
    socket: Arc<Socket>,
    ids: OwnIds,
    server: Option<quinn::ServerConfig>,
) -> io::Result<quinn::Endpoint> {
    let mut config = quinn::EndpointConfig::default();
    config.cid_generator(move || Box::new(ids.clone())).grease_quic_bit(false);
    quinn::Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(quinn::TokioRuntime))
}

/// Where a socket puts packets that are not QUIC's, and who takes them.
#[must_use]
pub fn own_packets() -> (mpsc::Sender<OwnPacket>, mpsc::Receiver<OwnPacket>) {
    mpsc::channel(OWN_WAITING)
}

impl Socket {
    /// Takes over a bound socket; to be called within a runtime.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn new(socket: std::net::UdpSocket, own: mpsc::Sender<OwnPacket>) -> io::Result<Arc<Self>> {
        let state = UdpSocketState::new((&socket).into())?;
        socket.set_nonblocking(true)?;
        Ok(Arc::new(Self { io: Arc::new(UdpSocket::from_std(socket)?), state, own }))
    }

    /// Sends a packet that is not QUIC's. What finds no room is lost, as on any network.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn send_own(&self, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        match self.io.try_send_to(datagram, to) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Takes our own packets out of what was received; how many buffers are left.
    fn sift(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta], count: usize) -> usize {
        let mut kept = 0;
        for at in 0..count {
            let meta = metas[at];
            // Segments of one buffer have one length: knocks and probes come with their kind.
            if meta.len > 0 && buffers[at][0] >= QUIC_FROM {
                buffers.swap(kept, at);
                metas.swap(kept, at);
                kept += 1;
                continue;
            }
            for datagram in buffers[at][..meta.len].chunks(meta.stride.max(1)) {
                let _ = self.own.try_send(OwnPacket { from: meta.addr, datagram: datagram.to_vec() });
            }
        }
        kept
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("io", &self.io).finish_non_exhaustive()
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        poller(self.io.clone())
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.io.try_io(Interest::WRITABLE, || self.state.send((&*self.io).into(), transmit))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            let received =
                self.io.try_io(Interest::READABLE, || self.state.recv((&*self.io).into(), buffers, metas));
            match received {
                Ok(count) => match self.sift(buffers, metas, count) {
                    0 => {}
                    kept => return Poll::Ready(Ok(kept)),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

type Waiting = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

/// Waits until a socket takes packets again, for one of quinn's drivers.
#[must_use]
pub fn poller(io: Arc<UdpSocket>) -> Pin<Box<dyn UdpPoller>> {
    Box::pin(Writable { io, waiting: None })
}

struct Writable {
    io: Arc<UdpSocket>,
    waiting: Option<Waiting>,
}

impl fmt::Debug for Writable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writable")
    }
}

impl UdpPoller for Writable {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let io = self.io.clone();
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(async move { io.writable().await }));
        let writable = ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(writable)
    }
}
