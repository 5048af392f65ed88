//! The nodes of the relay at which this server is: two at a time, when the relay has as many, so that its devices go on through one when the other is gone.
//!
//! Invariant: the two places are at different nodes. The first goes wherever the relay's name leads, the second only to a node that the relay has named and that
//! is not the first one's. A server that came to one node twice after all is there once: the node closes the older connection, and that place looks elsewhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tresen_identity::{Admission, Fingerprint, KeyPair, RelayRoute, Secret, TokenId};
use tresen_path::{FromNode, Grant, Knocker, MAX_REVOKED, NodeAt, NodeId, ToNode};
use tresen_reach::{
    Caller, Control, ControlFailed, Node, OwnIds, OwnPacket, Reached, Seen, Socket, gone as tunnel_gone,
    keep_knocking, moves, own_packets, resolve,
};

use super::let_in::LetIn;
use super::{Door, hear_of_public, may_call, now_s};
use crate::net::passed::{self, Passed};
use crate::paths::{self, Paths};
use crate::site::Site;

/// Nodes at a time.
pub const PLACES: usize = 2;

/// From one attempt to reach the relay to the next: the first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A pause is so much of what it is, by chance: the servers of a node that went away do not all come back at once.
const JITTER: std::ops::Range<f64> = 0.5..1.5;

/// How long the relay may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// From one message about revoked devices to the next: the relay takes no more from anybody.
const REVOCATION_PAUSE: Duration = Duration::from_secs(1);

/// What is known of the relay's nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Nodes {
    /// As one of them told last.
    told: Vec<NodeAt>,
    taken: [Option<Taken>; PLACES],
}

