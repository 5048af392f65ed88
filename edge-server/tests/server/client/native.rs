//! A native device: QUIC, with a key of its own.

use std::net::SocketAddr;
use std::sync::Arc;

use quinn::crypto::rustls::QuicClientConfig;
use tokio::sync::mpsc;
use tresen_identity::{
    Certificate, Fingerprint, KeyPair, PairAnswer, PairingCode, RelayRoute, Secret, client_config,
};
use tresen_reach::{NotReached, Relayed};
use tresen_wire::bytes::put_varint;

use super::{PATIENCE, Wire};

/// A native device with a key of its own.
pub struct Native {
    pub key: KeyPair,
}

impl Native {
    pub fn new(seed: u8) -> Self {
        Self { key: KeyPair::from_seed(&Secret::new([seed; 32])) }
    }

    /// Connects to the server with this name, without a word yet.
    pub async fn dial(
        &self,
        port: u16,
        server: Fingerprint,
    ) -> Result<quinn::Connection, quinn::ConnectionError> {
        let mut endpoint = quinn::Endpoint::client(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        endpoint.set_default_client_config(self.config(server));
        endpoint.connect(SocketAddr::from(([127, 0, 0, 1], port)), "tresen").unwrap().await
    }

    fn config(&self, server: Fingerprint) -> quinn::ClientConfig {
        let certificate = Certificate::for_key_pair(&self.key).unwrap();
        let tls = QuicClientConfig::try_from(client_config(server, certificate).unwrap()).unwrap();
        quinn::ClientConfig::new(Arc::new(tls))
    }

    /// Connects through a relay, without a word yet; it may go past it.
    pub async fn call(&self, route: &RelayRoute, server: Fingerprint) -> Result<Relayed, NotReached> {
        tresen_reach::call(route, server, &self.key, self.config(server)).await
    }

    /// Connects through a relay, stays there, and opens the stream: without a stream for the server's answers, no other way is found.
    pub async fn through(&self, route: &RelayRoute, server: Fingerprint) -> Result<Wire, NotReached> {
        Self::open(self.held(route, server).await?).await
    }

    /// Connects through a relay, and stays there until `set_max_concurrent_uni_streams` lets the server answer.
    pub async fn held(&self, route: &RelayRoute, server: Fingerprint) -> Result<Relayed, NotReached> {
        let (mut config, mut transport) = (self.config(server), quinn::TransportConfig::default());
        transport.max_concurrent_uni_streams(0_u8.into());
        config.transport_config(Arc::new(transport));
        tresen_reach::call(route, server, &self.key, config).await
    }

    /// Opens the stream, and keeps the place at the relay as long as the connection lasts.
    pub async fn open(relayed: Relayed) -> Result<Wire, NotReached> {
        let connection = relayed.connection.clone();
        let (send, recv) = connection.open_bi().await?;
        let open = connection.clone();
        tokio::spawn(async move {
            open.closed().await;
            drop(relayed);
        });
        Ok(native_pump(connection, send, recv))
    }

    /// Connects and opens the stream.
    pub async fn connect(&self, port: u16, server: Fingerprint) -> Wire {
        let connection = self.dial(port, server).await.unwrap();
        let (send, recv) = connection.open_bi().await.unwrap();
        native_pump(connection, send, recv)
    }

    /// Pairs with a code: the answer, and the connection to go on with.
    pub async fn pair(&self, port: u16, code: &PairingCode) -> (PairAnswer, Wire) {
        self.pair_on(self.connect(port, code.server).await, code).await
    }

    /// Pairs with a code on an open connection.
    pub async fn pair_on(&self, mut wire: Wire, code: &PairingCode) -> (PairAnswer, Wire) {
        let request = format!(r#"{{"pair":{{"secret":"{}","name":"Test laptop"}}}}"#, code.secret.to_text());
        wire.outgoing.send(request.into_bytes()).unwrap();
        let answer = tokio::time::timeout(PATIENCE, wire.incoming.recv()).await.unwrap().unwrap();
        (serde_json::from_slice(&answer).unwrap(), wire)
    }
}

fn native_pump(
    connection: quinn::Connection,
    mut send: quinn::SendStream,
    mut recv: quinn::RecvStream,
) -> Wire {
    let (to_test, incoming) = mpsc::unbounded_channel();
    let (outgoing, mut from_test) = mpsc::unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        while let Some(message) = read(&mut recv).await {
            let _ = to_test.send(message);
        }
    });
    tokio::spawn(async move {
        while let Some(message) = from_test.recv().await {
            let _ = send.write_all(&framed(&message)).await;
        }
        connection.close(0_u32.into(), b"");
    });
    Wire { incoming, outgoing }
}

/// A message with its length before it.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, message.len() as u64);
    bytes.extend(message);
    bytes
}

/// The next message of a QUIC stream.
pub async fn read(recv: &mut quinn::RecvStream) -> Option<Vec<u8>> {
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let mut byte = [0];
        recv.read_exact(&mut byte).await.ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut message = vec![0; length];
    recv.read_exact(&mut message).await.ok()?;
    Some(message)
}
