//! What was measured of one device's link: a cell for each of the last [`CELLS`] minutes, and when the connection broke.
//!
//! Invariants: at most [`CELLS`] cells, in order of time, and [`BREAKS`] breaks; what is added is never negative, whatever the counters do.

use std::collections::VecDeque;
use std::net::SocketAddr;

use tresen_session::Stats;

use super::{Packets, Way};

/// Minutes that are kept.
pub const CELLS: usize = 60;

/// Breaks that are kept; a link with more of them needs no exact number.
const BREAKS: usize = 32;

const MINUTE_MS: u64 = 60_000;

/// Minutes that decide whether a link is poor.
pub const TROUBLE_MINUTES: usize = 5;

/// A link that loses more than this share of its packets is poor, in percent …
pub const TROUBLED_LOSS_PERCENT: u64 = 5;

/// … when so many were sent: of a few packets that an idle link sends, one that is lost says nothing.
const TELLING_PACKETS: u64 = 50;

/// A link whose round trips take longer than this is poor, in ms …
pub const SLOW_MS: u64 = 300;

/// … when they were measured at so many times.
const TELLING_ROUND_TRIPS: u32 = 3;

/// A link that broke so often is poor.
const TROUBLING_BREAKS: usize = 3;

/// Whether a device is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Connected,
    /// It was.
    Away,
}

/// What is known of a device's link.
#[derive(Clone, Debug)]
pub struct Record {
    /// Whether the device is connected.
    pub presence: Presence,
    /// Since when, on the server's clock.
    pub since_ms: u64,
    /// The way of its newest connection when it was asked last.
    pub way: Way,
    /// Where the device was when it was asked last.
    pub address: SocketAddr,
    cells: VecDeque<Cell>,
    breaks: VecDeque<u64>,
}

/// What was measured in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    minute: u64,
    rtt_sum_ms: u64,
    rtts: u32,
    least_ms: Option<u64>,
    /// Packets sent, and lost of these. None were counted where they can't be seen.
    pub packets: Packets,
    /// Bytes of messages that were sent.
    pub sent_bytes: u64,
    /// Answers that were sent ahead.
    pub guesses: u64,
    /// Inputs that the device answered by itself, rightly.
    pub hits: u64,
    /// … and wrongly.
    pub misses: u64,
}

/// Why a link is poor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It loses packets.
    Loses {
        /// Of a thousand.
        permille: u64,
    },
    /// It breaks.
    Breaks {
        /// How often.
        times: usize,
    },
    /// It is slow.
    Slow {
        /// From a frame to its acknowledgement.
        rtt_ms: u64,
    },
}

impl Cell {
    /// From a frame to its acknowledgement, smoothed; the mean of what was measured.
    #[must_use]
    pub fn rtt_ms(&self) -> Option<u64> {
        self.rtt_sum_ms.checked_div(self.rtts.into())
    }

    /// The shortest such time.
    #[must_use]
    pub const fn least_ms(&self) -> Option<u64> {
        self.least_ms
    }

    /// How many of a thousand packets were lost; `None` when none were counted.
    #[must_use]
    pub const fn lost_permille(&self) -> Option<u64> {
        self.packets.lost_permille()
    }

    fn add(&mut self, other: &Self) {
        self.rtt_sum_ms += other.rtt_sum_ms;
        self.rtts += other.rtts;
        self.least_ms = [self.least_ms, other.least_ms].into_iter().flatten().min();
        self.packets.sent += other.packets.sent;
        self.packets.lost += other.packets.lost;
        self.sent_bytes += other.sent_bytes;
        self.guesses += other.guesses;
        self.hits += other.hits;
        self.misses += other.misses;
    }
}

impl Packets {
    const fn lost_permille(self) -> Option<u64> {
        // A packet may be found lost in the minute after it was sent.
        let lost = if self.lost < self.sent { self.lost } else { self.sent };
        (lost * 1000).checked_div(self.sent)
    }
}

impl Record {
    pub(super) const fn new(now_ms: u64, way: Way, address: SocketAddr) -> Self {
        Self {
            presence: Presence::Connected,
            since_ms: now_ms,
            way,
            address,
            cells: VecDeque::new(),
            breaks: VecDeque::new(),
        }
    }

    /// The last [`CELLS`] minutes, the newest last; `None`: the device was not connected.
    #[must_use]
    pub fn minutes(&self, now_ms: u64) -> [Option<Cell>; CELLS] {
        let mut minutes = [None; CELLS];
        for cell in &self.cells {
            let ago = (now_ms / MINUTE_MS).saturating_sub(cell.minute);
            if let Some(at) = usize::try_from(ago).ok().and_then(|ago| (CELLS - 1).checked_sub(ago)) {
                minutes[at] = Some(*cell);
            }
        }
        minutes
    }

