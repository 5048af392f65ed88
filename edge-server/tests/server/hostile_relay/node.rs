//! A relay whose operator is the enemy. He has the relay's key and sees every datagram; he lets everybody in, lies about addresses, and does to packets what he likes.
//!
//! ```text
//! end  <->  public socket  <->  routing, mischief  <->  the other end
//!                 |
//!           a door for each end  <->  control endpoint (quinn)
//! ```

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, EndpointConfig, ServerConfig, TokioRuntime};
use rustls_pki_types::CertificateDer;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tresen_identity::{
    Certificate, Fingerprint, KeyPair, Secret, TenantId, fingerprint_of_certificate, relay_server_config,
};
use tresen_path::{
    Capacity, ClientName, ControlBuffer, EdgeName, FromNode, Grant, NodeId, Party, Router, RoutingKey,
    ToNode, Verdict,
};
use tresen_reach::{Enrolment, OwnIds};

use super::mischief::{Mischief, Tricks};

/// Where the relay says that somebody is.
#[derive(Clone, Copy, Debug)]
pub enum Lie {
    /// There.
    At(SocketAddr),
    /// Where another device really is, if there is one.
    Swapped,
}

pub const TENANT: TenantId = TenantId::from_bytes([6; 16]);

const LIFETIME_MS: u64 = 600_000;

/// How long a packet is held back at most.
const HELD: Duration = Duration::from_millis(15);

/// See the module.
pub struct Evil {
    pub at: SocketAddr,
    key: KeyPair,
    shared: Arc<Shared>,
}

struct Shared {
    start: Instant,
    public: UdpSocket,
    /// Routes by where everybody really is.
    router: Mutex<Router>,
    /// Says in its answers to knocks where everybody is said to be.
    liar: Mutex<Router>,
    tricks: Mutex<Tricks>,
    doors: tokio::sync::Mutex<HashMap<SocketAddr, Arc<UdpSocket>>>,
    behind_door: Mutex<HashMap<SocketAddr, SocketAddr>>,
    control: SocketAddr,
    edges: Mutex<HashMap<EdgeName, mpsc::UnboundedSender<FromNode>>>,
    lie: Mutex<Lie>,
    /// Where devices really are.
    devices: Mutex<HashMap<Fingerprint, SocketAddr>>,
    /// Where calls are led astray to.
    instead: Mutex<Option<EdgeName>>,
    seen: Mutex<Vec<u8>>,
}

impl Evil {
    pub async fn start() -> Self {
        let key = KeyPair::from_seed(&Secret::new([66; 32]));
        let router = || {
            let capacity = Capacity { edges: 4, clients: 8, clients_of_edge: 8 };
            Router::new(RoutingKey::new(Secret::new([67; 32])), NodeId(1), capacity)
        };
        let ids = OwnIds::default();
        ids.set(router().node_handles());
        let endpoint = control_endpoint(&key, ids);
        let public = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = public.local_addr().unwrap();
        let shared = Arc::new(Shared {
            start: Instant::now(),
            public,
            router: Mutex::new(router()),
            liar: Mutex::new(router()),
            tricks: Mutex::default(),
            doors: tokio::sync::Mutex::default(),
            behind_door: Mutex::default(),
            control: endpoint.local_addr().unwrap(),
            edges: Mutex::default(),
            lie: Mutex::new(Lie::At(([203, 0, 113, 66], 666).into())),
            devices: Mutex::default(),
            instead: Mutex::default(),
            seen: Mutex::default(),
        });
        tokio::spawn(shared.clone().carry());
        tokio::spawn(shared.clone().let_go());
        tokio::spawn(shared.clone().control(endpoint));
        Self { at, key, shared }
    }

    /// Any will do: it lets everybody in.
    pub fn enrolment(&self) -> String {
        Enrolment { node: self.key.fingerprint(), secret: Secret::new([0; 32]) }.to_text()
    }

