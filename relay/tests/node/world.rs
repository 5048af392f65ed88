//! A relay node on loopback, a box behind it and devices that come to it: real sockets, real quinn.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, ServerConfig};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tresen_identity::{
    Admission, Certificate, KeyPair, Secret, TOKEN_BYTES, TenantId, TokenId, client_config,
    quic_server_config,
};
use tresen_path::{Capacity, EdgeName, FromNode, Grant, Knocker, NodeId, ToNode};
use tresen_reach::{
    Control, EdgeIds, Moved, Node, OwnIds, OwnPacket, OwnPackets, Seen, Socket, Tunnel, TunnelEnd, endpoint,
    keep_knocking, moves, own_packets,
};
use tresen_relay::{Changed, NotChanged, PassLimits, Running, Settings, StartError, start};

/// Whatever takes longer does not happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub fn key(byte: u8) -> KeyPair {
    KeyPair::from_seed(&Secret::new([byte; 32]))
}

pub fn tenant(byte: u8) -> TenantId {
    TenantId::from_bytes([byte; 16])
}

/// The key of the box.
pub const BOX: u8 = 1;

pub struct World {
    pub relay: Running,
    data: TempDir,
    /// Where there are streams for those who have no UDP: everybody.
    streams: Option<SocketAddr>,
}

/// One socket with everything on it.
pub struct End {
    pub endpoint: Endpoint,
    pub ids: OwnIds,
    pub own: Option<mpsc::Receiver<OwnPacket>>,
    pub socket: Arc<Socket>,
    pub tunnel: Option<Tunnel>,
}

/// A socket, and what comes to it that is not QUIC's.
pub fn socket() -> (Arc<Socket>, mpsc::Receiver<OwnPacket>) {
    let (sender, own) = own_packets();
    let bound = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let own_packets = OwnPackets { probes: sender.clone(), knocks: sender };
    (Socket::new(bound, own_packets).expect("a socket"), own)
}

pub fn end(server: Option<ServerConfig>) -> End {
    let (socket, own) = socket();
    let ids = OwnIds::default();
    let endpoint = endpoint(socket.clone(), ids.clone(), server).expect("an endpoint");
    End { endpoint, ids, own: Some(own), socket, tunnel: None }
}

impl End {
    /// Where it sends what is for the relay at this address.
    pub fn towards(&self, relay: SocketAddr) -> SocketAddr {
        self.tunnel.as_ref().map_or(relay, Tunnel::address)
    }
}

/// A box that is registered at the relay and sends back whatever comes.
pub struct Edge {
    pub control: Control,
    _end: End,
}

/// A device that was admitted.
pub struct Client {
    pub control: Control,
    pub end: End,
    pub grant: Box<Grant>,
    second_port: Option<NonZeroU16>,
    config: ClientConfig,
}

pub fn settings(data: &TempDir) -> Settings {
    let capacity = Capacity { edges: 4, clients: 8, clients_of_edge: 4 };
    Settings::alone(data.path().to_owned(), ([127, 0, 0, 1], 0).into(), capacity)
}

impl World {
    pub async fn new() -> Self {
        Self::with(|settings| settings).await
    }

