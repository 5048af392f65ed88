//! A real relay program in the middle: what it does not know, whom it refuses, and what it withstands.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quinn::Endpoint;
use tresen_edge::relay::join;
use tresen_identity::{Admission, Fingerprint, KeyPair, RelayRoute, Secret, TenantId, TokenId};
use tresen_path::{FromNode, ToNode};
use tresen_reach::{Control, NotReached};

use crate::client::Client;
use crate::memory::{Needles, work};
use crate::relay_program::RelayProgram;
use crate::world::World;

/// What only the relay knows: found in its memory, it shows that the search can find something.
const KNOWN_TO_THE_RELAY: &str = "Gasthaus zum Zeisig 4711";

/// For how long the relay is flooded.
const FLOOD: Duration = Duration::from_secs(4);

/// Memory that a flood may cost the relay, in KiB. Its own queue (1,024 packets) and quinn's handshakes, with much room.
pub const FLOOD_KIB: u64 = 64 * 1024;

struct Site {
    relay: RelayProgram,
    world: World,
    route: RelayRoute,
}

impl Site {
    async fn open() -> Self {
        let relay = RelayProgram::start(&[]);
        let folder = tempfile::tempdir().unwrap();
        let enrolment = relay.enrolment(KNOWN_TO_THE_RELAY);
        let route = join(folder.path(), &relay.listen.to_string(), &enrolment).await.unwrap();
        let world = World::again(folder).await;
        Self { relay, world, route }
    }

    fn name(&self) -> Fingerprint {
        self.world.server.site.name
    }

