//! Profiles as text: `far`, or `far,loss=2%,outage=5s/3m`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::{HOUR, MINUTE, MS, PROFILES, Profile, SECOND, Spells, Way};

/// Why a text is no profile.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProfileError {
    /// No such profile.
    #[error("there is no profile '{0}'; there are {names}", names = names())]
    Name(String),
    /// Not `key=value`, or no such key.
    #[error(
        "'{0}' changes nothing of a profile; what can be changed: rtt, jitter, loss, burst, rate, up, down, queue, \
         reorder, duplicate, outage, address"
    )]
    Key(String),
    /// A value that can't be read.
    #[error("'{0}' is no {1}")]
    Value(String, &'static str),
}

fn names() -> String {
    PROFILES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl FromStr for Profile {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        let mut parts = text.split(',').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let mut profile = Self::named(name).ok_or_else(|| ProfileError::Name(name.into()))?;
        for part in parts {
            let (key, value) = part.split_once('=').ok_or_else(|| ProfileError::Key(part.into()))?;
            profile.set(key, value)?;
        }
        Ok(profile)
    }
}

impl Profile {
    fn set(&mut self, key: &str, value: &str) -> Result<(), ProfileError> {
        match key {
            "rtt" => {
                let half_us = time_us(value)? / 2;
                self.both(|way| way.delay_us = half_us);
            }
            "jitter" => {
                let mean_us = time_us(value)?;
                self.both(|way| way.jitter_us = mean_us);
            }
            "loss" => {
                let share = share_ppm(value)?;
                self.both(|way| way.loss_ppm = share);
            }
            "burst" => {
                let mean_us = time_us(value)?;
                self.both(|way| way.burst_us = mean_us);
            }
            "rate" => {
                let rate = rate_bit_s(value)?;
                self.both(|way| way.rate_bit_s = rate);
            }
            "up" => self.up.rate_bit_s = rate_bit_s(value)?,
            "down" => self.down.rate_bit_s = rate_bit_s(value)?,
            "queue" => {
                let bytes = size_bytes(value)?;
                self.both(|way| way.queue_bytes = bytes);
            }
            "reorder" => {
                let share = share_ppm(value)?;
                self.both(|way| way.reorder_ppm = share);
            }
            "duplicate" => {
                let share = share_ppm(value)?;
                self.both(|way| way.duplicate_ppm = share);
            }
            "outage" => self.outages = spells(value)?,
            "address" => self.address_every_us = Some(time_us(value)?).filter(|every| *every > 0),
            _ => return Err(ProfileError::Key(key.into())),
        }
        Ok(())
    }

    fn both(&mut self, change: impl Fn(&mut Way)) {
        change(&mut self.up);
        change(&mut self.down);
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, up, down, outages, address_every_us } = self;
        write!(f, "{name}: {} ms there and back", (up.delay_us + down.delay_us) as f64 / MS as f64)?;
        write!(f, ", {} kbit/s down, {} up", down.rate_bit_s / 1_000, up.rate_bit_s / 1_000)?;
        write!(f, ", jitter {} ms", down.jitter_us as f64 / MS as f64)?;
        write!(f, ", loss {} %", f64::from(down.loss_ppm) / 10_000.0)?;
        if down.burst_us > 0 {
            write!(f, " in bursts of {} ms", down.burst_us / MS)?;
        }
        if let Some(Spells { lasts_us, every_us }) = outages {
            write!(f, ", down for {} s each {} s", lasts_us / SECOND, every_us / SECOND)?;
        }
        if let Some(every_us) = address_every_us {
            write!(f, ", a new address each {} s", every_us / SECOND)?;
        }
        Ok(())
    }
}

/// A number and its unit, multiplied.
fn measured(text: &str, units: &[(&str, u64)], what: &'static str) -> Result<u64, ProfileError> {
    let wrong = || ProfileError::Value(text.into(), what);
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let unit = unit.trim();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    Ok((number * *factor as f64).round() as u64)
}

fn time_us(text: &str) -> Result<u64, ProfileError> {
    let units = [("us", 1), ("ms", MS), ("s", SECOND), ("m", MINUTE), ("h", HOUR)];
    measured(text, &units, "time (with us, ms, s, m or h)")
}

fn rate_bit_s(text: &str) -> Result<u64, ProfileError> {
    let units = [("kbit", 1_000), ("Mbit", 1_000_000), ("Gbit", 1_000_000_000)];
    measured(text.trim_end_matches("/s"), &units, "bandwidth (with kbit, Mbit or Gbit)")
}

fn size_bytes(text: &str) -> Result<u64, ProfileError> {
    measured(text, &[("B", 1), ("KB", 1 << 10), ("MB", 1 << 20)], "size (with B, KB or MB)")
}

fn share_ppm(text: &str) -> Result<u32, ProfileError> {
    let share = measured(text, &[("%", 10_000)], "share (with %)")?;
    u32::try_from(share)
        .ok()
        .filter(|ppm| *ppm <= 1_000_000)
        .ok_or_else(|| ProfileError::Value(text.into(), "share up to 100%"))
}

fn spells(text: &str) -> Result<Option<Spells>, ProfileError> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = || ProfileError::Value(text.into(), "outage (how long/how often, as 5s/3m, or none)");
    let (lasts, every) = text.split_once('/').ok_or_else(wrong)?;
    Ok(Some(Spells { lasts_us: time_us(lasts)?, every_us: time_us(every)? }))
}
