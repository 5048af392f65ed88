//! Promise: real QUIC (unmodified quinn) goes through the router with ids of ours, many clients behind one relay address, and what is not a client of the
//! edge server stays outside. The only test here with sockets: on loopback.
#![allow(clippy::disallowed_methods, reason = "a small shell, with a thread and a clock")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ConnectionId, ConnectionIdGenerator, Endpoint, EndpointConfig, TokioRuntime};
use tresen_identity::{Certificate, Fingerprint, KeyPair, Secret, TenantId};
use tresen_path::*;

const LIFETIME_MS: u64 = 600_000;

/// What the shell of an endpoint gives to quinn.
#[derive(Clone)]
struct Ids(Arc<Mutex<CidMaker>>);

impl Ids {
    fn new(handles: &[Handle]) -> Self {
        Self(Arc::new(Mutex::new(CidMaker::new(handles.to_vec()).expect("handles"))))
    }

    fn next(&self) -> ConnectionId {
        // Instead of random bytes: different ones.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        ConnectionId::new(self.0.lock().expect("no panic").make(number.to_be_bytes()).as_bytes())
    }
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        self.next()
    }

    fn cid_len(&self) -> usize {
        CID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

fn endpoint(socket: UdpSocket, handles: &[Handle], server: Option<quinn::ServerConfig>) -> Endpoint {
    let ids = Ids::new(handles);
    let mut config = EndpointConfig::default();
    config.cid_generator(move || Box::new(ids.clone())).grease_quic_bit(false);
    Endpoint::new(config, server, socket, Arc::new(TokioRuntime)).expect("an endpoint")
}

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

/// A relay of one thread: its loop is all that a shell has to do, but batches, limits and control.
fn relay(router: Arc<Mutex<Router>>, dropped: Arc<AtomicU32>) -> SocketAddr {
    let (socket, address) = socket();
    std::thread::spawn(move || {
        let mut buffer = [0; 65_536];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            match router.lock().expect("no panic").route(1, from, &buffer[..length]) {
                Verdict::Forward { to, .. } => {
                    socket.send_to(&buffer[..length], to).expect("loopback");
                }
                Verdict::Control | Verdict::Knock | Verdict::Drop(_) => {
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    address
}

fn key(byte: u8) -> KeyPair {
    KeyPair::from_seed(&Secret::new([byte; 32]))
}

/// A client's endpoint, and what it needs to connect through the relay.
fn client(device: u8, socket: UdpSocket, own: &[Handle], edge_handles: &[Handle]) -> Endpoint {
    let certificate = Certificate::for_key_pair(&key(device)).expect("a certificate");
    let tls = tresen_identity::client_config(key(1).fingerprint(), certificate).expect("TLS");
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("TLS 1.3")));
    let first = Ids::new(edge_handles);
    config.initial_dst_cid_provider(Arc::new(move || first.next()));
    let mut endpoint = endpoint(socket, own, None);
    endpoint.set_default_client_config(config);
    endpoint
}

fn edge_name(tenant: u8) -> EdgeName {
    EdgeName { tenant: TenantId::from_bytes([tenant; 16]), edge: key(1).fingerprint() }
}

async fn echo(endpoint: Endpoint, seen: Arc<Mutex<Vec<SocketAddr>>>) {
    while let Some(incoming) = endpoint.accept().await {
        let connection = incoming.await.expect("a handshake");
        seen.lock().expect("no panic").push(connection.remote_address());
        tokio::spawn(async move {
            while let Ok((mut send, mut receive)) = connection.accept_bi().await {
                let bytes = receive.read_to_end(10_000_000).await.expect("bytes");
                send.write_all(&bytes).await.expect("a stream");
                send.finish().expect("a stream");
            }
        });
    }
}

async fn talk(endpoint: &Endpoint, relay: SocketAddr) {
    let connection =
        endpoint.connect(relay, "tresen").expect("a configuration").await.expect("through the relay");
    let (mut send, mut receive) = connection.open_bi().await.expect("a stream");
    let bytes = vec![7; 1_000_000];
    let writing = async {
        send.write_all(&bytes).await.expect("a stream");
        send.finish().expect("a stream");
    };
    let (back, ()) = tokio::join!(receive.read_to_end(bytes.len()), writing);
    assert_eq!(back.expect("the same bytes"), bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quic_goes_through_the_router() {
    let capacity = Capacity { edges: 9, clients: 9, clients_of_edge: 9 };
    let router = Router::new(RoutingKey::new(Secret::new([9; 32])), NodeId(1), capacity);
    let (router, dropped) = (Arc::new(Mutex::new(router)), Arc::new(AtomicU32::new(0)));
    let relay = relay(router.clone(), dropped.clone());
    let (edge_socket, edge_at) = socket();
    let certificate = Certificate::for_key_pair(&key(1)).expect("a certificate");
    let tls = tresen_identity::quic_server_config(certificate).expect("TLS");
    let config =
        quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).expect("TLS 1.3")));
    let secret = || Secret::new([1; 32]);
    let grant = router.lock().expect("no panic").register(0, edge_name(1), edge_at, LIFETIME_MS, secret());
    let edge = endpoint(edge_socket, &grant.expect("room").own_handles, Some(config));
    let seen = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn(echo(edge, seen.clone()));
    let mut handles = Vec::new();
    for device in 2..5 {
        let (socket, address) = socket();
        let name = ClientName { edge: edge_name(1), device: Fingerprint::from_bytes([device; 32]) };
        let grant = router.lock().expect("no panic").admit(0, name, address, LIFETIME_MS, 9, secret());
        let grant = grant.expect("room");
        handles.clone_from(&grant.edge_handles);
        talk(&client(device, socket, &grant.own_handles, &grant.edge_handles), relay).await;
    }
    assert_eq!(*seen.lock().expect("no panic"), [relay; 3], "the edge server sees the relay alone");
    let before = dropped.load(Ordering::Relaxed);
    // A stranger who knows the edge server's handles.
    let stranger = client(6, socket().0, &[Handle::from_bytes([3; 8])], &handles);
    let connecting = stranger.connect(relay, "tresen").expect("a configuration");
    assert!(tokio::time::timeout(Duration::from_secs(1), connecting).await.is_err());
    assert!(dropped.load(Ordering::Relaxed) > before);
}