    /// When the connection broke within these minutes, on the server's clock.
    pub fn breaks(&self, now_ms: u64) -> impl Iterator<Item = u64> + '_ {
        self.breaks.iter().copied().filter(move |at_ms| minutes_ago(*at_ms, now_ms) < CELLS as u64)
    }

    /// Which of [`Record::minutes`] a time lies in.
    #[must_use]
    pub fn minute_of(at_ms: u64, now_ms: u64) -> usize {
        usize::try_from(minutes_ago(at_ms, now_ms)).map_or(0, |ago| (CELLS - 1).saturating_sub(ago))
    }

    /// Everything that was measured in the last `count` minutes together.
    #[must_use]
    pub fn last(&self, now_ms: u64, count: usize) -> Cell {
        let mut sum = Cell::default();
        let minute = now_ms / MINUTE_MS;
        let lately = |cell: &&Cell| minute.saturating_sub(cell.minute) < count.min(CELLS) as u64;
        self.cells.iter().rev().take_while(lately).for_each(|cell| sum.add(cell));
        sum
    }

    /// Whether the device was connected within the last [`CELLS`] minutes.
    #[must_use]
    pub fn is_recent(&self, now_ms: u64) -> bool {
        let newest = self.cells.back().map(|cell| cell.minute * MINUTE_MS);
        self.presence == Presence::Connected
            || newest.is_some_and(|at_ms| minutes_ago(at_ms, now_ms) < CELLS as u64)
    }

    /// Why the link is poor at the moment; what is worst comes first.
    #[must_use]
    pub fn trouble(&self, now_ms: u64) -> Option<Trouble> {
        let lately = self.last(now_ms, TROUBLE_MINUTES);
        if let Some(permille) = lately.lost_permille()
            && lately.packets.sent >= TELLING_PACKETS
            && permille > TROUBLED_LOSS_PERCENT * 10
        {
            return Some(Trouble::Loses { permille });
        }
        let times =
            self.breaks(now_ms).filter(|at_ms| minutes_ago(*at_ms, now_ms) < TROUBLE_MINUTES as u64).count();
        if times >= TROUBLING_BREAKS {
            return Some(Trouble::Breaks { times });
        }
        let slow = lately.rtt_ms().filter(|rtt_ms| *rtt_ms > SLOW_MS && lately.rtts >= TELLING_ROUND_TRIPS);
        slow.map(|rtt_ms| Trouble::Slow { rtt_ms })
    }

    pub(super) fn connected(&mut self, now_ms: u64, way: Way, address: SocketAddr) {
        (self.presence, self.since_ms) = (Presence::Connected, now_ms);
        (self.way, self.address) = (way, address);
        self.cell(now_ms);
    }

    pub(super) const fn left(&mut self, now_ms: u64) {
        (self.presence, self.since_ms) = (Presence::Away, now_ms);
    }

    pub(super) fn note_break(&mut self, now_ms: u64) {
        if self.breaks.len() >= BREAKS {
            self.breaks.pop_front();
        }
        self.breaks.push_back(now_ms);
    }

    /// Adds the packets since `before`, which belongs to the same connection.
    pub(super) fn add_packets(&mut self, now_ms: u64, before: Packets, now: Packets) {
        let cell = self.cell(now_ms);
        cell.packets.sent += now.sent.saturating_sub(before.sent);
        cell.packets.lost += now.lost.saturating_sub(before.lost);
    }

    /// Adds what was counted since `before`, which belongs to the same session.
    pub(super) fn add_counts(&mut self, now_ms: u64, before: &Stats, now: &Stats) {
        let since = |count: fn(&Stats) -> u64| count(now).saturating_sub(count(before));
        let measured = since(|stats| stats.round_trips) > 0;
        let rtt_ms = now.rtt_ms.filter(|_| measured);
        let counts = Cell {
            minute: 0,
            rtt_sum_ms: rtt_ms.unwrap_or(0),
            rtts: rtt_ms.is_some().into(),
            least_ms: now.least_rtt_ms.filter(|_| measured),
            packets: Packets::default(),
            sent_bytes: since(|stats| stats.bytes),
            guesses: since(|stats| stats.guesses),
            hits: since(|stats| stats.hits),
            misses: since(|stats| stats.misses),
        };
        self.cell(now_ms).add(&counts);
    }

    /// Drops what is too old to be shown.
    pub(super) fn forget_before(&mut self, now_ms: u64) {
        let minute = now_ms / MINUTE_MS;
        while self.cells.front().is_some_and(|cell| minute.saturating_sub(cell.minute) >= CELLS as u64) {
            self.cells.pop_front();
        }
        while self.breaks.front().is_some_and(|at_ms| minutes_ago(*at_ms, now_ms) >= CELLS as u64) {
            self.breaks.pop_front();
        }
    }

    /// The cell of this minute.
    fn cell(&mut self, now_ms: u64) -> &mut Cell {
        let minute = now_ms / MINUTE_MS;
        if self.cells.back().is_none_or(|cell| cell.minute < minute) {
            if self.cells.len() >= CELLS {
                self.cells.pop_front();
            }
            self.cells.push_back(Cell { minute, ..Cell::default() });
        }
        let last = self.cells.len() - 1;
        &mut self.cells[last]
    }
}

const fn minutes_ago(at_ms: u64, now_ms: u64) -> u64 {
    (now_ms / MINUTE_MS).saturating_sub(at_ms / MINUTE_MS)
}
