//! Answers before the server is asked.

use std::sync::atomic::Ordering;

use crate::client::Client;
use crate::world::World;

/// The figure of the only instance that has a device.
fn figures(world: &World) -> (u64, u64, u64) {
    let instances = world.server.site.hub.instances();
    let status =
        instances.iter().map(|(_, handle)| &handle.status).find(|status| status.attached().is_some());
    let status = status.expect("a device is attached");
    let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
    (read(&status.hits), read(&status.misses), read(&status.guesses))
}

/// A waiter at a table who has tapped one product six times: the server has learned that.
async fn six_colas() -> (World, Client) {
    let world = World::guessing().await;
    let mut anna = Client::guessing_tab(world.port(), 1).await;
    anna.log_in("Anna", "1234").await;
    anna.tap("Table 4").await;
    anna.tap("Getränke").await;
    for _ in 0..6 {
        anna.tap("Cola 0,33").await;
    }
    (world, anna)
}

/// Promise: what was tapped before is answered at once the next time, booked like any other tap, and confirmed.
#[tokio::test(flavor = "multi_thread")]
async fn a_learned_tap_is_answered_at_once_and_booked() {
    let (world, mut anna) = six_colas().await;
    anna.until("something that was guessed", |anna| anna.receiver.guesses_held() > 0).await;
    let mut answered = 0;
    for _ in 0..6 {
        let before = anna.labels();
        let arrived = anna.receiver.guess_stats().arrived;
        anna.tap_unconfirmed("Cola 0,33").await;
        answered += u32::from(anna.receiver.is_guess() && anna.labels() != before);
        anna.until("a confirmation", |anna| anna.receiver.unacknowledged() == 0 && !anna.receiver.is_guess())
            .await;
        anna.until("the next guess", |anna| {
            anna.receiver.guess_stats().arrived > arrived || anna.receiver.guesses_held() > 2
        })
        .await;
    }
    assert!(answered >= 4, "{answered} of 6 were answered at once");
    let till = world.server.site.ledger.till();
    let check = till.open_checks().next().unwrap();
    assert_eq!(check.lines.iter().map(|line| line.quantity).sum::<u32>(), 12, "each tap was booked once");
    let (hits, misses, guesses) = figures(&world);
    assert!(hits >= 4 && misses == 0 && guesses >= hits, "{hits} hits, {misses} misses of {guesses}");
}

/// Promise: a colleague's booking that a guess did not know of is corrected at once, and nothing is booked twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_makes_a_miss_that_is_corrected() {
    let (world, mut anna) = six_colas().await;
    let mut ben = Client::tab(world.port(), 2).await;
    ben.log_in("Ben", "2345").await;
    ben.tap("Table 4").await;
    ben.tap("Getränke").await;
    ben.tap("Spezi 0,5").await;
    anna.tap("Cola 0,33").await;
    anna.until("both bookings", |anna| anna.sees("7") && anna.sees("1 Spezi") || anna.sees("Send · 8")).await;
    anna.until("the truth", |anna| !anna.receiver.is_guess()).await;
    let till = world.server.site.ledger.till();
    let check = till.open_checks().next().unwrap();
    assert_eq!(check.lines.iter().map(|line| line.quantity).sum::<u32>(), 8);
}
