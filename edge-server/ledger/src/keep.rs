//! Backup while running. For the way back see [`crate::Restoration`].

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OptionalExtension};

use crate::chain::{Verified, verify_connection};
use crate::database::{check_format, open_beside, sync_folder};
use crate::error::BackupError;
use crate::lock::beside;

/// Copies a ledger into a new file, also while a server works on it, and verifies the copy.
///
/// # Errors
/// The target exists, the source can't be read or is damaged, the target can't be written.
pub fn backup(source: &Path, target: &Path) -> Result<Verified, BackupError> {
    if target.exists() {
        return Err(BackupError::TargetExists { path: target.to_owned() });
    }
    let partial = beside(target, ".partial");
    let result = copy(source, &partial).and_then(|verified| {
        std::fs::rename(&partial, target)
            .and_then(|()| sync_folder(target))
            .map(|()| verified)
            .map_err(|error| io(target, error))
    });
    if result.is_err() {
        // Half a copy is of no use; if it can't be removed, the error that we return says enough.
        let _ = std::fs::remove_file(&partial);
    }
    result
}

/// One record of a database, also while a server works on it; `None` when it is not there.
///
/// # Errors
/// No ledger, a newer one, or not readable.
pub fn stored_record(database: &Path, kind: &str, key: &str) -> Result<Option<Vec<u8>>, BackupError> {
    let reading = |error| io(database, error);
    let connection = open_beside(database).map_err(reading)?;
    check_format(&connection, database)?;
    let query = "SELECT value FROM records WHERE kind = ?1 AND key = ?2";
    connection.query_row(query, [kind, key], |row| row.get(0)).optional().map_err(reading)
}

/// Mode of a copy: it holds hashes of PINs.
const PRIVATE: u32 = 0o600;

/// Copies with SQLite's backup interface, so that a running server's newest commits are in it, verifies and syncs. The file has its mode before
/// anything is in it; SQLite's own files beside it take that mode too.
pub(crate) fn copy(source: &Path, partial: &Path) -> Result<Verified, BackupError> {
    if partial.exists() {
        std::fs::remove_file(partial).map_err(|error| io(partial, error))?;
    }
    let reading = |error| io(source, error);
    let writing = |error| io(partial, error);
    let from = open_beside(source).map_err(reading)?;
    check_format(&from, source)?;
    let mut options = OpenOptions::new();
    options.create_new(true).write(true).mode(PRIVATE).open(partial).map_err(|error| io(partial, error))?;
    let mut to = Connection::open(partial).map_err(writing)?;
    // In one step: in several, a busy server would make it start again each time.
    let step = Backup::new(&from, &mut to).and_then(|backup| backup.step(-1)).map_err(writing)?;
    if step != StepResult::Done {
        return Err(io(source, "the database is busy"));
    }
    to.pragma_update(None, "journal_mode", "DELETE").map_err(writing)?;
    let verified =
        verify_connection(&to).map_err(|error| BackupError::Damaged { path: source.to_owned(), error })?;
    drop(to);
    File::open(partial).and_then(|file| file.sync_all()).map_err(|error| io(partial, error))?;
    Ok(verified)
}

pub(crate) fn io(path: &Path, error: impl ToString) -> BackupError {
    BackupError::Io { path: path.to_owned(), reason: error.to_string() }
}
