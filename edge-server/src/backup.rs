//! Backups: the database and the keys of the server, copied while it runs, and put back.
//!
//! ```text
//! tresen-2026-11-24T201500/      a backup is a folder
//!   ledger.db                    the database, verified after copying
//!   server.key, browsers.key     who the server is; without them every device would have to pair again
//!   relay                        the way through the relay, if it has joined one
//!   acme.account, acme.key       the account and the certificate of its public name, if it has one
//! ```
//!
//! A backup to a name that ends in `.db` is the database alone. Receipts in the spool are made again from the database.
//!
//! Invariants: an existing backup is never overwritten; what is restored was verified before anything is replaced, and what it replaces
//! stays beside it, numbered. The database's step from copied to committed ([`tresen_ledger::Restoration`]) decides for the keys too: a kill
//! before it leaves everything old, after it the next start ([`carry_through`]) or the next restore makes everything new.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::ZonedDateTime;
use thiserror::Error;
use tresen_ledger::{BackupError, Restoration, VerifyError};
use zeroize::Zeroizing;

use crate::data_dir::{ACME_ACCOUNT, ACME_CERTIFICATE, DataDir, DataDirError};
use crate::files;

/// The database, in the data folder and in a backup.
const LEDGER: &str = "ledger.db";
/// The keys, and what else a server needs to be found as before.
const KEYS: [&str; 5] = ["server.key", "browsers.key", crate::relay::FILE, ACME_ACCOUNT, ACME_CERTIFICATE];
/// What a replaced file is called: its name with this and a number at its end.
const REPLACED: &str = ".before-restore-";
/// A key that waits for its database: its name with this at its end.
const STAGED: &str = ".restored";
/// Replaced keys that can lie beside a key.
const KEPT_MOST: u32 = 9_999;

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
    #[error("{} holds a database already: --force replaces it (the old one stays beside it, as {LEDGER}{REPLACED}1 or the next free number)", .0.display())]
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
    /// A server works in the data folder, or it can't be made.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
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
    for key in KEYS.into_iter().filter(|key| data.join(key).exists()) {
        copy_key(&data.join(key), &folder.join(key))?;
    }
    sync_folder(&folder)?;
    // The new folder's own name too.
    if let Some(parent) = folder.canonicalize().map_err(at(&folder))?.parent() {
        sync_folder(parent)?;
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
    let interrupted = data.is_dir() && tresen_ledger::is_restoring(&database)?;
    if (database.exists() || interrupted) && replace == Replace::Never {
        return Err(Error::NeedsForce(data.to_owned()));
    }
    tresen_ledger::verify(&from).map_err(|reason| Error::Damaged { path: from.clone(), reason })?;
    let _alone = DataDir::open(data)?;
    carry_through(data)?;
    let restoration = Restoration::prepare(&from, &database)?;
    for key in KEYS.into_iter().filter(|key| folder && source.join(key).exists()) {
        let bytes = read_key(&source.join(key))?;
        let staged = staged(data, key);
        files::write_whole_private(&staged, &bytes).map_err(at(&staged))?;
    }
    restoration.commit()?;
    place_keys(data)?;
    let verified = restoration.finish()?;
    Ok(Copied { path: data.to_owned(), rows: verified.rows, keys: folder })
}

/// Finishes a restoration that was interrupted, or takes back what of it was not decided. For every start, before keys and database are read, by
/// whoever is alone in the data folder.
///
/// # Errors
/// When the disk refuses.
pub fn carry_through(data: &Path) -> Result<(), Error> {
    if tresen_ledger::is_restoring(&data.join(LEDGER))? {
        // The database follows when it is opened; it shows that the keys are still to be placed, so it comes last.
        return place_keys(data);
    }
    for key in KEYS {
        let staged = staged(data, key);
        match std::fs::remove_file(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&staged)(error)),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Gives the keys of a committed restoration their names. A different key that is there stays beside it.
fn place_keys(data: &Path) -> Result<(), Error> {
    for key in KEYS {
        let (staged, key) = (staged(data, key), data.join(key));
        if !staged.exists() {
            continue;
        }
        if key.exists() && read_key(&key)? != read_key(&staged)? {
            let mut numbered = (1..=KEPT_MOST).map(|number| with_end(&key, &format!("{REPLACED}{number}")));
            let kept = numbered.find(|kept| !kept.exists());
            let kept =
                kept.ok_or_else(|| at(&key)(io::Error::other("too many replaced keys lie beside it")))?;
            files::write_whole_private(&kept, &read_key(&key)?).map_err(at(&kept))?;
        }
        std::fs::rename(&staged, &key).map_err(at(&key))?;
    }
    sync_folder(data)
}

fn staged(data: &Path, key: &str) -> PathBuf {
    with_end(&data.join(key), STAGED)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn read_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    std::fs::read(path).map(Zeroizing::new).map_err(at(path))
}

/// What is in a folder is durable only with this.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    std::fs::File::open(folder).and_then(|opened| opened.sync_all()).map_err(at(folder))
}

fn copy_key(from: &Path, to: &Path) -> Result<(), Error> {
    let bytes = read_key(from)?;
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(to).map_err(at(to))?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(at(to))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}
