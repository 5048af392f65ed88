//! What the nodes of one relay have in common, in Redis: the directory, who is revoked, which nodes there are and who is at
//! which.
//!
//! ```text
//! {tresen}:directory      hash: revision, json. Changed by whoever saw its newest revision (compare and set)
//! {tresen}:revocations    stream: one line each (`revocations`), for as long as tokens live
//! {tresen}:node:<number>  a node that takes newcomers: its epoch and its addresses, also those for TLS that is handed over; ends 8 s after it was last heard of
//! tresen:edge:{<tenant>:<edge server>}:<number>   the epoch of the node that this edge server is at; ends after 90 s
//! ```
//!
//! Every node keeps a copy of the directory in memory and in its data folder, and looks twice a second whether there is a newer one. So a node goes on
//! without Redis with all that it knows, also when it is started anew; only changes have to wait.
//!
//! The directory is one value because its rules span tenants (an edge server belongs to one) and it changes rarely: ten thousand edge servers are a
//! megabyte, read once by each node after a change.
//!
//! Invariants: an older revision never takes the place of a newer one, neither here nor there, nor after a restart; a Redis that has lost its data gets it back from
//! the first node that notices, and from one that knows more, if that comes later; a node that is new puts nothing there.

mod address;
mod follow;
mod nodes;
mod revision;

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::seq::SliceRandom;
use redis::{Cmd, RedisError, cmd};
use thiserror::Error;
use tresen_path::{EdgeName, NodeAt, NodeId};

use self::address::Connection;
use self::nodes::Nodes;
use crate::directory::Directory;
use crate::node::lock;

pub use address::{RedisAddress, RedisAddressError};
pub use follow::follow;
pub use nodes::MOST_NODES;
pub use revision::Revision;

const DIRECTORY: &str = "{tresen}:directory";
const REVOCATIONS: &str = "{tresen}:revocations";

/// Others may change the directory at the same time; so often it is tried again.
const TRIES: u32 = 16;

/// Sets the directory if its revision is still the one that was seen (empty: there was none).
const COMPARE_AND_SET: &str = "
local revision = redis.call('HGET', KEYS[1], 'revision') or ''
if revision ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'json', ARGV[3])
return 1";

/// Why the directory was not changed.
#[derive(Debug, Error)]
pub enum NotChanged {
    /// No connection.
    #[error("Redis does not answer: changes have to wait")]
    Away,
    /// Redis says so.
    #[error("Redis refuses: {0}")]
    Redis(#[from] RedisError),
    /// What is there is no directory.
    #[error("the directory in Redis is damaged")]
    Damaged,
    /// Others change it all the time.
    #[error("the directory is changed by too many at once: try again")]
    Busy,
}

/// The Redis of a relay, as one of its nodes sees it.
pub struct Common {
    address: RedisAddress,
    connection: Mutex<Option<Connection>>,
    /// Of the node's copy.
    revision: Mutex<Revision>,
    nodes: Nodes,
    /// Something was revoked of which the others have not been told.
    has_untold: AtomicBool,
}

impl Common {
    /// As the node with this number sees it, which is reached at these addresses and has a copy of this revision. Not connected yet; see [`follow`].
    #[must_use]
    pub fn new(address: RedisAddress, node: NodeId, public: Vec<SocketAddr>, revision: Revision) -> Self {
        let nodes = Nodes::new(node, public);
        let (revision, has_untold) = (Mutex::new(revision), AtomicBool::new(false));
        Self { address, connection: Mutex::default(), revision, nodes, has_untold }
    }

    /// Of the node's copy.
    pub fn revision(&self) -> Revision {
        lock(&self.revision).clone()
    }

    /// The node has this one.
    pub fn set_revision(&self, revision: Revision) {
        *lock(&self.revision) = revision;
    }

    /// This node among the others.
    pub const fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// Of all nodes, those at which an edge server is; all of them when that can't be told now.
    pub async fn nodes_of(&self, edge: &EdgeName, all: Vec<NodeAt>) -> Vec<NodeAt> {
        let Some(connection) = lock(&self.connection).clone() else { return all };
        self.nodes.of_edge(&connection, edge, all.clone()).await.unwrap_or(all)
    }

