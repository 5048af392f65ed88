//! Promises of a relay node, over real sockets on loopback.
#![allow(clippy::disallowed_methods, reason = "a test of a shell: it has a clock and sockets")]

mod common;
mod disk;
#[path = "../support/redis_failover.rs"]
mod failing_redis;
mod failover;
mod handovers;
mod nodes;
mod passes;
#[path = "../support/redis.rs"]
mod redis;
mod tunnels;
mod world;

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::timeout;
use tresen_identity::Secret;
use tresen_path::{ClientName, FromNode, Party, Revocation, Subject, ToNode};
use tresen_reach::{Control, Seen};
use tresen_relay::{LimitSettings, Rates, Settings};

use world::{
    BOX, PATIENCE, World, edge_name, end, granted, hear, key, now_s, saved, socket, talk, tenant, token,
};

/// Promise: a box and its devices talk through the relay with one socket each, and the box hears who comes from where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_and_its_devices_talk_through_the_relay() {
    let world = World::new().await;
    let mut edge = world.edge().await;
    let mut clients = Vec::new();
    for device in [2, 3] {
        let client = world.client(device).await;
        let Ok(FromNode::Client(name, at)) = hear(&mut edge.control).await else { panic!("not told") };
        assert_eq!(name, key(device).fingerprint());
        assert_eq!(at, client.end.endpoint.local_addr().expect("an address"));
        assert_eq!(at, client.grant.observed);
        let connection = client.connect(world.at()).await;
        assert!(talk(&connection, 1_000_000).await);
        clients.push((client, connection));
    }
    assert_eq!(world.relay.node.counts(), (1, 2));
    let forwarded = world.relay.node.counters().packets();
    assert!(forwarded > 2 * 2 * 1_000_000 / 1_500, "{forwarded} packets");
    assert_eq!(world.relay.node.counters().drops(), 0);
}

/// Promise: of two who come with one key the newest stays, and the other one is told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_of_two_with_one_key_stays() {
    let world = World::new().await;
    let mut first = world.edge().await;
    let second = world.edge_that_joined().await;
    let (mut older, newer) = (world.client(2).await, world.client(2).await);
    assert!(hear(&mut first.control).await.is_err() && hear(&mut older.control).await.is_err());
    assert!(first.control.is_replaced() && older.control.is_replaced());
    assert!(!second.control.is_replaced() && !newer.control.is_replaced());
    assert!(talk(&newer.connect(world.at()).await, 1_000).await);
}

/// Promise: nobody is let in who was not enrolled, or whose token is forged, over, of another tenant or for another device; the wire says no reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_stay_outside() {
    let world = World::new().await;
    let end = end(None);
    let stranger = async |wish: ToNode, device: u8| {
        let mut control = world.control(&end, &key(device)).await;
        let refused = granted(&mut control, &wish).await.is_none();
        refused && hear(&mut control).await.is_err()
    };
    let of_device = |issuer: u8, of: u8, device: u8, issued_s: u64| {
        ToNode::Admit(token(&key(issuer), tenant(of), device, issued_s))
    };
    assert!(stranger(of_device(BOX, 1, 5, now_s()), 5).await, "the box is not here");
    let _edge = world.edge().await;
    assert!(stranger(ToNode::Register(tenant(1)), 9).await, "never enrolled");
    assert!(stranger(ToNode::Register(tenant(2)), BOX).await, "enrolled with another tenant");
    assert!(stranger(ToNode::Join(Secret::new([1; 32])), 9).await, "a used secret");
    assert!(stranger(ToNode::Join(Secret::new([3; 32])), 9).await, "no secret");
    assert!(stranger(of_device(9, 1, 5, now_s()), 5).await, "signed by a stranger");
    assert!(stranger(of_device(BOX, 2, 5, now_s()), 5).await, "of another tenant");
    assert!(stranger(of_device(BOX, 1, 5, now_s() - 301), 5).await, "over");
    assert!(stranger(of_device(BOX, 1, 5, now_s()), 6).await, "for another device");
    assert_eq!(world.relay.node.counts(), (1, 0));
    let mut control = world.control(&end, &key(5)).await;
    let right = token(&key(BOX), tenant(1), 5, now_s());
    assert!(granted(&mut control, &ToNode::Admit(right)).await.is_some(), "and who may come in, does");
}

