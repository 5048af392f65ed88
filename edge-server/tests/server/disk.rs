//! A disk that fails.

use tresen_edge::run::RunError;
use tresen_ledger::Options;
use tresen_wire::CloseCode;

use crate::client::{Client, loopback};
use crate::world::World;

/// Promise: with a full disk nothing is shown as done; the server says why, sends everybody off with a code and stops; what was confirmed
/// is there when there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_server_and_loses_nothing() {
    let world = World::open().await;
    let mut anna = Client::tab(world.port(), 1).await;
    anna.log_in("Anna", "1234").await;
    anna.tap("Table 4").await;
    anna.tap("Getränke").await;
    anna.book("Cola 0,33").await;
    let confirmed = anna.labels();

    // A few pages more than what is there: soon full.
    let pages = std::fs::metadata(world.folder.path().join("ledger.db")).unwrap().len() / 4096;
    let options = Options { pages_max: Some(u32::try_from(pages).unwrap() + 2), ..Options::default() };
    let world = world.restart_with(options).await;
    let receiver = anna.gone().await;
    let mut anna = Client::on(receiver, loopback(world.port(), 1).await);
    anna.until("the same screen", |client| client.labels() == confirmed).await;
    let port = world.port();
    let World { server, folder } = world;
    let served = tokio::spawn(server.until(std::future::pending()));
    while anna.closed.is_none() {
        anna.tap_until_closed("Cola 0,33").await;
    }
    assert_eq!(anna.closed, Some((CloseCode::Internal, "bookings can't be stored".into())));
    let error = served.await.unwrap().unwrap_err();
    assert!(matches!(error, RunError::Disk(_)), "{error}");
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err(), "it serves no more");

    let lines_confirmed = anna.confirmed;
    let world = World::again(folder).await;
    let till = world.server.site.ledger.till();
    let kept: u32 = till.open_checks().flat_map(|check| &check.lines).map(|line| line.quantity).sum();
    assert!(
        kept > lines_confirmed,
        "{kept} kept, of which one from before and {lines_confirmed} confirmed since"
    );
}
