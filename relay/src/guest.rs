//! An endpoint at the node, as its control connection sees it: what it wants, and whether it gets that.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use quinn::Connection;
use thiserror::Error;
use tokio::time::Instant;
use tresen_identity::{Admission, CLOCK_SKEW_S, Fingerprint, Secret, TOKEN_BYTES, TenantId};
use tresen_path::{
    ClientName, ControlError, EdgeName, FromNode, Grant, NoRoom, NodeAt, Party, Refused, Revocation, Subject,
    ToNode,
};

use crate::common::NotChanged;
use crate::control::PATIENCE;
use crate::directory::DirectoryError;
use crate::letters::{Letter, Letters};
use crate::node::Node;

/// Messages a second on one connection, and how many at once; what an edge server answers is not counted.
const MESSAGES: (NonZeroU32, NonZeroU32) = (NonZeroU32::MIN, NonZeroU32::new(8).expect("not zero"));

/// How long an edge server is known after its control connection was last seen alive.
const EDGE_LIFETIME: Duration = Duration::from_secs(90);

/// Why an endpoint is not let in. For the operator's log.
#[derive(Debug, Error)]
pub(crate) enum Unwanted {
    #[error(transparent)]
    Message(#[from] ControlError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    #[error("the edge server is not enrolled with tenant {0}")]
    NotEnrolled(TenantId),
    #[error(transparent)]
    Token(#[from] Refused),
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    #[error(transparent)]
    NotChanged(#[from] NotChanged),
    #[error("its edge server is not here, or the node is about to stop; told of {} other nodes", .0.len())]
    Elsewhere(Vec<NodeAt>),
    #[error("it comes too often")]
    TooOften,
    #[error("its edge server does not know it")]
    TurnedAway,
    #[error("it, or the edge server that it called, says nothing")]
    Silence,
    #[error("it answers calls without being registered as an edge server")]
    NoEdge,
}

/// Where an endpoint is.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Where packets for it go: where it is, or into its tunnel.
    pub(crate) packets: SocketAddr,
    /// Where it is, to whoever counts.
    pub(crate) network: SocketAddr,
}

/// One endpoint's control connection, from its first message to its end.
pub(crate) struct Guest {
    node: Arc<Node>,
    pub(crate) connection: Connection,
    peer: Fingerprint,
    at: Place,
    /// For the node's other connections to talk to this one.
    letters: Letters,
    /// What it is registered as.
    pub(crate) party: Option<Party>,
    /// The edge server whose answer it waits for.
    calls: Option<EdgeName>,
    /// It has to be somebody by then; one that is has all the time it wants.
    pub(crate) until: Option<Instant>,
    rate: DefaultDirectRateLimiter,
}

impl Guest {
    /// Whose handshake is done.
    pub(crate) fn new(
        node: Arc<Node>,
        connection: Connection,
        peer: Fingerprint,
        at: Place,
        letters: Letters,
    ) -> Self {
        Self {
            node,
            connection,
            peer,
            at,
            letters,
            party: None,
            calls: None,
            until: Some(Instant::now() + PATIENCE),
            rate: RateLimiter::direct(Quota::per_second(MESSAGES.0).allow_burst(MESSAGES.1)),
        }
    }

    /// What there is to say to a message.
    ///
    /// # Errors
    /// With the reason for which the connection ends.
    pub(crate) async fn answer(&mut self, message: ToNode) -> Result<Option<FromNode>, Unwanted> {
        let is_answer = matches!(message, ToNode::Let(_) | ToNode::TurnAway(_));
        if !is_answer && self.rate.check().is_err() {
            return Err(Unwanted::TooOften);
        }
        if self.node.is_leaving() && !is_answer && !matches!(message, ToNode::Revoke { .. }) {
            return Err(Unwanted::Elsewhere(self.node.nodes()));
        }
        match message {
            ToNode::Join(secret) => self.join(&secret).await.map(Some),
            ToNode::Register(tenant) => self.register(tenant).map(Some),
            ToNode::Admit(token) => self.admit(token.as_slice()).map(Some),
            ToNode::Call(edge) => self.call(edge).await,
            ToNode::Let(token) => self.answer_call(&token),
            ToNode::TurnAway(device) => {
                let caller = ClientName { edge: self.edge()?, device };
                self.node.take_caller(&caller).map(|caller| caller.try_send(Letter::TurnedAway));
                Ok(None)
            }
            ToNode::Revoke { devices, until_s } => self.revoke(&devices, until_s),
        }
    }

    /// Its edge server's clock may be ahead, but not by so much that it could keep a device out of itself for long.
    fn revoke(&self, devices: &[Fingerprint], until_s: u64) -> Result<Option<FromNode>, Unwanted> {
        let (edge, now_s) = (self.edge()?, self.node.clock.now_s());
        let until_s = until_s.min(now_s.saturating_add(CLOCK_SKEW_S));
        let revocation = |device: &Fingerprint| {
            let subject = Subject::Party(Party::Client(ClientName { edge, device: *device }));
            Revocation { subject, until_s }
        };
        let revocations: Vec<Revocation> = devices.iter().map(revocation).collect();
        // It goes on answering calls, however long Redis and the disk take.
        let (gone, _spreading) = self.node.revoke_all(&revocations);
        tracing::info!(edge = %edge.edge.short(), devices = devices.len(), here = gone.len(), "devices were revoked");
        Ok(None)
    }

    async fn call(&mut self, edge: EdgeName) -> Result<Option<FromNode>, Unwanted> {
        if self.calls.is_some() || !self.node.limits.call(edge) {
            return Err(Unwanted::TooOften);
        }
        let caller = ClientName { edge, device: self.peer };
        self.calls = Some(edge);
        self.node.put_caller(caller, self.letters.clone());
        // A device that nobody answers is refused after a while; one whose box is not here, now.
        self.until = Some(Instant::now() + PATIENCE);
        let is_told = self.node.tell(&Party::Edge(edge), FromNode::Call(self.peer, self.at.network));
        if is_told { Ok(None) } else { Err(Unwanted::Elsewhere(self.node.nodes_of(&edge).await)) }
    }

    fn answer_call(&self, token: &[u8; TOKEN_BYTES]) -> Result<Option<FromNode>, Unwanted> {
        let edge = self.edge()?;
        let admission = Admission::read(token, &[]).map_err(Refused::from)?;
        // Whether the token admits its device, the device's own connection asks.
        let caller = ClientName { edge, device: admission.device };
        if let Some(caller) = self.node.take_caller(&caller) {
            let _ = caller.try_send(Letter::Token(Box::new(*token)));
        }
        Ok(None)
    }

    /// The edge server that it is registered as.
    fn edge(&self) -> Result<EdgeName, Unwanted> {
        match self.party {
            Some(Party::Edge(edge)) => Ok(edge),
            _ => Err(Unwanted::NoEdge),
        }
    }

    fn hang_up(&mut self) {
        if let Some(edge) = self.calls.take() {
            self.node.remove_caller(&ClientName { edge, device: self.peer }, &self.letters);
        }
    }

    async fn join(&mut self, secret: &Secret<32>) -> Result<FromNode, Unwanted> {
        let now_s = self.node.clock.now_s();
        // Whoever guesses costs a look at the own copy, not the common one.
        if !self.node.directory().has_enrolment(secret, now_s) {
            return Err(DirectoryError::Secret.into());
        }
        let enrolled =
            self.node.change_directory(|directory| directory.enrol(secret, self.peer, now_s)).await?;
        let tenant = enrolled.result?;
        self.until = Some(Instant::now() + PATIENCE);
        tracing::info!(edge = %self.peer.short(), %tenant, "an edge server was enrolled");
        Ok(FromNode::Joined(tenant))
    }

    fn register(&mut self, tenant: TenantId) -> Result<FromNode, Unwanted> {
        let edge = EdgeName { tenant, edge: self.peer };
        if !self.node.directory().knows(&edge) {
            return Err(Unwanted::NotEnrolled(tenant));
        }
        self.enter(tenant)?;
        let lifetime_ms = EDGE_LIFETIME.as_millis() as u64;
        let secret = Secret::new(rand::random());
        let now_ms = self.node.clock.now_ms();
        let grant =
            self.node.switch.router_mut().register(now_ms, edge, self.at.packets, lifetime_ms, secret)?;
        // It may have been taken out meanwhile.
        self.still_enrolled(&edge)?;
        Ok(self.granted(Party::Edge(edge), grant, lifetime_ms))
    }

    /// Lets a client in that shows a token.
    pub(crate) fn admit(&mut self, token: &[u8]) -> Result<FromNode, Unwanted> {
        let (now_s, now_ms) = (self.node.clock.now_s(), self.node.clock.now_ms());
        let admitted = self.node.gate().admit(now_s, token, self.peer)?;
        let ClientName { edge, device } = admitted.client;
        self.enter(edge.tenant)?;
        let most = self.node.directory().clients_of(&edge.tenant);
        let secret = Secret::new(rand::random());
        let grant = self.node.switch.router_mut().admit(
            now_ms,
            admitted.client,
            self.at.packets,
            admitted.lifetime_ms,
            most,
            secret,
        )?;
        if let Some(flow) = self.node.switch.router().flow_of(&admitted.client) {
            let rates = self.node.directory().rates_of(&edge.tenant);
            self.node.limits.admit(flow, &admitted.client, self.at.network.ip(), rates);
        }
        // It may have been revoked meanwhile.
        if let Err(refused) = self.node.gate().admit(now_s, token, self.peer) {
            self.node.switch.router_mut().remove(&Subject::Party(Party::Client(admitted.client)));
            return Err(refused.into());
        }
        // The edge server that signed the token is here under this tenant, or there would be no room.
        self.node.tell(&Party::Edge(edge), FromNode::Client(device, grant.observed));
        Ok(self.granted(Party::Client(admitted.client), grant, admitted.lifetime_ms))
    }

    /// Somebody of a tenant wants in.
    fn enter(&self, tenant: TenantId) -> Result<(), Unwanted> {
        let rates = self.node.directory().rates_of(&tenant);
        if self.node.limits.enter(tenant, rates) { Ok(()) } else { Err(Unwanted::TooOften) }
    }

    fn granted(&mut self, party: Party, grant: Grant, lifetime_ms: u64) -> FromNode {
        if self.party.is_some_and(|before| before != party) {
            self.leave();
        }
        self.party = Some(party);
        self.hang_up();
        self.until = None;
        self.node.limits.let_in(self.at.network.ip(), self.peer);
        self.node.introduce(party, &self.connection, self.letters.clone());
        self.node.counters.granted();
        if let (Party::Client(ClientName { edge, .. }), true) = (party, self.node.common.is_some()) {
            // Where to go when this node goes.
            let (node, letters) = (self.node.clone(), self.letters.clone());
            tokio::spawn(async move {
                let mut nodes = node.nodes_of(&edge).await;
                // Its edge server may have come to others by then.
                nodes.extend(
                    node.nodes().into_iter().filter(|other| !nodes.contains(other)).collect::<Vec<_>>(),
                );
                let _ = letters.try_send(Letter::Say(node.told_of(nodes)));
            });
        }
        let lifetime_s = u32::try_from(lifetime_ms / 1000).unwrap_or(u32::MAX);
        FromNode::Granted { grant: Box::new(grant), lifetime_s, second_port: self.node.second_port }
    }

    /// An edge server is known as long as its control connection lives, and it is enrolled.
    pub(crate) fn renew(&self) -> Result<(), Unwanted> {
        if let Some(party @ Party::Edge(edge)) = &self.party {
            self.still_enrolled(edge)?;
            self.node.limits.let_in(self.at.network.ip(), self.peer);
            let (now_ms, lifetime_ms) = (self.node.clock.now_ms(), EDGE_LIFETIME.as_millis() as u64);
            self.node.switch.router_mut().extend(now_ms, party, lifetime_ms);
        }
        Ok(())
    }

    fn still_enrolled(&self, edge: &EdgeName) -> Result<(), Unwanted> {
        if self.node.directory().knows(edge) {
            return Ok(());
        }
        self.node.switch.router_mut().remove(&Subject::Party(Party::Edge(*edge)));
        Err(Unwanted::NotEnrolled(edge.tenant))
    }

    /// Its packets are forwarded until its time is over: it may come again.
    pub(crate) fn leave(&mut self) {
        self.hang_up();
        if let Some(party) = self.party.take() {
            self.node.forget(&party, &self.connection);
        }
    }
}
