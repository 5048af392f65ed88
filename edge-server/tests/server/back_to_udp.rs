//! Where UDP was blocked, and gets through again: who came by a tunnel goes on by UDP.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::watch;
use tresen_edge::links::Way;
use tresen_edge::relay::join;
use tresen_identity::RelayRoute;
use tresen_reach::{Relayed, Route};
use tresen_relay::Rates;

use crate::client::{Client, Native};
use crate::relayed::{Relay, TENANT, eventually, relay};
use crate::world::World;

/// No answer takes longer while box and device change their ways.
const LONGEST: Duration = Duration::from_millis(400);

/// Both have changed after this: two attempts of either.
const CHANGED_AFTER: Duration = Duration::from_secs(30);

/// From one tap to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// UDP gets to the relay at this address from now on.
async fn let_udp_through(at: SocketAddr, relay: SocketAddr) {
    let front = Arc::new(UdpSocket::bind(at).await.unwrap());
    tokio::spawn(async move {
        let mut behind: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let mut buffer = [0; 2048];
        // What was sent to somebody who has gone is heard here.
        loop {
            let Ok((length, from)) = front.recv_from(&mut buffer).await else { continue };
            let socket = match behind.get(&from) {
                Some(socket) => socket.clone(),
                None => {
                    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                    socket.connect(relay).await.unwrap();
                    behind.insert(from, socket.clone());
                    tokio::spawn(back(socket.clone(), front.clone(), from));
                    socket
                }
            };
            let _ = socket.send(&buffer[..length]).await;
        }
    });
}

async fn back(socket: Arc<UdpSocket>, front: Arc<UdpSocket>, to: SocketAddr) {
    let mut buffer = [0; 2048];
    while let Ok(length) = socket.recv(&mut buffer).await {
        let _ = front.send_to(&buffer[..length], to).await;
    }
}

/// A relay whose UDP nobody reaches, and where it takes streams.
async fn without_udp() -> (Relay, SocketAddr) {
    let relay = relay().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    relay.running.take_streams(listener);
    (relay, at)
}

/// A waiter at a table, and the way that the device takes at every moment.
async fn at_a_table(relayed: Relayed) -> (Client, watch::Receiver<Route>) {
    let mut ways = relayed.ways();
    let (told, route) = watch::channel(relayed.route());
    tokio::spawn(async move {
        loop {
            let _ = told.send(ways.change().await);
        }
    });
    let mut client = Client::new(Native::open(relayed).await.unwrap());
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    (client, route)
}

/// Promise: when UDP gets through again, a box and its device leave their tunnels for it while an order is taken: every tap is answered at once, none is lost or
/// doubled, and the connection stays the same.
#[tokio::test(flavor = "multi_thread")]
async fn who_came_by_a_tunnel_goes_back_to_udp() {
    let (relay, at) = without_udp().await;
    let folder = tempfile::tempdir().unwrap();
    let route = join(folder.path(), &at.to_string(), &relay.enrolment).await.unwrap();
    let world = World::again(folder).await;
    let site = &world.server.site;
    eventually("the box is at the relay", || relay.running.node.counts() == (1, 0)).await;
    let native: Native = world.paired(9).await;
    let relayed = native.held(&route, site.name).await.unwrap();
    assert!(matches!(relayed.route(), Route::Tunnelled));
    let connection = relayed.connection.clone();
    let (mut client, route) = at_a_table(relayed).await;
    client.book("Cola 0,33").await;
    let way = || {
        site.links.sample();
        site.links.record(native.key.fingerprint()).map(|record| record.way)
    };
    assert_eq!(way(), Some(Way::Tunnelled));
    assert_eq!(relay.running.node.open_passes(), 2);

    let_udp_through(at, relay.running.listen).await;
    let (start, mut taps, mut longest) = (Instant::now(), 1, Duration::ZERO);
    let is_back = || matches!(*route.borrow(), Route::Relayed) && way() == Some(Way::Relayed);
    while !is_back() || relay.running.node.open_passes() > 0 {
        assert!(start.elapsed() < CHANGED_AFTER, "{:?}, {:?}", *route.borrow(), way());
        let tap = Instant::now();
        client.book("Cola 0,33").await;
        longest = longest.max(tap.elapsed());
        taps += 1;
        tokio::time::sleep(PAUSE).await;
    }
    println!("back by UDP after {:?}; {taps} taps, the longest took {longest:?}", start.elapsed());
    assert!(longest < LONGEST, "a tap took {longest:?}");
    client.book("Cola 0,33").await;
    assert!(client.closed.is_none() && connection.close_reason().is_none(), "the connection is the same");
    let till = site.ledger.till();
    let lines: u32 = till.open_checks().flat_map(|check| &check.lines).map(|line| line.quantity).sum();
    assert_eq!(lines, taps + 1);
}

/// A device that was refused by UDP does not try again before this.
const UNTROUBLED: Duration = Duration::from_secs(4);

/// Promise: a device whose node is reached by UDP, but takes it there no more (its tenant comes too often), stays in the tunnel that it has, does not press, and goes
/// back to UDP when it may.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_by_udp_stays_in_the_tunnel() {
    let (relay, at) = without_udp().await;
    let node = &relay.running.node;
    let folder = tempfile::tempdir().unwrap();
    join(folder.path(), &relay.running.listen.to_string(), &relay.enrolment).await.unwrap();
    let world = World::again(folder).await;
    let site = &world.server.site;
    eventually("the box is at the relay, by UDP", || node.counts() == (1, 0)).await;
    let (native, other) = (world.paired(9).await, world.paired(8).await);
    let route = RelayRoute::new(TENANT, relay.running.key.fingerprint(), &at.to_string()).unwrap();
    let relayed = native.held(&route, site.name).await.unwrap();
    let (mut client, mut is) = at_a_table(relayed).await;
    let limit = async |connects_a_minute| {
        let rates = Rates { connects_a_minute: NonZeroU32::new(connects_a_minute), bytes_a_second: None };
        node.change_directory(|all| all.limit(TENANT, 10, rates)).await.unwrap().result.unwrap();
    };
    limit(1).await;
    let _other = other.held(&route, site.name).await.unwrap();

    let refused = || {
        let text = node.counters().text(0, 0);
        let line = text.lines().find(|line| line.starts_with("tresen_relay_refused_total")).unwrap();
        line.split_once(' ').unwrap().1.parse::<u32>().unwrap()
    };
    assert_eq!((refused(), node.open_passes()), (0, 2));
    let_udp_through(at, relay.running.listen).await;
    eventually("it is refused", || refused() > 0).await;
    let (start, mut longest) = (Instant::now(), Duration::ZERO);
    while start.elapsed() < UNTROUBLED {
        let tap = Instant::now();
        client.book("Cola 0,33").await;
        longest = longest.max(tap.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    assert!(longest < LONGEST, "a tap took {longest:?}");
    assert!(matches!(*is.borrow(), Route::Tunnelled) && node.open_passes() == 2);
    assert!(refused() <= 2, "each of the two asked once: {}", refused());
    limit(600).await;
    let back = is.wait_for(|route| matches!(route, Route::Relayed));
    tokio::time::timeout(2 * CHANGED_AFTER, back).await.expect("it is back by UDP").unwrap();
    client.book("Cola 0,33").await;
    assert!(client.closed.is_none());
}
