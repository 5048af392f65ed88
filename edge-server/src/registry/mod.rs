//! Who belongs to the site: stations, devices, the licence.
//!
//! The whole of it is one immutable [`Snapshot`], published anew after each change; readers take it without waiting. Changes go through
//! the ledger first, one after the other. **Invariant: what a snapshot shows is on disk.**

mod licensing;
mod model;
mod store;

use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tokio::sync::{Mutex, watch};
use tresen_identity::{Fingerprint, LicenceError, MAX_DEVICE_NAME_CHARS, PublicKey};
use tresen_ledger::{Ledger, Record};

pub(crate) use licensing::public_key;
pub use licensing::{DEMO_SEATS, Licensing, demo_licence, issuers};
pub use model::{Device, DeviceKey, Snapshot, Station};

use model::{DEVICE_KIND, LICENCE_KEY, LICENCE_KIND, STATION_KIND};
use store::{device_record, records, station_record, write};

/// Most devices that a server keeps: a stadium's, and as many again that were replaced.
pub const MAX_DEVICES: usize = 10_000;

/// Most browsers of the demo's own machine that are kept; the one that was seen longest ago is forgotten first.
const MAX_LOOPBACK_DEVICES: usize = 64;

/// How long a note of when a device was seen is good enough.
const SEEN_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// Longest name of a station, in characters.
const MAX_STATION_NAME_CHARS: usize = 40;

/// The registry of a running server.
pub struct Registry {
    ledger: Ledger,
    server: Fingerprint,
    issuers: Vec<PublicKey>,
    published: watch::Sender<Arc<Snapshot>>,
    /// Held while a change is on its way to the disk.
    changing: Mutex<()>,
}

/// Who hears of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hearers {
    /// Whoever watches.
    Everybody,
    /// Nobody; whoever looks sees it.
    Nobody,
}

/// Why a change was refused.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// No such device.
    #[error("this device is not known here")]
    UnknownDevice,
    /// No such station.
    #[error("there is no station {0}")]
    UnknownStation(u16),
    /// A payment terminal's seat is not for handhelds, nor the other way round.
    #[error("a device of class {device} can't work at a station of class {station}")]
    OtherClass {
        /// Class of the device.
        device: tresen_identity::DeviceClass,
        /// Class of the station.
        station: tresen_identity::DeviceClass,
    },
    /// The name is empty or too long.
    #[error("a name has from 1 to {MAX_STATION_NAME_CHARS} characters")]
    Name,
    /// There are too many devices.
    #[error("there are {MAX_DEVICES} devices already: remove one first")]
    Full,
    /// The licence file grants nothing.
    #[error(transparent)]
    Licence(#[from] LicenceError),
    /// It could not be written.
    #[error("the change could not be written: {0}")]
    Ledger(tresen_ledger::SubmitError),
}

impl Registry {
    /// Reads it from the ledger, and makes the stations that the licence has seats for.
    ///
    /// # Errors
    /// When that can't be written.
    pub async fn load(
        ledger: Ledger,
        server: Fingerprint,
        demo: bool,
        today: Date,
    ) -> Result<Self, RegistryError> {
        let issuers = issuers(demo);
        let read = Snapshot {
            stations: Arc::new(records(&ledger, STATION_KIND, |station: &model::Station| station.number)),
            devices: records(&ledger, DEVICE_KIND, |device: &Device| device.id).into_iter().collect(),
            licensing: Licensing::Trial,
        };
        let registry = Self {
            ledger,
            server,
            issuers,
            published: watch::channel(Arc::new(read)).0,
            changing: Mutex::new(()),
        };
        registry.renew_seats(today).await?;
        Ok(registry)
    }

