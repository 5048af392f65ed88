//! A device that gets another address a thousand times while its person works: whether each tap counts once, and how soon it goes on.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::boxes::Side;
use super::house::House;
use super::net::Net;
use super::report::{median, most};

/// What is tapped first: a waiter logs in and opens a table.
const FIRST: [&str; 6] = ["Anna", "1", "2", "3", "4", "Table 4"];

/// What is ordered then, over and over; 999 of a product fit on a line.
const ORDERED: [&str; 6] = [
    "Cola 0,33",
    "Spezi 0,5",
    "Wasser still 0,5",
    "Apfelschorle 0,5",
    "Cola Zero 0,33",
    "Wasser spritzig 0,5",
];

/// From an answer to the next tap, in ms.
const PACE_MS: u64 = 250;

/// From one move to the next, in ms.
const STAY_MS: std::ops::Range<u64> = 300..1_200;

/// One of so many moves leaves the device without a network for a while, in ms.
const AWAY: (u32, std::ops::Range<u64>) = (4, 50..800);

/// The device's addresses are 11.0.1 and one of these.
const LAST: std::ops::Range<u32> = 2..200;

/// Moves that can be made before a line of the check is full.
const MOST: u32 = 1_500;

/// A device that says nothing for so long has lost its session.
const PATIENCE: Duration = Duration::from_secs(30);

/// It works for no longer.
const LONGEST: Duration = Duration::from_secs(3 * 3_600);

/// What is promised of nearly all moves.
const RESUME: Duration = Duration::from_secs(2);

/// What a device has said.
#[derive(Default)]
struct Story {
    answers: usize,
    /// On lines of the check.
    booked: usize,
    ways: BTreeMap<String, usize>,
}

/// Moves the device so many times; what it says is for the report.
///
/// # Errors
/// When the system refuses, a tap is lost or doubled, or the device goes on too late too often.
pub fn run(programs: &Path, moves: u32, seed: u64) -> Result<String> {
    ensure!((1..=MOST).contains(&moves), "between 1 and {MOST} moves can be made");
    let data = tempfile::tempdir()?;
    let net = Net::build(Side::Open, Side::PortRestricted)?;
    let house = House::open(programs, data.path(), false, "")?;
    house.pair()?;
    let mut more = vec!["--show", " 0,"];
    FIRST.iter().for_each(|label| more.extend(["--first", label]));
    ORDERED.iter().for_each(|label| more.extend(["--tap", label]));
    let mut device = house.watch(LONGEST, PACE_MS, &more)?;
    let (mut random, mut story) = (StdRng::seed_from_u64(seed), Story::default());
    let (mut resumed_ms, mut last) = (Vec::new(), LAST.start);
    for number in 0..moves {
        let until = Instant::now() + Duration::from_millis(random.random_range(STAY_MS));
        while let Some(heard) = device.next_before(until) {
            story.hear(&heard.what);
        }
        if random.random_ratio(1, AWAY.0) {
            net.unplug_client()?;
            std::thread::sleep(Duration::from_millis(random.random_range(AWAY.1)));
        }
        let count = LAST.end - LAST.start;
        last = LAST.start + (last - LAST.start + random.random_range(1..count)) % count;
        net.move_client(&format!("11.0.1.{last}"))?;
        let moved = Instant::now();
        let resumed = loop {
            let heard = device.next_before(moved + PATIENCE);
            let heard = heard.with_context(|| format!("no answer after move {number} of seed {seed}"))?;
            story.hear(&heard.what);
            // Not one from before the move that was not read yet.
            if heard.what.starts_with("answer ") && heard.at > moved {
                break heard.at.saturating_duration_since(moved);
            }
        };
        resumed_ms.push(resumed.as_millis() as u64);
    }
    device.end();
    while let Some(heard) = device.next_before(Instant::now() + PATIENCE) {
        story.hear(&heard.what);
    }
    story.report(moves, seed, &mut resumed_ms)
}

impl Story {
    fn hear(&mut self, what: &str) {
        let (kind, rest) = what.split_once(' ').unwrap_or((what, ""));
        match kind {
            "answer" => self.answers += 1,
            // A line of the check begins with how many, a product with its name.
            "shows" => {
                self.booked += rest.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
            }
            "way" | "lost" => *self.ways.entry(what.to_owned()).or_default() += 1,
            _ => {}
        }
    }

    fn report(&self, moves: u32, seed: u64, resumed_ms: &mut [u64]) -> Result<String> {
        let (ordered, booked) = (self.answers.saturating_sub(FIRST.len()), self.booked);
        ensure!(booked == ordered, "{ordered} taps were answered, {booked} are on the check (seed {seed})");
        resumed_ms.sort_unstable();
        let late = resumed_ms.iter().filter(|ms| u128::from(**ms) > RESUME.as_millis()).count();
        let p99_ms = resumed_ms.get(resumed_ms.len() * 99 / 100).copied().unwrap_or(0);
        let mut text = format!(
            "\n{moves} moves (seed {seed}): {ordered} taps, each counted once; the next answer after {} ms (p99 {p99_ms}, most {})",
            median(resumed_ms),
            most(resumed_ms)
        );
        self.ways.iter().for_each(|(way, count)| {
            let _ = write!(text, "; {way} {count}");
        });
        text.push('\n');
        ensure!(late * 100 <= resumed_ms.len(), "{text}{late} moves took longer than {RESUME:?}");
        Ok(text)
    }
}
