//! Promises of direct paths under a relay that lies: it says of both ends that they are seen at an address of its own, gets what they send there, and plays with it.
//! Past it there is no way, so whatever is proven would be proven by a trick.

use std::net::SocketAddr;

use tresen_identity::Secret;
use tresen_path::{ClientPath, ConnectionNumber, EdgePaths, Local, PROBE_BYTES, SocketId, Way, limits};

/// From one look at both ends to the next, in milliseconds.
const STEP_MS: u64 = 10;

/// Long enough for several rounds.
const RUN_MS: u64 = 60_000;

/// Where the enemy is.
const ENEMY: &str = "203.0.113.66:666";

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// One of those who talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Edge,
    Client(usize),
}

/// A probe under way.
#[derive(Clone)]
struct Probe {
    from: End,
    to: SocketAddr,
    datagram: Vec<u8>,
}

/// What is delivered: to whom, as from where, what.
type Delivery = (End, SocketAddr, Vec<u8>);

struct World {
    now_ms: u64,
    edge: EdgePaths,
    clients: Vec<ClientPath>,
    offers: usize,
    /// Everything that was sent anywhere.
    sent: Vec<Probe>,
    delivered: usize,
    ways: Vec<Way>,
}

impl World {
    /// A box and some clients, who are all told that they look like the enemy from outside.
    fn new(clients: usize) -> Self {
        let mut edge = EdgePaths::new(&Secret::new([9; 32]));
        edge.set_local(Local::new(&[at("10.1.0.1:443")], &[], &[at(ENEMY)]));
        let client = |number: usize| {
            let mut client = ClientPath::new(&Secret::new([number as u8; 32]));
            let own = SocketAddr::from(([10, 2, 0, number as u8 + 1], 5_000));
            client.set_local(0, Local::new(&[own], &[], &[at(ENEMY)]));
            client.connected(0);
            client
        };
        let clients: Vec<ClientPath> = (0..clients).map(client).collect();
        let ways = vec![Way::Relay; clients.len()];
        Self { now_ms: 0, edge, clients, offers: 0, sent: Vec::new(), delivered: 0, ways }
    }

    /// What is said passes, sealed as it is; what is probed is the enemy's to deliver.
    fn run(&mut self, until_ms: u64, mut enemy: impl FnMut(u64, &Probe) -> Vec<Delivery>) {
        while self.now_ms < until_ms {
            let now_ms = self.now_ms;
            self.talk();
            let mut probes = Vec::new();
            while let Some(probe) = self.edge.poll_transmit(now_ms) {
                probes.push(Probe { from: End::Edge, to: probe.to, datagram: probe.datagram.to_vec() });
            }
            for (number, client) in self.clients.iter_mut().enumerate() {
                while let Some(probe) = client.poll_transmit(now_ms) {
                    let from = End::Client(number);
                    probes.push(Probe { from, to: probe.to, datagram: probe.datagram.to_vec() });
                }
            }
            for probe in probes {
                for (to, from, datagram) in enemy(now_ms, &probe) {
                    self.delivered += 1;
                    match to {
                        End::Edge => self.edge.handle_datagram(now_ms, SocketId::MAIN, from, &datagram),
                        End::Client(number) => {
                            self.clients[number].handle_datagram(now_ms, SocketId::MAIN, from, &datagram);
                        }
                    }
                }
                self.sent.push(probe);
            }
            self.now_ms += STEP_MS;
            self.edge.handle_timeout(self.now_ms);
            self.clients.iter_mut().for_each(|client| client.handle_timeout(self.now_ms));
            self.ways = self.clients.iter().map(ClientPath::way).collect();
        }
    }

    fn talk(&mut self) {
        for (number, client) in self.clients.iter_mut().enumerate() {
            while let Some(offer) = client.poll_message() {
                self.offers += 1;
                let of = ConnectionNumber(number as u64);
                self.edge.handle_message(self.now_ms, of, &offer, Some(at(ENEMY).ip())).expect("an offer");
            }
            while client.poll_action().is_some() {}
        }
        while let Some((to, answer)) = self.edge.poll_message() {
            self.clients[to.0 as usize].handle_message(self.now_ms, &answer).expect("an answer");
        }
        while self.edge.poll_action().is_some() {}
    }

    /// Every round, each of both ends sends so many pings at most: eight to each that was offered or learned. An answer is sent for no more than what was delivered.
    fn is_bounded(&self) -> bool {
        let targets = 2 + limits::LEARNED;
        let pings = 2 * self.offers * targets * limits::PING_AFTER_MS.len();
        self.sent.len() <= pings + self.delivered
    }
}

/// Who is meant by a probe, where there is one client.
fn other(probe: &Probe) -> End {
    if probe.from == End::Edge { End::Client(0) } else { End::Edge }
}

