//! What a node has in memory while its disk refuses it (usually: because it is full) or does not answer, and how it gets there later.
//!
//! Invariants: who was taken out or revoked is out, whatever the disk says; nobody waits for it longer than [`PATIENCE`]; what it refused is written as soon as it
//! takes it, the newest state last, and the log says so once, not at each try.

use std::io;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::node::Node;
use crate::revocations;

/// Pauses before a disk that refuses is tried again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A disk that has not answered by then counts as one that refuses. What was begun goes on.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the disk does not have.
#[derive(Default)]
pub(crate) struct Unsaved {
    directory: Kept,
    revocations: Kept,
}

/// What is kept in one file.
#[derive(Default)]
struct Kept {
    /// So often it has changed in memory ...
    changes: AtomicU64,
    /// ... and so many of these changes the disk has.
    written: AtomicU64,
    /// The disk did not take it last time.
    is_refused: AtomicBool,
}

impl Unsaved {
    pub(crate) fn directory_changed(&self) {
        self.directory.changes.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn revocations_changed(&self) {
        self.revocations.changes.fetch_add(1, Ordering::AcqRel);
    }
}

impl Kept {
    /// How many changes there are, when the disk does not have them all.
    fn behind(&self) -> Option<u64> {
        let changes = self.changes.load(Ordering::Acquire);
        (self.written.load(Ordering::Acquire) < changes).then_some(changes)
    }

    fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Acquire)
    }

    fn refused(&self) {
        self.is_refused.store(self.behind().is_some(), Ordering::Release);
    }

    /// The disk has so many of the changes.
    fn written(&self, changes: u64) {
        self.written.store(changes, Ordering::Release);
        self.is_refused.store(false, Ordering::Release);
    }
}

impl Node {
    /// Whether the disk has refused nothing that has to outlive a restart.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        !self.unsaved.directory.is_refused() && !self.unsaved.revocations.is_refused()
    }

    /// Writes the directory, and its revision after it, unless the disk has them.
    pub(crate) async fn save_directory(&self) -> io::Result<()> {
        let (file, revision_file) = (self.data.file("directory.json"), self.data.file("directory.revision"));
        let snapshot = || {
            // In this order: the revision on the disk may be older than the directory, never newer.
            let revision = self.common.as_ref().map(|common| common.revision());
            let directory = self.directory().clone();
            move || {
                directory.save(&file)?;
                revision.map_or(Ok(()), |revision| revision.save(&revision_file))
            }
        };
        self.save(|unsaved| &unsaved.directory, snapshot).await
    }

    /// Writes who is revoked, unless the disk has it.
    pub(crate) async fn save_revocations(&self) -> io::Result<()> {
        let file = self.data.file("revocations.json");
        let snapshot = || {
            let encoded = revocations::encode(&mut self.gate(), self.now_s());
            move || revocations::save(&file, &encoded)
        };
        self.save(|unsaved| &unsaved.revocations, snapshot).await
    }

    /// What is written is done as a whole, though whoever asked for it may go away.
    async fn save<W: FnOnce() -> io::Result<()> + Send + 'static>(
        &self,
        what: fn(&Unsaved) -> &Kept,
        snapshot: impl FnOnce() -> W,
    ) -> io::Result<()> {
        let kept = what(&self.unsaved);
        let saving = async {
            let one_by_one = self.writing.clone().lock_owned().await;
            let Some(changes) = kept.behind() else {
                kept.is_refused.store(false, Ordering::Release);
                return Ok(());
            };
            let (unsaved, write) = (self.unsaved.clone(), snapshot());
            let saved = tokio::task::spawn_blocking(move || {
                let _one_by_one = one_by_one;
                write().inspect(|()| what(&unsaved).written(changes))
            });
            saved.await.map_err(io::Error::other)?
        };
        let saved = tokio::time::timeout(PATIENCE, saving).await;
        let late = || io::Error::new(io::ErrorKind::TimedOut, "it does not answer");
        let saved = saved.unwrap_or_else(|_| Err(late()));
        if saved.is_err() {
            kept.refused();
        }
        saved
    }

    /// Writes what the disk does not have: because it refused it, or because whoever began to wait for it went away.
    async fn save_again(&self) -> io::Result<()> {
        // The smaller one first, and the other one all the same: a disk that is full may have room for one of them.
        let revocations =
            if self.unsaved.revocations.behind().is_some() { self.save_revocations().await } else { Ok(()) };
        if self.unsaved.directory.behind().is_some() {
            self.save_directory().await?;
        }
        revocations
    }
}

/// Writes what the disk refused, as long as the node lives.
pub(crate) async fn keep_saved(node: Weak<Node>) {
    let mut outage = Outage::default();
    loop {
        tokio::time::sleep(outage.pause()).await;
        let Some(node) = node.upgrade() else { return };
        let (was_saved, saved) = (node.is_saved(), node.save_again().await);
        match (outage.hear(was_saved, saved.is_ok()), saved) {
            (Some(News::Begun), Err(error)) => {
                tracing::error!(%error, "the disk refuses what has changed: it holds as long as this node runs");
            }
            (Some(News::Over), _) => tracing::info!("what the disk had refused is written"),
            _ => {}
        }
    }
}

/// From the first time that the disk refused to the first time that it took everything, whoever wrote it: so often in a row it has refused meanwhile.
#[derive(Default)]
struct Outage {
    refusals: u32,
}

/// What the log has to say of it.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Begun,
    Over,
}

impl Outage {
    /// Before it is tried again.
    fn pause(&self) -> Duration {
        PAUSES.0.saturating_mul(1 << self.refusals.min(16)).min(PAUSES.1)
    }

    /// It was tried: whether everything was on the disk before, and is now.
    fn hear(&mut self, was_saved: bool, is_saved: bool) -> Option<News> {
        let is_known = self.refusals > 0;
        self.refusals = if is_saved { 0 } else { self.refusals.saturating_add(1) };
        match (is_known, is_saved) {
            (false, false) => Some(News::Begun),
            (true, true) => Some(News::Over),
            (false, true) if !was_saved => Some(News::Over),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: each outage of the disk is told once, tried again at the first pause and more and more seldom, and its end is told, also when somebody else's change
    /// was what the disk took.
    #[test]
    fn each_outage_is_told_and_tried_soon() {
        let mut outage = Outage::default();
        for written_by_another in [true, false, true] {
            assert_eq!((outage.hear(true, true), outage.pause()), (None, PAUSES.0));
            assert_eq!(outage.hear(false, false), Some(News::Begun));
            let mut before = PAUSES.0;
            for _ in 0..40 {
                assert!(outage.pause() >= before && outage.pause() <= PAUSES.1);
                before = outage.pause();
                assert_eq!(outage.hear(false, false), None);
            }
            assert_eq!(before, PAUSES.1);
            assert_eq!(outage.hear(written_by_another, true), Some(News::Over));
        }
        assert_eq!(outage.hear(false, true), Some(News::Over), "an outage that nobody has tried yet");
    }
}
