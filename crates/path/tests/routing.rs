//! Promises of a relay's routing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use proptest::prelude::*;
use tresen_identity::{Fingerprint, Secret, TenantId};
use tresen_path::*;

const HOUR_MS: u64 = 3_600_000;
const ROOMY: Capacity = Capacity { edges: 100, clients: 1000, clients_of_edge: 100 };

fn key() -> RoutingKey {
    RoutingKey::new(Secret::new([1; 32]))
}

fn router(capacity: Capacity) -> Router {
    Router::new(key(), NodeId(7), capacity)
}

fn address(host: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, host], 4000))
}

fn edge(tenant: u8, edge: u8) -> EdgeName {
    EdgeName { tenant: TenantId::from_bytes([tenant; 16]), edge: Fingerprint::from_bytes([edge; 32]) }
}

fn client(edge: EdgeName, device: u8) -> ClientName {
    ClientName { edge, device: Fingerprint::from_bytes([device; 32]) }
}

fn secret(byte: u8) -> Secret<32> {
    Secret::new([byte; 32])
}

/// A packet of QUIC with a short header.
fn short(handle: Handle) -> Vec<u8> {
    [&[0x41], handle.as_bytes().as_slice(), &[9; 40]].concat()
}

/// A first packet of QUIC to this id.
fn initial(id: &[u8]) -> Vec<u8> {
    let mut packet = [&[0xc3, 0, 0, 0, 1, id.len() as u8], id].concat();
    packet.resize(MIN_INITIAL_BYTES, 0);
    packet
}

fn register(router: &mut Router, name: EdgeName, host: u8) -> Grant {
    router.register(0, name, address(host), HOUR_MS, secret(host)).expect("there is room")
}

fn admit(router: &mut Router, name: ClientName, host: u8) -> Grant {
    router.admit(0, name, address(host), HOUR_MS, 100, secret(host)).expect("there is room")
}

fn dropped(reason: DropReason) -> Verdict {
    Verdict::Drop(reason)
}

/// Promise: packets go between a client and its edge server, with every id that either has.
#[test]
fn a_client_and_its_edge_server_reach_each_other() {
    let mut router = router(ROOMY);
    let server = register(&mut router, edge(1, 1), 1);
    let name = client(edge(1, 1), 5);
    let client = admit(&mut router, name, 5);
    assert_eq!((server.own_handles.len(), client.own_handles.len(), client.edge_handles.len()), (64, 16, 8));
    let flow = router.flow_of(&name).expect("it is here");
    for handle in server.own_handles.iter().chain(&client.edge_handles) {
        let verdict = router.route(1, address(5), &short(*handle));
        assert_eq!(verdict, Verdict::Forward { to: address(1), flow });
    }
    for handle in &client.own_handles {
        let verdict = router.route(1, address(1), &short(*handle));
        assert_eq!(verdict, Verdict::Forward { to: address(5), flow });
    }
    let mut maker = CidMaker::new(client.edge_handles).expect("it has handles");
    let first = initial(maker.make([1, 2, 3, 4]).as_bytes());
    assert_eq!(router.route(1, address(5), &first), Verdict::Forward { to: address(1), flow });
}

/// Promise: nothing goes between anybody else: other tenants, other sites, two clients, two edge servers, strangers.
#[test]
fn nobody_else_is_reached() {
    let mut router = router(ROOMY);
    let names = [edge(1, 1), edge(1, 2), edge(2, 3)];
    let servers: Vec<Grant> =
        (1..).zip(names).map(|(host, name)| register(&mut router, name, host)).collect();
    let clients: Vec<Grant> =
        (11..).zip(names).map(|(host, name)| admit(&mut router, client(name, host), host)).collect();
    for (from, name) in (1_u8..).zip(names) {
        for (to, _) in (1_u8..).zip(names) {
            let (server, device) = (&servers[usize::from(to) - 1], &clients[usize::from(to) - 1]);
            let not_allowed = dropped(DropReason::NotAllowed);
            let to_server = router.route(1, address(from + 10), &short(server.own_handles[0]));
            let to_client = router.route(1, address(from), &short(device.own_handles[0]));
            assert_eq!(to_server == not_allowed, from != to, "{name:?}");
            assert_eq!(to_client == not_allowed, from != to, "{name:?}");
            assert_eq!(router.route(1, address(from), &short(server.own_handles[1])), not_allowed);
            assert_eq!(router.route(1, address(from + 10), &short(device.own_handles[1])), not_allowed);
        }
    }
    let verdict = router.route(1, address(99), &short(servers[0].own_handles[0]));
    assert_eq!(verdict, dropped(DropReason::UnknownSender));
    let verdict = router.route(
        1,
        address(99),
        &initial(&[servers[0].own_handles[0].as_bytes().as_slice(), &[0; 4]].concat()),
    );
    assert_eq!(verdict, dropped(DropReason::UnknownSender));
}

