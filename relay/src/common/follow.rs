//! How a node follows what others change, and heals what Redis has lost.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{RedisError, cmd};
use tokio::sync::MutexGuard;
use tresen_identity::TOKEN_LIFETIME_S;

use super::address::Connection;
use super::nodes::Said;
use super::{Common, DIRECTORY, NotChanged, REVOCATIONS, Revision, is_new, read, set};
use crate::directory::Directory;
use crate::node::{Node, lock};
use crate::revocations;

/// From one look at Redis to the next: a revocation is known everywhere within two seconds.
const BEAT: Duration = Duration::from_millis(500);

/// Pauses before a Redis that is away is asked again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// A pause is so much of what it is, by chance: the nodes do not all come back at once.
const JITTER: std::ops::Range<f64> = 0.5..1.5;

/// Everything that is kept is looked at again so often, in both directions: Redis may have lost it, or its clock have gone back.
const CATCH_UP_AGAIN: Duration = Duration::from_secs(30);

/// What stays wrong stands in the log once in this time.
const SAY_AGAIN: Duration = Duration::from_secs(60);

/// Entries that are kept at most, nearly.
const KEPT: usize = 100_000;

/// Entries that are read at once.
const ENTRIES: usize = 1_000;

/// How long a revocation is kept in the stream: twice the life of a token, for clocks that differ.
const KEPT_S: u64 = 2 * *TOKEN_LIFETIME_S.end() as u64;

/// Follows as long as the node lives.
pub async fn follow(node: Weak<Node>, common: Arc<Common>) {
    let mut pause = PAUSES.0;
    loop {
        // Whatever ends a visit, another one follows.
        match watched(visit(&node, &common, &mut pause)).await {
            Some(Ok(())) => return,
            Some(Err(error)) => tracing::warn!(%error, "not at Redis: what is known goes on, changes wait"),
            None => tracing::error!("following Redis has failed because of a mistake in this program"),
        }
        *lock(&common.connection) = None;
        tokio::time::sleep(pause.mul_f64(rand::random_range(JITTER))).await;
        pause = (2 * pause).min(PAUSES.1);
    }
}

/// What comes of something; `None`: it has panicked.
async fn watched<T>(running: impl Future<Output = T>) -> Option<T> {
    // What it has changed is behind locks, which a panic does not poison here.
    AssertUnwindSafe(running).catch_unwind().await.ok()
}

/// Until Redis fails, or the node is gone.
async fn visit(node: &Weak<Node>, common: &Common, pause: &mut Duration) -> Result<(), NotChanged> {
    let connection = common.address.connect().await?;
    let (mut last_id, mut caught_up, mut said) = (String::new(), None::<Instant>, Said::default());
    let mut damaged = None::<Instant>;
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            () = common.nodes().woken() => {}
        }
        let Some(node) = node.upgrade() else { return Ok(()) };
        let is_old = caught_up.is_none_or(|at| at.elapsed() >= CATCH_UP_AGAIN);
        if is_old || common.has_untold.swap(false, Ordering::Relaxed) {
            last_id = catch_up(&node, &connection).await?;
            caught_up = Some(Instant::now());
        } else {
            newer(&node, &connection, &mut last_id).await?;
        }
        match same_directory(&node, common, &connection).await {
            // No reason to hear of no revocations any more.
            Err(NotChanged::Damaged) => {
                if damaged.is_none_or(|at| at.elapsed() >= SAY_AGAIN) {
                    damaged = Some(Instant::now());
                    tracing::error!(error = %NotChanged::Damaged, "the common directory can't be taken over");
                }
            }
            done => done?,
        }
        if !common.is_up() {
            // What was revoked since is told now.
            common.has_untold.store(true, Ordering::Relaxed);
            *lock(&common.connection) = Some(connection.clone());
            *pause = PAUSES.0;
            tracing::info!("at Redis");
        }
        common.nodes().say(&node, &connection, &mut said).await?;
    }
}

