//! Several nodes of one relay, with a real Redis between them.

use std::time::Duration;

use tokio::time::timeout;
use tresen_path::{ClientName, Party, Revocation, Subject, ToNode};
use tresen_relay::{NotChanged, PassLimits};

use crate::redis::{Kind, Redis};
use crate::world::{BOX, PATIENCE, World, edge_name, end, granted, key, now_s, saved, talk, tenant, token};

/// Until something is so; panics when that takes too long.
pub async fn eventually(what: &str, done: impl AsyncFn() -> bool) {
    let waiting = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

pub async fn two_nodes(redis: &Redis) -> (World, World) {
    two_nodes_with(redis, PassLimits::default()).await
}

/// Each of which takes so many streams.
pub async fn two_nodes_with(redis: &Redis, passes: PassLimits) -> (World, World) {
    let first = World::of_many_with(1, &redis.address(), None, passes);
    eventually("the tenants are there", async || first.add_tenants().await.is_ok()).await;
    let second = World::of_many_with(2, &redis.address(), Some(&first), passes);
    (first, second)
}

pub fn knows_the_box(world: &World) -> bool {
    world.relay.node.directory().knows(&edge_name())
}

fn of_device(device: u8) -> Subject {
    Subject::Party(Party::Client(ClientName { edge: edge_name(), device: key(device).fingerprint() }))
}

pub async fn may_come(world: &World, device: u8) -> bool {
    let end = end(None);
    let mut control = world.control(&end, &key(device)).await;
    let wish = ToNode::Admit(token(&key(BOX), tenant(1), device, now_s()));
    granted(&mut control, &wish).await.is_some()
}

/// Promise: what is changed at one node is so at all of them, and a revocation at one ends a session at another within two seconds.
async fn nodes_have_one_directory(kind: Kind) {
    let redis = Redis::start(kind);
    let (first, second) = two_nodes(&redis).await;
    let _here = first.edge().await;
    eventually("the other node knows the box", async || knows_the_box(&second)).await;
    let _there = second.edge_that_joined().await;
    let client = second.client(2).await;
    let connection = client.connect(second.at()).await;
    assert!(talk(&connection, 1_000).await);
    let revoked = tokio::time::Instant::now();
    let told = first.relay.node.revoke(Revocation::of_all_tokens(now_s(), of_device(2))).await;
    assert!(told.lacks.untold.is_none() && told.lacks.unsaved.is_none(), "{:?}", told.lacks);
    eventually("the session has ended", async || second.relay.node.counts() == (1, 0)).await;
    assert!(revoked.elapsed() < Duration::from_secs(2), "{:?}", revoked.elapsed());
    assert!(!may_come(&second, 2).await && may_come(&second, 3).await);
    let third = World::of_many(3, &redis.address(), Some(&first));
    let _box = async {
        eventually("a new node knows the box", async || knows_the_box(&third)).await;
        third.edge_that_joined().await
    }
    .await;
    eventually("a new node learns who is revoked", async || !may_come(&third, 2).await).await;
    let removed = first.relay.node.change_directory(|directory| directory.remove_tenant(tenant(2)));
    assert!(saved(removed.await.expect("changed")));
    eventually("the tenant is gone everywhere", async || {
        [&first, &second, &third].iter().all(|world| world.relay.node.directory().tenants().count() == 1)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_have_one_directory_in_one_redis() {
    nodes_have_one_directory(Kind::One).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_have_one_directory_in_a_cluster() {
    nodes_have_one_directory(Kind::Cluster).await;
}

/// Promise: without Redis, running sessions and known tenants go on, and new ones wait; when it is back, even without its data, everything is as before, and what
/// was revoked meanwhile is so everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_lives_without_redis_and_heals() {
    let mut redis = Redis::start(Kind::One);
    let (first, second) = two_nodes(&redis).await;
    let _here = first.edge().await;
    eventually("the other node knows the box", async || knows_the_box(&second)).await;
    let client = first.client(2).await;
    let connection = client.connect(first.at()).await;
    redis.kill();
    assert!(talk(&connection, 10_000).await, "a running session goes on");
    assert!(may_come(&first, 3).await, "a device of a known tenant comes in");
    let _there = second.edge_that_joined().await;
    assert!(may_come(&second, 4).await, "a known box registers, and its devices come");
    assert!(first.add_tenants().await.is_err(), "new tenants wait");
    eventually("it is known to be away", async || matches!(first.add_tenants().await, Err(NotChanged::Away)))
        .await;
    let revoked = first.relay.node.revoke(Revocation::of_all_tokens(now_s(), of_device(4))).await;
    assert!(revoked.lacks.untold.is_some(), "who revokes hears that other nodes do not know yet");
    redis.start_again();
    eventually("changes are possible again", async || {
        let added =
            second.relay.node.change_directory(|directory| directory.add_tenant(tenant(3), "Zum Anker", 5));
        added.await.is_ok()
    })
    .await;
    eventually("the first node hears of it", async || first.relay.node.directory().tenants().count() == 3)
        .await;
    assert!(knows_the_box(&first) && knows_the_box(&second), "nothing was lost");
    eventually("the second hears who was revoked", async || second.relay.node.counts() == (1, 0)).await;
    assert!(talk(&connection, 10_000).await);
    assert!(redis.ask(&["hget", "{tresen}:directory", "json"]).contains("Zum Anker"));
}

/// Promise: when a Redis has lost where boxes are, and nobody has noticed that it was away, it is told again within seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_has_lost_unnoticed_it_is_told_soon() {
    let redis = Redis::start(Kind::Cluster);
    let (first, _second) = two_nodes(&redis).await;
    let _here = first.edge().await;
    let key = format!("tresen:edge:{{{}:{}}}:1", edge_name().tenant, edge_name().edge);
    let is_told = async || redis.ask(&["-c", "exists", &key]).trim() == "1";
    eventually("where the box is", is_told).await;
    // Since the whole of it was said, the node is in no hurry.
    tokio::time::sleep(Duration::from_secs(3)).await;
    redis.ask(&["del", &key]);
    assert!(!is_told().await);
    let lost = tokio::time::Instant::now();
    eventually("it is told again", is_told).await;
    assert!(lost.elapsed() < Duration::from_secs(5), "{:?}", lost.elapsed());
}

/// Promise: whom the operator takes out while Redis hangs is out at this node within two seconds, though the operator's program gives up meanwhile; a repeat, when
/// Redis goes on, takes them out everywhere, for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_keeps_nobody_in() {
    let redis = Redis::start(Kind::One);
    let (first, second) = two_nodes(&redis).await;
    let _here = first.edge().await;
    eventually("the other node knows the box", async || knows_the_box(&second)).await;
    let _there = second.edge_that_joined().await;
    let (near, _far) = (first.client(2).await, second.client(3).await);
    let connection = near.connect(first.at()).await;
    assert!(talk(&connection, 1_000).await);
    let remove = || first.relay.node.take_out(Subject::Tenant(tenant(1)), |all| all.remove_tenant(tenant(1)));
    redis.hang();
    let removed = tokio::time::Instant::now();
    assert!(timeout(Duration::from_millis(50), remove()).await.is_err(), "it is given up");
    eventually("the session has ended", async || first.relay.node.counts() == (0, 0)).await;
    assert!(removed.elapsed() < Duration::from_secs(2), "{:?}", removed.elapsed());
    assert!(!talk(&connection, 1_000).await && !may_come(&first, 2).await);
    redis.go_on();
    eventually("a repeat takes them out", async || remove().await.is_ok()).await;
    eventually("at both nodes", async || !knows_the_box(&first) && !knows_the_box(&second)).await;
    eventually("they are gone", async || second.relay.node.counts() == (0, 0)).await;
}

/// Promise: a node that is started while Redis is away goes on with what it knew, and who was revoked stays outside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_starts_without_redis() {
    let mut redis = Redis::start(Kind::One);
    let (first, _second) = two_nodes(&redis).await;
    let edge = first.edge().await;
    saved(first.relay.node.revoke(Revocation::of_all_tokens(now_s(), of_device(2))).await);
    redis.kill();
    drop(edge);
    let again = first.restart_with(&redis.address()).await;
    let _edge = again.edge_that_joined().await;
    assert!(!may_come(&again, 2).await && may_come(&again, 3).await);
}

/// Promise: when all nodes are started anew on a Redis that kept nothing, the newest directory is what they have, whoever comes first: one that was off for long
/// brings nobody back, and one that is new takes nobody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_directory_wins() {
    let mut redis = Redis::start(Kind::One);
    let tenants = |world: &World| world.relay.node.directory().tenants().count();
    let (first, second) = two_nodes(&redis).await;
    eventually("the second has a copy", async || tenants(&second) == 2).await;
    let old = second.stop().await;
    let removed = first.relay.node.change_directory(|directory| directory.remove_tenant(tenant(2)));
    assert!(saved(removed.await.expect("changed")));
    let new = first.stop().await;
    redis.kill();
    redis.start_again();
    let second = World::again(old, 2, &redis.address()).await;
    eventually("Redis has the old directory", async || {
        !redis.ask(&["hget", "{tresen}:directory", "json"]).trim().is_empty()
    })
    .await;
    let first = World::again(new, 1, &redis.address()).await;
    eventually("both have the new one", async || tenants(&first) == 1 && tenants(&second) == 1).await;

    let (_old, new) = (second.stop().await, first.stop().await);
    redis.kill();
    redis.start_again();
    let third = World::of_many(3, &redis.address(), None);
    eventually("it is at Redis", async || third.relay.node.has_common_directory() == Some(true)).await;
    let first = World::again(new, 1, &redis.address()).await;
    eventually("a new node learns what there is", async || tenants(&third) == 1).await;
    assert_eq!(tenants(&first), 1);
}
