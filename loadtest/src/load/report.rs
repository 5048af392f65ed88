//! What the load benchmark prints and writes: figures beside their goals. A missed goal is shown as missed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::cores::Layout;

/// Goals for the largest fleet, on two cores.
const P99_MS: f64 = 50.0;
const SESSION_BYTES: u64 = 150 * 1024;
const BOOKINGS_PER_S: f64 = 200.0;

/// Percentiles of a time, in ms.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Times {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

/// One run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    /// Devices that were to come.
    pub devices: u16,
    /// Devices that came.
    pub arrived: usize,
    /// Waiters at work.
    pub worked: usize,
    /// How long it counted.
    pub seconds: f64,
    /// Connections a second while all came at once: handshake, hello, first screen.
    pub connects_per_s: f64,
    /// Server CPU of one of them.
    pub connect_server_cpu_us: f64,
    /// Taps a second.
    pub taps_per_s: f64,
    /// From a tap to the frame that answers it.
    pub tap_to_frame_ms: Times,
    /// Taps that changed nothing on the screen, so that no frame answers them.
    pub taps_without_a_frame: u64,
    /// From one of those to its acknowledgement, which the server sends when it is convenient.
    pub tap_to_acknowledgement_ms: Times,
    /// CPU time of the whole server process, a tap.
    pub server_cpu_us_per_tap: f64,
    /// How much of its core the server used, from 0 to 1.
    pub server_core_used: f64,
    /// How much of its core the generator used, from 0 to 1. Near 1, times are the generator's own.
    pub generator_core_used: f64,
    /// Private memory of the server at the end, without what it had before the first seat, a device.
    pub server_bytes_per_session: u64,
    /// The same when all were connected and nobody had tapped yet.
    pub server_bytes_per_idle_session: u64,
    /// Private memory of the generator, a device.
    pub generator_bytes_per_session: u64,
    /// Session payload to the client.
    pub payload_to_client_bytes_per_tap: f64,
    /// Session payload to the server.
    pub payload_to_server_bytes_per_tap: f64,
    /// Bytes of UDP, both ways.
    pub udp_bytes_per_tap: f64,
    /// Datagrams, both ways.
    pub datagrams_per_tap: f64,
    /// Messages of the server's instances, a tap.
    pub frames_per_tap: f64,
    /// Bookings on disk, a second.
    pub bookings_per_s: f64,
    /// Commits, a second.
    pub commits_per_s: f64,
    /// How long a commit took on average.
    pub commit_ms: f64,
    /// Commits that took longer than 25 ms.
    pub slow_commits: u64,
    /// Taps without an answer.
    pub unanswered: u64,
    /// Taps that met nothing.
    pub missed: u64,
    /// Steps that were not on the screen.
    pub stumbles: u64,
    /// Some of them.
    pub stumbled: BTreeMap<String, String>,
    /// Connections made anew.
    pub reconnects: u64,
    /// Why, and how often each.
    pub broken: BTreeMap<String, u64>,
    /// Attempts to connect that failed.
    pub refused: u64,
    /// Waiters who gave up, and why.
    pub lost: Vec<String>,
}

/// All of it: `target/bench/load.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Who had which core.
    pub cores: Layout,
    /// The seed.
    pub seed: u64,
    /// Smallest fleet first.
    pub runs: Vec<Run>,
}

impl Report {
    /// Without runs.
    pub const fn new(cores: Layout, seed: u64) -> Self {
        Self { cores, seed, runs: Vec::new() }
    }
}

/// The percentiles of some times.
pub fn percentiles(times_ms: &[f32]) -> Times {
    let mut sorted: Vec<f64> = times_ms.iter().map(|time| f64::from(*time)).collect();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
    };
    Times { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1.0) }
}

