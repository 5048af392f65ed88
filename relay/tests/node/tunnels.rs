//! Endpoints that have no UDP.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tresen_path::{FromNode, ToNode, is_tunnel};
use tresen_reach::{Tunnel, TunnelEnd};
use tresen_relay::{PassLimits, Settings};

use crate::world::{Client, Edge, PATIENCE, World, granted, hear, key, now_s, talk, tenant, token};

/// Promise: a box and a device that have no UDP talk through the relay all the same, in streams of their own, and knock; the box hears that it knows no address of the
/// device. When a stream breaks, what it was good for is over, and nothing of it stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_udp_talks_in_a_stream() {
    let world = World::without_udp().await;
    let mut edge = world.edge().await;
    let mut client = world.client(2).await;
    let Ok(FromNode::Client(name, at)) = hear(&mut edge.control).await else { panic!("not told") };
    assert_eq!(name, key(2).fingerprint());
    assert!(is_tunnel(at) && at == client.grant.observed);
    let connection = client.connect(world.at()).await;
    assert!(talk(&connection, 1_000_000).await);
    let (_moved, mut seen) = client.knock(world.at());
    let seen = timeout(PATIENCE, seen.wait_for(Option::is_some)).await.expect("in time").expect("knocks");
    assert_eq!(seen.expect("an answer").here, at);
    drop(seen);
    assert_eq!(world.relay.node.counts(), (1, 1));
    client.end.tunnel = None;
    assert!(!talk(&connection, 1).await);
    let other = world.client(3).await;
    assert!(talk(&other.connect(world.at()).await, 1_000).await);
}

/// Promise: one with UDP and one without talk with each other, and who lost his stream comes again in another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_and_without_udp() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (at, node) = (listener.local_addr().expect("an address"), world.relay.key.fingerprint());
    world.relay.take_streams(listener);
    let _edge = world.edge().await;
    let mut client = world.client(2).await;
    assert!(talk(&client.connect(world.at()).await, 100_000).await);
    for _ in 0..2 {
        let opened = Tunnel::open(&client.end.socket, TunnelEnd { node, at, public_port: None }).await;
        client.end.tunnel = Some(opened.expect("a tunnel"));
        let mut control = world.control(&client.end, &key(2)).await;
        let token = token(&key(crate::world::BOX), tenant(1), 2, now_s());
        assert!(granted(&mut control, &ToNode::Admit(token)).await.is_some());
        assert!(talk(&client.connect(world.at()).await, 100_000).await);
    }
}

/// A tunnel that is nobody's is closed after this.
const LET_IN: Duration = Duration::from_secs(15);

/// A box at a node that takes so many streams from a network, and where it takes them.
async fn with_streams(network: usize) -> (World, Edge, TunnelEnd) {
    let limits = PassLimits { network, ..PassLimits::default() };
    let world = World::with(|settings| Settings { passes: limits, ..settings }).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (at, node) = (listener.local_addr().expect("an address"), world.relay.key.fingerprint());
    world.relay.take_streams(listener);
    let edge = world.edge().await;
    (world, edge, TunnelEnd { node, at, public_port: None })
}

/// Promise: who shows no key of a relay, or asks for another one, gets no tunnel; noise in one does no harm to whoever comes by it; one by which nobody comes is
/// closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tunnel_is_somebodys() {
    let (world, _edge, end_of) = with_streams(8).await;
    let mut client = world.client(2).await;
    let socket = client.end.socket.clone();
    let other = TunnelEnd { node: key(77).fingerprint(), ..end_of };
    Tunnel::open(&socket, other).await.expect_err("another relay");
    let tunnel = Tunnel::open(&socket, end_of).await.expect("a tunnel");
    for noise in [&[][..], &[1], &[0xff; 1_500], &[0x40; 60], &[3; 57]] {
        socket.send_own(tunnel.address(), noise).expect("sent");
    }
    client.end.tunnel = Some(tunnel);
    come(&world, &client).await;
    assert!(talk(&client.connect(world.at()).await, 100_000).await);
    let mut nobodys = Tunnel::open(&socket, end_of).await.expect("a tunnel");
    timeout(LET_IN + PATIENCE, nobodys.gone()).await.expect("nobody came by it");
    assert!(talk(&client.connect(world.at()).await, 1_000).await);

    let mut stranger = TcpStream::connect(end_of.at).await.expect("a stream");
    stranger.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("sent");
    let gone = timeout(PATIENCE, stranger.read_to_end(&mut Vec::new())).await.expect("in time");
    assert!(matches!(gone, Ok(0) | Err(_)));
}

/// Device 2 comes in, the way that its end has.
async fn come(world: &World, client: &Client) {
    let mut control = world.control(&client.end, &key(2)).await;
    let token = token(&key(crate::world::BOX), tenant(1), 2, now_s());
    assert!(granted(&mut control, &ToNode::Admit(token)).await.is_some());
}

/// Promise: streams of a network are counted, whatever they are for; a tunnel by which nobody came makes room for others, and one by which somebody did stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tunnels_are_bounded() {
    let (world, _edge, end_of) = with_streams(2).await;
    let mut client = world.client(2).await;
    let socket = client.end.socket.clone();
    client.end.tunnel = Some(Tunnel::open(&socket, end_of).await.expect("a tunnel"));
    come(&world, &client).await;
    let connection = client.connect(world.at()).await;
    assert!(talk(&connection, 1_000).await);
    // It is looked for every half second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut last = Tunnel::open(&socket, end_of).await.expect("there are two");
    for _ in 0..3 {
        let next = Tunnel::open(&socket, end_of).await.expect("the other one makes room");
        timeout(Duration::from_secs(2), last.gone()).await.expect("at once");
        last = next;
    }
    assert_eq!(world.relay.node.open_passes(), 2);
    assert!(talk(&connection, 1_000).await, "who came stays");
}