    /// What it does to packets from now on.
    pub fn play(&self, mischief: Mischief) {
        self.shared.tricks.lock().unwrap().mischief = mischief;
    }

    /// Where it says that everybody is, from now on.
    pub fn lie(&self, lie: Lie) {
        *self.shared.lie.lock().unwrap() = lie;
    }

    /// How many packets it has spoiled.
    pub fn spoiled(&self) -> u64 {
        self.shared.tricks.lock().unwrap().spoiled
    }

    /// How many edge servers are here.
    pub fn edges(&self) -> usize {
        self.shared.edges.lock().unwrap().len()
    }

    /// Whoever calls an edge server is led to this one.
    pub fn lead_astray(&self, to: Fingerprint) {
        *self.shared.instead.lock().unwrap() = Some(EdgeName { tenant: TENANT, edge: to });
    }

    /// All datagrams that passed it, one after the other.
    pub fn seen(&self) -> Vec<u8> {
        self.shared.seen.lock().unwrap().clone()
    }
}

impl Shared {
    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    async fn carry(self: Arc<Self>) {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let Ok((length, from)) = self.public.recv_from(&mut buffer).await else { continue };
            let datagram = &buffer[..length];
            self.seen.lock().unwrap().extend_from_slice(datagram);
            let verdict = self.router.lock().unwrap().route(self.now_ms(), from, datagram);
            match verdict {
                Verdict::Forward { to, .. } => {
                    let out = self.tricks.lock().unwrap().handle(to, datagram);
                    self.send(out).await;
                }
                Verdict::Control => {
                    let door = self.door(from).await;
                    let _ = door.send(datagram).await;
                }
                Verdict::Knock => {
                    let answer = self.knock(from, datagram);
                    self.send(answer.into_iter().collect()).await;
                }
                Verdict::Drop(_) => {}
            }
        }
    }

    async fn send(&self, out: Vec<(SocketAddr, Vec<u8>)>) {
        for (to, datagram) in out {
            let _ = self.public.send_to(&datagram, to).await;
        }
    }

    /// Where somebody is said to be who is there.
    fn said(&self, from: SocketAddr) -> SocketAddr {
        match *self.lie.lock().unwrap() {
            Lie::At(at) => at,
            Lie::Swapped => {
                let devices = self.devices.lock().unwrap();
                devices.values().copied().find(|at| *at != from).unwrap_or(from)
            }
        }
    }

    fn knock(&self, from: SocketAddr, datagram: &[u8]) -> Option<(SocketAddr, Vec<u8>)> {
        self.router.lock().unwrap().knock(self.now_ms(), from, datagram).ok()?;
        let said = self.said(from);
        let lie = self.liar.lock().unwrap().knock(self.now_ms(), said, datagram).ok()?;
        Some((from, lie.answer.to_vec()))
    }

    /// What was held back goes on its way after a while.
    async fn let_go(self: Arc<Self>) {
        loop {
            tokio::time::sleep(HELD).await;
            let out = self.tricks.lock().unwrap().let_go();
            self.send(out).await;
        }
    }

    async fn door(self: &Arc<Self>, from: SocketAddr) -> Arc<UdpSocket> {
        let mut doors = self.doors.lock().await;
        if let Some(door) = doors.get(&from) {
            return door.clone();
        }
        let door = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
        door.connect(self.control).await.unwrap();
        self.behind_door.lock().unwrap().insert(door.local_addr().unwrap(), from);
        doors.insert(from, door.clone());
        let (shared, back) = (self.clone(), door.clone());
        tokio::spawn(async move {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let Ok(length) = back.recv(&mut buffer).await else { continue };
                shared.seen.lock().unwrap().extend_from_slice(&buffer[..length]);
                let _ = shared.public.send_to(&buffer[..length], from).await;
            }
        });
        door
    }

    async fn control(self: Arc<Self>, endpoint: Endpoint) {
        while let Some(incoming) = endpoint.accept().await {
            let shared = self.clone();
            tokio::spawn(async move {
                if let Ok(connection) = incoming.await {
                    shared.attend(connection).await;
                }
            });
        }
    }

    async fn attend(&self, connection: Connection) -> Option<()> {
        let peer = peer(&connection);
        let at = *self.behind_door.lock().unwrap().get(&connection.remote_address())?;
        let (mut send, mut receive) = connection.accept_bi().await.ok()?;
        let (letters, mut waiting) = mpsc::unbounded_channel();
        let mut pending = ControlBuffer::default();
        loop {
            while let Some(message) = pending.next(ToNode::decode).ok()? {
                if let Some(answer) = self.answer(message, peer, at, &letters) {
                    send.write_all(&answer.encode()).await.ok()?;
                }
            }
            tokio::select! {
                chunk = receive.read_chunk(usize::MAX, true) => pending.push(&chunk.ok()??.bytes),
                letter = waiting.recv() => send.write_all(&letter?.encode()).await.ok()?,
            }
        }
    }

    fn answer(
        &self,
        message: ToNode,
        peer: Fingerprint,
        at: SocketAddr,
        letters: &mpsc::UnboundedSender<FromNode>,
    ) -> Option<FromNode> {
        match message {
            ToNode::Join(_) => Some(FromNode::Joined(TENANT)),
            ToNode::Register(tenant) => {
                let edge = EdgeName { tenant, edge: peer };
                self.edges.lock().unwrap().insert(edge, letters.clone());
                let take = |router: &mut Router| {
                    router.register(self.now_ms(), edge, at, LIFETIME_MS, secret(&Party::Edge(edge)))
                };
                self.granted(
                    at,
                    take(&mut self.liar.lock().unwrap()).and(take(&mut self.router.lock().unwrap())),
                )
            }
            ToNode::Call(called) => {
                self.devices.lock().unwrap().insert(peer, at);
                let edge = self.instead.lock().unwrap().unwrap_or(called);
                // The box is asked for form's sake, and told of a device at an address where it is not.
                if let Some(to_edge) = self.edges.lock().unwrap().get(&edge) {
                    let _ = to_edge.send(FromNode::Call(peer, at));
                    let _ = to_edge.send(FromNode::Client(peer, self.said(at)));
                }
                let client = ClientName { edge, device: peer };
                let take = |router: &mut Router| {
                    router.admit(self.now_ms(), client, at, LIFETIME_MS, 8, secret(&Party::Client(client)))
                };
                self.granted(
                    at,
                    take(&mut self.liar.lock().unwrap()).and(take(&mut self.router.lock().unwrap())),
                )
            }
            _ => None,
        }
    }

    fn granted<E>(&self, at: SocketAddr, grant: Result<Grant, E>) -> Option<FromNode> {
        let grant = Box::new(Grant { observed: self.said(at), ..grant.ok()? });
        Some(FromNode::Granted { grant, lifetime_s: (LIFETIME_MS / 1000) as u32, second_port: None })
    }
}

/// Both routers have to give the same one.
fn secret(party: &Party) -> Secret<32> {
    let name = format!("{party:?}");
    Secret::new(std::array::from_fn(|at| name.as_bytes()[name.len() - 1 - at]))
}

fn peer(connection: &Connection) -> Fingerprint {
    let identity = connection.peer_identity().unwrap();
    let chain = identity.downcast_ref::<Vec<CertificateDer<'static>>>().unwrap();
    fingerprint_of_certificate(chain.first().unwrap()).unwrap()
}

fn control_endpoint(key: &KeyPair, ids: OwnIds) -> Endpoint {
    let tls = relay_server_config(Certificate::for_key_pair(key).unwrap()).unwrap();
    let server = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
    let mut config = EndpointConfig::default();
    config.cid_generator(move || Box::new(ids.clone())).grease_quic_bit(false);
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    Endpoint::new(config, Some(server), socket, Arc::new(TokioRuntime)).unwrap()
}
