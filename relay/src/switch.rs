//! The switch: takes datagrams from the node's socket in batches, and sends them on as they are.
//!
//! A buffer of the kernel's (GRO) holds datagrams of one sender, all of one length but the last. Those of them that go to the same address one after
//! another leave as one buffer again (GSO), without a copy. What can't be sent at once is dropped, as a router does it: the ends repeat it.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tresen_path::{KNOCK_BYTES, Party, Router, Unreadable, Verdict, is_tunnel, written};
use tresen_reach::Handed;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::limits::Limits;
use crate::tunnels::Tunnels;

/// Room for what the kernel hands over at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Moves of parties that may wait to be told; what finds no room is told with the next admission.
const MOVES_WAITING: usize = 1024;

/// A party that was proven to be somewhere else than before.
pub struct Move {
    /// Who.
    pub party: Party,
    /// Where it is now.
    pub to: SocketAddr,
}

/// A socket that can't be read so many times in a row has failed for good.
const FAILURES: u32 = 100;

/// Datagrams for the node's own endpoint that may wait.
const OWN_WAITING: usize = 1024;

/// A node's socket and its routing table.
pub struct Switch {
    pub(crate) io: Arc<UdpSocket>,
    pub(crate) state: UdpSocketState,
    router: RwLock<Router>,
    own: mpsc::Sender<Handed>,
    moves: mpsc::Sender<Move>,
    clock: Clock,
    counters: Arc<Counters>,
    limits: Arc<Limits>,
    pub(crate) tunnels: Tunnels,
    /// Whether addresses of IPv4 have to be written as those of IPv6.
    is_ipv6: bool,
}

/// Datagrams of one buffer that share their fate.
struct Run {
    verdict: Verdict,
    /// In bytes of the buffer.
    from: usize,
    to: usize,
}

