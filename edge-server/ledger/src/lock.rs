//! One process at a time: a locked file beside the database, with the process id in it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// Held while the ledger is open. The system lets go of it when the process dies.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(database: &Path) -> Result<Lock, OpenError> {
        let path = lock_path(database);
        let io = |error: std::io::Error| OpenError::Io { path: path.clone(), reason: error.to_string() };
        let mut file =
            OpenOptions::new().create(true).read(true).write(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only decoration: without it the message says less.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder =
                    if holder.is_empty() { "unknown".to_owned() } else { format!("process {holder}") };
                return Err(OpenError::Locked { path: database.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        file.set_len(0).map_err(io)?;
        file.write_all(format!("{}\n", std::process::id()).as_bytes()).map_err(io)?;
        Ok(Lock { _file: file })
    }
}

/// The lock file of a database.
fn lock_path(database: &Path) -> PathBuf {
    beside(database, ".lock")
}

/// A file whose name is that of the database with something appended.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
