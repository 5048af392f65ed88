//! How a client stays known at its relay: it knocks, calls again before its time is over, and goes to another node when the one that it is at leaves or is gone.
//!
//! All nodes derive the same handles, so the connection to the edge server goes on with the ids that it has, from the address that it has.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, Endpoint};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tresen_identity::{KeyPair, RelayRoute, Secret};
use tresen_path::{FromNode, Grant, Knocker, NodeAt, NodeId, ToNode, Way, canonical};

use crate::approach::{Caller, Reached, gone};
use crate::client::NotReached;
use crate::control::Control;
use crate::knocking::{Moved, Node, Seen, keep_knocking, moves};
use crate::resolve::resolve;
use crate::routed::RoutedSocket;
use crate::socket::{OwnPacket, Socket};
use crate::tunnel::Tunnel;

/// How long the relay, and the edge server behind it, may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a node may take to connect when there may be another one.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// A node that does not answer knocks for so long, or for three round trips, is gone.
const KNOCK_PATIENCE: Duration = Duration::from_millis(600);

/// A round trip, as long as none was measured.
const UNKNOWN_RTT: Duration = Duration::from_millis(100);

/// From one doubt about the node to the next.
const DOUBT_PAUSE: Duration = Duration::from_secs(1);

/// Pauses before all nodes are tried again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A pause is so much of what it is, by chance: the clients of a node that went away do not all come back at once.
const JITTER: std::ops::Range<f64> = 0.5..1.5;

/// What a node granted.
pub(crate) struct Granted {
    pub(crate) grant: Box<Grant>,
    pub(crate) lifetime: Duration,
    pub(crate) second_port: Option<NonZeroU16>,
}

impl Granted {
    fn new(grant: Box<Grant>, lifetime_s: u32, second_port: Option<NonZeroU16>) -> Self {
        Self { grant, lifetime: Duration::from_secs(lifetime_s.into()), second_port }
    }
}

/// The nodes at which the edge server is, as the relay told last.
#[derive(Default)]
pub(crate) struct Nodes {
    here: Option<NodeId>,
    told: Vec<NodeAt>,
}

impl Nodes {
    pub(crate) fn hear(&mut self, here: NodeId, told: Vec<NodeAt>) {
        (self.here, self.told) = (Some(here), told);
    }

    /// Where to go from the node at `at`: to other nodes, in any order.
    pub(crate) fn others(&self, at: SocketAddr) -> Vec<SocketAddr> {
        let others = self.told.iter().filter(|node| Some(node.node) != self.here);
        let mut others: Vec<SocketAddr> =
            others.map(|node| canonical(node.at)).filter(|other| *other != canonical(at)).collect();
        let turn = rand::random_range(0..others.len().max(1));
        others.rotate_left(turn);
        others
    }
}

/// What stays at the relay beside the connection itself.
pub(crate) struct Guest {
    pub(crate) socket: Arc<Socket>,
    pub(crate) routed: Arc<RoutedSocket>,
    pub(crate) own: mpsc::Receiver<OwnPacket>,
    pub(crate) control: Control,
    /// Of control connections.
    pub(crate) endpoint: Endpoint,
    /// Of the connection to the edge server.
    pub(crate) carried: Endpoint,
    /// It, as soon as it stands.
    pub(crate) connection: watch::Receiver<Option<Connection>>,
    /// The node.
    pub(crate) at: SocketAddr,
    /// Where packets for it go: there, or into a tunnel.
    pub(crate) through: SocketAddr,
    pub(crate) tunnel: Option<Tunnel>,
    /// Whoever looks at it looks how the node is reached, too.
    pub(crate) way: watch::Sender<Way>,
    pub(crate) nodes: Nodes,
    pub(crate) route: RelayRoute,
    pub(crate) key: KeyPair,
    pub(crate) wish: ToNode,
    pub(crate) observed: watch::Sender<Option<Seen>>,
    pub(crate) knock: mpsc::Sender<Moved>,
    pub(crate) moved: mpsc::Receiver<Moved>,
}

