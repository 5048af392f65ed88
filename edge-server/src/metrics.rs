//! `/metrics`: what a Prometheus server reads (text format 0.0.4).
//!
//! The figures are read from those who own them at the moment of asking; nothing is counted twice. The text is written here and not by the
//! crate `prometheus`, whose counters would have to be kept beside ours.

use std::fmt::{Display, Write};
use std::sync::atomic::Ordering;

use crate::instance::State;
use crate::site::Site;

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All figures of a running server.
#[must_use]
pub fn text(site: &Site) -> String {
    let mut page = Page::default();
    server(&mut page, site);
    instances(&mut page, site);
    ledger(&mut page, site);
    spool(&mut page, site);
    page.text
}

fn server(page: &mut Page, site: &Site) {
    page.family("tresen_build_info", "gauge", "The version of the program.");
    page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.family("tresen_uptime_seconds", "gauge", "Time since the server started.");
    page.sample(&[], site.clock.now_ms() / 1000);
    let snapshot = site.registry.snapshot();
    page.family("tresen_seats", "gauge", "Seats that the licence grants, by class.");
    let seats = snapshot.licensing.seats();
    page.sample(&[("class", "mpos")], seats.mpos);
    page.sample(&[("class", "paypos")], seats.paypos);
    page.family("tresen_devices", "gauge", "Devices that are paired.");
    page.sample(&[], snapshot.devices.values().filter(|device| !device.revoked).count());
}

fn instances(page: &mut Page, site: &Site) {
    let instances = site.hub.instances();
    let in_state = |state| instances.iter().filter(|(_, handle)| handle.status.state() == state).count();
    page.family("tresen_instances", "gauge", "Instances by state.");
    for (name, state) in [
        ("starting", State::Starting),
        ("running", State::Running),
        ("restarting", State::Restarting),
        ("stopped", State::Stopped),
    ] {
        page.sample(&[("state", name)], in_state(state));
    }
    page.family("tresen_sessions", "gauge", "Devices that are attached to an instance.");
    page.sample(&[], instances.iter().filter(|(_, handle)| handle.status.attached().is_some()).count());
    let stations: Vec<(String, _)> = instances
        .iter()
        .map(|(station, handle)| (station.number.to_string(), handle.status.clone()))
        .collect();
    page.family(
        "tresen_instance_restarts_total",
        "counter",
        "Panics of an instance, after each of which it was restarted.",
    );
    for (station, status) in &stations {
        page.sample(&[("station", station)], status.panics.load(Ordering::Relaxed));
    }
    page.family("tresen_taps_total", "counter", "Inputs that an instance applied.");
    for (station, status) in &stations {
        page.sample(&[("station", station)], status.inputs.load(Ordering::Relaxed));
    }
    page.family("tresen_messages_sent_total", "counter", "Messages to devices, frames among them.");
    for (station, status) in &stations {
        page.sample(&[("station", station)], status.messages.load(Ordering::Relaxed));
    }
    page.family("tresen_sent_bytes_total", "counter", "Bytes of messages to devices.");
    for (station, status) in &stations {
        page.sample(&[("station", station)], status.sent_bytes.load(Ordering::Relaxed));
    }
    page.family("tresen_guessed_taps_total", "counter", "Taps that a device answered by itself, by outcome.");
    for (station, status) in &stations {
        page.sample(&[("station", station), ("outcome", "hit")], status.hits.load(Ordering::Relaxed));
        page.sample(&[("station", station), ("outcome", "miss")], status.misses.load(Ordering::Relaxed));
    }
    page.family("tresen_guesses_sent_total", "counter", "Answers sent ahead to devices.");
    for (station, status) in &stations {
        page.sample(&[("station", station)], status.guesses.load(Ordering::Relaxed));
    }
    page.family(
        "tresen_guess_bytes_total",
        "counter",
        "Bytes of answers sent ahead, and those of them that were not used.",
    );
    for (station, status) in &stations {
        page.sample(&[("station", station), ("part", "sent")], status.guess_bytes.load(Ordering::Relaxed));
        page.sample(&[("station", station), ("part", "wasted")], status.wasted_bytes.load(Ordering::Relaxed));
    }
    page.family("tresen_guessing_seconds_total", "counter", "Time spent on trying what may be tapped.");
    for (station, status) in &stations {
        page.sample(&[("station", station)], status.tries_us.load(Ordering::Relaxed) as f64 / 1e6);
    }
    page.family("tresen_round_trip_seconds", "gauge", "From a frame to its acknowledgement, smoothed.");
    for (station, status) in &stations {
        if let Some(rtt_ms) = status.rtt_ms().filter(|_| status.attached().is_some()) {
            page.sample(&[("station", station)], rtt_ms as f64 / 1000.0);
        }
    }
}

fn ledger(page: &mut Page, site: &Site) {
    let stats = site.ledger.stats();
    page.family("tresen_journal_rows", "gauge", "Rows of the journal: bookings and other events.");
    page.sample(&[], stats.journal_rows);
    page.family("tresen_ledger_failed", "gauge", "1 when nothing can be stored any more.");
    page.sample(&[], u8::from(site.ledger.failed().is_some()));
    page.family("tresen_commit_seconds", "histogram", "From the first submission of a commit to its sync.");
    let mut below = 0;
    for (bound_us, count) in &stats.commits_us {
        below += count;
        let bound = match bound_us {
            Some(bound_us) => (*bound_us as f64 / 1e6).to_string(),
            None => "+Inf".into(),
        };
        page.part("_bucket", &[("le", &bound)], below);
    }
    page.part("_sum", &[], stats.commits_sum_us as f64 / 1e6);
    page.part("_count", &[], below);
}

fn spool(page: &mut Page, site: &Site) {
    let stats = site.spool.stats();
    page.family("tresen_spool_written_total", "counter", "Receipts and copies written.");
    page.sample(&[], stats.written());
    page.family("tresen_spool_failed_total", "counter", "Tries that the disk refused.");
    page.sample(&[], stats.failed());
    page.family("tresen_spool_waiting", "gauge", "Receipts that wait to be written.");
    page.sample(&[], stats.waiting());
}

/// The text under construction.
#[derive(Default)]
struct Page {
    text: String,
    family: &'static str,
}

impl Page {
    fn family(&mut self, name: &'static str, kind: &str, help: &str) {
        self.family = name;
        // Writing to a String can't fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.part("", labels, value);
    }

    fn part(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{suffix}{labels} {value}", self.family);
    }
}
