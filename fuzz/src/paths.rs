//! What reaches a relay, and what a relay may send to an endpoint.

use std::net::SocketAddr;

use tresen_identity::{Fingerprint, Secret, TenantId};
use tresen_path::{
    Capacity, ClientName, EdgeName, Gate, Grant, Knocker, NodeId, Party, Router, RoutingKey, Verdict,
};

use crate::Numbers;

fn at(host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], 443))
}

/// A router with an edge server at host 1 and a client at host 2.
fn router() -> (Router, Grant, Grant) {
    let edge = EdgeName { tenant: TenantId::from_bytes([1; 16]), edge: Fingerprint::from_bytes([2; 32]) };
    let client = ClientName { edge, device: Fingerprint::from_bytes([3; 32]) };
    let capacity = Capacity { edges: 1, clients: 1, clients_of_edge: 1 };
    let mut router = Router::new(RoutingKey::new(Secret::new([4; 32])), NodeId(1), capacity);
    let server = router.register(0, edge, at(1), 1_000_000, Secret::new([5; 32])).expect("room");
    let device = router.admit(0, client, at(2), 1_000_000, 1, Secret::new([6; 32])).expect("room");
    assert!(router.address_of(&Party::Client(client)).is_some());
    (router, server, device)
}

/// A datagram at a relay, from a party or a stranger, with a real handle or without.
pub fn datagram(bytes: &[u8]) {
    let (mut router, server, device) = router();
    let mut numbers = Numbers(bytes.iter());
    let from = at(numbers.byte() % 4);
    let handles = [server.own_handles, device.own_handles, router.node_handles().to_vec()].concat();
    let (with, first) = (numbers.below(2 * handles.len()), numbers.byte());
    let mut datagram: Vec<u8> = numbers.0.copied().collect();
    if let Some(handle) = handles.get(with) {
        let start: &[u8] = if first & 0x80 == 0 { &[first] } else { &[first, 0, 0, 0, 1, 12] };
        datagram = [start, handle.as_bytes(), &datagram].concat();
    }
    match router.route(1, from, &datagram) {
        Verdict::Forward { to, .. } => assert!([(at(1), at(2)), (at(2), at(1))].contains(&(from, to))),
        Verdict::Knock => assert!(router.knock(1, from, &datagram).is_err()),
        Verdict::Control | Verdict::Drop(_) => {}
    }
}

/// What claims to be a relay's answer to a knock.
pub fn knock_answer(bytes: &[u8]) {
    let (_, _, device) = router();
    let mut knocker = Knocker::new(&device, &Secret::new([7; 32])).expect("handles");
    knocker.start(0);
    let _ = knocker.poll_transmit(0);
    assert_eq!(knocker.handle(1, bytes), None);
}

/// No bytes are a token but what was signed.
pub fn admission_token(bytes: &[u8]) {
    assert!(Gate::new(&[]).admit(0, bytes, Fingerprint::from_bytes([3; 32])).is_err());
}