/// Takes over a newer directory, or puts back one that Redis has lost.
async fn same_directory(
    node: &Arc<Node>,
    common: &Common,
    connection: &Connection,
) -> Result<(), NotChanged> {
    let mut command = cmd("HGET");
    let theirs: Option<String> = connection.query(command.arg(DIRECTORY).arg("revision")).await?;
    let theirs = match theirs {
        Some(text) => Some(Revision::from_text(&text).ok_or(NotChanged::Damaged)?),
        None => None,
    };
    if theirs.as_ref() == Some(&common.revision()) {
        return Ok(());
    }
    // A change of this node's own may be on its way.
    let changing = node.changing().await;
    let ours = common.revision();
    match theirs {
        Some(theirs) if theirs == ours => {}
        Some(theirs) if theirs.number >= ours.number => {
            if let Some((revision, directory)) = read(connection).await? {
                let number = revision.number;
                take_over(node, directory, revision, changing);
                tracing::info!(revision = number, "a newer directory");
            }
        }
        None if is_new(&ours, &node.directory()) => {}
        lost => {
            let directory = node.directory().clone();
            let json = directory.encode();
            let revision = Revision::of(ours.number.max(1), &json);
            if set(connection, lost.as_ref(), &revision, &json).await? {
                tracing::warn!(
                    revision = revision.number,
                    "Redis had an older directory, or none: it has this node's now"
                );
                take_over(node, directory, revision, changing);
            }
        }
    }
    Ok(())
}

/// It is the node's own from now on. Nobody waits for the disk; what it refuses is written later, and told there ([`crate::unsaved`]).
fn take_over(node: &Arc<Node>, directory: Directory, revision: Revision, changing: MutexGuard<'_, ()>) {
    node.adopt(directory, Some(revision), changing);
    let node = node.clone();
    tokio::spawn(async move { node.save_directory().await });
}

/// Learns all revocations that are kept, and tells those that Redis does not have; the id of the last one.
async fn catch_up(node: &Arc<Node>, connection: &Connection) -> Result<String, NotChanged> {
    let now_s = node.now_s();
    let mut last_id = format!("{}-0", now_s.saturating_sub(KEPT_S) * 1000);
    let mut known = BTreeSet::new();
    loop {
        let mut command = cmd("XRANGE");
        command.arg(REVOCATIONS).arg(format!("({last_id}")).arg("+").arg("COUNT").arg(ENTRIES);
        let StreamRangeReply { ids } = connection.query(&command).await?;
        let Some(last) = ids.last() else { break };
        last_id = last.id.clone();
        let texts: Vec<String> = ids.iter().filter_map(text_of).collect();
        learn(node, &texts);
        known.extend(texts);
    }
    let ours: Vec<_> = node.gate().revocations().collect();
    let is_kept = |until_s: u64| until_s.saturating_add(KEPT_S) > now_s;
    let ours = ours.iter().filter(|revocation| is_kept(revocation.until_s)).map(revocations::to_text);
    for text in ours.filter(|text| !known.contains(text)) {
        publish(connection, &text, now_s).await?;
    }
    Ok(last_id)
}

/// Learns what was revoked since.
async fn newer(node: &Arc<Node>, connection: &Connection, last_id: &mut String) -> Result<(), NotChanged> {
    let mut command = cmd("XREAD");
    command.arg("COUNT").arg(ENTRIES).arg("STREAMS").arg(REVOCATIONS).arg(&*last_id);
    let reply: Option<StreamReadReply> = connection.query(&command).await?;
    let entries: Vec<StreamId> =
        reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect();
    let texts: Vec<String> = entries.iter().filter_map(text_of).collect();
    learn(node, &texts);
    if let Some(last) = entries.last() {
        last_id.clone_from(&last.id);
    }
    Ok(())
}

fn learn(node: &Arc<Node>, texts: &[String]) {
    let read = |text: &String| {
        let revocation = revocations::from_text(text);
        if revocation.is_none() {
            tracing::warn!(text, "a line of the stream is no revocation");
        }
        revocation
    };
    let revocations: Vec<_> = texts.iter().filter_map(read).collect();
    node.revoke_here(&revocations);
}

fn text_of(entry: &StreamId) -> Option<String> {
    entry.get("revocation")
}

/// Adds a line to the stream, and takes out what is too old.
pub(super) async fn publish(connection: &Connection, revocation: &str, now_s: u64) -> Result<(), RedisError> {
    let oldest = format!("{}-0", now_s.saturating_sub(KEPT_S) * 1000);
    let mut command = cmd("XADD");
    command.arg(REVOCATIONS).arg("MAXLEN").arg("~").arg(KEPT).arg("*").arg("revocation").arg(revocation);
    let _id: String = connection.query(&command).await?;
    let mut command = cmd("XTRIM");
    let _gone: u64 = connection.query(command.arg(REVOCATIONS).arg("MINID").arg("~").arg(oldest)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a mistake that is met while Redis is followed ends neither the program nor the following.
    #[tokio::test]
    async fn a_panic_is_noticed() {
        assert_eq!(watched(async { 7 }).await, Some(7));
        let failing = async {
            tokio::task::yield_now().await;
            assert!(std::hint::black_box(false), "a mistake");
        };
        assert_eq!(watched(failing).await, None);
    }
}
