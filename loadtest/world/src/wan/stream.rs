//! One direction of a reliable byte stream, as its user sees it: nothing is lost, but a loss is a stall, because what comes after
//! has to wait until the lost piece was sent again.
//!
//! Not modelled: the slow start and the congestion control of TCP; a stream uses the whole bandwidth at once.

use std::collections::VecDeque;

use super::link::Bottleneck;
use super::loss::Loss;
use super::{MS, SECOND, Way};
use crate::dice::Dice;

/// TCP sends again after this at the soonest (Linux, TCP_RTO_MIN).
const RETRANSMIT_LEAST_US: u64 = 200 * MS;
/// And after this at the latest (Linux waits 120 s; nobody else does).
const RETRANSMIT_MOST_US: u64 = 60 * SECOND;
/// Jitter is at most so many times its mean.
const LONGEST_JITTER: u64 = 8;

/// One direction of a reliable byte stream. `T` is a piece of it.
#[derive(Debug)]
pub struct Stream<T> {
    way: Way,
    round_trip_us: u64,
    dice: Dice,
    loss: Loss,
    bottleneck: Bottleneck,
    down_until_us: u64,
    last_due_us: u64,
    flying: VecDeque<(u64, T)>,
}

impl<T> Stream<T> {
    /// A stream over a path of this kind; `round_trip_us` is what its sender takes for a round trip.
    #[must_use]
    pub fn new(way: Way, round_trip_us: u64, mut dice: Dice) -> Self {
        let loss = Loss::new(&way, &mut dice);
        let bottleneck = Bottleneck::new(way.rate_bit_s);
        Self {
            way,
            round_trip_us,
            dice,
            loss,
            bottleneck,
            down_until_us: 0,
            last_due_us: 0,
            flying: VecDeque::new(),
        }
    }

    /// Whether a piece may be put in; otherwise its sender has to wait, as TCP lets it.
    pub fn has_room(&mut self, now_us: u64) -> bool {
        self.bottleneck.waiting_bytes(now_us) < self.way.queue_bytes
    }

    /// When there is room again, if nothing is put in meanwhile.
    #[must_use]
    pub fn room_us(&self) -> Option<u64> {
        self.bottleneck.next_leaves_us()
    }

    /// Puts a piece in. Pieces of one packet's size make losses as frequent as they are for packets.
    pub fn push(&mut self, now_us: u64, size_bytes: u64, item: T) {
        let leaves_us = self.bottleneck.pass(now_us, size_bytes);
        let arrives_us = self.arrives_us(leaves_us);
        self.last_due_us = self.last_due_us.max(arrives_us);
        self.flying.push_back((self.last_due_us, item));
    }

    /// What has arrived.
    pub fn poll(&mut self, now_us: u64) -> Option<T> {
        if self.next_us()? > now_us {
            return None;
        }
        self.flying.pop_front().map(|(_, item)| item)
    }

    /// When the next piece arrives.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        self.flying.front().map(|(due_us, _)| *due_us)
    }

    /// The link is down until then: what is under way is sent again afterwards.
    pub fn cut(&mut self, now_us: u64, until_us: u64) {
        self.down_until_us = self.down_until_us.max(until_us);
        let again_us = self.arrives_us(now_us);
        for (due_us, _) in &mut self.flying {
            *due_us = (*due_us).max(again_us);
        }
        self.last_due_us = self.last_due_us.max(again_us);
    }

    /// When something arrives that is sent then, and sent again as often as it is lost.
    fn arrives_us(&mut self, mut leaves_us: u64) -> u64 {
        let mut again_us = (self.round_trip_us + self.round_trip_us / 2).max(RETRANSMIT_LEAST_US);
        while leaves_us < self.down_until_us || self.loss.takes(leaves_us, &mut self.dice) {
            leaves_us += again_us;
            again_us = (again_us * 2).min(RETRANSMIT_MOST_US);
        }
        let jitter_us = match self.way.jitter_us {
            0 => 0,
            mean => self.dice.exponential(mean).min(LONGEST_JITTER * mean),
        };
        leaves_us + self.way.delay_us + jitter_us
    }
}