/// A line of the table: what, how it is read, and the goal.
type Row = (&'static str, fn(&Run) -> f64, fn(f64) -> Option<bool>);

const ROWS: &[Row] = &[
    ("connected", |r| r.arrived as f64, |_| None),
    ("connections a second", |r| r.connects_per_s, |_| None),
    ("server CPU a connection, us", |r| r.connect_server_cpu_us, |_| None),
    ("taps a second", |r| r.taps_per_s, |_| None),
    ("tap to frame p50, ms", |r| r.tap_to_frame_ms.p50, |_| None),
    ("tap to frame p99, ms", |r| r.tap_to_frame_ms.p99, |ms| Some(ms < P99_MS)),
    ("tap to frame p99.9, ms", |r| r.tap_to_frame_ms.p999, |_| None),
    ("taps without a frame", |r| r.taps_without_a_frame as f64, |_| None),
    ("server CPU a tap, us", |r| r.server_cpu_us_per_tap, |_| None),
    ("server's core used, %", |r| r.server_core_used * 100.0, |_| None),
    ("generator's core used, %", |r| r.generator_core_used * 100.0, |_| None),
    (
        "server memory a session, KiB",
        |r| r.server_bytes_per_session as f64 / 1024.0,
        |kib| Some(kib * 1024.0 <= SESSION_BYTES as f64),
    ),
    ("  connected and idle, KiB", |r| r.server_bytes_per_idle_session as f64 / 1024.0, |_| None),
    ("generator memory a device, KiB", |r| r.generator_bytes_per_session as f64 / 1024.0, |_| None),
    ("payload to client a tap, B", |r| r.payload_to_client_bytes_per_tap, |_| None),
    ("payload to server a tap, B", |r| r.payload_to_server_bytes_per_tap, |_| None),
    ("UDP a tap, both ways, B", |r| r.udp_bytes_per_tap, |_| None),
    ("datagrams a tap, both ways", |r| r.datagrams_per_tap, |_| None),
    ("messages of the server a tap", |r| r.frames_per_tap, |_| None),
    ("durable bookings a second", |r| r.bookings_per_s, |_| None),
    ("commits a second", |r| r.commits_per_s, |_| None),
    ("a commit takes, ms", |r| r.commit_ms, |_| None),
    ("commits that took over 25 ms", |r| r.slow_commits as f64, |_| None),
    ("unanswered taps", |r| r.unanswered as f64, |count| Some(count == 0.0)),
    ("stumbles", |r| (r.stumbles + r.missed) as f64, |_| None),
    ("reconnects", |r| (r.reconnects + r.refused) as f64, |_| None),
    ("lost waiters", |r| r.lost.len() as f64, |count| Some(count == 0.0)),
];

/// The table, ready to print.
pub fn table(report: &Report) -> String {
    let mut out = format!("{:<34}", "devices");
    for run in &report.runs {
        let _ = write!(out, "{:>12}", run.devices);
    }
    out.push('\n');
    for (what, value, goal) in ROWS {
        let _ = write!(out, "{what:<34}");
        for run in &report.runs {
            let value = value(run);
            let mark = match goal(value) {
                None => ' ',
                Some(true) => '+',
                Some(false) => '!',
            };
            let _ = write!(out, "{:>10} {mark}", number(value));
        }
        out.push('\n');
    }
    let most = report.runs.iter().map(|run| run.bookings_per_s).fold(0.0, f64::max);
    let met = if most >= BOOKINGS_PER_S { '+' } else { '!' };
    let _ = writeln!(out, "most durable bookings a second: {} (goal {BOOKINGS_PER_S}) {met}", number(most));
    if report.cores == Layout::Shared {
        out.push_str("only one core: generator and server share it\n");
    }
    for run in &report.runs {
        for why in run.lost.iter().take(3) {
            let _ = writeln!(out, "{} devices, lost: {why}", run.devices);
        }
        for (why, count) in &run.broken {
            let _ = writeln!(out, "{} devices, {count} connections ended: {why}", run.devices);
        }
    }
    out.push_str("+ goal met, ! goal missed\n");
    out
}

fn number(value: f64) -> String {
    if value < 100.0 && value.fract() != 0.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a missed goal is shown, never hidden.
    #[test]
    fn a_missed_goal_is_shown_as_missed() {
        let run = |p99| Run { tap_to_frame_ms: Times { p99, ..Times::default() }, ..Run::default() };
        let runs = vec![run(49.0), run(51.0)];
        let table = table(&Report { cores: Layout::Shared, seed: 1, runs });
        let line = table.lines().find(|line| line.contains("p99,")).expect("a line for p99");
        assert!(line.contains("49 +") && line.contains("51 !"), "{line}");
        assert!(table.contains("only one core"));
    }
}
