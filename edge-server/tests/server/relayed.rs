//! A box behind a relay, all of it real: the relay's node, the server, a device with nothing but a pairing code.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tresen_edge::links::Way;
use tresen_edge::relay::{JoinError, join};
use tresen_identity::{DeviceClass, PairAnswer, PairingCode, RelayRoute, Secret, TenantId};
use tresen_path::Capacity;
use tresen_reach::{Enrolment, NotReached};
use tresen_relay::{Running, Settings};
use tresen_wire::CloseCode;

use crate::client::{Client, Native};
use crate::world::World;

pub const TENANT: TenantId = TenantId::from_bytes([1; 16]);

pub struct Relay {
    pub running: Running,
    /// For one box.
    pub enrolment: String,
    _data: TempDir,
}

/// What a node is started with, as the only one of its relay.
pub fn settings(data: &Path) -> Settings {
    let capacity = Capacity { edges: 4, clients: 8, clients_of_edge: 4 };
    Settings::alone(data.to_owned(), ([127, 0, 0, 1], 0).into(), capacity)
}

pub async fn relay() -> Relay {
    let data = tempfile::tempdir().unwrap();
    let running = tresen_relay::start(&settings(data.path())).unwrap();
    let secret = Secret::new([7; 32]);
    let now_s = jiff::Timestamp::now().as_second() as u64;
    let opened = running.node.change_directory(|directory| {
        directory.add_tenant(TENANT, "Gasthaus Linde", 10)?;
        directory.open_enrolment(TENANT, &secret, now_s)
    });
    opened.await.unwrap().result.unwrap();
    let enrolment = Enrolment { node: running.key.fingerprint(), secret }.to_text();
    Relay { running, enrolment, _data: data }
}

/// A relay, a box that is at it, and the way to the box.
pub async fn box_at_relay() -> (Relay, World, RelayRoute) {
    let relay = relay().await;
    let folder = tempfile::tempdir().unwrap();
    let route = join(folder.path(), &relay.running.listen.to_string(), &relay.enrolment).await.unwrap();
    let world = World::again(folder).await;
    eventually("the box is at the relay", || relay.running.node.counts() == (1, 0)).await;
    (relay, world, route)
}

/// Promise: where UDP gets nowhere, a box joins its relay and a device pairs and sells, by TLS alone.
#[tokio::test(flavor = "multi_thread")]
async fn without_udp_a_device_pairs_and_sells() {
    let relay = relay().await;
    // At this port there is no UDP.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    relay.running.take_streams(listener);
    let folder = tempfile::tempdir().unwrap();
    let route = join(folder.path(), &authority, &relay.enrolment).await.unwrap();
    let world = World::again(folder).await;
    eventually("the box is at the relay", || relay.running.node.counts() == (1, 0)).await;

    let (site, native) = (&world.server.site, Native::new(9));
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let wire = native.through(&route, code.server).await.unwrap();
    let (answer, wire) = native.pair_on(wire, &code).await;
    assert!(matches!(answer, PairAnswer::Paired { .. }));
    // The relay's own port of UDP is another one, which nobody knows.
    assert_eq!(relay.running.node.counts(), (1, 1));
    let mut client = Client::new(wire);
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    for _ in 0..20 {
        client.book("Cola 0,33").await;
    }
    client.see("20 Cola 0,33").await;
}

pub async fn eventually(what: &str, done: impl Fn() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

/// Promise: a device that knows nothing but a pairing code pairs through the relay and sells; it comes back without a code; nobody else does, nor it when it
/// is revoked; and the office says which way it takes.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_pairs_and_sells_through_a_relay() {
    let (relay, world, route) = box_at_relay().await;
    let site = &world.server.site;

    let native = Native::new(9);
    let refused = native.through(&route, site.name).await;
    assert!(matches!(refused, Err(NotReached::Refused)), "no code is open");
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let code: PairingCode = code.to_string().parse().unwrap();
    let known = code.relay.clone().unwrap();
    assert_eq!(known, route);
    let wire = native.through(&known, code.server).await.unwrap();
    let (answer, wire) = native.pair_on(wire, &code).await;
    assert!(matches!(answer, PairAnswer::Paired { .. }));
    let mut client = Client::new(wire);
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    client.book("Cola 0,33").await;
    let device = native.key.fingerprint();
    let way = || site.links.record(device).map(|record| record.way);
    // On this machine there is a direct way, which may have been found by now.
    eventually("the office knows the way", || matches!(way(), Some(Way::Relayed | Way::Direct))).await;

    let stranger = Native::new(10).through(&route, site.name).await;
    assert!(matches!(stranger, Err(NotReached::Refused)), "the code was used");
    let session = client.leave();
    let mut again = Client::on(session, native.through(&route, site.name).await.unwrap());
    again.book("Cola 0,33").await;
    again.see("2 Cola 0,33").await;
    assert_eq!(relay.running.node.counts(), (1, 1));
    site.registry.revoke(device).await.unwrap();
    assert_eq!(again.closing().await, CloseCode::Revoked);
    let revoked = tokio::time::Instant::now();
    eventually("the relay has cut it off", || relay.running.node.counts() == (1, 0)).await;
    assert!(revoked.elapsed() < Duration::from_secs(2));
    assert!(matches!(native.through(&route, site.name).await, Err(NotReached::Refused)));
}

/// Promise: a box that is started again is back at its relay without anybody doing anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_box_comes_back_to_its_relay() {
    let relay = relay().await;
    let folder = tempfile::tempdir().unwrap();
    let at = relay.running.listen.to_string();
    let route = join(folder.path(), &at, &relay.enrolment).await.unwrap();
    let world = World::again(folder).await;
    eventually("the box is at the relay", || relay.running.node.counts().0 == 1).await;
    let world = world.restart().await;
    let native = Native::new(9);
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let limit = tokio::time::Instant::now() + Duration::from_secs(20);
    let wire = loop {
        match native.through(&route, site.name).await {
            Ok(wire) => break wire,
            Err(error) => assert!(tokio::time::Instant::now() < limit, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let (answer, _wire) = native.pair_on(wire, &code).await;
    assert!(matches!(answer, PairAnswer::Paired { .. }));
}

/// Promise: a box that may not join is told so, and remembers nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_used_enrolment_lets_nobody_in() {
    let relay = relay().await;
    let at = relay.running.listen.to_string();
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    join(first.path(), &at, &relay.enrolment).await.unwrap();
    join(first.path(), &at, &relay.enrolment).await.expect("the same box may ask again");
    assert!(matches!(join(second.path(), &at, &relay.enrolment).await, Err(JoinError::Refused)));
    assert!(matches!(join(second.path(), &at, "nonsense").await, Err(JoinError::Enrolment)));
    assert!(matches!(join(second.path(), "nowhere", &relay.enrolment).await, Err(JoinError::Address(_))));
    assert_eq!(tresen_edge::relay::route(second.path()).unwrap(), None);
}
