//! When a path is down, and when the client gets another address.

use super::{Profile, Spells};
use crate::dice::Dice;

/// Something that happens to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing arrives in either direction until then.
    Down {
        /// The end of the outage.
        until_us: u64,
    },
    /// The client has another address: what is under way to the old one is lost.
    Address,
}

/// What happens to a path.
#[derive(Clone, Debug)]
pub struct Weather {
    dice: Dice,
    outages: Option<Spells>,
    address_every_us: Option<u64>,
    outage_us: u64,
    address_us: u64,
}

impl Weather {
    /// The weather over this path from now on.
    #[must_use]
    pub fn new(profile: &Profile, now_us: u64, mut dice: Dice) -> Self {
        let outages = profile.outages.filter(|spells| spells.every_us > 0);
        let address_every_us = profile.address_every_us.filter(|every| *every > 0);
        let outage_us = outages.map_or(u64::MAX, |spells| now_us + dice.exponential(spells.every_us));
        let address_us = address_every_us.map_or(u64::MAX, |every| now_us + dice.exponential(every));
        Self { dice, outages, address_every_us, outage_us, address_us }
    }

    /// What has happened.
    pub fn poll(&mut self, now_us: u64) -> Option<Change> {
        if self.outage_us <= now_us {
            let spells = self.outages?;
            let lasts_us = spells.lasts_us / 2 + self.dice.below(spells.lasts_us + 1);
            let until_us = self.outage_us + lasts_us;
            self.outage_us = until_us + self.dice.exponential(spells.every_us);
            return Some(Change::Down { until_us });
        }
        if self.address_us <= now_us {
            self.address_us += 1 + self.dice.exponential(self.address_every_us?);
            return Some(Change::Address);
        }
        None
    }

    /// When something happens next.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        Some(self.outage_us.min(self.address_us)).filter(|next| *next < u64::MAX)
    }
}
