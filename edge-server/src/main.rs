//! `tresen-edge`: see `tresen-edge --help`.

use std::process::ExitCode;

use clap::Parser;
use tresen_edge::cli::{Arguments, execute};

fn main() -> ExitCode {
    match execute(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tresen-edge: {}", failure.message);
            ExitCode::from(failure.exit_code)
        }
    }
}
