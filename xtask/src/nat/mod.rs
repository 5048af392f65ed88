//! `cargo xtask nat`: whether a device finds a direct way to its box, behind which boxes of whom, how soon, and what a person notices of it. The programs are the real
//! ones; the networks are namespaces of this machine, so nothing takes time on the way.
//!
//! Bounded: each try takes [`TRY`] at most, and everything is taken away at the end.

mod boxes;
mod house;
mod mapping;
mod moves;
mod net;
mod report;
mod trouble;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use self::boxes::Side;
use self::house::{Device, House};
use self::net::Net;
use self::report::Cell;
use crate::{programs, setup};

/// How long a device looks for a direct way.
const TRY: Duration = Duration::from_secs(8);

/// A box lets the same device use the birthday method again after so many times as long as it took, ...
const MET_PAUSES: u32 = 4;

/// ... and after this when it led nowhere.
const MISSED_PAUSE: Duration = Duration::from_secs(60);

/// How long it works on that way before it ends.
const SETTLE: Duration = Duration::from_millis(1_200);

/// A device that says nothing for so long is given up.
const SILENCE: Duration = Duration::from_secs(10);

/// Most tries that may be asked for.
const MOST_TRIES: u32 = 100;

/// Kinds of boxes of which each is tried with each.
const KINDS: [Side; 5] =
    [Side::Open, Side::FullCone, Side::AddressRestricted, Side::PortRestricted, Side::Symmetric];

/// The name of what happens on a way.
const TROUBLE: &str = "trouble";

/// Other pairs: the client's side, the edge server's.
const OTHERS: [(Side, Side); 9] = [
    (Side::Answering, Side::Answering),
    (Side::Symmetric, Side::Mapping),
    (Side::Symmetric, Side::UpnpMapping),
    (Side::Double, Side::Double),
    (Side::Ipv6, Side::Ipv6),
    (Side::Shared, Side::Shared),
    (Side::NoUdp, Side::PortRestricted),
    (Side::PortRestricted, Side::NoUdp),
    (Side::NoUdp, Side::NoUdp),
];

/// What came of a try.
#[derive(Default)]
pub struct Outcome {
    /// When the first screen was there, in ms.
    screen_ms: Option<u64>,
    /// When packets went through the relay first.
    relayed_ms: Option<u64>,
    /// When they went through it over TLS.
    passed_ms: Option<u64>,
    /// When they went directly.
    direct_ms: Option<u64>,
    /// When answers came, and how long they took.
    answers: Vec<(u64, u64)>,
    /// How long the last tap waited in vain.
    unanswered_ms: Option<u64>,
}

/// Prints what many moves of a device came to.
///
/// # Errors
/// Without the rights or tools that it needs, when the system refuses, or when something is lost or takes too long.
pub fn run_moves(shell: &Shell, moves: u32, seed: u64) -> Result<()> {
    print!("{}", moves::run(&ready(shell)?, moves, seed)?);
    Ok(())
}

/// Prints the matrix.
///
/// # Errors
/// Without the rights or tools that it needs, when the system refuses, or when it is worse than promised.
pub fn run(shell: &Shell, tries: u32, only: Option<&str>) -> Result<()> {
    let programs = ready(shell)?;
    let tries = tries.clamp(1, MOST_TRIES);
    let router = setup::install_router(shell);
    if let Err(error) = &router {
        eprintln!("Without a router that maps ports: {error:#}");
    }
    let mut cells = Vec::new();
    let every = KINDS.iter().flat_map(|client| KINDS.iter().map(move |edge| (*client, *edge)));
    for (client, edge) in every.chain(OTHERS) {
        let name = format!("{client} - {edge}");
        if only.is_some_and(|only| !name.contains(only)) || edge.maps_ports() && router.is_err() {
            continue;
        }
        let cell = Cell { client, edge, outcomes: cell(&programs, client, edge, tries)?, tries };
        eprintln!("{name}: {}", cell.in_words());
        cells.push(cell);
    }
    print!("{}", report::table(&cells));
    if only.is_none_or(|only| TROUBLE.contains(only)) {
        print!("{}", trouble::run(&programs, tries)?);
    }
    let worse: Vec<String> = cells.iter().filter(|cell| !cell.is_as_promised()).map(Cell::name).collect();
    if !worse.is_empty() {
        bail!("Worse than promised: {}.", worse.join("; "));
    }
    Ok(())
}

/// Where the programs are, when all that is needed is there.
fn ready(shell: &Shell) -> Result<PathBuf> {
    if cmd!(shell, "id -u").quiet().read()? != "0" {
        bail!("Networks are made of namespaces: run this as root (sudo cargo xtask nat).");
    }
    setup::install(shell, setup::NAT)?;
    programs::build(shell)?;
    Ok(setup::target_dir().join("debug"))
}

fn cell(programs: &Path, client: Side, edge: Side, tries: u32) -> Result<Vec<Outcome>> {
    let data = tempfile::tempdir()?;
    let _net = Net::build(client, edge)?;
    let _router = edge.maps_ports().then(|| mapping::start(data.path(), edge)).transpose()?;
    // A demo asks no router but one that it was told.
    let config =
        if edge.maps_ports() { format!("port_mapping = \"{}\"\n", mapping::GATE) } else { String::new() };
    let house = House::open(programs, data.path(), client == Side::Ipv6, &config)?;
    if let Err(error) = house.pair() {
        eprintln!("{client} - {edge}: the device can't be paired: {error:#}");
        return Ok(Vec::new());
    }
    let by_birthday = [(client, edge), (edge, client)].contains(&(Side::PortRestricted, Side::Symmetric));
    let mut outcomes = Vec::new();
    for _ in 0..tries {
        let outcome = watch(&house.work(TRY, SETTLE)?);
        if by_birthday {
            std::thread::sleep(outcome.rest());
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Listens until the device ends.
fn watch(device: &Device) -> Outcome {
    let mut outcome = Outcome::default();
    while let Some((at_ms, what)) = device.next(SILENCE) {
        outcome.note(at_ms, &what);
    }
    outcome
}

impl Outcome {
    /// When the birthday method is free for the same device again.
    fn rest(&self) -> Duration {
        match (self.relayed_ms, self.direct_ms) {
            (Some(relayed_ms), Some(direct_ms)) => {
                MET_PAUSES * Duration::from_millis(direct_ms.saturating_sub(relayed_ms))
            }
            (Some(_), None) => MISSED_PAUSE,
            (None, _) => Duration::ZERO,
        }
    }

    fn note(&mut self, at_ms: u64, what: &str) {
        match what {
            "screen" => self.screen_ms = self.screen_ms.or(Some(at_ms)),
            "way relayed" => self.relayed_ms = self.relayed_ms.or(Some(at_ms)),
            "way passed" => self.passed_ms = self.passed_ms.or(Some(at_ms)),
            "way direct" | "way internet" => self.direct_ms = self.direct_ms.or(Some(at_ms)),
            _ if what.starts_with("unanswered ") => {
                self.unanswered_ms = what.strip_prefix("unanswered ").and_then(|waited| waited.parse().ok());
            }
            _ => {
                let took_ms = what.strip_prefix("answer ").and_then(|took| took.parse().ok());
                self.answers.extend(took_ms.map(|took_ms| (at_ms, took_ms)));
            }
        }
    }
}
