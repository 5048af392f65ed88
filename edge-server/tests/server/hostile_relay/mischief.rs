//! What a hostile relay does to the packets that it carries. Seeded: a run can be repeated.

use std::collections::VecDeque;
use std::net::SocketAddr;

use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};

/// Packets of the past that may come again.
const PAST: usize = 512;

/// Packets that are held back to be mixed.
const HELD: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mischief {
    /// None.
    Honest,
    /// One bit of every fourth packet is another one.
    Flip,
    /// One bit of every packet is another one.
    FlipAll,
    /// Every packet comes twice, and one of the past with it.
    Replay,
    /// Packets come mixed.
    Reorder,
    /// Every packet goes to somebody else as well, every fourth to him alone.
    Swap,
}

pub struct Tricks {
    pub mischief: Mischief,
    pub spoiled: u64,
    dice: SmallRng,
    past: VecDeque<(SocketAddr, Vec<u8>)>,
    held: Vec<(SocketAddr, Vec<u8>)>,
}

impl Default for Tricks {
    fn default() -> Self {
        Self {
            mischief: Mischief::Honest,
            spoiled: 0,
            dice: SmallRng::seed_from_u64(1),
            past: VecDeque::new(),
            held: Vec::new(),
        }
    }
}

impl Tricks {
    /// What is sent, and where to, instead of this packet.
    pub fn handle(&mut self, to: SocketAddr, packet: &[u8]) -> Vec<(SocketAddr, Vec<u8>)> {
        if self.past.len() == PAST {
            self.past.pop_front();
        }
        self.past.push_back((to, packet.to_vec()));
        let now_and_then = self.dice.random_ratio(1, 4);
        match self.mischief {
            Mischief::Flip if now_and_then => vec![(to, self.flipped(packet))],
            Mischief::FlipAll => vec![(to, self.flipped(packet))],
            Mischief::Honest | Mischief::Flip => vec![(to, packet.to_vec())],
            Mischief::Replay => {
                self.spoiled += 2;
                let old = self.dice.random_range(0..self.past.len());
                vec![(to, packet.to_vec()), (to, packet.to_vec()), self.past[old].clone()]
            }
            Mischief::Reorder => {
                self.held.push((to, packet.to_vec()));
                if self.held.len() < HELD { Vec::new() } else { self.let_go() }
            }
            Mischief::Swap => {
                let own = (to, packet.to_vec());
                let Some(other) = self.past.iter().map(|(other, _)| *other).find(|other| *other != to) else {
                    return vec![own];
                };
                self.spoiled += 1;
                let stray = (other, packet.to_vec());
                if now_and_then { vec![stray] } else { vec![stray, own] }
            }
        }
    }

    /// What was held back, in another order.
    pub fn let_go(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut held = std::mem::take(&mut self.held);
        self.spoiled += held.len().saturating_sub(1) as u64;
        held.sort_by_cached_key(|_| self.dice.next_u32());
        held
    }

    fn flipped(&mut self, packet: &[u8]) -> Vec<u8> {
        self.spoiled += 1;
        let mut flipped = packet.to_vec();
        let bit = self.dice.random_range(0..packet.len() * 8);
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    }
}
