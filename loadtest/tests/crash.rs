//! The kill cycles can fail: they notice an answer before the commit, and an input that is done twice.
#![allow(clippy::disallowed_methods, reason = "starts the program under test")]

use std::process::{Command, Output};

/// Enough that a broken promise shows: in most cycles the kill falls into a commit under way.
const CYCLES: &str = "40";

fn crash(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_tresen-loadtest");
    Command::new(program).args(["crash", "--level", "ledger"]).args(arguments).output().expect("runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Promise: a real ledger loses nothing and doubles nothing.
#[test]
fn a_real_ledger_passes() {
    let output = crash(&["--cycles", "5"]);
    assert!(output.status.success() && text(&output).contains("0 lost, 0 doubled"), "{}", text(&output));
}

/// Promise: the harness notices a ledger that answers before it commits.
#[test]
fn an_answer_before_the_commit_is_noticed() {
    let output = crash(&["--cycles", CYCLES, "--fault", "answer-before-commit"]);
    assert!(!output.status.success() && text(&output).contains("LOST"), "{}", text(&output));
}

/// Promise: the harness notices a ledger that does an input twice.
#[test]
fn an_input_done_twice_is_noticed() {
    let output = crash(&["--cycles", CYCLES, "--fault", "forget-marks"]);
    assert!(!output.status.success() && text(&output).contains("DOUBLED"), "{}", text(&output));
}
