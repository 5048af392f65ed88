//! `tresen-loadtest`: benchmarks, load and faults.

#![allow(clippy::disallowed_methods, reason = "a shell: it starts the runtime")]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use tresen_loadtest::screen::{self, report, serve};
use tresen_loadtest::{crash, wan};

/// Measures Tresen, and tries to break it.
#[derive(Parser)]
#[command(name = "tresen-loadtest")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures.
    Bench {
        /// What.
        #[command(subcommand)]
        what: Bench,
    },
    /// Kills under load and compares with what was acknowledged.
    Crash(crash::Arguments),
    /// The program that `crash` kills.
    #[command(hide = true)]
    CrashChild(crash::ChildArguments),
    /// A slow network on this machine: a proxy that delays, loses and reorders.
    Wan(Box<wan::Arguments>),
    /// The server of a benchmark, in a process of its own.
    #[command(hide = true)]
    Serve {
        /// What its instances run.
        app: serve::App,
        /// Its data folder.
        #[arg(long)]
        data: PathBuf,
        /// Instances that only idle.
        #[arg(long, default_value_t = 0)]
        idle: u16,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// What a tap costs: bytes, time, memory. Writes `target/bench/screen.json`.
    Screen,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Bench { what: Bench::Screen } => bench_screen().await,
            Command::Crash(arguments) => crash::run(&arguments).await,
            Command::CrashChild(arguments) => tokio::task::block_in_place(|| crash::run_child(&arguments)),
            Command::Wan(arguments) => wan::run(&arguments).await,
            Command::Serve { app, data, idle } => serve::serve(app, data, app.look(), idle).await,
        }
    })
}

async fn bench_screen() -> Result<()> {
    let report = screen::run::run().await?;
    print!("{}", report::table(&report));
    let folder = PathBuf::from("target/bench");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("screen.json");
    std::fs::write(&file, serde_json::to_vec_pretty(&report)?)
        .with_context(|| format!("{} can't be written", file.display()))?;
    println!("written to {}", file.display());
    Ok(())
}
