//! The control connection to one relay node.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{
    ClientConfig, Connection, ConnectionError, Endpoint, RecvStream, SendStream, TransportConfig, VarInt,
};
use thiserror::Error;
use tresen_identity::{
    Certificate, CertificateError, Fingerprint, KeyPair, RELAY_SERVER_NAME, TlsError, relay_client_config,
};
use tresen_path::{ControlBuffer, ControlError, FromNode, REPLACED, ToNode};

use crate::passes::Passes;

/// A node that says nothing for so long is gone.
const IDLE: Duration = Duration::from_secs(30);

/// As long as no round trip was measured; a first packet that gets lost is sent again after three of them.
const FIRST_RTT: Duration = Duration::from_millis(100);

/// So often something is said, because NAT boxes forget.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// What a browser may send through the node before it is read, in bytes.
const PASS_WINDOW_BYTES: u32 = 128 * 1024;

/// Why there is no control connection, or none any more.
#[derive(Debug, Error)]
pub enum ControlFailed {
    /// The own key fits no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// QUIC can't be set up.
    #[error("QUIC can't be set up: {0}")]
    Setup(Box<dyn std::error::Error + Send + Sync>),
    /// It does not answer, or another one does.
    #[error("the relay does not answer: {0}")]
    Connect(#[from] quinn::ConnectionError),
    /// UDP does not get there, and no tunnel either.
    #[error("no way to the relay, by UDP or TLS: {0}")]
    Tunnel(io::Error),
    /// It went away.
    #[error("the relay has closed the control connection")]
    Closed,
    /// It says what no relay says.
    #[error("the relay speaks another language: {0}")]
    Message(#[from] ControlError),
}

/// A control connection.
pub struct Control {
    connection: Connection,
    send: SendStream,
    receive: RecvStream,
    pending: ControlBuffer,
}

impl Control {
    /// Calls the node with this name, as the owner of `key`.
    ///
    /// # Errors
    /// When it does not answer there, or another one does.
    pub async fn connect(
        endpoint: &Endpoint,
        at: SocketAddr,
        node: Fingerprint,
        key: &KeyPair,
    ) -> Result<Self, ControlFailed> {
        let tls = relay_client_config(node, Certificate::for_key_pair(key)?)?;
        let crypto = QuicClientConfig::try_from(tls).map_err(|error| ControlFailed::Setup(error.into()))?;
        let mut transport = TransportConfig::default();
        let idle = IDLE.try_into().map_err(|_| ControlFailed::Setup("the idle time is too long".into()))?;
        transport
            .max_idle_timeout(Some(idle))
            .initial_rtt(FIRST_RTT)
            .keep_alive_interval(Some(KEEP_ALIVE))
            // Streams from the node are for whoever asks for them: see `Control::passes`.
            .max_concurrent_bidi_streams(0_u8.into())
            .max_concurrent_uni_streams(0_u8.into())
            .stream_receive_window(PASS_WINDOW_BYTES.into());
        let mut config = ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::new(transport));
        let connecting = endpoint.connect_with(config, at, RELAY_SERVER_NAME);
        let connection = connecting.map_err(|error| ControlFailed::Setup(error.into()))?.await?;
        let (send, receive) = connection.open_bi().await?;
        // Ahead of what browsers get on the same connection.
        let _ = send.set_priority(1);
        Ok(Self { connection, send, receive, pending: ControlBuffer::default() })
    }

    /// Says something.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn say(&mut self, message: &ToNode) -> Result<(), ControlFailed> {
        self.send.write_all(&message.encode()).await.map_err(|_| ControlFailed::Closed)
    }

    /// What the node says next; may be dropped and called again without losing anything.
    ///
    /// # Errors
    /// When the connection is gone, or the node says what no node says.
    pub async fn hear(&mut self) -> Result<FromNode, ControlFailed> {
        loop {
            if let Some(message) = self.pending.next(FromNode::decode)? {
                return Ok(message);
            }
            match self.receive.read_chunk(usize::MAX, true).await {
                Ok(Some(chunk)) => self.pending.push(&chunk.bytes),
                Ok(None) | Err(_) => return Err(ControlFailed::Closed),
            }
        }
    }

    /// Whether the node has closed it because somebody else came with the same key, who may be this endpoint itself.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        matches!(
            self.connection.close_reason(),
            Some(ConnectionError::ApplicationClosed(close)) if close.error_code == VarInt::from_u32(REPLACED)
        )
    }

    /// Browsers' streams that the node passes to this edge server from now on, `most` at a time.
    #[must_use]
    pub fn passes(&self, most: u16) -> Passes {
        Passes::new(self.connection.clone(), most)
    }

    /// Leaves.
    pub fn close(self) {
        self.connection.close(VarInt::from_u32(0), b"");
    }
}
