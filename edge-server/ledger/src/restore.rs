//! A backup takes the place of a database, and a kill at any moment leaves the old one or the new one, or something that the next start
//! carries through.
//!
//! ```text
//! ledger.db.partial            the backup's copy, until it is whole: the next start removes it
//! ledger.db.restored-1         the copy, verified and synced: from here on the restoration is carried through
//! ledger.db.before-restore-1   what restoration 1 replaced, with its write-ahead log; never overwritten
//! ```
//!
//! What is to be done next is read from the folder alone ([`carry_on`]), one change of the folder a step. Invariant: the new database gets its name
//! only when the old one's logs and shared memory are gone from beside it, because SQLite would take them for its own.

use std::path::{Path, PathBuf};

use crate::chain::Verified;
use crate::database::sync_folder;
use crate::error::BackupError;
use crate::keep::{copy, io};
use crate::lock::{Lock, beside};

/// Replaced databases that can lie beside a database.
const KEPT_MOST: u32 = 9_999;

/// What SQLite may need to read a database: its write-ahead log, or a journal to roll back.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// A backup on its way into the place of a database. While it lives, nobody else can open that.
pub struct Restoration {
    database: PathBuf,
    verified: Verified,
    _lock: Lock,
}

/// The name of a committed copy, before its number.
const RESTORED: &str = ".restored-";

/// Whether a step was the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to do.
    More,
    /// The new database has its name, or nothing was being restored.
    Done,
}

impl Restoration {
    /// Copies a backup beside the database and verifies the copy. Nothing is replaced yet. An earlier restoration that was interrupted is
    /// carried through before.
    ///
    /// # Errors
    /// A server works on the database, the backup is damaged, the disk fails.
    pub fn prepare(source: &Path, database: &Path) -> Result<Self, BackupError> {
        let lock = Lock::take(database)?;
        carry_through(database)?;
        let partial = partial(database);
        let verified = copy(source, &partial)?;
        Ok(Self { database: database.to_owned(), verified, _lock: lock })
    }

    /// From here on it is carried through, whatever happens.
    ///
    /// # Errors
    /// The disk fails; then nothing was replaced.
    pub fn commit(&self) -> Result<(), BackupError> {
        let taken = |kept: &PathBuf| kept.exists() || LOGS.iter().any(|log| beside(kept, log).exists());
        let free = (1..=KEPT_MOST).find(|number| !taken(&kept(&self.database, *number)));
        let full = || {
            io(&self.database, format!("{KEPT_MOST} replaced databases lie beside it; move some elsewhere"))
        };
        let number = free.ok_or_else(full)?;
        rename(&partial(&self.database), &beside(&self.database, &format!("{RESTORED}{number}")))
    }

    /// Carries it through.
    ///
    /// # Errors
    /// The disk fails; the next start tries again.
    pub fn finish(self) -> Result<Verified, BackupError> {
        carry_through(&self.database)?;
        Ok(self.verified)
    }
}

/// Puts a backup in the place of a database. What was there stays beside it, see the module's documentation.
///
/// # Errors
/// A server works on the database, the backup is damaged, the disk fails.
pub fn restore(source: &Path, database: &Path) -> Result<Verified, BackupError> {
    let restoration = Restoration::prepare(source, database)?;
    restoration.commit()?;
    restoration.finish()
}

/// Whether a restoration was interrupted after it was committed. Opening the ledger carries it through.
///
/// # Errors
/// The folder can't be read.
pub fn is_restoring(database: &Path) -> Result<bool, BackupError> {
    committed(database).map(|committed| committed.is_some())
}

/// Carries an interrupted restoration through, and removes a copy that never became one. The caller holds the lock.
pub(crate) fn carry_through(database: &Path) -> Result<(), BackupError> {
    while carry_on(database)? == Progress::More {}
    remove(&partial(database))
}

/// The next step of a committed restoration. Public for tests that stop after each; the caller sees to it that nobody works on the database.
///
/// # Errors
/// The disk fails.
pub fn carry_on(database: &Path) -> Result<Progress, BackupError> {
    let Some((restored, number)) = committed(database)? else { return Ok(Progress::Done) };
    let kept = kept(database, number);
    let shared = beside(database, "-shm");
    // The database goes last: whoever looks at a half-done folder must not find the new one, nor an empty one, beside an old log.
    if let Some(log) = LOGS.into_iter().find(|log| beside(database, log).exists()) {
        rename(&beside(database, log), &beside(&kept, log))?;
    } else if shared.exists() {
        remove(&shared)?;
    } else if database.exists() {
        rename(database, &kept)?;
    } else {
        rename(&restored, database)?;
        return Ok(Progress::Done);
    }
    Ok(Progress::More)
}

/// The committed copy beside a database, with its number.
fn committed(database: &Path) -> Result<Option<(PathBuf, u32)>, BackupError> {
    let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = database.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let reading = |error| io(folder, error);
    for entry in std::fs::read_dir(folder).map_err(reading)? {
        let entry = entry.map_err(reading)?;
        let found = entry.file_name();
        let rest = found.to_str().and_then(|found| found.strip_prefix(name)?.strip_prefix(RESTORED));
        if let Some(number) = rest.and_then(|rest| rest.parse().ok()) {
            return Ok(Some((entry.path(), number)));
        }
    }
    Ok(None)
}

fn kept(database: &Path, number: u32) -> PathBuf {
    beside(database, &format!(".before-restore-{number}"))
}

fn partial(database: &Path) -> PathBuf {
    beside(database, ".partial")
}

/// Renames, durably.
fn rename(from: &Path, to: &Path) -> Result<(), BackupError> {
    std::fs::rename(from, to).and_then(|()| sync_folder(to)).map_err(|error| io(from, error))
}

/// Removes a file that may be missing, durably.
fn remove(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_file(path) {
        Ok(()) => sync_folder(path).map_err(|error| io(path, error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(path, error)),
    }
}
