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

#[test]
fn bytes_are_as_they_were() {
    let mut text = String::new();
    relayed(&mut text);
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
