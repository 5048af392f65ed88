//! Who sits where.

use tresen_wire::CloseCode;

use crate::client::{Client, loopback};
use crate::world::World;

/// Seats of the demo's licence for handhelds.
const SEATS: u8 = 6;

/// Promise: a device without a free seat of its class gets a screen that says so, and goes on by itself when one is free.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_seat_a_screen_says_so_until_one_is_free() {
    let world = World::open().await;
    let mut seated = Vec::new();
    for tab in 1..=SEATS {
        let mut client = Client::tab(world.port(), tab).await;
        client.see("Anna").await;
        seated.push(client);
    }
    let mut waiting = Client::tab(world.port(), 99).await;
    waiting.see("No free seat").await;
    let leaver = seated.pop().unwrap();
    drop(leaver);
    assert_eq!(waiting.closing().await, CloseCode::Normal);
    let mut again = Client::on(waiting.receiver, loopback(world.port(), 99).await);
    again.see("Anna").await;
}

/// Promise: a device that comes again takes the place of its own old connection, with a clear word to the old one.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_connection_of_a_device_is_the_one() {
    let world = World::open().await;
    let mut old = Client::tab(world.port(), 1).await;
    old.see("Anna").await;
    let mut new = Client::tab(world.port(), 1).await;
    new.see("Anna").await;
    assert_eq!(old.closing().await, CloseCode::Replaced);
}

/// Promise: a device that the owner assigned to a station takes it from whoever is there, who is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_assigned_device_takes_its_station() {
    let world = World::open().await;
    let site = world.server.site.clone();
    let mut first = Client::tab(world.port(), 1).await;
    first.see("Anna").await;
    let mut second = Client::tab(world.port(), 2).await;
    second.see("Anna").await;
    let (_, handle) = &site.hub.instances()[1];
    let (device, _) = handle.status.attached().unwrap();
    site.registry.assign(device, Some(1)).await.unwrap();
    assert_eq!(second.closing().await, CloseCode::Normal, "it is sent to its new station");
    let mut again = Client::on(second.receiver, loopback(world.port(), 2).await);
    again.see("Anna").await;
    assert_eq!(first.closing().await, CloseCode::Replaced);
}

/// Promise: a login belongs to the device on which the PIN was typed. Another one that takes the station starts with the question who is
/// there; the same one finds its screen.
#[tokio::test(flavor = "multi_thread")]
async fn another_device_inherits_no_login() {
    let world = World::open().await;
    let mut first = Client::tab(world.port(), 1).await;
    first.log_in("Anna", "1234").await;
    let mut again = Client::tab(world.port(), 1).await;
    again.see("Tables").await;
    let world = world.restart().await;
    let mut again = Client::tab(world.port(), 1).await;
    again.see("Tables").await;

    let mut second = Client::tab(world.port(), 2).await;
    second.see("Anna").await;
    let (_, handle) = &world.server.site.hub.instances()[1];
    let (device, _) = handle.status.attached().unwrap();
    world.server.site.registry.assign(device, Some(1)).await.unwrap();
    assert_eq!(second.closing().await, CloseCode::Normal);
    let mut second = Client::tab(world.port(), 2).await;
    second.see("Ben").await;
    assert!(!second.sees("Tables"), "{:?}", second.labels());
}
