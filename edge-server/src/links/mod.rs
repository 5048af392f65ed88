//! How good the link to each device is: what was measured in the last hour, kept in memory for the back office.
//!
//! Whoever attaches a device says so ([`Links::begin`]) with what can be asked about its connection; every [`SAMPLE`] all of them are asked.
//! What a device's link was like stays while the device comes and goes, and is forgotten with the device, or at a restart.
//!
//! Invariants: a [`Record`] is bounded, and so is their number; a device has at most one connection here, its newest.
//!
//! Not for: deciding anything about a session. What guesses need to know of a link is the session's own.

mod record;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tresen_identity::Fingerprint;

use crate::instance::link::Leaving;
use crate::instance::{Counted, Status};
use crate::site::{Clock, Site};
pub use record::{CELLS, Cell, Presence, Record, SLOW_MS, TROUBLE_MINUTES, TROUBLED_LOSS_PERCENT, Trouble};

/// How often every link is asked.
const SAMPLE: Duration = Duration::from_secs(10);

/// Devices whose links are recorded, at most; one takes up to 6 KB. The one that is away for longest goes first.
const MAX_DEVICES: usize = 10_000;

/// The way that packets take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// QUIC over UDP.
    Direct,
    /// QUIC over UDP, forwarded by a relay.
    Relayed,
    /// QUIC, forwarded by a relay that the device or this server reaches by TLS alone.
    Tunnelled,
    /// WebSocket over TCP, which hides what is lost.
    WebSocket,
    /// The same, passed on by a relay.
    Passed,
}

/// Packets of a connection so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packets {
    /// Sent to the device.
    pub sent: u64,
    /// Of these, those that got lost.
    pub lost: u64,
}

/// What can be asked about a connection while it lasts.
pub trait Connection: Send {
    /// The way it takes.
    fn way(&self) -> Way;
    /// Where the device is now.
    fn address(&self) -> SocketAddr;
    /// What was sent and lost; `None` when that can't be seen.
    fn packets(&self) -> Option<Packets>;
}

/// The links of a running server.
pub struct Links {
    clock: Arc<Clock>,
    book: Mutex<Book>,
}

/// That a device is connected, until this is dropped.
pub struct Watched {
    links: Arc<Links>,
    device: Fingerprint,
    ticket: u64,
    /// How the connection ended: whether that was a break.
    pub leaving: Leaving,
}

/// All records: a core that is told the time.
#[derive(Default)]
struct Book {
    tracks: HashMap<Fingerprint, Track>,
    tickets: u64,
}

/// A device's record, and the connection that adds to it.
struct Track {
    record: Record,
    live: Option<Live>,
    /// What was counted of the device's session when it was asked last. Sessions outlive connections.
    counted: Option<Counted>,
}

struct Live {
    ticket: u64,
    connection: Box<dyn Connection>,
    status: Arc<Status>,
    packets: Packets,
}

impl Links {
    /// Of a server that has just started.
    #[must_use]
    pub fn new(clock: Arc<Clock>) -> Self {
        Self { clock, book: Mutex::default() }
    }

    /// A device is connected to an instance with this status. A connection that it had before is over.
    #[must_use]
    pub fn begin(
        self: &Arc<Self>,
        device: Fingerprint,
        connection: Box<dyn Connection>,
        status: Arc<Status>,
    ) -> Watched {
        let ticket = self.lock().begin(self.clock.now_ms(), device, connection, status);
        Watched { links: self.clone(), device, ticket, leaving: Leaving::Lost }
    }

    /// Asks every connection now.
    pub fn sample(&self) {
        self.lock().sample(self.clock.now_ms());
    }

    /// Forgets devices.
    pub fn keep_only(&self, stays: impl Fn(&Fingerprint) -> bool) {
        self.lock().tracks.retain(|device, _| stays(device));
    }

    /// What is known of a device's link.
    #[must_use]
    pub fn record(&self, device: Fingerprint) -> Option<Record> {
        self.lock().tracks.get(&device).map(|track| track.record.clone())
    }

