//! Tunnels: endpoints whose network has no UDP send and get their datagrams in a stream of TLS that ends here. To the rest of the node they are packets like
//! others, from an address that stands for the stream; what is in them is sealed for others, as everywhere.
//!
//! Invariant: a tunnel is counted as a stream before it is open ([`crate::places`]), and costs no more than its stream and what waits for it
//! ([`tresen_reach::carried`]); who comes by it has proven no more than his address; one by
//! which nobody is let in is over soon, and makes room for others before.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use quinn_udp::Transmit;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tresen_identity::TUNNEL_ALPN;
use tresen_path::{canonical, is_tunnel, tunnel_address};
use tresen_reach::{Datagram, carried, carry};

use crate::hello::Hello;
use crate::passes::HELLO_PATIENCE;
use crate::places::Place;
use crate::switch::Switch;

/// Whoever opens a tunnel has to be let in by then ...
const LET_IN: Duration = Duration::from_secs(15);

/// ... which is looked for so often; ...
const LOOK: Duration = Duration::from_millis(500);

/// ... and so often, whether somebody still is.
const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// Those of a node.
#[derive(Default)]
pub(crate) struct Tunnels {
    next: AtomicU32,
    open: RwLock<HashMap<SocketAddr, Open>>,
}

struct Open {
    to_send: mpsc::Sender<Datagram>,
    /// Where its stream comes from.
    from: SocketAddr,
}

/// One of them, taken out of the table when it is dropped.
struct Entry<'a> {
    tunnels: &'a Tunnels,
    address: SocketAddr,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.tunnels.open.write().unwrap_or_else(PoisonError::into_inner).remove(&self.address);
    }
}

impl Tunnels {
    fn enter(&self, from: SocketAddr) -> (Entry<'_>, mpsc::Receiver<Datagram>) {
        let (to_send, waiting) = carried();
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        let address = loop {
            let address = tunnel_address(self.next.fetch_add(1, Ordering::Relaxed));
            // Numbers begin again after 2^27.
            if !open.contains_key(&address) {
                break address;
            }
        };
        open.insert(address, Open { to_send, from });
        (Entry { tunnels: self, address }, waiting)
    }

    /// Sends datagrams through the tunnel that they are for.
    ///
    /// # Errors
    /// When there is no room, or it is gone.
    pub(crate) fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let tunnel = open.get(&canonical(transmit.destination)).ok_or(io::ErrorKind::NotConnected)?;
        let length = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        for datagram in transmit.contents.chunks(length) {
            tunnel.to_send.try_send(datagram.into()).map_err(|_| io::ErrorKind::StorageFull)?;
        }
        Ok(())
    }

    /// Where packets with this address really come from.
    pub(crate) fn origin(&self, at: SocketAddr) -> SocketAddr {
        if !is_tunnel(at) {
            return at;
        }
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.get(&canonical(at)).map_or(at, |tunnel| tunnel.from)
    }

    /// How many are open.
    pub(crate) fn count(&self) -> usize {
        self.open.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Ends all of them, after what waits was written.
    pub(crate) fn close(&self) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Serves a stream that began with a hello to the node itself, until it ends.
///
/// # Errors
/// When it is no tunnel, or not any more.
pub(crate) async fn serve(
    switch: &Arc<Switch>,
    acceptor: &TlsAcceptor,
    (client, from): (TcpStream, SocketAddr),
    hello: Hello,
    place: &Place,
) -> io::Result<()> {
    let (then, writer) = client.into_split();
    let stream = tokio::io::join(Replayed { said: hello.bytes.into(), then }, writer);
    let shaken = timeout(HELLO_PATIENCE, acceptor.accept(stream)).await;
    let stream = shaken.map_err(|_| io::ErrorKind::TimedOut)??;
    if stream.get_ref().1.alpn_protocol() != Some(TUNNEL_ALPN) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let (entry, mut waiting) = switch.tunnels.enter(from);
    tracing::debug!(%from, at = %entry.address, "a tunnel is open");
    let carrying = carry(stream, &mut waiting, |datagram| switch.receive(entry.address, datagram));
    tokio::select! {
        carried = carrying => carried,
        () = unused(switch, entry.address, place) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Until nobody is where a tunnel leads to.
async fn unused(switch: &Switch, address: SocketAddr, place: &Place) {
    let is_anybodys = || switch.router().is_anybodys(address);
    let let_in = async {
        while !is_anybodys() {
            sleep(LOOK).await;
        }
        place.prove();
    };
    if timeout(LET_IN, let_in).await.is_err() {
        return;
    }
    while is_anybodys() {
        sleep(LOOK_AGAIN).await;
    }
}

/// What was read already, and then what comes; nothing of the former is kept when it was read.
struct Replayed<R> {
    said: Bytes,
    then: R,
}

impl<R: AsyncRead + Unpin> AsyncRead for Replayed<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.said.is_empty() {
            return Pin::new(&mut self.then).poll_read(cx, room);
        }
        let length = room.remaining().min(self.said.len());
        room.put_slice(&self.said.split_to(length));
        if self.said.is_empty() {
            self.said = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}
