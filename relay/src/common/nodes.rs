//! Which nodes the relay has, and at which of them an edge server is. See the module above for the keys.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use redis::{RedisError, cmd};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tresen_path::{EdgeName, NodeAt, NodeId};

use super::address::Connection;
use crate::node::{Node, lock};

/// Nodes of a relay; they are numbered from 1.
pub const MOST_NODES: u32 = 64;

/// A node says so often that it is there ...
const NODE_AGAIN: Duration = Duration::from_secs(2);

/// ... and counts as gone so long after it last did.
const NODE_LIFETIME: Duration = Duration::from_secs(8);

/// A node says so often of each edge server that it is at it, a few at a time ...
const EDGES_AGAIN: Duration = Duration::from_secs(30);

/// ... and so many at least each time that it says something of itself: one of them tells soon when Redis has lost what it was told.
const LEAST_TURN: usize = 64;

/// An edge server counts as gone so long after this was last said of it.
const EDGE_LIFETIME: Duration = Duration::from_secs(90);

/// Commands that are under way at a time.
const AT_ONCE: usize = 64;

/// What a node says of itself.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    /// Of all starts of this node: what an earlier one said of edge servers is over.
    epoch: u64,
    /// Where endpoints reach it.
    at: Vec<SocketAddr>,
    /// Where other nodes hand TLS over to it; none: it passes none on.
    #[serde(default)]
    tls: Vec<SocketAddr>,
}

/// This node among the others.
pub struct Nodes {
    node: NodeId,
    public: Vec<SocketAddr>,
    tls: Mutex<Vec<SocketAddr>>,
    epoch: u64,
    leaving: AtomicBool,
    /// Somebody else says that he is the node of this number.
    is_double: AtomicBool,
    /// Edge servers that came or went since it was last told.
    changed: Mutex<BTreeSet<EdgeName>>,
    wake: Notify,
    /// What the nodes have said of themselves lately.
    records: Mutex<BTreeMap<NodeId, Record>>,
}

/// What was said to Redis since it was connected to.
#[derive(Default)]
pub(super) struct Said {
    /// When this node said that it is there.
    node: Option<Instant>,
    /// Whether all its edge servers were named, and nothing of that is known to be lost.
    all_edges: bool,
    /// The one that was named again last.
    last_edge: Option<EdgeName>,
}

impl Said {
    /// Whose turn it is to be named again, of all that are here.
    fn turn(&mut self, mut edges: Vec<EdgeName>) -> Vec<EdgeName> {
        edges.sort_unstable();
        let next = edges.partition_point(|edge| Some(*edge) <= self.last_edge);
        let all = edges.len();
        edges.rotate_left(next % all.max(1));
        let turns = (EDGES_AGAIN.as_millis() / NODE_AGAIN.as_millis()) as usize;
        edges.truncate(all.div_ceil(turns).max(LEAST_TURN));
        self.last_edge = edges.last().copied();
        edges
    }
}

impl Nodes {
    pub(super) fn new(node: NodeId, public: Vec<SocketAddr>) -> Self {
        Self {
            node,
            public,
            tls: Mutex::default(),
            epoch: rand::random(),
            leaving: AtomicBool::new(false),
            is_double: AtomicBool::new(false),
            changed: Mutex::default(),
            wake: Notify::new(),
            records: Mutex::default(),
        }
    }

    /// An edge server came, or went.
    pub fn edge_changed(&self, edge: EdgeName) {
        lock(&self.changed).insert(edge);
        self.wake.notify_one();
    }

    /// Other nodes hand TLS over to this one here; or, when that is on all of its addresses, on this port of those where endpoints reach it: of IPv4 alone, when it
    /// listens on those.
    pub fn take_tls(&self, at: &[SocketAddr]) {
        let reached = |at: &SocketAddr| {
            if !at.ip().is_unspecified() {
                return vec![*at];
            }
            let listens = |public: &&SocketAddr| at.is_ipv6() || public.is_ipv4();
            let public = self.public.iter().filter(listens);
            public.map(|public| SocketAddr::new(public.ip(), at.port())).collect()
        };
        *lock(&self.tls) = at.iter().flat_map(reached).collect();
    }

