//! What a node keeps: the directory and who is revoked, in memory, on its disk, and in common with the other nodes of the relay.
//!
//! Invariants: whom the operator takes out is out of this node's memory before anything is asked that may hang (Redis, the disk); what was begun is carried
//! through, though whoever asked for it may go away; of an edge server that is in the directory no more, nothing is forwarded.

use std::io;
use std::sync::Arc;

use tokio::sync::MutexGuard;
use tokio::task::JoinHandle;
use tresen_path::{Party, Revocation, Subject};

use crate::common::{NotChanged, Revision};
use crate::directory::Directory;
use crate::node::{Node, lock};
use crate::revocations;

/// What was changed: it holds at this node.
#[derive(Debug)]
#[must_use]
pub struct Changed<T> {
    /// What there is to know of it.
    pub result: T,
    /// Where it is not known yet.
    pub lacks: Lacks,
}

/// Where something that was changed is not known yet.
#[derive(Debug, Default)]
pub struct Lacks {
    /// Why this node's disk does not have it, if so: it is written later ([`crate::unsaved`]), and a restart before that would forget it.
    pub unsaved: Option<io::Error>,
    /// Why the other nodes do not know it, if so: they hear of it when Redis is back.
    pub untold: Option<NotChanged>,
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
        self.adopt(changed, revision, one_by_one);
        let unsaved = self.save_directory().await.err();
        Ok(Changed { result, lacks: Lacks { unsaved, untold: None } })
    }

    /// Takes somebody out of the directory for good, and with them all that their tokens are good for. Whether they were in it. Who is not in it is cut off all the
    /// same: an earlier try may have come half the way.
    ///
    /// # Errors
    /// When Redis refuses: then they are in the directory still, but what they had going at this node has ended, and their tokens from before are refused.
    pub async fn take_out(
        self: &Arc<Self>,
        subject: Subject,
        remove: impl Fn(&mut Directory) -> bool + Send + Sync + 'static,
    ) -> Result<Changed<bool>, NotChanged> {
        let news = self.remember(&[Revocation::of_old_tokens(self.now_s(), subject)]);
        self.end([subject]);
        let node = self.clone();
        let removing = tokio::spawn(async move {
            let (spread, removed) = tokio::join!(node.spread(&news), node.change_directory(remove));
            let mut removed = removed.inspect_err(|error| {
                tracing::warn!(?subject, %error, "cut off, but in the directory still: take it out again");
            })?;
            removed.lacks.unsaved = removed.lacks.unsaved.or(spread.unsaved);
            removed.lacks.untold = spread.untold;
            if removed.result {
                tracing::info!(?subject, "taken out");
            }
            Ok(removed)
        });
        outcome(removing).await
    }

    /// For whoever is about to change the directory: one after the other.
    pub(crate) async fn changing(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().await
    }

    /// This is the directory now, in memory; of several nodes, with its revision. Edge servers that are not in it are let go.
    pub(crate) fn adopt(
        &self,
        changed: Directory,
        revision: Option<Revision>,
        _one_by_one: MutexGuard<'_, ()>,
    ) {
        let is_ours = revision == self.common.as_ref().map(|common| common.revision());
        if is_ours && changed == *self.directory() {
            return;
        }
        let (limited, gone): (Vec<_>, Vec<_>) = {
            let before = self.directory();
            let now = changed.tenants().map(|(id, tenant)| (*id, tenant.rates));
            let limited = now.filter(|(id, rates)| before.rates_of(id) != *rates).collect();
            (limited, before.edges().filter(|edge| !changed.knows(edge)).collect())
        };
        *lock(&self.directory) = changed;
        if let (Some(common), Some(revision)) = (&self.common, revision) {
            common.set_revision(revision);
        }
        self.unsaved.directory_changed();
        limited.into_iter().for_each(|(tenant, rates)| self.limits.change(tenant, rates));
        self.end(gone.into_iter().map(|edge| Subject::Party(Party::Edge(edge))));
    }

    /// Whether the directory that all nodes have in common can be changed; `None`: this is the only node.
    #[must_use]
    pub fn has_common_directory(&self) -> Option<bool> {
        self.common.as_ref().map(|common| common.is_up())
    }

    /// Ends what somebody may do at any node: their tokens are refused, their packets are dropped, their connections closed. It outlives a restart. Who
    /// went from this node.
    pub async fn revoke(self: &Arc<Self>, revocation: Revocation) -> Changed<Vec<Party>> {
        let (gone, spreading) = self.revoke_all(&[revocation]);
        Changed { result: gone, lacks: outcome(spreading).await }
    }

    /// The same, of several. At this node it is done at once; the task tells the others, and writes it down.
    pub(crate) fn revoke_all(
        self: &Arc<Self>,
        revocations: &[Revocation],
    ) -> (Vec<Party>, JoinHandle<Lacks>) {
        let (news, gone) = self.cut_off(revocations);
        let node = self.clone();
        (gone, tokio::spawn(async move { node.spread(&news).await }))
    }

    /// Of revocations that all nodes hear of, this node's part. Nobody waits for its disk: there may be more to hear.
    pub(crate) fn revoke_here(self: &Arc<Self>, revocations: &[Revocation]) {
        let (news, _) = self.cut_off(revocations);
        if news.is_empty() {
            return;
        }
        let node = self.clone();
        tokio::spawn(async move {
            if let Err(error) = node.save_revocations().await {
                tracing::error!(%error, "revocations could not be written: they hold as long as this node runs");
            }
        });
    }

    /// Tells the other nodes what is new, and writes it down.
    async fn spread(&self, news: &[Revocation]) -> Lacks {
        let telling = async {
            let texts: Vec<String> = news.iter().map(revocations::to_text).collect();
            let told = self.common.as_ref()?.publish(&texts, self.now_s()).await;
            told.inspect_err(
                |error| tracing::warn!(%error, "the other nodes hear of a revocation when Redis is back"),
            )
            .err()
        };
        let (saved, untold) = tokio::join!(self.save_revocations(), telling);
        Lacks { unsaved: saved.err(), untold }
    }

    /// Which of them were new, and who went because of these: whoever has come since one that is known may stay.
    fn cut_off(&self, revocations: &[Revocation]) -> (Vec<Revocation>, Vec<Party>) {
        let news = self.remember(revocations);
        let gone = self.end(news.iter().map(|revocation| revocation.subject));
        (news, gone)
    }

    /// Tokens are refused from now on. Which of the revocations were new.
    fn remember(&self, revocations: &[Revocation]) -> Vec<Revocation> {
        let now_s = self.now_s();
        let is_new = |revocation: &&Revocation| self.gate().revoke(now_s, **revocation);
        let news: Vec<Revocation> = revocations.iter().filter(is_new).copied().collect();
        if !news.is_empty() {
            self.unsaved.revocations_changed();
        }
        news
    }

    /// Ends what they have going here. Who went.
    fn end(&self, subjects: impl IntoIterator<Item = Subject>) -> Vec<Party> {
        let mut gone = Vec::new();
        for subject in subjects {
            gone.extend(self.switch.router_mut().remove(&subject));
        }
        self.let_go(&gone);
        gone
    }

    /// Unix seconds.
    pub(crate) fn now_s(&self) -> u64 {
        self.clock.now_s()
    }
}

/// What comes of a task that is carried through, though nobody may wait for it.
async fn outcome<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(outcome) => outcome,
        // It is cancelled with the runtime only, and so is this.
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests;
