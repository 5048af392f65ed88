//! `bench load`: how many waiters one box serves.
//!
//! Each waiter is a device of its own: a key, a QUIC connection with mutual TLS (ten share a UDP socket), and the full client core; only
//! nothing is painted. He thinks before each tap, logs in, opens sales, books, answers questions, sends and takes cash. The server runs in a process
//! and on a core of its own. A time is from the tap to the frame that answers it, as the waiter's process sees it; so it holds what that
//! process is late.

pub mod cores;
pub mod fleet;
pub mod measured;
pub mod pace;
pub mod report;
pub mod serve;
pub mod shift;
pub mod tally;
pub mod waiter;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tresen_identity::{KeyPair, Secret};

/// Fleets of the curve.
const CURVE: [u16; 4] = [10, 100, 1_000, 5_000];

/// What `bench load` is asked.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// How many devices.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=8_000))]
    pub devices: u16,
    /// How long it counts, once everybody is logged in.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Runs 10, 100, 1,000 and 5,000 devices one after the other instead.
    #[arg(long)]
    pub curve: bool,
    /// Another seed, another evening.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where the figures are written.
    #[arg(long, default_value = "target/bench/load.json")]
    pub out: PathBuf,
}

/// What the server's process is told.
#[derive(Clone, Debug, clap::Args)]
pub struct ServeArguments {
    /// How many devices will come.
    #[arg(long)]
    pub devices: u16,
    /// Their keys' seed.
    #[arg(long)]
    pub seed: u64,
    /// Its data folder.
    #[arg(long)]
    pub data: PathBuf,
}

/// Measures, prints and writes.
///
/// # Errors
/// When a server can't be started, or the file can't be written.
pub async fn run(arguments: &Arguments, layout: cores::Layout, cores: &[usize]) -> Result<()> {
    let fleets = if arguments.curve { CURVE.to_vec() } else { vec![arguments.devices] };
    let mut report = report::Report::new(layout, arguments.seed);
    for devices in fleets {
        let wanted = devices;
        let devices = fleet::that_fit(wanted);
        if devices < wanted {
            println!("{wanted} devices: only {devices}, because of the limit of open files");
        }
        report.runs.push(fleet::run(devices, arguments.seconds, arguments.seed, cores).await?);
    }
    print!("{}", report::table(&report));
    if let Some(folder) = arguments.out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&arguments.out, serde_json::to_vec_pretty(&report)?)
        .with_context(|| format!("{} can't be written", arguments.out.display()))?;
    println!("written to {}", arguments.out.display());
    Ok(())
}

/// The key of a waiter's device: both processes know it from the seed.
pub fn key_of(seed: u64, waiter: u16) -> KeyPair {
    let mut random = StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(waiter));
    KeyPair::from_seed(&Secret::new(random.random()))
}