/// Promise: probes that come back to whoever sent them prove nothing, and are not answered.
#[test]
fn what_is_turned_round_proves_nothing() {
    let mut world = World::new(1);
    world.run(RUN_MS, |_, probe| vec![(probe.from, at(ENEMY), probe.datagram.clone())]);
    assert_eq!(world.ways, [Way::Relay]);
    assert!(world.offers >= 3 && world.delivered > 50, "it was tried");
    let pings = 2 * 2 * limits::PING_AFTER_MS.len();
    assert!(world.sent.len() <= world.offers * pings, "{} in {} rounds", world.sent.len(), world.offers);
}

/// Promise: changed probes, and those of another device, prove nothing and are not answered.
#[test]
fn what_is_changed_or_swapped_proves_nothing() {
    let mut world = World::new(2);
    world.run(RUN_MS, |now_ms, probe| {
        let mut flipped = probe.datagram.clone();
        let byte = 1 + (now_ms / STEP_MS) as usize % (PROBE_BYTES - 1);
        flipped[byte] ^= 1;
        match probe.from {
            End::Client(number) => vec![
                (End::Edge, at(ENEMY), flipped),
                (End::Client(1 - number), at(ENEMY), probe.datagram.clone()),
            ],
            End::Edge => vec![(End::Client(0), at(ENEMY), flipped)],
        }
    });
    assert_eq!(world.ways, [Way::Relay; 2]);
    assert!(world.offers >= 6 && world.delivered > 200, "it was tried");
    let pings = 2 * 2 * limits::PING_AFTER_MS.len();
    assert!(world.sent.len() <= world.offers * pings, "{} in {} rounds", world.sent.len(), world.offers);
}

/// Promise: a probe counts once, however often it comes and from wherever: at once, or long after its round.
#[test]
fn what_is_repeated_counts_once() {
    let sent = |repeats: bool| {
        let (mut past, mut world): (Vec<Vec<u8>>, _) = (Vec::new(), World::new(1));
        world.run(RUN_MS, |_, probe| {
            if probe.from == End::Edge {
                return Vec::new();
            }
            past.push(probe.datagram.clone());
            let mut out = vec![(End::Edge, at(ENEMY), probe.datagram.clone())];
            if repeats {
                let all = past.iter().rev().step_by(3).take(20);
                out.extend(all.map(|old| (End::Edge, at("198.18.0.1:7"), old.clone())));
            }
            out
        });
        assert_eq!(world.ways, [Way::Relay]);
        (world.sent.len(), world.delivered)
    };
    let (once, again) = (sent(false), sent(true));
    assert!(again.1 > 5 * once.1, "it was tried");
    assert_eq!(again.0, once.0, "nothing is sent because of it");
}

/// Promise: a probe that comes from elsewhere than it was sent to proves nothing; however many strangers' addresses the enemy shows, they get no more than
/// eight pings a round each, from eight of them at most, and an answer for each of his.
#[test]
fn strangers_are_left_alone() {
    let mut strangers = 0_u32;
    let mut world = World::new(1);
    world.run(RUN_MS, |_, probe| {
        strangers += 1;
        let from = SocketAddr::from(([198, 18, (strangers >> 8) as u8, strangers as u8], 7));
        vec![(other(probe), from, probe.datagram.clone())]
    });
    assert_eq!(world.ways, [Way::Relay]);
    assert!(strangers > 100, "{strangers} were shown");
    assert!(world.is_bounded(), "{} sent in {} rounds", world.sent.len(), world.offers);
    let mut to_each: Vec<SocketAddr> = world.sent.iter().map(|probe| probe.to).collect();
    to_each.sort_unstable();
    let most = to_each.chunk_by(|one, next| one == next).filter(|same| same[0] != at(ENEMY)).map(<[_]>::len);
    let most = most.max().unwrap_or(0);
    assert!(most <= (1 + limits::PING_AFTER_MS.len()) * world.offers, "{most} to one of them");
}

/// Promise: an enemy who passes probes on is a way like another, and when he is silent it is left within a second; the session is the relay's again.
#[test]
fn a_way_through_the_enemy_is_left_when_he_is_silent() {
    let mut world = World::new(1);
    world.run(2_000, |_, probe| vec![(other(probe), at(ENEMY), probe.datagram.clone())]);
    assert!(matches!(world.ways[0], Way::Direct { address, .. } if address == at(ENEMY)));
    world.run(3_000, |_, _| Vec::new());
    assert_eq!(world.ways, [Way::Relay]);
    world.run(RUN_MS, |_, _| Vec::new());
    assert_eq!(world.ways, [Way::Relay]);
}
