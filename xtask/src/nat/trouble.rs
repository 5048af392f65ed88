//! What a person notices when the direct way dies, and when a device gets another address.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::boxes::Side;
use super::house::{Device, House};
use super::net::Net;
use super::report::{median, most};

/// How long a device works in all.
const WORK: Duration = Duration::from_secs(20);

/// A device that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(5);

/// The wait for what is to happen.
const LIMIT_MS: u64 = 10_000;

/// Each of them some times; what it says is for the report.
///
/// # Errors
/// When the system refuses.
pub fn run(programs: &Path, tries: u32) -> Result<String> {
    let mut text = String::from(
        "\n| what happens | tries | longest wait for an answer, median (most) | direct again after |\n|---|---|---|---|\n",
    );
    let data = tempfile::tempdir()?;
    // The edge server is behind a box, so that the device comes through the relay first.
    let net = Net::build(Side::Open, Side::PortRestricted)?;
    let house = House::open(programs, data.path(), false, "")?;
    house.pair()?;
    let (mut waits, mut returns) = (Vec::new(), Vec::new());
    for _ in 0..tries {
        let device = house.work(WORK, WORK)?;
        until(&device, 0, |what| what == "way internet").context("no direct way")?;
        net.cut(true)?;
        let seen = until(&device, 0, |what| what == "way relayed").context("no way back")?;
        let answers = until(&device, 3, |what| what.starts_with("answer "));
        net.cut(false)?;
        waits.push(longest(&seen.answers).max(longest(&answers.context("no answer")?.answers)));
        let again = until(&device, 0, |what| what == "way internet").context("no direct way again")?;
        returns.push(again.at_ms - seen.at_ms);
    }
    row(&mut text, "the direct way loses everything", &waits, &returns)?;
    let (mut waits, mut returns) = (Vec::new(), Vec::new());
    for number in 0..tries {
        let device = house.work(WORK, WORK)?;
        until(&device, 0, |what| what == "way internet").context("no direct way")?;
        net.move_client(if number % 2 == 0 { "11.0.1.3" } else { "11.0.1.2" })?;
        let moved = until(&device, 0, |what| what == "moved").context("it did not go on")?;
        let answers = until(&device, 3, |what| what.starts_with("answer ")).context("no answer")?;
        waits.push(longest(&moved.answers).max(longest(&answers.answers)));
        let again = until(&device, 0, |what| what == "way internet").context("no direct way again")?;
        returns.push(again.at_ms - moved.at_ms);
    }
    row(&mut text, "the device gets another address", &waits, &returns)?;
    Ok(text)
}

struct Seen {
    at_ms: u64,
    answers: Vec<u64>,
}

/// Listens until something was said, and so many times more.
fn until(device: &Device, more: u32, is_it: impl Fn(&str) -> bool) -> Option<Seen> {
    let (mut answers, mut left, mut began_ms) = (Vec::new(), more, None);
    loop {
        let (at_ms, what) = device.next(SILENCE)?;
        let began_ms = *began_ms.get_or_insert(at_ms);
        answers.extend(what.strip_prefix("answer ").and_then(|took| took.parse::<u64>().ok()));
        match (is_it(&what), left) {
            (true, 0) => return Some(Seen { at_ms, answers }),
            (true, _) => left -= 1,
            (false, _) if at_ms > began_ms + LIMIT_MS => return None,
            (false, _) => {}
        }
    }
}

fn longest(answers: &[u64]) -> u64 {
    answers.iter().copied().max().unwrap_or(0)
}

fn row(text: &mut String, what: &str, waits: &[u64], returns: &[u64]) -> Result<()> {
    let (wait, worst, again) = (median(waits), most(waits), median(returns));
    Ok(writeln!(text, "| {what} | {} | {wait} ms ({worst}) | {again} ms ({}) |", waits.len(), most(returns))?)
}
