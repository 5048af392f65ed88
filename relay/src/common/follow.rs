//! How a node follows what others change, and heals what Redis has lost.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::streams::{StreamId, StreamRangeReply, StreamReadReply};
use redis::{RedisError, cmd};
use tresen_identity::TOKEN_LIFETIME_S;

use super::address::Connection;
use super::nodes::Said;
use super::{Common, DIRECTORY, NotChanged, REVOCATIONS, Revision, read, set};
use crate::node::{Node, lock};
use crate::revocations;

/// From one look at Redis to the next: a revocation is known everywhere within two seconds.
const BEAT: Duration = Duration::from_millis(500);

/// Pauses before a Redis that is away is asked again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// A pause is so much of what it is, by chance: the nodes do not all come back at once.
const JITTER: std::ops::Range<f64> = 0.5..1.5;

/// Entries that are read at once.
const ENTRIES: usize = 1_000;

/// How long a revocation is kept in the stream: twice the life of a token, for clocks that differ.
const KEPT_S: u64 = 2 * *TOKEN_LIFETIME_S.end() as u64;

/// Follows as long as the node lives.
pub async fn follow(node: Weak<Node>, common: Arc<Common>) {
    let mut pause = PAUSES.0;
    loop {
        match visit(&node, &common, &mut pause).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(%error, "not at Redis: what is known goes on, changes wait");
                *lock(&common.connection) = None;
            }
        }
        tokio::time::sleep(pause.mul_f64(rand::random_range(JITTER))).await;
        pause = (2 * pause).min(PAUSES.1);
    }
}

/// Until Redis fails, or the node is gone.
async fn visit(node: &Weak<Node>, common: &Common, pause: &mut Duration) -> Result<(), NotChanged> {
    let connection = common.address.connect().await?;
    let (mut last_id, mut said) = (String::new(), Said::default());
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = beat.tick() => {}
            () = common.nodes().woken() => {}
        }
        let Some(node) = node.upgrade() else { return Ok(()) };
        same_directory(&node, common, &connection).await?;
        if last_id.is_empty() {
            last_id = catch_up(&node, &connection).await?;
            *lock(&common.connection) = Some(connection.clone());
            *pause = PAUSES.0;
            tracing::info!("at Redis");
        } else {
            newer(&node, &connection, &mut last_id).await?;
        }
        common.nodes().say(&node, &connection, &mut said).await?;
    }
}

/// Takes over a newer directory, or puts back one that Redis has lost.
async fn same_directory(node: &Node, common: &Common, connection: &Connection) -> Result<(), NotChanged> {
    let mut command = cmd("HGET");
    let theirs: Option<String> = connection.query(command.arg(DIRECTORY).arg("revision")).await?;
    let theirs = match theirs {
        Some(text) => Some(Revision::from_text(&text).ok_or(NotChanged::Damaged)?),
        None => None,
    };
    if theirs.as_ref() == Some(&*lock(&common.revision)) {
        return Ok(());
    }
    // A change of this node's own may be on its way.
    let changing = node.changing().await;
    let ours = lock(&common.revision).clone();
    match theirs {
        Some(theirs) if theirs == ours => {}
        Some(theirs) if theirs.number >= ours.number => {
            if let Some((revision, directory)) = read(connection).await? {
                node.adopt(directory, changing).await?;
                tracing::info!(revision = revision.number, "a newer directory");
                *lock(&common.revision) = revision;
            }
        }
        lost => {
            let json = node.directory().encode();
            let revision = Revision::of(ours.number.max(1), &json);
            if set(connection, lost.as_ref(), &revision, &json).await? {
                tracing::warn!(
                    revision = revision.number,
                    "Redis had an older directory, or none: it has this node's now"
                );
                *lock(&common.revision) = revision;
            }
        }
    }
    Ok(())
}

/// Learns all revocations that are kept, and tells those that Redis does not have; the id of the last one.
async fn catch_up(node: &Node, connection: &Connection) -> Result<String, NotChanged> {
    let now_s = node.now_s();
    let mut last_id = format!("{}-0", now_s.saturating_sub(KEPT_S) * 1000);
    let mut known = BTreeSet::new();
    loop {
        let mut command = cmd("XRANGE");
        command.arg(REVOCATIONS).arg(format!("({last_id}")).arg("+").arg("COUNT").arg(ENTRIES);
        let StreamRangeReply { ids } = connection.query(&command).await?;
        let Some(last) = ids.last() else { break };
        last_id = last.id.clone();
        for text in ids.iter().filter_map(text_of) {
            known.insert(text.clone());
            learn(node, &text).await?;
        }
    }
    let ours: Vec<_> = node.gate().revocations().collect();
    let is_kept = |until_s: u64| until_s + KEPT_S > now_s;
    let ours = ours.iter().filter(|revocation| is_kept(revocation.until_s)).map(revocations::to_text);
    for text in ours.filter(|text| !known.contains(text)) {
        publish(connection, &text, now_s).await?;
    }
    Ok(last_id)
}

/// Learns what was revoked since.
async fn newer(node: &Node, connection: &Connection, last_id: &mut String) -> Result<(), NotChanged> {
    let mut command = cmd("XREAD");
    command.arg("COUNT").arg(ENTRIES).arg("STREAMS").arg(REVOCATIONS).arg(&*last_id);
    let reply: Option<StreamReadReply> = connection.query(&command).await?;
    for entry in reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids) {
        if let Some(text) = text_of(&entry) {
            learn(node, &text).await?;
        }
        *last_id = entry.id;
    }
    Ok(())
}

async fn learn(node: &Node, text: &str) -> Result<(), NotChanged> {
    let Some(revocation) = revocations::from_text(text) else {
        tracing::warn!(text, "a line of the stream is no revocation");
        return Ok(());
    };
    if let Err(error) = node.revoke_here(revocation).await {
        tracing::error!(%error, "a revocation could not be written: it holds as long as this node runs");
    }
    Ok(())
}

fn text_of(entry: &StreamId) -> Option<String> {
    entry.get("revocation")
}

/// Adds a line to the stream, and takes out what is too old.
pub(super) async fn publish(connection: &Connection, revocation: &str, now_s: u64) -> Result<(), RedisError> {
    let oldest = format!("{}-0", now_s.saturating_sub(KEPT_S) * 1000);
    let mut command = cmd("XADD");
    command.arg(REVOCATIONS).arg("MINID").arg("~").arg(oldest).arg("*").arg("revocation").arg(revocation);
    connection.query(&command).await
}
