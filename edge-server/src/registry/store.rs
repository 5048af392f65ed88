//! How the registry is kept: records of the ledger, each a JSON text.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tresen_ledger::{Ledger, Record, Submission, SubmitError};
use tresen_till::{Context, StationId};

use super::RegistryError;
use super::model::{DEVICE_KIND, Device, STATION_KIND, Station};

/// Writes records and waits until they are on disk.
pub(super) async fn write(ledger: &Ledger, records: Vec<Record>) -> Result<(), RegistryError> {
    let context =
        Context { staff: None, station: StationId(0), device: "registry".into(), at: Timestamp::now() };
    let submission = Submission { context, commands: Vec::new(), mark: None, records };
    match ledger.submit(submission).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(RegistryError::Ledger(error)),
        Err(_) => Err(RegistryError::Ledger(SubmitError::Failed("the ledger is closed".into()))),
    }
}

/// All records of a kind; one that can't be read is left out and logged, so that a single bad one never stops a site.
pub(super) fn records<K: Ord, V: DeserializeOwned>(
    ledger: &Ledger,
    kind: &'static str,
    key_of: impl Fn(&V) -> K,
) -> BTreeMap<K, V> {
    let mut read = BTreeMap::new();
    for (key, bytes) in ledger.records(kind) {
        match serde_json::from_slice::<V>(&bytes) {
            Ok(value) => {
                read.insert(key_of(&value), value);
            }
            Err(error) => tracing::error!(kind, key, %error, "a record can't be read"),
        }
    }
    read
}

pub(super) fn station_record(station: &Station) -> Record {
    Record { kind: STATION_KIND, key: station.number.to_string(), value: Some(json(station)) }
}

pub(super) fn device_record(device: &Device) -> Record {
    Record { kind: DEVICE_KIND, key: device.id.to_string(), value: Some(json(device)) }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("stations and devices are plain data with text keys")
}
