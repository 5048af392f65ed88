//! Promises of candidates, exchanges and probes, end to end and without a network between.

use std::net::SocketAddr;

use proptest::prelude::*;
use tresen_identity::Secret;
use tresen_path::*;

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn edge() -> EdgePaths {
    let mut edge = EdgePaths::new(&Secret::new([2; 32]));
    edge.set_local(Local::new(&[at("10.0.0.1:443")], &[], &[]));
    edge
}

fn offer_of(client: u8, candidates: &[SocketAddr]) -> Vec<u8> {
    let mut client = ClientPath::new(&Secret::new([client; 32]));
    client.set_local(0, Local::new(candidates, &[], &[]));
    client.connected(0);
    client.poll_message().expect("an offer")
}

/// Promise: what can't be anybody's address is neither offered nor tried; duplicates are one; there is a most.
#[test]
fn candidates_are_sorted_out() {
    let odd = [
        "0.0.0.0:5",
        "255.255.255.255:5",
        "224.0.0.1:5",
        "[::]:5",
        "[fe80::1]:5",
        "[ff02::1]:5",
        "10.0.0.1:0",
    ];
    let odd: Vec<SocketAddr> = odd.iter().map(|text| at(text)).collect();
    assert_eq!(Local::new(&odd, &[], &[]).candidates(), []);
    let twice = Local::new(&[at("[::ffff:10.0.0.5]:5")], &[at("10.0.0.5:5")], &[at("10.0.0.5:5")]);
    assert_eq!(twice.candidates(), [Candidate { kind: CandidateKind::Host, address: at("10.0.0.5:5") }]);
    let many: Vec<SocketAddr> = (1..40).map(|host| SocketAddr::from(([10, 0, 0, host], 5))).collect();
    assert_eq!(Local::new(&many, &[], &[]).candidates().len(), limits::CANDIDATES);
}

/// Promise: a mapping is only called hard or stable when two have looked.
#[test]
fn a_mapping_is_known_from_two_places() {
    let mapping = |interfaces: &[&str], observed: &[&str]| {
        let all = |texts: &[&str]| texts.iter().map(|text| at(text)).collect::<Vec<_>>();
        Local::new(&all(interfaces), &[], &all(observed)).mapping()
    };
    assert_eq!(mapping(&["10.0.0.5:5"], &[]), Mapping::Unknown);
    assert_eq!(mapping(&["10.0.0.5:5"], &["203.0.113.1:7"]), Mapping::Unknown);
    assert_eq!(mapping(&["10.0.0.5:5"], &["203.0.113.1:7", "203.0.113.1:7"]), Mapping::Stable);
    assert_eq!(mapping(&["10.0.0.5:5"], &["203.0.113.1:7", "203.0.113.1:8"]), Mapping::PerDestination);
    assert_eq!(mapping(&["203.0.113.1:7"], &["203.0.113.1:7"]), Mapping::Stable);
}

/// Promise: loopback is tried by nobody who did not offer it himself.
#[test]
fn loopback_is_for_the_same_machine() {
    let mut edge = edge();
    let offer = offer_of(1, &[at("127.0.0.1:5000"), at("10.0.0.5:5000")]);
    edge.handle_message(0, ConnectionNumber(1), &offer, None).expect("a good offer");
    let pinged: Vec<SocketAddr> = std::iter::from_fn(|| edge.poll_transmit(0)).map(|ping| ping.to).collect();
    assert_eq!(pinged, [at("10.0.0.5:5000")]);
}

/// Promise: a probe is taken once, unchanged and by whom it is for; a pong is as large as its ping.
#[test]
fn probes_are_taken_once() {
    let mut edge = edge();
    let mut client = ClientPath::new(&Secret::new([1; 32]));
    client.set_local(0, Local::new(&[at("10.0.0.5:5000")], &[], &[]));
    client.connected(0);
    let offer = client.poll_message().expect("an offer");
    edge.handle_message(0, ConnectionNumber(1), &offer, None).expect("a good offer");
    let (_, answer) = edge.poll_message().expect("an answer");
    client.handle_message(0, &answer).expect("a good answer");
    while edge.poll_transmit(0).is_some() {}
    let ping = client.poll_transmit(0).expect("a ping").datagram;
    for byte in 0..PROBE_BYTES {
        let mut forged = ping;
        forged[byte] ^= 1;
        edge.handle_datagram(0, SocketId::MAIN, at("10.0.0.9:9"), &forged);
        assert_eq!(edge.poll_transmit(0), None, "byte {byte}");
    }
    edge.handle_datagram(0, SocketId::MAIN, at("10.0.0.5:5000"), &ping);
    let pong = edge.poll_transmit(0).expect("a pong");
    assert_eq!((pong.to, pong.datagram.len()), (at("10.0.0.5:5000"), ping.len()));
    while edge.poll_transmit(0).is_some() {}
    // A copy from elsewhere teaches nobody an address.
    edge.handle_datagram(0, SocketId::MAIN, at("10.0.0.9:9"), &ping);
    assert_eq!(edge.poll_transmit(0), None);
    // A pong that comes from elsewhere proves nothing; its ping came from here.
    client.handle_datagram(5, SocketId::MAIN, at("10.0.0.9:9"), &pong.datagram);
    assert_eq!(client.way(), Way::Relay);
}