/// Promise: a device without a token calls its box, which lets it in or turns it away; nobody else can answer for the box.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_calls_its_box() {
    let world = World::new().await;
    let end = end(None);
    let mut too_early = world.control(&end, &key(2)).await;
    assert!(granted(&mut too_early, &ToNode::Call(edge_name())).await.is_none(), "the box is not here");
    let mut edge = world.edge().await;
    let (mut known, mut unknown) = (world.control(&end, &key(2)).await, world.control(&end, &key(3)).await);
    for (control, device) in [(&mut known, 2), (&mut unknown, 3)] {
        control.say(&ToNode::Call(edge_name())).await.expect("said");
        let Ok(FromNode::Call(caller, _)) = hear(&mut edge.control).await else { panic!("no call") };
        assert_eq!(caller, key(device).fingerprint());
    }
    let mut impostor = world.control(&end, &key(9)).await;
    let not_asked = ToNode::Let(token(&key(9), tenant(1), 2, now_s()));
    assert!(granted(&mut impostor, &not_asked).await.is_none());
    edge.control.say(&ToNode::TurnAway(key(3).fingerprint())).await.expect("said");
    edge.control.say(&ToNode::Let(token(&key(BOX), tenant(1), 2, now_s()))).await.expect("said");
    assert!(matches!(hear(&mut known).await, Ok(FromNode::Granted { .. })));
    assert!(matches!(hear(&mut unknown).await, Ok(FromNode::Refused)));
    assert_eq!(world.relay.node.counts(), (1, 1));
}

/// Promise: a tenant has no more devices at a node than it may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_has_its_share() {
    let world = World::new().await;
    let _edge = world.edge().await;
    let mut clients = Vec::new();
    for device in 2..5 {
        clients.push(world.client(device).await);
    }
    let one_more = end(None);
    let mut control = world.control(&one_more, &key(7)).await;
    let wish = ToNode::Admit(token(&key(BOX), tenant(1), 7, now_s()));
    assert!(granted(&mut control, &wish).await.is_none());
    assert_eq!(world.relay.node.counts(), (1, 3));
}

/// Promise: what a tenant's devices send is limited; the limit can be changed while they do so, and is not another tenant's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_sends_what_it_may() {
    let world = World::new().await;
    let _edge = world.edge().await;
    let client = world.client(2).await;
    let connection = client.connect(world.at()).await;
    assert!(talk(&connection, 300_000).await);
    let limit = async |bytes: u32| {
        let rates = Rates { connects_a_minute: None, bytes_a_second: NonZeroU32::new(bytes) };
        let changed = world.relay.node.change_directory(|directory| directory.limit(tenant(1), 3, rates));
        saved(changed.await.expect("changed")).expect("a tenant");
    };
    limit(70_000).await;
    assert!(!talk(&connection, 300_000).await, "three seconds are not enough any more");
    let text = world.relay.node.counters().text(1, 1);
    assert!(!text.contains("{reason=\"limit\"} 0"), "{text}");
    limit(50_000_000).await;
    let again = async { while !talk(&connection, 300_000).await {} };
    timeout(PATIENCE, again).await.expect("it may again");
}

/// Promise: a device that connects too often is refused, whatever its address is; others are not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_comes_no_more_often_than_it_may() {
    let device = Rates { connects_a_minute: NonZeroU32::new(2), bytes_a_second: None };
    let limits = LimitSettings { device, ..LimitSettings::default() };
    let world = World::with(|settings| Settings { limits, ..settings }).await;
    let end = end(None);
    let is_heard = async |device: u8| {
        let name = world.relay.key.fingerprint();
        let connected = Control::connect(&end.endpoint, world.at(), name, &key(device)).await;
        let Ok(mut control) = connected else { return false };
        let _ = control.say(&ToNode::Register(tenant(1))).await;
        matches!(hear(&mut control).await, Ok(FromNode::Refused))
    };
    assert!(is_heard(5).await && is_heard(5).await, "not enrolled, and told so");
    assert!(!is_heard(5).await, "it hears nothing any more");
    assert!(is_heard(6).await);
}

/// Promise: a revocation ends a running session within two seconds, and only that one; a restart lets nobody in again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revocation_ends_running_sessions() {
    let world = World::new().await;
    let edge = world.edge().await;
    let (mut bad, good) = (world.client(2).await, world.client(3).await);
    let (bad_connection, good_connection) = (bad.connect(world.at()).await, good.connect(world.at()).await);
    assert!(talk(&bad_connection, 1_000).await);
    let party = Party::Client(ClientName { edge: edge_name(), device: key(2).fingerprint() });
    let revocation = Revocation::of_all_tokens(now_s(), Subject::Party(party));
    assert_eq!(saved(world.relay.node.revoke(revocation).await), [party]);
    assert!(timeout(Duration::from_secs(2), hear(&mut bad.control)).await.expect("in time").is_err());
    assert!(!talk(&bad_connection, 1_000).await, "nothing goes through any more");
    assert!(talk(&good_connection, 1_000).await);
    let again = async |world: &World| {
        let mut control = world.control(&bad.end, &key(2)).await;
        let again = ToNode::Admit(token(&key(BOX), tenant(1), 2, now_s()));
        granted(&mut control, &again).await.is_some()
    };
    assert!(!again(&world).await, "no token helps");
    let of_tenant = Revocation::of_old_tokens(now_s() - 200, Subject::Tenant(tenant(1)));
    saved(world.relay.node.revoke(of_tenant).await);
    assert_eq!(world.relay.node.counts(), (0, 0));
    assert!(!talk(&good_connection, 1_000).await);
    drop(edge);
    let world = world.restart().await;
    let _edge = world.edge().await;
    assert!(!again(&world).await, "nor after a restart");
    world.client(4).await;
}

