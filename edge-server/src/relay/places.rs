//! The nodes of the relay at which this server is: two at a time, when the relay has as many, so that its devices go on through one when the other is gone.
//!
//! Invariant: the two places are at different nodes. The first goes wherever the relay's name leads, the second only to a node that the relay has named and that
//! is not the first one's. A server that came to one node twice after all is there once: the node closes the older connection, and that place looks elsewhere.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tresen_identity::{KeyPair, RelayRoute, Secret, TenantId};
use tresen_path::{FromNode, Grant, Knocker, NodeAt, NodeId, ToNode};
use tresen_reach::{
    Caller, ControlFailed, Node, OwnIds, OwnPacket, Reached, Seen, Socket, Tunnel, gone as tunnel_gone,
    keep_knocking, moves, own_packets, resolve,
};

use super::Door;
use super::let_in::LetIn;
use super::talk::Talk;
use crate::net::passed::{self, Passed};
use crate::paths::{self, Paths};
use crate::site::Site;

/// Nodes at a time.
pub const PLACES: usize = 2;

/// From one attempt to reach the relay to the next: the first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The pause of a server in whose place another one with its key has come: the newest one stays.
const REPLACED_PAUSE: Duration = Duration::from_secs(60);

/// A pause is so much of what it is, by chance: the servers of a node that went away do not all come back at once.
const JITTER: std::ops::Range<f64> = 0.5..1.5;

/// How long the relay may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of the relay's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nodes {
    /// As one of them told last.
    pub(super) told: Vec<NodeAt>,
    pub(super) taken: [Option<Taken>; PLACES],
}

/// Where a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    at: SocketAddr,
    /// Until the node has said who it is, nobody knows.
    pub(super) node: Option<NodeId>,
}

impl Nodes {
    /// Where a place may go; `named` are the addresses of the relay's name.
    fn candidates(&self, place: usize, named: &[SocketAddr]) -> Vec<SocketAddr> {
        let other = self.taken[1 - place];
        let of_other = other.and_then(|other| other.node);
        let is_free = |node: &&NodeAt| Some(node.node) != of_other;
        let is_others = |at: &SocketAddr| {
            let told = self.told.iter().any(|node| Some(node.node) == of_other && node.at == *at);
            told || other.is_some_and(|other| other.at == *at)
        };
        let mut candidates: Vec<SocketAddr> = self.told.iter().filter(is_free).map(|node| node.at).collect();
        if place == 0 {
            candidates.extend(named.iter().copied());
        } else if of_other.is_none() {
            candidates.clear();
        }
        candidates.retain(|at| !is_others(at));
        candidates
    }
}

/// The socket, as nodes are reached from it.
struct Reach {
    endpoint: quinn::Endpoint,
    socket: Arc<Socket>,
    ids: OwnIds,
}

/// Is at the relay until the server stops.
pub async fn keep(
    site: Arc<Site>,
    route: RelayRoute,
    key: KeyPair,
    door: Door,
    probes: mpsc::Receiver<OwnPacket>,
    passed: Arc<Passed>,
) {
    let (seen, observed): (Vec<_>, Vec<_>) = (0..PLACES).map(|_| watch::channel(None)).unzip();
    let Door { endpoint, socket, ids, knocks } = door;
    let mapped = crate::port_mapping::keep(&site, &key, &socket, &observed);
    let (paths, running) = Paths::new(paths::Means { socket: socket.clone(), probes, observed, mapped });
    let reach = Reach { endpoint, socket, ids };
    let _ = site.relay.paths.set(paths);
    let (answers, [first, second]) = {
        let [(first_in, first), (second_in, second)] = [own_packets(), own_packets()];
        ([first_in, second_in], [first, second])
    };
    let nodes = watch::channel(Nodes::default()).0;
    let place = |number: usize, answers| Place {
        site: &site,
        route: &route,
        key: &key,
        reach: &reach,
        passed: &passed,
        nodes: &nodes,
        number,
        answers,
        observed: &seen[number],
        let_in: LetIn::default(),
    };
    let (mut first, mut second) = (place(0, first), place(1, second));
    let staying = async { tokio::join!(first.stay(), second.stay(), running, sort(knocks, &answers)) };
    site.shutdown.run_until_cancelled(staying).await;
}

/// Gives answers to knocks to all places: each knows those of its node.
async fn sort(mut knocks: mpsc::Receiver<OwnPacket>, answers: &[mpsc::Sender<OwnPacket>; PLACES]) {
    while let Some(OwnPacket { socket, from, datagram }) = knocks.recv().await {
        for place in answers {
            // Without room it is lost, as on any network.
            let _ = place.try_send(OwnPacket { socket, from, datagram: datagram.clone() });
        }
    }
}

