//! Sessions over QUIC, for native clients.
//!
//! ALPN `tresen/1`, TLS 1.3 with the certificates of both sides, no 0-RTT. The client opens **one** bidirectional stream; on it each message
//! has its length before it (`quic/streams.rs`). The first one may be a JSON request to pair (first byte `{`), see tresen_identity's module `handshake`.
//!
//! A client whose key is not enrolled may send the request to pair and nothing else; anything else gets a wire `Bye` and the connection
//! closes with the number of the close code as its application error.
//!
//! A client whose network has changed goes on from its new address upon **another** stream: it resets and stops the one before with the code
//! [`tresen_wire::STREAM_GIVEN_UP`] and begins with a hello again, as on a new connection but without a handshake. What was lost in the old network holds up
//! nothing then. It makes that hello [`limits::HELLO_PADDED_BYTES`] long, because nobody may be sent more than three times what came from
//! an address that is not proven yet (RFC 9000, section 8).
//!
//! A client that came through a relay may open one unidirectional stream, for paths past it (`paths.rs`).

mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, EndpointConfig, RecvStream, SendStream, TokioRuntime, VarInt};
use rustls_pki_types::CertificateDer;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tresen_identity::{
    Fingerprint, MAX_HANDSHAKE_BYTES, PairAnswer, PairRequest, fingerprint_of_certificate,
};
use tresen_path::canonical;
use tresen_reach::{OwnIds, OwnPacket, OwnPackets, Socket, own_packets};
use tresen_wire::{CloseCode, ToClient, limits};

use self::streams::{Ending, FAREWELL, streams};
use crate::attend::attend;
use crate::enrol;
use crate::instance::link;
use crate::links::{self, Packets, Way};
use crate::net::congestion;
use crate::net::gate::Gate;
use crate::net::pump::{Incoming, Reader, Writer, pump};
use crate::paths;
use crate::registry::DeviceKey;
use crate::relay::Door;
use crate::site::Site;

/// How long a client may take for the handshake, and again for its first message.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection without any packet ends after this. Sessions ask for a sign of life well before.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

/// With more handshakes than this under way, a client must show that its address is its own before anything is computed for it.
const UNVALIDATED_HANDSHAKES: usize = 64;

/// What a client may send before it is read, in bytes.
const RECEIVE_WINDOW_BYTES: u32 = 64 * 1024;

/// Streams of a client are taken up no faster than one in this time.
const STREAM_EVERY: Duration = Duration::from_millis(250);

/// First byte of a request to pair.
const JSON: u8 = b'{';

/// Opens the endpoint on a bound socket.
///
/// # Errors
/// When the socket or the configuration doesn't serve.
pub fn endpoint(socket: std::net::UdpSocket, tls: rustls::ServerConfig) -> std::io::Result<Endpoint> {
    Endpoint::new(EndpointConfig::default(), Some(config(tls, 0)?), socket, Arc::new(TokioRuntime))
}

/// Opens one endpoint on all bound sockets, so that it can be reached through a relay too, and a connection goes on at another socket than it began at. `probes`
/// takes what is for paths.
///
/// # Errors
/// When the socket or the configuration doesn't serve.
pub fn door(
    sockets: Vec<std::net::UdpSocket>,
    tls: rustls::ServerConfig,
    probes: mpsc::Sender<OwnPacket>,
) -> std::io::Result<Door> {
    let (sender, knocks) = own_packets();
    let own = OwnPackets { probes, knocks: sender };
    let (socket, ids) = (Socket::of_all(sockets, own)?, OwnIds::default());
    let endpoint = tresen_reach::endpoint(socket.clone(), ids.clone(), Some(config(tls, 1)?))?;
    Ok(Door { endpoint, socket, ids, knocks })
}

