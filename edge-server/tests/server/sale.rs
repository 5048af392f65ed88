//! A waiter sells.

use crate::client::{Client, Native, loopback};
use crate::world::World;
use tresen_identity::{DeviceClass, PairAnswer};

/// Promise: from the log-in to the receipt, on a streamed screen.
#[tokio::test(flavor = "multi_thread")]
async fn from_log_in_to_receipt() {
    let world = World::open().await;
    let mut anna = Client::tab(world.port(), 1).await;
    anna.log_in("Anna", "1234").await;
    anna.tap("Table 4").await;
    anna.tap("Getränke").await;
    anna.book("Cola 0,33").await;
    anna.tap("Küche").await;
    anna.tap("Rumpsteak").await;
    anna.tap("medium").await;
    anna.tap("Pommes").await;
    anna.book("Add").await;
    anna.book("Send").await;
    anna.tap("Table 4").await;
    for step in ["Pay", "33.90 exact", "Cash received"] {
        anna.tap(step).await;
    }
    anna.see("Done").await;
    let till = world.server.site.ledger.till();
    let receipt = till.last_receipt().expect("the receipt is in the till");
    assert_eq!(receipt.lines.len(), 2);
    assert_eq!(till.open_checks().len(), 0);
}

/// Promise: two devices, one over WebSocket and one over QUIC, see one table change while it happens.
#[tokio::test(flavor = "multi_thread")]
async fn two_devices_see_one_table() {
    let world = World::open().await;
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let (answer, wire) = Native::new(9).pair(world.port(), &code).await;
    assert!(matches!(answer, PairAnswer::Paired { station: Some(1), .. }), "{answer:?}");
    let mut ben = Client::new(wire);
    ben.log_in("Ben", "2345").await;
    ben.tap("Table 7").await;
    let mut anna = Client::tab(world.port(), 1).await;
    anna.log_in("Anna", "1234").await;
    anna.tap("Table 7").await;
    anna.tap("Getränke").await;
    anna.book("Spezi 0,5").await;
    ben.until("Anna's line on Ben's screen", |ben| {
        ben.labels()
            .iter()
            .any(|label| label.contains("1 Spezi") || label.starts_with("1") && label.contains("Spezi"))
    })
    .await;
}

/// Promise: a confirmed tap survives a restart, and both the screen and the session come back where they were.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_brings_the_screen_back() {
    let world = World::open().await;
    let mut anna = Client::tab(world.port(), 1).await;
    anna.log_in("Anna", "1234").await;
    anna.tap("Table 4").await;
    anna.tap("Getränke").await;
    anna.book("Cola 0,33").await;
    let before = anna.labels();
    let world = world.restart().await;
    let receiver = anna.gone().await;
    let mut again = Client::on(receiver, loopback(world.port(), 1).await);
    again.until("the same screen", |client| client.labels() == before).await;
    again.book("Cola 0,33").await;
    let till = world.server.site.ledger.till();
    let check = till.open_checks().next().unwrap();
    assert_eq!(check.lines.iter().map(|line| line.quantity).sum::<u32>(), 2);
}
