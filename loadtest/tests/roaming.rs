//! Promises of a real session over QUIC when the network changes under it: the real server, the real client core, and the emulator's far
//! line between them. Times are held loosely from above: these tests share their machine.
#![allow(clippy::disallowed_methods, reason = "it measures real time")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tresen_edge::application::Applications;
use tresen_edge::config::Config;
use tresen_edge::run::{self, RunOptions, Server};
use tresen_identity::DeviceClass;
use tresen_loadtest::device::Device;
use tresen_loadtest::reference::app::ReferenceTills;
use tresen_loadtest::reference::script::taps;
use tresen_loadtest::screen::player::Player;
use tresen_loadtest::screen::serve::App;
use tresen_loadtest::wan::Emulator;
use tresen_wire::CloseCode;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Round trips beside those that are promised: what a shared machine, a commit and the emulator may add.
const SLACK: f64 = 0.6;

struct World {
    server: Server,
    emulator: Emulator,
    device: Device,
    _data: tempfile::TempDir,
}

impl World {
    /// Another device of the same server, without the emulator between them.
    async fn pair(&self, name: &str) -> Device {
        let code = self.server.site.pairing.open(&self.server.site.clock, DeviceClass::Mpos).unwrap();
        Device::pair(&code, name).await.unwrap()
    }

    /// Waits until the device's packets are on their way to nowhere, and on for a second: then another network is there.
    async fn lose_network(&self) {
        const AWAY: Duration = Duration::from_secs(1);
        self.emulator.cut(AWAY);
        tokio::time::sleep(AWAY).await;
    }
}

async fn world(round_trip: Duration) -> World {
    let data = tempfile::tempdir().unwrap();
    let bind = vec![Ipv4Addr::LOCALHOST.into()];
    let config = Config { data: data.path().into(), port: 0, bind, mdns: false, ..Config::default() };
    let applications: Option<run::MakeApplications> =
        Some(Box::new(|typesetter| Arc::new(ReferenceTills::new(typesetter)) as Arc<dyn Applications>));
    let options = RunOptions { config, demo: true, applications, ledger: Default::default() };
    let server = run::start(options).await.unwrap();
    let mut code = server.site.pairing.open(&server.site.clock, DeviceClass::Mpos).unwrap();
    let port: u16 = code.authority.rsplit(':').next().unwrap().parse().unwrap();
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let line = format!("far,loss=0%,rtt={}ms", round_trip.as_millis());
    let emulator = Emulator::udp(ANY, to, line.parse().unwrap(), 1).unwrap();
    code.authority = emulator.address().to_string();
    let device = Device::pair(&code, "roaming").await.unwrap();
    World { server, emulator, device, _data: data }
}

/// Whether the median of them took longer than so many round trips.
fn are_late(times_ms: &[f64], round_trips: f64, round_trip: Duration) -> bool {
    let mut sorted = times_ms.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2] > (round_trips + SLACK) * round_trip.as_secs_f64() * 1e3
}

/// Promise: a new address ends no connection and loses no tap. When nobody told the device of it, the first tap from there takes two round
/// trips, because the server may say next to nothing to an address that nobody has proven; the next one takes one again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_address_that_nobody_notices_costs_one_round_trip_more() {
    const ROUND_TRIP: Duration = Duration::from_millis(150);
    let world = world(ROUND_TRIP).await;
    let (mut player, _) = Player::open(&world.device, App::Reference.look()).await.unwrap();
    let (mut moved, mut stayed) = (Vec::new(), Vec::new());
    for (round, at) in taps(&[1]).into_iter().take(12).enumerate() {
        let moves = round % 3 == 2;
        if moves {
            world.emulator.new_address();
        }
        let took_ms = player.tap(at).await.unwrap().last_byte_ms;
        if moves { &mut moved } else { &mut stayed }.push(took_ms);
    }
    println!("ms at a new address: {moved:.0?}, else: {stayed:.0?}");
    assert!(!are_late(&moved, 2.0, ROUND_TRIP), "{moved:.0?}");
    assert!(!are_late(&stayed, 1.0, ROUND_TRIP), "{stayed:.0?}");
    world.server.finish(CloseCode::ServerStopping, "").await;
}

/// What the old network takes along.
#[derive(Clone, Copy, Debug)]
enum Lost {
    /// What the server answered to a tap.
    Answer,
    /// The tap, which was made without a network.
    Tap,
}

/// Moves from network to network upon one connection, with a tap that each move delays, and returns how long their answers took once the
/// new network was there, in ms. Nothing lost and nothing doubled: the screen is that of a device that made the same taps in peace.
async fn roam(round_trip: Duration, lost: Lost) -> Vec<f64> {
    const MOVES: usize = 8;
    let world = world(round_trip).await;
    let (mut player, _) = Player::open(&world.device, App::Reference.look()).await.unwrap();
    let taps = taps(&[1]);
    player.tap(taps[0]).await.unwrap();
    let mut times_ms = Vec::new();
    for at in &taps[1..=MOVES] {
        match lost {
            Lost::Answer => {
                player.tap_only(*at).await.unwrap();
                tokio::time::sleep(round_trip / 2 + Duration::from_millis(50)).await;
                world.lose_network().await;
            }
            Lost::Tap => {
                let tapping = async {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    player.tap_only(*at).await
                };
                tokio::join!(tapping, world.lose_network()).0.unwrap();
            }
        }
        times_ms.push(player.go_on(&world.device).await.unwrap().last_byte_ms);
        assert!(player.has_answers(), "the tap was not answered");
    }
    println!("{lost:?} lost, ms after the new network is there: {times_ms:.0?}");
    let peaceful = world.pair("peaceful").await;
    let (mut other, _) = Player::open(&peaceful, App::Reference.look()).await.unwrap();
    for at in &taps[..=MOVES] {
        other.tap(*at).await.unwrap();
    }
    assert!(player.pixels() == other.pixels(), "a tap was lost or doubled");
    world.server.finish(CloseCode::ServerStopping, "").await;
    times_ms
}

/// Promise: a device that learns of another network while the answer to its tap was lost in the old one has it one round trip after the new
/// one is there, move after move. It was lost with everything else of its stream, and the server may say little to an address that nobody
/// has proven. (In simulated time, to the millisecond: `tresen-desktop`, `quic::tests`.)
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_lost_in_the_old_network_is_the_first_thing_in_the_new_one() {
    const ROUND_TRIP: Duration = Duration::from_millis(300);
    let times_ms = roam(ROUND_TRIP, Lost::Answer).await;
    assert!(!are_late(&times_ms, 1.0, ROUND_TRIP), "{times_ms:.0?}");
}

/// Promise: the same holds for a tap that was made while there was no network.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tap_without_a_network_has_its_answer_one_round_trip_after_there_is_one() {
    const ROUND_TRIP: Duration = Duration::from_millis(300);
    let times_ms = roam(ROUND_TRIP, Lost::Tap).await;
    assert!(!are_late(&times_ms, 1.0, ROUND_TRIP), "{times_ms:.0?}");
}