    /// The registry now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.borrow().clone()
    }

    /// Tells of every change but that a device was seen: each connection listens here, and each one is seen.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.published.subscribe()
    }

    /// The text of the licence that was installed last.
    #[must_use]
    pub fn licence_text(&self) -> Option<String> {
        String::from_utf8(self.ledger.record(LICENCE_KIND, LICENCE_KEY)?).ok()
    }

    /// Asks the licence again what it grants today. Run at start, and hourly.
    ///
    /// # Errors
    /// When new stations can't be written.
    pub async fn renew_seats(&self, today: Date) -> Result<(), RegistryError> {
        self.change(|snapshot| {
            // Read when our turn has come: another licence may be installed while we wait.
            let licensing = match self.licence_text() {
                Some(text) => Licensing::of(&text, &self.issuers, self.server, today),
                None => Licensing::Trial,
            };
            if let Licensing::Void { reason } = &licensing {
                tracing::warn!(%reason, "the licence grants nothing: the seats of the trial stand in");
            }
            snapshot.licensing = licensing;
            Ok(seat_all(snapshot))
        })
        .await
    }

    /// Installs a licence file. One that grants nothing today is refused and changes nothing.
    ///
    /// # Errors
    /// When it grants nothing, or can't be written.
    pub async fn install_licence(&self, text: &str, today: Date) -> Result<(), RegistryError> {
        let licensing = Licensing::of(text, &self.issuers, self.server, today);
        if let Licensing::Void { reason } = licensing {
            return Err(reason.into());
        }
        self.change(|snapshot| {
            snapshot.licensing = licensing;
            let mut records = seat_all(snapshot);
            records.push(Record {
                kind: LICENCE_KIND,
                key: LICENCE_KEY.into(),
                value: Some(text.as_bytes().to_vec()),
            });
            Ok(records)
        })
        .await
    }

    /// Renames a station.
    ///
    /// # Errors
    /// When there is none, or the name is empty or too long.
    pub async fn rename_station(&self, number: u16, name: &str) -> Result<(), RegistryError> {
        let name = checked_name(name)?;
        self.change(|snapshot| {
            let stations = Arc::make_mut(&mut snapshot.stations);
            let station = stations.get_mut(&number).ok_or(RegistryError::UnknownStation(number))?;
            station.name = name;
            Ok(vec![station_record(station)])
        })
        .await
    }

    /// Enrols a device, or takes it back when it was revoked and has paired again.
    ///
    /// # Errors
    /// When there are too many.
    pub async fn enrol(&self, device: Device) -> Result<(), RegistryError> {
        self.change(|snapshot| {
            let mut records = Vec::new();
            if device.key == DeviceKey::Loopback {
                records.extend(forget_loopback(snapshot));
            }
            if snapshot.devices.len() >= MAX_DEVICES && !snapshot.devices.contains_key(&device.id) {
                return Err(RegistryError::Full);
            }
            records.push(device_record(&device));
            snapshot.devices.insert(device.id, device);
            Ok(records)
        })
        .await
    }

    /// Renames a device; the owner has seen it then.
    ///
    /// # Errors
    /// When there is none, or the name is empty or too long.
    pub async fn rename_device(&self, id: Fingerprint, name: &str) -> Result<(), RegistryError> {
        let name = checked_name(name)?;
        self.change_device(id, |device| {
            device.name = name;
            device.confirmed = true;
        })
        .await
    }

    /// Assigns a device to a station, or to none.
    ///
    /// # Errors
    /// When one of them doesn't exist, or their classes differ.
    pub async fn assign(&self, id: Fingerprint, station: Option<u16>) -> Result<(), RegistryError> {
        self.change(|snapshot| {
            let device = snapshot.devices.get_mut(&id).ok_or(RegistryError::UnknownDevice)?;
            if let Some(number) = station {
                let station = snapshot.stations.get(&number).ok_or(RegistryError::UnknownStation(number))?;
                if station.class != device.class {
                    return Err(RegistryError::OtherClass { device: device.class, station: station.class });
                }
            }
            device.station = station;
            device.confirmed = true;
            Ok(vec![device_record(device)])
        })
        .await
    }

    /// Locks a device out; its session ends at once. Pairing it again lets it back in.
    ///
    /// # Errors
    /// When there is none.
    pub async fn revoke(&self, id: Fingerprint) -> Result<(), RegistryError> {
        self.change_device(id, |device| {
            device.revoked = true;
            device.station = None;
        })
        .await
    }

    /// Forgets a device; should it come back, it is unknown.
    ///
    /// # Errors
    /// When there is none.
    pub async fn remove_device(&self, id: Fingerprint) -> Result<(), RegistryError> {
        self.change(|snapshot| {
            snapshot.devices.remove(&id).ok_or(RegistryError::UnknownDevice)?;
            Ok(vec![Record { kind: DEVICE_KIND, key: id.to_string(), value: None }])
        })
        .await
    }

    /// Notes where a device attached, and when: to the minute, so that a device that comes and goes does not keep the disk busy.
    ///
    /// # Errors
    /// When there is none.
    pub async fn seen(
        &self,
        id: Fingerprint,
        at: Timestamp,
        station: Option<u16>,
    ) -> Result<(), RegistryError> {
        let snapshot = self.snapshot();
        let device = snapshot.devices.get(&id).ok_or(RegistryError::UnknownDevice)?;
        let lately = device.last_seen.is_some_and(|seen| at.duration_since(seen) < SEEN_AGAIN);
        if lately && (station.is_none() || station == device.last_station) {
            return Ok(());
        }
        let noted = |snapshot: &mut Snapshot| {
            let device = snapshot.devices.get_mut(&id).ok_or(RegistryError::UnknownDevice)?;
            device.last_seen = Some(at);
            device.last_station = station.or(device.last_station);
            Ok(vec![device_record(device)])
        };
        self.change_for(Hearers::Nobody, noted).await
    }

    async fn change_device(
        &self,
        id: Fingerprint,
        edit: impl FnOnce(&mut Device),
    ) -> Result<(), RegistryError> {
        self.change(|snapshot| {
            let device = snapshot.devices.get_mut(&id).ok_or(RegistryError::UnknownDevice)?;
            edit(device);
            Ok(vec![device_record(device)])
        })
        .await
    }

    async fn change(
        &self,
        edit: impl FnOnce(&mut Snapshot) -> Result<Vec<Record>, RegistryError>,
    ) -> Result<(), RegistryError> {
        self.change_for(Hearers::Everybody, edit).await
    }

    /// The one way to change: edit a copy, write its records, publish it.
    async fn change_for(
        &self,
        hearers: Hearers,
        edit: impl FnOnce(&mut Snapshot) -> Result<Vec<Record>, RegistryError>,
    ) -> Result<(), RegistryError> {
        let _one_at_a_time = self.changing.lock().await;
        let mut next = Snapshot::clone(&self.snapshot());
        let records = edit(&mut next)?;
        if !records.is_empty() {
            write(&self.ledger, records).await?;
        }
        self.published.send_if_modified(|published| {
            *published = Arc::new(next);
            hearers == Hearers::Everybody
        });
        Ok(())
    }
}

