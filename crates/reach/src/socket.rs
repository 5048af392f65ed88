//! The one socket of an endpoint: QUIC's packets go to quinn, knocks and probes to whoever knocks and probes.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::{AsyncUdpSocket, UdpPoller};
use quinn_udp::{RecvMeta, Transmit};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tresen_path::{PROBE, SocketId, canonical, is_tunnel, written};

use crate::bound::Bound;
use crate::extras::Extras;
use crate::ids::OwnIds;
use crate::tunnel::Tunnels;

/// First bytes below this are our own packets, the rest is QUIC (its fixed bit is kept, see `tresen_path`).
pub(crate) const QUIC_FROM: u8 = 0x40;

/// Own packets that wait to be looked at. Those that find no room are lost, as on any network.
const OWN_WAITING: usize = 256;

/// A packet that is not QUIC's.
#[derive(Debug)]
pub struct OwnPacket {
    /// To which socket.
    pub socket: SocketId,
    /// From where; IPv4 as such.
    pub from: SocketAddr,
    /// What.
    pub datagram: Vec<u8>,
}

/// Where a socket puts packets that are not QUIC's; see [`own_packets`].
#[derive(Clone, Debug)]
pub struct OwnPackets {
    /// Probes.
    pub probes: mpsc::Sender<OwnPacket>,
    /// All others: answers to knocks.
    pub knocks: mpsc::Sender<OwnPacket>,
}

/// A UDP socket for `quinn::Endpoint::new_with_abstract_socket`, which others may use too.
pub struct Socket {
    bound: Bound,
    own: OwnPackets,
    extras: Extras,
    pub(crate) tunnels: Tunnels,
    /// Whether addresses of IPv4 have to be written as those of IPv6.
    is_ipv6: bool,
}

/// Opens QUIC on a socket, with ids that a relay can route by once it has granted some.
///
/// # Errors
/// When the socket doesn't serve.
pub fn endpoint(
    socket: Arc<impl AsyncUdpSocket>,
    ids: OwnIds,
    server: Option<quinn::ServerConfig>,
) -> io::Result<quinn::Endpoint> {
    let mut config = quinn::EndpointConfig::default();
    config.cid_generator(move || Box::new(ids.clone())).grease_quic_bit(false);
    quinn::Endpoint::new_with_abstract_socket(config, server, socket, Arc::new(quinn::TokioRuntime))
}

/// Where a socket puts packets of one kind that are not QUIC's, and who takes them.
#[must_use]
pub fn own_packets() -> (mpsc::Sender<OwnPacket>, mpsc::Receiver<OwnPacket>) {
    mpsc::channel(OWN_WAITING)
}