/// `paths`: streams for paths that a client may open.
fn config(tls: rustls::ServerConfig, paths: u8) -> std::io::Result<quinn::ServerConfig> {
    let crypto = QuicServerConfig::try_from(tls).map_err(std::io::Error::other)?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
    let mut transport = quinn::TransportConfig::default();
    transport
        .max_concurrent_bidi_streams(limits::DEVICE_STREAMS.into())
        .max_concurrent_uni_streams(paths.into())
        .datagram_receive_buffer_size(None)
        // A frame is a datagram or two: for bursts of ten, quinn keeps a buffer of as many for each connection.
        .enable_segmentation_offload(false)
        .stream_receive_window(RECEIVE_WINDOW_BYTES.into())
        .receive_window(RECEIVE_WINDOW_BYTES.into())
        .congestion_controller_factory(Arc::new(congestion::Config::default()))
        .max_idle_timeout(Some(IDLE_TIMEOUT.try_into().map_err(std::io::Error::other)?));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Serves an endpoint until the server stops.
pub async fn serve(site: Arc<Site>, endpoint: Endpoint, gate: Arc<Gate>) {
    let connections = TaskTracker::new();
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            () = site.shutdown.cancelled() => break,
        };
        let Some(incoming) = incoming else { break };
        let address = canonical(incoming.remote_address());
        let now_ms = site.clock.now_ms();
        // Nobody sends to this machine from outside in its own name.
        let proven = incoming.remote_address_validated() || address.ip().to_canonical().is_loopback();
        let wanting = gate.handshakes() > UNVALIDATED_HANDSHAKES || gate.is_low(address.ip(), now_ms);
        if !incoming.remote_address_validated() && wanting {
            let _ = incoming.retry();
            continue;
        }
        let admitted = if proven { gate.admit(address.ip(), now_ms) } else { gate.admit_unproven() };
        let Ok(mut pass) = admitted else {
            incoming.refuse();
            continue;
        };
        let (site, gate) = (site.clone(), gate.clone());
        connections.spawn(async move {
            let handshake = pass.handshake();
            let shaken = match incoming.accept() {
                Ok(connecting) => tokio::time::timeout(HANDSHAKE_TIMEOUT, connecting).await,
                Err(error) => Ok(Err(error)),
            };
            drop(handshake);
            match shaken {
                Ok(Ok(connection)) => {
                    // Whoever finished a handshake receives at this address.
                    let charged = proven || gate.prove(&mut pass, address.ip(), site.clock.now_ms()).is_ok();
                    if charged {
                        serve_connection(site, connection).await;
                    }
                }
                Ok(Err(error)) => tracing::debug!(%address, %error, "a QUIC handshake failed"),
                Err(_) => tracing::debug!(%address, "a QUIC handshake took too long"),
            }
            drop(pass);
        });
    }
    // Sessions are saying goodbye; that wants to arrive.
    connections.close();
    let _ = tokio::time::timeout(FAREWELL, connections.wait()).await;
    endpoint.close(VarInt::from_u32(CloseCode::ServerStopping.number().into()), b"");
    let _ = tokio::time::timeout(FAREWELL, endpoint.wait_idle()).await;
}

/// Serves the client's stream, and the ones after it, until the last is over.
async fn serve_connection(site: Arc<Site>, connection: Connection) {
    let Some(device) = peer(&connection) else { return };
    let mut streams = JoinSet::new();
    let mut not_before = Instant::now();
    let mut paths = std::pin::pin!(paths::serve(site.clone(), device, connection.clone()));
    loop {
        let opened = async {
            tokio::time::sleep_until(not_before).await;
            connection.accept_bi().await
        };
        tokio::select! {
            opened = opened => {
                let Ok((send, recv)) = opened else { break };
                not_before = Instant::now() + STREAM_EVERY;
                let told = if send.id().index() == 0 { Packets::default() } else { packets(&connection) };
                let connected = Connected { connection: connection.clone(), device, told, site: site.clone() };
                streams.spawn(serve_stream(site.clone(), device, connected, send, recv));
            }
            Some(ended) = streams.join_next() => {
                if let (Ok(Ending::Closed(code)), true) = (ended, streams.is_empty()) {
                    connection.close(VarInt::from_u32(code.number().into()), code.reason().as_bytes());
                    break;
                }
            }
            () = &mut paths => {}
            () = tokio::time::sleep(HANDSHAKE_TIMEOUT), if streams.is_empty() => {
                let address = connection.remote_address();
                tracing::debug!(%address, device = %device.short(), "a QUIC connection has no stream");
                break;
            }
        }
    }
    while streams.join_next().await.is_some() {}
}