/// Where a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    at: SocketAddr,
    /// Until the node has said who it is, nobody knows.
    node: Option<NodeId>,
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
    let mapped = crate::port_mapping::keep(&site, &socket, &observed);
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
    was_there: bool,
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
                Some(Absent { why, was_there }) => {
                    pause = if was_there { PAUSES.0 } else { pause };
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
                _ = changes.wait_for(|nodes| nodes.told != told) => {}
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
            Err(why) => Some(Absent { why, was_there: false }),
            Ok(found) => {
                let (at, number) = (found.at, self.number);
                self.nodes.send_modify(|nodes| nodes.taken[number] = Some(Taken { at, node: None }));
                self.site.relay.set(number, found.reached.at);
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
            match tokio::time::timeout(PATIENCE, self.register(at)).await {
                Ok(Ok((reached, FromNode::Granted { grant, second_port, .. }))) => {
                    // Behind a tunnel there is no NAT box to look at.
                    let second_port = second_port.filter(|_| reached.tunnel.is_none());
                    let node = Node::new(reached.at, second_port);
                    return Ok(Found { at, node, reached, grant });
                }
                Ok(Ok(_)) => {
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

    async fn register(&self, at: SocketAddr) -> Result<(Reached, FromNode), ControlFailed> {
        let mut reached = self.caller().call(at).await?;
        reached.control.say(&ToNode::Register(self.route.tenant)).await?;
        let answer = reached.control.hear().await?;
        Ok((reached, answer))
    }

    fn caller(&self) -> Caller<'a> {
        Caller::new(self.route, &self.reach.endpoint, &self.reach.socket, self.key)
    }

    async fn serve(&mut self, found: Found) -> Absent {
        let gone = |why: &str| Absent { why: why.to_owned(), was_there: true };
        let Found { at, node, reached, grant } = found;
        let Reached { mut control, mut tunnel, .. } = reached;
        let Some(knocker) = Knocker::new(&grant, &Secret::new(rand::random())) else {
            return gone("it granted nothing");
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
        let has_tunnel = tunnel.is_some();
        let caller = self.caller();
        let passes = control.passes(passed::MOST);
        let knocking = keep_knocking(socket, node, knocker, &mut self.answers, &mut moved, observed);
        tokio::select! {
            heard = talk.answer_calls(&mut control, &mut self.let_in) => match heard {
                Ok(()) => gone("it is about to stop"),
                Err(error) => gone(&error.to_string()),
            },
            () = self.passed.serve(passes) => gone("its control connection is gone"),
            () = knocking => gone("the socket is gone"),
            _ = seen.wait_for(Option::is_none) => gone("it does not answer knocks"),
            () = tunnel_gone(&mut tunnel) => gone("the tunnel to it is gone"),
            () = caller.better(at, has_tunnel) => gone("UDP gets there"),
        }
    }
}

/// A node that took this server.
struct Found {
    at: SocketAddr,
    node: Node,
    reached: Reached,
    grant: Box<Grant>,
}

/// What is said at a place.
struct Talk<'a> {
    site: &'a Site,
    route: &'a RelayRoute,
    key: &'a KeyPair,
    nodes: &'a watch::Sender<Nodes>,
    number: usize,
}

impl Talk<'_> {
    /// Until the node says that it leaves.
    async fn answer_calls(&self, control: &mut Control, let_in: &mut LetIn) -> Result<(), ControlFailed> {
        let mut changes = self.site.registry.watch();
        // Somebody may have been revoked while this server was not there, or have been told into the void.
        let_in.come_back();
        let_in.notice(Instant::now(), now_s(), &self.site.registry.snapshot().devices);
        let mut not_before = Instant::now();
        loop {
            let due = let_in.due().map(|due| due.max(not_before));
            let heard = tokio::select! {
                heard = control.hear() => heard?,
                Ok(()) = changes.changed() => {
                    let_in.notice(Instant::now(), now_s(), &self.site.registry.snapshot().devices);
                    continue;
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.tell_revoked(control, let_in).await?;
                    not_before = Instant::now() + REVOCATION_PAUSE;
                    continue;
                }
            };
            match heard {
                FromNode::Call(device, at) => self.answer(control, let_in, device, at).await?,
                FromNode::Client(device, at) => {
                    tracing::debug!(device = %device.short(), %at, "a device comes through the relay");
                    self.site.relay.vouch(device, at);
                }
                FromNode::Public(place) => hear_of_public(self.site, self.route, place),
                FromNode::Nodes { here, nodes } => self.hear_nodes(here, nodes),
                FromNode::Leaving => return Ok(()),
                FromNode::Refused => return Err(ControlFailed::Closed),
                FromNode::Joined(_) | FromNode::Granted { .. } => {}
            }
        }
    }

    /// Says who is revoked, as many as fit into a message.
    async fn tell_revoked(&self, control: &mut Control, let_in: &mut LetIn) -> Result<(), ControlFailed> {
        let Some((until_s, devices)) = let_in.revoked(Instant::now(), MAX_REVOKED) else { return Ok(()) };
        tracing::info!(devices = devices.len(), "the relay is told who is revoked");
        control.say(&ToNode::Revoke { devices, until_s }).await
    }

    fn hear_nodes(&self, here: NodeId, told: Vec<NodeAt>) {
        self.nodes.send_if_modified(|nodes| {
            let before = nodes.clone();
            nodes.told = told;
            if let Some(taken) = &mut nodes.taken[self.number] {
                taken.node = Some(here);
            }
            *nodes != before
        });
    }

    async fn answer(
        &self,
        control: &mut Control,
        let_in: &mut LetIn,
        device: Fingerprint,
        at: SocketAddr,
    ) -> Result<(), ControlFailed> {
        let Some(lifetime_s) = may_call(self.site, device, at.ip()) else {
            tracing::debug!(device = %device.short(), "a device that is not paired called through the relay");
            return control.say(&ToNode::TurnAway(device)).await;
        };
        let_in.put(device, now_s(), &self.site.registry.snapshot());
        let token = Admission {
            tenant: self.route.tenant,
            edge: self.site.name,
            device,
            issued_s: now_s(),
            lifetime_s,
            id: TokenId(rand::random()),
        };
        control.say(&ToNode::Let(Box::new(token.sign(self.key)))).await
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
