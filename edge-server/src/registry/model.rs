//! Stations and devices, and how they are kept: as JSON in the ledger's records, one per key.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tresen_identity::{DeviceClass, Fingerprint, SeatCounts};
use tresen_till::StationId;

use super::licensing::Licensing;

/// Kind of a station's record; its key is the number.
pub(super) const STATION_KIND: &str = "station";
/// Kind of a device's record; its key is the fingerprint.
pub(super) const DEVICE_KIND: &str = "device";
/// Kind of the licence's record; its only key is [`LICENCE_KEY`].
pub(super) const LICENCE_KIND: &str = "licence";
/// Key of the licence that is in force.
pub(super) const LICENCE_KEY: &str = "current";

/// A till position: what an instance runs for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Station {
    /// Its number, for good.
    pub number: u16,
    /// What people call it.
    pub name: String,
    /// Which devices may attach.
    pub class: DeviceClass,
    /// Whether the licence has a seat for it; without one no instance runs.
    #[serde(skip, default)]
    pub seated: bool,
}

/// A piece of hardware with a key of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The fingerprint of its key.
    pub id: Fingerprint,
    /// What people call it.
    pub name: String,
    /// Which seats it may take.
    pub class: DeviceClass,
    /// How it proves who it is.
    pub key: DeviceKey,
    /// The station that the owner assigned it to.
    pub station: Option<u16>,
    /// Where it was attached last; a device that is assigned nowhere goes back there when it can.
    pub last_station: Option<u16>,
    /// When it was paired.
    pub paired_at: Timestamp,
    /// When it attached or left last.
    pub last_seen: Option<Timestamp>,
    /// Whether the owner locked it out.
    pub revoked: bool,
    /// Whether the owner has looked at it since it was paired.
    pub confirmed: bool,
}

/// How a device proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKey {
    /// With the key of its certificate (QUIC).
    Certificate,
    /// With a signature of its WebCrypto key.
    Browser,
    /// Not at all: a browser on the demo's own machine.
    Loopback,
}

/// Everything at one moment. Cheap to clone: one is made for each device that comes or goes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Stations by number.
    pub stations: Arc<BTreeMap<u16, Station>>,
    /// Devices by fingerprint.
    pub devices: OrdMap<Fingerprint, Device>,
    /// The licence and what it grants.
    pub licensing: Licensing,
}

impl Station {
    /// Its number as the till's id.
    #[must_use]
    pub const fn id(&self) -> StationId {
        StationId(self.number)
    }
}

impl Snapshot {
    /// Stations that have a seat, by number.
    pub fn seated(&self) -> impl Iterator<Item = &Station> {
        self.stations.values().filter(|station| station.seated)
    }

    /// Devices that are assigned to a station, revoked ones left out.
    pub fn assigned_to(&self, station: u16) -> impl Iterator<Item = &Device> {
        self.devices.values().filter(move |device| device.station == Some(station) && !device.revoked)
    }

    /// Gives every station of a class a seat while there are some, by number, and makes the stations that are missing.
    pub(super) fn seat(&mut self, seats: SeatCounts) {
        let stations = Arc::make_mut(&mut self.stations);
        for class in DeviceClass::ALL {
            let mut left = seats.of(class);
            for station in stations.values_mut().filter(|station| station.class == class) {
                station.seated = left > 0;
                left = left.saturating_sub(1);
            }
            for _ in 0..left {
                let number = stations.keys().next_back().map_or(1, |last| last + 1);
                let name = format!("{} {number}", default_name(class));
                stations.insert(number, Station { number, name, class, seated: true });
            }
        }
    }
}

fn default_name(class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::Mpos => "mPOS",
        DeviceClass::Paypos => "payPOS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(mpos: u16, paypos: u16) -> SeatCounts {
        SeatCounts { mpos, paypos }
    }

    #[test]
    fn stations_follow_the_seats_and_keep_their_numbers() {
        let mut snapshot =
            Snapshot { stations: Arc::default(), devices: OrdMap::new(), licensing: Licensing::trial() };
        let seated = |snapshot: &Snapshot| snapshot.seated().map(|s| (s.number, s.class)).collect::<Vec<_>>();
        use DeviceClass::{Mpos, Paypos};
        snapshot.seat(seats(2, 1));
        assert_eq!(seated(&snapshot), [(1, Mpos), (2, Mpos), (3, Paypos)]);
        snapshot.seat(seats(3, 1));
        assert_eq!(seated(&snapshot), [(1, Mpos), (2, Mpos), (3, Paypos), (4, Mpos)]);
        snapshot.seat(seats(1, 0));
        assert_eq!(seated(&snapshot), [(1, Mpos)]);
        assert_eq!(snapshot.stations.len(), 4);
    }
}