impl Socket {
    /// Takes over a bound socket; to be called within a runtime.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn new(socket: std::net::UdpSocket, own: OwnPackets) -> io::Result<Arc<Self>> {
        Self::of_all(vec![socket], own)
    }

    /// Takes over several bound sockets, of both families or of several addresses, as one; to be called within a runtime.
    ///
    /// # Errors
    /// When the operating system refuses, or there is none.
    pub fn of_all(sockets: Vec<std::net::UdpSocket>, own: OwnPackets) -> io::Result<Arc<Self>> {
        let bound = Bound::new(sockets)?;
        let (is_ipv6, extras) = (bound.is_ipv6(), Extras::new(own.clone()));
        Ok(Arc::new(Self { bound, own, extras, tunnels: Tunnels::default(), is_ipv6 }))
    }

    /// Where it is bound: one address, or several.
    #[must_use]
    pub fn local_addresses(&self) -> Vec<SocketAddr> {
        self.bound.addresses()
    }

    /// At which addresses of this machine it may be reached, in a fixed order.
    #[must_use]
    pub fn interfaces(&self) -> Vec<SocketAddr> {
        self.bound.interfaces()
    }

    /// Whether anything can be sent there.
    #[must_use]
    pub fn reaches(&self, to: SocketAddr) -> bool {
        is_tunnel(to) || self.bound.reaches(to)
    }

    /// An address as this socket, and a QUIC endpoint upon it, takes it.
    pub(crate) fn written(&self, address: SocketAddr) -> SocketAddr {
        written(address, self.is_ipv6)
    }

    /// Sends a packet that is not QUIC's. What finds no room is lost, as on any network.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn send_own(&self, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        match is_tunnel(to).then(|| self.tunnels.send(canonical(to), datagram, None)) {
            None => self.bound.send_one(to, datagram),
            Some(None) => Ok(()),
            Some(Some(node)) => self.bound.send_one(node, datagram),
        }
    }

    /// Sends a probe from this socket, or one that was opened beside it.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn send_probe(&self, from: SocketId, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        if from == SocketId::MAIN {
            self.send_own(to, datagram)
        } else {
            self.extras.send_probe(from, to, datagram)
        }
    }

    /// Opens sockets with these numbers beside this one; those that the system gave. To be called within a runtime.
    pub fn open_beside(&self, first: SocketId, count: u32) -> Vec<SocketId> {
        self.extras.open(first, count)
    }

    /// Closes those with these numbers, but this one.
    pub fn close_beside(&self, first: SocketId, count: u32, except: Option<SocketId>) {
        self.extras.close(first, count, except);
    }

    /// What goes to this relay node leaves from this socket, whatever comes.
    pub(crate) fn keep_on_main(&self, node: SocketAddr) {
        self.extras.keep_on_main(node);
    }

    /// Sends packets of QUIC from one that was opened beside this one.
    pub(crate) fn send_beside(&self, from: SocketId, to: SocketAddr, transmit: &Transmit<'_>) {
        self.extras.send(from, to, transmit);
    }

    #[cfg(test)]
    pub(crate) fn beside(&self, id: SocketId) -> Option<Arc<UdpSocket>> {
        self.extras.socket(id)
    }

    /// A packet of QUIC that came to a socket beside this one, as if it had come to this one.
    fn poll_beside(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<usize> {
        let filled = ready!(self.extras.poll_stray(cx, buffers, metas));
        metas[0].addr = self.written(metas[0].addr);
        Poll::Ready(filled)
    }

    /// Takes one of our own packets that came from there by another way.
    pub(crate) fn take_own(&self, from: SocketAddr, datagram: &[u8]) {
        self.own.take(OwnPacket { socket: SocketId::MAIN, from, datagram: datagram.to_vec() });
    }

    /// Takes our own packets out of what was received; how many buffers are left.
    fn sift(&self, buffers: &mut [IoSliceMut<'_>], metas: &mut [RecvMeta], count: usize) -> usize {
        let mut kept = 0;
        for at in 0..count {
            // Nobody is at an address of a tunnel: whoever claims that lies.
            let is_lie = is_tunnel(metas[at].addr);
            metas[at].len = if is_lie { 0 } else { self.sift_buffer(&mut buffers[at], &metas[at]) };
            if metas[at].len > 0 {
                buffers.swap(kept, at);
                metas.swap(kept, at);
                kept += 1;
            }
        }
        kept
    }

    /// Moves QUIC's packets to the beginning of a buffer, and hands over ours; how many bytes are left there. The kernel merges what comes from one address, a
    /// shorter packet at the end, so each may be of either kind.
    fn sift_buffer(&self, buffer: &mut [u8], meta: &RecvMeta) -> usize {
        let (from, stride, mut kept) = (canonical(meta.addr), meta.stride.max(1), 0);
        for start in (0..meta.len).step_by(stride) {
            let end = meta.len.min(start + stride);
            if buffer[start] < QUIC_FROM {
                self.take_own(from, &buffer[start..end]);
            } else {
                if start > kept {
                    buffer.copy_within(start..end, kept);
                }
                kept += end - start;
            }
        }
        kept
    }
}

impl OwnPackets {
    /// What finds no room is lost, as on any network.
    pub(crate) fn take(&self, packet: OwnPacket) {
        let is_probe = packet.datagram.first() == Some(&PROBE);
        let _ = if is_probe { &self.probes } else { &self.knocks }.try_send(packet);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("bound", &self.bound).finish_non_exhaustive()
    }
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable { sockets: self.bound.writable(), waiting: None })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let to = canonical(transmit.destination);
        if is_tunnel(to) {
            let instead = self.tunnels.send(to, transmit.contents, transmit.segment_size);
            return instead.map_or(Ok(()), |node| {
                let Transmit { ecn, contents, segment_size, .. } = *transmit;
                let destination = self.written(node);
                self.bound.send(&Transmit { destination, ecn, contents, segment_size, src_ip: None })
            });
        }
        if let Some(beside) = self.extras.towards(to) {
            self.send_beside(beside, to, transmit);
            return Ok(());
        }
        self.bound.send(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(count) = self.poll_beside(cx, buffers, metas) {
            return Poll::Ready(Ok(count));
        }
        if let Poll::Ready(count) = self.tunnels.poll_recv(cx, buffers, metas) {
            return Poll::Ready(Ok(count));
        }
        loop {
            let count = ready!(self.bound.poll_recv(cx, buffers, metas))?;
            let kept = self.sift(buffers, metas, count);
            metas[..kept].iter_mut().for_each(|meta| meta.addr = self.written(meta.addr));
            if kept > 0 {
                return Poll::Ready(Ok(kept));
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        let bound = self.bound.addresses();
        // By the family of this one quinn tells how addresses are to be written.
        let first = bound.iter().find(|local| local.is_ipv6()).or(bound.first());
        first.copied().ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
    }

    fn max_transmit_segments(&self) -> usize {
        self.bound.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.bound.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.bound.may_fragment()
    }
}

type Waiting = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

/// Waits until a socket takes packets again, for one of quinn's drivers.
#[must_use]
pub fn poller(io: Arc<UdpSocket>) -> Pin<Box<dyn UdpPoller>> {
    Box::pin(Writable { sockets: vec![io], waiting: None })
}

struct Writable {
    sockets: Vec<Arc<UdpSocket>>,
    waiting: Option<Waiting>,
}

impl fmt::Debug for Writable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writable")
    }
}

