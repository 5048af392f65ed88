//! Keeps the load benchmark working: a few devices, a few seconds.

#![allow(clippy::disallowed_methods, reason = "it starts the benchmark")]

use std::process::Command;

/// Proves that `bench load` measures real work: everybody comes, works, and is answered, and bookings reach the disk.
#[test]
fn a_small_fleet_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("load.json");
    let run = Command::new(env!("CARGO_BIN_EXE_tresen-loadtest"))
        .args(["bench", "load", "--devices", "8", "--seconds", "4", "--out"])
        .arg(&out)
        .output()
        .expect("the benchmark runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&out).expect("a report")).expect("the report is JSON");
    let run = &report["runs"][0];
    let number = |name: &str| run[name].as_f64().unwrap_or_else(|| panic!("no {name} in {run}"));
    assert_eq!((number("arrived"), number("worked")), (8.0, 8.0), "{run}");
    assert_eq!((number("unanswered"), run["lost"].as_array().map(Vec::len)), (0.0, Some(0)), "{run}");
    assert!(number("taps_per_s") > 0.0 && number("bookings_per_s") > 0.0, "{run}");
    assert!(number("server_cpu_us_per_tap") > 0.0 && number("udp_bytes_per_tap") > 0.0, "{run}");
    assert!(run["tap_to_frame_ms"]["p99"].as_f64() > Some(0.0), "{run}");
}
