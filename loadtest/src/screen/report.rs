//! What the screen benchmark prints and writes: figures beside their targets. A missed target is shown as missed.

use std::fmt::Write as _;

use serde::Serialize;

use crate::screen::figures::{PassBytes, Percentiles};

/// Everything measured of one app.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct AppFigures {
    /// Taps of a pass.
    pub taps: usize,
    /// Session payload of the first screen, with nothing cached.
    pub first_screen_bytes: u64,
    /// The script for the first time.
    pub first_pass: PassBytes,
    /// The script again, on the same session.
    pub repeat_pass: PassBytes,
    /// Session payload of a reconnection with a warm slot table, before the first frame shows.
    pub reconnect_bytes: u64,
    /// CPU time of the whole server process over both passes, a tap.
    pub server_cpu_us_per_tap: f64,
    /// From the tap to the last byte of the screen that answers it.
    pub tap_to_last_byte_ms: Percentiles,
    /// From a tap that books something to the news that its effects are on disk.
    pub tap_to_disk_ms: Percentiles,
    /// Decoding and painting on the client, a tap.
    pub client_paint_us_per_tap: f64,
    /// Memory of an instance that idles on its first screen.
    pub instance_idle_bytes: u64,
}

/// All of it: `target/bench/screen.json`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// CPU time of a QUIC server that only answers, an exchange: what "server CPU a tap" can't go below on this machine.
    pub bare_quic_cpu_us_per_tap: f64,
    /// The reference till with the seeds of the peers.
    pub reference: AppFigures,
    /// The reference till with other seeds; it must give alike figures.
    pub reference_other_seeds: AppFigures,
    /// The real handheld app with a script of its own.
    pub mpos: AppFigures,
}

/// One line of the table: what, how it is read from an app's figures, and the target.
struct Row {
    what: &'static str,
    unit: &'static str,
    value: fn(&AppFigures) -> f64,
    target: Option<f64>,
}

const fn row(
    what: &'static str,
    unit: &'static str,
    value: fn(&AppFigures) -> f64,
    target: Option<f64>,
) -> Row {
    Row { what, unit, value, target }
}

/// The targets are those of the reference till; the app's figures stand beside them.
const ROWS: &[Row] = &[
    row("taps of a pass", "", |f| f.taps as f64, None),
    row("first screen", "B", |f| f.first_screen_bytes as f64, Some(16.0 * 1024.0)),
    row("first pass, mean", "B", |f| f.first_pass.mean_bytes, Some(250.0)),
    row("first pass, median", "B", |f| f.first_pass.median_bytes, Some(80.0)),
    row("first pass, p95", "B", |f| f.first_pass.p95_bytes, None),
    row("first pass, UDP mean", "B", |f| f.first_pass.udp_mean_bytes, None),
    row("repeat pass, mean", "B", |f| f.repeat_pass.mean_bytes, Some(24.0)),
    row("repeat pass, median", "B", |f| f.repeat_pass.median_bytes, Some(16.0)),
    row("repeat pass, p95", "B", |f| f.repeat_pass.p95_bytes, None),
    row("repeat pass, UDP mean", "B", |f| f.repeat_pass.udp_mean_bytes, None),
    row("reconnect, warm table", "B", |f| f.reconnect_bytes as f64, Some(500.0)),
    row("server CPU a tap", "us", |f| f.server_cpu_us_per_tap, Some(100.0)),
    row("tap to last byte, p50", "ms", |f| f.tap_to_last_byte_ms.p50, Some(2.0)),
    row("tap to last byte, p99", "ms", |f| f.tap_to_last_byte_ms.p99, None),
    row("tap to disk, p50", "ms", |f| f.tap_to_disk_ms.p50, None),
    row("tap to disk, p99", "ms", |f| f.tap_to_disk_ms.p99, None),
    row("client paint a tap", "us", |f| f.client_paint_us_per_tap, Some(2000.0)),
    row("idle instance", "KiB", |f| f.instance_idle_bytes as f64 / 1024.0, Some(100.0)),
];

/// The targets that the reference till misses, by name.
pub fn missed(report: &Report) -> Vec<&'static str> {
    ROWS.iter().filter(|row| row.is_missed(&report.reference)).map(|row| row.what).collect()
}

/// The table, ready to print.
pub fn table(report: &Report) -> String {
    let mut out = String::new();
    let _ =
        writeln!(out, "{:<24} {:>10} {:>13} {:>13} {:>13}", "", "target", "reference", "other seeds", "mpos");
    for row in ROWS {
        let target = row.target.map_or_else(String::new, |target| format!("<= {}", number(target)));
        let _ = write!(out, "{:<24} {target:>10}", format!("{} {}", row.what, row.unit).trim_end());
        for figures in [&report.reference, &report.reference_other_seeds, &report.mpos] {
            let _ = write!(out, " {:>11} {}", number((row.value)(figures)), row.mark(figures));
        }
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "of the server's CPU a tap, a QUIC server that only answers takes {} us here: reference {:.1} times that",
        number(report.bare_quic_cpu_us_per_tap),
        report.reference.server_cpu_us_per_tap / report.bare_quic_cpu_us_per_tap,
    );
    out.push_str("+ target met, ! target missed; targets are set for the reference till\n");
    out
}

impl Row {
    fn is_missed(&self, figures: &AppFigures) -> bool {
        self.target.is_some_and(|target| (self.value)(figures) > target)
    }

    fn mark(&self, figures: &AppFigures) -> char {
        match self.target {
            None => ' ',
            Some(_) if self.is_missed(figures) => '!',
            Some(_) => '+',
        }
    }
}

fn number(value: f64) -> String {
    if value < 10.0 && value.fract() != 0.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a missed target is shown, never hidden.
    #[test]
    fn a_missed_target_is_shown_as_missed() {
        let slow = AppFigures { server_cpu_us_per_tap: 140.0, ..AppFigures::default() };
        let quick = AppFigures { server_cpu_us_per_tap: 99.5, ..AppFigures::default() };
        let report = Report {
            bare_quic_cpu_us_per_tap: 70.0,
            reference: slow,
            reference_other_seeds: quick,
            mpos: quick,
        };
        assert_eq!(missed(&report), ["server CPU a tap"]);
        let table = table(&report);
        let line = table.lines().find(|line| line.starts_with("server CPU")).expect("a line for the CPU");
        assert!(line.contains("140 !") && line.contains("100 +"), "{line}");
    }
}
