//! Datagrams that the reader of a socket hands to another QUIC endpoint.

use std::io::IoSliceMut;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll, ready};

use quinn_udp::{EcnCodepoint, RecvMeta};
use tokio::sync::mpsc;

/// One of them.
pub struct Handed {
    /// From where.
    pub from: SocketAddr,
    /// To which of this machine's addresses.
    pub to: Option<IpAddr>,
    /// Its congestion mark.
    pub ecn: Option<EcnCodepoint>,
    /// What.
    pub datagram: Box<[u8]>,
}

impl Handed {
    /// A datagram of a buffer that was received so.
    #[must_use]
    pub fn of(meta: &RecvMeta, datagram: &[u8]) -> Self {
        Self { from: meta.addr, to: meta.dst_ip, ecn: meta.ecn, datagram: datagram.into() }
    }
}

/// Puts the next one into the first of quinn's buffers, and how many are filled now; `None` when nobody hands over any more.
pub fn poll_handed(
    waiting: &mut mpsc::Receiver<Handed>,
    cx: &mut Context<'_>,
    buffers: &mut [IoSliceMut<'_>],
    metas: &mut [RecvMeta],
) -> Poll<Option<usize>> {
    loop {
        let Some(Handed { from, to, ecn, datagram }) = ready!(waiting.poll_recv(cx)) else {
            return Poll::Ready(None);
        };
        let len = datagram.len();
        // Longer than quinn takes: nothing of ours.
        let Some(room) = buffers[0].get_mut(..len) else { continue };
        room.copy_from_slice(&datagram);
        metas[0] = RecvMeta { addr: from, len, stride: len, ecn, dst_ip: to };
        return Poll::Ready(Some(1));
    }
}
