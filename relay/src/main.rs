//! `tresen-relay`: see `tresen-relay --help`.

use std::process::ExitCode;

use clap::Parser;
use tresen_relay::cli::{Arguments, execute};

fn main() -> ExitCode {
    match execute(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tresen-relay: {failure}");
            ExitCode::FAILURE
        }
    }
}
