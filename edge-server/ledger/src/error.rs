//! What can go wrong, in sentences for the people who run the box.

use std::path::PathBuf;

use tresen_till::{DecodeError, PhotoId, Refusal};

/// Why a ledger can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on it.
    #[error("{} is in use by another process ({holder}). Stop that one first", path.display())]
    Locked {
        /// The database.
        path: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// A newer Tresen wrote it.
    #[error("{} was written by a newer Tresen (format {found}, this program knows {known}). Install the newer version again", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this program knows.
        known: i64,
    },
    /// Some other file.
    #[error("{} is not a Tresen ledger", path.display())]
    NotALedger {
        /// The file.
        path: PathBuf,
    },
    /// The journal is damaged.
    #[error("{}: {error}. Restore a backup", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// Where and how.
        error: VerifyError,
    },
    /// The file system or SQLite.
    #[error("can't open {}: {reason}", path.display())]
    Io {
        /// The database.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Why a submission was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The till refused a command; nothing of the submission is stored.
    #[error("{0}")]
    Refused(Refusal),
    /// The disk failed: nothing can be stored any more.
    #[error("bookings can't be stored: {0}")]
    Failed(String),
    /// More submissions wait than the queue holds.
    #[error("too much at once: {0} submissions wait")]
    Overloaded(usize),
    /// A mark or record is larger than its limit.
    #[error("{what} has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A product was to get a picture that came neither with the submission nor before; nothing of the submission is stored.
    #[error("the picture {0} is not here any more; upload it again")]
    NoPicture(PhotoId),
    /// Deciding panicked: a bug. Nothing of the submission is stored, and others go on.
    #[error("a bug: deciding this panicked: {0}")]
    Bug(String),
}

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A row was changed, is missing, or was put in between.
    #[error("the chain of the journal breaks at row {row}")]
    ChainBroken {
        /// The first row that does not fit.
        row: u64,
    },
    /// A row can't be read.
    #[error("row {row} of the journal can't be read: {error}")]
    Unreadable {
        /// The row.
        row: u64,
        /// Why.
        error: DecodeError,
    },
    /// The snapshot is not what the journal leads to.
    #[error("the snapshot at row {row} differs from the journal")]
    SnapshotDiffers {
        /// The row that the snapshot stands at.
        row: u64,
    },
    /// The picture of a product is missing, or is not what it was.
    #[error("the picture {photo} of a product is missing or damaged")]
    Photo {
        /// The picture.
        photo: PhotoId,
    },
    /// SQLite.
    #[error("can't read the journal: {0}")]
    Database(#[from] rusqlite::Error),
}

/// Why a backup or its return failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// What would be copied can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What would be copied is damaged.
    #[error("{}: {error}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        error: VerifyError,
    },
    /// The target is there already.
    #[error("{} exists already; name another file", path.display())]
    TargetExists {
        /// The target.
        path: PathBuf,
    },
    /// The file system or SQLite.
    #[error("can't write {}: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}
