//! Promises of knocks: where an endpoint is, is learned from it alone, and only when it receives there.

use std::net::SocketAddr;

use tresen_identity::{Fingerprint, Secret, TenantId};
use tresen_path::*;

const LIFETIME_MS: u64 = 600_000;

fn address(host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], 4000))
}

/// A router with an edge server at host 1 and a client at host 5, and their knockers.
struct House {
    router: Router,
    server: Party,
    client: Party,
    knocker: Knocker,
    handle: Handle,
}

fn house() -> House {
    let edge = EdgeName { tenant: TenantId::from_bytes([1; 16]), edge: Fingerprint::from_bytes([2; 32]) };
    let name = ClientName { edge, device: Fingerprint::from_bytes([3; 32]) };
    let capacity = Capacity { edges: 9, clients: 9, clients_of_edge: 9 };
    let mut router = Router::new(RoutingKey::new(Secret::new([9; 32])), NodeId(1), capacity);
    let server = router.register(0, edge, address(1), LIFETIME_MS, Secret::new([4; 32])).expect("room");
    let grant = router.admit(0, name, address(5), LIFETIME_MS, 9, Secret::new([5; 32])).expect("room");
    let knocker = Knocker::new(&grant, &Secret::new([6; 32])).expect("handles");
    let handle = server.own_handles[0];
    House { router, server: Party::Edge(edge), client: Party::Client(name), knocker, handle }
}

impl House {
    fn next_knock(&mut self, now_ms: u64) -> [u8; KNOCK_BYTES] {
        self.knocker.poll_transmit(now_ms).expect("tries are left").expect("it is time to knock")
    }

    fn reaches_the_server(&self, host: u8) -> bool {
        let packet = [&[0x41], self.handle.as_bytes().as_slice(), &[9; 40]].concat();
        matches!(self.router.route(1, address(host), &packet), Verdict::Forward { .. })
    }
}

/// Promise: one round trip after it moved, an endpoint's packets flow again, and only then.
#[test]
fn a_move_takes_one_round_trip() {
    let mut house = house();
    house.knocker.start(0);
    let first = house.next_knock(0);
    assert_eq!(house.router.route(0, address(6), &first), Verdict::Knock);
    let knocked = house.router.knock(0, address(6), &first).expect("a good knock");
    assert_eq!(knocked.moved, None);
    assert!(house.reaches_the_server(5) && !house.reaches_the_server(6));
    assert_eq!(house.knocker.handle(50, &knocked.answer), None);
    let second = house.next_knock(50);
    let knocked = house.router.knock(50, address(6), &second).expect("a good knock");
    assert_eq!(knocked.moved, Some(house.client));
    assert_eq!(house.router.address_of(&house.client), Some(address(6)));
    assert!(house.reaches_the_server(6) && !house.reaches_the_server(5));
    assert_eq!(house.knocker.handle(90, &knocked.answer), Some(KnockEvent::Here(address(6))));
    assert_eq!(house.knocker.poll_timeout(), None);
}

/// Promise: an endpoint that did not move learns so with one knock, and how it looks from outside.
#[test]
fn who_stayed_learns_its_address_at_once() {
    let mut house = house();
    house.knocker.start(0);
    let knock = house.next_knock(0);
    let knocked = house.router.knock(0, address(5), &knock).expect("a good knock");
    assert_eq!(knocked.moved, None);
    assert_eq!(house.knocker.handle(9, &knocked.answer), Some(KnockEvent::Here(address(5))));
}

/// Promise: who only copies knocks moves nobody, and gets no second answer.
#[test]
fn a_copied_knock_moves_nobody() {
    let mut house = house();
    house.knocker.start(0);
    let knock = house.next_knock(0);
    // The copy comes first, from elsewhere: its answer is sealed, so the cookie in it is of no use there.
    let answer = house.router.knock(0, address(66), &knock).expect("nobody can tell").answer;
    assert_eq!(house.router.knock(0, address(6), &knock), Err(DropReason::BadKnock));
    assert_eq!(house.router.address_of(&house.client), Some(address(5)));
    // Even if the endpoint were handed that answer, its cookie is for the other address.
    assert_eq!(house.knocker.handle(50, &answer), None);
    let knock = house.next_knock(50);
    assert_eq!(house.router.knock(50, address(6), &knock).expect("a good knock").moved, None);
    assert_eq!(house.router.address_of(&house.client), Some(address(5)));
}