/// The licence file that is installed in a database, read beside whoever works on it.
///
/// # Errors
/// With a sentence, when the database can't be read.
pub fn stored_licence(database: &std::path::Path) -> Result<Option<String>, String> {
    let stored = tresen_ledger::stored_record(database, LICENCE_KIND, LICENCE_KEY);
    let bytes = stored.map_err(|error| error.to_string())?;
    bytes.map(|bytes| String::from_utf8(bytes).map_err(|error| error.to_string())).transpose()
}

/// Seats all stations; the records of those that are new.
fn seat_all(snapshot: &mut Snapshot) -> Vec<Record> {
    let known: Vec<u16> = snapshot.stations.keys().copied().collect();
    snapshot.seat(snapshot.licensing.seats());
    snapshot
        .stations
        .values()
        .filter(|station| !known.contains(&station.number))
        .map(station_record)
        .collect()
}

/// Makes room for one more browser of the demo's own machine.
fn forget_loopback(snapshot: &mut Snapshot) -> Option<Record> {
    let mut loopback: Vec<&Device> =
        snapshot.devices.values().filter(|device| device.key == DeviceKey::Loopback).collect();
    if loopback.len() < MAX_LOOPBACK_DEVICES {
        return None;
    }
    loopback.sort_by_key(|device| device.last_seen);
    let id = loopback.first()?.id;
    snapshot.devices.remove(&id);
    Some(Record { kind: DEVICE_KIND, key: id.to_string(), value: None })
}

fn checked_name(name: &str) -> Result<String, RegistryError> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > MAX_STATION_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(RegistryError::Name);
    }
    Ok(name.to_owned())
}

/// What a device calls itself, made fit to be shown.
#[must_use]
pub fn device_name(given: &str) -> String {
    let name: String =
        given.chars().filter(|letter| !letter.is_control()).take(MAX_DEVICE_NAME_CHARS).collect();
    match name.trim() {
        "" => "?".into(),
        name => name.to_owned(),
    }
}