    /// A device that is paired on the LAN and comes through the relay.
    async fn client(&self, seed: u8) -> Client {
        let native = self.world.paired(seed).await;
        let limit = Instant::now() + Duration::from_secs(20);
        loop {
            match native.through(&self.route, self.name()).await {
                Ok(wire) => return Client::new(wire),
                // The box is on its way there.
                Err(NotReached::Refused) => assert!(Instant::now() < limit),
                Err(error) => panic!("{error}"),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Promise: of what a person sees and types on a handheld, nothing is anywhere in the memory of the relay that carries it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_handheld_is_in_the_relays_memory() {
    let site = Site::open().await;
    let mut client = site.client(9).await;
    let needles = work(&mut client).await;
    let pid = site.relay.pid();
    let known = Needles::of(&[KNOWN_TO_THE_RELAY]);
    assert_eq!(known.found_in_process(pid).0, [KNOWN_TO_THE_RELAY], "the search finds what is there");
    let (found, searched_bytes) = needles.found_in_process(pid);
    assert!(searched_bytes > 1 << 20);
    assert_eq!(found, Vec::<&str>::new());
}

/// Promise: a token that is forged, changed, over, of another tenant or for another device is refused; the reason stands in the operator's log, and the wire
/// says the same to all.
#[tokio::test(flavor = "multi_thread")]
async fn why_a_token_is_refused_the_operator_alone_reads() {
    let site = Site::open().await;
    let _at_the_relay = site.client(9).await;
    let device = KeyPair::from_seed(&Secret::new([30; 32]));
    let edge_key = edge_key(&site);
    let right = Admission {
        tenant: site.route.tenant,
        edge: site.name(),
        device: device.fingerprint(),
        issued_s: now_s(),
        lifetime_s: 300,
        id: TokenId([1; 8]),
    };
    let other = TenantId::from_bytes([9; 16]);
    let mut changed = right.sign(&edge_key);
    changed[60] ^= 1;
    let stranger = KeyPair::from_seed(&Secret::new([31; 32]));
    let cases = [
        (right.sign(&stranger), "issued by somebody who may not do so"),
        (changed, "the token's signature is wrong"),
        (Admission { issued_s: now_s() - 400, ..right }.sign(&edge_key), "the token expired"),
        (Admission { issued_s: now_s() + 400, ..right }.sign(&edge_key), "in the future"),
        (Admission { lifetime_s: 10_000, ..right }.sign(&edge_key), "the token is for 10000 s"),
        (Admission { tenant: other, ..right }.sign(&edge_key), "the edge server is not at this node"),
        (Admission { device: stranger.fingerprint(), ..right }.sign(&edge_key), "another one shows it"),
        ([0; tresen_identity::TOKEN_BYTES], "this is no admission token"),
    ];
    let endpoint = Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    for (token, reason) in cases {
        let before = site.relay.log().matches(reason).count();
        let mut control =
            Control::connect(&endpoint, site.relay.listen, site.route.relay, &device).await.unwrap();
        control.say(&ToNode::Admit(Box::new(token))).await.unwrap();
        assert!(matches!(control.hear().await, Ok(FromNode::Refused)), "{reason}");
        assert!(control.hear().await.is_err(), "{reason}");
        assert_eq!(site.relay.log().matches(reason).count(), before + 1, "{reason}: {}", site.relay.log());
    }
}

/// Promise: floods leave the relay's memory bounded, and a running session goes on.
#[tokio::test(flavor = "multi_thread")]
async fn floods_are_withstood() {
    let site = Site::open().await;
    let mut client = site.client(9).await;
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    let quiet = taps(&mut client).await;
    let start_kib = site.relay.resident_kib();
    for flood in [Flood::Initials, Flood::RandomIds, Flood::Garbage, Flood::Tokens] {
        let running = flood.start(&site);
        let flooded = taps(&mut client).await;
        let sent = running.end().await;
        let kib = site.relay.resident_kib();
        println!(
            "{flood:?}: {sent} sent; taps p99 {:.1} ms, {:.1} ms without (x{:.1}); the relay has {kib} KiB, {start_kib} before",
            p99_ms(&flooded),
            p99_ms(&quiet),
            p99_ms(&flooded) / p99_ms(&quiet),
        );
        assert!(sent > 100, "{flood:?} was one");
        assert!(kib < start_kib + FLOOD_KIB, "{flood:?}: {kib} KiB, {start_kib} before");
    }
    assert!(client.closed.is_none());
    client.book("Cola 0,33").await;
    assert!(site.relay.log().contains("this is no admission token"), "guessing is written down");
}

/// What comes at the relay.
#[derive(Clone, Copy, Debug)]
enum Flood {
    /// First packets of connections, from many sockets that never answer.
    Initials,
    /// Short packets to ids that nobody has.
    RandomIds,
    /// First packets whose content is noise.
    Garbage,
    /// Proper connections, each with a token that is guessed.
    Tokens,
}

struct Flooding {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Flooding {
    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.sent.load(Ordering::Relaxed)
    }
}

impl Flood {
    fn start(self, site: &Site) -> Flooding {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (at, relay) = (site.relay.listen, site.route.relay);
        let mine = (stop.clone(), sent.clone());
        let task = match self {
            Self::Tokens => tokio::spawn(guess(at, relay, mine)),
            _ => tokio::task::spawn_blocking(move || self.spray(at, &mine)),
        };
        Flooding { stop, sent, tasks: vec![task] }
    }

    /// About 10,000 packets a second, from 64 sockets: a core of the machine has to be left for the session.
    fn spray(self, at: SocketAddr, (stop, sent): &(Arc<AtomicBool>, Arc<AtomicU64>)) {
        let sockets: Vec<_> = (0..64).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
        while !stop.load(Ordering::Relaxed) {
            for socket in &sockets {
                let _ = socket.send_to(&self.packet(), at);
                sent.fetch_add(1, Ordering::Relaxed);
            }
            std::thread::sleep(Duration::from_millis(6));
        }
    }

    fn packet(self) -> Vec<u8> {
        let mut packet = match self {
            Self::RandomIds => vec![0x41; 60],
            _ => vec![0; 1200],
        };
        let noise: [u8; 32] = rand::random();
        packet[1..33].copy_from_slice(&noise);
        match self {
            Self::RandomIds | Self::Tokens => {}
            Self::Initials => {
                // Version 1, an id of 12 bytes, none of the sender's, no token, the rest as length: it has the form, and no key fits.
                packet[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 12]);
                packet[18..22].copy_from_slice(&[0, 0, 0x44, 0x9a]);
            }
            Self::Garbage => {
                packet[..6].copy_from_slice(&[0xc0 | (noise[0] & 0x0f), 0, 0, 0, 1, noise[1] % 24]);
            }
        }
        packet
    }
}

async fn guess(at: SocketAddr, relay: Fingerprint, (stop, sent): (Arc<AtomicBool>, Arc<AtomicU64>)) {
    let endpoint = Endpoint::client(([127, 0, 0, 1], 0).into()).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let key = KeyPair::from_seed(&Secret::new(rand::random()));
        let Ok(mut control) = Control::connect(&endpoint, at, relay, &key).await else { continue };
        let mut guessed = [0; tresen_identity::TOKEN_BYTES];
        rand::fill(&mut guessed[..]);
        if control.say(&ToNode::Admit(Box::new(guessed))).await.is_ok() {
            assert!(!matches!(control.hear().await, Ok(FromNode::Granted { .. })));
        }
        control.close();
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// How long taps take, one after the other, for as long as a flood lasts, in ms.
pub async fn taps(client: &mut Client) -> Vec<f64> {
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < FLOOD {
        let tap = Instant::now();
        client.tap("Cola 0,33").await;
        times.push(tap.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    times
}

pub fn p99_ms(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

/// The key of the box, as it lies in its folder.
fn edge_key(site: &Site) -> KeyPair {
    let text = std::fs::read_to_string(site.world.folder.path().join("server.key")).unwrap();
    KeyPair::from_seed(&Secret::from_text(text.trim()).unwrap())
}

fn now_s() -> u64 {
    jiff::Timestamp::now().as_second() as u64
}
