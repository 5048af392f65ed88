//! What the comparison writes: figures as JSON, tables, charts.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use super::chart::{self, Bar, Chart};
use super::family::Memory;
use super::figures::Pass;
use super::tables::tables;
use super::{Extent, WHOLE};

/// Everything: `peers.json`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How to get it again.
    pub command: String,
    /// When it began, local time.
    pub date: String,
    /// On what.
    pub machine: Machine,
    /// How long it took.
    pub took_seconds: f64,
    /// Who, and what was found.
    pub results: Vec<Outcome>,
    #[serde(skip)]
    began: Option<Instant>,
}

/// The machine, and what else it did.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub processor: String,
    /// How many.
    pub cores: usize,
    /// All memory.
    pub memory_mib: u64,
    /// The distribution.
    pub system: String,
    /// Its version.
    pub kernel: String,
    /// Load over 1, 5 and 15 minutes.
    pub load_before: String,
    /// The same in the end.
    pub load_after: String,
}

/// One peer's result.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The short name.
    pub id: &'static str,
    /// The name.
    pub name: &'static str,
    /// How it was set up.
    pub setting: &'static str,
    /// Whether it showed the handheld app, not the reference till.
    pub handheld: bool,
    /// What was measured.
    pub figures: Option<Figures>,
    /// Why nothing was.
    pub reason: Option<String>,
}

/// What was measured on the LAN, and on the other links.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// From the connection to the first silence.
    pub first_screen: First,
    /// The script for the first time.
    pub cold: Pass,
    /// The script again, in the same session.
    pub repeat: Pass,
    /// CPU time of all the server's processes, a tap, what they use while idle included.
    pub server_cpu_ms_per_tap: f64,
    /// The same while nobody taps, in percent of a core.
    pub server_idle_cpu_percent: f64,
    /// How long a tap took in slow motion.
    pub seconds_per_tap: f64,
    /// All the server's processes.
    pub memory: Memory,
    /// Of these, the till alone (Python and Tk).
    pub memory_of_till: Memory,
    /// One more session on the same server; where each session has its own processes, nothing.
    pub memory_of_one_more_bytes: Option<u64>,
    /// How much of the client's picture is visibly wrong in the end, in percent.
    pub wrong_pixels_percent: f64,
    /// On other links.
    pub links: Vec<LinkFigures>,
    /// The other links on which it failed.
    pub missing: Vec<Missing>,
}

/// A link on which a peer failed.
#[derive(Debug, Serialize)]
pub struct Missing {
    /// Its profile.
    pub link: &'static str,
    /// Why.
    pub reason: String,
}

/// A first screen.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct First {
    /// To the client.
    pub down_bytes: u64,
    /// From the client.
    pub up_bytes: u64,
    /// From the client's first byte to the last one it got.
    pub ms: f64,
}

/// On a slower link.
#[derive(Debug, Serialize)]
pub struct LinkFigures {
    /// Its profile.
    pub link: &'static str,
    /// With nothing cached.
    pub first_screen: First,
    /// One sale.
    pub cold: Pass,
    /// How much of the client's picture is visibly wrong in the end, in percent.
    pub wrong_pixels_percent: f64,
}

impl Report {
    /// Nobody yet.
    pub fn begin(extent: Extent, only: &[String]) -> Self {
        let quick = if extent.lan_taps == WHOLE.lan_taps { "" } else { " --quick" };
        let only = if only.is_empty() { String::new() } else { format!(" --only {}", only.join(",")) };
        Self {
            command: format!("cargo xtask bench peers{quick}{only}"),
            date: jiff::ZonedDateTime::now().strftime("%Y-%m-%d %H:%M %Z").to_string(),
            machine: Machine::here(),
            took_seconds: 0.0,
            results: Vec::new(),
            began: Some(Instant::now()),
        }
    }

    /// Everybody was measured.
    pub fn end(&mut self) {
        self.machine.load_after = load();
        self.took_seconds = self.began.map_or(0.0, |began| began.elapsed().as_secs_f64().round());
    }
}

impl Machine {
    fn here() -> Self {
        let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
        let after = |text: &str, start: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default();
            line.trim_matches([' ', '\t', ':', '=', '"']).to_owned()
        };
        let memory = after(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
        Self {
            processor: after(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_mib: kib / 1024,
            system: after(&read("/etc/os-release"), "PRETTY_NAME"),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load(),
            load_after: String::new(),
        }
    }
}

fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// Writes figures, tables and charts.
///
/// # Errors
/// When the folder can't be written to.
pub fn write(report: &Report, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("peers.json"), serde_json::to_string_pretty(report)? + "\n")?;
    fs::write(folder.join("peers.md"), tables(report))?;
    for (name, chart) in charts(report) {
        fs::write(folder.join(format!("peers-{name}.svg")), chart::svg(&chart))?;
    }
    Ok(())
}

/// One more session: where each has processes of its own, all of those.
pub fn session_mebibytes(figures: &Figures) -> f64 {
    mebibytes(figures.memory_of_one_more_bytes.unwrap_or(figures.memory.private_bytes))
}

/// A MiB is a power of two.
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A chart's file, title, and how its figure is read.
type Drawn = (&'static str, &'static str, fn(&Figures) -> Option<f64>);

