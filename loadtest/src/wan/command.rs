//! `cargo xtask wan`: a slow network on this machine.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use tresen_world::wan::{PROFILES, Profile};

use super::{Counted, Emulator, Traffic};

/// How often it says what has passed.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// What `wan` is told.
#[derive(Debug, Args)]
#[command(after_help = profiles())]
pub struct Arguments {
    /// A profile by name, with changes if need be: `far`, or `far,loss=2%,burst=80ms,outage=5s/3m,address=10m`.
    #[arg(long, default_value = "far")]
    profile: Profile,
    /// Where to take datagrams (QUIC), as 127.0.0.1:9000.
    #[arg(long)]
    udp: Option<SocketAddr>,
    /// Where to take connections (WebSocket); may be the same as for UDP.
    #[arg(long)]
    tcp: Option<SocketAddr>,
    /// The server.
    #[arg(long)]
    to: SocketAddr,
    /// Repeats the random choices of an earlier run.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn profiles() -> String {
    let lines = PROFILES.iter().map(|(name, what)| format!("  {name:<10} {what}\n"));
    format!("Profiles:\n{}", lines.collect::<String>())
}

/// Carries traffic until it is interrupted.
///
/// # Errors
/// When an address can't be had.
pub async fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { profile, udp, tcp, to, seed } = arguments;
    if udp.is_none() && tcp.is_none() {
        bail!("Say where to take traffic: --udp 127.0.0.1:9000, --tcp 127.0.0.1:9000 or both.");
    }
    println!("{profile}");
    let mut emulators = Vec::new();
    if let Some(listen) = udp {
        emulators.push(("UDP", Emulator::udp(*listen, *to, profile.clone(), *seed)?));
    }
    if let Some(listen) = tcp {
        emulators.push(("TCP", Emulator::tcp(*listen, *to, profile.clone(), *seed)?));
    }
    for (name, emulator) in &emulators {
        println!("{name} {} -> {to}; ctrl-c ends it", emulator.address());
    }
    let mut before = vec![Traffic::default(); emulators.len()];
    loop {
        let ended = tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
            () = tokio::time::sleep(REPORT_EVERY) => false,
        };
        for ((name, emulator), before) in emulators.iter().zip(&mut before) {
            let traffic = emulator.traffic();
            if traffic != *before || ended {
                println!("{name} {}, {}", told("up", traffic.up), told("down", traffic.down));
                *before = traffic;
            }
        }
        if ended {
            return Ok(());
        }
    }
}

fn told(way: &str, counted: Counted) -> String {
    let Counted { packets, bytes, lost, dropped, .. } = counted;
    format!("{way} {packets} packets, {bytes} bytes, {lost} lost, {dropped} dropped")
}
