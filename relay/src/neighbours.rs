//! The node among the others of its relay: where endpoints may go when they can't stay, or are not where they should be.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use tokio::sync::watch;
use tresen_identity::Fingerprint;
use tresen_path::{EdgeName, FromNode, MAX_NODES, NodeAt, NodeId, Party};

use crate::node::{Node, Settings, lock};

impl Node {
    /// The nodes of the relay that take newcomers, as far as this one knows: each with every address of its own.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeAt> {
        self.nodes.borrow().clone()
    }

    /// The nodes that take newcomers are these.
    pub(crate) fn set_nodes(&self, nodes: Vec<NodeAt>) {
        self.nodes.send_if_modified(|before| {
            let is_new = *before != nodes;
            *before = nodes;
            is_new
        });
    }

    /// The nodes that take newcomers, and whenever they change.
    pub(crate) fn watch_nodes(&self) -> watch::Receiver<Vec<NodeAt>> {
        self.nodes.subscribe()
    }

    /// The nodes at which an edge server is; all of them when that can't be told now.
    pub(crate) async fn nodes_of(&self, edge: &EdgeName) -> Vec<NodeAt> {
        let all = self.nodes();
        match &self.common {
            Some(common) => common.nodes_of(edge, all).await,
            None => Vec::new(),
        }
    }

    /// Where TLS for an edge server that is not here can be handed over: nodes, and all addresses of each.
    pub(crate) async fn tls_of(&self, edge: &Fingerprint) -> Vec<(NodeId, Vec<SocketAddr>)> {
        let Some(common) = &self.common else { return Vec::new() };
        let Some(tenant) = self.directory().owner_of(edge) else { return Vec::new() };
        common.tls_of(&EdgeName { tenant, edge: *edge }).await
    }

    /// How an endpoint is told of nodes.
    pub(crate) fn told_of(&self, mut nodes: Vec<NodeAt>) -> FromNode {
        nodes.truncate(MAX_NODES);
        FromNode::Nodes { here: self.number, nodes }
    }

    /// Takes no newcomers any more.
    pub(crate) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
        self.nodes.send_modify(|nodes| nodes.retain(|node| node.node != self.number));
        if let Some(common) = &self.common {
            common.nodes().leave();
        }
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Relaxed)
    }

    /// Whether another node has this one's number.
    pub(crate) fn has_double(&self) -> bool {
        self.common.as_ref().is_some_and(|common| common.nodes().is_double())
    }

    /// Somebody came or went.
    pub(crate) fn party_changed(&self, party: &Party) {
        if let (Party::Edge(edge), Some(common)) = (party, &self.common) {
            common.nodes().edge_changed(*edge);
        }
    }

    /// Edge servers whose control connection is open.
    pub(crate) fn edges(&self) -> Vec<EdgeName> {
        let guests = lock(&self.guests);
        guests
            .keys()
            .filter_map(|party| if let Party::Edge(edge) = party { Some(*edge) } else { None })
            .collect()
    }

    /// Whether an edge server's control connection is open.
    pub(crate) fn has_edge(&self, edge: &EdgeName) -> bool {
        lock(&self.guests).contains_key(&Party::Edge(*edge))
    }
}

/// Where endpoints reach this node; a node that listens on all of a machine's addresses has to be told.
pub(crate) fn own_addresses(settings: &Settings, listen: SocketAddr) -> Vec<NodeAt> {
    let listened = (!listen.ip().is_unspecified()).then_some(listen);
    let own = if settings.public.is_empty() { listened.as_slice() } else { &settings.public };
    own.iter().map(|at| NodeAt { node: settings.node, at: *at }).collect()
}
