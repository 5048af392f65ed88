//! Sockets beside the one that carries everything: the birthday method opens many for some seconds, and may keep one.
//!
//! Packets of QUIC that come to one of them are handed to the endpoint as if they had come to the main socket; what goes to an address from which such packets
//! came leaves from the socket to which they came.
//!
//! Invariant: packets alone change nothing. That holds for addresses to which a probe was sent from that very socket, and never for a relay node's.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use quinn_udp::{RecvMeta, Transmit};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tresen_path::{SocketId, is_tunnel};

use crate::handed::{Handed, poll_handed};
use crate::socket::{OwnPacket, OwnPackets, QUIC_FROM};

/// Packets of QUIC that may wait to be looked at.
const WAITING: usize = 256;

/// Longest packet that is taken: no path of ours carries more.
const PACKET_BYTES: usize = 2048;

/// Addresses that are remembered for each socket: those to which probes went last.
const PEERS: usize = 4;

/// Relay nodes that are remembered, those that were named last.
const NODES: usize = 8;

/// After an error of the system, of which there may be many, so long nothing is received.
const PAUSE: Duration = Duration::from_millis(20);

/// See the module.
pub(crate) struct Extras {
    own: OwnPackets,
    strays: mpsc::Sender<Handed>,
    waiting: Mutex<mpsc::Receiver<Handed>>,
    open: Mutex<BTreeMap<SocketId, Extra>>,
    speaking: Speaking,
    /// What goes there leaves from the main socket.
    nodes: Mutex<VecDeque<SocketAddr>>,
    /// Whether any is open: nearly always there is none.
    any: AtomicBool,
}

struct Extra {
    io: Arc<UdpSocket>,
    peers: Peers,
    reading: AbortHandle,
}

/// Addresses to which probes went.
type Peers = Arc<Mutex<VecDeque<SocketAddr>>>;

/// Those of them from which packets of QUIC came, and to which socket they came last.
type Speaking = Arc<Mutex<BTreeMap<SocketAddr, SocketId>>>;

impl Drop for Extra {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Extras {
    /// None yet.
    pub(crate) fn new(own: OwnPackets) -> Self {
        let (strays, waiting) = mpsc::channel(WAITING);
        Self {
            own,
            strays,
            waiting: Mutex::new(waiting),
            open: Mutex::default(),
            speaking: Speaking::default(),
            nodes: Mutex::default(),
            any: AtomicBool::new(false),
        }
    }

    /// Opens sockets with these numbers; those that the system gave.
    pub(crate) fn open(&self, first: SocketId, count: u32) -> Vec<SocketId> {
        let mut open = lock(&self.open);
        let numbers = (0..count).map(|number| SocketId(first.0.wrapping_add(number)));
        let opened: Vec<SocketId> = numbers
            .filter_map(|id| Some((id, self.extra(id).ok()?)))
            .map(|(id, extra)| {
                open.insert(id, extra);
                id
            })
            .collect();
        self.any.store(!open.is_empty(), Ordering::Relaxed);
        opened
    }

    /// Closes those with these numbers, but this one.
    pub(crate) fn close(&self, first: SocketId, count: u32, except: Option<SocketId>) {
        let mut open = lock(&self.open);
        open.retain(|id, _| id.0.wrapping_sub(first.0) >= count || Some(*id) == except);
        lock(&self.speaking).retain(|_, id| open.contains_key(id));
        self.any.store(!open.is_empty(), Ordering::Relaxed);
    }

    /// What goes to this relay node leaves from the main socket, whatever comes.
    pub(crate) fn keep_on_main(&self, node: SocketAddr) {
        let mut nodes = lock(&self.nodes);
        if !nodes.contains(&node) {
            if nodes.len() >= NODES {
                nodes.pop_front();
            }
            nodes.push_back(node);
        }
    }

    /// Sends a probe from one of them.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn send_probe(&self, from: SocketId, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        let found = lock(&self.open).get(&from).map(|extra| (extra.io.clone(), extra.peers.clone()));
        let Some((io, peers)) = found else { return Ok(()) };
        if let Some(former) = remember(&peers, to) {
            lock(&self.speaking).retain(|address, id| (*address, *id) != (former, from));
        }
        io.try_send_to(datagram, to).map(|_| ())
    }

    /// Sends packets of QUIC from one of them. What finds no room is lost, as on any network.
    pub(crate) fn send(&self, from: SocketId, to: SocketAddr, transmit: &Transmit<'_>) {
        if let Some(io) = self.socket(from) {
            let segment = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
            for datagram in transmit.contents.chunks(segment) {
                let _ = io.try_send_to(datagram, to);
            }
        }
    }

