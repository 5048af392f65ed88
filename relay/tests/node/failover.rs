//! Nodes of a relay whose Redis has servers that take each other's place: real Sentinels, a real cluster.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use quinn::Connection;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tresen_path::{ClientName, FromNode, Party, Revocation, Subject, ToNode};

use crate::common::eventually;
use crate::failing_redis::{Cluster, Watched};
use crate::nodes::{Edge, device, say};
use crate::world::{World, edge_name, end, key, now_s, saved, tenant};

/// Somebody at work: says a number all the time.
struct AtWork {
    talking: JoinHandle<Duration>,
    goes_home: Arc<AtomicBool>,
}

impl AtWork {
    fn start(connection: Connection) -> Self {
        let goes_home = Arc::new(AtomicBool::new(false));
        let leaves = goes_home.clone();
        let talking = tokio::spawn(async move {
            let (mut longest, mut number) = (Duration::ZERO, 0);
            while !leaves.load(Ordering::Relaxed) {
                longest = longest.max(say(&connection, number).await);
                number += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            longest
        });
        Self { talking, goes_home }
    }

    /// Nothing was noticed all the time.
    async fn noticed_nothing(self) {
        self.goes_home.store(true, Ordering::Relaxed);
        let longest = self.talking.await.expect("every number came back");
        assert!(longest < Duration::from_millis(500), "{longest:?}");
    }
}

/// Two nodes at a Redis, a box at the first one, and a device that is at work there.
struct House {
    redis: String,
    first: World,
    second: World,
    edge: Edge,
    at_work: AtWork,
}

impl House {
    async fn new(redis: String) -> Self {
        let first = World::of_many(1, &redis, None);
        eventually("the tenants are there", async || first.add_tenants().await.is_ok()).await;
        let second = World::of_many(2, &redis, Some(&first));
        let edge = Edge::new();
        edge.join(&first).await;
        eventually("the other node knows the box", async || {
            second.relay.node.directory().knows(&edge_name())
        })
        .await;
        edge.register(&first).await;
        let relayed = device(2, &first).await.expect("reached");
        let at_work = AtWork::start(relayed.connection);
        Self { redis, first, second, edge, at_work }
    }

    /// Changes are possible again at both nodes, each of which hears of the other's.
    async fn changes(&self, ids: [u8; 2]) {
        let nodes = [(&self.first, &self.second, ids[0]), (&self.second, &self.first, ids[1])];
        for (here, there, id) in nodes {
            eventually("changes are possible", async || {
                let node = &here.relay.node;
                node.change_directory(|directory| directory.add_tenant(tenant(id), "Zum Anker", 5))
                    .await
                    .is_ok()
            })
            .await;
            let knows =
                |world: &World| world.relay.node.directory().tenants().any(|(known, _)| *known == tenant(id));
            eventually("the other one hears of it", async || knows(there)).await;
        }
    }

    /// A newcomer is told where the box is, a box that goes elsewhere is known to be there, and a device that is revoked at one node is out at the other within
    /// two seconds.
    async fn goes_on_as_before(self) {
        let Self { redis, first, second, edge, at_work } = self;
        let third = World::of_many(3, &redis, Some(&first));
        eventually("a new node knows the box", async || third.relay.node.directory().knows(&edge_name()))
            .await;
        eventually("it is known where it is", async || box_is_at(&third).await == [1]).await;
        edge.register(&second).await;
        eventually("it is known where else it is", async || box_is_at(&third).await == [1, 2]).await;
        at_work.noticed_nothing().await;
        assert_eq!(first.relay.node.counts(), (1, 1));
        let revoked = Instant::now();
        let device = Party::Client(ClientName { edge: edge_name(), device: key(2).fingerprint() });
        let revocation = Revocation::of_all_tokens(now_s(), Subject::Party(device));
        saved(second.relay.node.revoke(revocation).await);
        eventually("the session has ended", async || first.relay.node.counts() == (1, 0)).await;
        assert!(revoked.elapsed() < Duration::from_secs(2), "{:?}", revoked.elapsed());
    }
}

/// The nodes to which a device is sent that comes to one at which its box is not. Nobody may ask all the time.
async fn box_is_at(node: &World) -> Vec<u32> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    let end = end(None);
    let mut control = node.control(&end, &key(5)).await;
    control.say(&ToNode::Call(edge_name())).await.expect("said");
    let Ok(FromNode::Nodes { nodes, .. }) = control.hear().await else { return Vec::new() };
    let mut numbers: Vec<u32> = nodes.iter().map(|node| node.node.0).collect();
    numbers.sort_unstable();
    numbers
}

/// Promise: when the master of a Redis with Sentinels is killed, running sessions notice nothing, and the nodes go to the one that takes its place: changes, revocations
/// and where a box is are known everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_make_another_one_the_master() {
    let mut redis = Watched::start();
    let house = House::new(redis.address()).await;
    redis.master.kill();
    house.changes([3, 4]).await;
    assert!(redis.ask_replica(&["hget", "{tresen}:directory", "json"]).contains("Zum Anker"));
    house.goes_on_as_before().await;
}

/// Promise: when a master of a cluster is killed, running sessions notice nothing, and the nodes go on with its replica as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_takes_a_masters_place() {
    let mut redis = Cluster::start();
    let _replica = redis.add_replica();
    let house = House::new(redis.address()).await;
    redis.masters[0].kill();
    house.changes([3, 4]).await;
    house.goes_on_as_before().await;
}

/// Promise: when a master of a cluster is killed whose place nobody takes, running sessions notice nothing, and the nodes go on as without Redis until it is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_loses_a_master() {
    let mut redis = Cluster::start();
    let house = House::new(redis.address()).await;
    redis.masters[2].kill();
    eventually("the cluster is down", async || !redis.is_whole(0)).await;
    eventually("changes have to wait", async || house.first.add_tenants().await.is_err()).await;
    redis.masters[2].start_again();
    house.changes([3, 4]).await;
    house.goes_on_as_before().await;
}
