//! `tresen-edge`: see `tresen-edge --help`.

use std::process::ExitCode;

use clap::Parser;
use nix::sys::stat::{Mode, umask};
use tresen_edge::cli::{Arguments, execute};

fn main() -> ExitCode {
    // Bookings, keys, backups and receipts are for the site's own account only, whatever the shell's umask says.
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    match execute(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("tresen-edge: {}", failure.message);
            ExitCode::from(failure.exit_code)
        }
    }
}
