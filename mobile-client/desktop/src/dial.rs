//! Ways to the server. Every address is tried at the same time, and the first one at which the pinned server answers is taken.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, Endpoint, IdleTimeout, RecvStream, SendStream, TransportConfig, VarInt,
};
use tokio::task::JoinSet;
use tresen_identity::{Certificate, KeyPair, client_config};

use crate::framing::{Reassembly, framed};
use crate::store::Server;

/// How long all attempts together may take.
const DIAL_LIMIT: Duration = Duration::from_secs(5);

/// A connection on which nothing arrives for so long is gone. The session notices sooner.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// Addresses that are tried.
const ADDRESSES: usize = 16;

/// Bytes that are taken from a stream at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Names in certificates mean nothing, but TLS wants one.
const SERVER_NAME: &str = "tresen";

/// An open connection that carries messages.
pub struct Link {
    connection: Connection,
    send: SendStream,
    receive: RecvStream,
    reassembly: Reassembly,
    /// Keeps the socket open.
    _endpoint: Endpoint,
}

impl Link {
    /// Sends one message.
    pub async fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send.write_all(&framed(message)).await.context("the connection is gone")
    }

    /// The next message; may be dropped and called again without losing any. `None`: the server closed the connection.
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

/// Connects to the server by whichever of its addresses answers first.
pub async fn dial(server: &Server, key: &KeyPair) -> Result<Link> {
    let certificate = Certificate::for_key_pair(key)?;
    let tls = client_config(server.name, certificate)?;
    let mut transport = TransportConfig::default();
    transport.max_idle_timeout(Some(IdleTimeout::try_from(IDLE_LIMIT)?));
    let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));

    let mut attempts = JoinSet::new();
    for address in addresses(server).await? {
        let config = config.clone();
        attempts.spawn(async move { quic(address, config).await.with_context(|| address.to_string()) });
    }
    let first = async {
        let mut why = anyhow!("it has no address");
        while let Some(attempt) = attempts.join_next().await {
            match attempt.context("an attempt was cancelled").flatten() {
                Ok(link) => return Ok(link),
                Err(error) => why = error,
            }
        }
        Err(why)
    };
    match tokio::time::timeout(DIAL_LIMIT, first).await {
        Ok(found) => found.context("The server does not answer"),
        Err(_) => bail!("The server does not answer"),
    }
}

async fn quic(address: SocketAddr, config: ClientConfig) -> Result<Link> {
    let any: SocketAddr = if address.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let endpoint = Endpoint::client(any)?;
    let connection = endpoint.connect_with(config, address, SERVER_NAME)?.await?;
    let (send, receive) = connection.open_bi().await?;
    Ok(Link { connection, send, receive, reassembly: Reassembly::default(), _endpoint: endpoint })
}

async fn addresses(server: &Server) -> Result<Vec<SocketAddr>> {
    let mut addresses = server.addresses.clone();
    match tokio::net::lookup_host(&server.authority).await {
        Ok(found) => addresses.splice(0..0, found).for_each(drop),
        Err(error) if addresses.is_empty() => {
            return Err(error).with_context(|| format!("{} has no address", server.authority));
        }
        Err(error) => tracing::debug!(%error, "the server's name has no address here"),
    }
    let mut seen = Vec::new();
    addresses.retain(|address| {
        !seen.contains(address) && {
            seen.push(*address);
            true
        }
    });
    addresses.truncate(ADDRESSES);
    Ok(addresses)
}