/// Promise: a box that says whom it has revoked ends that device's way within two seconds; what it signs later is good, and it can't do so to the devices of
/// others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_box_says_whom_it_revokes() {
    let world = World::new().await;
    let mut edge = world.edge().await;
    let mut bad = world.client(2).await;
    let connection = bad.connect(world.at()).await;
    assert!(talk(&connection, 1_000).await);
    let revoke = |device: u8, until_s| ToNode::Revoke { devices: vec![key(device).fingerprint()], until_s };
    let stranger_end = end(None);
    let mut stranger = world.control(&stranger_end, &key(9)).await;
    stranger.say(&revoke(2, now_s())).await.expect("said");
    assert!(matches!(hear(&mut stranger).await, Ok(FromNode::Refused)));
    assert!(talk(&connection, 1_000).await);
    let revoked_s = now_s();
    edge.control.say(&revoke(2, revoked_s)).await.expect("said");
    assert!(timeout(Duration::from_secs(2), hear(&mut bad.control)).await.expect("in time").is_err());
    assert!(!talk(&connection, 1_000).await);
    let mut control = world.control(&bad.end, &key(2)).await;
    let old = ToNode::Admit(token(&key(BOX), tenant(1), 2, revoked_s));
    assert!(granted(&mut control, &old).await.is_none());
    let mut control = world.control(&bad.end, &key(2)).await;
    let new = ToNode::Admit(token(&key(BOX), tenant(1), 2, revoked_s + 1));
    assert!(granted(&mut control, &new).await.is_some());
}

/// Promise: a device that has another address knocks, and its session goes on; before that, nothing is sent to where nobody has proven to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_from_another_address() {
    let world = World::new().await;
    let mut edge = world.edge().await;
    let mut client = world.client(2).await;
    let connection = client.connect(world.at()).await;
    assert!(talk(&connection, 1_000).await);
    let (socket, own) = socket();
    let now_at = socket.local_addresses()[0];
    (client.end.socket, client.end.own) = (socket.clone(), Some(own));
    client.end.endpoint.rebind_abstract(socket).expect("another socket");
    assert!(!talk(&connection, 1_000).await, "nobody has said who is there");
    let (_moved, mut seen) = client.knock(world.at());
    let both = |seen: &Option<Seen>| seen.is_some_and(|seen| seen.elsewhere.is_some());
    timeout(PATIENCE, seen.wait_for(both)).await.expect("in time").expect("knocks go on");
    assert_eq!(*seen.borrow(), Some(Seen { here: now_at, elsewhere: Some(now_at) }), "from both ports");
    assert!(talk(&connection, 100_000).await);
    let Ok(FromNode::Client(..)) = hear(&mut edge.control).await else { panic!("not told") };
    let Ok(FromNode::Client(name, at)) = hear(&mut edge.control).await else {
        panic!("not told of the move")
    };
    assert_eq!((name, at), (key(2).fingerprint(), now_at));
}

/// Promise: what nobody sent who may is counted and goes nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn noise_goes_nowhere() {
    let world = World::new().await;
    let _edge = world.edge().await;
    let client = world.client(2).await;
    let connection = client.connect(world.at()).await;
    let noise = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let first = client.grant.edge_handles[0].as_bytes();
    let to_the_box = [&[0x41][..], first, &[0; 40]].concat();
    for packet in [&[][..], &[1], &[0xff; 30], &[0x01; 77], &to_the_box] {
        (0..50).for_each(|_| drop(noise.send_to(packet, world.at())));
    }
    assert!(talk(&connection, 10_000).await);
    let counted = async {
        while world.relay.node.counters().drops() < 5 * 50 - 50 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, counted).await.expect("all but the empty ones are counted");
    noise.set_nonblocking(true).expect("a socket");
    assert!(noise.recv(&mut [0; 100]).is_err(), "and nothing was answered");
    let text = world.relay.node.counters().text(1, 1);
    assert!(text.contains("tresen_relay_dropped_packets_total{reason=\"unknown_sender\"} 50"), "{text}");
}
