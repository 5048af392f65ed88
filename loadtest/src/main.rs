//! `tresen-loadtest`: benchmarks, load and faults.

#![allow(clippy::disallowed_methods, reason = "a shell: it starts the runtime")]

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use tresen_loadtest::screen::{self, report, serve};
use tresen_loadtest::{crash, guess, load, peers, relay, wan};

/// As the server has it: it is part of what is measured.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
    /// The server of `bench load`, in a process and on a core of its own.
    #[command(hide = true)]
    LoadServe(load::ServeArguments),
    /// A forwarder that decides nothing: the measure of `bench relay`.
    #[command(hide = true)]
    RelayBare(relay::BareArguments),
    /// A server that only answers: the floor under `bench screen`.
    #[command(hide = true)]
    ServeBare,
    /// The server of a benchmark, in a process of its own.
    #[command(hide = true)]
    Serve {
        /// What its instances run.
        app: serve::App,
        /// Its data folder.
        #[arg(long)]
        data: PathBuf,
        /// When it sends answers ahead.
        #[arg(long, value_enum, default_value_t)]
        guesses: serve::Guesses,
        /// Instances that only idle.
        #[arg(long, default_value_t = 0)]
        idle: u16,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// What a tap costs: bytes, time, memory. Writes `target/bench/screen.json`.
    Screen,
    /// What guessing brings on a poor line at a person's pace. Writes `target/bench/guess.json`.
    Guess(guess::Arguments),
    /// How many devices one server carries. Writes `target/bench/load.json`.
    Load(load::Arguments),
    /// The same till and script on Tresen, TigerVNC, NX, xpra and xrdp. Writes `docs/benchmarks/peers.*`.
    Peers(peers::Arguments),
    /// What a relay node costs and carries, beside a bare forwarder, coturn and iroh's relay. Writes `target/bench/relay.json`.
    Relay(relay::Arguments),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // Before the runtime counts the cores that it has.
    let all = load::cores::mine()?;
    let layout = match &arguments.command {
        Command::Bench { what: Bench::Load(_) | Bench::Relay(_) } => {
            load::cores::pin(load::cores::Side::Generator)?
        }
        Command::LoadServe(_) => load::cores::pin(load::cores::Side::Server)?,
        _ => load::cores::Layout::Shared,
    };
    let runtime = match &arguments.command {
        // As the server has it.
        Command::LoadServe(_) | Command::Serve { .. } | Command::ServeBare => tresen_edge::runtime::start()?,
        _ => tokio::runtime::Builder::new_multi_thread().enable_all().build()?,
    };
    runtime.block_on(async {
        match arguments.command {
            Command::Bench { what: Bench::Screen } => bench_screen().await,
            Command::Bench { what: Bench::Guess(arguments) } => bench_guess(&arguments).await,
            Command::Bench { what: Bench::Load(arguments) } => load::run(&arguments, layout, &all).await,
            Command::LoadServe(arguments) => load::serve::serve(&arguments).await,
            Command::Bench { what: Bench::Peers(arguments) } => peers::run(&arguments).await,
            Command::Bench { what: Bench::Relay(arguments) } => bench_relay(&arguments, layout, &all).await,
            Command::RelayBare(arguments) => relay::serve_bare(&arguments).await,
            Command::Crash(arguments) => crash::run(&arguments).await,
            Command::CrashChild(arguments) => tokio::task::block_in_place(|| crash::run_child(&arguments)),
            Command::Wan(arguments) => wan::run(&arguments).await,
            Command::ServeBare => screen::bare::serve().await,
            Command::Serve { app, data, guesses, idle } => {
                serve::serve(app, data, app.look(), idle, guesses).await
            }
        }
    })
}

async fn bench_screen() -> Result<()> {
    let report = screen::run::run().await?;
    print!("{}", report::table(&report));
    write("screen.json", &report)
}

async fn bench_relay(
    arguments: &relay::Arguments,
    layout: load::cores::Layout,
    cores: &[usize],
) -> Result<()> {
    let report = relay::run(arguments, layout, cores).await?;
    print!("{}", relay::table(&report));
    write("relay.json", &report)
}

async fn bench_guess(arguments: &guess::Arguments) -> Result<()> {
    let report = guess::run(arguments).await?;
    print!("{}", guess::table(&report));
    write("guess.json", &report)
}

fn write(name: &str, report: &impl serde::Serialize) -> Result<()> {
    let folder = PathBuf::from("target/bench");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(name);
    std::fs::write(&file, serde_json::to_vec_pretty(report)?)
        .with_context(|| format!("{} can't be written", file.display()))?;
    println!("written to {}", file.display());
    Ok(())
}
