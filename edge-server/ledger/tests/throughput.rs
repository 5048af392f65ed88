//! How many durable bookings a second the ledger sustains.
#![allow(clippy::disallowed_methods, reason = "measures time")]

mod common;

use std::time::Instant;

use common::{Folder, booking, colas};

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
