//! Backups: the database and the keys of the server, copied while it runs, and put back.
//!
//! ```text
//! tresen-2026-11-24T201500/      a backup is a folder
//!   ledger.db                    the database, verified after copying
//!   server.key, browsers.key     who the server is; without them every device would have to pair again
//! ```
//!
//! A backup to a name that ends in `.db` is the database alone. Receipts in the spool are made again from the database.
//!
//! Invariants: an existing backup is never overwritten; what is restored was verified before anything is replaced, and what it replaces
//! stays beside it.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;
use thiserror::Error;
use tresen_ledger::{BackupError, VerifyError};

/// The database, in the data folder and in a backup.
const LEDGER: &str = "ledger.db";
/// The keys.
const KEYS: [&str; 2] = ["server.key", "browsers.key"];
/// What a replaced file is called: its name with this at its end.
const REPLACED: &str = ".before-restore";

/// Why there is no backup, or nothing was restored.
#[derive(Debug, Error)]
pub enum Error {
    /// No database in the data folder.
    #[error("{} holds no Tresen database: name the data folder with --data", .0.display())]
    NoDatabase(PathBuf),
    /// Not a backup.
    #[error("{} is no backup: expected a .db file, or a folder with ledger.db in it", .0.display())]
    NoBackup(PathBuf),
    /// The target is there.
    #[error("{} exists already: name another target", .0.display())]
    Exists(PathBuf),
    /// The data folder is in use by its owner's wish.
    #[error("{} holds a database already: --force replaces it (the old one stays beside it, as {LEDGER}{REPLACED})", .0.display())]
    NeedsForce(PathBuf),
    /// The backup is damaged.
    #[error("the backup {} is damaged and nothing was changed: {reason}", path.display())]
    Damaged {
        /// The backup.
        path: PathBuf,
        /// What is wrong.
        reason: VerifyError,
    },
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] BackupError),
    /// The disk refused.
    #[error("{} can't be used: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What was copied.
#[derive(Debug)]
pub struct Copied {
    /// Where it is now.
    pub path: PathBuf,
    /// Rows of its journal.
    pub rows: u64,
    /// Whether the keys are in it.
    pub keys: bool,
}

/// Copies the data folder's database and keys to `target`, also while a server works there.
///
/// # Errors
/// When the target exists, or something can't be read or written.
pub fn backup(data: &Path, target: &Path, now: &ZonedDateTime) -> Result<Copied, Error> {
    let database = data.join(LEDGER);
    if !database.exists() {
        return Err(Error::NoDatabase(data.to_owned()));
    }
    if target.extension().is_some_and(|extension| extension == "db") {
        let verified = tresen_ledger::backup(&database, target)?;
        for_owner_only(target)?;
        return Ok(Copied { path: target.to_owned(), rows: verified.rows, keys: false });
    }
    let folder = if target.is_dir() {
        target.join(now.strftime("tresen-%Y-%m-%dT%H%M%S").to_string())
    } else {
        target.to_owned()
    };
    if folder.exists() {
        return Err(Error::Exists(folder));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(at(&folder))?;
    let verified = tresen_ledger::backup(&database, &folder.join(LEDGER))?;
    for_owner_only(&folder.join(LEDGER))?;
    for key in KEYS {
        copy_key(&data.join(key), &folder.join(key))?;
    }
    Ok(Copied { path: folder, rows: verified.rows, keys: true })
}

/// Whether a database that is there may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// No.
    Never,
    /// Yes; it stays beside the restored one.
    Force,
}

/// Puts a backup into a data folder on which no server works.
///
/// # Errors
/// When it is no backup, is damaged, would replace something, or a server works there.
pub fn restore(source: &Path, data: &Path, replace: Replace) -> Result<Copied, Error> {
    let folder = source.is_dir();
    let from = if folder { source.join(LEDGER) } else { source.to_owned() };
    if !from.is_file() {
        return Err(Error::NoBackup(source.to_owned()));
    }
    let database = data.join(LEDGER);
    if database.exists() && replace == Replace::Never {
        return Err(Error::NeedsForce(data.to_owned()));
    }
    tresen_ledger::verify(&from).map_err(|reason| Error::Damaged { path: from.clone(), reason })?;
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(at(data))?;
    let verified = tresen_ledger::restore(&from, &database)?;
    if folder {
        for key in KEYS {
            restore_key(&source.join(key), &data.join(key))?;
        }
    }
    Ok(Copied { path: data.to_owned(), rows: verified.rows, keys: folder })
}

/// A database holds hashes of PINs.
fn for_owner_only(path: &Path) -> Result<(), Error> {
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(at(path))
}

fn copy_key(from: &Path, to: &Path) -> Result<(), Error> {
    let bytes = zeroize::Zeroizing::new(std::fs::read(from).map_err(at(from))?);
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(to).map_err(at(to))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(at(to))
}

/// A different key that is there stays beside the restored one.
fn restore_key(from: &Path, to: &Path) -> Result<(), Error> {
    if !from.exists() {
        return Ok(());
    }
    if to.exists() {
        if std::fs::read(from).map_err(at(from))? == std::fs::read(to).map_err(at(to))? {
            return Ok(());
        }
        let mut kept = to.as_os_str().to_owned();
        kept.push(REPLACED);
        std::fs::rename(to, &kept).map_err(at(to))?;
    }
    copy_key(from, to)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}
