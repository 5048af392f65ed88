//! To a relay node by whichever way answers first: UDP, and a little later a tunnel, for networks that have none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_ok;
use quinn::Endpoint;
use tokio::time::{sleep, timeout};
use tresen_identity::{Fingerprint, KeyPair, PublicPlace, RelayRoute};
use tresen_path::canonical;

use crate::control::{Control, ControlFailed};
use crate::socket::Socket;
use crate::tunnel::{Tunnel, TunnelEnd};

/// UDP is ahead by this: it is the better way, and answers sooner on any network that lets it through, also when its first packet got lost
/// (see [`crate::control`]).
const TUNNEL_AFTER: Duration = Duration::from_millis(500);

/// Pauses before whoever has come by a tunnel looks for UDP: the first, and the longest, which is shorter than a place lasts. UDP may have been late once, and
/// then it is there soon; or it is blocked.
const UDP_AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));

/// A pause is so much of what it is, by chance: an endpoint's places at two nodes do not change at the same time.
const JITTER: std::ops::Range<f64> = 0.5..1.5;

/// How long UDP may take then.
const UDP_PATIENCE: Duration = Duration::from_secs(3);

/// Whoever calls a relay's nodes, and from where.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Of control connections, on the socket.
    pub endpoint: &'a Endpoint,
    /// The socket.
    pub socket: &'a Arc<Socket>,
    /// The relay's name.
    pub relay: Fingerprint,
    /// Where it passes on TLS, if that is known.
    pub public_port: Option<u16>,
    /// Who calls.
    pub key: &'a KeyPair,
}

/// A node that has answered.
pub struct Reached {
    /// The control connection.
    pub control: Control,
    /// Where its packets go, IPv4 as such: to the node, or into the tunnel.
    pub at: SocketAddr,
    /// It, where there is no UDP.
    pub tunnel: Option<Tunnel>,
}

impl<'a> Caller<'a> {
    /// Of the nodes of this relay.
    #[must_use]
    pub fn new(
        route: &RelayRoute,
        endpoint: &'a Endpoint,
        socket: &'a Arc<Socket>,
        key: &'a KeyPair,
    ) -> Self {
        let public_port = route.public.as_ref().map(PublicPlace::port);
        Self { endpoint, socket, relay: route.relay, public_port, key }
    }

    /// Calls the node at an address.
    ///
    /// # Errors
    /// When it answers neither way.
    pub async fn call(&self, node: SocketAddr) -> Result<Reached, ControlFailed> {
        let by_udp = async {
            let control = self.control(node).await?;
            Ok(Reached { control, at: canonical(node), tunnel: None })
        };
        let by_tunnel = async {
            sleep(TUNNEL_AFTER).await;
            let end = TunnelEnd { node: self.relay, at: node, public_port: self.public_port };
            let tunnel = Tunnel::open(self.socket, end).await.map_err(ControlFailed::Tunnel)?;
            let at = tunnel.address();
            let control = self.control(at).await?;
            Ok(Reached { control, at, tunnel: Some(tunnel) })
        };
        select_ok([by_udp.boxed(), by_tunnel.boxed()]).await.map(|(reached, _)| reached)
    }

    async fn control(&self, at: SocketAddr) -> Result<Control, ControlFailed> {
        Control::connect(self.endpoint, self.socket.written(at), self.relay, self.key).await
    }

    /// For whoever came by a tunnel, which is as good as before meanwhile: looks whether UDP gets to the node.
    #[must_use]
    pub const fn better(self, node: SocketAddr) -> Better<'a> {
        Better { caller: self, node, pause: UDP_AGAIN.0 }
    }
}

/// A way to a node by UDP, where it was reached by a tunnel. What the node says there, the caller asks before the tunnel is left.
pub struct Better<'a> {
    caller: Caller<'a>,
    node: SocketAddr,
    pause: Duration,
}

impl Better<'_> {
    /// Waits until UDP gets there: after a pause, which grows from one time to the next.
    pub async fn reached(&mut self) -> Reached {
        loop {
            sleep(self.pause.mul_f64(rand::random_range(JITTER))).await;
            self.pause = (2 * self.pause).min(UDP_AGAIN.1);
            if let Ok(Ok(control)) = timeout(UDP_PATIENCE, self.caller.control(self.node)).await {
                return Reached { control, at: canonical(self.node), tunnel: None };
            }
        }
    }
}

/// Returns when a tunnel is gone; without one, never.
pub async fn gone(tunnel: &mut Option<Tunnel>) {
    match tunnel {
        Some(tunnel) => tunnel.gone().await,
        None => std::future::pending().await,
    }
}
