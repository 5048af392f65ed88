//! How many durable bookings a second the ledger sustains.
#![allow(clippy::disallowed_methods, reason = "measures time")]

mod common;

use std::time::{Duration, Instant};

use common::{Folder, booking, colas};
use tresen_ledger::limits;

/// Bookings of the measurement.
const BOOKINGS: u32 = 1_000;
/// Stations that book at the same time, each waiting for its answer before the next.
const STATIONS: u32 = 20;
/// What a site must sustain.
const BOOKINGS_PER_SECOND_MIN: f64 = 200.0;

/// Promise: at least 200 durable bookings a second, because those that wait together share one sync.
#[test]
fn two_hundred_durable_bookings_a_second() {
    let folder = Folder::new();
    let ledger = folder.demo();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for station in 0..STATIONS {
            let ledger = &ledger;
            scope.spawn(move || {
                for _ in 0..BOOKINGS / STATIONS {
                    common::done(ledger, booking(1 + station % 12)).expect("booked");
                }
            });
        }
    });
    let rate = f64::from(BOOKINGS) / start.elapsed().as_secs_f64();
    println!("{rate:.0} durable bookings a second from {STATIONS} stations");
    assert_eq!((1..=12).map(|table| colas(&ledger, table)).sum::<u32>(), BOOKINGS);
    assert!(rate >= BOOKINGS_PER_SECOND_MIN, "only {rate:.0} bookings a second");
}

/// Promise: once several bookings waited at a time, those of some milliseconds share one sync while they keep coming, however quick the disk is.
#[test]
fn bookings_of_a_busy_house_share_their_syncs() {
    let folder = Folder::new();
    let ledger = folder.demo();
    let commits = || ledger.stats().commits_us.iter().map(|(_, count)| count).sum::<u64>();
    let (start, before) = (Instant::now(), commits());
    let mut answers = Vec::new();
    for number in 0..300 {
        answers.push(ledger.submit(booking(1 + number % 12)));
        // Some at once begin it; then one a millisecond, or fewer where sleeping takes longer.
        if number > 8 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let committed = answers.into_iter().map(|answer| answer.blocking_recv().expect("an answer"));
    assert!(committed.into_iter().all(|committed| committed.is_ok()));
    let at_most = start.elapsed().as_millis() / limits::BUSY_COMMIT_EVERY.as_millis() + 60;
    let commits = commits() - before;
    assert!(u128::from(commits) <= at_most, "{commits} commits for 300 bookings, at most {at_most}");
}
