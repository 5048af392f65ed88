//! The node's second port. Endpoints ask there how they look, and learn by comparison what their NAT box does; nothing else is answered.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tresen_path::{KNOCK, KNOCK_BYTES};

use crate::clock::Clock;
use crate::switch::Switch;

/// After an error of the system, of which there may be many, so long nothing is received.
const PAUSE: Duration = Duration::from_millis(20);

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
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if length != KNOCK_BYTES || buffer[0] != KNOCK {
            continue;
        }
        let Ok(look) = switch.router().open_look(clock.now_ms(), &buffer[..length]) else { continue };
        if let Ok(answer) = switch.router_mut().look(from, &look) {
            // Without an answer the endpoint looks again.
            let _ = socket.try_send_to(&answer, from);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tresen_identity::{Fingerprint, Secret, TenantId};
    use tresen_path::{Capacity, EdgeName, Knocker, NodeId, Router, RoutingKey};

    use super::*;
    use crate::limits::{LimitSettings, Limits};

    /// Promise: what only looks like a look keeps nobody from forwarding, and whoever looks is answered.
    #[tokio::test(flavor = "multi_thread")]
    async fn noise_at_the_second_port_locks_nothing() {
        let capacity = Capacity { edges: 1, clients: 1, clients_of_edge: 1 };
        let mut router = Router::new(RoutingKey::new(Secret::new([9; 32])), NodeId(1), capacity);
        let edge = EdgeName { tenant: TenantId::from_bytes([1; 16]), edge: Fingerprint::from_bytes([2; 32]) };
        let bind = || std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (own, second, looking) = (bind(), bind(), bind());
        let (here, there) = (looking.local_addr().unwrap(), second.local_addr().unwrap());
        let grant = router.register(0, edge, here, 60_000, Secret::new([4; 32])).unwrap();
        let mut knocker = Knocker::new(&grant, &Secret::new([6; 32])).unwrap();
        knocker.look(0);
        let look = knocker.poll_look(0).unwrap();
        let limits = Arc::new(Limits::new(LimitSettings::default()));
        let (switch, _own, _moved) =
            Switch::new(own, router, Clock::default(), Arc::default(), limits).unwrap();
        second.set_nonblocking(true).unwrap();
        let second = UdpSocket::from_std(second).unwrap();
        tokio::spawn(answer(switch.clone(), Clock::default(), second));

        let forwards = tokio::task::spawn_blocking(move || {
            let _one = switch.router();
            let mut forged = look;
            forged[40] ^= 1;
            for packet in [forged, [KNOCK; KNOCK_BYTES]] {
                looking.send_to(&packet, there).unwrap();
            }
            std::thread::sleep(Duration::from_millis(100));
            // Who wants to change the table makes the next one wait that looks at it.
            let (said, heard) = std::sync::mpsc::channel();
            let other = switch.clone();
            std::thread::spawn(move || {
                let _other = other.router();
                let _ = said.send(());
            });
            (heard.recv_timeout(Duration::from_secs(1)).is_ok(), looking)
        });
        let (forwards, looking) = forwards.await.unwrap();
        assert!(forwards);
        looking.send_to(&look, there).unwrap();
        looking.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut answer = [0; KNOCK_BYTES];
        looking.recv_from(&mut answer).unwrap();
        assert_eq!(knocker.handle_look(&answer), Some(here));
    }
}
