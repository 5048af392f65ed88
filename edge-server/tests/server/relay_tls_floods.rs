//! Floods of TCP connections at a real relay program that passes TLS on to a box, while a browser works through it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use p256::ecdsa::SigningKey;
use rustls::ClientConnection;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;
use tresen_edge::relay::join;
use tresen_identity::{DeviceClass, Fingerprint, KeyPair, PublicPlace, Secret, https_client_config};
use tresen_reach::{Control, OwnIds, OwnPackets, Socket, Tunnel, TunnelEnd, endpoint, own_packets};

use crate::client::{Client, browser_spki, paired_on};
use crate::relay_program::RelayProgram;
use crate::relay_secrets::{FLOOD_KIB, p99_ms, taps};
use crate::relayed::eventually;
use crate::world::World;

/// TLS streams that the relay takes: fewer than come at a time.
const PLACES: u64 = 384;

/// Those who come at a time, and again when they are let go.
const HOSTILE: usize = 768;

/// Each comes again after this: a few hundred a second in all, as many as some dozen networks may. A core of the machine has to be left for the session, and
/// this machine's own addresses are not slowed down by the relay.
const PAUSE: Duration = Duration::from_secs(2);

/// A newcomer comes so often, as browsers do when their first connection was reset.
const TRIES: usize = 3;

/// How long each may take.
const NEWCOMERS_PATIENCE: Duration = Duration::from_secs(5);

/// A relayed tap may take so long while a flood runs, at the 99th percentile, in milliseconds.
const FLOODED_MS: f64 = 500.0;

/// Where the box itself is slow in the same moments, it may take so many times as long as there: both wait for the box's disk.
const TIMES_THE_BOX: f64 = 2.0;

/// Of one edge server, unless it is configured otherwise.
const PLACES_OF_BOX: u64 = 128;

/// Networks from which they come.
const NETWORKS: u8 = 8;

/// A box that browsers reach through a relay.
struct Front {
    relay: RelayProgram,
    world: World,
    place: PublicPlace,
    /// The relay's.
    name: Fingerprint,
}

impl Front {
    async fn open() -> Self {
        let arguments =
            ["--tls", "127.0.0.1:0", "--domain", "tills.example", "--passes", &PLACES.to_string()];
        let relay = RelayProgram::start(&arguments);
        let folder = tempfile::tempdir().unwrap();
        let enrolment = relay.enrolment("Gasthaus Linde");
        let route = join(folder.path(), &relay.listen.to_string(), &enrolment).await.unwrap();
        let world = World::again(folder).await;
        let public = world.server.site.relay.public();
        eventually("the relay tells the public name", || public.borrow().is_some()).await;
        let place = public.borrow().clone().unwrap();
        Self { relay, world, place, name: route.relay }
    }

    fn at(&self) -> SocketAddr {
        self.relay.tls.unwrap()
    }

    fn tls(&self) -> (Arc<rustls::ClientConfig>, ServerName<'static>) {
        let name = self.world.server.site.name;
        let config = https_client_config(name).unwrap();
        (Arc::new(config), ServerName::try_from(self.place.host(&name)).unwrap())
    }

    async fn stream(&self) -> TlsStream<TcpStream> {
        self.try_stream().await.unwrap()
    }

    async fn try_stream(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let (config, name) = self.tls();
        let tcp = TcpStream::connect(self.at()).await?;
        TlsConnector::from(config).connect(name, tcp).await
    }

    /// Whether a browser that has never been here gets a page.
    async fn gets_a_page(&self) -> std::io::Result<bool> {
        let mut stream = self.try_stream().await?;
        let host = self.place.authority(&self.world.server.site.name);
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        Ok(answer.starts_with("HTTP/1.1 "))
    }

    /// Whether an endpoint without UDP gets a tunnel, and an answer through it.
    async fn gets_a_tunnel(&self) -> std::io::Result<bool> {
        let (sender, _own) = own_packets();
        let own = OwnPackets { probes: sender.clone(), knocks: sender };
        let socket = Socket::new(std::net::UdpSocket::bind("127.0.0.1:0")?, own)?;
        let ends = endpoint(socket.clone(), OwnIds::default(), None)?;
        let node = self.name;
        let end = TunnelEnd { node, at: self.at(), public_port: None };
        let tunnel = Tunnel::open(&socket, end).await?;
        let key = KeyPair::from_seed(&Secret::new([77; 32]));
        Ok(Control::connect(&ends, tunnel.address(), node, &key).await.is_ok())
    }

    /// In how many tries somebody got in.
    async fn tries(&self, comes: impl AsyncFn() -> std::io::Result<bool>) -> Option<usize> {
        for number in 1..=TRIES {
            if let Ok(Ok(true)) = timeout(NEWCOMERS_PATIENCE, comes()).await {
                return Some(number);
            }
        }
        None
    }

    /// What a browser says first.
    fn hello(&self) -> Vec<u8> {
        let (config, name) = self.tls();
        let mut bytes = Vec::new();
        ClientConnection::new(config, name).unwrap().write_tls(&mut bytes).unwrap();
        bytes
    }