    /// What a look at each device's link gives. Everybody waits meanwhile: records of a full house are too many to be copied.
    pub fn look_at_each<T>(&self, mut look: impl FnMut(Fingerprint, &Record) -> Option<T>) -> Vec<T> {
        self.lock().tracks.iter().filter_map(|(device, track)| look(*device, &track.record)).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.links.lock().end(self.links.clock.now_ms(), self.device, self.ticket, self.leaving);
    }
}

/// Asks all links by and by, and forgets devices that are not the site's any more, until the server stops.
pub(crate) async fn keep(site: Arc<Site>) {
    let mut registry = site.registry.watch();
    let mut tick = tokio::time::interval(SAMPLE);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => site.links.sample(),
            changed = registry.changed() => if changed.is_err() { return },
            () = site.shutdown.cancelled() => return,
        }
        let snapshot = registry.borrow_and_update().clone();
        site.links.keep_only(|device| snapshot.devices.get(device).is_some_and(|known| !known.revoked));
    }
}

impl Book {
    fn begin(
        &mut self,
        now_ms: u64,
        device: Fingerprint,
        connection: Box<dyn Connection>,
        status: Arc<Status>,
    ) -> u64 {
        self.tickets += 1;
        let ticket = self.tickets;
        let Some(track) = self.track(now_ms, device, &*connection, &status) else { return ticket };
        // Whoever comes again while the server takes it for connected has lost its connection.
        if track.live.is_some() {
            track.ask(now_ms, device);
            track.record.note_break(now_ms);
        }
        track.record.connected(now_ms, connection.way(), connection.address());
        // What the session did before counts as told, also at a station where the device was earlier.
        track.counted = counted(&status, device);
        track.live = Some(Live { ticket, connection, status, packets: Packets::default() });
        ticket
    }

    /// The track of a device, or a new one; `None` when all are in use.
    fn track(
        &mut self,
        now_ms: u64,
        device: Fingerprint,
        connection: &dyn Connection,
        status: &Status,
    ) -> Option<&mut Track> {
        if !self.tracks.contains_key(&device) {
            if self.tracks.len() >= MAX_DEVICES {
                let away = self.tracks.iter().filter(|(_, track)| track.live.is_none());
                let longest = *away.min_by_key(|(_, track)| track.record.since_ms)?.0;
                self.tracks.remove(&longest);
            }
            let record = Record::new(now_ms, connection.way(), connection.address());
            self.tracks.insert(device, Track { record, live: None, counted: counted(status, device) });
        }
        self.tracks.get_mut(&device)
    }

    fn end(&mut self, now_ms: u64, device: Fingerprint, ticket: u64, leaving: Leaving) {
        let Some(track) = self.tracks.get_mut(&device) else { return };
        if track.live.as_ref().is_none_or(|live| live.ticket != ticket) {
            return;
        }
        track.ask(now_ms, device);
        track.live = None;
        match leaving {
            Leaving::Lost => track.record.note_break(now_ms),
            Leaving::Goodbye | Leaving::Closed => {}
        }
        track.record.left(now_ms);
    }

    fn sample(&mut self, now_ms: u64) {
        for (device, track) in &mut self.tracks {
            track.ask(now_ms, *device);
            track.record.forget_before(now_ms);
        }
    }
}

impl Track {
    /// Adds what happened since it was asked last.
    fn ask(&mut self, now_ms: u64, device: Fingerprint) {
        let Some(live) = &mut self.live else { return };
        let packets = live.connection.packets();
        if let Some(packets) = packets {
            self.record.add_packets(now_ms, live.packets, packets);
            live.packets = packets;
        }
        if let Some(now) = counted(&live.status, device) {
            let before = self.counted.filter(|before| before.epoch == now.epoch);
            self.record.add_counts(
                now_ms,
                &before.map(|before| before.stats).unwrap_or_default(),
                &now.stats,
            );
            self.counted = Some(now);
        }
        (self.record.way, self.record.address) = (live.connection.way(), live.connection.address());
    }
}

/// What an instance counted, if it was with this device.
fn counted(status: &Status, device: Fingerprint) -> Option<Counted> {
    status.counted().filter(|counted| counted.device == device)
}
