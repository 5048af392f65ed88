//! Who may sit where: a decision without tasks or clocks in it.

use std::collections::BTreeMap;

use tresen_identity::Fingerprint;

use crate::instance::link::Leaving;
use crate::registry::{Device, Snapshot};

/// How long a seat is kept for a device whose connection broke, in ms.
const KEPT_LOST_MS: u64 = 30_000;

/// How long for one whose connection was closed (a page that is loaded anew closes it), in ms.
const KEPT_CLOSED_MS: u64 = 3_000;

/// How long a seat that became free is kept for the device that waited for it, in ms.
const KEPT_RESERVED_MS: u64 = 10_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    Sitting { device: Fingerprint, ticket: u64 },
    Kept { device: Fingerprint, until_ms: u64 },
}

/// Who sits where. A station that is not in it is free.
#[derive(Default)]
pub struct Seats {
    holds: BTreeMap<u16, Hold>,
    tickets: u64,
}

impl Seats {
    /// Takes the best seat for a device: the station and a ticket that [`Seats::leave`] wants back.
    pub fn claim(
        &mut self,
        snapshot: &Snapshot,
        device: &Device,
        now_ms: u64,
        runs: impl Fn(u16) -> bool,
    ) -> Option<(u16, u64)> {
        let station = self.best(snapshot, device, now_ms, runs)?;
        self.tickets += 1;
        let ticket = self.tickets;
        self.holds.insert(station, Hold::Sitting { device: device.id, ticket });
        Some((station, ticket))
    }

    /// Keeps a free seat for a device that is about to come back for it.
    pub fn reserve(
        &mut self,
        snapshot: &Snapshot,
        device: &Device,
        now_ms: u64,
        runs: impl Fn(u16) -> bool,
    ) -> bool {
        let Some(station) = self.best(snapshot, device, now_ms, runs) else { return false };
        let sitting = matches!(self.holds.get(&station), Some(Hold::Sitting { .. }));
        if !sitting {
            let until_ms = now_ms + KEPT_RESERVED_MS;
            self.holds.insert(station, Hold::Kept { device: device.id, until_ms });
        }
        true
    }

    /// Gives a seat back, unless somebody else sits there by now.
    pub fn leave(&mut self, station: u16, ticket: u64, leaving: Leaving, now_ms: u64) {
        let Some(Hold::Sitting { device, ticket: current }) = self.holds.get(&station).copied() else {
            return;
        };
        if current != ticket {
            return;
        }
        let kept_ms = match leaving {
            Leaving::Goodbye => 0,
            Leaving::Closed => KEPT_CLOSED_MS,
            Leaving::Lost => KEPT_LOST_MS,
        };
        if kept_ms == 0 {
            self.holds.remove(&station);
        } else {
            self.holds.insert(station, Hold::Kept { device, until_ms: now_ms + kept_ms });
        }
    }

    /// Keeps each seat for the device that was there last.
    pub fn keep_last(&mut self, snapshot: &Snapshot, now_ms: u64) {
        let mut devices: Vec<&Device> = snapshot.devices.values().filter(|device| !device.revoked).collect();
        devices.sort_by_key(|device| device.last_seen);
        for device in devices {
            if let Some(station) = device.last_station.filter(|_| device.last_seen.is_some()) {
                let until_ms = now_ms + KEPT_LOST_MS;
                self.holds.insert(station, Hold::Kept { device: device.id, until_ms });
            }
        }
    }

    fn best(
        &self,
        snapshot: &Snapshot,
        device: &Device,
        now_ms: u64,
        runs: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        if let Some(assigned) = device.station {
            return runs(assigned).then_some(assigned);
        }
        let free = snapshot.seated().map(|station| station.number).filter(|&number| {
            runs(number)
                && snapshot.stations[&number].class == device.class
                && snapshot.assigned_to(number).next().is_none()
                && self.is_free_for(number, device.id, now_ms)
        });
        free.min_by_key(|&number| {
            (!self.is_held_by(number, device.id), device.last_station != Some(number), number)
        })
    }

    fn is_held_by(&self, station: u16, by: Fingerprint) -> bool {
        match self.holds.get(&station) {
            Some(Hold::Sitting { device, .. } | Hold::Kept { device, .. }) => *device == by,
            None => false,
        }
    }

