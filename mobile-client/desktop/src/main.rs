//! `tresen-desktop`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tresen_desktop::main()
}