/// Why a client is no longer at a node as it was.
enum Left {
    /// It has another grant there.
    Renewed(Granted),
    /// It has to look for another node.
    Away(&'static str),
    /// It is at the same node by UDP.
    Better(Box<ByUdp>),
    /// Its address has changed, and the tunnel to the node is of the old one. Whoever waits hears when it has another place.
    Moved(Moved),
    /// The socket is gone.
    Gone,
}

/// UDP gets to a node, and the node has said yes there.
struct ByUdp {
    reached: Reached,
    granted: Granted,
    /// What it said of nodes.
    nodes: Nodes,
}

/// Stays as long as the socket lives; the connection may go on past the relay meanwhile.
pub(crate) async fn stay(mut guest: Guest, mut granted: Granted) {
    loop {
        let Some(knocker) = Knocker::new(&granted.grant, &Secret::new(rand::random())) else { return };
        guest.observed.send_replace(Some(Seen::at(granted.grant.observed)));
        // Behind a tunnel there is no NAT box to look at.
        let second_port = granted.second_port.filter(|_| guest.tunnel.is_none());
        let node = Node::new(guest.through, second_port);
        granted = match guest.visit(node, knocker, granted.lifetime / 2).await {
            Left::Renewed(again) => again,
            Left::Away(why) => {
                tracing::info!(at = %guest.at, why, "this device looks for another node of its relay");
                guest.go_on().await
            }
            Left::Better(better) => {
                let ByUdp { reached, granted, nodes } = *better;
                if nodes.here.is_some() {
                    guest.nodes = nodes;
                }
                guest.change_to(guest.at, reached);
                granted
            }
            Left::Moved(waiting) => {
                let granted = guest.go_on().await;
                let _ = waiting.send(());
                granted
            }
            Left::Gone => return,
        };
    }
}

/// Asks a node for what a client wants; what it says of nodes, `nodes` hears.
pub(crate) async fn ask(
    control: &mut Control,
    wish: &ToNode,
    nodes: &mut Nodes,
) -> Result<Granted, NotReached> {
    let asking = async {
        control.say(wish).await?;
        loop {
            match control.hear().await? {
                FromNode::Granted { grant, lifetime_s, second_port } => {
                    return Ok(Granted::new(grant, lifetime_s, second_port));
                }
                FromNode::Nodes { here, nodes: told } => nodes.hear(here, told),
                FromNode::Refused => return Err(NotReached::Refused),
                _ => {}
            }
        }
    };
    timeout(PATIENCE, asking).await.unwrap_or(Err(NotReached::Refused))
}

impl Guest {
    async fn visit(&mut self, node: Node, knocker: Knocker, renewal: Duration) -> Left {
        let mut seen = self.observed.subscribe();
        let (socket, observed) = (self.socket.clone(), self.observed.clone());
        let (node_at, has_tunnel) = (self.at, self.tunnel.is_some());
        let (doubting, mut doubts) = moves();
        let caller = Caller::new(&self.route, &self.endpoint, &self.socket, &self.key);
        // Whoever came by a tunnel knocks in it when in doubt, but not from another address; and hears the node over UDP too, should that get through.
        let (knocks, moved, knock) = if has_tunnel {
            self.routed.listen_to(node_at);
            (&mut doubts, Some(&mut self.moved), &doubting)
        } else {
            (&mut self.moved, None, &self.knock)
        };
        let knocking = keep_knocking(socket, node, knocker, &mut self.own, knocks, observed);
        let (is_asking, mut asking) = watch::channel(false);
        let better = async {
            if has_tunnel {
                better(caller, node_at, &self.wish, &is_asking).await
            } else {
                std::future::pending().await
            }
        };
        let mut better = pin!(better);
        let talking = talk(&mut self.control, &self.wish, renewal, &mut self.nodes);
        let left = tokio::select! {
            () = knocking => Left::Gone,
            left = talking => left,
            () = doubt(&self.routed, &self.connection, knock) => Left::Away("it does not answer any more"),
            _ = seen.wait_for(Option::is_none) => Left::Away("it does not answer knocks"),
            waiting = next(moved) => Left::Moved(waiting),
            () = gone(&mut self.tunnel) => Left::Away("the tunnel to it is gone"),
            better = &mut better => return Left::Better(Box::new(better)),
        };
        // The node closes one control connection when it has taken the other, and may take this one while the first call is renewed.
        let may_be_granted = matches!(left, Left::Away(_) | Left::Renewed(_));
        let better = if may_be_granted { answer(better, &mut asking).await } else { None };
        match better {
            Some(better) => Left::Better(Box::new(better)),
            None if matches!(left, Left::Away(_)) && self.control.is_replaced() => {
                Left::Away("somebody else has come to it with this device's key")
            }
            None => left,
        }
    }

    /// Calls the edge server through another node, or through this one again, as often as it takes.
    async fn go_on(&mut self) -> Granted {
        let mut pause = PAUSES.0;
        loop {
            let mut tried = Vec::new();
            let mut to_try = self.nodes.others(self.at);
            // The name has other addresses, or this node is back.
            let named = resolve(self.route.authority()).await.unwrap_or_default();
            to_try.extend(named.into_iter().map(canonical).chain([canonical(self.at)]));
            while !to_try.is_empty() {
                let at = to_try.remove(0);
                if tried.contains(&at) {
                    continue;
                }
                tried.push(at);
                match self.call(at).await {
                    Ok(granted) => return granted,
                    Err(error) => tracing::debug!(%at, %error, "a node did not take this device"),
                }
                // It may have said where to go.
                to_try.splice(0..0, self.nodes.others(at));
            }
            sleep(pause.mul_f64(rand::random_range(JITTER))).await;
            pause = (2 * pause).min(PAUSES.1);
        }
    }

