//! A node whose disk is full: what is changed holds at once, everywhere, and is written when there is room.

use std::time::Duration;

use tresen_path::{Subject, ToNode};
use tresen_relay::{Changed, Lacks};

use crate::common::{eventually, knows_the_box, may_come, two_nodes};
use crate::redis::{Kind, Redis};
use crate::world::{BOX, World, end, granted, key, saved, talk, tenant};

/// A disk that refuses one of the node's files, until [`Refusing::end`].
struct Refusing(std::path::PathBuf);

impl Refusing {
    fn new(world: &World, file: &str) -> Self {
        let path = world.data().join(file);
        let _ = std::fs::remove_file(&path);
        std::fs::create_dir(&path).expect("in its place");
        Self(path)
    }

    fn end(self) {
        std::fs::remove_dir(self.0).expect("a folder");
    }
}

/// Promise: a node whose disk is full takes out whom the operator takes out, at once, and so do all others; when there is room again it is written, and outlives a
/// restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_keeps_nobody_in() {
    let redis = Redis::start(Kind::One);
    let (first, second) = two_nodes(&redis).await;
    let here = first.edge().await;
    eventually("the other node knows the box", async || knows_the_box(&second)).await;
    let _there = second.edge_that_joined().await;
    let (_near, far) = (first.client(2).await, second.client(3).await);
    let connection = far.connect(second.at()).await;
    assert!(talk(&connection, 1_000).await);
    let refusing = [Refusing::new(&first, "directory.json"), Refusing::new(&first, "revocations.json")];
    let remove = async || {
        let removing =
            first.relay.node.take_out(Subject::Tenant(tenant(1)), |all| all.remove_tenant(tenant(1)));
        removing.await.expect("at Redis")
    };
    let removed = tokio::time::Instant::now();
    assert!(matches!(remove().await, Changed { result: true, lacks: Lacks { unsaved: Some(_), .. } }));
    assert_eq!(first.relay.node.counts(), (0, 0), "the node that was asked");
    let registered = async |world: &World| {
        let end = end(None);
        let mut control = world.control(&end, &key(BOX)).await;
        granted(&mut control, &ToNode::Register(tenant(1))).await.is_some()
    };
    assert!(!registered(&first).await);
    eventually("the other has let them go", async || second.relay.node.counts() == (0, 0)).await;
    assert!(removed.elapsed() < Duration::from_secs(2), "{:?}", removed.elapsed());
    assert!(!talk(&connection, 1_000).await && !registered(&second).await);
    assert!(
        matches!(remove().await, Changed { result: false, lacks: Lacks { unsaved: Some(_), .. } }),
        "it is not written"
    );
    assert!(!first.relay.node.is_saved());
    refusing.into_iter().for_each(Refusing::end);
    eventually("it is written", async || first.relay.node.is_saved()).await;
    assert!(!saved(remove().await), "nothing is left to do");
    drop((here, redis));
    let again = first.restart().await;
    assert!(!registered(&again).await && !may_come(&again, 2).await);
}

/// Promise: what another node has changed is so at a node whose disk is full, and is written when there is room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_disk_refused_is_written_later() {
    let redis = Redis::start(Kind::One);
    let (first, second) = two_nodes(&redis).await;
    let tenants = |world: &World| world.relay.node.directory().tenants().count();
    eventually("the second is at Redis", async || tenants(&second) == 2).await;
    let refusing = Refusing::new(&first, "directory.json");
    let added =
        second.relay.node.change_directory(|directory| directory.add_tenant(tenant(3), "Zum Anker", 5));
    saved(added.await.expect("changed")).expect("a tenant");
    eventually("a full disk is no reason not to know it", async || tenants(&first) == 3).await;
    eventually("the disk has refused it", async || !first.relay.node.is_saved()).await;
    refusing.end();
    eventually("it is written", async || first.relay.node.is_saved()).await;
    drop(redis);
    assert_eq!(tenants(&first.restart().await), 3);
}

/// Promise: a box that joins while the node's disk is full has joined: its enrolment is not spent for nothing, and a restart knows it once there was room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_spends_no_enrolment() {
    let world = World::new().await;
    let refusing = Refusing::new(&world, "directory.json");
    let edge = world.edge().await;
    assert!(may_come(&world, 2).await && !world.relay.node.is_saved());
    refusing.end();
    eventually("it is written", async || world.relay.node.is_saved()).await;
    drop(edge);
    let again = world.restart().await;
    let _edge = again.edge_that_joined().await;
}
