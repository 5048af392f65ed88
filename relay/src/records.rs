//! What a node keeps: the directory and who is revoked, in memory, on its disk, and in common with the other nodes of the relay.

use std::io;

use tokio::sync::OwnedMutexGuard;
use tresen_path::{Party, Revocation, Subject};

use crate::common::{NotChanged, Revision};
use crate::directory::Directory;
use crate::node::{Node, lock};
use crate::revocations;

/// What was changed: it holds, at this node and all others.
#[derive(Debug)]
#[must_use]
pub struct Changed<T> {
    /// What there is to know of it.
    pub result: T,
    /// Why this node's disk does not have it yet, if so: it is written later ([`crate::unsaved`]), and a restart before that would forget it.
    pub unsaved: Option<io::Error>,
}

impl Node {
    /// Changes the directory, for all nodes of the relay.
    ///
    /// # Errors
    /// When Redis refuses: then nothing has changed.
    pub async fn change_directory<T>(
        &self,
        change: impl Fn(&mut Directory) -> T,
    ) -> Result<Changed<T>, NotChanged> {
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
        let unsaved = self.adopt(changed, revision, one_by_one).await.err();
        Ok(Changed { result, unsaved })
    }

    /// Takes somebody out of the directory for good, and with them all that their tokens are good for. Whether they were in it.
    ///
    /// # Errors
    /// As [`Self::change_directory`].
    pub async fn take_out(
        &self,
        subject: Subject,
        remove: impl Fn(&mut Directory) -> bool,
    ) -> Result<Changed<bool>, NotChanged> {
        let mut removed = self.change_directory(remove).await?;
        if removed.result {
            let revoked = self.revoke(Revocation::of_old_tokens(self.now_s(), subject)).await;
            removed.unsaved = removed.unsaved.or(revoked.unsaved);
        }
        Ok(removed)
    }

    /// For whoever is about to change the directory: one after the other.
    pub(crate) async fn changing(&self) -> OwnedMutexGuard<()> {
        self.writing.clone().lock_owned().await
    }

    /// This is the directory now, in memory and on the disk; of several nodes, with its revision.
    ///
    /// # Errors
    /// When the disk refuses: then it is so in memory.
    pub(crate) async fn adopt(
        &self,
        changed: Directory,
        revision: Option<Revision>,
        one_by_one: OwnedMutexGuard<()>,
    ) -> io::Result<()> {
        let is_ours = revision == self.common.as_ref().map(|common| common.revision());
        if is_ours && changed == *self.directory() && !self.unsaved.has_directory() {
            return Ok(());
        }
        let limited: Vec<_> = {
            let before = self.directory();
            let now = changed.tenants().map(|(id, tenant)| (*id, tenant.rates));
            now.filter(|(id, rates)| before.rates_of(id) != *rates).collect()
        };
        *lock(&self.directory) = changed;
        if let (Some(common), Some(revision)) = (&self.common, revision) {
            common.set_revision(revision);
        }
        limited.into_iter().for_each(|(tenant, rates)| self.limits.change(tenant, rates));
        self.save_directory(one_by_one).await
    }

    /// Whether the directory that all nodes have in common can be changed; `None`: this is the only node.
    #[must_use]
    pub fn has_common_directory(&self) -> Option<bool> {
        self.common.as_ref().map(|common| common.is_up())
    }

    /// Ends what somebody may do at any node: their tokens are refused, their packets are dropped, their connections closed. It outlives a restart. Who
    /// went from this node.
    pub async fn revoke(&self, revocation: Revocation) -> Changed<Vec<Party>> {
        self.revoke_all(&[revocation]).await
    }

    /// The same, of several.
    pub async fn revoke_all(&self, revocations: &[Revocation]) -> Changed<Vec<Party>> {
        let (news, gone) = self.cut_off(revocations);
        if let Some(common) = &self.common {
            let texts: Vec<String> = news.iter().map(revocations::to_text).collect();
            if let Err(error) = common.publish(&texts, self.now_s()).await {
                tracing::warn!(%error, "the other nodes hear of a revocation when Redis is back");
            }
        }
        Changed { result: gone, unsaved: self.save_news(&news).await.err() }
    }

    /// Of revocations that all nodes hear of, this node's part.
    pub(crate) async fn revoke_here(&self, revocations: &[Revocation]) -> io::Result<()> {
        let (news, _) = self.cut_off(revocations);
        self.save_news(&news).await
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

    async fn save_news(&self, news: &[Revocation]) -> io::Result<()> {
        if news.is_empty() {
            return Ok(());
        }
        self.save_revocations().await
    }

    /// Unix seconds.
    pub(crate) fn now_s(&self) -> u64 {
        self.clock.now_s()
    }
}
