//! The figures, for a program and for a person.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use crate::load::cores::Layout;

/// What a forwarder carries.
#[derive(Debug, Serialize)]
pub struct Carried {
    pub packets_a_cpu_s: f64,
    pub gbit_a_cpu_s: f64,
    pub packets_a_s: f64,
    pub lost: u64,
}

/// A forwarder: with segment offload and without, or why it was not measured.
#[derive(Debug, Serialize)]
pub struct Measured {
    name: &'static str,
    carried: Option<Vec<Carried>>,
    why_not: Option<String>,
}

impl Measured {
    pub fn new(name: &'static str, carried: Result<Vec<Carried>>) -> Self {
        match carried {
            Ok(carried) => Self { name, carried: Some(carried), why_not: None },
            Err(error) => Self { name, carried: None, why_not: Some(format!("{error:#}")) },
        }
    }

    fn packets_a_cpu_s(&self, offload: usize) -> Option<f64> {
        Some(self.carried.as_ref()?.get(offload)?.packets_a_cpu_s)
    }
}

/// Times on the way, in microseconds.
#[derive(Debug, Serialize)]
pub struct Quantiles {
    pub p50_us: f64,
    pub p99_us: f64,
    pub arrived: usize,
    pub sent: u64,
}

impl Quantiles {
    pub fn of(mut times_us: Vec<f64>, sent: u64) -> Self {
        times_us.sort_by(f64::total_cmp);
        let at = |share: f64| times_us[((times_us.len() - 1) as f64 * share) as usize];
        Self { p50_us: at(0.5), p99_us: at(0.99), arrived: times_us.len(), sent }
    }
}

/// One packet at a time, at half of what our relay carries.
#[derive(Debug, Serialize)]
pub struct Latency {
    pub packets_a_s: f64,
    pub direct: Quantiles,
    pub bare: Quantiles,
    pub ours: Quantiles,
}

/// Many of a kind at a node, each with its control connection.
#[derive(Debug, Serialize)]
pub struct Group {
    pub count: usize,
    pub bytes_each: f64,
    pub connects_a_s: f64,
    pub connects_a_cpu_s: f64,
}

/// Starts of an edge server with a line of this round trip to its relay, in ms: the middle one, and the longest.
#[derive(Debug, Serialize)]
pub struct Start {
    pub rtt_ms: u64,
    /// Until it was at its relay.
    pub there_ms: (f64, f64),
    /// Until a device that called it then was through.
    pub through_ms: (f64, f64),
}

impl Start {
    pub fn of(rtt_ms: u64, there_ms: Vec<f64>, through_ms: Vec<f64>) -> Self {
        let spread = |mut times_ms: Vec<f64>| {
            times_ms.sort_by(f64::total_cmp);
            (times_ms[times_ms.len() / 2], times_ms[times_ms.len() - 1])
        };
        Self { rtt_ms, there_ms: spread(there_ms), through_ms: spread(through_ms) }
    }
}

/// Everybody at once.
#[derive(Debug, Serialize)]
pub struct Crowd {
    pub edges: Group,
    pub clients: Group,
    pub open: usize,
    /// Of the node's core, with all edge servers there and nobody doing anything.
    pub idle_cpu_share: f64,
}

/// All of it.
#[derive(Debug, Serialize)]
pub struct Report {
    pub layout: Layout,
    pub forwarders: Vec<Measured>,
    pub latency: Latency,
    pub crowd: Crowd,
    /// Of a device in the routing table alone.
    pub table_bytes: f64,
    /// Clients of iroh's relay, where it was measured: each holds a WebSocket and does nothing.
    pub iroh_clients: Vec<(&'static str, Group)>,
    pub starts: Vec<Start>,
}

/// For a person.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = String::from("packets of 1,200 bytes, for each second of the forwarder's CPU\n");
    let ours = report.forwarders.iter().find(|each| each.name == "tresen-relay");
    for each in &report.forwarders {
        let Some(carried) = &each.carried else {
            let _ =
                writeln!(text, "  {:<15} not measured: {}", each.name, each.why_not.as_deref().unwrap_or(""));
            continue;
        };
        for (offload, (carried, name)) in carried.iter().zip(["with offload", "without"]).enumerate() {
            let times =
                ours.and_then(|ours| ours.packets_a_cpu_s(offload)).unwrap_or(0.0) / carried.packets_a_cpu_s;
            let _ = writeln!(
                text,
                "  {:<15} {name:<13} {:>9.0} packets  {:>6.2} Gbit  {:>9.0} a second, {} lost; ours is x{times:.2}",
                each.name, carried.packets_a_cpu_s, carried.gbit_a_cpu_s, carried.packets_a_s, carried.lost,
            );
        }
    }
    let Latency { packets_a_s, direct, bare, ours } = &report.latency;
    let _ = writeln!(text, "one way at half load ({packets_a_s:.0} packets a second), us: p50 / p99");
    for (name, times) in [("no forwarder", direct), ("bare forwarder", bare), ("tresen-relay", ours)] {
        let _ = writeln!(
            text,
            "  {name:<15} {:>7.1} / {:>7.1}  ({} of {} arrived)",
            times.p50_us, times.p99_us, times.arrived, times.sent
        );
    }
    let added_us = (ours.p50_us - direct.p50_us, ours.p99_us - direct.p99_us);
    let _ = writeln!(text, "  added           {:>7.1} / {:>7.1}", added_us.0, added_us.1);
    let Crowd { edges, clients, open, idle_cpu_share } = &report.crowd;
    let _ = writeln!(
        text,
        "{open} control connections open; idle ones take {:.1} % of a core",
        idle_cpu_share * 100.0
    );
    let iroh = report.iroh_clients.iter().map(|(name, clients)| (*name, clients));
    for (name, group) in [("edge servers", edges), ("devices", clients)].into_iter().chain(iroh) {
        let _ = writeln!(
            text,
            "  {:>6} {name:<15} {:>6.1} KB each, {:>5.0} a second, {:>5.0} for each second of the relay's CPU",
            group.count,
            group.bytes_each / 1000.0,
            group.connects_a_s,
            group.connects_a_cpu_s
        );
    }
    let _ =
        writeln!(text, "an edge server that starts, ms, middle (longest): at the relay; a device through it");
    for Start { rtt_ms, there_ms, through_ms } in &report.starts {
        let _ = writeln!(
            text,
            "  {rtt_ms:>3} ms to the relay {:>7.0} ({:.0}) {:>7.0} ({:.0}); of the first, beyond two round trips: {:.0}",
            there_ms.0,
            there_ms.1,
            through_ms.0,
            through_ms.1,
            there_ms.0 - 2.0 * *rtt_ms as f64
        );
    }
    let _ = writeln!(text, "a device in the routing table alone: {:.0} bytes", report.table_bytes);
    text
}
