//! A client's socket, and upon it two QUIC endpoints: one for the control connection to its relay, one for the connection to its edge server.
//!
//! What the second one sends goes the way that was chosen ([`RoutedSocket::choose`]); quinn knows of one only, the relay. The packets of the two are told
//! apart by whose ids they have: those that the relay granted, the connection to the edge server alone issues.
//!
//! Invariant: real addresses come from the choice, never from packets.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use quinn::{AsyncUdpSocket, UdpPoller};
use quinn_udp::{RecvMeta, Transmit};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tresen_path::{Handle, SocketId, Way, canonical, is_tunnel, quic_destination};

use crate::handed::{Handed, poll_handed};
use crate::silence::Silence;
use crate::socket::Socket;

/// Packets for the control connection that may wait.
const CONTROL_WAITING: usize = 64;

/// Of packets on the direct way is told so often.
const TELL_MS: u64 = 50;

/// What happened on the direct way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Traffic {
    /// Packets were sent.
    Sent,
    /// Packets came from an address that is not the relay's.
    Heard(SocketAddr),
}

/// The socket of the endpoint that connects to the edge server.
pub(crate) struct RoutedSocket {
    socket: Arc<Socket>,
    /// What quinn calls the relay: the node that was asked first.
    relay: SocketAddr,
    nodes: Mutex<AtNodes>,
    silence: Silence,
    /// What the relay granted; until then everything is for the control connection.
    handles: OnceLock<Vec<Handle>>,
    way: Mutex<Way>,
    control: mpsc::Sender<Handed>,
    traffic: mpsc::Sender<Traffic>,
    start: Instant,
    sent_told_ms: AtomicU64,
    heard_told_ms: AtomicU64,
}

/// Where the relay is now.
#[derive(Clone, Copy)]
struct AtNodes {
    /// The node that forwards.
    at: SocketAddr,
    /// One that is asked whether it would.
    asked: SocketAddr,
}

/// The socket of the endpoint for the control connection.
pub(crate) struct ControlSocket {
    socket: Arc<Socket>,
    waiting: Mutex<mpsc::Receiver<Handed>>,
}

impl RoutedSocket {
    /// Upon a socket, for an edge server behind the relay at this address.
    pub(crate) fn new(
        socket: Arc<Socket>,
        relay: SocketAddr,
        traffic: mpsc::Sender<Traffic>,
    ) -> (Arc<Self>, Arc<ControlSocket>) {
        let (control, waiting) = mpsc::channel(CONTROL_WAITING);
        let routed = Self {
            socket: socket.clone(),
            relay: canonical(relay),
            nodes: Mutex::new(AtNodes { at: canonical(relay), asked: canonical(relay) }),
            silence: Silence::default(),
            handles: OnceLock::new(),
            way: Mutex::new(Way::Relay),
            control,
            traffic,
            start: Instant::now(),
            sent_told_ms: AtomicU64::new(0),
            heard_told_ms: AtomicU64::new(0),
        };
        (Arc::new(routed), Arc::new(ControlSocket { socket, waiting: Mutex::new(waiting) }))
    }

    /// The relay has granted these handles; another grant has the same ones.
    pub(crate) fn grant(&self, handles: &[Handle]) {
        let _ = self.handles.set(handles.to_vec());
    }

    /// Another node is asked: what it says is for the control connection.
    pub(crate) fn listen_to(&self, node: SocketAddr) {
        self.nodes().asked = canonical(node);
    }

    /// This node forwards from now on.
    pub(crate) fn move_to(&self, node: SocketAddr) {
        let at = canonical(node);
        *self.nodes() = AtNodes { at, asked: at };
        self.silence.heard();
    }

    /// Until what is sent through the node has waited for an answer for too long.
    pub(crate) async fn unanswered(&self, rtt: impl Fn() -> Duration) {
        self.silence.unanswered(rtt).await;
    }

    /// The node has answered.
    pub(crate) fn heard(&self) {
        self.silence.heard();
    }

    /// Whether something that was sent through the node waits for an answer.
    pub(crate) fn is_unanswered(&self) -> bool {
        self.silence.is_unanswered()
    }

    /// Whether the node is reached by a tunnel.
    pub(crate) fn is_tunnelled(&self) -> bool {
        is_tunnel(self.nodes().at)
    }

    fn nodes(&self) -> MutexGuard<'_, AtNodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends to an address that quinn does not know of.
    fn send_to(&self, address: SocketAddr, transmit: &Transmit<'_>) -> io::Result<()> {
        let destination = self.socket.written(address);
        let Transmit { ecn, contents, segment_size, .. } = *transmit;
        self.socket.try_send(&Transmit { destination, ecn, contents, segment_size, src_ip: None })
    }

    /// Sends this way from now on.
    pub(crate) fn choose(&self, way: Way) {
        self.heard();
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = way;
    }

    fn is_for_edge(&self, datagram: &[u8]) -> bool {
        let handle = quic_destination(datagram).map(|to| to.handle());
        let granted = self.handles.get().map_or(&[][..], Vec::as_slice);
        handle.is_some_and(|handle| granted.contains(&handle))
    }

    /// Hands over the control connection's packets of a buffer from the relay; how many bytes are left at its beginning.
    fn sort(&self, buffer: &mut [u8], meta: &RecvMeta) -> usize {
        self.keep_for_edge(buffer, meta, |datagram| {
            // Answers leave from whatever address this device has then.
            let _ = self.control.try_send(Handed { to: None, ..Handed::of(meta, datagram) });
        })
    }

