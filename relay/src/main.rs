//! `tresen-relay`: see `tresen-relay --help`.

use std::process::ExitCode;

use clap::Parser;
use tresen_relay::cli::{Arguments, execute};

/// In the container image: musl's own allocator has one lock for all threads.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match execute(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tresen-relay: {failure}");
            ExitCode::FAILURE
        }
    }
}
