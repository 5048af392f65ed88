//! A box at two nodes of a relay, and devices that go on through one when the other goes.

use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, Connection, Endpoint, ServerConfig};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout};
use tresen_identity::{Certificate, RelayRoute, Secret, client_config, quic_server_config};
use tresen_path::{FromNode, ToNode};
use tresen_reach::{Control, NotReached, Relayed, call};

use crate::common::eventually;
use crate::redis::{Kind, Redis};
use crate::world::{BOX, End, PATIENCE, World, end, granted, hear, key, now_s, tenant, token};

/// A node with a runtime of its own, so that it can be killed: it ends in the middle of what it does, and says nothing.
struct Killable {
    world: World,
    runtime: Option<Runtime>,
}

impl Killable {
    fn start(node: u32, redis: &Redis, other: Option<&World>) -> Self {
        let start = || {
            let runtime =
                Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
            let world = runtime.block_on(async { World::of_many(node, &redis.address(), other) });
            Self { world, runtime: Some(runtime) }
        };
        std::thread::scope(|scope| scope.spawn(start).join().expect("a node"))
    }

    fn kill(&mut self) {
        self.runtime.take().expect("killed once").shutdown_background();
    }
}

impl Drop for Killable {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What has come to the box, in the order in which it came.
type Heard = Arc<Mutex<Vec<u32>>>;

/// A box that sends back the numbers that come to it, one on a stream, and lets everybody in.
pub struct Edge {
    end: End,
    heard: Heard,
}

impl Edge {
    pub fn new() -> Self {
        let tls = quic_server_config(Certificate::for_key_pair(&key(BOX)).expect("a certificate"));
        let crypto = QuicServerConfig::try_from(tls.expect("TLS")).expect("TLS 1.3");
        let end = end(Some(ServerConfig::with_crypto(Arc::new(crypto))));
        let heard = Heard::default();
        tokio::spawn(serve(end.endpoint.clone(), heard.clone()));
        Self { end, heard }
    }

    pub async fn join(&self, world: &World) {
        let mut control = world.control(&self.end, &key(BOX)).await;
        control.say(&ToNode::Join(Secret::new([1; 32]))).await.expect("said");
        assert!(matches!(hear(&mut control).await, Ok(FromNode::Joined(_))));
    }

    pub async fn register(&self, world: &World) {
        let mut control = world.control(&self.end, &key(BOX)).await;
        let registered = granted(&mut control, &ToNode::Register(tenant(1))).await;
        let (grant, _) = registered.expect("registered");
        self.end.ids.set(&grant.own_handles);
        tokio::spawn(answer_calls(control));
    }
}

async fn answer_calls(mut control: Control) {
    while let Ok(heard) = control.hear().await {
        if let FromNode::Call(device, _) = heard {
            let device = (2..9).find(|number| key(*number).fingerprint() == device).expect("a device");
            let token = token(&key(BOX), tenant(1), device, now_s());
            let _ = control.say(&ToNode::Let(token)).await;
        }
    }
}

async fn serve(endpoint: Endpoint, heard: Heard) {
    while let Some(incoming) = endpoint.accept().await {
        let heard = heard.clone();
        tokio::spawn(async move {
            let Ok(connection) = incoming.await else { return };
            while let Ok((mut send, mut receive)) = connection.accept_bi().await {
                let Ok(bytes) = receive.read_to_end(4).await else { return };
                let number = u32::from_be_bytes(bytes.as_slice().try_into().expect("a number"));
                heard.lock().expect("no panic").push(number);
                let _ = send.write_all(&bytes).await;
                let _ = send.finish();
            }
        });
    }
}

/// A device goes wherever its box is, beginning at this node.
pub async fn device(number: u8, at: &World) -> Result<Relayed, NotReached> {
    let certificate = Certificate::for_key_pair(&key(number)).expect("a certificate");
    let tls = client_config(key(BOX).fingerprint(), certificate).expect("TLS");
    let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("TLS 1.3")));
    let route =
        RelayRoute::new(tenant(1), at.relay.key.fingerprint(), &at.at().to_string()).expect("a route");
    call(&route, key(BOX).fingerprint(), &key(number), config).await
}

/// Says a number and waits until it comes back; how long that took.
pub async fn say(connection: &Connection, number: u32) -> Duration {
    let asked = Instant::now();
    let saying = async {
        let (mut send, mut receive) = connection.open_bi().await.expect("a stream");
        send.write_all(&number.to_be_bytes()).await.expect("written");
        send.finish().expect("finished");
        assert_eq!(receive.read_to_end(4).await.expect("read"), number.to_be_bytes());
    };
    timeout(PATIENCE, saying).await.expect("in time");
    asked.elapsed()
}