/// Promise: the relay's own endpoint gets what is for it, and no more.
#[test]
fn control_gets_its_own() {
    let router = router(ROOMY);
    let own = router.node_handles()[0];
    assert_eq!(router.route(1, address(9), &short(own)), Verdict::Control);
    assert_eq!(router.route(1, address(9), &initial(&[5; 20])), Verdict::Control);
    assert_eq!(router.route(1, address(9), &initial(&[5; 12])), Verdict::Control);
    let stranger = Handle::from_bytes([5; 8]);
    assert_eq!(router.route(1, address(9), &short(stranger)), dropped(DropReason::UnknownId));
    // One byte less than may begin a connection: an answer to it could be larger than itself.
    let small = &initial(&[5; 20])[..MIN_INITIAL_BYTES - 1];
    assert_eq!(router.route(1, address(9), small), dropped(Unreadable::IdLength.into()));
    let small = &initial(&[5; 12])[..MIN_INITIAL_BYTES - 1];
    assert_eq!(router.route(1, address(9), small), dropped(DropReason::UnknownId));
    let mut other_version = initial(&[5; 20]);
    other_version[4] = 2;
    assert_eq!(router.route(1, address(9), &other_version), dropped(Unreadable::Version.into()));
}

/// Promise: an admission ends when its time is over; an edge server goes with its clients.
#[test]
fn admissions_end() {
    let mut router = router(ROOMY);
    let server = register(&mut router, edge(1, 1), 1);
    let name = client(edge(1, 1), 5);
    router.admit(0, name, address(5), 1000, 100, secret(5)).expect("there is room");
    let packet = short(server.own_handles[0]);
    assert!(matches!(router.route(999, address(5), &packet), Verdict::Forward { .. }));
    assert_eq!(router.route(1000, address(5), &packet), dropped(DropReason::Expired));
    assert!(router.extend(999, &Party::Client(name), 1000));
    assert!(matches!(router.route(1998, address(5), &packet), Verdict::Forward { .. }));
    assert_eq!(router.poll_timeout(), Some(1999));
    assert_eq!(router.handle_timeout(1999), [Party::Client(name)]);
    assert_eq!(router.route(1999, address(5), &packet), dropped(DropReason::UnknownSender));
    admit(&mut router, name, 5);
    let gone = router.handle_timeout(HOUR_MS);
    assert_eq!(gone, [Party::Client(name), Party::Edge(edge(1, 1))]);
    assert_eq!(router.counts(), (0, 0));
    assert_eq!(router.poll_timeout(), None);
}

/// Promise: what is full refuses newcomers, and whoever is there may come again.
#[test]
fn a_full_node_refuses_newcomers() {
    let mut router = router(Capacity { edges: 2, clients: 3, clients_of_edge: 2 });
    register(&mut router, edge(1, 1), 1);
    register(&mut router, edge(2, 2), 2);
    let third = router.register(0, edge(3, 3), address(3), HOUR_MS, secret(3));
    assert_eq!(third.err(), Some(NoRoom::Edges));
    let mut come = |name: EdgeName, device, most| {
        router.admit(0, client(name, device), address(device), HOUR_MS, most, secret(device)).err()
    };
    assert_eq!(come(edge(1, 1), 11, 1), None);
    assert_eq!(come(edge(1, 1), 12, 1), Some(NoRoom::ClientsOfTenant));
    assert_eq!(come(edge(1, 1), 11, 1), None);
    assert_eq!(come(edge(1, 1), 12, 9), None);
    assert_eq!(come(edge(1, 1), 13, 9), Some(NoRoom::ClientsOfEdge));
    assert_eq!(come(edge(2, 2), 14, 9), None);
    assert_eq!(come(edge(2, 2), 15, 9), Some(NoRoom::Clients));
    assert_eq!(come(edge(9, 9), 16, 9), Some(NoRoom::UnknownEdge));
    assert_eq!(router.remove(&Subject::Tenant(edge(1, 1).tenant)).len(), 3);
    assert_eq!(router.counts(), (1, 1));
}

