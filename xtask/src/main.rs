//! `cargo xtask`: every command a person needs, from the first demo to the continuous integration.
//!
//! Each command sets up what it needs first (see [`setup`]), and says exactly what to install where it may not.

#![allow(clippy::disallowed_methods, reason = "a shell: it starts programs")]

mod check;
mod image;
mod nat;
mod programs;
mod relay_demo;
mod setup;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xshell::Shell;

/// Builds, shows, tests and measures Tresen.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the demo restaurant: an edge server with an embedded database, the handheld and the back office.
    Demo {
        /// What to hand to `tresen-edge` besides.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// The demo restaurant behind a relay on this machine: its pairing codes work wherever the relay can be reached.
    RelayDemo {
        /// This machine, as devices reach it; else its address on the network.
        host: Option<String>,
    },
    /// Runs the desktop client: `cargo xtask desktop pair '<text of the pairing code>'` once, then `cargo xtask desktop`.
    Desktop {
        /// What to hand to `tresen-desktop`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Passes every test; what the continuous integration runs.
    Test {
        /// Style, lints and the tests of the crates only: no browser, no kill cycles.
        #[arg(long)]
        quick: bool,
    },
    /// Builds the web client into the folder that the edge server embeds.
    Web,
    /// Browser and desktop tests; each starts a server of its own.
    EndToEnd,
    /// Kills the server under load and compares what it kept with what it had acknowledged.
    Crash {
        /// How many kills.
        #[arg(long, default_value_t = 200)]
        cycles: u32,
    },
    /// Sessions over bad networks in simulated time; prints each seed that breaks a promise, and how to see it again.
    Sim {
        /// What to hand to `tresen-world`: `--seeds N`, `--seed S`, `--hours H`, `--rotten`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// A slow network on this machine: `cargo xtask wan --profile far --udp 127.0.0.1:9000 --to 127.0.0.1:8443`.
    Wan {
        /// What to hand to `tresen-loadtest wan`; `--help` tells the profiles.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Direct ways through NAT boxes: networks of namespaces (as root), the real programs, and a matrix of what came of it.
    Nat {
        /// Tries of each pair of boxes.
        #[arg(long, default_value_t = 3)]
        tries: u32,
        /// Only pairs whose name, `client - edge server`, has this in it.
        #[arg(long)]
        only: Option<String>,
        /// Nothing of that, but so many other addresses for one device at work, and what it noticed.
        #[arg(long, value_name = "N")]
        moves: Option<u32>,
        /// The moves are the same for the same number.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Measures: `bench screen`, `bench guess`, `bench load`, `bench relay` (beside coturn and iroh's relay) write to `target/bench`; `bench page` times the handheld's page; `bench peers` (VNC, NX, xpra and RDP
    /// beside Tresen; as root it installs them) writes to `docs/benchmarks`.
    Bench {
        /// What to measure.
        #[arg(default_value = "screen")]
        what: String,
        /// What to hand to the benchmark besides.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Builds what the relay's container image is made of, and the image, if an engine is named.
    Image {
        /// The program that makes images: docker or podman.
        #[arg(long)]
        engine: Option<String>,
    },
    /// Draws the golden files anew: screens and wire bytes. Look at the difference before you commit it.
    Renew,
    /// Checks what the compiler does not: licences, banned crates, which way dependencies point, and that documents, dashboards and alerts name what exists.
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let shell = Shell::new()?;
    shell.change_dir(setup::workspace_root());
    match arguments.command {
        Command::Demo { rest } => programs::demo(&shell, &rest),
        Command::RelayDemo { host } => relay_demo::run(&shell, host),
        Command::Desktop { rest } => programs::desktop(&shell, &rest),
        Command::Test { quick } => {
            check::test(&shell, if quick { check::Extent::Quick } else { check::Extent::Whole })
        }
        Command::Web => programs::build_web(&shell),
        Command::EndToEnd => check::end_to_end(&shell),
        Command::Crash { cycles } => check::crash(&shell, cycles),
        Command::Sim { rest } => programs::sim(&shell, &rest),
        Command::Wan { rest } => programs::wan(&shell, &rest),
        Command::Nat { moves: Some(moves), seed, .. } => nat::run_moves(&shell, moves, seed),
        Command::Nat { tries, only, .. } => nat::run(&shell, tries, only.as_deref()),
        Command::Bench { what, rest } => programs::bench(&shell, &what, &rest),
        Command::Image { engine } => image::relay(&shell, engine.as_deref()),
        Command::Renew => check::renew(&shell),
        Command::Tidy => tidy::check(&shell),
    }
}
