//! What a node keeps: the directory and who is revoked, in memory, on its disk, and in common with the other nodes of the relay.

use std::io;

use tokio::sync::OwnedMutexGuard;
use tresen_path::{Party, Revocation};

use crate::common::NotChanged;
use crate::directory::Directory;
use crate::node::{Node, lock};
use crate::revocations;

impl Node {
    /// Changes the directory, for all nodes of the relay; what has changed is on the disk when this returns.
    ///
    /// # Errors
    /// When the disk or Redis refuses: then nothing has changed.
    pub async fn change_directory<T>(&self, change: impl Fn(&mut Directory) -> T) -> Result<T, NotChanged> {
        let one_by_one = self.changing().await;
        let (changed, result) = match &self.common {
            Some(common) => common.change(change).await?,
            None => {
                let mut changed = self.directory().clone();
                let result = change(&mut changed);
                (changed, result)
            }
        };
        self.adopt(changed, one_by_one).await?;
        Ok(result)
    }

    /// For whoever is about to change the directory: one after the other.
    pub(crate) async fn changing(&self) -> OwnedMutexGuard<()> {
        self.writing.clone().lock_owned().await
    }

    /// This is the directory now, in memory and on the disk.
    pub(crate) async fn adopt(&self, changed: Directory, one_by_one: OwnedMutexGuard<()>) -> io::Result<()> {
        if changed == *self.directory() {
            return Ok(());
        }
        let limited: Vec<_> = {
            let before = self.directory();
            let now = changed.tenants().map(|(id, tenant)| (*id, tenant.rates));
            now.filter(|(id, rates)| before.rates_of(id) != *rates).collect()
        };
        let (directory, file) = (self.directory.clone(), self.data.file("directory.json"));
        // Done as a whole, though whoever asked for it may go away.
        let saved = tokio::task::spawn_blocking(move || {
            let _one_by_one = one_by_one;
            changed.save(&file)?;
            *lock(&directory) = changed;
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
        let here = self.revoke_here(revocation).await;
        if let Some(common) = &self.common
            && let Err(error) = common.publish(&revocations::to_text(&revocation), self.now_s()).await
        {
            tracing::warn!(%error, "the other nodes hear of a revocation when Redis is back");
        }
        here
    }

    /// Of a revocation that all nodes hear of, this node's part.
    pub(crate) async fn revoke_here(&self, revocation: Revocation) -> io::Result<Vec<Party>> {
        if !self.gate().revoke(self.now_s(), revocation) {
            return Ok(Vec::new());
        }
        let gone = self.switch.router_mut().remove(&revocation.subject);
        self.let_go(&gone);
        self.save_revocations().await.map(|()| gone)
    }

    async fn save_revocations(&self) -> io::Result<()> {
        let one_by_one = self.changing().await;
        let (encoded, file) = (revocations::encode(&self.gate()), self.data.file("revocations.json"));
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