    /// Where the other nodes take TLS that is handed over to them.
    pub(super) fn tls_of_others(&self) -> Vec<NodeAt> {
        let records = lock(&self.records);
        let others = records.iter().filter(|(node, _)| **node != self.node);
        let at = |(node, record): (&NodeId, &Record)| {
            let node = *node;
            record.tls.clone().into_iter().map(move |at| NodeAt { node, at })
        };
        others.flat_map(at).collect()
    }

    /// This node is about to stop.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
        self.wake.notify_one();
    }

    /// Whether another node has this one's number: then endpoints are sent to the wrong one.
    pub fn is_double(&self) -> bool {
        self.is_double.load(Ordering::Relaxed)
    }

    /// Until there is something to say.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Says what there is to say.
    pub(super) async fn say(
        &self,
        node: &Node,
        connection: &Connection,
        said: &mut Said,
    ) -> Result<(), RedisError> {
        let mut again = Vec::new();
        let is_leaving = self.leaving.load(Ordering::Relaxed);
        if said.node.is_none_or(|when| when.elapsed() >= NODE_AGAIN) || is_leaving {
            let before = self.say_node(connection, is_leaving).await?;
            self.look_for_double(before, said.node.is_none());
            node.set_nodes(self.hear_nodes(connection).await?);
            said.node = Some(Instant::now());
            again = said.turn(node.edges());
        }
        // Whoever has come by now is named below, and nothing of it is lost by an error before.
        let mut edges = std::mem::take(&mut *lock(&self.changed));
        if !std::mem::replace(&mut said.all_edges, true) {
            edges.extend(node.edges());
        }
        again.retain(|edge| !edges.contains(edge));
        let is_lost = self.say_edges(node, connection, again).await?;
        self.say_edges(node, connection, edges).await?;
        if is_lost {
            tracing::warn!("Redis has lost what it was told of edge servers: it is told anew");
            said.all_edges = false;
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Of each whether it is here. Whether Redis did not know it of one that is.
    async fn say_edges(
        &self,
        node: &Node,
        connection: &Connection,
        edges: impl IntoIterator<Item = EdgeName>,
    ) -> Result<bool, RedisError> {
        let says = edges.into_iter().map(|edge| self.say_edge(connection, edge, node.has_edge(&edge)));
        let says = stream::iter(says).buffer_unordered(AT_ONCE);
        says.try_fold(false, async |is_lost, was_known| Ok(is_lost || !was_known)).await
    }

    /// What was said before of the node with this number.
    async fn say_node(
        &self,
        connection: &Connection,
        is_leaving: bool,
    ) -> Result<Option<String>, RedisError> {
        let key = node_key(self.node);
        if is_leaving {
            return connection.query::<()>(cmd("DEL").arg(key)).await.map(|()| None);
        }
        let record = Record { epoch: self.epoch, at: self.public.clone(), tls: lock(&self.tls).clone() };
        let record = serde_json::to_string(&record).expect("numbers and text are JSON");
        let lifetime_ms = NODE_LIFETIME.as_millis() as u64;
        connection.query(cmd("SET").arg(key).arg(record).arg("PX").arg(lifetime_ms).arg("GET")).await
    }

    /// A node finds what it said itself; at first, what an earlier start of it did.
    fn look_for_double(&self, before: Option<String>, is_first: bool) {
        let before = before.and_then(|text| serde_json::from_str::<Record>(&text).ok());
        let other = before.filter(|record| record.epoch != self.epoch && !is_first);
        if let Some(Record { at, .. }) = &other
            && !self.is_double()
        {
            let number = self.node.0;
            tracing::error!(
                number,
                ?at,
                "another node has this node's number: devices are sent to the wrong one"
            );
        }
        self.is_double.store(other.is_some(), Ordering::Relaxed);
    }

    async fn hear_nodes(&self, connection: &Connection) -> Result<Vec<NodeAt>, RedisError> {
        let numbers = || (1..=MOST_NODES).map(NodeId);
        let mut command = cmd("MGET");
        numbers().for_each(|node| {
            command.arg(node_key(node));
        });
        let texts: Vec<Option<String>> = connection.query(&command).await?;
        let (mut nodes, mut records) = (Vec::new(), BTreeMap::new());
        for (node, text) in numbers().zip(texts) {
            let Some(record) = text.and_then(|text| serde_json::from_str::<Record>(&text).ok()) else {
                continue;
            };
            nodes.extend(record.at.iter().map(|at| NodeAt { node, at: *at }));
            records.insert(node, record);
        }
        *lock(&self.records) = records;
        Ok(nodes)
    }

    /// Whether Redis knew something of it, if it is here.
    async fn say_edge(
        &self,
        connection: &Connection,
        edge: EdgeName,
        is_here: bool,
    ) -> Result<bool, RedisError> {
        let key = edge_key(&edge, self.node);
        if !is_here {
            return connection.query::<()>(cmd("DEL").arg(key)).await.map(|()| true);
        }
        let lifetime_ms = EDGE_LIFETIME.as_millis() as u64;
        let mut command = cmd("SET");
        command.arg(key).arg(self.epoch).arg("PX").arg(lifetime_ms).arg("GET");
        connection.query::<Option<u64>>(&command).await.map(|before| before.is_some())
    }

    /// Of these nodes, those at which the edge server is.
    pub(super) async fn of_edge(
        &self,
        connection: &Connection,
        edge: &EdgeName,
        mut nodes: Vec<NodeAt>,
    ) -> Result<Vec<NodeAt>, RedisError> {
        let mut numbers: Vec<NodeId> = nodes.iter().map(|node| node.node).collect();
        numbers.dedup();
        if numbers.is_empty() {
            return Ok(nodes);
        }
        let mut command = cmd("MGET");
        numbers.iter().for_each(|node| {
            command.arg(edge_key(edge, *node));
        });
        let found: Vec<Option<u64>> = connection.query(&command).await?;
        let records = lock(&self.records).clone();
        let here: Vec<NodeId> = numbers
            .into_iter()
            .zip(found)
            .filter(|(node, epoch)| epoch.is_some() && *epoch == records.get(node).map(|record| record.epoch))
            .map(|(node, _)| node)
            .collect();
        nodes.retain(|node| here.contains(&node.node));
        Ok(nodes)
    }
}

fn node_key(node: NodeId) -> String {
    format!("{{tresen}}:node:{}", node.0)
}

fn edge_key(edge: &EdgeName, node: NodeId) -> String {
    format!("tresen:edge:{{{}:{}}}:{}", edge.tenant, edge.edge, node.0)
}

#[cfg(test)]
mod tests {
    use tresen_identity::{Fingerprint, TenantId};

    use super::*;

    /// Promise: other nodes are told no address at which this one does not take TLS.
    #[test]
    fn nobody_is_sent_where_nobody_listens() {
        let at = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let public = vec![at("203.0.113.1:7844"), at("[2001:db8::1]:7844")];
        let nodes = Nodes::new(NodeId(1), public);
        let told = |listens: &str| {
            nodes.take_tls(&[at(listens)]);
            lock(&nodes.tls).clone()
        };
        assert_eq!(told("0.0.0.0:443"), [at("203.0.113.1:443")]);
        assert_eq!(told("[::]:443"), [at("203.0.113.1:443"), at("[2001:db8::1]:443")]);
        assert_eq!(told("10.0.0.1:443"), [at("10.0.0.1:443")]);
    }
    /// Promise: each edge server is named again within half a minute, a few at a time, whoever comes and goes meanwhile.
    #[test]
    fn everybody_is_named_again() {
        let edge = |number: u16| {
            let [high, low] = number.to_be_bytes();
            let mut bytes = [0; 32];
            (bytes[0], bytes[1]) = (high, low);
            EdgeName { tenant: TenantId::from_bytes([1; 16]), edge: Fingerprint::from_bytes(bytes) }
        };
        for many in [0, 1, 64, 65, 1_000, 10_000] {
            let (mut said, mut named) = (Said::default(), BTreeSet::new());
            for turn in 0..15 {
                // The last one has gone by the next time.
                let last = said.last_edge.filter(|_| turn % 2 == 1);
                let again = said.turn((0..many).map(edge).filter(|edge| Some(*edge) != last).collect());
                assert!(again.len() <= 64.max(usize::from(many) / 15 + 1));
                named.extend(again);
            }
            assert_eq!(named.len(), usize::from(many));
        }
    }
}
