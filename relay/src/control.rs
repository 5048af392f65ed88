//! Control connections: endpoints prove who they are and where, and get what they need to be forwarded.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use rustls_pki_types::CertificateDer;
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tresen_identity::{
    Admission, CLOCK_SKEW_S, Fingerprint, Secret, TOKEN_BYTES, TenantId, fingerprint_of_certificate,
};
use tresen_path::{
    ClientName, ControlBuffer, ControlError, EdgeName, FromNode, Grant, NoRoom, Party, Refused, Revocation,
    Subject, ToNode,
};

use crate::common::NotChanged;
use crate::directory::DirectoryError;
use crate::node::Node;

/// How long an endpoint may take for the handshake, for its stream, and then to become somebody; an edge server, to answer a call.
const PATIENCE: Duration = Duration::from_secs(5);

/// Messages a second on one connection, and how many at once; what an edge server answers is not counted.
const MESSAGES: (NonZeroU32, NonZeroU32) = (NonZeroU32::MIN, NonZeroU32::new(8).expect("not zero"));

/// With more handshakes than this under way, an endpoint must show that its address is its own before anything is computed for it.
const UNVALIDATED_HANDSHAKES: usize = 64;

/// Messages for one endpoint that may wait; one that does not read is let go.
const WAITING: usize = 256;

/// How long an edge server is known after its control connection was last seen alive.
const EDGE_LIFETIME: Duration = Duration::from_secs(90);

/// How often that is looked at.
const EDGE_RENEWAL: Duration = Duration::from_secs(30);

/// Longest pause before a control connection that is closed has delivered its last message.
const FAREWELL: Duration = Duration::from_secs(1);

/// What control connections are closed with; endpoints learn no reason.
pub(crate) const CLOSED: VarInt = VarInt::from_u32(1);

