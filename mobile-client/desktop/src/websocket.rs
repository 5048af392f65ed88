//! WebSocket over TLS with the server's pinned key, for networks that block UDP. The device proves its key by signing the server's challenge,
//! as the module `handshake` of `tresen-identity` specifies.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{SinkExt, StreamExt};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tresen_identity::{
    BrowserGreeting, BrowserProof, Challenge, Domain, Fingerprint, KeyPair, https_client_config,
    session_message,
};
use tresen_wire::limits::TO_CLIENT_BYTES;

use crate::quic::SERVER_NAME;

/// An open connection.
pub struct WebSocketLink {
    socket: WebSocketStream<TlsStream<TcpStream>>,
}

/// Calls the server at one of its addresses, and proves who this device is. `authority` is host and port, as a browser would have them in its address.
///
/// # Errors
/// When it does not answer there, or another one does.
pub async fn connect(
    address: SocketAddr,
    authority: &str,
    server: Fingerprint,
    key: &KeyPair,
) -> Result<WebSocketLink> {
    let tcp = TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let tls = TlsConnector::from(Arc::new(https_client_config(server)?));
    let stream = tls.connect(ServerName::try_from(SERVER_NAME)?, tcp).await?;
    let mut request = format!("wss://{authority}/session").into_client_request()?;
    request.headers_mut().insert("Origin", HeaderValue::from_str(&format!("https://{authority}"))?);
    let limits = WebSocketConfig::default()
        .max_message_size(Some(TO_CLIENT_BYTES))
        .max_frame_size(Some(TO_CLIENT_BYTES));
    let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(limits)).await?;
    let mut link = WebSocketLink { socket };
    link.prove(server, key).await?;
    Ok(link)
}

impl WebSocketLink {
    async fn prove(&mut self, server: Fingerprint, key: &KeyPair) -> Result<()> {
        let Some(Message::Text(greeting)) = self.socket.next().await.transpose()? else {
            bail!("the server does not greet");
        };
        let greeting: BrowserGreeting = serde_json::from_str(greeting.as_str())?;
        if greeting.server != server {
            bail!("another server answers");
        }
        let challenge = URL_SAFE_NO_PAD.decode(&greeting.challenge)?;
        let challenge =
            Challenge(challenge.as_slice().try_into().context("the challenge has the wrong length")?);
        let signature = key.sign(Domain::DeviceSession, &session_message(&server, &challenge));
        let proof = BrowserProof::Device {
            key: URL_SAFE_NO_PAD.encode(key.public_key().as_bytes()),
            signature: URL_SAFE_NO_PAD.encode(signature),
        };
        Ok(self.socket.send(Message::Text(serde_json::to_string(&proof)?.into())).await?)
    }

    /// Takes a message to be sent.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn feed(&mut self, message: Vec<u8>) -> Result<()> {
        self.socket.feed(Message::Binary(message.into())).await.context("the connection is gone")
    }

    /// Sends what was taken.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn flush(&mut self) -> Result<()> {
        self.socket.flush().await.context("the connection is gone")
    }

    /// The next message; may be dropped and called again without losing any. `None`: the server closed the connection.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn receive(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            match self.socket.next().await.transpose().context("the connection is gone")? {
                Some(Message::Binary(message)) => return Ok(Some(message.into())),
                Some(Message::Close(_)) | None => return Ok(None),
                Some(_) => {}
            }
        }
    }

    /// Where the server is, while there is a connection.
    pub fn remote_address(&self) -> Option<SocketAddr> {
        self.socket.get_ref().get_ref().0.peer_addr().ok()
    }

    /// Leaves.
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
    }
}