impl UdpPoller for Writable {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { sockets, waiting } = &mut *self;
        let all = || {
            let sockets = sockets.clone();
            let all: Waiting = Box::pin(async move {
                for socket in sockets {
                    socket.writable().await?;
                }
                Ok(())
            });
            all
        };
        let writable = ready!(waiting.get_or_insert_with(all).as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(writable)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// Promise: packets of both kinds that the kernel hands over in one buffer get to their own readers, whole and in order.
    #[tokio::test]
    async fn both_kinds_share_a_buffer() {
        let ((probes, mut probed), (knocks, mut knocked)) = (own_packets(), own_packets());
        let bound = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let socket = Socket::new(bound, OwnPackets { probes, knocks }).expect("a socket");
        let (quic, probe, knock) = ([0x41; 1_200], [PROBE; 57], [2; 77]);
        let quic_at_end = [0x42; 40];
        let sift = |stride: usize, packets: &[&[u8]]| {
            let mut buffer = packets.concat();
            let meta = RecvMeta { len: buffer.len(), stride, ..RecvMeta::default() };
            let mut metas = [meta];
            let kept = socket.sift(&mut [IoSliceMut::new(&mut buffer)], &mut metas, 1);
            buffer.truncate(metas[0].len);
            (kept, buffer)
        };
        assert_eq!(sift(1_200, &[&quic, &quic, &probe]), (1, [quic, quic].concat()));
        assert_eq!(probed.try_recv().expect("a probe").datagram, probe);
        assert_eq!(
            sift(77, &[&knock, &[0x43; 77], &knock, &quic_at_end]),
            (1, [&[0x43; 77][..], &quic_at_end].concat())
        );
        assert_eq!(sift(77, &[&knock]), (0, Vec::new()));
        for _ in 0..3 {
            assert_eq!(knocked.try_recv().expect("a knock").datagram, knock);
        }
        assert!(probed.try_recv().is_err() && knocked.try_recv().is_err());
    }
}