impl Switch {
    /// On a bound socket; what the node's own endpoint gets, and who moved. To be called within a runtime.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn new(
        socket: std::net::UdpSocket,
        router: Router,
        clock: Clock,
        counters: Arc<Counters>,
        limits: Arc<Limits>,
    ) -> io::Result<(Arc<Self>, mpsc::Receiver<Handed>, mpsc::Receiver<Move>)> {
        let state = UdpSocketState::new((&socket).into())?;
        socket.set_nonblocking(true)?;
        let (own, waiting) = mpsc::channel(OWN_WAITING);
        let (moves, moved) = mpsc::channel(MOVES_WAITING);
        let is_ipv6 = socket.local_addr()?.is_ipv6();
        let (io, router) = (Arc::new(UdpSocket::from_std(socket)?), RwLock::new(router));
        let tunnels = Tunnels::default();
        let switch = Self { io, state, router, own, moves, clock, counters, limits, tunnels, is_ipv6 };
        Ok((Arc::new(switch), waiting, moved))
    }

    /// The routing table, to look at.
    pub fn router(&self) -> RwLockReadGuard<'_, Router> {
        self.router.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The routing table, to change.
    pub fn router_mut(&self) -> RwLockWriteGuard<'_, Router> {
        self.router.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forwards until the socket fails.
    ///
    /// # Errors
    /// When the operating system refuses for good.
    pub async fn run(&self) -> io::Result<()> {
        let mut memory = vec![0; BATCH_SIZE * BUFFER_BYTES];
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let mut failures = 0;
        loop {
            self.io.readable().await?;
            let mut buffers: Vec<_> = memory.chunks_mut(BUFFER_BYTES).map(IoSliceMut::new).collect();
            let received = self
                .io
                .try_io(Interest::READABLE, || self.state.recv((&*self.io).into(), &mut buffers, &mut metas));
            match received {
                Ok(count) => {
                    failures = 0;
                    // Nobody is at an address of a tunnel: whoever claims that lies.
                    let batch =
                        buffers.iter().zip(&metas).take(count).filter(|(_, meta)| !is_tunnel(meta.addr));
                    self.batch(batch.map(|(buffer, meta)| (&buffer[..meta.len], meta)));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Some peer's machine says that nobody listens there: no reason to stop for everybody.
                Err(error) if of_a_peer(&error) => {
                    tracing::debug!(%error, "a datagram could not be received");
                }
                Err(error) => {
                    failures += 1;
                    if failures >= FAILURES {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// A datagram that came through a tunnel.
    pub(crate) fn receive(&self, from: SocketAddr, datagram: &[u8]) {
        let len = datagram.len();
        let meta = RecvMeta { addr: self.written(from), len, stride: len, ecn: None, dst_ip: None };
        self.batch(std::iter::once((datagram, &meta)));
    }

    fn batch<'a>(&self, received: impl Iterator<Item = (&'a [u8], &'a RecvMeta)>) {
        let now_ms = self.clock.now_ms();
        let mut knocks = Vec::new();
        let router = self.router();
        for (buffer, meta) in received {
            for run in runs(&router, now_ms, meta, buffer) {
                let bytes = &buffer[run.from..run.to];
                match run.verdict {
                    Verdict::Forward { to, flow } if self.limits.forward(flow, bytes.len()) => {
                        self.forward(to, meta, bytes);
                    }
                    Verdict::Forward { .. } => {
                        self.counters.limited(bytes.chunks(meta.stride.max(1)).len() as u64);
                    }
                    Verdict::Control => self.hand_over(meta, bytes),
                    Verdict::Knock => {
                        for datagram in bytes.chunks(meta.stride.max(1)) {
                            match <&[u8; KNOCK_BYTES]>::try_from(datagram).ok() {
                                Some(knock) => knocks.push((*meta, *knock)),
                                None => self.counters.dropped(Unreadable::Short.into(), 1),
                            }
                        }
                    }
                    Verdict::Drop(reason) => {
                        self.counters.dropped(reason, bytes.chunks(meta.stride.max(1)).len() as u64);
                    }
                }
            }
        }
        drop(router);
        knocks.into_iter().for_each(|(meta, knock)| self.knock(now_ms, &meta, &knock));
    }

    fn forward(&self, to: SocketAddr, meta: &RecvMeta, bytes: &[u8]) {
        let most = self.state.max_gso_segments().max(1) * meta.stride;
        for piece in bytes.chunks(most.max(1)) {
            let segments = piece.len().div_ceil(meta.stride.max(1));
            let segment_size = (segments > 1).then_some(meta.stride);
            let transmit = Transmit {
                destination: self.written(to),
                ecn: meta.ecn,
                contents: piece,
                segment_size,
                src_ip: None,
            };
            match self.send(&transmit) {
                Ok(()) => self.counters.forwarded(segments as u64, piece.len() as u64),
                Err(_) => self.counters.unsent(segments as u64),
            }
        }
    }

    fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if is_tunnel(transmit.destination) {
            return self.tunnels.send(transmit);
        }
        self.io.try_io(Interest::WRITABLE, || self.state.try_send((&*self.io).into(), transmit))
    }

    /// Sends for the node's own endpoint, which minds errors as quinn does.
    pub(crate) fn send_own(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if is_tunnel(transmit.destination) {
            // What is lost here, quinn sends again.
            let _ = self.tunnels.send(transmit);
            return Ok(());
        }
        self.io.try_io(Interest::WRITABLE, || self.state.send((&*self.io).into(), transmit))
    }

    /// An address as this socket takes it.
    fn written(&self, address: SocketAddr) -> SocketAddr {
        written(address, self.is_ipv6)
    }

    fn hand_over(&self, meta: &RecvMeta, bytes: &[u8]) {
        for datagram in bytes.chunks(meta.stride.max(1)) {
            if self.own.try_send(Handed::of(meta, datagram)).is_err() {
                self.counters.unheard();
            }
        }
    }

    fn knock(&self, now_ms: u64, meta: &RecvMeta, knock: &[u8; KNOCK_BYTES]) {
        let knocked = self.router_mut().knock(now_ms, meta.addr, knock);
        match knocked {
            Ok(knocked) => {
                self.counters.knocked();
                if let Some(party) = knocked.moved {
                    let _ = self.moves.try_send(Move { party, to: meta.addr });
                }
                let answer = Transmit {
                    destination: meta.addr,
                    ecn: None,
                    contents: &knocked.answer,
                    segment_size: None,
                    src_ip: meta.dst_ip,
                };
                // Without an answer the endpoint knocks again.
                let _ = self.send(&answer);
            }
            Err(reason) => self.counters.dropped(reason, 1),
        }
    }
}

fn of_a_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), ConnectionRefused | ConnectionReset | HostUnreachable | NetworkUnreachable)
}

/// What happens to the datagrams of a buffer: those that go to one address one after another are together.
fn runs(router: &Router, now_ms: u64, meta: &RecvMeta, buffer: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::with_capacity(1);
    let stride = meta.stride.max(1);
    for (number, datagram) in buffer.chunks(stride).enumerate() {
        let verdict = router.route(now_ms, meta.addr, datagram);
        let (from, to) = (number * stride, number * stride + datagram.len());
        match runs.last_mut() {
            Some(run) if run.verdict == verdict => run.to = to,
            _ => runs.push(Run { verdict, from, to }),
        }
    }
    runs
}
