//! A port of the router: asked for, offered to devices, renewed, withdrawn, given back. The router is a socket on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UdpSocket;
use tresen_edge::relay::join;
use tresen_identity::Secret;
use tresen_path::{ClientPath, Local};
use tresen_reach::{read_exchange, write_exchange};
use tresen_wire::CloseCode;

use crate::client::Native;
use crate::relayed::{Relay, eventually, relay};
use crate::world::World;

/// A router's address outside.
pub const EXTERNAL_IP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

/// Where a box is to be reached from outside.
const EXTERNAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(EXTERNAL_IP), 40_404);

/// ... and with another port.
const ELSEWHERE: SocketAddr = SocketAddr::new(EXTERNAL.ip(), 40_405);

/// For how long a router maps a port, in seconds; a box takes no less.
const LIFETIME_S: u32 = 30;

/// For how long it is asked to, each time.
pub const WANTED_S: u32 = 1_200;

/// What a router speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Pcp,
    NatPmp,
    /// PCP, but it grants nothing.
    Refusal,
    /// PCP, and it grants one second.
    Haste,
    /// PCP, and it answers whoever gives a port back, and nobody else.
    Silence,
    /// PCP, and it grants nothing, and does not answer whoever gives a port back.
    Grudge,
    /// NAT-PMP, and it grants another port and does not say its address.
    NatPmpElsewhere,
}

/// What it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    nonce: [u8; 12],
    internal_port: u16,
    external_port: u16,
    lifetime_s: u32,
}

