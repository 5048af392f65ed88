//! Tresen and its peers on the same till, script and links: TigerVNC, NX, xpra, xrdp, and Tresen itself.
//!
//! ```text
//! client's X server  <-  client program  <->  network emulator  <->  server program  ->  the till
//!       ^ taps (XTEST)                        ^ bytes, silence          ^ CPU and memory from /proc
//! ```
//!
//! Slow motion (Nieh, Yang, Novik: "Measuring thin-client performance using slow-motion benchmarking"): one tap, then nothing until the line is silent
//! and the client's screen still; what came meanwhile belongs to the tap. The tap took until the last pixel that changed on the client's screen, for
//! everybody alike: acknowledgements of a transport count as bytes, not as time. Each client is a program in a window on an X server of its own,
//! tapped through XTEST and watched through DAMAGE, and all traffic goes through our emulator. A peer that does not work is reported with the reason,
//! and so is one whose client in the end, on any link, does not show what the script makes the till show.

mod call;
mod cast;
mod chart;
mod eyes;
mod family;
mod figures;
mod hand;
mod line;
mod ours;
mod picture;
mod play;
mod ready;
mod report;
mod scene;
mod serve;
mod tables;
mod xpra;
mod xrdp;

use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use cast::{CAST, Peer};
use report::Report;

/// How it is measured.
#[derive(clap::Args)]
pub struct Arguments {
    /// Fewer taps.
    #[arg(long)]
    quick: bool,
    /// Only these, by their short names, with commas between them.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where the figures and charts go.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
}

/// How much is tapped.
#[derive(Clone, Copy, Debug)]
struct Extent {
    /// Taps of a pass on the LAN; there are two passes.
    lan_taps: usize,
    /// Taps of the one pass on each other link.
    far_taps: usize,
}

/// All of the script on the LAN, one of its three sales elsewhere.
const WHOLE: Extent = Extent { lan_taps: 120, far_taps: 40 };
/// One sale, and half of one.
const QUICK: Extent = Extent { lan_taps: 40, far_taps: 20 };

/// Measures everybody, prints the tables and writes figures and charts.
///
/// # Errors
/// When this machine can't be measured on at all, or nothing can be written. A peer that fails is part of the result.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    // Whoever ends early drops what was started, and with it its processes.
    let report = tokio::select! {
        report = measure(arguments) => report?,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("interrupted"),
        _ = terminate.recv() => anyhow::bail!("terminated"),
    };
    let tables = tables::tables(&report);
    println!("{tables}");
    report::write(&report, &arguments.out)
        .with_context(|| format!("{} can't be written", arguments.out.display()))?;
    println!("written to {}", arguments.out.display());
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Report> {
    let known = |only: &&String| CAST.iter().any(|peer| peer.id == only.as_str());
    if let Some(unknown) = arguments.only.iter().find(|only| !known(only)) {
        let names: Vec<&str> = CAST.iter().map(|peer| peer.id).collect();
        anyhow::bail!("nobody is called {unknown}; there are {}", names.join(", "));
    }
    family::adopt_orphans()?;
    let extent = if arguments.quick { QUICK } else { WHOLE };
    let chosen =
        |peer: &&Peer| arguments.only.is_empty() || arguments.only.iter().any(|only| only == peer.id);
    let mut report = Report::begin(extent, &arguments.only);
    for peer in CAST.iter().filter(chosen) {
        eprintln!("measuring: {}", peer.name);
        report.results.push(scene::measure(peer, extent).await);
    }
    report.end();
    Ok(report)
}