    /// With other settings.
    pub async fn with(change: impl Fn(Settings) -> Settings) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let relay = start(&change(settings(&data))).expect("a relay");
        let world = Self { relay, data, streams: None };
        world.add_tenants().await.expect("tenants");
        world
    }

    /// Where nobody has UDP.
    pub async fn without_udp() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let streams = listener.local_addr().ok();
        let world = Self { streams, ..Self::new().await };
        world.relay.take_streams(listener);
        world
    }

    /// A node of a relay of several, with the key of another one.
    pub fn of_many(node: u32, redis: &str, other: Option<&Self>) -> Self {
        Self::of_many_with(node, redis, other, PassLimits::default())
    }

    /// ... that takes so many streams.
    pub fn of_many_with(node: u32, redis: &str, other: Option<&Self>, passes: PassLimits) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        if let Some(other) = other {
            let key = other.data.path().join("relay.key");
            std::fs::copy(key, data.path().join("relay.key")).expect("a key");
        }
        let redis = Some(redis.parse().expect("an address of Redis"));
        let settings = Settings { node: NodeId(node), redis, passes, ..settings(&data) };
        let relay = start(&settings).expect("a node");
        Self { relay, data, streams: None }
    }

    /// Two tenants, each with an enrolment that is its number.
    pub async fn add_tenants(&self) -> Result<(), NotChanged> {
        for id in [1, 2] {
            let opened = self.relay.node.change_directory(|directory| {
                directory.add_tenant(tenant(id), "Gasthaus Linde", 3)?;
                directory.open_enrolment(tenant(id), &Secret::new([id; 32]), now_s())
            });
            saved(opened.await?).expect("a tenant");
        }
        Ok(())
    }

    /// Another node on the same folder; the first one is gone.
    pub async fn restart(self) -> Self {
        self.restart_as(|settings| settings).await
    }

    /// The same, of a relay of several.
    pub async fn restart_with(self, redis: &str) -> Self {
        let redis = Some(redis.parse().expect("an address of Redis"));
        self.restart_as(|settings| Settings { redis: redis.clone(), ..settings }).await
    }

    async fn restart_as(self, change: impl Fn(Settings) -> Settings) -> Self {
        Self::on(self.stop().await, change).await
    }

    /// It stops; what it has kept.
    pub async fn stop(self) -> TempDir {
        let Self { relay, data, .. } = self;
        relay.drain(Duration::ZERO).await;
        data
    }

    /// A node of a relay of several on what one has kept that is gone.
    pub async fn again(data: TempDir, node: u32, redis: &str) -> Self {
        let redis = Some(redis.parse().expect("an address of Redis"));
        Self::on(data, |settings| Settings { node: NodeId(node), redis: redis.clone(), ..settings }).await
    }

    async fn on(data: TempDir, change: impl Fn(Settings) -> Settings) -> Self {
        let started = async {
            loop {
                match start(&change(settings(&data))) {
                    Ok(relay) => break relay,
                    Err(StartError::Locked(_)) => tokio::time::sleep(Duration::from_millis(10)).await,
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let relay = timeout(PATIENCE, started).await.expect("the folder is free soon");
        Self { relay, data, streams: None }
    }

    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub fn at(&self) -> SocketAddr {
        self.relay.listen
    }

    /// A control connection from an end.
    pub async fn control(&self, end: &End, key: &KeyPair) -> Control {
        let name = self.relay.key.fingerprint();
        Control::connect(&end.endpoint, end.towards(self.at()), name, key)
            .await
            .expect("a control connection")
    }

    /// An end that reaches the relay as everybody here does.
    pub async fn end(&self, server: Option<ServerConfig>) -> End {
        let mut end = end(server);
        if let Some(at) = self.streams {
            let node = self.relay.key.fingerprint();
            let tunnel = Tunnel::open(&end.socket, TunnelEnd { node, at, public_port: None }).await;
            end.tunnel = Some(tunnel.expect("a tunnel"));
        }
        end
    }

    /// The box of tenant 1: joins, registers and serves.
    pub async fn edge(&self) -> Edge {
        let end = self.end(None).await;
        let mut control = self.control(&end, &key(BOX)).await;
        control.say(&ToNode::Join(Secret::new([1; 32]))).await.expect("said");
        let Ok(FromNode::Joined(joined)) = hear(&mut control).await else { panic!("not joined") };
        assert_eq!(joined, tenant(1));
        self.edge_that_joined().await
    }

    /// The box of tenant 1, which has joined: registers and serves.
    pub async fn edge_that_joined(&self) -> Edge {
        let tls = quic_server_config(Certificate::for_key_pair(&key(BOX)).expect("a certificate"));
        let crypto = QuicServerConfig::try_from(tls.expect("TLS")).expect("TLS 1.3");
        let end = self.end(Some(ServerConfig::with_crypto(Arc::new(crypto)))).await;
        let mut control = self.control(&end, &key(BOX)).await;
        let registered = granted(&mut control, &ToNode::Register(tenant(1))).await;
        let (grant, _) = registered.expect("registered");
        end.ids.set(&grant.own_handles);
        tokio::spawn(echo(end.endpoint.clone()));
        Edge { control, _end: end }
    }

    /// A device with this key, and a token that the box signed.
    pub async fn client(&self, device: u8) -> Client {
        let end = self.end(None).await;
        let mut control = self.control(&end, &key(device)).await;
        let token = token(&key(BOX), tenant(1), device, now_s());
        let admitted = granted(&mut control, &ToNode::Admit(token)).await;
        let (grant, second_port) = admitted.expect("admitted");
        end.ids.set(&grant.own_handles);
        let certificate = Certificate::for_key_pair(&key(device)).expect("a certificate");
        let tls = client_config(key(BOX).fingerprint(), certificate).expect("TLS");
        let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("TLS 1.3")));
        let edge_ids = EdgeIds::default();
        edge_ids.set(&grant.edge_handles);
        config.initial_dst_cid_provider(Arc::new(move || edge_ids.next()));
        Client { control, end, grant, second_port, config }
    }
}

