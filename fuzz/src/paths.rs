//! What reaches a relay, and what a relay may send to an endpoint.

use std::net::SocketAddr;

use tresen_identity::{Fingerprint, Secret, TenantId};
use tresen_path::{
    Capacity, ClientName, ClientPath, ConnectionNumber, EdgeName, EdgePaths, FromNode, Gate, Grant, Knocker,
    Local, NodeId, Party, Router, RoutingKey, SocketId, ToNode, Verdict, Way, limits,
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

/// What an endpoint and a relay node say to each other: what can be read is written as it was.
pub fn control(bytes: &[u8]) {
    if let Ok(message) = ToNode::decode(bytes) {
        assert_eq!(message.encode()[2..], *bytes);
    }
    if let Ok(message) = FromNode::decode(bytes) {
        let again = message.encode();
        assert_eq!(FromNode::decode(&again[2..]).expect("its own bytes").encode(), again);
    }
}

/// No bytes are a token but what was signed.
pub fn admission_token(bytes: &[u8]) {
    assert!(Gate::new(&[]).admit(0, bytes, Fingerprint::from_bytes([3; 32])).is_err());
}

/// A client and an edge server that have exchanged and begun to probe.
fn ends() -> (ClientPath, EdgePaths) {
    let (mut client, mut edge) =
        (ClientPath::new(&Secret::new([1; 32])), EdgePaths::new(&Secret::new([2; 32])));
    client.set_local(0, Local::new(&[at(2)], &[], &[]));
    edge.set_local(Local::new(&[at(1)], &[], &[]));
    client.connected(0);
    let offer = client.poll_message().expect("an offer");
    edge.handle_message(0, ConnectionNumber(1), &offer, None).expect("a good offer");
    let (_, answer) = edge.poll_message().expect("an answer");
    client.handle_message(1, &answer).expect("a good answer");
    (client, edge)
}

/// What a peer may say over the end-to-end connection, and what both ends do then: bounded, whatever it is.
pub fn exchange(bytes: &[u8]) {
    let (mut client, mut edge) = ends();
    let mut now_ms = 2 * limits::OFFER_PAUSE_MS;
    for connection in 0..3 {
        let _ = edge.handle_message(now_ms, ConnectionNumber(connection), bytes, Some(at(9).ip()));
    }
    let _ = client.handle_message(now_ms, bytes);
    let mut sent = 0;
    for _ in 0..5_000 {
        client.handle_timeout(now_ms);
        edge.handle_timeout(now_ms);
        sent += std::iter::from_fn(|| edge.poll_transmit(now_ms)).count();
        let _ = std::iter::from_fn(|| client.poll_transmit(now_ms)).count();
        let next_ms = edge.poll_timeout().unwrap_or(u64::MAX).max(now_ms + 1);
        if next_ms > 20_000 {
            break;
        }
        now_ms = next_ms;
    }
    assert!(edge.round_count() <= 4 && sent < 4_000);
    assert_eq!(client.way(), Way::Relay);
}

/// What claims to be a probe, with a real link or without, at both ends: nobody's address is learned from it.
pub fn probe(bytes: &[u8]) {
    let (mut client, mut edge) = ends();
    let real = client.poll_transmit(1).expect("a ping").datagram;
    let mut forged = bytes.to_vec();
    forged
        .iter_mut()
        .zip(&real[..9])
        .for_each(|(byte, real)| *byte = if bytes[0] & 1 == 0 { *real } else { *byte });
    for datagram in [bytes, &forged] {
        client.handle_datagram(2, SocketId::MAIN, at(9), datagram);
        edge.handle_datagram(2, SocketId::MAIN, at(9), datagram);
    }
    let mut all =
        std::iter::from_fn(|| edge.poll_transmit(2)).chain(std::iter::from_fn(|| client.poll_transmit(2)));
    assert!(all.all(|transmit| transmit.to != at(9)));
}
