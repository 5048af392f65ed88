//! What has passed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tresen_world::wan::{Direction, Fate};

/// What has passed in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From clients.
    pub up: Counted,
    /// To clients.
    pub down: Counted,
}

/// What has passed in one direction. For TCP a packet is a segment, and nothing is lost for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Packets put in.
    pub packets: u64,
    /// Their content, without the headers of IP, UDP and TCP.
    pub bytes: u64,
    /// Of the packets, those that were lost: by chance, in an outage, under way to an old address.
    pub lost: u64,
    /// Of the packets, those for which the queue had no room.
    pub dropped: u64,
    /// Of the packets, those that came out at the other end.
    pub arrived: u64,
    /// When the last one did.
    pub arrived_at: Option<Instant>,
}

impl Counted {
    /// Packets that are still under way. (One that arrives twice makes up for one that is not there yet.)
    #[must_use]
    pub const fn under_way(&self) -> u64 {
        self.packets.saturating_sub(self.lost + self.dropped + self.arrived)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Counters(Arc<[Counter; 2]>);

#[derive(Debug, Default)]
struct Counter {
    packets: AtomicU64,
    bytes: AtomicU64,
    lost: AtomicU64,
    dropped: AtomicU64,
    arrived: AtomicU64,
    arrived_at: Mutex<Option<Instant>>,
}

impl Counters {
    pub(super) fn put_in(&self, direction: Direction, bytes: usize, fate: Fate) {
        let counter = self.of(direction);
        counter.packets.fetch_add(1, Ordering::Relaxed);
        counter.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        match fate {
            Fate::Taken => {}
            Fate::Lost => self.lost(direction, 1),
            Fate::Dropped => {
                counter.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn arrived(&self, direction: Direction) {
        let counter = self.of(direction);
        *counter.arrived_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        counter.arrived.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self, direction: Direction, packets: usize) {
        self.of(direction).lost.fetch_add(packets as u64, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Traffic {
        Traffic { up: self.of(Direction::Up).read(), down: self.of(Direction::Down).read() }
    }

    fn of(&self, direction: Direction) -> &Counter {
        match direction {
            Direction::Up => &self.0[0],
            Direction::Down => &self.0[1],
        }
    }
}

impl Counter {
    fn read(&self) -> Counted {
        let read = |value: &AtomicU64| value.load(Ordering::Relaxed);
        Counted {
            packets: read(&self.packets),
            bytes: read(&self.bytes),
            lost: read(&self.lost),
            dropped: read(&self.dropped),
            arrived: read(&self.arrived),
            arrived_at: *self.arrived_at.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}
