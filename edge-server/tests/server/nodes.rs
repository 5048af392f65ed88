//! A box behind a relay of two nodes, with a real Redis between them.

use std::time::Duration;

use tempfile::TempDir;
use tresen_edge::relay::join;
use tresen_identity::Secret;
use tresen_path::NodeId;
use tresen_reach::Enrolment;
use tresen_relay::{Running, Settings};

use crate::client::Client;
use crate::redis::{Kind, Redis};
use crate::relayed::{TENANT, eventually, settings};
use crate::world::World;

/// A node, and its folder.
struct Node {
    running: Running,
    data: TempDir,
}

fn node(number: u32, redis: &Redis, other: Option<&Node>) -> Node {
    let data = tempfile::tempdir().unwrap();
    if let Some(other) = other {
        std::fs::copy(other.data.path().join("relay.key"), data.path().join("relay.key")).unwrap();
    }
    let redis = Some(redis.address().parse().unwrap());
    let running =
        tresen_relay::start(&Settings { node: NodeId(number), redis, ..settings(data.path()) }).unwrap();
    Node { running, data }
}

/// Promise: a box learns the nodes of its relay from the one that it joined, and is at two of them; when one stops, a running order goes on, each tap once, and the box
/// is at a third one soon.
#[tokio::test(flavor = "multi_thread")]
async fn a_box_is_at_two_nodes() {
    let redis = Redis::start(Kind::One);
    let first = node(1, &redis, None);
    let secret = Secret::new([7; 32]);
    let now_s = jiff::Timestamp::now().as_second() as u64;
    let added = async || {
        let opened = first.running.node.change_directory(|directory| {
            directory.add_tenant(TENANT, "Gasthaus Linde", 10)?;
            directory.open_enrolment(TENANT, &secret, now_s)
        });
        opened.await.is_ok_and(|opened| opened.is_ok())
    };
    let adding = async {
        while !added().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), adding).await.expect("the directory is reached");
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
