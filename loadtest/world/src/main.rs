//! `tresen-world`: many seeds of sessions in simulated time. `cargo xtask sim` builds and runs it.

#![allow(clippy::disallowed_methods, reason = "a shell: it starts threads and measures how long they take")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use tresen_world::sim::{Episode, Fault, Figures};
use tresen_world::wan::HOUR;

/// Lets people work over bad networks in simulated time, and looks whether every promise holds.
#[derive(Parser)]
#[command(name = "tresen-world")]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed; with `--seeds 1` it replays a failure exactly.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many simulated hours each.
    #[arg(long, default_value_t = 4)]
    hours: u64,
    /// Breaks a promise, to see that it is noticed.
    #[arg(long, default_value = "none", hide = true)]
    fault: Fault,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let next = AtomicU64::new(arguments.seed);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let work = || work(&arguments, &next);
    let results: Vec<(Figures, u64)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker reports what it finds")).collect()
    });
    let failed: u64 = results.iter().map(|(_, failed)| failed).sum();
    let all = results.into_iter().fold(Figures::default(), |all, (figures, _)| all.plus(figures));
    let hours = all.simulated_us / HOUR;
    let took_s = start.elapsed().as_secs_f64();
    println!("{hours} simulated hours in {took_s:.1} s, {:.0} a minute: {all}", hours as f64 * 60.0 / took_s);
    if failed > 0 {
        println!("{failed} of {} seeds broke a promise.", arguments.seeds);
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Runs seeds until there are no more; gives what happened, and how many failed.
fn work(arguments: &Arguments, next: &AtomicU64) -> (Figures, u64) {
    let (mut all, mut failed) = (Figures::default(), 0);
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed - arguments.seed >= arguments.seeds {
            return (all, failed);
        }
        let mut episode = Episode::new(seed, arguments.fault);
        if let Err(broken) = episode.run(arguments.hours * HOUR) {
            failed += 1;
            println!("seed {seed}: {broken}");
            println!("  again: cargo xtask sim --seeds 1 --seed {seed} --hours {}", arguments.hours);
        }
        all = all.plus(episode.figures());
    }
}
