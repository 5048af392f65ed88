//! The task that follows the ledger, in rounds: the receipts that are due, then a copy if one was asked for.
//!
//! Invariant: neither starves. Each round writes the receipts that are due, whatever it is for; and whether a copy is wanted is asked before whether there
//! are receipts, because in a busy house there always are.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tresen_till::{ReceiptNumber, Till};
use tresen_typeset::Typesetter;

use super::{Folder, SpoolError, missing};

/// How long to wait after the disk refused; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Copies that wait to be written; more are refused.
const COPIES_WAITING: usize = 64;
/// Receipts written before progress is noted.
const BATCH: usize = 32;
/// Between two rounds: a busy house's receipts go to the disk together, because each sync makes the sales' own ones wait.
const PAUSE: Duration = Duration::from_millis(250);

/// The door to the spool.
#[derive(Clone)]
pub struct Spool {
    copies: mpsc::Sender<ReceiptNumber>,
    stats: Arc<SpoolStats>,
}

/// What the spool has done since the start.
#[derive(Debug, Default)]
pub struct SpoolStats {
    written: AtomicU64,
    failed: AtomicU64,
    waiting: AtomicU64,
}

impl SpoolStats {
    /// Receipts and copies written.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Tries that the disk refused.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Receipts that wait to be written.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Spool {
    /// Starts the task; it ends with `shutdown`, or with the ledger. With a `painter` there are pictures, too.
    #[must_use]
    pub fn start(
        folder: PathBuf,
        painter: Option<Arc<Typesetter>>,
        till: watch::Receiver<Arc<Till>>,
        shutdown: CancellationToken,
    ) -> Self {
        let (copies, wanted) = mpsc::channel(COPIES_WAITING);
        let stats = Arc::new(SpoolStats::default());
        let writer =
            Arc::new(Writer { path: folder, folder: Mutex::default(), painter, stats: stats.clone() });
        tokio::spawn(Follower { writer, till, wanted, shutdown }.run());
        Self { copies, stats }
    }

    /// Asks for a copy of a receipt. Returns whether it will be made: not, when too many wait already.
    pub fn reprint(&self, number: ReceiptNumber) -> bool {
        let asked = self.copies.try_send(number).is_ok();
        if !asked {
            tracing::warn!(%number, "a copy was refused: too many wait for the disk");
        }
        asked
    }

    /// What it has done.
    #[must_use]
    pub fn stats(&self) -> &SpoolStats {
        &self.stats
    }
}

struct Follower {
    writer: Arc<Writer>,
    till: watch::Receiver<Arc<Till>>,
    wanted: mpsc::Receiver<ReceiptNumber>,
    shutdown: CancellationToken,
}

/// What a round is for.
#[derive(Clone, Copy)]
enum Work {
    /// Whatever receipts are missing.
    Receipts,
    /// These, and then one copy.
    Copy(ReceiptNumber),
}

impl Follower {
    async fn run(mut self) {
        let mut work = Some(Work::Receipts);
        while let Some(due) = work {
            if !self.finish(due).await || !self.slept(PAUSE).await {
                return;
            }
            work = self.next().await;
        }
    }

    /// The next thing to write. Most bookings bring no receipt, and cost nothing here.
    async fn next(&mut self) -> Option<Work> {
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return None,
                Some(number) = self.wanted.recv() => return Some(Work::Copy(number)),
                changed = self.till.changed() => {
                    changed.ok()?;
                    if self.writer.is_behind(&self.till.borrow_and_update()) {
                        return Some(Work::Receipts);
                    }
                }
            }
        }
    }

    /// `false` when the server stops before.
    async fn slept(&self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.shutdown.cancelled() => false,
        }
    }

    /// Tries until it is done; `false` when the server stops before.
    async fn finish(&mut self, work: Work) -> bool {
        let mut pause = FIRST_PAUSE;
        loop {
            let (writer, till) = (self.writer.clone(), self.till.borrow_and_update().clone());
            let done = tokio::task::spawn_blocking(move || writer.write(&till, work)).await;
            match done {
                Ok(Ok(())) => return true,
                Ok(Err(SpoolError::Disk { path, source })) => {
                    self.writer.stats.failed.fetch_add(1, Ordering::Relaxed);
                    let (file, seconds) = (path.display(), pause.as_secs());
                    tracing::error!(%file, error = %source, "a receipt could not be written; next try in {seconds} s");
                }
                Ok(Err(error @ SpoolError::TooManyCopies(_))) => {
                    tracing::warn!(%error, "a copy was refused");
                    return true;
                }
                Err(panic) => {
                    tracing::error!(%panic, "a receipt could not be drawn");
                    return true;
                }
            }
            if !self.slept(pause).await {
                return false;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// The part that waits for the disk, on a thread of its own.
struct Writer {
    path: PathBuf,
    /// `None` at the start and after a fault: then it is opened anew, and made again if somebody took it away.
    folder: Mutex<Option<Folder>>,
    painter: Option<Arc<Typesetter>>,
    stats: Arc<SpoolStats>,
}

impl Writer {
    /// Whether the till has receipts that are not here.
    fn is_behind(&self, till: &Till) -> bool {
        let newest = till.last_receipt().map_or(ReceiptNumber(0), |receipt| receipt.number);
        self.folder().as_ref().is_none_or(|folder| folder.progress() != newest)
    }

    fn write(&self, till: &Till, work: Work) -> Result<(), SpoolError> {
        let open = self.folder().take();
        let mut folder = open.map_or_else(|| Folder::open(&self.path), Ok)?;
        self.receipts(&mut folder, till)?;
        if let Work::Copy(number) = work {
            self.copy(&folder, till, number)?;
        }
        *self.folder() = Some(folder);
        Ok(())
    }

    /// Held for a moment only, never while the disk works.
    fn folder(&self) -> MutexGuard<'_, Option<Folder>> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn receipts(&self, folder: &mut Folder, till: &Till) -> Result<(), SpoolError> {
        let due = missing(till, folder.progress());
        let mut left = due.len() as u64;
        self.stats.waiting.store(left, Ordering::Relaxed);
        for batch in due.chunks(BATCH) {
            folder.receipts(self.painter.as_deref(), till.site(), batch)?;
            let written = batch.len() as u64;
            left -= written;
            self.stats.waiting.store(left, Ordering::Relaxed);
            self.stats.written.fetch_add(written, Ordering::Relaxed);
            if let Some(last) = batch.last() {
                folder.set_progress(last.number)?;
            }
        }
        Ok(())
    }

    fn copy(&self, folder: &Folder, till: &Till, number: ReceiptNumber) -> Result<(), SpoolError> {
        let Some(receipt) = till.receipt(number) else {
            tracing::warn!(%number, "a copy was asked of a receipt that is not kept any more");
            return Ok(());
        };
        folder.copy(self.painter.as_deref(), till.site(), receipt)?;
        self.stats.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
