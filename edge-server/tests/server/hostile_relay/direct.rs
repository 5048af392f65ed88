//! A relay that lies about addresses, while devices look for a way past it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tresen_path::limits;
use tresen_reach::{Relayed, Route};

use super::node::{Evil, Lie};
use super::site;
use crate::client::{Client, Native};
use crate::relayed::eventually;

/// Until all pings of a round are sent.
const ROUND: Duration = Duration::from_millis(limits::ROUND_MS);

/// Somebody who has nothing to do with it: what comes to him is counted.
struct Stranger {
    at: SocketAddr,
    got: Arc<AtomicU64>,
}

impl Stranger {
    /// He says what comes back to whoever sent it, and to those whom he has heard of.
    async fn at(address: &str) -> Self {
        let socket = UdpSocket::bind(address).await.unwrap();
        let (at, got) = (socket.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
        let counted = got.clone();
        tokio::spawn(async move {
            let (mut buffer, mut known) = ([0; 2048], Vec::new());
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                counted.fetch_add(1, Ordering::Relaxed);
                if !known.contains(&from) {
                    known.push(from);
                }
                for to in &known {
                    let _ = socket.send_to(&buffer[..length], *to).await;
                }
            }
        });
        Self { at, got }
    }

    fn got(&self) -> u64 {
        self.got.load(Ordering::Relaxed)
    }
}

fn is_direct(relayed: &Relayed, to: u16) -> bool {
    matches!(relayed.route(), Route::Direct(address) if address.port() == to)
}

/// Promise: a relay that says of everybody that he is where a stranger is, where nobody can be, or in a tunnel, keeps nobody from the direct way that there is;
/// the way never leads to the stranger, who is sent a bounded number of small packets and nothing of the session.
#[tokio::test(flavor = "multi_thread")]
async fn invented_addresses_lead_nowhere() {
    let evil = Evil::start().await;
    let stranger = Stranger::at("127.0.0.9:0").await;
    evil.lie(Lie::At(stranger.at));
    let site = site(&evil).await;
    let native = site.world.paired(9).await;
    let (mut taps, mut most) = (0, 0);
    let invented = ["240.0.0.1:1", "224.0.0.251:5353", "255.255.255.255:9", "0.0.0.0:443", "127.0.0.1:0"];
    let invented = invented.map(|text| text.parse().unwrap());
    for said in [stranger.at].into_iter().chain(invented) {
        evil.lie(Lie::At(said));
        let relayed = native.call(&site.route, site.name()).await.unwrap();
        eventually("the direct way", || is_direct(&relayed, site.world.port())).await;
        let mut client = Client::new(Native::open(relayed).await.unwrap());
        if taps == 0 {
            client.log_in("Anna", "1234").await;
            client.tap("Table 4").await;
        }
        for _ in 0..3 {
            client.book("Cola 0,33").await;
            taps += 1;
        }
        assert_eq!(site.booked(), taps, "{said}");
        if said == stranger.at {
            tokio::time::sleep(ROUND).await;
        }
        // One round of either end, and the answers to what he sends on.
        most += 2 * 2 * limits::PING_AFTER_MS.len() as u64;
        assert!(stranger.got() <= most, "{} packets", stranger.got());
        client.leave();
    }
    assert!(stranger.got() > 0, "he was pinged");
}

/// Promise: a relay that says of each of two devices that it is where the other one is, changes nothing: each goes its own way to the box, and its inputs count
/// as its own.
#[tokio::test(flavor = "multi_thread")]
async fn swapped_addresses_change_nothing() {
    let evil = Evil::start().await;
    let site = site(&evil).await;
    evil.lie(Lie::Swapped);
    let natives = [site.world.paired(9).await, site.world.paired(10).await];
    // Both are known before either of them is lied about.
    for native in &natives {
        drop(native.held(&site.route, site.name()).await.unwrap());
    }
    let mut waiters = Vec::new();
    for (native, (person, pin, table)) in
        natives.iter().zip([("Anna", "1234", "Table 4"), ("Ben", "2345", "Table 7")])
    {
        let relayed = native.call(&site.route, site.name()).await.unwrap();
        eventually("the direct way", || is_direct(&relayed, site.world.port())).await;
        let mut client = Client::new(Native::open(relayed).await.unwrap());
        client.log_in(person, pin).await;
        client.tap(table).await;
        waiters.push(client);
    }
    for taps in 1..=10 {
        for (client, own) in waiters.iter_mut().zip([1, 2]) {
            client.book("Cola 0,33").await;
            assert_eq!(site.booked(), 2 * (taps - 1) + own);
        }
    }
    for client in &mut waiters {
        client.see("10 Cola 0,33").await;
        assert!(client.closed.is_none());
    }
}
