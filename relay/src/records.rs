//! What a node keeps: the directory and who is revoked, in memory, on its disk, and in common with the other nodes of the relay.

use std::io;

use tokio::sync::OwnedMutexGuard;
use tresen_path::{Party, Revocation};

use crate::common::{NotChanged, Revision};
use crate::directory::Directory;
use crate::node::{Node, lock};
use crate::revocations;

impl Node {
    /// Changes the directory, for all nodes of the relay; what has changed is on the disk when this returns.
    ///
    /// # Errors
    /// When Redis refuses: then nothing has changed. When the disk does: then the other nodes may have heard of the change, and this one takes it over when the
    /// disk is back.
    pub async fn change_directory<T>(&self, change: impl Fn(&mut Directory) -> T) -> Result<T, NotChanged> {
        let one_by_one = self.changing().await;
        let mut own = self.directory().clone();
        let (changed, revision, result) = match &self.common {
            Some(common) => {
                let (changed, revision, result) = common.change(&own, change).await?;
                (changed, Some(revision), result)
            }
            None => {
                let result = change(&mut own);
                (own, None, result)
            }
        };
        self.adopt(changed, revision, one_by_one).await?;
        Ok(result)
    }

    /// For whoever is about to change the directory: one after the other.
    pub(crate) async fn changing(&self) -> OwnedMutexGuard<()> {
        self.writing.clone().lock_owned().await
    }

    /// This is the directory now, in memory and on the disk; of several nodes, with its revision.
    pub(crate) async fn adopt(
        &self,
        changed: Directory,
        revision: Option<Revision>,
        one_by_one: OwnedMutexGuard<()>,
    ) -> io::Result<()> {
        let is_ours = revision == self.common.as_ref().map(|common| common.revision());
        if is_ours && changed == *self.directory() {
            return Ok(());
        }
        let limited: Vec<_> = {
            let before = self.directory();
            let now = changed.tenants().map(|(id, tenant)| (*id, tenant.rates));
            now.filter(|(id, rates)| before.rates_of(id) != *rates).collect()
        };
        let (directory, common) = (self.directory.clone(), self.common.clone());
        let (file, revision_file) = (self.data.file("directory.json"), self.data.file("directory.revision"));
        // Done as a whole, though whoever asked for it may go away.
        let saved = tokio::task::spawn_blocking(move || {
            let _one_by_one = one_by_one;
            changed.save(&file)?;
            *lock(&directory) = changed;
            if let (Some(common), Some(revision)) = (common, revision) {
                revision.save(&revision_file)?;
                common.set_revision(revision);
            }
            io::Result::Ok(())
        });
        saved.await.map_err(io::Error::other)??;
        limited.into_iter().for_each(|(tenant, rates)| self.limits.change(tenant, rates));
        Ok(())
    }

    /// Whether the directory that all nodes have in common can be changed; `None`: this is the only node.
    #[must_use]
    pub fn has_common_directory(&self) -> Option<bool> {
        self.common.as_ref().map(|common| common.is_up())
    }

    /// Ends what somebody may do at any node: their tokens are refused, their packets are dropped, their connections closed. It outlives a restart. Who
    /// went from this node.
    ///
    /// # Errors
    /// When the disk refuses: then it holds as long as the node runs.
    pub async fn revoke(&self, revocation: Revocation) -> io::Result<Vec<Party>> {
        self.revoke_all(&[revocation]).await
    }

    /// The same, of several.
    ///
    /// # Errors
    /// As [`Self::revoke`].
    pub async fn revoke_all(&self, revocations: &[Revocation]) -> io::Result<Vec<Party>> {
        let (news, gone) = self.cut_off(revocations);
        if let Some(common) = &self.common {
            let texts: Vec<String> = news.iter().map(revocations::to_text).collect();
            if let Err(error) = common.publish(&texts, self.now_s()).await {
                tracing::warn!(%error, "the other nodes hear of a revocation when Redis is back");
            }
        }
        self.save_revocations(&news).await.map(|()| gone)
    }

    /// Of revocations that all nodes hear of, this node's part.
    pub(crate) async fn revoke_here(&self, revocations: &[Revocation]) -> io::Result<()> {
        let (news, _) = self.cut_off(revocations);
        self.save_revocations(&news).await
    }

    /// Which of them were new, and who went.
    fn cut_off(&self, revocations: &[Revocation]) -> (Vec<Revocation>, Vec<Party>) {
        let now_s = self.now_s();
        let is_new = |revocation: &&Revocation| self.gate().revoke(now_s, **revocation);
        let news: Vec<Revocation> = revocations.iter().filter(is_new).copied().collect();
        let mut gone = Vec::new();
        for revocation in &news {
            gone.extend(self.switch.router_mut().remove(&revocation.subject));
        }
        self.let_go(&gone);
        (news, gone)
    }

    async fn save_revocations(&self, news: &[Revocation]) -> io::Result<()> {
        if news.is_empty() {
            return Ok(());
        }
        let one_by_one = self.changing().await;
        let encoded = revocations::encode(&mut self.gate(), self.now_s());
        let file = self.data.file("revocations.json");
        let saved = tokio::task::spawn_blocking(move || {
            let _one_by_one = one_by_one;
            revocations::save(&file, &encoded)
        });
        saved.await.map_err(io::Error::other)?
    }

    /// Unix seconds.
    pub(crate) fn now_s(&self) -> u64 {
        self.clock.now_s()
    }
}