/// One of the places.
struct Place<'a> {
    site: &'a Site,
    route: &'a RelayRoute,
    key: &'a KeyPair,
    reach: &'a Reach,
    passed: &'a Arc<Passed>,
    nodes: &'a watch::Sender<Nodes>,
    number: usize,
    answers: mpsc::Receiver<OwnPacket>,
    observed: &'a watch::Sender<Option<Seen>>,
    let_in: LetIn,
}

/// Why a place is empty again.
struct Absent {
    why: String,
    /// Before the next attempt; none: longer than before this one.
    pause: Option<Duration>,
}

impl<'a> Place<'a> {
    async fn stay(&mut self) {
        let mut pause = PAUSES.0;
        loop {
            let mut changes = self.nodes.subscribe();
            let told = changes.borrow_and_update().told.clone();
            match self.visit().await {
                None => {
                    let _ = changes.changed().await;
                    continue;
                }
                Some(Absent { why, pause: next }) => {
                    pause = next.unwrap_or(pause);
                    let relay = self.route.authority();
                    tracing::warn!(
                        relay,
                        place = self.number,
                        why,
                        "not at a node of the relay; trying again"
                    );
                }
            }
            tokio::select! {
                () = tokio::time::sleep(pause.mul_f64(rand::random_range(JITTER))) => {}
                // There may be a new node to go to.
                _ = changes.wait_for(|nodes| nodes.told != told), if pause <= PAUSES.1 => {}
            }
            pause = (2 * pause).min(PAUSES.1);
        }
    }

    /// Registers at a node, and answers calls until it leaves or is lost. `None`: there is no node to go to.
    async fn visit(&mut self) -> Option<Absent> {
        let named = match self.number {
            0 => resolve(self.route.authority()).await.unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut candidates = self.nodes.borrow().candidates(self.number, &named);
        if candidates.is_empty() && self.number > 0 {
            return None;
        }
        // Not all servers at the same node.
        let turn = rand::random_range(0..candidates.len().max(1));
        candidates.rotate_left(turn);
        match self.find(&candidates).await {
            Err(why) => Some(Absent { why, pause: None }),
            Ok(found) => {
                let (at, number) = (found.at, self.number);
                self.nodes.send_modify(|nodes| nodes.taken[number] = Some(Taken { at, node: None }));
                let gone = self.serve(found).await;
                self.nodes.send_modify(|nodes| nodes.taken[number] = None);
                self.observed.send_replace(None);
                Some(gone)
            }
        }
    }

    async fn find(&self, candidates: &[SocketAddr]) -> Result<Found, String> {
        let mut why = "it has no address of a kind that this server has".to_owned();
        for at in candidates.iter().copied() {
            if !self.reach.socket.reaches(at) {
                continue;
            }
            let caller = self.caller();
            let registering = async { register(at, caller.call(at).await?, self.route.tenant).await };
            match tokio::time::timeout(PATIENCE, registering).await {
                Ok(Ok(Some(found))) => return Ok(found),
                Ok(Ok(None)) => {
                    why = format!(
                        "{at} refuses this server: if it goes on so, join again with a new enrolment"
                    );
                }
                Ok(Err(error)) => why = format!("{at}: {error}"),
                Err(_) => why = format!("{at} does not answer"),
            }
        }
        Err(why)
    }

    fn caller(&self) -> Caller<'a> {
        Caller::new(self.route, &self.reach.endpoint, &self.reach.socket, self.key)
    }

    /// Is at a node until it leaves or is lost; by UDP as soon as that gets there.
    async fn serve(&mut self, mut found: Found) -> Absent {
        // What sessions still send into a tunnel that was left goes on to the node.
        let mut left_tunnel: Option<Tunnel>;
        loop {
            self.site.relay.set(self.number, found.reached.at);
            match self.serve_at(&mut found).await {
                Left::Gone(absent) => return absent,
                Left::Better(better) => {
                    left_tunnel = found.reached.tunnel.take();
                    left_tunnel.iter().for_each(|tunnel| tunnel.leave_for(better.reached.at));
                    found = *better;
                }
            }
        }
    }

