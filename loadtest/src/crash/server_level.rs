//! Kill cycles of the real server, with waiters on real sessions.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;
use tresen_ledger::{Entry, Follower};
use tresen_till::{CheckId, Event, Place};

use super::Tally;
use super::server::{Recipe, Server};
use super::waiter::{Tables, Waiter};
use crate::device::Device;

/// Where the waiters book, each at tables of its own.
const TABLES: [Tables; 4] = [["1", "5", "9"], ["2", "6", "10"], ["3", "7", "11"], ["4", "8", "12"]];
/// A kill comes at most so long after the server opened.
const LIFE_MAX: Duration = Duration::from_millis(600);

/// Kills between two exact comparisons.
const SETTLE_CYCLES: u32 = 10;
/// What was confirmed is in the journal within this time.
const SETTLE_MAX: Duration = Duration::from_secs(20);
/// Between two looks at the journal.
const SETTLE_PAUSE: Duration = Duration::from_millis(10);

/// Runs the cycles.
pub(super) async fn run(folder: &Path, cycles: u32, mut random: StdRng) -> Result<Tally> {
    let recipe = Recipe::new(folder)?;
    let mut booked = Booked::new(&recipe.database());
    let mut tally = Tally::default();
    let mut waiters = begin(&recipe, &mut random).await?;
    for cycle in 1..=cycles {
        let begin = Instant::now();
        let server = recipe.start().with_context(|| format!("cycle {cycle}"))?;
        tally.slowest_start = tally.slowest_start.max(begin.elapsed());
        let life = LIFE_MAX.mul_f64(random.random_range(0.0..1.0));
        waiters = live_and_die(server, waiters, life, &mut random)
            .await
            .with_context(|| format!("cycle {cycle}"))?;
        booked.check_not_doubled(&waiters).with_context(|| format!("cycle {cycle}"))?;
        tally.cycles = cycle;
        if cycle.is_multiple_of(SETTLE_CYCLES) || cycle == cycles {
            settle(&recipe, &mut waiters, &mut booked)
                .await
                .with_context(|| format!("after cycle {cycle}"))?;
            eprintln!("crash, server: {cycle} of {cycles} kills, {} rows", booked.rows);
        }
    }
    tally.acknowledged = waiters.iter().map(|waiter| waiter.acknowledged).sum();
    ensure!(tally.acknowledged >= u64::from(cycles), "too few bookings to prove anything");
    tally.rows = booked.rows;
    tresen_ledger::verify(&recipe.database())?;
    Ok(tally)
}

/// Lets everything settle and compares: every tap is confirmed, and every booking is in the journal exactly once.
///
/// Right after a kill the journal may lag behind what was confirmed: a booking that waits for the one before it is durable as
/// part of its instance's state, and is carried out after the start.
async fn settle(recipe: &Recipe, waiters: &mut [Waiter], booked: &mut Booked) -> Result<()> {
    let server = recipe.start()?;
    for waiter in waiters.iter_mut() {
        waiter.settle().await?;
    }
    let limit = Instant::now() + SETTLE_MAX;
    while let Err(error) = booked.check_exact(waiters) {
        ensure!(Instant::now() < limit, error);
        tokio::time::sleep(SETTLE_PAUSE).await;
    }
    server.kill()?;
    for waiter in waiters.iter_mut() {
        waiter.disconnect();
    }
    booked.check_exact(waiters)
}

/// Sets the restaurant up, gives each waiter a device, and lets them log in: checking a PIN takes longer than most lives.
async fn begin(recipe: &Recipe, random: &mut StdRng) -> Result<Vec<Waiter>> {
    let server = recipe.start()?;
    let mut waiters = Vec::new();
    for (index, tables) in TABLES.into_iter().enumerate() {
        let device = Device::pair(&recipe.pairing_code()?, &format!("waiter {}", index + 1)).await?;
        let mut waiter = Waiter::new(device, tables);
        waiter.log_in(random).await?;
        waiters.push(waiter);
    }
    server.kill()?;
    Ok(waiters)
}

/// All waiters book at the same time until the server is killed.
async fn live_and_die(
    server: Server,
    waiters: Vec<Waiter>,
    life: Duration,
    random: &mut StdRng,
) -> Result<Vec<Waiter>> {
    let stop = CancellationToken::new();
    let mut working = Vec::new();
    for mut waiter in waiters {
        let (stop, random) = (stop.clone(), StdRng::seed_from_u64(random.random()));
        working.push(tokio::spawn(async move { waiter.work(&stop, random).await.map(|()| waiter) }));
    }
    tokio::time::sleep(life).await;
    server.kill()?;
    stop.cancel();
    let mut waiters = Vec::new();
    for work in working {
        waiters.push(work.await??);
    }
    Ok(waiters)
}

/// What is on disk: items per table.
struct Booked {
    follower: Follower,
    places: BTreeMap<CheckId, Place>,
    items: BTreeMap<String, u64>,
    rows: u64,
}

impl Booked {
    fn new(database: &Path) -> Booked {
        let follower = Follower::new(database);
        Booked { follower, places: BTreeMap::new(), items: BTreeMap::new(), rows: 0 }
    }

    /// Nothing may be on disk that was not tapped.
    fn check_not_doubled(&mut self, waiters: &[Waiter]) -> Result<()> {
        for (tables, stored, sent) in self.compare(waiters)? {
            ensure!(stored <= sent, "DOUBLED: tables {tables:?}: {sent} tapped, {stored} on disk");
        }
        Ok(())
    }

    /// Everything that was tapped must be on disk, once.
    fn check_exact(&mut self, waiters: &[Waiter]) -> Result<()> {
        self.check_not_doubled(waiters)?;
        for (tables, stored, sent) in self.compare(waiters)? {
            ensure!(stored == sent, "LOST: tables {tables:?}: {sent} tapped and confirmed, {stored} on disk");
        }
        Ok(())
    }

    /// Per waiter's tables: what is on disk, and what was tapped.
    fn compare(&mut self, waiters: &[Waiter]) -> Result<Vec<(Tables, u64, u64)>> {
        for entry in self.follower.read()? {
            self.rows = entry.row;
            self.count(&entry)?;
        }
        let stored = |tables: Tables| tables.iter().filter_map(|table| self.items.get(*table)).sum();
        Ok(waiters.iter().map(|waiter| (waiter.tables, stored(waiter.tables), waiter.sent)).collect())
    }

    fn count(&mut self, entry: &Entry) -> Result<()> {
        for event in &entry.events {
            let (check, more) = match event {
                Event::CheckOpened { check, place, .. } => {
                    self.places.insert(*check, *place);
                    continue;
                }
                Event::LineAdded { check, line } => (check, u64::from(line.quantity)),
                Event::QuantityChanged { check, by, .. } => (check, u64::try_from(*by)?),
                Event::LineDeleted { .. } | Event::CheckPaid { .. } => bail!("nobody asked for {event:?}"),
                _ => continue,
            };
            let Some(Place::Table(table)) = self.places.get(check) else { bail!("a booking at no table") };
            *self.items.entry(table.to_string()).or_default() += more;
        }
        Ok(())
    }
}
