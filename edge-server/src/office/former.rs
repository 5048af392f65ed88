//! Who worked here: kept as records beside the journal, so that somebody can be brought back under the same id, and what was booked before and
//! after has one name.

use serde::{Deserialize, Serialize};
use tresen_ledger::Record;
use tresen_till::{Role, Staff, StaffId};

use super::Office;

/// Kind of the records; the key is the id of the person.
const KIND: &str = "former-staff";

/// Somebody who left. The PIN left too.
#[derive(Serialize, Deserialize)]
pub(crate) struct Former {
    /// The id, still taken.
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) role: Role,
}

/// The record of somebody who leaves.
pub(crate) fn record(staff: &Staff) -> Record {
    let former = Former { id: staff.id.0, name: staff.name.to_string(), role: staff.role };
    let value = serde_json::to_vec(&former).expect("a number and texts can always be written");
    Record { kind: KIND, key: staff.id.to_string(), value: Some(value) }
}

/// What takes the record away of somebody who is here.
pub(crate) fn gone(id: StaffId) -> Record {
    Record { kind: KIND, key: id.to_string(), value: None }
}

/// Everybody who left.
pub(crate) fn all(office: &Office) -> Vec<Former> {
    let stored = office.site.ledger.records(KIND);
    stored.iter().filter_map(|(_, value)| serde_json::from_slice(value).ok()).collect()
}

/// One of them.
pub(crate) fn one(office: &Office, id: StaffId) -> Option<Former> {
    all(office).into_iter().find(|former| former.id == id.0)
}
