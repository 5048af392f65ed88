//! What guessing brings: the handheld's script at a person's pace over a poor line, on the real server, with guesses and without.
//!
//! Two servers, each in a process of its own, each behind its own emulated line, play the same evenings at the same time. A tap counts as *answered* when
//! the client shows at once what the server's screen is when the tap has had its effect, or, for a tap that reaches beyond the till, that it is being
//! done; as *wrong for long* when it shows something else of its own making for longer than a round trip. A person looks at what came before tapping on, so
//! taps do not overlap.
//!
//! The first evening is the script as it stands and finds the server without habits. Each further one is the same, or, with `--shuffled`, has the orders of each
//! round in another order.

mod report;
mod walker;

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use tresen_world::wan::Profile;

use crate::device::Device;
use crate::handheld::script;
use crate::screen::cpu;
use crate::screen::run::{HANDHELD_LOOK, Server};
use crate::screen::serve::{App, Guesses};
use crate::wan::Emulator;

pub use report::table;
use walker::{Answer, Walker};

/// How it is measured.
#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    /// The line, as `cargo xtask wan` names it.
    #[arg(long, default_value = "far")]
    profile: String,
    /// Evenings that are played.
    #[arg(long, default_value_t = 3)]
    evenings: u64,
    /// Mean time from one tap to the next, in ms (lognormal).
    #[arg(long, default_value_t = 2000)]
    pace_ms: u64,
    /// Puts the orders of each round in another order, from the second evening on.
    #[arg(long)]
    shuffled: bool,
    /// Names each tap that was not answered at once.
    #[arg(long)]
    explain: bool,
}

/// One evening.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Evening {
    /// Taps.
    pub taps: usize,
    /// Those answered within 16 ms with the right pixels.
    pub answered: usize,
    /// Of these, those that reach beyond the till and showed at once that they are being done.
    pub pending: usize,
    /// Taps that reach beyond the till: sending, paying, the last digit of a PIN, logging out.
    pub beyond: usize,
    /// Taps after which something wrong was shown for longer than a round trip.
    pub wrong: usize,
    /// Taps after which something wrong was shown at all.
    pub missed: usize,
    /// Middle and 99th hundredth of the time from a tap to its right screen, in ms.
    pub right_ms: (f64, f64),
    /// Bytes of UDP, both ways.
    pub udp_bytes: u64,
    /// Bytes of messages to the client.
    pub payload_bytes: u64,
    /// CPU time of the server a tap, in µs.
    pub cpu_us_per_tap: f64,
}

/// Everything that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The line.
    pub profile: String,
    /// Mean time from tap to tap.
    pub pace_ms: u64,
    /// With guesses, evening by evening.
    pub with: Vec<Evening>,
    /// Without.
    pub without: Vec<Evening>,
}

/// Measures.
///
/// # Errors
/// When a server can't be started or does not answer.
pub async fn run(arguments: &Arguments) -> Result<Report> {
    let profile: Profile = arguments.profile.parse()?;
    let (with, without) = tokio::try_join!(
        play(Guesses::Auto, profile.clone(), arguments),
        play(Guesses::Off, profile.clone(), arguments)
    )?;
    Ok(Report { profile: arguments.profile.clone(), pace_ms: arguments.pace_ms, with, without })
}

async fn play(guesses: Guesses, profile: Profile, arguments: &Arguments) -> Result<Vec<Evening>> {
    let round_trip_ms = (profile.up.delay_us + profile.down.delay_us) / 1000;
    let mut server = Server::start(App::Mpos, 0, guesses)?;
    let device = Device::pair(&server.pairing_code()?, "bench").await?;
    let line = Emulator::udp((Ipv4Addr::LOCALHOST, 0).into(), device.server(), profile, 7)?;
    let device = device.through(line.address());
    let mut walker = Walker::open(&device, HANDHELD_LOOK, round_trip_ms).await?;
    let mut evenings = Vec::new();
    for number in 0..arguments.evenings {
        let (cpu_us, bytes) = (cpu::used_us(server.id())?, walker.payload_bytes());
        let passed = line.traffic();
        let mut answers = Vec::new();
        for (index, step) in
            script::evening(if arguments.shuffled { number } else { 0 }).into_iter().enumerate()
        {
            let pace = walker.pace(Duration::from_millis(arguments.pace_ms));
            let answer = walker.step(step, pace).await;
            let answer = answer.with_context(|| format!("evening {number}, step {index}, {step:?}"))?;
            if arguments.explain && guesses == Guesses::Auto && !answer.is_answered() {
                println!("evening {number}, step {index}: {step:?} {answer:?}");
            }
            answers.push((step, answer));
        }
        let traffic = line.traffic();
        let udp = traffic.up.bytes + traffic.down.bytes - passed.up.bytes - passed.down.bytes;
        let mut evening = summary(&answers);
        evening.udp_bytes = udp;
        evening.payload_bytes = walker.payload_bytes() - bytes;
        evening.cpu_us_per_tap = (cpu::used_us(server.id())? - cpu_us) / answers.len() as f64;
        eprintln!("evening {number}, guesses {guesses:?}: {evening:?}");
        evenings.push(evening);
    }
    drop(walker);
    server.stop();
    Ok(evenings)
}

fn summary(answers: &[(script::Step, Answer)]) -> Evening {
    let count = |which: fn(&Answer) -> bool| answers.iter().filter(|(_, answer)| which(answer)).count();
    let mut right: Vec<f64> = answers.iter().map(|(_, answer)| answer.right_ms).collect();
    right.sort_by(f64::total_cmp);
    Evening {
        taps: answers.len(),
        answered: count(Answer::is_answered),
        beyond: answers.iter().filter(|(step, _)| script::is_beyond(*step)).count(),
        pending: count(|answer| answer.is_pending),
        wrong: count(Answer::is_wrong_for_long),
        missed: count(|answer| answer.wrong_ms.is_some()),
        right_ms: (right[right.len() / 2], right[right.len() * 99 / 100]),
        ..Evening::default()
    }
}
