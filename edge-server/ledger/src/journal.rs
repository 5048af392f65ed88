//! Reading the journal beside a running server: for audits, exports and tests.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::OptionalExtension;
use tresen_till::{Event, StaffId, StationId};

use crate::chain::Head;
use crate::database::{self, open_beside};
use crate::error::VerifyError;

/// A row of the journal: what was decided together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub row: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub staff: Option<StaffId>,
    /// At which station.
    pub station: StationId,
    /// On which device.
    pub device: String,
    /// What happened.
    pub events: Vec<Event>,
}

/// Follows a journal, row by row, and checks the chain on the way.
#[derive(Clone, Debug)]
pub struct Follower {
    path: PathBuf,
    head: Head,
}

impl Follower {
    /// Starts before the first row.
    pub fn new(path: &Path) -> Follower {
        Follower { path: path.to_owned(), head: Head::START }
    }

    /// What came since the last call.
    ///
    /// # Errors
    /// The chain is broken, or rows that were read before are gone.
    pub fn read(&mut self) -> Result<Vec<Entry>, VerifyError> {
        let mut connection = open_beside(&self.path)?;
        let transaction = connection.transaction()?;
        if self.head != Head::START {
            let sql = "SELECT hash FROM journal WHERE row = ?1";
            let known = transaction.query_row(sql, [self.head.row], |row| row.get(0)).optional()?;
            if known != Some(self.head.hash) {
                return Err(VerifyError::ChainBroken { row: self.head.row });
            }
        }
        let mut entries = Vec::new();
        database::for_each_row(&transaction, self.head.row, |row| {
            let events = self.head.follow(&row)?;
            entries.push(Entry {
                row: row.row,
                at: Timestamp::from_millisecond(row.at_ms)
                    .map_err(|_| VerifyError::ChainBroken { row: row.row })?,
                staff: row.staff.map(StaffId),
                station: StationId(row.station),
                device: row.device,
                events,
            });
            Ok(())
        })?;
        Ok(entries)
    }
}