async fn serve_stream(
    site: Arc<Site>,
    device: Fingerprint,
    connected: Connected,
    send: SendStream,
    recv: RecvStream,
) -> Ending {
    let (mut streams, ending) = streams(send, recv);
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, first_message(&site, device, &mut streams)).await {
        Ok(Some(first)) => {
            let (writer, reader) = streams;
            let (ours, wire) = link::pair();
            tokio::join!(pump(reader, writer, wire), attend(site, device, first, ours, Box::new(connected)));
        }
        Ok(None) | Err(_) => {
            let address = connected.connection.remote_address();
            tracing::debug!(%address, device = %device.short(), "a QUIC stream ended before its hello");
        }
    }
    ending.get().copied().unwrap_or(Ending::Closed(CloseCode::Normal))
}

/// The first message that is not about pairing.
async fn first_message(
    site: &Arc<Site>,
    device: Fingerprint,
    (writer, reader): &mut (impl Writer, impl Reader),
) -> Option<Vec<u8>> {
    let first = match reader.next().await {
        Incoming::Message(message) => message,
        Incoming::Refused(code) => {
            tracing::warn!(device = %device.short(), %code, "a connection was closed: its first message is none");
            writer.send(vec![ToClient::Bye { code, text: code.reason().into() }.encode()]).await;
            writer.close(code).await;
            return None;
        }
        Incoming::Closed | Incoming::Lost => return None,
    };
    if first.first() != Some(&JSON) {
        return Some(first);
    }
    let answer = pairing(site, device, &first).await;
    writer.send(vec![serde_json::to_vec(&answer).expect("an answer is plain data")]).await;
    match answer {
        PairAnswer::Paired { .. } => match reader.next().await {
            Incoming::Message(message) => Some(message),
            Incoming::Closed | Incoming::Lost | Incoming::Refused(_) => None,
        },
        PairAnswer::Refused { .. } => {
            writer.close(CloseCode::Unauthorised).await;
            None
        }
    }
}

async fn pairing(site: &Arc<Site>, device: Fingerprint, message: &[u8]) -> PairAnswer {
    let request =
        (message.len() <= MAX_HANDSHAKE_BYTES).then(|| serde_json::from_slice(message).ok()).flatten();
    match request {
        Some(request @ PairRequest::Pair { key: None, .. }) => {
            enrol::pair(site, request, device, DeviceKey::Certificate).await
        }
        Some(_) | None => enrol::malformed(),
    }
}

/// The name of the key that the client's certificate proves.
fn peer(connection: &Connection) -> Option<Fingerprint> {
    let certificates = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    fingerprint_of_certificate(certificates.first()?).ok()
}

/// A connection, from the beginning of a stream.
struct Connected {
    connection: Connection,
    device: Fingerprint,
    /// What the streams before it told.
    told: Packets,
    /// Knows by what a way through the relay is told.
    site: Arc<Site>,
}

impl links::Connection for Connected {
    fn way(&self) -> Way {
        self.site.relay.way(self.device, self.connection.remote_address())
    }

    fn address(&self) -> SocketAddr {
        canonical(self.connection.remote_address())
    }

    fn packets(&self) -> Option<Packets> {
        let Packets { sent, lost } = packets(&self.connection);
        Some(Packets { sent: sent.saturating_sub(self.told.sent), lost: lost.saturating_sub(self.told.lost) })
    }
}

fn packets(connection: &Connection) -> Packets {
    let path = connection.stats().path;
    Packets { sent: path.sent_packets, lost: path.lost_packets }
}