/// Promise: rounds at an edge server are bounded, two for each connection, and end with it.
#[test]
fn rounds_are_bounded() {
    let mut edge = edge();
    let offer = offer_of(1, &[at("10.0.0.5:5000")]);
    for number in 0..limits::ROUNDS as u64 + 10 {
        edge.handle_message(0, ConnectionNumber(number), &offer, None).expect("a good offer");
    }
    assert_eq!(edge.round_count(), limits::ROUNDS);
    (0..limits::ROUNDS as u64).for_each(|number| edge.closed(ConnectionNumber(number)));
    assert_eq!(edge.round_count(), 0);
    for second in 0..9 {
        for again_ms in [0, 1] {
            edge.handle_message(second * 1_000 + again_ms, ConnectionNumber(1), &offer, None)
                .expect("an offer");
        }
    }
    assert_eq!(edge.round_count(), 2);
    let answers = std::iter::from_fn(|| edge.poll_message()).count();
    assert_eq!(answers, 9, "an offer that comes too soon has no answer");
}

/// Promise: what a probe costs does not depend on how many rounds there are.
#[test]
#[allow(clippy::disallowed_methods, reason = "it is about time")]
fn a_probe_costs_the_same_among_many() {
    let cost = |rounds: u64| {
        let mut edge = edge();
        let candidates: Vec<SocketAddr> =
            (1..=12).map(|host| SocketAddr::from(([10, 0, 1, host], 5))).collect();
        let offer = offer_of(1, &candidates);
        for number in 0..rounds {
            edge.handle_message(0, ConnectionNumber(number), &offer, None).expect("a good offer");
        }
        while edge.poll_transmit(10_000).is_some() {}
        let begun = std::time::Instant::now();
        for _ in 0..1_000 {
            edge.handle_datagram(10_000, SocketId::MAIN, candidates[0], &[PROBE; PROBE_BYTES]);
            assert_eq!((edge.poll_transmit(10_000), edge.poll_timeout()), (None, None));
        }
        begun.elapsed()
    };
    let least = |rounds: u64| (0..5).map(|_| cost(rounds)).min().expect("five times");
    let (few, many) = (least(8), least(limits::ROUNDS as u64));
    assert!(many < 20 * few, "{few:?} with 8, {many:?} with {}", limits::ROUNDS);
}

/// Promise: what an offer costs that comes too soon does not depend on how many others have offered.
#[test]
#[allow(clippy::disallowed_methods, reason = "it is about time")]
fn an_offer_costs_the_same_among_many() {
    let cost = |rounds: u64| {
        let mut edge = edge();
        let offer = offer_of(1, &[SocketAddr::from(([10, 0, 1, 1], 5))]);
        for number in 0..rounds {
            edge.handle_message(0, ConnectionNumber(number), &offer, None).expect("a good offer");
        }
        let begun = std::time::Instant::now();
        for _ in 0..1_000 {
            assert_eq!(edge.next_offer_ms(ConnectionNumber(3)), limits::OFFER_PAUSE_MS);
        }
        begun.elapsed()
    };
    let least = |rounds: u64| (0..5).map(|_| cost(rounds)).min().expect("five times");
    let (few, many) = (least(8), least(limits::ROUNDS as u64));
    assert!(many < 20 * few, "{few:?} with 8, {many:?} with {}", limits::ROUNDS);
}