/// Promise: an edge server that comes again, from elsewhere, keeps its clients.
#[test]
fn an_edge_server_that_moves_keeps_its_clients() {
    let mut router = router(ROOMY);
    let server = register(&mut router, edge(1, 1), 1);
    admit(&mut router, client(edge(1, 1), 5), 5);
    register(&mut router, edge(1, 1), 2);
    let verdict = router.route(1, address(5), &short(server.own_handles[0]));
    assert_eq!(verdict, Verdict::Forward { to: address(2), flow: FlowId(1) });
}

/// Promise: nodes of one relay hand out the same handles, those of another relay do not; no two parties share one.
#[test]
fn handles_are_the_same_at_every_node() {
    let one = Party::Edge(edge(1, 1));
    let other = RoutingKey::new(Secret::new([2; 32]));
    assert_eq!(key().handles(&one), key().handles(&one));
    let mut all: Vec<Handle> = key().handles(&one);
    all.extend(key().handles(&Party::Client(client(edge(1, 1), 1))));
    all.extend(key().handles(&Party::Client(client(edge(1, 1), 2))));
    all.extend(key().handles(&Party::Edge(edge(2, 1))));
    all.extend(other.handles(&one));
    all.extend(key().node_handles(NodeId(1)));
    all.extend(key().node_handles(NodeId(2)));
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count);
}

/// Promise: an id shows no handle twice before all were used.
#[test]
fn handles_take_turns() {
    let mut maker = CidMaker::new(key().handles(&Party::Client(client(edge(1, 1), 1)))).expect("handles");
    let made: Vec<Handle> = (0..32).map(|_| maker.make([0; 4]).handle()).collect();
    let mut distinct = made[..16].to_vec();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 16);
    assert_eq!(made[..16], made[16..]);
    assert!(CidMaker::new(Vec::new()).is_none());
}

/// A table of parties as it should be: where each is, and until when.
#[derive(Default)]
struct Model(BTreeMap<Party, (Option<u8>, u64)>);

impl Model {
    fn count(&self, which: impl Fn(&Party) -> bool) -> usize {
        self.0.keys().filter(|party| which(party)).count()
    }

    fn has_room_for(&self, party: &Party) -> bool {
        let clients = |which: &dyn Fn(&EdgeName) -> bool| {
            self.count(|other| matches!(other, Party::Client(client) if which(&client.edge)))
        };
        match party {
            _ if self.0.contains_key(party) => true,
            Party::Edge(_) => self.count(|other| matches!(other, Party::Edge(_))) < 3,
            Party::Client(ClientName { edge, .. }) => {
                let of_tenant = clients(&|other| other.tenant == edge.tenant);
                let is_edge_here = self.0.contains_key(&Party::Edge(*edge));
                is_edge_here && clients(&|_| true) < 5 && of_tenant < 4 && clients(&|other| other == edge) < 3
            }
        }
    }

    fn put(&mut self, party: Party, host: u8, expires_at_ms: u64) {
        self.0.values_mut().filter(|(other, _)| *other == Some(host)).for_each(|(other, _)| *other = None);
        self.0.insert(party, (Some(host), expires_at_ms));
    }

    fn expire(&mut self, now_ms: u64) {
        let over = self.0.iter().filter(|(_, (_, expires_at_ms))| *expires_at_ms <= now_ms);
        let over: BTreeSet<Party> = over.map(|(party, _)| *party).collect();
        self.0.retain(|party, _| !over.contains(party) && !over.contains(&Party::Edge(*party.edge())));
    }