    /// The one to which packets of QUIC came from this address.
    pub(crate) fn towards(&self, peer: SocketAddr) -> Option<SocketId> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let spoken_to = lock(&self.speaking).get(&peer).copied()?;
        let is_open = lock(&self.open).contains_key(&spoken_to);
        (is_open && !lock(&self.nodes).contains(&peer)).then_some(spoken_to)
    }

    /// Puts the next packet of QUIC that came to any into the first of quinn's buffers.
    pub(crate) fn poll_stray(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<usize> {
        match poll_handed(&mut lock(&self.waiting), cx, buffers, metas) {
            Poll::Ready(Some(filled)) => Poll::Ready(filled),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    pub(crate) fn socket(&self, id: SocketId) -> Option<Arc<UdpSocket>> {
        lock(&self.open).get(&id).map(|extra| extra.io.clone())
    }

    fn extra(&self, id: SocketId) -> io::Result<Extra> {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_nonblocking(true)?;
        let (io, peers) = (Arc::new(UdpSocket::from_std(socket)?), Peers::default());
        let heard = Heard { peers: peers.clone(), speaking: self.speaking.clone() };
        let reading = read(id, io.clone(), heard, self.own.clone(), self.strays.clone());
        let reading = tokio::spawn(reading).abort_handle();
        Ok(Extra { io, peers, reading })
    }
}

/// Where it is noted who speaks.
struct Heard {
    peers: Peers,
    speaking: Speaking,
}

async fn read(
    socket: SocketId,
    io: Arc<UdpSocket>,
    heard: Heard,
    own: OwnPackets,
    strays: mpsc::Sender<Handed>,
) {
    let mut buffer = Vec::with_capacity(PACKET_BYTES);
    loop {
        buffer.clear();
        match io.recv_buf_from(&mut buffer).await {
            Ok((_, from)) if is_tunnel(from) => {}
            Ok((_, from)) if buffer.first().is_some_and(|first| *first >= QUIC_FROM) => {
                heard.note(socket, from);
                let _ =
                    strays.try_send(Handed { from, to: None, ecn: None, datagram: buffer.as_slice().into() });
            }
            Ok((_, from)) => own.take(OwnPacket { socket, from, datagram: buffer.clone() }),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Remembers where probes went; whom that puts out.
fn remember(peers: &Peers, to: SocketAddr) -> Option<SocketAddr> {
    let mut peers = lock(peers);
    if peers.contains(&to) {
        return None;
    }
    peers.push_back(to);
    if peers.len() > PEERS { peers.pop_front() } else { None }
}

impl Heard {
    fn note(&self, socket: SocketId, from: SocketAddr) {
        if lock(&self.peers).contains(&from) {
            lock(&self.speaking).insert(from, socket);
        }
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::IoSliceMut;

    use quinn::AsyncUdpSocket;
    use quinn_udp::RecvMeta;

    use super::*;
    use crate::socket::{Socket, own_packets};

    fn loopback() -> std::net::UdpSocket {
        std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket")
    }

    /// Promise: QUIC goes on upon a socket beside the main one, for whom it has probed from there: what comes there reaches the endpoint, and what goes back leaves from
    /// there, until it is closed. A stranger's packets, and packets in a relay's name, change nothing.
    #[tokio::test]
    async fn quic_goes_on_beside() {
        let (probes, _probed) = own_packets();
        let (knocks, _knocked) = own_packets();
        let socket = Socket::new(loopback(), OwnPackets { probes, knocks }).expect("a socket");
        let opened = socket.open_beside(SocketId(1), 3);
        assert_eq!(opened, [SocketId(1), SocketId(2), SocketId(3)]);
        socket.close_beside(SocketId(1), 3, Some(SocketId(2)));
        let port = socket.beside(SocketId(2)).expect("it is open").local_addr().expect("an address").port();
        assert!(socket.beside(SocketId(1)).is_none());

        let (peer, packet) = (loopback(), [0x41; 40]);
        let from = peer.local_addr().expect("an address");
        let main = socket.local_addresses()[0].port();
        peer.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
        let heard = async || {
            peer.send_to(&packet, (Ipv4Addr::LOCALHOST, port)).expect("loopback");
            let (mut memory, mut metas) = ([0; PACKET_BYTES], [RecvMeta::default()]);
            let mut buffers = [IoSliceMut::new(&mut memory)];
            let received = std::future::poll_fn(|cx| socket.poll_recv(cx, &mut buffers, &mut metas)).await;
            assert_eq!((received.expect("a packet"), metas[0].len, metas[0].addr), (1, packet.len(), from));
        };
        let answered_from = || {
            let answer = Transmit {
                destination: from,
                ecn: None,
                contents: &packet,
                segment_size: None,
                src_ip: None,
            };
            socket.try_send(&answer).expect("it is sent");
            peer.recv_from(&mut [0; PACKET_BYTES]).expect("an answer").1.port()
        };
        heard().await;
        assert_eq!(answered_from(), main, "a stranger changes nothing");
        socket.send_probe(SocketId(2), from, &[3; 57]).expect("it is sent");
        peer.recv_from(&mut [0; PACKET_BYTES]).expect("a probe");
        heard().await;
        assert_eq!(answered_from(), port);
        socket.keep_on_main(from);
        assert_eq!(answered_from(), main, "a relay node is reached from the main socket");
        socket.close_beside(SocketId(2), 1, None);
        assert_eq!(answered_from(), main);
    }
}