/// Promise: an edge server does not try the birthday method again for a minute with a client with which it led nowhere, whatever the client offers, and the
/// others have their turn meanwhile; a client with which it led somewhere need not wait, unless it took its time.
#[test]
fn the_birthday_method_pauses() {
    let seen = at("203.0.113.5:5000");
    let mut edge = edge();
    edge.set_local(Local::new(&[at("10.0.0.1:443")], &[], &[at("198.51.100.1:7"), at("198.51.100.1:8")]));
    let client = |seed: u8| {
        let mut client = ClientPath::new(&Secret::new([seed; 32]));
        client.set_local(0, Local::new(&[], &[], &[seen, seen]));
        client.connected(0);
        let offer = client.poll_message().expect("an offer");
        (client, offer)
    };
    let offer = client(1).1;
    // How often sockets are opened when a client offers each second and answers nothing.
    let begun = |edge: &mut EdgePaths, from_ms: u64, until_ms: u64, number: u64| {
        let mut begun = 0;
        for now_ms in (from_ms..until_ms).step_by(100) {
            if (now_ms - from_ms).is_multiple_of(limits::OFFER_PAUSE_MS) {
                let offered = edge.handle_message(now_ms, ConnectionNumber(number), &offer, Some(seen.ip()));
                offered.expect("a good offer");
            }
            edge.handle_timeout(now_ms);
            let actions = std::iter::from_fn(|| edge.poll_action());
            begun += actions.filter(|action| matches!(action, PathAction::OpenSockets { .. })).count();
            while edge.poll_message().is_some() || edge.poll_transmit(now_ms).is_some() {}
        }
        begun
    };
    assert_eq!(begun(&mut edge, 0, 10_000, 1), 1);
    assert_eq!(begun(&mut edge, 10_000, 20_000, 2), 1, "another one has his turn");
    assert_eq!(begun(&mut edge, 20_000, limits::BIRTHDAY_PAUSE_MS, 1), 0);
    assert_eq!(begun(&mut edge, limits::BIRTHDAY_PAUSE_MS, limits::BIRTHDAY_PAUSE_MS + 5_000, 1), 1);

    let (mut met, offer) = client(3);
    edge.handle_message(70_000, ConnectionNumber(3), &offer, Some(seen.ip())).expect("a good offer");
    met.handle_message(0, &edge.poll_message().expect("an answer").1).expect("a good answer");
    edge.handle_timeout(70_200);
    let Some(PathAction::OpenSockets { first, .. }) = edge.poll_action() else {
        panic!("sockets are asked for")
    };
    edge.opened(70_200, vec![first]);
    let mut pings = std::iter::from_fn(|| edge.poll_transmit(70_200));
    let ping = pings.find(|ping| ping.socket == first).expect("a ping from there");
    let outside = at("198.51.100.1:9");
    met.handle_datagram(200, SocketId::MAIN, outside, &ping.datagram);
    let mut answers = std::iter::from_fn(|| met.poll_transmit(200));
    let pong = answers.find(|answer| answer.to == outside).expect("a pong");
    edge.handle_datagram(70_200, first, seen, &pong.datagram);
    assert_eq!(begun(&mut edge, 71_000, 72_000, 3), 1, "it led somewhere");
    begun(&mut edge, 72_000, 80_000, 3);

    let (mut late, offer) = client(4);
    edge.handle_message(80_000, ConnectionNumber(4), &offer, Some(seen.ip())).expect("a good offer");
    late.handle_message(0, &edge.poll_message().expect("an answer").1).expect("a good answer");
    edge.handle_timeout(80_200);
    let mut pings = std::iter::from_fn(|| edge.poll_transmit(84_000));
    let ping = pings.find(|ping| ping.socket == SocketId::MAIN).expect("a plain ping");
    late.handle_datagram(4_000, SocketId::MAIN, outside, &ping.datagram);
    let mut answers = std::iter::from_fn(|| late.poll_transmit(4_000));
    let pong = answers.find(|answer| answer.to == outside).expect("a pong");
    while edge.poll_action().is_some() {}
    edge.handle_datagram(84_000, SocketId::MAIN, seen, &pong.datagram);
    let has_ended = std::iter::from_fn(|| edge.poll_action())
        .any(|action| matches!(action, PathAction::CloseSockets { .. }));
    assert!(has_ended, "it led somewhere, just before its end");
    assert_eq!(begun(&mut edge, 85_000, 98_000, 4), 0, "others come first");
    assert_eq!(begun(&mut edge, 98_000, 99_000, 5), 1);
}