    fn route(&self, from: u8, to: &Party) -> Result<SocketAddr, DropReason> {
        let (host, _) = self.0.get(to).ok_or(DropReason::UnknownId)?;
        let sender = self.0.iter().find(|(_, (host, _))| *host == Some(from));
        match (sender.ok_or(DropReason::UnknownSender)?.0, to) {
            (Party::Client(client), Party::Edge(edge)) | (Party::Edge(edge), Party::Client(client))
                if client.edge == *edge => {}
            _ => return Err(DropReason::NotAllowed),
        }
        host.map(address).ok_or(DropReason::NoAddress)
    }
}

proptest! {
    /// Promise: a packet of QUIC, whatever is in it, goes from a client to its edge server and back, and nowhere from anybody else or to its sender.
    #[test]
    fn bytes_go_where_they_may(host in 0_u8..8, handle in 0_usize..80, first in 0x40_u8..0x80,
                               body in proptest::collection::vec(any::<u8>(), 24..60)) {
        let mut router = router(ROOMY);
        let server = register(&mut router, edge(1, 1), 1).own_handles;
        let device = admit(&mut router, client(edge(1, 1), 5), 5).own_handles;
        let expected = match host {
            5 if handle < server.len() => Some(address(1)),
            1 if handle >= server.len() => Some(address(5)),
            _ => None,
        };
        let datagram = [&[first], [server, device].concat()[handle].as_bytes().as_slice(), &body].concat();
        let to = match router.route(1, address(host), &datagram) {
            Verdict::Forward { to, .. } => Some(to),
            _ => None,
        };
        prop_assert_eq!(to, expected);
    }

    /// Promise: whatever comes and goes in whatever order, the table knows who is there, where and until when, and routes accordingly.
    #[test]
    fn the_table_stays_whole(steps in proptest::collection::vec((0_u8..6, 0_u8..3, 0_u8..2, 0_u8..4, 1_u8..9, 1_u64..50), 0..60)) {
        let mut router = router(Capacity { edges: 3, clients: 5, clients_of_edge: 3 });
        let (mut model, mut now_ms) = (Model::default(), 0);
        let edges = (0..3).flat_map(|tenant| (0..2).map(move |site| edge(tenant, site)));
        let parties = edges.flat_map(|edge| (0..5).map(move |device| match device {
            4 => Party::Edge(edge),
            _ => Party::Client(client(edge, device)),
        }));
        let handles: BTreeMap<Party, Handle> = parties.map(|party| (party, key().handles(&party)[0])).collect();
        for (step, tenant, site, device, host, ms) in steps {
            let edge = edge(tenant, site);
            let party = if step < 2 { Party::Edge(edge) } else { Party::Client(client(edge, device)) };
            if step < 4 {
                let taken = match party {
                    Party::Edge(edge) => router.register(now_ms, edge, address(host), ms, secret(host)),
                    Party::Client(client) => router.admit(now_ms, client, address(host), ms, 4, secret(host)),
                };
                prop_assert_eq!(taken.is_ok(), model.has_room_for(&party));
                if taken.is_ok() {
                    model.put(party, host, now_ms + ms);
                }
            } else if step == 4 {
                let gone = router.remove(&Subject::Party(party));
                prop_assert_eq!(gone.len(), usize::from(model.0.remove(&party).is_some()));
            } else {
                now_ms += ms;
                router.handle_timeout(now_ms);
                model.expire(now_ms);
            }
            prop_assert_eq!(router.poll_timeout(), model.0.values().map(|(_, at_ms)| *at_ms).min());
            for party in handles.keys() {
                let host = model.0.get(party).and_then(|(host, _)| *host);
                prop_assert_eq!(router.address_of(party), host.map(address), "{:?}", party);
            }
        }
        for (party, handle) in &handles {
            for host in 1..9 {
                let routed = match router.route(now_ms, address(host), &short(*handle)) {
                    Verdict::Forward { to, .. } => Ok(to),
                    Verdict::Drop(reason) => Err(reason),
                    other => return Err(TestCaseError::fail(format!("{other:?}"))),
                };
                prop_assert_eq!(routed, model.route(host, party));
            }
        }
        (0..3).for_each(|tenant| drop(router.remove(&Subject::Tenant(edge(tenant, 0).tenant))));
        prop_assert_eq!(router.counts(), (0, 0));
        prop_assert_eq!(router.poll_timeout(), None);
    }
}
