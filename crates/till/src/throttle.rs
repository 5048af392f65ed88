//! How wrong PINs slow down the next try, per device and per person at a door (handhelds, office). Derived from events, so it survives restarts.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{LoginOutcome, StaffId, limits};

/// Wrong PINs in a row that cost nothing.
const FREE_FAILURES: u32 = 2;
/// Delay after the first wrong PIN that costs something; each further one doubles it.
const FIRST_DELAY_S: i64 = 5;
/// Longest delay.
const LONGEST_DELAY_S: i64 = 15 * 60;

/// Whether a PIN may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// Now.
    Open,
    /// Only later.
    Locked {
        /// From then on.
        until: Timestamp,
    },
}

/// Wrong PINs in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Failures {
    count: u32,
    last_at: Timestamp,
}

/// Counters of wrong PINs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failed {
    by_device: BTreeMap<SmolStr, Failures>,
    by_staff: BTreeMap<StaffId, Failures>,
}

impl Failed {
    pub(crate) fn record(&mut self, staff: StaffId, device: &SmolStr, at: Timestamp, outcome: LoginOutcome) {
        match outcome {
            LoginOutcome::Success => {
                self.by_device.remove(device);
                self.by_staff.remove(&staff);
            }
            LoginOutcome::WrongPin => {
                count(self.by_device.entry(device.clone()), at);
                count(self.by_staff.entry(staff), at);
                if self.by_device.len() > limits::THROTTLED_DEVICES {
                    let oldest = self.by_device.iter().min_by_key(|(_, failures)| failures.last_at);
                    if let Some(device) = oldest.map(|(device, _)| device.clone()) {
                        self.by_device.remove(&device);
                    }
                }
            }
        }
    }

    pub(crate) fn forget_staff(&mut self, staff: StaffId) {
        self.by_staff.remove(&staff);
    }

    pub(crate) fn throttle(&self, staff: StaffId, device: &str, now: Timestamp) -> Throttle {
        let locks = [self.by_device.get(device), self.by_staff.get(&staff)];
        match locks.into_iter().flatten().filter_map(|failures| failures.until(now)).max() {
            Some(until) if until > now => Throttle::Locked { until },
            Some(_) | None => Throttle::Open,
        }
    }
}

impl Failures {
    /// The end of the delay. A failure from a clock that was far ahead locks nobody: its time may be years away.
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let costly = self.count.checked_sub(FREE_FAILURES + 1)?;
        let delay_s =
            FIRST_DELAY_S.checked_shl(costly.min(30)).unwrap_or(LONGEST_DELAY_S).min(LONGEST_DELAY_S);
        let latest = now.checked_add(SignedDuration::from_secs(LONGEST_DELAY_S)).ok()?;
        let until = self.last_at.checked_add(SignedDuration::from_secs(delay_s)).ok()?;
        (self.last_at <= latest).then(|| until.min(latest))
    }
}

fn count<K: Ord>(entry: std::collections::btree_map::Entry<'_, K, Failures>, at: Timestamp) {
    let failures = entry.or_insert(Failures { count: 0, last_at: at });
    failures.count = failures.count.saturating_add(1);
    failures.last_at = at;
}
