//! The pictures of products: records of the kind [`PHOTO`], by the hash of their bytes.
//!
//! They are records and not files so that a picture, and the event that a product has it, are in one transaction: there is no moment
//! at which one is on disk without the other, a backup of the database has both, and whoever replays the journal finds them.
//!
//! Invariant: a picture is stored exactly as long as a product of the newest till has it. The writer sees to that, because only it
//! knows what the newest till is. The journal keeps the names of all pictures there ever were, not their bytes.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};
use tresen_till::{PhotoId, Till};

use crate::Record;
use crate::error::VerifyError;

/// The kind of records that hold the pictures of products; their key is [`PhotoId`]'s text.
pub const PHOTO: &str = "photo";

/// The name of a picture.
pub fn photo_id(bytes: &[u8]) -> PhotoId {
    PhotoId(*blake3::hash(bytes).as_bytes())
}

/// The record that stores a picture. It stays when a product gets it in the same submission.
pub fn photo_record(bytes: Vec<u8>) -> Record {
    Record { kind: PHOTO, key: photo_id(&bytes).to_string(), value: Some(bytes) }
}

/// What a step from one till to the next means for the pictures.
#[derive(Default)]
pub(crate) struct Change {
    /// Products have them now, and had them before nowhere.
    pub(crate) wanted: BTreeSet<PhotoId>,
    /// No product has them any more.
    pub(crate) unused: BTreeSet<PhotoId>,
}

impl Change {
    pub(crate) fn between(before: &Till, after: &Till) -> Self {
        if before.photos().ptr_eq(after.photos()) {
            return Self::default();
        }
        let names = |till: &Till| till.photos().values().copied().collect::<BTreeSet<_>>();
        let (before, after) = (names(before), names(after));
        Self { wanted: &after - &before, unused: &before - &after }
    }
}

/// Checks that every picture of a till is stored as it was.
pub(crate) fn verify(connection: &Connection, till: &Till) -> Result<(), VerifyError> {
    let mut statement = connection.prepare("SELECT value FROM records WHERE kind = ?1 AND key = ?2")?;
    let names: BTreeSet<PhotoId> = till.photos().values().copied().collect();
    for photo in names {
        let stored: Option<Vec<u8>> =
            statement.query_row([PHOTO, &photo.to_string()], |row| row.get(0)).optional()?;
        if stored.is_none_or(|bytes| photo_id(&bytes) != photo) {
            return Err(VerifyError::Photo { photo });
        }
    }
    Ok(())
}
