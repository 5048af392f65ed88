//! A box behind a relay of two nodes, with a real Redis between them.

use std::net::SocketAddr;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tresen_edge::relay::join;
use tresen_identity::Secret;
use tresen_path::NodeId;
use tresen_reach::{Enrolment, Route};
use tresen_relay::{Running, Settings};

use crate::client::{Client, Native};
use crate::redis::{Kind, Redis};
use crate::relayed::{TENANT, eventually, relay, settings};
use crate::world::World;

/// A node, and its folder.
struct Node {
    running: Running,
    data: TempDir,
}

fn node(number: u32, redis: &Redis, other: Option<&Node>) -> Node {
    node_at(number, redis, other, Vec::new())
}

/// Whose UDP nobody reaches; and where it takes streams.
async fn node_without_udp(number: u32, redis: &Redis, other: Option<&Node>) -> (Node, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let node = node_at(number, redis, other, vec![at]);
    node.running.take_streams(listener);
    (node, at.to_string())
}

/// Which says that it is reached there.
fn node_at(number: u32, redis: &Redis, other: Option<&Node>, public: Vec<SocketAddr>) -> Node {
    let data = tempfile::tempdir().unwrap();
    if let Some(other) = other {
        std::fs::copy(other.data.path().join("relay.key"), data.path().join("relay.key")).unwrap();
    }
    let redis = Some(redis.address().parse().unwrap());
    let running =
        tresen_relay::start(&Settings { node: NodeId(number), redis, public, ..settings(data.path()) })
            .unwrap();
    Node { running, data }
}

/// What lets one box join, as soon as the node is at Redis.
async fn enrolment(node: &Node) -> Secret<32> {
    let secret = Secret::new([7; 32]);
    let now_s = jiff::Timestamp::now().as_second() as u64;
    let added = async || {
        let opened = node.running.node.change_directory(|directory| {
            directory.add_tenant(TENANT, "Gasthaus Linde", 10)?;
            directory.open_enrolment(TENANT, &secret, now_s)
        });
        opened.await.is_ok_and(|opened| opened.result.is_ok())
    };
    let adding = async {
        while !added().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), adding).await.expect("the directory is reached");
    secret
}

/// Promise: of two boxes with one key the newest is at the relay, and the other one leaves it alone for a while instead of sending it away again.
#[tokio::test(flavor = "multi_thread")]
async fn two_boxes_with_one_key_do_not_fight() {
    let relay = relay().await;
    let folder = tempfile::tempdir().unwrap();
    join(folder.path(), &relay.running.listen.to_string(), &relay.enrolment).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        assert!(file.path().is_file());
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let let_in = || {
        let text = relay.running.node.counters().text(0, 0);
        let count = text.lines().find_map(|line| line.strip_prefix("tresen_relay_granted_total "));
        count.unwrap().parse::<u32>().unwrap()
    };
    let _first = World::again(folder).await;
    eventually("the first is there", || let_in() == 1).await;
    let _second = World::again(copy).await;
    eventually("the second is there", || let_in() == 2).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(let_in(), 2);
    assert_eq!(relay.running.node.counts(), (1, 0));
}

/// Promise: a box learns the nodes of its relay from the one that it joined, and is at two of them; when one stops, a running order goes on, each tap once, and the box
/// is at a third one soon.
#[tokio::test(flavor = "multi_thread")]
async fn a_box_is_at_two_nodes() {
    let redis = Redis::start(Kind::One);
    let first = node(1, &redis, None);
    let secret = enrolment(&first).await;
    let second = node(2, &redis, Some(&first));
    let enrolment = Enrolment { node: first.running.key.fingerprint(), secret }.to_text();
    let folder = tempfile::tempdir().unwrap();
    let route = join(folder.path(), &first.running.listen.to_string(), &enrolment).await.unwrap();
    let world = World::again(folder).await;
    let site = &world.server.site;
    eventually("the box is at both", || {
        [&first, &second].iter().all(|node| node.running.node.counts().0 == 1)
    })
    .await;

    let native = world.paired(9).await;
    let mut client = Client::new(native.through(&route, site.name).await.unwrap());
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    client.book("Cola 0,33").await;
    let third = node(3, &redis, Some(&first));
    let stopping = async {
        first.running.drain(Duration::from_secs(2)).await;
        eventually("the box is at the third", || third.running.node.counts().0 == 1).await;
    };
    let ordering = async {
        for _ in 0..50 {
            client.book("Cola 0,33").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::join!(stopping, ordering);
    assert!(client.closed.is_none(), "the connection is the same");
    let till = site.ledger.till();
    let lines: u32 = till.open_checks().flat_map(|check| &check.lines).map(|line| line.quantity).sum();
    assert_eq!(lines, 51);
    assert_eq!(second.running.node.counts().0, 1);
}

/// Promise: a box without UDP is at two nodes by a tunnel to each, and what comes by one of them does not end with the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_box_without_udp_is_at_two_nodes() {
    let redis = Redis::start(Kind::One);
    let (first, at) = node_without_udp(1, &redis, None).await;
    let secret = enrolment(&first).await;
    let (second, _) = node_without_udp(2, &redis, Some(&first)).await;
    let enrolment = Enrolment { node: first.running.key.fingerprint(), secret }.to_text();
    let folder = tempfile::tempdir().unwrap();
    let route = join(folder.path(), &at, &enrolment).await.unwrap();
    let world = World::again(folder).await;
    let site = &world.server.site;
    let both = [&first, &second];
    eventually("the box is at both", || both.iter().all(|node| node.running.node.counts().0 == 1)).await;
    assert!(both.iter().all(|node| node.running.node.open_passes() == 1), "by a tunnel to each");
    let native = world.paired(9).await;
    let relayed = native.held(&route, site.name).await.unwrap();
    let connection = relayed.connection.clone();
    assert!(matches!(relayed.route(), Route::Tunnelled));
    let mut client = Client::new(Native::open(relayed).await.unwrap());
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    client.book("Cola 0,33").await;
    let ordering = async {
        for _ in 0..50 {
            client.book("Cola 0,33").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::join!(first.running.drain(Duration::from_secs(2)), ordering);
    client.book("Cola 0,33").await;
    assert!(client.closed.is_none() && connection.close_reason().is_none(), "the connection is the same");
    let till = site.ledger.till();
    let lines: u32 = till.open_checks().flat_map(|check| &check.lines).map(|line| line.quantity).sum();
    assert_eq!(lines, 52);
    assert_eq!((second.running.node.counts(), second.running.node.open_passes()), ((1, 1), 2));
}
