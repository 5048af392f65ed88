//! Past the relay: the same session on a direct path, all of it real.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tresen_edge::links::Way;
use tresen_identity::{RelayRoute, Secret};
use tresen_path::{ClientPath, Local};
use tresen_reach::{read_exchange, write_exchange, write_turn};

use crate::client::{Client, Native};
use crate::relayed::{box_at_relay, eventually};

/// Taps before, during and after the switch.
const TAPS: usize = 30;

/// Promise: a session that began through the relay goes on past it while an order is taken: no tap is lost or doubled, the connection stays the same, the
/// office says which way it takes, and the relay carries nothing of it any more.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_order_goes_on_past_the_relay() {
    let (relay, world, route) = box_at_relay().await;
    let site = &world.server.site;
    let native = world.paired(9).await;

    let relayed = native.held(&route, site.name).await.unwrap();
    let connection = relayed.connection.clone();
    let mut client = Client::new(Native::open(relayed).await.unwrap());
    let way = || {
        site.links.sample();
        site.links.record(native.key.fingerprint()).map(|record| record.way)
    };
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    let mut taps = 0;
    while taps < TAPS {
        client.book("Cola 0,33").await;
        taps += 1;
    }
    assert_eq!(way(), Some(Way::Relayed));
    connection.set_max_concurrent_uni_streams(1_u8.into());
    while way() != Some(Way::Direct) && taps < 40 * TAPS {
        client.book("Cola 0,33").await;
        taps += 1;
    }
    assert_eq!(way(), Some(Way::Direct));
    // What belongs to the way before may still be under way.
    let packets = || relay.running.node.counters().packets();
    let mut carried = None;
    while carried.replace(packets()) != Some(packets()) {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    for _ in 0..TAPS {
        client.book("Cola 0,33").await;
        taps += 1;
    }
    assert_eq!(Some(packets()), carried, "the relay carries nothing");
    assert!(client.closed.is_none(), "the connection is the same");
    let till = site.ledger.till();
    let lines: u32 = till.open_checks().flat_map(|check| &check.lines).map(|line| line.quantity).sum();
    assert_eq!(lines as usize, taps);
}

/// A router before a device, whose outside address can change.
struct Router {
    inside: SocketAddr,
    outside: watch::Sender<Arc<UdpSocket>>,
}

impl Router {
    async fn start(relay: SocketAddr, outside: Ipv4Addr) -> Self {
        let inside = Arc::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap());
        let at = inside.local_addr().unwrap();
        let (outside, mut changing) = watch::channel(Arc::new(UdpSocket::bind((outside, 0)).await.unwrap()));
        let device = Arc::new(Mutex::new(None));
        let (leaving, behind, from) = (changing.clone(), inside.clone(), device.clone());
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            while let Ok((length, at)) = behind.recv_from(&mut buffer).await {
                *from.lock().unwrap() = Some(at);
                let outside = leaving.borrow().clone();
                let _ = outside.send_to(&buffer[..length], relay).await;
            }
        });
        tokio::spawn(async move {
            let mut buffer = [0; 2048];
            loop {
                let outside = changing.borrow_and_update().clone();
                tokio::select! {
                    received = outside.recv_from(&mut buffer) => {
                        let device = *device.lock().unwrap();
                        if let (Ok((length, _)), Some(device)) = (received, device) {
                            let _ = inside.send_to(&buffer[..length], device).await;
                        }
                    }
                    changed = changing.changed() => if changed.is_err() { return },
                }
            }
        });
        Self { inside: at, outside }
    }

    async fn change(&self, outside: Ipv4Addr) {
        self.outside.send_replace(Arc::new(UdpSocket::bind((outside, 0)).await.unwrap()));
    }
}

/// Promise: a device in another network is known at the relay after a knock, upon the connection that it has; the relay tells the box where it is now; and a
/// direct way is looked for anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_one_knock() {
    let (relay, world, route) = box_at_relay().await;
    let site = &world.server.site;
    let native = world.paired(9).await;

    let (here, elsewhere) = (Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2));
    let router = Router::start(relay.running.listen, here).await;
    let behind = RelayRoute::new(route.tenant, route.relay, &router.inside.to_string()).unwrap();
    let relayed = native.call(&behind, site.name).await.unwrap();
    let is_direct = || matches!(relayed.route(), tresen_reach::Route::Direct(_));
    eventually("a direct way", is_direct).await;
    let device = native.key.fingerprint();
    assert_eq!(site.relay.vouched(device), Some(IpAddr::from(here)));

    router.change(elsewhere).await;
    assert!(relayed.moved().await, "the relay knows the new address");
    eventually("the box knows it too", || site.relay.vouched(device) == Some(elsewhere.into())).await;
    eventually("a direct way again", is_direct).await;
    assert!(relayed.connection.close_reason().is_none());
}

/// Promise: a device that dials anew at once goes past the relay in the round with which it begins: its offer is answered late, not never.
#[tokio::test(flavor = "multi_thread")]
async fn who_dials_anew_is_answered() {
    let (_relay, world, route) = box_at_relay().await;
    let native = world.paired(9).await;
    for _ in 0..3 {
        let relayed = native.call(&route, world.server.site.name).await.unwrap();
        let going = async {
            while !matches!(relayed.route(), tresen_reach::Route::Direct(_)) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let round = Duration::from_millis(tresen_path::limits::ROUND_MS);
        tokio::time::timeout(round, going).await.expect("a direct way");
    }
}

/// Promise: who takes another way sends a whole packet there at once, so that the box may answer with three before it has asked whether the address is real;
/// what it says is understood.
#[tokio::test(flavor = "multi_thread")]
async fn who_turns_sends_a_whole_packet() {
    let (_relay, world, _route) = box_at_relay().await;
    let native = world.paired(9).await;
    let connection = native.dial(world.port(), world.server.site.name).await.unwrap();
    let mut path = ClientPath::new(&Secret::new([3; 32]));
    path.set_local(0, Local::new(&[SocketAddr::from(([127, 0, 0, 1], 9))], &[], &[]));
    path.connected(0);
    let mut send = connection.open_uni().await.unwrap();
    let sent = || connection.stats().udp_tx.bytes;
    // It finds out first how long packets may be.
    let mut before = None;
    while before.replace(sent()) != Some(sent()) {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    write_turn(&mut send).await.unwrap();
    eventually("a whole packet", || Some(sent()) >= before.map(|before| before + 1_200)).await;
    write_exchange(&mut send, &path.poll_message().unwrap()).await.unwrap();
    let mut receive = connection.accept_uni().await.unwrap();
    path.handle_message(0, &read_exchange(&mut receive).await.unwrap()).unwrap();
}