    fn is_free_for(&self, station: u16, wanting: Fingerprint, now_ms: u64) -> bool {
        match self.holds.get(&station) {
            None => true,
            Some(Hold::Sitting { device, .. }) => *device == wanting,
            Some(Hold::Kept { device, until_ms }) => *device == wanting || *until_ms <= now_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use tresen_identity::DeviceClass;

    use super::*;
    use crate::registry::{DeviceKey, Licensing, Station};

    fn snapshot(mpos: u16) -> Snapshot {
        let station =
            |number| Station { number, name: String::new(), class: DeviceClass::Mpos, seated: true };
        Snapshot {
            stations: Arc::new((1..=mpos).map(|number| (number, station(number))).collect()),
            devices: Default::default(),
            licensing: Licensing::Trial,
        }
    }

    fn device(byte: u8) -> Device {
        Device {
            id: Fingerprint::from_bytes([byte; 32]),
            name: String::new(),
            class: DeviceClass::Mpos,
            key: DeviceKey::Certificate,
            station: None,
            last_station: None,
            paired_at: Timestamp::UNIX_EPOCH,
            last_seen: None,
            revoked: false,
            confirmed: true,
        }
    }

    fn claim(seats: &mut Seats, snapshot: &Snapshot, device: &Device, now_ms: u64) -> Option<(u16, u64)> {
        seats.claim(snapshot, device, now_ms, |_| true)
    }

    #[test]
    fn the_first_free_station_of_the_class_is_taken() {
        let (mut seats, mut snapshot) = (Seats::default(), snapshot(3));
        Arc::make_mut(&mut snapshot.stations).get_mut(&1).unwrap().class = DeviceClass::Paypos;
        assert_eq!(claim(&mut seats, &snapshot, &device(1), 0).unwrap().0, 2);
        assert_eq!(claim(&mut seats, &snapshot, &device(2), 0).unwrap().0, 3);
        assert_eq!(claim(&mut seats, &snapshot, &device(3), 0), None);
        assert_eq!(claim(&mut seats, &snapshot, &device(1), 0).unwrap().0, 2);
    }

    #[test]
    fn a_seat_is_kept_for_whoever_lost_the_connection_and_not_for_whoever_said_goodbye() {
        let (mut seats, snapshot) = (Seats::default(), snapshot(1));
        let (station, ticket) = claim(&mut seats, &snapshot, &device(1), 0).unwrap();
        seats.leave(station, ticket, Leaving::Lost, 0);
        assert_eq!(claim(&mut seats, &snapshot, &device(2), KEPT_LOST_MS - 1), None);
        let (station, ticket) = claim(&mut seats, &snapshot, &device(1), KEPT_LOST_MS - 1).unwrap();
        seats.leave(station, ticket, Leaving::Goodbye, 50_000);
        assert!(claim(&mut seats, &snapshot, &device(2), 50_000).is_some());
        seats.leave(station, ticket, Leaving::Goodbye, 50_000);
        assert_eq!(claim(&mut seats, &snapshot, &device(3), 50_000), None, "an old ticket frees nothing");
    }

    #[test]
    fn an_assigned_device_takes_its_station_from_others_and_no_other_one() {
        let (mut seats, mut snapshot) = (Seats::default(), snapshot(2));
        assert_eq!(claim(&mut seats, &snapshot, &device(1), 0).unwrap().0, 1);
        let assigned = Device { station: Some(1), ..device(2) };
        snapshot.devices.insert(assigned.id, assigned.clone());
        assert_eq!(claim(&mut seats, &snapshot, &assigned, 0).unwrap().0, 1);
        assert_eq!(claim(&mut seats, &snapshot, &device(1), 0).unwrap().0, 2);
        let nowhere = Device { station: Some(9), ..device(3) };
        assert_eq!(seats.claim(&snapshot, &nowhere, 0, |number| number < 9), None);
    }

    #[test]
    fn after_a_restart_everybody_goes_back_in_whatever_order_they_come() {
        let (mut seats, mut snapshot) = (Seats::default(), snapshot(2));
        let sat = |byte, station| Device {
            last_station: Some(station),
            last_seen: Some(Timestamp::UNIX_EPOCH),
            ..device(byte)
        };
        for device in [sat(1, 2), sat(2, 1)] {
            snapshot.devices.insert(device.id, device);
        }
        seats.keep_last(&snapshot, 0);
        assert_eq!(claim(&mut seats, &snapshot, &device(3), 1), None);
        assert_eq!(claim(&mut seats, &snapshot, &sat(2, 1), 1).unwrap().0, 1);
        assert_eq!(claim(&mut seats, &snapshot, &sat(1, 2), 1).unwrap().0, 2);
    }
}
