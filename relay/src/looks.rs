//! The node's second port. Endpoints ask there how they look, and learn by comparison what their NAT box does; nothing else is answered.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tresen_path::{KNOCK, KNOCK_BYTES};

use crate::clock::Clock;
use crate::switch::Switch;

/// Answers looks beside a node that listens there, on the port after its own; which one that is. A node does without when it can't be had.
pub fn serve(
    switch: Arc<Switch>,
    clock: Clock,
    listen: SocketAddr,
    bind: impl Fn(SocketAddr) -> io::Result<std::net::UdpSocket>,
) -> Option<NonZeroU16> {
    let beside = SocketAddr::new(listen.ip(), listen.port().checked_add(1)?);
    let opened = bind(beside).and_then(|socket| {
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket)
    });
    match opened {
        Ok(socket) => {
            tokio::spawn(answer(switch, clock, socket));
            NonZeroU16::new(beside.port())
        }
        Err(error) => {
            tracing::warn!(%beside, %error, "the second port can't be had: endpoints can't tell hard NAT boxes");
            None
        }
    }
}

async fn answer(switch: Arc<Switch>, clock: Clock, socket: UdpSocket) {
    let mut buffer = [0; KNOCK_BYTES + 1];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        if length != KNOCK_BYTES || buffer[0] != KNOCK {
            continue;
        }
        let answer = switch.router_mut().look(clock.now_ms(), from, &buffer[..length]);
        if let Ok(answer) = answer {
            // Without an answer the endpoint looks again.
            let _ = socket.try_send_to(&answer, from);
        }
    }
}
