//! One direction for datagrams.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::loss::Loss;
use super::{MS, Way};
use crate::dice::Dice;

/// Jitter is at most so many times its mean.
const LONGEST_JITTER: u64 = 8;
/// What is held back is so by this and up to as much again, in parts of the delay.
const HELD_BACK_PARTS: u64 = 4;
/// What is held back is so by at least this.
const HELD_BACK_LEAST_US: u64 = 2 * MS;

/// What became of a packet that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It will come out.
    Taken,
    /// The queue was full.
    Dropped,
    /// It was lost, or the link is down.
    Lost,
}

/// One direction for datagrams. `T` is what stands for a packet.
#[derive(Debug)]
pub struct Link<T> {
    way: Way,
    dice: Dice,
    loss: Loss,
    /// Jitter does not reorder: nothing is ready before what was put in earlier.
    ready_us: u64,
    bottleneck: Bottleneck,
    down_until_us: u64,
    flying: BinaryHeap<Reverse<Flying<T>>>,
    count: u64,
}

/// A queue that sends so many bits a second.
#[derive(Debug)]
pub(super) struct Bottleneck {
    rate_bit_s: u64,
    free_us: u64,
    waiting: VecDeque<(u64, u64)>,
    waiting_bytes: u64,
}

#[derive(Debug)]
struct Flying<T> {
    due_us: u64,
    count: u64,
    item: T,
}

impl<T: Clone> Link<T> {
    /// A link of this kind.
    #[must_use]
    pub fn new(way: Way, mut dice: Dice) -> Self {
        let loss = Loss::new(&way, &mut dice);
        let bottleneck = Bottleneck::new(way.rate_bit_s);
        Self {
            way,
            dice,
            loss,
            ready_us: 0,
            bottleneck,
            down_until_us: 0,
            flying: BinaryHeap::new(),
            count: 0,
        }
    }

    /// Puts a packet of this size in.
    pub fn push(&mut self, now_us: u64, size_bytes: u64, item: T) -> Fate {
        if self.bottleneck.waiting_bytes(now_us) + size_bytes > self.way.queue_bytes {
            return Fate::Dropped;
        }
        let jitter_us = match self.way.jitter_us {
            0 => 0,
            mean => self.dice.exponential(mean).min(LONGEST_JITTER * mean),
        };
        self.ready_us = self.ready_us.max(now_us + jitter_us);
        let twice = self.dice.happens(self.way.duplicate_ppm);
        let fate = self.send(size_bytes, item.clone());
        if twice {
            self.send(size_bytes, item);
        }
        fate
    }

    /// What has arrived.
    pub fn poll(&mut self, now_us: u64) -> Option<T> {
        if self.next_us()? > now_us {
            return None;
        }
        self.flying.pop().map(|Reverse(flying)| flying.item)
    }

    /// When the next packet arrives.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        self.flying.peek().map(|Reverse(flying)| flying.due_us)
    }

    /// Everything under way is lost; returns how many packets that were.
    pub fn lose_all(&mut self) -> usize {
        let lost = self.flying.len();
        self.flying.clear();
        self.bottleneck.empty();
        lost
    }

    /// The link is down until then: everything under way is lost, and what is put in meanwhile too. Returns the number of those under way.
    pub fn cut(&mut self, until_us: u64) -> usize {
        self.down_until_us = self.down_until_us.max(until_us);
        self.lose_all()
    }

    fn send(&mut self, size_bytes: u64, item: T) -> Fate {
        let leaves_us = self.bottleneck.pass(self.ready_us, size_bytes);
        if leaves_us < self.down_until_us || self.loss.takes(leaves_us, &mut self.dice) {
            return Fate::Lost;
        }
        let mut due_us = leaves_us + self.way.delay_us;
        if self.dice.happens(self.way.reorder_ppm) {
            let least_us = (self.way.delay_us / HELD_BACK_PARTS).max(HELD_BACK_LEAST_US);
            due_us += least_us + self.dice.below(least_us);
        }
        self.count += 1;
        self.flying.push(Reverse(Flying { due_us, count: self.count, item }));
        Fate::Taken
    }
}

impl Bottleneck {
    pub(super) const fn new(rate_bit_s: u64) -> Self {
        Self { rate_bit_s, free_us: 0, waiting: VecDeque::new(), waiting_bytes: 0 }
    }

    /// What waits or is being sent.
    pub(super) fn waiting_bytes(&mut self, now_us: u64) -> u64 {
        while let Some((leaves_us, bytes)) = self.waiting.front()
            && *leaves_us <= now_us
        {
            self.waiting_bytes -= bytes;
            self.waiting.pop_front();
        }
        self.waiting_bytes
    }

    /// When something that is ready then has left.
    pub(super) fn pass(&mut self, ready_us: u64, size_bytes: u64) -> u64 {
        let takes_us = (size_bytes * 8_000_000).checked_div(self.rate_bit_s).map_or(0, |us| us + 1);
        self.free_us = self.free_us.max(ready_us) + takes_us;
        self.waiting.push_back((self.free_us, size_bytes));
        self.waiting_bytes += size_bytes;
        self.free_us
    }

    /// When what is being sent has left.
    pub(super) fn next_leaves_us(&self) -> Option<u64> {
        self.waiting.front().map(|(leaves_us, _)| *leaves_us)
    }

    fn empty(&mut self) {
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.free_us = 0;
    }
}

impl<T> PartialEq for Flying<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<T> Eq for Flying<T> {}

impl<T> PartialOrd for Flying<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Flying<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due_us, self.count).cmp(&(other.due_us, other.count))
    }
}