    async fn call(&mut self, at: SocketAddr) -> Result<Granted, NotReached> {
        self.routed.listen_to(at);
        let caller = Caller::new(&self.route, &self.endpoint, &self.socket, &self.key);
        let reached = timeout(CONNECT_PATIENCE, caller.call(at)).await;
        let mut reached = reached.map_err(|_| NotReached::Silent(at))??;
        let granted = ask(&mut reached.control, &self.wish, &mut self.nodes).await?;
        self.change_to(canonical(at), reached);
        Ok(granted)
    }

    /// Goes on by this way to a node, which has said yes there.
    fn change_to(&mut self, at: SocketAddr, reached: Reached) {
        let Reached { control, at: through, tunnel } = reached;
        (self.control, self.at, self.through, self.tunnel) = (control, at, through, tunnel);
        self.routed.move_to(through);
        self.way.send_modify(|_| {});
        // Sends a packet at once, by which the edge server sees the other way, and what was lost is noticed.
        if let Err(error) = self.carried.rebind_abstract(self.routed.clone()) {
            tracing::warn!(%error, "the socket does not go on");
        }
        tracing::info!(%at, %through, "this device has another way to its relay");
    }
}

/// Waits until a node that was reached by a tunnel is reached by UDP, and says yes there.
async fn better(caller: Caller<'_>, at: SocketAddr, wish: &ToNode, is_asking: &watch::Sender<bool>) -> ByUdp {
    let mut better = caller.better(at);
    loop {
        let (mut reached, mut nodes) = (better.reached().await, Nodes::default());
        is_asking.send_replace(true);
        match ask(&mut reached.control, wish, &mut nodes).await {
            Ok(granted) => return ByUdp { reached, granted, nodes },
            Err(error) => {
                tracing::info!(%at, %error, "the node is reached by UDP, but says no there: this device stays in its tunnel");
            }
        }
        is_asking.send_replace(false);
    }
}

/// What comes of a question that is being asked, for a moment; `None` as soon as the answer is no, and at once when nothing is asked.
async fn answer<T>(better: impl Future<Output = T>, is_asking: &mut watch::Receiver<bool>) -> Option<T> {
    tokio::select! {
        biased;
        _ = is_asking.wait_for(|is| !is) => None,
        better = better => Some(better),
        () = sleep(CONNECT_PATIENCE) => None,
    }
}

/// The next move; without anybody who would say so, never. Whoever does not wait for an answer has not moved: he wants a NAT box to remember the way, and a tunnel
/// does not need that.
async fn next(moved: Option<&mut mpsc::Receiver<Moved>>) -> Moved {
    if let Some(moved) = moved {
        while let Some(waiting) = moved.recv().await {
            if !waiting.is_closed() {
                return waiting;
            }
        }
    }
    std::future::pending().await
}

/// Hears what the node says, and calls again after a while.
async fn talk(control: &mut Control, wish: &ToNode, renewal: Duration, nodes: &mut Nodes) -> Left {
    let mut until = Instant::now() + renewal;
    let mut has_asked = false;
    loop {
        tokio::select! {
            heard = control.hear() => match heard {
                Ok(FromNode::Granted { grant, lifetime_s, second_port }) => {
                    return Left::Renewed(Granted::new(grant, lifetime_s, second_port));
                }
                Ok(FromNode::Nodes { here, nodes: told }) => nodes.hear(here, told),
                Ok(FromNode::Leaving) => return Left::Away("it is about to stop"),
                Ok(FromNode::Refused) => return Left::Away("it refuses this device"),
                Ok(_) => {}
                Err(_) => return Left::Away("its control connection is gone"),
            },
            () = sleep_until(until) => {
                if has_asked || control.say(wish).await.is_err() {
                    return Left::Away("it does not answer a call");
                }
                (has_asked, until) = (true, Instant::now() + PATIENCE);
            }
        }
    }
}

/// Until what is sent through the node gets no answer and neither do knocks.
async fn doubt(
    routed: &RoutedSocket,
    connection: &watch::Receiver<Option<Connection>>,
    knock: &mpsc::Sender<Moved>,
) {
    let rtt = || connection.borrow().as_ref().map_or(UNKNOWN_RTT, Connection::rtt);
    loop {
        routed.unanswered(rtt).await;
        let (known, is_known) = oneshot::channel();
        let patience = KNOCK_PATIENCE.max(3 * rtt());
        let is_there =
            knock.try_send(known).is_err() || matches!(timeout(patience, is_known).await, Ok(Ok(())));
        if is_there {
            routed.heard();
        } else if routed.is_unanswered() {
            return;
        }
        sleep(DOUBT_PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
