//! Promises of sessions over bad networks, with seeds: `cargo xtask sim` runs many more of them.

use tresen_world::sim::{Broken, Episode, FAULTS, Fault, Notice, Transport};
use tresen_world::wan::{HOUR, MINUTE, MS, SECOND};

/// Seeds that are tried before a fault counts as unnoticed.
const SEEDS: u64 = 60;

/// Promise: whatever network, kills, restarts, moves and people do, a screen is always one of the server's, never an old one, and the newest at
/// rest; no input is lost, doubled or reordered; what is acknowledged is on disk; bounds hold; silence is silent.
#[test]
fn sessions_keep_their_promises() {
    for seed in 0..16 {
        if let Err(broken) = Episode::new(seed, Fault::None).run(HOUR) {
            panic!("seed {seed}: {broken}");
        }
    }
}

/// Promise: sessions heal from a transport that breaks every promise of its own: it loses, repeats, swaps and changes messages. Screens agree at rest,
/// nothing is done twice or out of order, nobody waits for ever.
#[test]
fn anything_heals() {
    for seed in 0..16 {
        if let Err(broken) = Episode::over(seed, Transport::Rotten, Fault::None).run(HOUR) {
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

/// Promise: after a minute without a link, in which the screen changed a hundred times, the client gets one difference and no backlog.
#[test]
fn an_outage_leaves_no_backlog() {
    for (transport, profile) in
        [(Transport::Quic, "far,loss=0%"), (Transport::Tcp, "far,loss=0%"), (Transport::Quic, "near")]
    {
        for seed in 0..20 {
            let outage = || {
                let mut episode = Episode::scripted(seed, &profile.parse().expect("a profile"), transport)?;
                episode.cut(MINUTE);
                for _ in 0..100 {
                    episode.others_change()?;
                    episode.pass(MINUTE / 100)?;
                }
                let before = episode.figures();
                let took_us = episode.until_newest()?;
                episode.pass(MINUTE)?;
                Ok::<_, Broken>((before, took_us, episode.figures()))
            };
            let (before, took_us, after) = outage().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
            assert_eq!(after.frames - before.frames, 1, "seed {seed} {transport:?}: one difference");
            assert_eq!(after.compared - before.compared, 1, "seed {seed} {transport:?}: one screen");
            // The longest wait between two attempts, and some round trips.
            assert!(took_us < 8 * SECOND, "seed {seed} {transport:?}: {took_us} us");
        }
    }
}

/// Promise: over QUIC a session survives a new address. The first tap takes a second round trip, in which the client proves that it lives there;
/// who was told by its system has done so by then.
#[test]
fn a_new_address_costs_a_round_trip() {
    for (profile, round_trip_us) in [("near", 40 * MS), ("far,loss=0%", 150 * MS)] {
        for (seed, notice) in (0..20).flat_map(|seed| [(seed, Notice::Told), (seed, Notice::Silent)]) {
            let moved = || {
                let mut episode =
                    Episode::scripted(seed, &profile.parse().expect("a profile"), Transport::Quic)?;
                episode.cut(2 * SECOND);
                episode.pass(2 * SECOND)?;
                episode.new_address(notice);
                episode.pass(SECOND)?;
                Ok::<_, Broken>((episode.tap()?, episode.tap()?, episode.figures().connections))
            };
            let (first_us, next_us, connections) =
                moved().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
            let round_trips = if notice == Notice::Told { 1 } else { 2 };
            assert!(
                first_us <= round_trips * round_trip_us + 8 * MS,
                "seed {seed}: {first_us} us over {profile}"
            );
            assert!(next_us <= round_trip_us + 8 * MS, "seed {seed}: then {next_us} us over {profile}");
            assert_eq!(connections, 1, "seed {seed}: on the connection that it has");
        }
    }
}