/// Two nodes; the box is at both, and they know of it.
async fn two_nodes(redis: &Redis) -> (Killable, Killable, Edge) {
    let first = Killable::start(1, redis, None);
    eventually("the tenants are there", async || first.world.add_tenants().await.is_ok()).await;
    let second = Killable::start(2, redis, Some(&first.world));
    let edge = Edge::new();
    edge.join(&first.world).await;
    eventually("both know the box and each other", async || {
        let knows = |node: &Killable| {
            let node = &node.world.relay.node;
            node.directory().knows(&crate::world::edge_name()) && node.nodes().len() == 2
        };
        knows(&first) && knows(&second)
    })
    .await;
    (first, second, edge)
}

async fn at_both(redis: &Redis) -> (Killable, Killable, Edge) {
    let (first, second, edge) = two_nodes(redis).await;
    edge.register(&first.world).await;
    edge.register(&second.world).await;
    eventually("it is known where the box is", async || {
        redis.ask(&["keys", "tresen:edge:*"]).lines().count() == 2
    })
    .await;
    (first, second, edge)
}

/// Promise: a node that is killed takes no session along: it goes on through the other node within two seconds, and nothing is lost or doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_node_takes_no_session_along() {
    let redis = Redis::start(Kind::One);
    let (mut first, second, edge) = at_both(&redis).await;
    let relayed = device(2, &first.world).await.expect("reached");
    assert_eq!(first.world.relay.node.counts(), (1, 1));
    for number in 0..50 {
        say(&relayed.connection, number).await;
    }
    first.kill();
    let mut longest = Duration::ZERO;
    for number in 50..150 {
        longest = longest.max(say(&relayed.connection, number).await);
    }
    eprintln!("the longest of 100 answers after the kill took {longest:?}");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert!(edge.heard.lock().expect("no panic").iter().copied().eq(0..150), "each once, and in order");
    assert_eq!(second.world.relay.node.counts(), (1, 1));
}

/// Promise: a node that is about to stop says so at once: its devices go on through another node without noticing, and it takes nobody new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stops_loses_nobody() {
    let redis = Redis::start(Kind::One);
    let (first, second, edge) = at_both(&redis).await;
    let relayed = device(2, &first.world).await.expect("reached");
    say(&relayed.connection, 0).await;
    let (said, is_over) = (Cell::new(1), Cell::new(false));
    let talking = async {
        let mut longest = Duration::ZERO;
        while !is_over.get() {
            longest = longest.max(say(&relayed.connection, said.get()).await);
            said.set(said.get() + 1);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        longest
    };
    let draining = async {
        let drained = first.world.relay.drain(PATIENCE);
        let newcomer = async {
            eventually("the device has gone", async || second.world.relay.node.counts() == (1, 1)).await;
            assert!(device(3, &first.world).await.is_err(), "nobody new is taken");
            assert!(device(3, &second.world).await.is_ok());
        };
        tokio::select! {
            () = drained => panic!("the node has gone before its device"),
            () = newcomer => {}
        }
        // Everybody has left: it need not wait any more.
        first.world.relay.drain(Duration::ZERO).await;
        let without = said.get() + 50;
        eventually("it goes on without the node", async || said.get() >= without).await;
        is_over.set(true);
    };
    let (longest, ()) = tokio::join!(talking, draining);
    assert!(longest < Duration::from_millis(500), "{longest:?}");
    assert!(
        edge.heard.lock().expect("no panic").iter().copied().eq(0..said.get()),
        "each once, and in order"
    );
}

/// Promise: a device that comes to a node at which its box is not is told where it is, and goes there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_is_sent_to_where_its_box_is() {
    let redis = Redis::start(Kind::One);
    let (first, second, edge) = two_nodes(&redis).await;
    assert!(matches!(device(2, &first.world).await, Err(NotReached::Refused)), "it is nowhere");
    edge.register(&second.world).await;
    eventually("it is known where the box is", async || {
        !redis.ask(&["keys", "tresen:edge:*"]).trim().is_empty()
    })
    .await;
    let relayed = device(2, &first.world).await.expect("reached");
    say(&relayed.connection, 7).await;
    assert_eq!(second.world.relay.node.counts(), (1, 1));
    assert_eq!(first.world.relay.node.counts(), (0, 0));
}
