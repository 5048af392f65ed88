//! Promise: the bytes on the wire don't change unseen. `TRESEN_RENEW=1 cargo test -p tresen-path` renews `golden.txt`.

use std::fmt::Write;
use std::net::SocketAddr;

use tresen_identity::{Fingerprint, Secret, TenantId};
use tresen_path::*;

fn line(text: &mut String, name: &str, bytes: &[u8]) {
    write!(text, "{name}:").expect("a string takes all");
    for (at, byte) in bytes.iter().enumerate() {
        let space = if at.is_multiple_of(4) { " " } else { "" };
        write!(text, "{space}{byte:02x}").expect("a string takes all");
    }
    text.push('\n');
}

fn relayed(text: &mut String) {
    let edge = EdgeName { tenant: TenantId::from_bytes([1; 16]), edge: Fingerprint::from_bytes([2; 32]) };
    let client = ClientName { edge, device: Fingerprint::from_bytes([3; 32]) };
    let key = RoutingKey::new(Secret::new([9; 32]));
    line(text, "first handle of an edge server", key.handles(&Party::Edge(edge))[0].as_bytes());
    line(text, "last handle of a client", key.handles(&Party::Client(client))[15].as_bytes());
    line(text, "handle of a node", key.node_handles(NodeId(1))[0].as_bytes());
    let capacity = Capacity { edges: 1, clients: 1, clients_of_edge: 1 };
    let mut router = Router::new(key, NodeId(1), capacity);
    let at = SocketAddr::from(([192, 0, 2, 5], 4000));
    router
        .register(0, edge, SocketAddr::from(([192, 0, 2, 1], 443)), 9_000, Secret::new([4; 32]))
        .expect("room");
    let grant = router.admit(0, client, at, 9_000, 1, Secret::new([5; 32])).expect("room");
    let mut maker = CidMaker::new(grant.own_handles.clone()).expect("handles");
    line(text, "first id of a client", maker.make([0xa, 0xb, 0xc, 0xd]).as_bytes());
    let mut knocker = Knocker::new(&grant, &Secret::new([6; 32])).expect("handles");
    knocker.start(0);
    let knock = knocker.poll_transmit(0).expect("a first try").expect("a knock");
    line(text, "knock", &knock);
    line(text, "answer", &router.knock(0, at, &knock).expect("a good knock").answer);
}

fn direct(text: &mut String) {
    let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
    let (host, observed) = (at("192.168.1.5:5000"), at("203.0.113.1:1234"));
    let mut client = ClientPath::new(&Secret::new([7; 32]));
    client.set_local(0, Local::new(&[host, at("[2001:db8::5]:5000")], &[], &[observed, observed]));
    client.connected(0);
    let offer = client.poll_message().expect("an offer");
    line(text, "offer", &offer);
    let mut edge = EdgePaths::new(&Secret::new([8; 32]));
    edge.set_local(Local::new(&[at("192.168.7.9:443")], &[at("198.51.100.1:443")], &[]));
    edge.handle_message(0, ConnectionNumber(1), &offer, None).expect("a good offer");
    let (_, answer) = edge.poll_message().expect("an answer");
    line(text, "answer to an offer", &answer);
    client.handle_message(9, &answer).expect("a good answer");
    let ping = client.poll_transmit(9).expect("a ping").datagram;
    line(text, "ping", &ping);
    edge.handle_datagram(9, SocketId::MAIN, observed, &ping);
    line(text, "pong", &edge.poll_transmit(9).expect("a pong").datagram);
}

#[test]
fn bytes_are_as_they_were() {
    let mut text = String::new();
    relayed(&mut text);
    direct(&mut text);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden.txt");
    #[allow(clippy::disallowed_methods, reason = "a person asks to renew the golden file")]
    if std::env::var_os("TRESEN_RENEW").is_some() {
        std::fs::write(path, &text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    for (is, was) in text.lines().zip(golden.lines()) {
        assert_eq!(is, was);
    }
    assert_eq!(text.lines().count(), golden.lines().count());
}
