//! QUIC to the server: one bidirectional stream that carries messages, and another one in another network.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::FutureExt;
use quinn::congestion::NewRenoConfig;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, Endpoint, IdleTimeout, RecvStream, SendStream, TransportConfig, VarInt,
};
use tresen_client::Path;
use tresen_identity::{Certificate, Fingerprint, KeyPair, RelayRoute, client_config};
use tresen_reach::{Relayed, Ways};
use tresen_wire::STREAM_GIVEN_UP;
use tresen_wire::limits::{DEVICE_WINDOW_BYTES, HELLO_PADDED_BYTES};

use crate::dial::{path_of, path_to};
use crate::framing::{Reassembly, framed};

/// A connection on which nothing arrives for so long is gone. The session notices sooner.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// Bytes that are taken from a stream at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Names in certificates mean nothing, but TLS wants one.
pub const SERVER_NAME: &str = "tresen";

/// An open connection.
pub struct QuicLink {
    connection: Connection,
    send: SendStream,
    receive: RecvStream,
    reassembly: Reassembly,
    /// How long the next message is at least.
    least_bytes: usize,
    endpoint: Endpoint,
    /// The place at a relay that carries it.
    relayed: Option<Relayed>,
}

/// In another network an answer that takes more round trips than this does not come: one, and what a lost packet costs.
const ANSWER_ROUND_TRIPS: u32 = 3;

/// ... but so long is waited at least, and at most.
const ANSWER_LIMIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));

/// In another network the relay is waited for so long: a knock and three more.
const KNOCK_LIMIT: Duration = Duration::from_secs(2);

/// How to call the server with this name as the owner of this key.
///
/// # Errors
/// When the key fits no certificate.
pub fn config(server: Fingerprint, key: &KeyPair) -> Result<ClientConfig> {
    let tls = client_config(server, Certificate::for_key_pair(key)?)?;
    let mut transport = TransportConfig::default();
    // What was lost with a network says nothing about the next one (RFC 9000, section 9.4), but quinn lets it shrink a client's window.
    let mut window = NewRenoConfig::default();
    window.initial_window(DEVICE_WINDOW_BYTES).loss_reduction_factor(1.0);
    transport
        .congestion_controller_factory(Arc::new(window))
        .persistent_congestion_threshold(u32::MAX)
        .max_idle_timeout(Some(IdleTimeout::try_from(IDLE_LIMIT)?));
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Calls the server at one address.
///
/// # Errors
/// When it does not answer there, or another one does.
pub async fn connect(address: SocketAddr, config: ClientConfig) -> Result<QuicLink> {
    connect_from(Endpoint::client(any(address))?, address, config).await
}

async fn connect_from(endpoint: Endpoint, address: SocketAddr, config: ClientConfig) -> Result<QuicLink> {
    let connection = endpoint.connect_with(config, address, SERVER_NAME)?.await?;
    let (send, receive) = connection.open_bi().await?;
    Ok(QuicLink {
        connection,
        send,
        receive,
        reassembly: Reassembly::default(),
        least_bytes: 0,
        endpoint,
        relayed: None,
    })
}

/// Calls the server through its relay.
///
/// # Errors
/// When the relay or the server does not answer, or refuses.
pub async fn connect_through(
    route: &RelayRoute,
    server: Fingerprint,
    key: &KeyPair,
    config: ClientConfig,
) -> Result<QuicLink> {
    let relayed = tresen_reach::call(route, server, key, config).await?;
    let (connection, endpoint) = (relayed.connection.clone(), relayed.endpoint.clone());
    let (send, receive) = connection.open_bi().await?;
    let reassembly = Reassembly::default();
    Ok(QuicLink { connection, send, receive, reassembly, least_bytes: 0, endpoint, relayed: Some(relayed) })
}

/// Any address of ours that can send there.
fn any(address: SocketAddr) -> SocketAddr {
    if address.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() }
}

impl QuicLink {
    /// Sends one message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, message: &[u8]) -> Result<()> {
        let least_bytes = std::mem::take(&mut self.least_bytes);
        let written = if message.len() < least_bytes {
            let mut padded = message.to_vec();
            padded.resize(least_bytes, 0);
            self.send.write_all(&framed(&padded)).await
        } else {
            self.send.write_all(&framed(message)).await
        };
        written.context("the connection is gone")
    }

    /// Goes on in another network, upon another stream: what was lost in the old one holds up nothing. The next message is to be the hello
    /// of a session that goes on; it is made so long that the server may answer at once. Returns how long to wait for that.
    ///
    /// # Errors
    /// When there is no socket, the connection is gone, or the network changes faster than the server takes up streams.
    pub async fn go_on(&mut self) -> Result<Duration> {
        match &self.relayed {
            // Its socket has all addresses of this machine; the relay has to know the new one, and then all goes on through it.
            Some(relayed) => {
                let known = tokio::time::timeout(KNOCK_LIMIT, relayed.moved()).await;
                if known.ok() != Some(true) {
                    bail!("another network: the relay does not answer there");
                }
            }
            None => self.endpoint.rebind(UdpSocket::bind(any(self.connection.remote_address()))?)?,
        }
        self.next_stream()
    }

    fn next_stream(&mut self) -> Result<Duration> {
        let opened = self.connection.open_bi().now_or_never().context("the server takes no other stream")?;
        let (send, receive) = opened.context("the connection is gone")?;
        let given_up = VarInt::from_u32(STREAM_GIVEN_UP);
        let _ = std::mem::replace(&mut self.send, send).reset(given_up);
        let _ = std::mem::replace(&mut self.receive, receive).stop(given_up);
        self.reassembly = Reassembly::default();
        self.least_bytes = HELLO_PADDED_BYTES;
        let (least, most) = ANSWER_LIMIT;
        Ok((self.connection.rtt() * ANSWER_ROUND_TRIPS).clamp(least, most))
    }

    /// Where the server is, or the relay that carries it.
    pub fn remote_address(&self) -> SocketAddr {
        let address = self.connection.remote_address();
        SocketAddr::new(address.ip().to_canonical(), address.port())
    }

    /// The next message; may be dropped and called again without losing any. `None`: the server closed the connection.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some(message) = self.reassembly.next_message()? {
                return Ok(Some(message));
            }
            match self.receive.read_chunk(PIECE_BYTES, true).await.context("the connection is gone")? {
                Some(chunk) => self.reassembly.push(&chunk.bytes),
                None => return Ok(None),
            }
        }
    }

    /// How many acknowledgements of its packets have come.
    pub fn acknowledgements(&self) -> u64 {
        self.connection.stats().frame_rx.acks
    }

    /// The way it takes.
    pub fn path(&self) -> Path {
        match &self.relayed {
            Some(relayed) => path_of(relayed.route()),
            None => path_to(self.remote_address()),
        }
    }

    /// To hear of it when it takes another way.
    pub fn ways(&self) -> Option<Ways> {
        self.relayed.as_ref().map(Relayed::ways)
    }

    /// Leaves.
    pub fn close(self) {
        self.connection.close(VarInt::from_u32(0), b"");
    }
}

#[cfg(test)]
mod tests;
