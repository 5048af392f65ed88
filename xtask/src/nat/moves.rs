//! A device that gets another address a thousand times while its person works: whether each tap counts once, and how soon it goes on.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::boxes::Side;
use super::house::House;
use super::net::Net;
use super::report::{median, most};

/// What is tapped first: a waiter logs in and opens a table.
const FIRST: [&str; 6] = ["Anna", "1", "2", "3", "4", "Table 4"];

/// What is ordered then, over and over; 999 of a product fit on a line.
const ORDERED: [&str; 6] =
    ["Cola 0,33", "Spezi 0,5", "Wasser still 0,5", "Apfelschorle 0,5", "Cola light 0,33", "Fanta 0,33"];

/// From an answer to the next tap, in ms.
const PACE_MS: u64 = 250;

/// From one move to the next, in ms.
const STAY_MS: std::ops::Range<u64> = 300..1_200;

/// One of so many moves leaves the device without a network for a while, in ms.
const AWAY: (u32, std::ops::Range<u64>) = (4, 50..800);

/// The device's addresses are 198.18.1 and one of these.
const LAST: std::ops::Range<u8> = 2..200;

/// A device that says nothing for so long has lost its session.
const PATIENCE: Duration = Duration::from_secs(30);

/// It works for no longer.
const LONGEST: Duration = Duration::from_secs(3 * 3_600);

/// What is promised of nearly all moves.
const RESUME: Duration = Duration::from_secs(2);

/// Moves the device so many times; what it says is for the report.
///
/// # Errors
/// When the system refuses, a tap is lost or doubled, or the device goes on too late too often.
pub fn run(programs: &Path, moves: u32, seed: u64) -> Result<String> {
    let data = tempfile::tempdir()?;
    let net = Net::build(Side::Open, Side::PortRestricted)?;
    let house = House::open(programs, data.path(), false)?;
    house.pair()?;
    let mut more = vec!["--show", " 0,"];
    FIRST.iter().for_each(|label| more.extend(["--first", label]));
    ORDERED.iter().for_each(|label| more.extend(["--tap", label]));
    let mut device = house.watch(LONGEST, PACE_MS, &more)?;
    let mut random = StdRng::seed_from_u64(seed);
    let (mut answers, mut resumed, mut ways) = (0_usize, Vec::new(), HashMap::<String, usize>::new());
    let mut last = LAST.start;
    for number in 0..moves {
        let until = Instant::now() + Duration::from_millis(random.random_range(STAY_MS));
        while let Some(line) = device.next_before(until) {
            answers += usize::from(line.what.starts_with("answer "));
            if let Some(way) = line.what.strip_prefix("way ").or(line.what.strip_prefix("lost ")) {
                *ways.entry(way.to_owned()).or_default() += 1;
            }
        }
        if random.random_ratio(1, AWAY.0) {
            net.unplug_client()?;
            std::thread::sleep(Duration::from_millis(random.random_range(AWAY.1)));
        }
        last = LAST.start + (last - LAST.start + random.random_range(1..LAST.len() as u8)) % LAST.len() as u8;
        net.move_client(&format!("198.18.1.{last}"))?;
        let moved = Instant::now();
        loop {
            let line = device.next_before(moved + PATIENCE);
            let line = line.with_context(|| format!("no answer after move {number} of seed {seed}"))?;
            if line.what.starts_with("answer ") {
                answers += 1;
                resumed.push(line.at.saturating_duration_since(moved).as_millis() as u64);
                break;
            }
        }
    }
    device.end();
    let mut booked = 0;
    while let Some(line) = device.next_before(Instant::now() + PATIENCE) {
        answers += usize::from(line.what.starts_with("answer "));
        // A line of the check begins with how many, a product with its name.
        let shown = line.what.strip_prefix("shows ").and_then(|line| line.split(' ').next());
        booked += shown.and_then(|number| number.parse::<usize>().ok()).unwrap_or(0);
    }
    let ordered = answers.saturating_sub(FIRST.len());
    ensure!(booked == ordered, "{ordered} taps were answered, {booked} are on the check (seed {seed})");
    resumed.sort_unstable();
    let late = resumed.iter().filter(|ms| u128::from(**ms) > RESUME.as_millis()).count();
    let p99 = resumed[(resumed.len() * 99 / 100).min(resumed.len() - 1)];
    let mut text = format!(
        "\n{moves} moves (seed {seed}): {ordered} taps, each counted once; an answer after {} ms (p99 {p99}, most {})",
        median(&resumed),
        most(&resumed)
    );
    let mut ways: Vec<(String, usize)> = ways.into_iter().collect();
    ways.sort();
    ways.iter().for_each(|(way, count)| {
        let _ = write!(text, "; {way} {count}");
    });
    text.push('\n');
    if late * 100 > resumed.len() {
        bail!("{text}{late} moves took longer than {RESUME:?}");
    }
    Ok(text)
}
