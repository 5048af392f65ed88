//! What a node has done since it started. Counters are read where they are; nothing is counted twice.

use std::sync::atomic::{AtomicU64, Ordering};

use tresen_path::DropReason;

/// All counters of a node.
#[derive(Debug, Default)]
pub struct Counters {
    packets: AtomicU64,
    bytes: AtomicU64,
    knocks: AtomicU64,
    unsent: AtomicU64,
    unheard: AtomicU64,
    limited: AtomicU64,
    dropped: [AtomicU64; REASONS.len()],
    refused: AtomicU64,
    granted: AtomicU64,
}

/// Names of the reasons in metrics; the order of [`Counters::dropped`].
const REASONS: [&str; 7] =
    ["unreadable", "unknown_id", "unknown_sender", "not_allowed", "expired", "no_address", "bad_knock"];

const fn place(reason: DropReason) -> usize {
    match reason {
        DropReason::Unreadable(_) => 0,
        DropReason::UnknownId => 1,
        DropReason::UnknownSender => 2,
        DropReason::NotAllowed => 3,
        DropReason::Expired => 4,
        DropReason::NoAddress => 5,
        DropReason::BadKnock => 6,
    }
}

impl Counters {
    pub(crate) fn forwarded(&self, packets: u64, bytes: u64) {
        self.packets.fetch_add(packets, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn unsent(&self, packets: u64) {
        self.unsent.fetch_add(packets, Ordering::Relaxed);
    }

    pub(crate) fn unheard(&self) {
        self.unheard.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn limited(&self, packets: u64) {
        self.limited.fetch_add(packets, Ordering::Relaxed);
    }

    pub(crate) fn knocked(&self) {
        self.knocks.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self, reason: DropReason, packets: u64) {
        self.dropped[place(reason)].fetch_add(packets, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn granted(&self) {
        self.granted.fetch_add(1, Ordering::Relaxed);
    }

    /// Packets that were forwarded.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// Packets that were dropped because of what they are, whatever the reason.
    #[must_use]
    pub fn drops(&self) -> u64 {
        self.dropped.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// As a Prometheus server reads them (text format 0.0.4). `edges` and `clients` are here now.
    #[must_use]
    pub fn text(&self, edges: usize, clients: usize) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let version = env!("CARGO_PKG_VERSION");
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, u64)]| {
            text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
            for (labels, value) in samples {
                text.push_str(&format!("{name}{labels} {value}\n"));
            }
        };
        let one = |value: u64| [(String::new(), value)];
        let build = [(format!("{{version=\"{version}\"}}"), 1)];
        family("tresen_relay_build_info", "gauge", "The version of the program.", &build);
        family("tresen_relay_edges", "gauge", "Edge servers that are here.", &one(edges as u64));
        family("tresen_relay_clients", "gauge", "Devices that are here.", &one(clients as u64));
        family(
            "tresen_relay_forwarded_packets_total",
            "counter",
            "Packets sent on.",
            &one(count(&self.packets)),
        );
        family("tresen_relay_forwarded_bytes_total", "counter", "Their bytes.", &one(count(&self.bytes)));
        family(
            "tresen_relay_knocks_total",
            "counter",
            "Knocks that were answered.",
            &one(count(&self.knocks)),
        );
        family(
            "tresen_relay_granted_total",
            "counter",
            "Endpoints that were let in.",
            &one(count(&self.granted)),
        );
        family(
            "tresen_relay_refused_total",
            "counter",
            "Endpoints that were not.",
            &one(count(&self.refused)),
        );
        let why = |why: &str| format!("{{reason=\"{why}\"}}");
        let mut dropped: Vec<(String, u64)> = REASONS
            .iter()
            .zip(&self.dropped)
            .map(|(reason, counter)| (why(reason), count(counter)))
            .collect();
        dropped.push((why("send_buffer_full"), count(&self.unsent)));
        dropped.push((why("control_busy"), count(&self.unheard)));
        dropped.push((why("limit"), count(&self.limited)));
        family("tresen_relay_dropped_packets_total", "counter", "Packets that were not sent on.", &dropped);
        text
    }
}
