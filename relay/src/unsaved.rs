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
        if self.unsaved.has_directory() {
            self.save_directory(self.changing().await).await?;
        }
        if self.unsaved.has_revocations() {
            self.save_revocations().await?;
        }
        Ok(())
    }
}

/// Writes what the disk refused, as long as the node lives.
pub(crate) async fn keep_saved(node: Weak<Node>) {
    let (mut pause, mut is_known) = (PAUSES.0, false);
    loop {
        tokio::time::sleep(pause).await;
        let Some(node) = node.upgrade() else { return };
        match (node.is_saved(), node.save_again().await) {
            (_, Err(error)) => {
                if !is_known {
                    tracing::error!(%error, "the disk refuses what has changed: it holds as long as this node runs");
                }
                (pause, is_known) = ((2 * pause).min(PAUSES.1), true);
            }
            (true, Ok(())) => {}
            (false, Ok(())) => {
                tracing::info!("what the disk had refused is written");
                (pause, is_known) = (PAUSES.0, false);
            }
        }
    }
}