impl Client {
    /// The end-to-end connection, through the relay.
    pub async fn connect(&self, relay: SocketAddr) -> Connection {
        let relay = self.end.towards(relay);
        let connecting = self.end.endpoint.connect_with(self.config.clone(), relay, "tresen");
        let connecting = connecting.expect("a configuration");
        timeout(PATIENCE, connecting).await.expect("in time").expect("through the relay")
    }

    /// Knocks from now on; what comes back says how it looks from outside.
    pub fn knock(&mut self, at: SocketAddr) -> (mpsc::Sender<Moved>, watch::Receiver<Option<Seen>>) {
        let knocker = Knocker::new(&self.grant, &Secret::new([5; 32])).expect("a grant has handles");
        let (moved, mut hear_moved) = moves();
        let (tell_seen, seen) = watch::channel(None);
        let (mut own, socket) = (self.end.own.take().expect("knocks once"), self.end.socket.clone());
        let second_port = self.second_port.filter(|_| self.end.tunnel.is_none());
        let node = Node::new(self.end.towards(at), second_port);
        tokio::spawn(async move {
            keep_knocking(socket, node, knocker, &mut own, &mut hear_moved, tell_seen).await;
        });
        (moved, seen)
    }
}

/// What the node says next, but for what it says of nodes.
pub async fn hear(control: &mut Control) -> Result<FromNode, tresen_reach::ControlFailed> {
    loop {
        let heard = timeout(PATIENCE, control.hear()).await.expect("in time");
        if !matches!(heard, Ok(FromNode::Nodes { .. })) {
            return heard;
        }
    }
}

/// What is granted when this is said, and the node's second port; `None` when it is refused.
pub async fn granted(control: &mut Control, wish: &ToNode) -> Option<(Box<Grant>, Option<NonZeroU16>)> {
    control.say(wish).await.expect("said");
    match hear(control).await {
        Ok(FromNode::Granted { grant, second_port, .. }) => Some((grant, second_port)),
        Ok(FromNode::Refused) => None,
        Ok(_) => panic!("something else was said"),
        Err(error) => panic!("{error}"),
    }
}

/// What came of a change that the disk took.
pub fn saved<T>(changed: Changed<T>) -> T {
    assert!(changed.lacks.unsaved.is_none(), "{:?}", changed.lacks);
    changed.result
}

/// A token for a device, as an issuer signs it for the box.
pub fn token(issuer: &KeyPair, tenant: TenantId, device: u8, issued_s: u64) -> Box<[u8; TOKEN_BYTES]> {
    let (edge, device) = (key(BOX).fingerprint(), key(device).fingerprint());
    let admission = Admission { tenant, edge, device, issued_s, lifetime_s: 300, id: TokenId([1; 8]) };
    Box::new(admission.sign(issuer))
}

pub fn edge_name() -> EdgeName {
    EdgeName { tenant: tenant(1), edge: key(BOX).fingerprint() }
}

pub fn now_s() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

/// Sends back what comes on each stream.
async fn echo(endpoint: Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            let Ok(connection) = incoming.await else { return };
            while let Ok((mut send, mut receive)) = connection.accept_bi().await {
                let Ok(bytes) = receive.read_to_end(10_000_000).await else { return };
                let _ = send.write_all(&bytes).await;
                let _ = send.finish();
            }
        });
    }
}

/// Whether bytes come back unchanged.
pub async fn talk(connection: &Connection, bytes: usize) -> bool {
    let talking = async {
        let (mut send, mut receive) = connection.open_bi().await.ok()?;
        let sent = vec![7; bytes];
        let writing = async {
            send.write_all(&sent).await.ok()?;
            send.finish().ok()
        };
        let (back, written) = tokio::join!(receive.read_to_end(bytes), writing);
        written?;
        Some(back.ok()? == sent)
    };
    timeout(Duration::from_secs(3), talking).await.ok().flatten().unwrap_or(false)
}