    async fn serve_at(&mut self, found: &mut Found) -> Left {
        let gone = |why: &str| Absent { why: why.to_owned(), pause: Some(PAUSES.0) };
        let Found { at, node, reached: Reached { control, tunnel, .. }, grant } = found;
        let Some(knocker) = Knocker::new(grant, &Secret::new(rand::random())) else {
            return Left::Gone(gone("it granted nothing"));
        };
        self.reach.ids.set(&grant.own_handles);
        tracing::info!(relay = self.route.authority(), place = self.number, %at, observed = %grant.observed, tls = tunnel.is_some(), "at the relay");
        let (_moves, mut moved) = moves();
        self.observed.send_replace(Some(Seen::at(grant.observed)));
        let mut seen = self.observed.subscribe();
        let (socket, observed) = (self.reach.socket.clone(), self.observed.clone());
        let talk = Talk {
            site: self.site,
            route: self.route,
            key: self.key,
            nodes: self.nodes,
            number: self.number,
        };
        let (caller, tenant, has_tunnel) = (self.caller(), self.route.tenant, tunnel.is_some());
        let is_registering = AtomicBool::new(false);
        let better = async {
            if has_tunnel {
                better(caller, *at, tenant, &is_registering).await
            } else {
                std::future::pending().await
            }
        };
        let mut better = pin!(better);
        let passes = control.passes(passed::MOST);
        let knocking = keep_knocking(socket, *node, knocker, &mut self.answers, &mut moved, observed);
        let absent = tokio::select! {
            found = &mut better => return Left::Better(Box::new(found)),
            heard = talk.answer_calls(control, &mut self.let_in) => match heard {
                Ok(()) => gone("it is about to stop"),
                Err(error) => gone(&error.to_string()),
            },
            () = self.passed.serve(passes) => gone("its control connection is gone"),
            () = knocking => gone("the socket is gone"),
            _ = seen.wait_for(Option::is_none) => gone("it does not answer knocks"),
            () = tunnel_gone(tunnel) => gone("the tunnel to it is gone"),
        };
        // The node closes one control connection when it has taken the other.
        let was_registering = is_registering.load(Ordering::Relaxed);
        if was_registering && let Ok(found) = tokio::time::timeout(PATIENCE, better).await {
            return Left::Better(Box::new(found));
        }
        if control.is_replaced() && !was_registering && !self.met_itself().await {
            // Two that came again at once would send each other away for ever.
            let why = "another server with the same key has taken its place: stop one of them".to_owned();
            return Left::Gone(Absent { why, pause: Some(REPLACED_PAUSE) });
        }
        Left::Gone(absent)
    }

    /// Whether it was this server's other place that has come to the same node, by an address that nobody had told; when it has had time to hear where it is.
    async fn met_itself(&self) -> bool {
        tokio::time::sleep(PAUSES.0).await;
        let nodes = self.nodes.borrow();
        let [here, there] = [self.number, 1 - self.number].map(|number| nodes.taken[number]);
        there.is_some_and(|there| there.node.is_none() || there.node == here.and_then(|here| here.node))
    }
}

/// How a place at a node ends.
enum Left {
    Gone(Absent),
    /// It is at the same node by UDP.
    Better(Box<Found>),
}

/// A node that took this server.
struct Found {
    at: SocketAddr,
    node: Node,
    reached: Reached,
    grant: Box<Grant>,
}

/// Registers at a node that was reached; `None`: it refuses.
async fn register(
    at: SocketAddr,
    mut reached: Reached,
    tenant: TenantId,
) -> Result<Option<Found>, ControlFailed> {
    reached.control.say(&ToNode::Register(tenant)).await?;
    let FromNode::Granted { grant, second_port, .. } = reached.control.hear().await? else {
        return Ok(None);
    };
    // Behind a tunnel there is no NAT box to look at.
    let node = Node::new(reached.at, second_port.filter(|_| reached.tunnel.is_none()));
    Ok(Some(Found { at, node, reached, grant }))
}

/// Waits until a node that was reached by a tunnel is reached by UDP, and registers by it.
async fn better(caller: Caller<'_>, at: SocketAddr, tenant: TenantId, is_registering: &AtomicBool) -> Found {
    let mut better = caller.better(at);
    loop {
        let reached = better.reached().await;
        is_registering.store(true, Ordering::Relaxed);
        if let Ok(Ok(Some(found))) = tokio::time::timeout(PATIENCE, register(at, reached, tenant)).await {
            return found;
        }
        is_registering.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: the two places are never at one node, whatever the relay's name and the nodes say; without a second node the second place stays empty.
    #[test]
    fn places_are_at_different_nodes() {
        let at = |last: u8| SocketAddr::from(([192, 0, 2, last], 7844));
        let node = |number: u32, last: u8| NodeAt { node: NodeId(number), at: at(last) };
        let taken = |number: Option<u32>, last: u8| Some(Taken { at: at(last), node: number.map(NodeId) });
        let mut nodes = Nodes::default();
        assert_eq!(nodes.candidates(0, &[at(1), at(2)]), [at(1), at(2)]);
        assert!(nodes.candidates(1, &[]).is_empty());
        nodes.taken[0] = taken(None, 9);
        nodes.told = vec![node(1, 1), node(1, 11), node(2, 2)];
        assert!(nodes.candidates(1, &[]).is_empty(), "it may be any of them");
        nodes.taken[0] = taken(Some(1), 9);
        assert_eq!(nodes.candidates(1, &[]), [at(2)]);
        nodes.taken = [None, taken(Some(2), 2)];
        assert_eq!(nodes.candidates(0, &[at(1), at(2), at(3)]), [at(1), at(11), at(1), at(3)]);
        nodes.told = vec![node(2, 2)];
        assert!(nodes.candidates(0, &[at(2)]).is_empty());
    }
}
