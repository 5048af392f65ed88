//! What a node has in memory while its disk refuses it (usually: because it is full), and how it gets there later.
//!
//! Invariants: who was taken out or revoked is out, whatever the disk says; what the disk refused is written as soon as it takes it, and the log says so once,
//! not at each try.

use std::io;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use crate::node::Node;
use crate::revocations;

/// Pauses before a disk that refuses is tried again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// What the disk refused last time.
#[derive(Default)]
pub(crate) struct Unsaved {
    directory: AtomicBool,
    revocations: AtomicBool,
}

impl Unsaved {
    pub(crate) fn has_directory(&self) -> bool {
        self.directory.load(Ordering::Relaxed)
    }

    fn has_revocations(&self) -> bool {
        self.revocations.load(Ordering::Relaxed)
    }
}

impl Node {
    /// Whether everything is on the disk that has to outlive a restart.
    #[must_use]
    pub fn is_saved(&self) -> bool {
        !self.unsaved.has_directory() && !self.unsaved.has_revocations()
    }

    /// Writes the directory, and its revision after it.
    pub(crate) async fn save_directory(&self, one_by_one: OwnedMutexGuard<()>) -> io::Result<()> {
        let directory = self.directory().clone();
        let revision = self.common.as_ref().map(|common| common.revision());
        let (file, revision_file) = (self.data.file("directory.json"), self.data.file("directory.revision"));
        let write = move || {
            directory.save(&file)?;
            revision.map_or(Ok(()), |revision| revision.save(&revision_file))
        };
        self.save(one_by_one, |unsaved| &unsaved.directory, write).await
    }

    /// Writes who is revoked.
    pub(crate) async fn save_revocations(&self) -> io::Result<()> {
        let one_by_one = self.changing().await;
        let encoded = revocations::encode(&mut self.gate(), self.now_s());
        let file = self.data.file("revocations.json");
        let write = move || revocations::save(&file, &encoded);
        self.save(one_by_one, |unsaved| &unsaved.revocations, write).await
    }

    /// Done as a whole, though whoever asked for it may go away.
    async fn save(
        &self,
        one_by_one: OwnedMutexGuard<()>,
        what: impl Fn(&Unsaved) -> &AtomicBool + Send + 'static,
        write: impl FnOnce() -> io::Result<()> + Send + 'static,
    ) -> io::Result<()> {
        let unsaved = self.unsaved.clone();
        let saved = tokio::task::spawn_blocking(move || {
            let _one_by_one = one_by_one;
            let saved = write();
            what(&unsaved).store(saved.is_err(), Ordering::Relaxed);
            saved
        });
        saved.await.map_err(io::Error::other)?
    }

    /// Writes what the disk refused.
    async fn save_again(&self) -> io::Result<()> {
        // The smaller one first, and the other one all the same: a disk that is full may have room for one of them.
        let revocations = if self.unsaved.has_revocations() { self.save_revocations().await } else { Ok(()) };
        if self.unsaved.has_directory() {
            self.save_directory(self.changing().await).await?;
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
