//! The socket of the node's own QUIC endpoint: it receives what the switch hands over, and sends through the switch's socket.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use quinn::{AsyncUdpSocket, UdpPoller};
use quinn_udp::{RecvMeta, Transmit};
use tokio::sync::mpsc;
use tresen_reach::{Handed, poll_handed};

use crate::switch::Switch;

/// See the module.
pub struct OwnSocket {
    switch: Arc<Switch>,
    waiting: Mutex<mpsc::Receiver<Handed>>,
}

impl OwnSocket {
    /// Of what a switch hands over.
    #[must_use]
    pub fn new(switch: Arc<Switch>, waiting: mpsc::Receiver<Handed>) -> Arc<Self> {
        Arc::new(Self { switch, waiting: Mutex::new(waiting) })
    }
}

impl fmt::Debug for OwnSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnSocket")
    }
}

impl AsyncUdpSocket for OwnSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        tresen_reach::poller(self.switch.io.clone())
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.switch.send_own(transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = ready!(poll_handed(&mut waiting, cx, buffers, metas));
        Poll::Ready(filled.ok_or_else(|| io::Error::other("the switch has stopped")))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.switch.io.local_addr()
    }

    fn may_fragment(&self) -> bool {
        self.switch.state.may_fragment()
    }
}
