//! `tresen-edge`: see `tresen-edge --help`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use nix::sys::stat::{Mode, umask};
use tresen_edge::cli::{Arguments, execute};

/// A tap makes and drops some thousand small things, each session keeps some hundred: the system's allocator takes a fifth more memory and time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

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
