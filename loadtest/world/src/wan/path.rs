//! Both directions of a path for datagrams, and its weather.

use super::{Change, Fate, Link, Profile, Weather};
use crate::dice::Dice;

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// To the client.
    Down,
}

/// What comes out of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening<T> {
    /// A packet has arrived.
    Arrived(Direction, T),
    /// The weather changed; so many packets under way were lost.
    Changed(Change, usize),
}

/// A path between one client and the server.
#[derive(Debug)]
pub struct Path<T> {
    up: Link<T>,
    down: Link<T>,
    weather: Weather,
}

impl<T: Clone> Path<T> {
    /// A path of this kind.
    #[must_use]
    pub fn new(profile: &Profile, now_us: u64, mut dice: Dice) -> Self {
        Self {
            up: Link::new(profile.up.clone(), dice.fork()),
            down: Link::new(profile.down.clone(), dice.fork()),
            weather: Weather::new(profile, now_us, dice),
        }
    }

    /// Puts a packet in at one end.
    pub fn push(&mut self, now_us: u64, direction: Direction, size_bytes: u64, item: T) -> Fate {
        self.link(direction).push(now_us, size_bytes, item)
    }

    /// What has happened, in order.
    pub fn poll(&mut self, now_us: u64) -> Option<Happening<T>> {
        let next_us = self.next_us().filter(|next| *next <= now_us)?;
        if let Some(change) = self.weather.poll(next_us) {
            let lost = self.change(change);
            return Some(Happening::Changed(change, lost));
        }
        if let Some(item) = self.up.poll(next_us) {
            return Some(Happening::Arrived(Direction::Up, item));
        }
        self.down.poll(next_us).map(|item| Happening::Arrived(Direction::Down, item))
    }

    /// When something happens next.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        [self.up.next_us(), self.down.next_us(), self.weather.next_us()].into_iter().flatten().min()
    }

    /// Lets something happen that the weather did not bring. Returns how many packets were lost by it.
    pub fn change(&mut self, change: Change) -> usize {
        match change {
            Change::Down { until_us } => self.up.cut(until_us) + self.down.cut(until_us),
            // What the client sent before is on its way; what was sent to its old address has nowhere to go.
            Change::Address => self.down.lose_all(),
        }
    }

    const fn link(&mut self, direction: Direction) -> &mut Link<T> {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }
}