/// A router that speaks PCP (RFC 6887) or NAT-PMP (RFC 6886).
struct Router {
    speaks: Arc<Mutex<Speaks>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Router {
    async fn start(at: Ipv4Addr, speaks: Speaks) -> Self {
        let socket = UdpSocket::bind((at, 5351)).await.unwrap();
        let router = Self { speaks: Arc::new(Mutex::new(speaks)), asked: Arc::default() };
        let (speaks, asked) = (router.speaks.clone(), router.asked.clone());
        tokio::spawn(async move {
            let mut request = [0; 1_100];
            while let Ok((length, from)) = socket.recv_from(&mut request).await {
                let speaks = *speaks.lock().unwrap();
                let answer = match (request[0], speaks) {
                    (2, Speaks::NatPmp | Speaks::NatPmpElsewhere) => {
                        Some([&[0, 0x81, 0, 1], &[0; 4][..]].concat())
                    }
                    (2, _) => {
                        let answer = pcp(&request[..length], speaks, &asked);
                        let gives_back = u32_at(&request, 4) == 0;
                        let is_silent = match speaks {
                            Speaks::Silence => !gives_back,
                            Speaks::Grudge => gives_back,
                            _ => false,
                        };
                        (!is_silent).then_some(answer)
                    }
                    (0, Speaks::NatPmp) => Some(nat_pmp(&request[..length], EXTERNAL.port(), &asked)),
                    (0, Speaks::NatPmpElsewhere) if request[1] != 0 => {
                        Some(nat_pmp(&request[..length], ELSEWHERE.port(), &asked))
                    }
                    _ => None,
                };
                if let Some(answer) = answer {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        router
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn pcp(request: &[u8], speaks: Speaks, asked: &Mutex<Vec<Asked>>) -> Vec<u8> {
    let lifetime_s = u32_at(request, 4);
    asked.lock().unwrap().push(Asked {
        nonce: request[24..36].try_into().unwrap(),
        internal_port: u16_at(request, 40),
        external_port: u16_at(request, 42),
        lifetime_s,
    });
    let mut answer = request.to_vec();
    answer[1] |= 0x80;
    answer[3] = if matches!(speaks, Speaks::Refusal | Speaks::Grudge) { 2 } else { 0 };
    let granted_s = if speaks == Speaks::Haste { 1 } else { LIFETIME_S };
    answer[4..8].copy_from_slice(&lifetime_s.min(granted_s).to_be_bytes());
    answer[8..24].fill(0);
    answer[42..44].copy_from_slice(&EXTERNAL.port().to_be_bytes());
    answer[44..60].copy_from_slice(&[&[0; 10][..], &[0xff; 2], &EXTERNAL_IP.octets()].concat());
    answer
}

fn nat_pmp(request: &[u8], port: u16, asked: &Mutex<Vec<Asked>>) -> Vec<u8> {
    let head = |operation: u8| vec![0, 0x80 | operation, 0, 0, 0, 0, 0, 9];
    if request[1] == 0 {
        return [head(0), EXTERNAL_IP.octets().to_vec()].concat();
    }
    let lifetime_s = u32_at(request, 8);
    let (internal_port, external_port) = (u16_at(request, 4), u16_at(request, 6));
    asked.lock().unwrap().push(Asked { nonce: [0; 12], internal_port, external_port, lifetime_s });
    let granted = if lifetime_s == 0 { 0 } else { port };
    let ports = [internal_port.to_be_bytes(), granted.to_be_bytes()].concat();
    [head(request[1]), ports, lifetime_s.min(LIFETIME_S).to_be_bytes().to_vec()].concat()
}

/// A box behind a router, at a relay, and a device that is paired.
pub async fn behind(router: Ipv4Addr) -> (Relay, World, Native) {
    let relay = relay().await;
    let folder = tempfile::tempdir().unwrap();
    join(folder.path(), &relay.running.listen.to_string(), &relay.enrolment).await.unwrap();
    let world = World::behind(router, folder).await;
    eventually("the box is at the relay", || relay.running.node.counts() == (1, 0)).await;
    let native = world.paired(9).await;
    (relay, world, native)
}

/// Whether a device looks for the box there, after the box has said where it is.
async fn is_offered(world: &World, native: &Native, external: SocketAddr) -> bool {
    let connection = native.dial(world.port(), world.server.site.name).await.unwrap();
    let mut path = ClientPath::new(&Secret::new([3; 32]));
    path.set_local(0, Local::new(&[SocketAddr::from(([127, 0, 0, 1], 9))], &[], &[]));
    path.connected(0);
    let mut send = connection.open_uni().await.unwrap();
    write_exchange(&mut send, &path.poll_message().unwrap()).await.unwrap();
    let mut receive = connection.accept_uni().await.unwrap();
    path.handle_message(0, &read_exchange(&mut receive).await.unwrap()).unwrap();
    std::iter::from_fn(|| path.poll_transmit(0)).any(|probe| probe.to == external)
}

pub async fn until_offered(world: &World, native: &Native, external: SocketAddr, is: bool) {
    let waiting = async { while is_offered(world, native, external).await != is {} };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the offer");
}

/// Promise: what the router maps is offered to devices and renewed before it ends, with what was granted; when the router grants it no more, it is
/// offered no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_the_router_is_offered_as_long_as_it_is_granted() {
    let at = Ipv4Addr::new(127, 53, 51, 1);
    let router = Router::start(at, Speaks::Pcp).await;
    let (_relay, world, native) = behind(at).await;
    until_offered(&world, &native, EXTERNAL, true).await;
    eventually("it is renewed", || router.asked().len() >= 2).await;
    assert!(is_offered(&world, &native, EXTERNAL).await);
    let asked = router.asked();
    assert_eq!((asked[0].internal_port, asked[0].external_port), (world.port(), world.port()));
    assert!(asked.iter().all(|asked| asked.lifetime_s == WANTED_S), "whatever was granted: {asked:?}");
    for renewal in &asked[1..] {
        assert_eq!(renewal.nonce, asked[0].nonce);
        assert_eq!((renewal.internal_port, renewal.external_port), (world.port(), EXTERNAL.port()));
    }
    *router.speaks.lock().unwrap() = Speaks::Refusal;
    until_offered(&world, &native, EXTERNAL, false).await;
    eventually("it is given back", || router.asked().last().unwrap().lifetime_s == 0).await;
}

/// Promise: a router knows a box again that was started anew, and one that grants a port for a moment only is left alone: what it granted is given back, and it
/// is not asked all the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_router_in_haste_is_left_alone() {
    let at = Ipv4Addr::new(127, 53, 51, 3);
    let router = Router::start(at, Speaks::Haste).await;
    let (_relay, world, native) = behind(at).await;
    eventually("it is given back", || router.asked().len() == 2).await;
    assert_eq!(router.asked().iter().map(|asked| asked.lifetime_s).collect::<Vec<_>>(), [WANTED_S, 0]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(router.asked().len(), 2, "{:?}", router.asked());
    assert!(!is_offered(&world, &native, EXTERNAL).await);
    *router.speaks.lock().unwrap() = Speaks::Pcp;
    let World { server, folder } = world;
    server.finish(CloseCode::ServerStopping, "").await;
    let _world = World::behind(at, folder).await;
    eventually("it is asked again", || router.asked().len() == 3).await;
    let asked = router.asked();
    assert_eq!((asked[2].nonce, asked[2].lifetime_s), (asked[0].nonce, WANTED_S));
}

/// Promise: a box that stops in the middle of a renewal gives its port back all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_given_back_in_the_middle_of_a_renewal() {
    let at = Ipv4Addr::new(127, 53, 51, 4);
    let router = Router::start(at, Speaks::Pcp).await;
    let (_relay, world, native) = behind(at).await;
    until_offered(&world, &native, EXTERNAL, true).await;
    *router.speaks.lock().unwrap() = Speaks::Silence;
    let before = router.asked().len();
    eventually("it is to be renewed", || router.asked().len() > before).await;
    world.server.finish(CloseCode::ServerStopping, "").await;
    let asked = router.asked();
    let (first, last) = (asked[0], asked[asked.len() - 1]);
    assert_eq!(
        (last.nonce, last.internal_port, last.lifetime_s),
        (first.nonce, first.internal_port, 0),
        "{asked:?}"
    );
}

/// Promise: a box that stops while its router is asked for the first time gives back what it may have been granted without hearing of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_nobody_heard_of_is_given_back() {
    let at = Ipv4Addr::new(127, 53, 51, 5);
    let router = Router::start(at, Speaks::Silence).await;
    let (_relay, world, _native) = behind(at).await;
    eventually("it is asked", || !router.asked().is_empty()).await;
    world.server.finish(CloseCode::ServerStopping, "").await;
    let asked = router.asked();
    let last = asked[asked.len() - 1];
    assert_eq!((last.nonce, last.lifetime_s), (asked[0].nonce, 0), "{asked:?}");
    assert_eq!(last.internal_port, asked[0].internal_port);
}

/// Promise: a box that stops while it gives a port back goes on giving it back.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_given_back_once_more() {
    let at = Ipv4Addr::new(127, 53, 51, 6);
    let router = Router::start(at, Speaks::Pcp).await;
    let (_relay, world, native) = behind(at).await;
    until_offered(&world, &native, EXTERNAL, true).await;
    *router.speaks.lock().unwrap() = Speaks::Grudge;
    let given_back = || router.asked().iter().filter(|asked| asked.lifetime_s == 0).count();
    let waiting = async {
        while given_back() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it is to be given back");
    *router.speaks.lock().unwrap() = Speaks::Pcp;
    let before = given_back();
    world.server.finish(CloseCode::ServerStopping, "").await;
    assert!(given_back() > before, "{:?}", router.asked());
}

/// Promise: when a router grants another port and does not say its address, the box is offered at that port.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_has_changed_is_offered() {
    let at = Ipv4Addr::new(127, 53, 51, 7);
    let router = Router::start(at, Speaks::NatPmp).await;
    let (_relay, world, native) = behind(at).await;
    until_offered(&world, &native, EXTERNAL, true).await;
    *router.speaks.lock().unwrap() = Speaks::NatPmpElsewhere;
    let waiting = async { while !is_offered(&world, &native, ELSEWHERE).await {} };
    tokio::time::timeout(Duration::from_secs(25), waiting).await.expect("the offer");
    assert!(!is_offered(&world, &native, EXTERNAL).await);
}

/// Promise: a router that knows NAT-PMP only is asked by it, and gets its port back when the box stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_stops_gives_the_port_back() {
    let at = Ipv4Addr::new(127, 53, 51, 2);
    let router = Router::start(at, Speaks::NatPmp).await;
    let (_relay, world, native) = behind(at).await;
    until_offered(&world, &native, EXTERNAL, true).await;
    assert!(router.asked().iter().all(|asked| asked.lifetime_s > 0));
    let port = world.port();
    world.server.finish(CloseCode::ServerStopping, "").await;
    let last = router.asked().pop().unwrap();
    assert_eq!((last.internal_port, last.lifetime_s), (port, 0));
}