    /// Where TLS for an edge server can be handed over: to the other nodes at which it is, each with all of its addresses; to all other nodes when that can't be
    /// told now. Each time another one comes first.
    pub async fn tls_of(&self, edge: &EdgeName) -> Vec<(NodeId, Vec<SocketAddr>)> {
        let nodes = self.nodes_of(edge, self.nodes.tls_of_others()).await;
        let of_one = nodes.chunk_by(|one, next| one.node == next.node);
        let mut nodes: Vec<_> =
            of_one.map(|of_one| (of_one[0].node, of_one.iter().map(|node| node.at).collect())).collect();
        nodes.shuffle(&mut rand::rng());
        nodes
    }

    /// Whether Redis answered lately.
    #[must_use]
    pub fn is_up(&self) -> bool {
        lock(&self.connection).is_some()
    }

    /// Changes the directory for all nodes, of which `own` is this node's copy; what it is now, and what the change returned.
    ///
    /// # Errors
    /// When Redis does not take it: then nothing has changed.
    pub async fn change<T>(
        &self,
        own: &Directory,
        change: impl Fn(&mut Directory) -> T,
    ) -> Result<(Directory, Revision, T), NotChanged> {
        let connection = lock(&self.connection).clone().ok_or(NotChanged::Away)?;
        for _ in 0..TRIES {
            let found = read(&connection).await?;
            let ours = self.revision();
            let (seen, before) = match &found {
                Some((seen, before)) => (Some(seen), before),
                None if is_new(&ours, own) => (None, own),
                // It gets back first what it had.
                None => return Err(NotChanged::Away),
            };
            let mut changed = before.clone();
            let result = change(&mut changed);
            if changed == *before {
                return Ok((changed, seen.unwrap_or(&ours).clone(), result));
            }
            let json = changed.encode();
            let revision = Revision::of(seen.map_or(0, |seen| seen.number) + 1, &json);
            if set(&connection, seen, &revision, &json).await? {
                return Ok((changed, revision, result));
            }
        }
        Err(NotChanged::Busy)
    }

    /// Tells all nodes of revocations, a line each.
    ///
    /// # Errors
    /// When Redis is away, or refuses: they are told later.
    pub async fn publish(&self, revocations: &[String], now_s: u64) -> Result<(), NotChanged> {
        let connection = lock(&self.connection).clone();
        let telling = async {
            let connection = connection.ok_or(NotChanged::Away)?;
            for revocation in revocations {
                follow::publish(&connection, revocation, now_s).await?;
            }
            Ok(())
        };
        let told = telling.await;
        if told.is_err() {
            self.has_untold.store(true, Ordering::Relaxed);
        }
        told
    }
}

/// Whether a copy of the directory is one in which nobody ever was.
fn is_new(revision: &Revision, directory: &Directory) -> bool {
    revision.number == 0 && *directory == Directory::default()
}

/// The directory in Redis; `None` when it has none.
async fn read(connection: &Connection) -> Result<Option<(Revision, Directory)>, NotChanged> {
    let mut command = cmd("HMGET");
    command.arg(DIRECTORY).arg("revision").arg("json");
    match connection.query::<(Option<String>, Option<Vec<u8>>)>(&command).await? {
        (Some(revision), Some(json)) => {
            let revision = Revision::from_text(&revision).ok_or(NotChanged::Damaged)?;
            let directory = Directory::decode(&json).map_err(|_| NotChanged::Damaged)?;
            Ok(Some((revision, directory)))
        }
        _ => Ok(None),
    }
}

/// Whether it was set: nobody else was quicker.
async fn set(
    connection: &Connection,
    seen: Option<&Revision>,
    revision: &Revision,
    json: &[u8],
) -> Result<bool, RedisError> {
    let mut command: Cmd = cmd("EVAL");
    let seen = seen.map(Revision::to_text).unwrap_or_default();
    command.arg(COMPARE_AND_SET).arg(1).arg(DIRECTORY).arg(seen).arg(revision.to_text()).arg(json);
    connection.query(&command).await
}
