//! QUIC to the server: one bidirectional stream that carries messages.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, Endpoint, IdleTimeout, RecvStream, SendStream, TransportConfig, VarInt,
};
use tresen_identity::{Certificate, Fingerprint, KeyPair, client_config};

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
    /// Keeps the socket open.
    _endpoint: Endpoint,
}

/// How to call the server with this name as the owner of this key.
///
/// # Errors
/// When the key fits no certificate.
pub fn config(server: Fingerprint, key: &KeyPair) -> Result<ClientConfig> {
    let tls = client_config(server, Certificate::for_key_pair(key)?)?;
    let mut transport = TransportConfig::default();
    transport.max_idle_timeout(Some(IdleTimeout::try_from(IDLE_LIMIT)?));
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Calls the server at one address.
///
/// # Errors
/// When it does not answer there, or another one does.
pub async fn connect(address: SocketAddr, config: ClientConfig) -> Result<QuicLink> {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let endpoint = Endpoint::client(any)?;
    let connection = endpoint.connect_with(config, address, SERVER_NAME)?.await?;
    let (send, receive) = connection.open_bi().await?;
    Ok(QuicLink { connection, send, receive, reassembly: Reassembly::default(), _endpoint: endpoint })
}

impl QuicLink {
    /// Sends one message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send.write_all(&framed(message)).await.context("the connection is gone")
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

    /// Leaves.
    pub fn close(self) {
        self.connection.close(VarInt::from_u32(0), b"");
    }
}
