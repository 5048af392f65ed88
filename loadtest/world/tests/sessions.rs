//! Promises of sessions over bad networks, with seeds: `cargo xtask sim` runs many more of them.

use tresen_world::sim::{Episode, FAULTS, Fault};
use tresen_world::wan::HOUR;

/// Seeds that are tried before a fault counts as unnoticed.
const SEEDS: u64 = 20;

/// Promise: whatever network, kills, restarts, moves and people do, a screen is always one of the server's, never an old one, and the newest at
/// rest; no input is lost, doubled or reordered; what is acknowledged is on disk; bounds hold; silence is silent.
#[test]
fn sessions_keep_their_promises() {
    for seed in 0..40 {
        if let Err(broken) = Episode::new(seed, Fault::None).run(2 * HOUR) {
            panic!("seed {seed}: {broken}");
        }
    }
}

/// Whoever breaks a promise is found out: the checker can fail.
#[test]
fn every_fault_is_noticed() {
    for (name, fault) in FAULTS.iter().filter(|(_, fault)| *fault != Fault::None) {
        let mut broken = (0..SEEDS).filter_map(|seed| Episode::new(seed, *fault).run(2 * HOUR).err());
        let broken = broken.next().unwrap_or_else(|| panic!("nobody notices {name}"));
        println!("{name}: {broken}");
    }
}

/// The same seed gives the same world, to the last packet.
#[test]
fn a_seed_replays() {
    let run = || Episode::new(7, Fault::None).run(HOUR);
    assert_eq!(run(), run());
}