const CHARTS: &[Drawn] = &[
    ("bytes-cold", "Bytes to the client a tap, first pass (mean)", |f| Some(f.cold.mean_bytes)),
    ("bytes-repeat", "Bytes to the client a tap, the script again (mean)", |f| Some(f.repeat.mean_bytes)),
    ("first-screen", "Bytes of the first screen, nothing cached", |f| Some(f.first_screen.down_bytes as f64)),
    ("last-pixel-lan", "Tap to last pixel on the LAN, ms (median)", |f| Some(f.cold.last_pixel_p50_ms)),
    ("last-pixel-near", "Tap to last pixel, 40 ms and 20 Mbit/s, ms (median)", |f| last_pixel(f, "near")),
    ("last-pixel-far", "Tap to last pixel, 150 ms, 2 Mbit/s, 1 % loss, ms (median)", |f| {
        last_pixel(f, "far")
    }),
    ("cpu", "Server CPU a tap, ms", |f| Some(f.server_cpu_ms_per_tap)),
    ("memory", "Private memory of a session on the server, MiB", |f| Some(session_mebibytes(f))),
];

fn last_pixel(figures: &Figures, link: &str) -> Option<f64> {
    figures.links.iter().find(|each| each.link == link).map(|each| each.cold.last_pixel_p50_ms)
}

fn charts(report: &Report) -> Vec<(String, Chart)> {
    let chart = |(name, title, value): &Drawn, handheld: bool| {
        let bars: Vec<Bar> = report
            .results
            .iter()
            .filter(|each| each.handheld == handheld)
            .filter_map(|each| {
                let value = value(each.figures.as_ref()?)?;
                Some(Bar { label: each.name.to_owned(), value, ours: is_ours(each) })
            })
            .collect();
        let name = if handheld { format!("handheld-{name}") } else { (*name).to_owned() };
        let note = format!("cargo xtask bench peers, {}", report.date);
        // One bar compares nothing.
        (bars.len() > 1).then(|| (name, Chart { title: (*title).to_owned(), note, bars }))
    };
    let both = [false, true];
    both.iter().flat_map(|handheld| CHARTS.iter().filter_map(move |drawn| chart(drawn, *handheld))).collect()
}

fn is_ours(outcome: &Outcome) -> bool {
    outcome.name.contains("Tresen")
}

#[cfg(test)]
mod tests {
    use super::super::QUICK;
    use super::*;

    fn outcome(figures: Option<Figures>) -> Outcome {
        let reason = figures.is_none().then(|| "no program".to_owned());
        Outcome { id: "nx", name: "NX", setting: "", handheld: false, figures, reason }
    }

    fn figures() -> Figures {
        Figures {
            first_screen: First { down_bytes: 27_000, up_bytes: 1, ms: 12.0 },
            cold: Pass { mean_bytes: 484.0, last_pixel_p50_ms: 9.5, ..Pass::default() },
            repeat: Pass::default(),
            server_cpu_ms_per_tap: 1.8,
            server_idle_cpu_percent: 0.1,
            seconds_per_tap: 0.2,
            memory: Memory { private_bytes: 27 << 20, proportional_bytes: 0 },
            memory_of_till: Memory::default(),
            memory_of_one_more_bytes: None,
            wrong_pixels_percent: 0.0,
            links: Vec::new(),
            missing: vec![Missing { link: "near", reason: "no picture".to_owned() }],
        }
    }

    /// Proves that a peer that can't run is named with the reason, in table and file, and gets no bar.
    #[test]
    fn who_fails_is_named_with_the_reason() {
        let mut report = Report::begin(WHOLE, &[]);
        report.results = vec![outcome(None)];
        assert!(tables(&report).contains("NX was not measured: no program"));
        assert!(charts(&report).is_empty());
        let json = serde_json::to_string(&report).expect("a report can be written");
        assert!(json.contains("\"reason\":\"no program\""));
    }

    /// Proves that a report that leaves somebody out says so.
    #[test]
    fn the_command_says_who_was_measured() {
        let report = Report::begin(QUICK, &["nx".to_owned(), "xpra".to_owned()]);
        assert_eq!(report.command, "cargo xtask bench peers --quick --only nx,xpra");
    }

    /// Proves that figures stand in the table as they are, and links that were not measured make no empty table.
    #[test]
    fn figures_stand_in_the_table() {
        let mut report = Report::begin(WHOLE, &[]);
        report.results = vec![outcome(Some(figures())), outcome(Some(figures()))];
        let text = tables(&report);
        assert!(text.contains("| NX | 27,000 | 12 / - / - | 484 / 0 |"), "{text}");
        assert!(text.contains("| NX | 27000 | 12 | 484 |") && text.contains("| 27 | 27.0 |"), "{text}");
        assert!(!text.contains("% loss"), "{text}");
        assert!(text.contains("NX was not measured at 40 ms and 20 Mbit/s: no picture"), "{text}");
        let columns = |line: &str| line.matches('|').count();
        let table: Vec<usize> = text.lines().filter(|line| line.starts_with('|')).map(columns).collect();
        let (overview, table) = table.split_at(4);
        assert!(overview.iter().all(|columns| *columns == overview[0]), "{text}");
        assert!(table.len() == 4 && table.iter().all(|columns| *columns == table[0]), "{text}");
        assert_eq!(charts(&report).len(), CHARTS.len() - 2);
    }

    /// Proves that a run ends in files that can be read, without any peer on this machine.
    #[test]
    fn a_run_ends_in_files() {
        let mut report = Report::begin(WHOLE, &[]);
        report.results = vec![outcome(Some(figures())), outcome(None), outcome(Some(figures()))];
        report.end();
        let folder = tempfile::tempdir().expect("a folder");
        write(&report, folder.path()).expect("a folder that can be written to");
        let json = fs::read(folder.path().join("peers.json")).expect("figures");
        let value: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(value["results"][0]["figures"]["first_screen"]["down_bytes"], 27_000);
        assert_eq!(value["results"][1]["figures"], serde_json::Value::Null);
        let svg = fs::read_to_string(folder.path().join("peers-cpu.svg")).expect("a chart");
        assert!(svg.contains(">1.80<"), "{svg}");
    }
}