    /// Takes out of a buffer from elsewhere what has no id of this connection; how many bytes are left at its beginning.
    fn sift(&self, buffer: &mut [u8], meta: &RecvMeta) -> usize {
        self.keep_for_edge(buffer, meta, |_| {})
    }

    /// Moves the packets that have an id of this connection to the beginning of a buffer, and shows the others; how many bytes are left there.
    fn keep_for_edge(&self, buffer: &mut [u8], meta: &RecvMeta, mut other: impl FnMut(&[u8])) -> usize {
        let (stride, mut kept) = (meta.stride.max(1), 0);
        for start in (0..meta.len).step_by(stride) {
            let end = meta.len.min(start + stride);
            if self.is_for_edge(&buffer[start..end]) {
                buffer.copy_within(start..end, kept);
                kept += end - start;
            } else {
                other(&buffer[start..end]);
            }
        }
        kept
    }

    fn tell(&self, told_ms: &AtomicU64, traffic: Traffic) {
        let now_ms = self.start.elapsed().as_millis() as u64 + TELL_MS;
        if now_ms >= told_ms.load(Ordering::Relaxed) + TELL_MS {
            told_ms.store(now_ms, Ordering::Relaxed);
            // Whoever is told is behind only when nothing of it matters.
            let _ = self.traffic.try_send(traffic);
        }
    }
}

impl fmt::Debug for RoutedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutedSocket").field("relay", &self.relay).finish_non_exhaustive()
    }
}

impl AsyncUdpSocket for RoutedSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.socket.clone().create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let way = *self.way.lock().unwrap_or_else(PoisonError::into_inner);
        match way {
            Way::Relay => {
                self.silence.sent();
                self.send_to(self.nodes().at, transmit)
            }
            Way::Direct { socket, address } if socket != SocketId::MAIN => {
                self.tell(&self.sent_told_ms, Traffic::Sent);
                self.socket.send_beside(socket, address, transmit);
                Ok(())
            }
            Way::Direct { address, .. } => {
                self.tell(&self.sent_told_ms, Traffic::Sent);
                self.send_to(address, transmit)
            }
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            let count = ready!(self.socket.poll_recv(cx, buffers, metas))?;
            let nodes = *self.nodes();
            let mut kept = 0;
            for at in 0..count {
                let from = canonical(metas[at].addr);
                let is_relayed = from == nodes.at || from == nodes.asked || is_tunnel(from);
                let keep = if is_relayed { Self::sort } else { Self::sift };
                metas[at].len = keep(self, &mut buffers[at], &metas[at]);
                if metas[at].len > 0 {
                    if is_relayed {
                        self.silence.heard();
                    } else {
                        self.tell(&self.heard_told_ms, Traffic::Heard(from));
                    }
                    // To quinn there is one way. Whether a packet is the edge server's, it finds out by opening it.
                    metas[at].addr = self.socket.written(self.relay);
                    buffers.swap(kept, at);
                    metas.swap(kept, at);
                    kept += 1;
                }
            }
            if kept > 0 {
                return Poll::Ready(Ok(kept));
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.socket.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.socket.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }
}

impl fmt::Debug for ControlSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlSocket")
    }
}

impl AsyncUdpSocket for ControlSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.socket.clone().create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = ready!(poll_handed(&mut waiting, cx, buffers, metas));
        Poll::Ready(filled.ok_or_else(|| io::Error::other("the socket is gone")))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::socket::{OwnPackets, own_packets};

    /// Promise: packets of both connections that the kernel hands over in one buffer get to their own endpoints, whole and in order.
    #[tokio::test]
    async fn two_connections_share_a_buffer() {
        const SIZE: usize = 48;
        let ((probes, _probed), (knocks, _knocked)) = (own_packets(), own_packets());
        let bound = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let socket = Socket::new(bound, OwnPackets { probes, knocks }).expect("a socket");
        let (traffic, _told) = mpsc::channel(1);
        let relay = SocketAddr::from(([192, 0, 2, 1], 7844));
        let (routed, control) = RoutedSocket::new(socket, relay, traffic);
        let packet = |handle: u8, byte: u8| [&[0x41], [handle; 8].as_slice(), &[byte; SIZE - 9]].concat();
        let last = packet(7, 4)[..SIZE - 1].to_vec();
        let all = [packet(7, 1), packet(8, 2), packet(7, 3), last.clone()].concat();
        let meta = RecvMeta { addr: relay, len: all.len(), stride: SIZE, ..RecvMeta::default() };

        let mut buffer = all.clone();
        assert_eq!(routed.sort(&mut buffer, &meta), 0, "nothing is granted yet");
        routed.grant(&[Handle::from_bytes([7; 8])]);
        let mut buffer = all.clone();
        let kept = routed.sift(&mut buffer, &meta);
        assert_eq!(buffer[..kept], [packet(7, 1), packet(7, 3), last.clone()].concat(), "from elsewhere");
        let mut buffer = all;
        let kept = routed.sort(&mut buffer, &meta);
        assert_eq!(buffer[..kept], [packet(7, 1), packet(7, 3), last].concat());
        let mut waiting = control.waiting.lock().expect("no panic");
        let handed: Vec<Vec<u8>> =
            std::iter::from_fn(|| waiting.try_recv().ok()).map(|packet| packet.datagram.into()).collect();
        assert_eq!(handed.len(), 5);
        assert_eq!(handed[4], packet(8, 2));
    }
}
