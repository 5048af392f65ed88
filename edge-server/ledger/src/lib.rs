//! The ledger: the one writer of a site, on SQLite.
//!
//! A [`Submission`] is queued; one thread takes what is queued, decides each on the newest [`Till`], appends the events to the
//! journal in **one** transaction (write-ahead log, `synchronous=FULL`), and only after the commit publishes the new till and answers.
//! So two stations can't race, and a slow disk costs a batch, not every booking, one sync.
//!
//! Not for: what a booking means (`tresen-till`), who may connect (`edge-server`).
//!
//! Invariants:
//! - nobody sees an effect as done before it is on disk;
//! - events, the [`Mark`] of the session and its [`Record`]s are in the same transaction: all or none;
//! - a submission whose mark is not newer than the stored one has been done and is not done again;
//! - a picture is stored exactly as long as a product has it ([`PHOTO`]);
//! - each journal row carries the hash of the one before ([`verify`]);
//! - after a failed write or sync everything fails with its reason; what was acknowledged is on disk;
//! - one process at a time: a lock file beside the database.
#![allow(clippy::disallowed_methods, reason = "a shell: it owns files and the writer thread")]

mod chain;
mod database;
mod error;
mod journal;
mod keep;
mod ledger;
mod lock;
mod photos;
mod restore;
mod stats;
mod writer;

pub use chain::{Verified, verify};
pub use error::{BackupError, OpenError, SubmitError, VerifyError};
pub use journal::{Entry, Follower};
pub use keep::{backup, stored_record};
pub use ledger::{Committed, Fault, Ledger, Mark, Options, Record, SessionId, Submission};
pub use photos::{PHOTO, photo_id, photo_record};
pub use restore::{Progress, Restoration, carry_on, is_restoring, restore};
pub use stats::Stats;

/// Named limits of the ledger.
pub mod limits {
    use std::time::Duration;

    /// Submissions that may wait for the writer; more are refused as overload.
    pub const QUEUE_SUBMISSIONS: usize = 8_192;
    /// Submissions of one commit.
    pub const BATCH_SUBMISSIONS: usize = 512;
    /// How long a submission that carries nothing but a mark waits for others to share its commit.
    pub const MARK_DELAY: Duration = Duration::from_millis(50);
    /// From commit to commit in a busy house: each takes a sync of the disk, and half a millisecond of a core.
    pub const BUSY_COMMIT_EVERY: Duration = Duration::from_millis(6);
    /// A house is busy for so long after several bookings waited at a time.
    pub const BUSY: Duration = Duration::from_millis(100);
    /// Journal rows between two snapshots.
    pub const SNAPSHOT_ROWS: u64 = 4_096;
    /// Largest state of an instance in a mark.
    pub const MARK_BYTES: usize = 64 * 1024;
    /// Largest value of a record.
    pub const RECORD_BYTES: usize = 1024 * 1024;
    /// Largest snapshot after decompression.
    pub const SNAPSHOT_BYTES: usize = 1 << 30;
}