/// Promise: sockets that could be opened only when nobody needs them any more are closed, and nobody else's probes go out from them.
#[test]
fn sockets_that_come_too_late_are_closed() {
    let seen = [at("203.0.113.5:5000"); 2];
    let each_another = [at("198.51.100.1:7"), at("198.51.100.1:8")];
    let client = |seed: u8, observed: &[SocketAddr]| {
        let mut client = ClientPath::new(&Secret::new([seed; 32]));
        client.set_local(0, Local::new(&[], &[], observed));
        client.connected(0);
        let offer = client.poll_message().expect("an offer");
        (client, offer)
    };
    let asked = |action: Option<PathAction>| match action {
        Some(PathAction::OpenSockets { first, count }) => {
            (first.0..first.0 + count).map(SocketId).collect::<Vec<_>>()
        }
        other => panic!("sockets are asked for: {other:?}"),
    };
    let closed_one_by_one = |action: PathAction| match action {
        PathAction::CloseSockets { first, count: 1, except: None } => first,
        other => panic!("a socket is closed: {other:?}"),
    };
    let mut edge = EdgePaths::new(&Secret::new([2; 32]));
    edge.set_local(Local::new(&[], &[], &each_another));
    let vouched = Some(seen[0].ip());
    edge.handle_message(0, ConnectionNumber(1), &client(1, &seen).1, vouched).expect("a good offer");
    edge.handle_timeout(200);
    let former = asked(edge.poll_action());
    edge.closed(ConnectionNumber(1));
    assert!(matches!(edge.poll_action(), Some(PathAction::CloseSockets { count: 256, except: None, .. })));
    edge.handle_message(300, ConnectionNumber(2), &client(3, &seen).1, vouched).expect("a good offer");
    edge.handle_timeout(500);
    let own = asked(edge.poll_action());
    edge.opened(510, former.clone());
    let closed: Vec<SocketId> = std::iter::from_fn(|| edge.poll_action()).map(closed_one_by_one).collect();
    assert_eq!(closed, former);
    edge.opened(520, own.clone());
    let sent: Vec<SocketId> =
        std::iter::from_fn(|| edge.poll_transmit(1_000)).map(|ping| ping.socket).collect();
    assert!(
        sent.iter().any(|socket| own.contains(socket)) && !sent.iter().any(|socket| former.contains(socket))
    );

    let (mut client, offer) = client(4, &each_another);
    let mut edge = EdgePaths::new(&Secret::new([2; 32]));
    edge.set_local(Local::new(&[], &[], &seen));
    edge.handle_message(0, ConnectionNumber(1), &offer, None).expect("a good offer");
    client.handle_message(0, &edge.poll_message().expect("an answer").1).expect("a good answer");
    client.handle_timeout(200);
    let former = asked(client.poll_action());
    client.disconnected();
    assert!(matches!(client.poll_action(), Some(PathAction::CloseSockets { count: 256, except: None, .. })));
    client.opened(210, former.clone());
    let closed: Vec<SocketId> = std::iter::from_fn(|| client.poll_action()).map(closed_one_by_one).collect();
    assert_eq!(closed, former);
}

proptest! {
    /// Promise: every start of a message is refused, and so is anything behind it, and a message for the other end.
    #[test]
    fn messages_end_where_they_end(count in 0_u8..12, cut in 1_usize..60, more in any::<u8>()) {
        let candidates: Vec<SocketAddr> = (1..=count).map(|host| SocketAddr::from(([10, 0, 1, host], 5))).collect();
        let offer = offer_of(1, &candidates);
        prop_assert!(offer.len() <= MAX_EXCHANGE_BYTES);
        let mut edge = edge();
        let short = &offer[..offer.len() - cut.min(offer.len())];
        prop_assert!(edge.handle_message(0, ConnectionNumber(1), short, None).is_err());
        let long = [offer.as_slice(), &[more]].concat();
        prop_assert!(edge.handle_message(0, ConnectionNumber(1), &long, None).is_err());
        prop_assert_eq!(edge.round_count(), 0);
        let mut client = ClientPath::new(&Secret::new([1; 32]));
        prop_assert_eq!(client.handle_message(0, &offer), Err(ExchangeError::Unexpected));
        prop_assert!(edge.handle_message(0, ConnectionNumber(1), &offer, None).is_ok());
        let (_, answer) = edge.poll_message().expect("an answer");
        prop_assert_eq!(edge.handle_message(0, ConnectionNumber(2), &answer, None), Err(ExchangeError::Unexpected));
    }
}
