//! Kill cycles: books under load, kills the program at a random moment, starts it again, and compares what was acknowledged
//! with what is on disk. Nothing acknowledged may be missing, and nothing may be there twice.
//!
//! Two levels: `ledger` has the real ledger in a child process and asks hundreds of times; `server` has the real server
//! and devices with real sessions.
//!
//! `--fault` breaks a promise on purpose: a harness that can't fail proves nothing.

mod child;
mod clients;
mod compare;
mod ledger_level;
mod server;
mod server_level;
mod waiter;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tresen_ledger::Fault;

pub use child::{ChildArguments, run_child};

/// What `crash` is told.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How often to kill.
    #[arg(long, default_value_t = 200)]
    cycles: u32,
    /// What to kill; both when not said.
    #[arg(long)]
    level: Option<Level>,
    /// Repeats the random choices of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Keeps the data in this folder instead of a temporary one.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Breaks a promise, to see that it is noticed.
    #[arg(long, hide = true)]
    fault: Option<Broken>,
}

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Level {
    /// A child with the real ledger.
    Ledger,
    /// The server, through real sessions.
    Server,
}

/// A promise to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Broken {
    /// Answers come before the commit.
    AnswerBeforeCommit,
    /// An input that is sent again is done again.
    ForgetMarks,
}

impl Broken {
    fn fault(self) -> Fault {
        match self {
            Broken::AnswerBeforeCommit => Fault::AnswerBeforeCommit,
            Broken::ForgetMarks => Fault::ForgetMarks,
        }
    }
}

/// Figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Kills.
    pub(crate) cycles: u32,
    /// Bookings that were acknowledged.
    pub(crate) acknowledged: u64,
    /// Rows of the journal at the end.
    pub(crate) rows: u64,
    /// Longest time from a start to the first answer.
    pub(crate) slowest_start: Duration,
}

/// Runs the kill cycles.
///
/// # Errors
/// When something was lost or doubled, or can't be run.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let seed = arguments.seed.unwrap_or_else(rand::random);
    eprintln!("crash: {} cycles, --seed {seed}", arguments.cycles);
    let temporary = tempfile::tempdir()?;
    let folder = arguments.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    let random = || StdRng::seed_from_u64(seed);
    if arguments.level != Some(Level::Server) {
        let run = || ledger_level::run(&folder, arguments.cycles, arguments.fault, random());
        report("ledger", &tokio::task::block_in_place(run)?);
    }
    if arguments.level != Some(Level::Ledger) && arguments.fault.is_none() {
        report("server", &server_level::run(&folder, arguments.cycles, random()).await?);
    }
    Ok(())
}

fn report(level: &str, tally: &Tally) {
    println!(
        "crash, {level}: {} kills, {} bookings acknowledged, 0 lost, 0 doubled; {} rows, slowest start {:.0} ms",
        tally.cycles,
        tally.acknowledged,
        tally.rows,
        tally.slowest_start.as_secs_f64() * 1000.0
    );
}
