//! The chain of hashes through the journal.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};
use tresen_till::{Event, Site, Till, decode_events};

use crate::database;
use crate::error::VerifyError;

/// Hash of a row, and of everything before it.
pub(crate) type Hash = [u8; 32];

/// What the first row follows.
pub(crate) const GENESIS: Hash = [0; 32];

/// The newest row of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) row: u64,
    pub(crate) hash: Hash,
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Rows of the journal.
    pub rows: u64,
    /// Hash of the last row, as hexadecimal digits: whoever keeps it can tell later that nothing before it was changed.
    pub head: String,
}

/// A row of the journal.
pub(crate) struct Row {
    pub(crate) row: u64,
    pub(crate) at_ms: i64,
    pub(crate) staff: Option<u32>,
    pub(crate) station: u16,
    pub(crate) device: String,
    pub(crate) events: Vec<u8>,
    pub(crate) hash: Hash,
}

impl Head {
    pub(crate) const START: Head = Head { row: 0, hash: GENESIS };

    /// Checks that a row follows, moves on to it and gives its events.
    pub(crate) fn follow(&mut self, row: &Row) -> Result<Vec<Event>, VerifyError> {
        if row.row != self.row + 1 || row.hash != row.hash_after(&self.hash) {
            return Err(VerifyError::ChainBroken { row: row.row });
        }
        *self = Head { row: row.row, hash: row.hash };
        decode_events(&row.events).map_err(|error| VerifyError::Unreadable { row: row.row, error })
    }
}

impl Row {
    /// The hash of this row after the one before. Every field has a fixed width or its length in front.
    pub(crate) fn hash_after(&self, previous: &Hash) -> Hash {
        let mut hasher = blake3::Hasher::new_derive_key("Tresen ledger, row of the journal, version 1");
        hasher.update(previous);
        hasher.update(&self.row.to_le_bytes());
        hasher.update(&self.at_ms.to_le_bytes());
        hasher.update(&self.staff.map_or(u64::MAX, u64::from).to_le_bytes());
        hasher.update(&self.station.to_le_bytes());
        hasher.update(&(self.device.len() as u64).to_le_bytes());
        hasher.update(self.device.as_bytes());
        hasher.update(&(self.events.len() as u64).to_le_bytes());
        hasher.update(&self.events);
        *hasher.finalize().as_bytes()
    }
}

/// Reads a whole journal: its chain, its events, and that they lead to the snapshot. Works beside a running ledger.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(path: &Path) -> Result<Verified, VerifyError> {
    let mut connection = database::open_beside(path)?;
    let transaction = connection.transaction()?;
    verify_connection(&transaction)
}

pub(crate) fn verify_connection(connection: &Connection) -> Result<Verified, VerifyError> {
    let snapshot: Option<(u64, Vec<u8>)> = connection
        .query_row("SELECT row, till FROM snapshot", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let mut till = Till::empty(Site::default());
    let mut head = Head::START;
    database::for_each_row(connection, 0, |row| {
        for event in head.follow(&row)? {
            till.apply(&event);
        }
        match &snapshot {
            Some((at, bytes)) if *at == head.row && !snapshot_is(bytes, &till) => {
                Err(VerifyError::SnapshotDiffers { row: *at })
            }
            Some(_) | None => Ok(()),
        }
    })?;
    if let Some((at, _)) = snapshot.filter(|(at, _)| *at > head.row) {
        return Err(VerifyError::ChainBroken { row: at.min(head.row + 1) });
    }
    crate::photos::verify(connection, &till)?;
    Ok(Verified { rows: head.row, head: blake3::Hash::from(head.hash).to_hex().to_string() })
}

fn snapshot_is(bytes: &[u8], till: &Till) -> bool {
    database::unpack_snapshot(bytes).is_ok_and(|known| known == *till)
}
