//! A device over QUIC, as a native client is: a key pair of its own, pairing, one stream of messages.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use quinn::congestion::NewRenoConfig;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Endpoint, RecvStream, SendStream, TransportConfig, VarInt};
use tresen_identity::{
    Certificate, Fingerprint, KeyPair, PairAnswer, PairRequest, PairingCode, Secret, client_config,
};
use tresen_wire::STREAM_GIVEN_UP;
use tresen_wire::bytes::put_varint;
use tresen_wire::limits::{DEVICE_WINDOW_BYTES, HELLO_PADDED_BYTES};

/// Most bytes of a length in front of a message.
const LENGTH_BYTES: usize = 4;

/// A device that a server on this machine knows.
pub struct Device {
    endpoint: Endpoint,
    server: SocketAddr,
}

/// An open connection and its stream.
pub struct Connection {
    /// The connection, for its statistics.
    pub quic: quinn::Connection,
    send: SendStream,
    incoming: tokio::sync::mpsc::Receiver<Vec<u8>>,
    /// How long the next message is at least.
    least_bytes: usize,
}

impl Device {
    /// Makes a key and pairs with the code that a server on this machine printed.
    ///
    /// # Errors
    /// When the server can't be reached, or refuses.
    pub async fn pair(code: &PairingCode, name: &str) -> Result<Self> {
        let port = code.authority.rsplit(':').next().and_then(|port| port.parse().ok());
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port.context("a pairing code without a port")?));
        let key = KeyPair::from_seed(&Secret::new(rand::random()));
        let device = Self { endpoint: endpoint(code.server, &key)?, server };
        let mut connection = device.connect().await?;
        let secret = code.secret.to_text();
        let request = PairRequest::Pair { secret, name: name.to_owned(), key: None };
        connection.send(&serde_json::to_vec(&request)?).await?;
        let answer = connection.receive().await.context("no answer to the pairing")?;
        match serde_json::from_slice(&answer).context("the answer to the pairing can't be read")? {
            PairAnswer::Paired { .. } => Ok(device),
            PairAnswer::Refused { text, .. } => bail!("the server refused to pair: {text}"),
        }
    }

    /// Goes on from another address, as a device whose system told it of another network, and says nothing of it.
    ///
    /// # Errors
    /// When there is no socket.
    pub fn change_address(&self) -> Result<()> {
        Ok(self.endpoint.rebind(std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?)?)
    }

    /// Goes on from another address upon another stream, as the desktop does: the next message is the hello of a session that goes on.
    ///
    /// # Errors
    /// When there is no socket, or no connection any more.
    pub async fn go_on(&self, connection: &mut Connection) -> Result<()> {
        self.change_address()?;
        let (mut send, recv) = connection.quic.open_bi().await?;
        std::mem::swap(&mut connection.send, &mut send);
        let _ = send.reset(VarInt::from_u32(STREAM_GIVEN_UP));
        connection.least_bytes = HELLO_PADDED_BYTES;
        let (received, incoming) = tokio::sync::mpsc::channel(64);
        connection.incoming = incoming;
        tokio::spawn(read(recv, received));
        Ok(())
    }

    /// Where the server is.
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    /// The same device on a line whose near end is there.
    #[must_use]
    pub fn through(self, near: SocketAddr) -> Self {
        Self { server: near, ..self }
    }

    /// A device with a key that the server at this port knows already; it shares a socket with others, as behind one router.
    ///
    /// # Errors
    /// When the key fits no certificate.
    pub fn known(server: Fingerprint, port: u16, key: &KeyPair, socket: &Endpoint) -> Result<Self> {
        let mut endpoint = socket.clone();
        endpoint.set_default_client_config(config(server, key)?);
        Ok(Self { endpoint, server: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// When the server can't be reached.
    pub async fn connect(&self) -> Result<Connection> {
        let (quic, send, recv) = self.open().await?;
        let (received, incoming) = tokio::sync::mpsc::channel(64);
        tokio::spawn(read(recv, received));
        Ok(Connection { quic, send, incoming, least_bytes: 0 })
    }

    /// Opens a connection and its stream, with nothing on it.
    ///
    /// # Errors
    /// When the server can't be reached.
    pub async fn open(&self) -> Result<(quinn::Connection, SendStream, RecvStream)> {
        let quic =
            self.endpoint.connect(self.server, "tresen")?.await.context("no connection to the server")?;
        let (send, recv) = quic.open_bi().await?;
        Ok((quic, send, recv))
    }
}

impl Connection {
    /// Sends one message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, message: &[u8]) -> Result<()> {
        self.send_all([message]).await
    }

    /// Sends messages that were there together: in one packet, if they fit, as a device's one thread would.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send_all(&mut self, messages: impl IntoIterator<Item: AsRef<[u8]>>) -> Result<()> {
        let mut framed = Vec::new();
        for message in messages {
            let message = message.as_ref();
            let padding = std::mem::take(&mut self.least_bytes).saturating_sub(message.len());
            put_varint(&mut framed, (message.len() + padding) as u64);
            framed.extend(message);
            framed.resize(framed.len() + padding, 0);
        }
        Ok(self.send.write_all(&framed).await?)
    }

    /// The next message; `None` when the connection is gone. Safe to drop and call again.
    pub async fn receive(&mut self) -> Option<Vec<u8>> {
        self.incoming.recv().await
    }

    /// How many acknowledgements of its packets have come.
    pub fn acknowledgements(&self) -> u64 {
        self.quic.stats().frame_rx.acks
    }

    /// Bytes of UDP that have arrived.
    pub fn udp_received_bytes(&self) -> u64 {
        self.quic.stats().udp_rx.bytes
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.quic.close(0_u32.into(), b"");
    }
}

async fn read(mut recv: RecvStream, received: tokio::sync::mpsc::Sender<Vec<u8>>) {
    loop {
        let message = tokio::select! {
            message = read_message(&mut recv) => message,
            () = received.closed() => {
                let _ = recv.stop(VarInt::from_u32(STREAM_GIVEN_UP));
                return;
            }
        };
        let Some(message) = message else { return };
        if received.send(message).await.is_err() {
            return;
        }
    }
}

async fn read_message(recv: &mut RecvStream) -> Option<Vec<u8>> {
    let mut length = 0_usize;
    for index in 0..LENGTH_BYTES {
        let mut byte = [0];
        recv.read_exact(&mut byte).await.ok()?;
        length |= usize::from(byte[0] & 0x7f) << (7 * index);
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut message = vec![0; length];
    recv.read_exact(&mut message).await.ok()?;
    Some(message)
}

fn endpoint(server: Fingerprint, key: &KeyPair) -> Result<Endpoint> {
    let mut endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into())?;
    endpoint.set_default_client_config(config(server, key)?);
    Ok(endpoint)
}

/// With the window of a desktop.
fn config(server: Fingerprint, key: &KeyPair) -> Result<quinn::ClientConfig> {
    let tls = client_config(server, Certificate::for_key_pair(key)?)?;
    let mut window = NewRenoConfig::default();
    window.initial_window(DEVICE_WINDOW_BYTES).loss_reduction_factor(1.0);
    let mut transport = TransportConfig::default();
    transport.congestion_controller_factory(Arc::new(window)).persistent_congestion_threshold(u32::MAX);
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    Ok(config)
}