    /// A browser that has paired and is at work.
    async fn browser(&self) -> Client {
        let (site, key) = (&self.world.server.site, SigningKey::from_slice(&[5; 32]).unwrap());
        let authority = self.place.authority(&site.name);
        let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
        let wish = serde_json::json!({"pair": {
            "secret": code.secret.to_text(), "name": "Chrome", "key": browser_spki(&key),
        }});
        let wish = wish.to_string();
        let head = format!("POST /pair HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n");
        let request = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{wish}", wish.len());
        let mut stream = self.stream().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(answer.contains(r#"{"paired":"#), "{answer}");
        let mut request = format!("wss://{authority}/session").into_client_request().unwrap();
        request.headers_mut().insert("origin", format!("https://{authority}").parse().unwrap());
        let (socket, _) = tokio_tungstenite::client_async(request, self.stream().await).await.unwrap();
        let (_greeting, wire) = paired_on(socket, &key).await;
        Client::new(wire)
    }

    fn open_passes(&self) -> u64 {
        self.relay.metric("tresen_relay_passes_open")
    }
}

/// What comes at the relay's TCP port.
#[derive(Clone, Copy, Debug)]
enum Flood {
    /// Connections on which nothing comes.
    Silence,
    /// A hello that names the box, and then nothing.
    HalfOpen,
    /// A hello that comes a byte a second.
    Slow,
    /// 100 KB that claim to be a hello.
    Giant,
    /// The beginning of what another node would say.
    Handover,
}

/// Promise: connections that say nothing, half of it, a byte a second or far too much, leave the relay's memory bounded and a browser's session running; others
/// come in meanwhile, though they have taken all places; and those are free again when they have gone.
#[tokio::test(flavor = "multi_thread")]
async fn floods_of_tcp_are_withstood() {
    let front = Front::open().await;
    let mut client = front.browser().await;
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    let mut near = Client::tab(front.world.port(), 1).await;
    near.log_in("Anna", "1234").await;
    near.tap("Table 5").await;
    let quiet = taps(&mut client).await;
    let start_kib = front.relay.resident_kib();
    for flood in [Flood::Silence, Flood::HalfOpen, Flood::Slow, Flood::Giant, Flood::Handover] {
        let running = flood.start(&front);
        eventually("it is one", || running.came() >= HOSTILE as u64).await;
        eventually("the places are taken", || front.open_passes() >= flood.takes()).await;
        let (flooded, beside) = tokio::join!(taps(&mut client), taps(&mut near));
        let (kib, open) = (front.relay.resident_kib(), front.open_passes());
        let browser = front.tries(async || front.gets_a_page().await).await;
        let tunnel = front.tries(async || front.gets_a_tunnel().await).await;
        let came = running.end().await;
        println!(
            "{flood:?}: {came} came, {open} places taken; a browser got in at try {browser:?}, a tunnel at {tunnel:?}; taps p99 {:.1} ms, {:.1} ms at the box itself, {:.1} ms without (x{:.1}); the relay has {kib} KiB, {start_kib} before",
            p99_ms(&flooded),
            p99_ms(&beside),
            p99_ms(&quiet),
            p99_ms(&flooded) / p99_ms(&quiet),
        );
        assert!(browser.is_some() && tunnel.is_some(), "{flood:?} keeps newcomers out");
        let most_ms = FLOODED_MS.max(TIMES_THE_BOX * p99_ms(&beside));
        assert!(p99_ms(&flooded) < most_ms, "{flood:?} holds up who is there");
        assert!(kib < start_kib + FLOOD_KIB, "{flood:?}: {kib} KiB, {start_kib} before");
        eventually("the places are free again", || front.open_passes() == 1).await;
    }
    assert!(client.closed.is_none());
    client.book("Cola 0,33").await;
    front.stream().await;
}

struct Flooding {
    stop: CancellationToken,
    came: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Flooding {
    fn came(&self) -> u64 {
        self.came.load(Ordering::Relaxed)
    }

    /// How many came in all.
    async fn end(self) -> u64 {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        self.came.load(Ordering::Relaxed)
    }
}

impl Flood {
    fn start(self, front: &Front) -> Flooding {
        let (stop, came) = (CancellationToken::new(), Arc::new(AtomicU64::new(0)));
        let (at, bytes) = (front.at(), Arc::new(self.bytes(front)));
        let task = |number: usize| {
            let from = IpAddr::from([127, 0, 1, number as u8 % NETWORKS]);
            let (came, bytes, stop) = (came.clone(), bytes.clone(), stop.clone());
            tokio::spawn(async move {
                let coming = async {
                    // Not all in one instant.
                    tokio::time::sleep(PAUSE.mul_f64(number as f64 / HOSTILE as f64)).await;
                    loop {
                        let _ = self.come(from, at, &bytes, &came).await;
                        tokio::time::sleep(PAUSE).await;
                    }
                };
                let _: Option<()> = stop.run_until_cancelled(coming).await;
            })
        };
        let tasks = (0..HOSTILE).map(task).collect();
        Flooding { stop, came, tasks }
    }

    /// Places that are taken before it counts as one: all of the node, or those of the box. A giant is let go too soon to hold any.
    const fn takes(self) -> u64 {
        match self {
            Self::Silence | Self::Slow | Self::Handover => PLACES,
            Self::HalfOpen => PLACES_OF_BOX,
            Self::Giant => 0,
        }
    }

    /// What is said on each connection.
    fn bytes(self, front: &Front) -> Vec<u8> {
        match self {
            Self::Silence => Vec::new(),
            Self::HalfOpen | Self::Slow => front.hello(),
            Self::Giant => {
                let record = [&[0x16, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
                let mut giant = record.repeat(7);
                giant[5..9].copy_from_slice(&[1, 1, 0x86, 0xa0]);
                giant
            }
            Self::Handover => vec![1],
        }
    }

    /// Until the relay ends it.
    async fn come(self, from: IpAddr, at: SocketAddr, bytes: &[u8], came: &AtomicU64) -> std::io::Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        let mut stream = socket.connect(at).await?;
        came.fetch_add(1, Ordering::Relaxed);
        if matches!(self, Self::Slow) {
            for byte in bytes {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        } else {
            stream.write_all(bytes).await?;
        }
        let mut sink = [0; 4096];
        while stream.read(&mut sink).await? > 0 {}
        Ok(())
    }
}
