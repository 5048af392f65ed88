//! What was read during a run, and the figures that come of it.

use std::time::{Duration, Instant};

use super::report::{Run, percentiles};
use super::serve::Figures;
use super::tally::Tally;
use super::waiter::Traffic;

/// What a run read and counted.
pub struct Measured {
    /// Devices that were to come.
    pub devices: u16,
    /// Waiters at work.
    pub worked: usize,
    /// Before the first device came.
    pub empty_bytes: Memory,
    /// How everybody came.
    pub arrival: Arrival,
    /// When the time that counts began.
    pub before: Reading,
    /// When it ended.
    pub after: Reading,
    /// What the waiters counted meanwhile.
    pub tally: Tally,
}

/// Private memory of both processes, in bytes.
#[derive(Clone, Copy)]
pub struct Memory {
    /// The edge server's.
    pub server: u64,
    /// The waiters'.
    pub generator: u64,
}

/// How everybody came.
pub struct Arrival {
    /// Devices that have their first screen.
    pub devices: usize,
    /// How long that took.
    pub took: Duration,
    /// CPU time of the server meanwhile, in microseconds.
    pub server_us: f64,
    /// Private memory of the server afterwards.
    pub server_bytes: u64,
}

/// What is read at the beginning and the end of the time that counts.
pub struct Reading {
    /// When.
    pub at: Instant,
    /// CPU time of the server so far, in microseconds.
    pub server_us: f64,
    /// CPU time of the waiters' process so far, in microseconds.
    pub generator_us: f64,
    /// Memory.
    pub memory: Memory,
    /// What the server counted.
    pub figures: Figures,
    /// What went over all connections so far.
    pub traffic: Traffic,
}

impl From<Measured> for Run {
    fn from(measured: Measured) -> Self {
        let Measured { devices, worked, empty_bytes, arrival, before, after, tally } = measured;
        let each = |bytes: u64, without: u64| bytes.saturating_sub(without) / u64::from(devices);
        let taps = (tally.taps_ms.len() + tally.unchanged_ms.len()).max(1) as f64;
        let took = (after.at - before.at).as_secs_f64();
        let server_us = after.server_us - before.server_us;
        let (figures, earlier) = (after.figures, before.figures);
        let commits = (figures.commits - earlier.commits) as f64;
        Self {
            devices,
            arrived: arrival.devices,
            worked,
            seconds: took,
            connects_per_s: arrival.devices as f64 / arrival.took.as_secs_f64(),
            connect_server_cpu_us: arrival.server_us / arrival.devices.max(1) as f64,
            taps_per_s: taps / took,
            tap_to_frame_ms: percentiles(&tally.taps_ms),
            taps_without_a_frame: tally.unchanged_ms.len() as u64,
            tap_to_acknowledgement_ms: percentiles(&tally.unchanged_ms),
            server_cpu_us_per_tap: server_us / taps,
            server_core_used: server_us / 1e6 / took,
            generator_core_used: (after.generator_us - before.generator_us) / 1e6 / took,
            server_bytes_per_session: each(after.memory.server, empty_bytes.server),
            server_bytes_per_idle_session: each(arrival.server_bytes, empty_bytes.server),
            generator_bytes_per_session: each(after.memory.generator, empty_bytes.generator),
            payload_to_client_bytes_per_tap: tally.to_client_bytes as f64 / taps,
            payload_to_server_bytes_per_tap: tally.to_server_bytes as f64 / taps,
            udp_bytes_per_tap: (after.traffic.bytes - before.traffic.bytes) as f64 / taps,
            datagrams_per_tap: (after.traffic.datagrams - before.traffic.datagrams) as f64 / taps,
            frames_per_tap: (figures.messages - earlier.messages) as f64 / taps,
            bookings_per_s: (figures.rows - earlier.rows) as f64 / took,
            commits_per_s: commits / took,
            commit_ms: (figures.commits_us - earlier.commits_us) as f64 / 1000.0 / commits.max(1.0),
            slow_commits: figures.slow_commits - earlier.slow_commits,
            unanswered: tally.unanswered,
            missed: tally.missed,
            stumbles: tally.stumbles,
            stumbled: tally.stumbled,
            reconnects: tally.broken.values().sum(),
            broken: tally.broken,
            refused: tally.refused,
            lost: tally.lost,
        }
    }
}
