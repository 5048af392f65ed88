//! `tresen-world`: many seeds of sessions in simulated time. `cargo xtask sim` builds and runs it.

#![allow(clippy::disallowed_methods, reason = "a shell: it starts threads and measures how long they take")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use tresen_world::sim::{Episode, Fault, Figures, Transport};
use tresen_world::wan::HOUR;

/// How often it says how far it has come.
const TELLS_EVERY_S: u64 = 10;

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
    /// Over a transport that loses, repeats, swaps and changes messages, which none of ours does.
    #[arg(long)]
    rotten: bool,
    /// Breaks a promise, to see that it is noticed.
    #[arg(long, default_value = "none", hide = true)]
    fault: Fault,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let start = Instant::now();
    let next = AtomicU64::new(arguments.seed);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let told_s = AtomicU64::new(0);
    let work = || work(&arguments, &next, start, &told_s);
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
fn work(arguments: &Arguments, next: &AtomicU64, start: Instant, told_s: &AtomicU64) -> (Figures, u64) {
    let (mut all, mut failed) = (Figures::default(), 0);
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed - arguments.seed >= arguments.seeds {
            return (all, failed);
        }
        say_how_far(arguments, seed, start, told_s);
        let mut episode = match arguments.rotten {
            true => Episode::over(seed, Transport::Rotten, arguments.fault),
            false => Episode::new(seed, arguments.fault),
        };
        if let Err(broken) = episode.run(arguments.hours * HOUR) {
            failed += 1;
            let rotten = if arguments.rotten { " --rotten" } else { "" };
            println!("seed {seed}: {broken}");
            println!("  again: cargo xtask sim --seeds 1 --seed {seed} --hours {}{rotten}", arguments.hours);
        }
        all = all.plus(episode.figures());
    }
}

/// Says now and then how far it has come.
fn say_how_far(arguments: &Arguments, seed: u64, start: Instant, told_s: &AtomicU64) {
    let now_s = start.elapsed().as_secs();
    let before_s = told_s.load(Ordering::Relaxed);
    if now_s >= before_s + TELLS_EVERY_S
        && told_s.compare_exchange(before_s, now_s, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    {
        eprintln!("{} of {} seeds after {now_s} s", seed - arguments.seed, arguments.seeds);
    }
}
