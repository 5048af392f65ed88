//! A line through the emulator, and when both it and the client's screen are still.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tresen_world::wan::Profile;

use super::eyes::Eyes;
use crate::wan::{Emulator, Traffic};

/// The same losses for everybody, as far as traffic is the same.
const SEED: u64 = 2026;
/// Silence lasts at least so long; what reacts later than this has not understood.
const SILENCE: Duration = Duration::from_millis(150);
/// And so many round trips more: after a lost packet QUIC waits more than one.
const SILENT_ROUND_TRIPS: u32 = 2;
/// A pointer that was moved is where it shall be when for so long nothing was said.
pub const REST: Duration = Duration::from_millis(50);
/// A line that is not silent by then never will be.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// A session that is not open by then never will be.
pub const OPEN_PATIENCE: Duration = Duration::from_secs(60);
/// A session is open when nothing was said for so long.
pub const OPEN: Duration = Duration::from_millis(1500);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// What carries the peer's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// A line between a client and a server.
pub struct Line {
    emulator: Emulator,
    silence: Duration,
}

impl Line {
    /// A line to this port of this machine.
    pub fn new(carrier: Carrier, to: u16, profile: Profile) -> Result<Self> {
        let silence = SILENCE + Duration::from_micros(profile.round_trip_us()) * SILENT_ROUND_TRIPS;
        let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let emulator = match carrier {
            Carrier::Tcp => Emulator::tcp(here(0), here(to), profile, SEED)?,
            Carrier::Udp => Emulator::udp(here(0), here(to), profile, SEED)?,
        };
        Ok(Self { emulator, silence })
    }

    /// Where the client connects to.
    pub fn port(&self) -> u16 {
        self.emulator.address().port()
    }

    /// How long it has to be silent after a tap.
    pub const fn silence(&self) -> Duration {
        self.silence
    }

    /// What has passed so far.
    pub fn traffic(&self) -> Traffic {
        self.emulator.traffic()
    }

    /// Waits until the client has said something.
    pub async fn begins(&self) -> Result<Instant> {
        let limit = Instant::now() + PATIENCE;
        while self.traffic().up.packets == 0 {
            if Instant::now() > limit {
                bail!("the client never called");
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(Instant::now())
    }

    /// Waits until for so long nothing was said, nothing is under way, and no pixel has changed.
    pub async fn silent_for(&self, silence: Duration, eyes: &Eyes, patience: Duration) -> Result<()> {
        let limit = Instant::now() + patience;
        let state = || (self.traffic(), eyes.changed_at());
        let (mut before, mut since) = (state(), Instant::now());
        loop {
            tokio::time::sleep(LOOK).await;
            let (now, moment) = (state(), Instant::now());
            if now != before || now.0.up.under_way() + now.0.down.under_way() > 0 {
                (before, since) = (now, moment);
            }
            if moment - since >= silence {
                return Ok(());
            }
            if moment > limit {
                bail!("it is not silent for {silence:?} within {patience:?}");
            }
        }
    }
}
