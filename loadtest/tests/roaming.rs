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
const ROUND_TRIP: Duration = Duration::from_millis(150);
/// What a shared machine, a commit and the emulator may add.
const SLACK: Duration = Duration::from_millis(60);

struct World {
    server: Server,
    emulator: Emulator,
    device: Device,
    _data: tempfile::TempDir,
}

async fn world() -> World {
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
    let emulator = Emulator::udp(ANY, to, "far,loss=0%".parse().unwrap(), 1).unwrap();
    code.authority = emulator.address().to_string();
    let device = Device::pair(&code, "roaming").await.unwrap();
    World { server, emulator, device, _data: data }
}

/// Promise: a new address ends no connection and loses no tap. The first tap from there takes two round trips, because the server may say next to
/// nothing to an address that nobody has proven; the next one takes one again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_address_costs_one_round_trip_more() {
    let world = world().await;
    let (mut player, _) = Player::open(&world.device, App::Reference.look()).await.unwrap();
    let mut times = Vec::new();
    for (round, at) in taps(&[1]).into_iter().take(12).enumerate() {
        let moves = round % 3 == 2;
        if moves {
            world.emulator.new_address();
        }
        let round_trips = if moves { 2 } else { 1 };
        let tap = player.tap(at).await.unwrap();
        times.push((round_trips, tap.last_byte_ms));
    }
    println!("round trips allowed, ms taken: {times:.0?}");
    let late = |(round_trips, took_ms): &&(u32, f64)| {
        *took_ms > (ROUND_TRIP * *round_trips + SLACK).as_secs_f64() * 1e3
    };
    let slow = times.iter().filter(late).count();
    assert!(slow <= 1, "round trips allowed, ms taken: {times:.0?}");
    world.server.finish(CloseCode::ServerStopping, "").await;
}

/// Promise: a device that goes on from another network, while the answer to its tap was lost in the old one, gets it within two round trips.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_lost_in_the_old_network_comes_in_the_new_one() {
    const AWAY: Duration = Duration::from_secs(1);
    let world = world().await;
    let (mut player, _) = Player::open(&world.device, App::Reference.look()).await.unwrap();
    let taps = taps(&[1]);
    player.tap(taps[0]).await.unwrap();
    let mut times = Vec::new();
    for at in &taps[1..5] {
        let before_answer = ROUND_TRIP / 2 + Duration::from_millis(30);
        let moving = async {
            tokio::time::sleep(before_answer).await;
            world.emulator.cut(AWAY);
            tokio::time::sleep(AWAY).await;
            world.device.change_address().unwrap();
        };
        let (tap, ()) = tokio::join!(player.tap(*at), moving);
        times.push(tap.unwrap().last_byte_ms - (before_answer + AWAY).as_secs_f64() * 1e3);
    }
    println!("ms after the new network is there: {times:.0?}");
    let slow =
        times.iter().filter(|took_ms| **took_ms > (ROUND_TRIP * 2 + SLACK).as_secs_f64() * 1e3).count();
    assert!(slow <= 1, "ms after the new network is there: {times:.0?}");
    world.server.finish(CloseCode::ServerStopping, "").await;
}