/// Why an endpoint is not let in. For the operator's log.
#[derive(Debug, Error)]
enum Unwanted {
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
    #[error("the disk refuses: {0}")]
    Disk(#[from] std::io::Error),
    #[error(transparent)]
    NotChanged(#[from] NotChanged),
    #[error("it comes too often")]
    TooOften,
    #[error("its edge server does not know it")]
    TurnedAway,
    #[error("it, or the edge server that it called, says nothing")]
    Silence,
    #[error("it answers calls without being registered as an edge server")]
    NoEdge,
}

/// Serves control connections until the endpoint is closed.
pub async fn serve(node: Arc<Node>, endpoint: Endpoint) {
    let connections = TaskTracker::new();
    while let Some(incoming) = endpoint.accept().await {
        if !incoming.remote_address_validated() && connections.len() > node.settled() + UNVALIDATED_HANDSHAKES
        {
            let _ = incoming.retry();
            continue;
        }
        if connections.len() >= node.most_connections() {
            incoming.refuse();
            continue;
        }
        let node = node.clone();
        connections.spawn(async move {
            let at = incoming.remote_address();
            let shaken = async { incoming.accept()?.await };
            match tokio::time::timeout(PATIENCE, shaken).await {
                Ok(Ok(connection)) => attend(&node, connection).await,
                Ok(Err(error)) => tracing::debug!(%at, %error, "a handshake failed"),
                Err(_) => tracing::debug!(%at, "a handshake took too long"),
            }
        });
    }
    connections.close();
    let _ = tokio::time::timeout(FAREWELL, connections.wait()).await;
}

/// What one of the node's connections has for another one.
pub(crate) enum Letter {
    /// To be said.
    Say(FromNode),
    /// An edge server's token for the client that called it.
    Token(Box<[u8; TOKEN_BYTES]>),
    /// The edge server does not know the client that called it.
    TurnedAway,
}

/// One endpoint's control connection, from its first message to its end.
struct Guest {
    node: Arc<Node>,
    connection: Connection,
    peer: Fingerprint,
    at: SocketAddr,
    /// For the node's other connections to talk to this one.
    letters: mpsc::Sender<Letter>,
    /// What it is registered as.
    party: Option<Party>,
    /// The edge server whose answer it waits for.
    calls: Option<EdgeName>,
    /// It has to be somebody by then; one that is has all the time it wants.
    until: Option<Instant>,
    rate: DefaultDirectRateLimiter,
}

async fn attend(node: &Arc<Node>, connection: Connection) {
    let at = connection.remote_address();
    let Some(peer) = peer(&connection) else { return };
    if !node.may_connect(at.ip()) {
        refuse(node, peer, at, &Unwanted::TooOften);
        connection.close(CLOSED, b"");
        return;
    }
    let _settled = node.settle();
    let Ok(Ok((mut send, mut receive))) = tokio::time::timeout(PATIENCE, connection.accept_bi()).await else {
        return;
    };
    let (letters, mut waiting) = mpsc::channel(WAITING);
    let mut guest = Guest {
        node: node.clone(),
        connection,
        peer,
        at,
        letters,
        party: None,
        calls: None,
        until: Some(Instant::now() + PATIENCE),
        rate: RateLimiter::direct(Quota::per_second(MESSAGES.0).allow_burst(MESSAGES.1)),
    };
    let mut renewal = tokio::time::interval(EDGE_RENEWAL);
    let mut pending = ControlBuffer::default();
    loop {
        let answer = tokio::select! {
            message = next(&mut receive, &mut pending) => match message {
                None => break,
                Some(Ok(message)) => guest.answer(message).await,
                Some(Err(error)) => Err(error.into()),
            },
            letter = waiting.recv() => match letter {
                None => break,
                Some(Letter::Say(letter)) => Ok(Some(letter)),
                Some(Letter::Token(token)) => guest.admit(token.as_slice()).map(Some),
                Some(Letter::TurnedAway) => Err(Unwanted::TurnedAway),
            },
            _ = renewal.tick() => guest.renew().map(|()| None),
            () = tokio::time::sleep_until(guest.until.unwrap_or_else(Instant::now)), if guest.until.is_some() => {
                Err(Unwanted::Silence)
            }
        };
        match answer {
            Ok(None) => {}
            Ok(Some(answer)) => {
                if say(&mut send, &answer).await.is_none() {
                    break;
                }
            }
            Err(unwanted) => {
                refuse(node, peer, at, &unwanted);
                let _ = say(&mut send, &FromNode::Refused).await;
                farewell(&mut send, &guest.connection).await;
                break;
            }
        }
    }
    guest.leave();
}

impl Guest {
    async fn answer(&mut self, message: ToNode) -> Result<Option<FromNode>, Unwanted> {
        let is_answer = matches!(message, ToNode::Let(_) | ToNode::TurnAway(_));
        if !is_answer && self.rate.check().is_err() {
            return Err(Unwanted::TooOften);
        }
        match message {
            ToNode::Join(secret) => self.join(&secret).await.map(Some),
            ToNode::Register(tenant) => self.register(tenant).map(Some),
            ToNode::Admit(token) => self.admit(token.as_slice()).map(Some),
            ToNode::Call(edge) => self.call(edge),
            ToNode::Let(token) => self.answer_call(&token),
            ToNode::TurnAway(device) => {
                let caller = ClientName { edge: self.edge()?, device };
                self.node.take_caller(&caller).map(|caller| caller.try_send(Letter::TurnedAway));
                Ok(None)
            }
            ToNode::Revoke { devices, until_s } => self.revoke(&devices, until_s).await,
        }
    }

    /// Its edge server's clock may be ahead, but not by so much that it could keep a device out of itself for long.
    async fn revoke(&self, devices: &[Fingerprint], until_s: u64) -> Result<Option<FromNode>, Unwanted> {
        let (edge, now_s) = (self.edge()?, self.node.clock.now_s());
        let until_s = until_s.min(now_s.saturating_add(CLOCK_SKEW_S));
        for device in devices {
            let subject = Subject::Party(Party::Client(ClientName { edge, device: *device }));
            let gone = self.node.revoke(Revocation { subject, until_s }).await?;
            tracing::info!(edge = %edge.edge.short(), device = %device.short(), here = gone.len(), "a device was revoked");
        }
        Ok(None)
    }

    fn call(&mut self, edge: EdgeName) -> Result<Option<FromNode>, Unwanted> {
        if self.calls.is_some() {
            return Err(Unwanted::TooOften);
        }
        let caller = ClientName { edge, device: self.peer };
        self.calls = Some(edge);
        self.node.put_caller(caller, self.letters.clone());
        // A device that nobody answers is refused after a while; one whose box is not here, now.
        self.until = Some(Instant::now() + PATIENCE);
        let is_told = self.node.tell(&Party::Edge(edge), FromNode::Call(self.peer));
        if is_told { Ok(None) } else { Err(NoRoom::UnknownEdge.into()) }
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
        let tenant =
            self.node.change_directory(|directory| directory.enrol(secret, self.peer, now_s)).await??;
        self.until = Some(Instant::now() + PATIENCE);
        tracing::info!(edge = %self.peer.short(), %tenant, "an edge server was enrolled");
        Ok(FromNode::Joined(tenant))
    }

    fn register(&mut self, tenant: TenantId) -> Result<FromNode, Unwanted> {
        let edge = EdgeName { tenant, edge: self.peer };
        if !self.node.directory().knows(&edge) {
            return Err(Unwanted::NotEnrolled(tenant));
        }
        let lifetime_ms = EDGE_LIFETIME.as_millis() as u64;
        let secret = Secret::new(rand::random());
        let now_ms = self.node.clock.now_ms();
        let grant = self.node.switch.router_mut().register(now_ms, edge, self.at, lifetime_ms, secret)?;
        // It may have been taken out meanwhile.
        self.still_enrolled(&edge)?;
        Ok(self.granted(Party::Edge(edge), grant, lifetime_ms))
    }

    fn admit(&mut self, token: &[u8]) -> Result<FromNode, Unwanted> {
        let (now_s, now_ms) = (self.node.clock.now_s(), self.node.clock.now_ms());
        let admitted = self.node.gate().admit(now_s, token, self.peer)?;
        let ClientName { edge, device } = admitted.client;
        let most = self.node.directory().clients_of(&edge.tenant);
        let secret = Secret::new(rand::random());
        let grant = self.node.switch.router_mut().admit(
            now_ms,
            admitted.client,
            self.at,
            admitted.lifetime_ms,
            most,
            secret,
        )?;
        // It may have been revoked meanwhile.
        if let Err(refused) = self.node.gate().admit(now_s, token, self.peer) {
            self.node.switch.router_mut().remove(&Subject::Party(Party::Client(admitted.client)));
            return Err(refused.into());
        }
        // The edge server that signed the token is here under this tenant, or there would be no room.
        self.node.tell(&Party::Edge(edge), FromNode::Client(device, grant.observed));
        Ok(self.granted(Party::Client(admitted.client), grant, admitted.lifetime_ms))
    }

    fn granted(&mut self, party: Party, grant: Grant, lifetime_ms: u64) -> FromNode {
        if self.party.is_some_and(|before| before != party) {
            self.leave();
        }
        self.party = Some(party);
        self.hang_up();
        self.until = None;
        self.node.introduce(party, &self.connection, self.letters.clone());
        self.node.counters.granted();
        let lifetime_s = u32::try_from(lifetime_ms / 1000).unwrap_or(u32::MAX);
        FromNode::Granted { grant: Box::new(grant), lifetime_s, second_port: self.node.second_port }
    }

    /// An edge server is known as long as its control connection lives, and it is enrolled.
    fn renew(&self) -> Result<(), Unwanted> {
        if let Some(party @ Party::Edge(edge)) = &self.party {
            self.still_enrolled(edge)?;
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
    fn leave(&mut self) {
        self.hang_up();
        if let Some(party) = self.party.take() {
            self.node.forget(&party, &self.connection);
        }
    }
}

/// The next message; `None` when there will be none. May be dropped and called again.
async fn next(receive: &mut RecvStream, pending: &mut ControlBuffer) -> Option<Result<ToNode, ControlError>> {
    loop {
        if let Some(message) = pending.next(ToNode::decode).transpose() {
            return Some(message);
        }
        pending.push(&receive.read_chunk(usize::MAX, true).await.ok()??.bytes);
    }
}

async fn say(send: &mut SendStream, message: &FromNode) -> Option<()> {
    // One that does not read is let go.
    tokio::time::timeout(PATIENCE, send.write_all(&message.encode())).await.ok()?.ok()
}

/// Waits a moment, so that the last message arrives before the connection closes.
async fn farewell(send: &mut SendStream, connection: &Connection) {
    let _ = send.finish();
    let _ = tokio::time::timeout(FAREWELL, send.stopped()).await;
    connection.close(CLOSED, b"");
}

fn refuse(node: &Node, peer: Fingerprint, at: SocketAddr, why: &Unwanted) {
    node.counters.refused();
    tracing::warn!(%at, peer = %peer.short(), %why, "an endpoint was refused");
}

fn peer(connection: &Connection) -> Option<Fingerprint> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast_ref::<Vec<CertificateDer<'static>>>()?;
    fingerprint_of_certificate(chain.first()?).ok()
}