/// Promise: a cookie ends; a changed knock, or one sealed with another key, is dropped.
#[test]
fn cookies_end_and_forgeries_are_dropped() {
    let mut house = house();
    house.knocker.start(0);
    let knock = house.next_knock(0);
    for at in 0..KNOCK_BYTES {
        let mut forged = knock;
        forged[at] ^= 1;
        assert!(house.router.knock(0, address(6), &forged).is_err(), "byte {at}");
    }
    let answer = house.router.knock(0, address(6), &knock).expect("a good knock").answer;
    house.knocker.handle(0, &answer);
    let late_ms = 2 * limits::COOKIE_MS;
    let knock = house.next_knock(late_ms);
    assert_eq!(house.router.knock(late_ms, address(6), &knock).expect("a good knock").moved, None);
    assert_eq!(house.router.address_of(&house.server), Some(address(1)));
}

/// Promise: an address belongs to whom was proven to be there last; the one before is not sent others' packets.
#[test]
fn an_address_has_one_owner() {
    let mut house = house();
    let Party::Client(name) = house.client else { panic!("a client") };
    let other = ClientName { device: Fingerprint::from_bytes([8; 32]), ..name };
    let other_grant =
        house.router.admit(0, other, address(5), LIFETIME_MS, 9, Secret::new([7; 32])).expect("room");
    assert_eq!(house.router.address_of(&house.client), None);
    assert_eq!(house.router.address_of(&Party::Client(other)), Some(address(5)));
    assert!(house.reaches_the_server(5));
    let to_other = [&[0x41], other_grant.own_handles[0].as_bytes().as_slice(), &[9; 40]].concat();
    assert!(matches!(house.router.route(1, address(1), &to_other), Verdict::Forward { .. }));
}

/// Promise: knocks end; the shell is told once that nobody answers.
#[test]
fn knocks_end() {
    let mut house = house();
    house.knocker.start(0);
    let mut sent = 0;
    while let Some(at_ms) = house.knocker.poll_timeout() {
        match house.knocker.poll_transmit(at_ms) {
            Ok(knock) => sent += knock.iter().count(),
            Err(event) => assert_eq!(event, KnockEvent::NoAnswer),
        }
        assert!(at_ms < 20_000);
    }
    assert_eq!(sent, 10);
}

/// Promise: how it looks from the node's second port, an endpoint learns from there alone; each look is answered once, and moves nobody.
#[test]
fn a_look_is_answered_once_and_moves_nobody() {
    let mut house = house();
    house.knocker.look(0);
    let look = house.knocker.poll_look(0).expect("it is time to look");
    let mut forged = look;
    forged[40] ^= 1;
    assert_eq!(house.router.open_look(0, &forged), Err(DropReason::BadKnock));
    let opened = house.router.open_look(0, &look).expect("a good look");
    let answer = house.router.look(address(6), &opened).expect("a good look");
    assert_eq!(house.router.open_look(0, &look), Err(DropReason::BadKnock), "a replay");
    assert_eq!(house.router.look(address(7), &opened), Err(DropReason::BadKnock), "a replay");
    assert_eq!(house.router.address_of(&house.client), Some(address(5)));
    assert_eq!(house.knocker.handle(9, &answer), None, "it is no answer to a knock");
    assert_eq!(house.knocker.handle_look(&answer), Some(address(6)));
    assert_eq!(house.knocker.handle_look(&answer), None);
    // The same packet at the node's own port is a knock like any other.
    let knocked = house.router.knock(0, address(6), &look).expect("a knock");
    assert_ne!(knocked.answer, answer);
}

/// Promise: a node without a second port, or a relay that loses looks, is asked a few times only.
#[test]
fn looks_end() {
    let mut house = house();
    house.knocker.look(0);
    let looks = (0..100_000).filter(|at_ms| house.knocker.poll_look(*at_ms).is_some()).count();
    assert_eq!(looks, limits::LOOKS as usize);
    assert_eq!(house.knocker.poll_timeout(), None);
}
