//! Tests: what the continuous integration runs, in the order in which failing is cheapest.

use std::path::PathBuf;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::{programs, setup, tidy};

/// Kill cycles of the whole test.
const CRASH_CYCLES: u32 = 200;

/// How much is tested.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Style, lints, the tests of the crates.
    Quick,
    /// Everything: also browser, desktop and kill cycles.
    Whole,
}

/// Runs the tests.
///
/// # Errors
/// When one fails.
pub fn test(shell: &Shell, extent: Extent) -> Result<()> {
    tidy::check(shell)?;
    cmd!(shell, "cargo fmt --all --check").run()?;
    cmd!(shell, "cargo clippy --quiet --workspace --all-targets --locked -- -D warnings").run()?;
    setup::install_for_crates(shell)?;
    cmd!(shell, "cargo test --workspace --locked").run()?;
    if extent == Extent::Whole {
        crash(shell, CRASH_CYCLES)?;
        end_to_end(shell)?;
    }
    eprintln!("All tests passed.");
    Ok(())
}

/// Drives the programs as a person would: two browsers, a desktop window, a server that is killed.
///
/// # Errors
/// When a test fails.
pub fn end_to_end(shell: &Shell) -> Result<()> {
    setup::install(shell, setup::END_TO_END)?;
    setup::npm_packages(shell)?;
    programs::build_web(shell)?;
    programs::build(shell)?;
    // By name: what Node makes of a folder changes with its version.
    let is_test = |file: &PathBuf| file.to_string_lossy().ends_with(".test.mjs");
    let tests: Vec<PathBuf> = shell.read_dir("xtask/e2e")?.into_iter().filter(is_test).collect();
    cmd!(shell, "node --test --test-concurrency=1 {tests...}").run()?;
    Ok(())
}

/// Kills the server `cycles` times under load; nothing acknowledged may be lost or doubled.
///
/// # Errors
/// When something is.
pub fn crash(shell: &Shell, cycles: u32) -> Result<()> {
    let cycles = cycles.to_string();
    programs::build(shell)?;
    cmd!(shell, "cargo run --quiet --package tresen-loadtest -- crash --cycles {cycles}").run()?;
    Ok(())
}

/// Draws the golden files anew.
///
/// # Errors
/// When a test fails for another reason.
pub fn renew(shell: &Shell) -> Result<()> {
    cmd!(shell, "cargo test --quiet --workspace").env("TRESEN_RENEW", "1").run()?;
    Ok(())
}
