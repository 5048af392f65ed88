//! A browser that comes to a node where its box is not: two nodes, a Redis, a box at the first one.

use std::time::Duration;

use rustls::ClientConnection;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tresen_identity::https_client_config;
use tresen_path::PassHead;
use tresen_relay::PassLimits;

use crate::common::{eventually, two_nodes_with};
use crate::passes::{DOMAIN, Passing, answers, ended};
use crate::redis::{Kind, Redis};
use crate::world::{BOX, World, edge_name, key};

/// The box is at the first node, and the second one knows.
async fn nodes(redis: &Redis, limits: PassLimits) -> (Passing, Passing) {
    let (first, second) = two_nodes_with(redis, limits).await;
    let (mut first, second) = (Passing::at(first).await, Passing::at(second).await);
    first.come().await;
    eventually("a browser reaches the box from the other node", async || second.browser().await.is_ok())
        .await;
    (first, second)
}

fn knows_the_box(world: &World) -> bool {
    world.relay.node.directory().knows(&edge_name())
}

/// Promise: a browser that comes to a node where its box is not talks with it all the same, end to end, and the box hears where the browser is; a node that is
/// said to have the box and does not answer holds up nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_handed_over_to_where_its_box_is() {
    let redis = Redis::start(Kind::One);
    let (_first, second) = nodes(&redis, PassLimits::default()).await;
    let tcp = TcpStream::connect(second.at).await.expect("a connection");
    let own = tcp.local_addr().expect("an address").to_string();
    let mut browser = second.browser_from(tcp).await.expect("TLS");
    assert!(answers(&mut browser).await);
    browser.write_all(b"!").await.expect("open");
    let mut from = vec![0; own.len()];
    browser.read_exact(&mut from).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&from), own);

    // Nodes that are gone, and one that takes connections and says nothing.
    let hole = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let hole = hole.local_addr().expect("an address").to_string();
    let edge = edge_name();
    for (node, at) in [(7, "127.0.0.1:1"), (8, "127.0.0.1:2"), (9, &hole)] {
        let record = format!("{{\"epoch\":5,\"at\":[\"{at}\"],\"tls\":[\"127.0.0.1:3\",\"{at}\"]}}");
        redis.ask(&["set", &format!("{{tresen}}:node:{node}"), &record]);
        redis.ask(&["set", &format!("tresen:edge:{{{}:{}}}:{node}", edge.tenant, edge.edge), "5"]);
    }
    eventually("the node hears of them", async || second.world.relay.node.nodes().len() == 5).await;
    for _ in 0..6 {
        let mut browser =
            timeout(Duration::from_secs(4), second.browser()).await.expect("soon").expect("TLS");
        assert!(answers(&mut browser).await);
    }
}

/// Promise: without Redis, browsers are handed over as before, however many other nodes there are, and whatever their other addresses are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_is_handed_over_without_redis() {
    let mut redis = Redis::start(Kind::One);
    let (first, second) = nodes(&redis, PassLimits::default()).await;
    let mut others = Vec::new();
    for number in 3..7 {
        others.push(Passing::at(World::of_many(number, &redis.address(), Some(&first.world))).await);
    }
    for node in others.iter().chain([&first]) {
        let dead = "127.0.0.1:1".parse().expect("an address");
        node.world.relay.take_handovers(&[dead, node.at]);
    }
    // Each says so every two seconds, and this one looks as often.
    eventually("the node hears of them", async || second.world.relay.node.nodes().len() == 6).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    redis.kill();
    for _ in 0..8 {
        assert!(answers(&mut second.browser().await.expect("TLS")).await);
    }
}

/// Promise: who wants a box that is nowhere is let go at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wants_a_box_that_is_nowhere_is_let_go() {
    let redis = Redis::start(Kind::One);
    let (mut first, second) = nodes(&redis, PassLimits::default()).await;
    let mut browser = second.browser().await.expect("TLS");
    first.go();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(2), browser.read_to_end(&mut rest)).await.expect("its pass ends");
    for at in [&first, &second] {
        let gone = timeout(Duration::from_secs(2), at.browser()).await.expect("at once");
        assert!(gone.is_err());
    }
}

/// Promise: streams are bounded at both nodes that they go through, and who leaves makes room at both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_that_are_handed_over_are_bounded() {
    let redis = Redis::start(Kind::One);
    let (first, second) = nodes(&redis, PassLimits { edge: 1, ..PassLimits::default() }).await;
    let reached = async |at: &Passing| {
        eventually("who left makes room", async || at.browser().await.is_ok()).await;
    };
    reached(&second).await;
    let mut browser = loop {
        if let Ok(browser) = second.browser().await {
            break browser;
        }
    };
    assert!(answers(&mut browser).await);
    assert!(first.browser().await.is_err() && second.browser().await.is_err(), "the box has one");
    assert!(answers(&mut browser).await);
    drop(browser);
    reached(&first).await;
    reached(&second).await;
}

/// What a browser says first to the box.
fn hello() -> Vec<u8> {
    let config = https_client_config(key(BOX).fingerprint()).expect("TLS");
    let name = format!("{}.{DOMAIN}", key(BOX).fingerprint());
    let name = ServerName::try_from(name).expect("a name");
    let mut client = ClientConnection::new(std::sync::Arc::new(config), name).expect("a client");
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).expect("memory");
    bytes
}

/// Somebody who says that he is another node, and what comes of it.
async fn claims(at: &Passing, secret: &[u8; 32], number: u32) -> Vec<u8> {
    let mut tcp = TcpStream::connect(at.at).await.expect("a connection");
    tcp.write_all(&[1]).await.expect("open");
    let mut nonce = [0; 16];
    tcp.read_exact(&mut nonce).await.expect("a nonce");
    let head = PassHead { from: ([203, 0, 113, 9], 443).into() }.encode();
    let said = [&nonce[..], &number.to_be_bytes(), &head].concat();
    let mac = blake3::keyed_hash(secret, &said);
    tcp.write_all(&[&head[..], mac.as_bytes(), &hello()].concat()).await.expect("open");
    tcp.shutdown().await.expect("open");
    let (after, heard) = ended(tcp).await;
    assert!(after < Duration::from_secs(2), "{after:?}");
    heard
}

/// Promise: nobody but the relay's nodes is believed where a client is, and what was handed over once is not handed on: there are no loops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_hands_over() {
    let redis = Redis::start(Kind::One);
    let (first, second) = nodes(&redis, PassLimits::default()).await;
    assert!(knows_the_box(&second.world));
    let secret = first.world.relay.key.derive("tresen relay handover v1");
    assert_eq!(claims(&first, &[7; 32], 1).await, b"", "another key");
    assert_eq!(claims(&first, &secret, 2).await, b"", "for another node");
    assert_eq!(claims(&second, &secret, 2).await, b"", "the box is not there: nobody asks further");
    let answered = claims(&first, &secret, 1).await;
    assert_eq!(answered[..2], [1, 0x16], "it is taken, and the box answers with TLS");
    assert!(answers(&mut second.browser().await.expect("TLS")).await);
}
