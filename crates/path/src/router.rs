//! Routing at a relay: what to do with a datagram.
//!
//! Invariants:
//! - Packets go from a client to its edge server, and from an edge server to its clients; never from or to anybody else, so never between tenants.
//! - Where a party is, is learned when it is admitted (its control connection proved the address) and from its knocks; never from packets.
//! - Whatever comes in leaves at most once, unchanged and to one address: nothing is amplified.
//! - The table is bounded, entries end with their admission, and a full table refuses newcomers.
//!
//! [`Router::route`] takes `&self` and touches no clock and no heap: a shell may call it from several threads and for whole batches. All else
//! changes the table and belongs to one owner.

use std::net::SocketAddr;

use thiserror::Error;
use tresen_identity::{Secret, TenantId};

use crate::cid::{ClientName, EdgeName, Handle, NodeId, Party, RoutingKey};
use crate::knock::{self, Answer, Cookie, KNOCK_BYTES, Knock, Look, Proven};
use crate::packet::{Form, Packet, Unreadable};
use crate::parties::{Arrival, Index, Parties, Record};
use crate::{address, limits};

/// How many parties a node takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Edge servers.
    pub edges: usize,
    /// Clients of all of them.
    pub clients: usize,
    /// Clients of one edge server.
    pub clients_of_edge: usize,
}

/// A client's way through the node, for counters and limits of the shell: small numbers, used again after the client has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlowId(pub usize);

/// What to do with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send it there, unchanged.
    Forward {
        /// The address.
        to: SocketAddr,
        /// Whose bytes they are: the client's, in both directions.
        flow: FlowId,
    },
    /// It belongs to the relay's own QUIC endpoint.
    Control,
    /// Give it to [`Router::knock`].
    Knock,
    /// Forget it, and count the reason. No answer.
    Drop(DropReason),
}

/// Why a datagram is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DropReason {
    /// No packet that a relay carries.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Nobody has this connection id.
    #[error("nobody has this connection id")]
    UnknownId,
    /// Nobody is known at the sender's address.
    #[error("nobody is known at the sender's address")]
    UnknownSender,
    /// These two may not talk to each other.
    #[error("the sender may not reach this party")]
    NotAllowed,
    /// The admission of one of them is over.
    #[error("the admission is over")]
    Expired,
    /// The receiver's address was taken over by somebody else.
    #[error("the receiver's address is not known")]
    NoAddress,
    /// A knock that was not sealed by the party that it names, or not in order.
    #[error("the knock is forged or was seen before")]
    BadKnock,
}

/// Why a party was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoRoom {
    /// The edge server is not at this node.
    #[error("the edge server is not at this node")]
    UnknownEdge,
    /// The node has all the edge servers that it takes.
    #[error("the node has all the edge servers that it takes")]
    Edges,
    /// The node has all the clients that it takes.
    #[error("the node has all the clients that it takes")]
    Clients,
    /// The edge server has all the clients that it may have here.
    #[error("the edge server has all the clients that it may have at one node")]
    ClientsOfEdge,
    /// The tenant has all the clients that it may have here.
    #[error("the tenant has all the clients that it may have at one node")]
    ClientsOfTenant,
}

/// What a party gets when it is taken, over its control connection. No `Debug`.
pub struct Grant {
    /// For the ids that it issues.
    pub own_handles: Vec<Handle>,
    /// For the first ids of its connections to the edge server; an edge server has none.
    pub edge_handles: Vec<Handle>,
    /// For its knocks.
    pub knock_secret: Secret<32>,
    /// How it looks from outside.
    pub observed: SocketAddr,
}

/// What came of a knock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Knocked {
    /// To be sent to where the knock came from.
    pub answer: [u8; KNOCK_BYTES],
    /// Who was proven to be there, when that is new.
    pub moved: Option<Party>,
}

/// Whom something is about: a revocation, mostly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Everything of a tenant.
    Tenant(TenantId),
    /// An edge server with its clients, or a client.
    Party(Party),
}

/// The routing of one node.
pub struct Router {
    key: RoutingKey,
    node_handles: Vec<Handle>,
    cookie_key: Secret<32>,
    capacity: Capacity,
    parties: Parties,
}

impl Router {
    /// Of a node that nobody has come to yet.
    #[must_use]
    pub fn new(key: RoutingKey, node: NodeId, capacity: Capacity) -> Self {
        let node_handles = key.node_handles(node);
        let cookie_key = key.derive_secret("tresen path cookies v1");
        let parties = Parties::new(&key.derive_secret("tresen path tables v1"));
        Self { key, node_handles, cookie_key, capacity, parties }
    }

    /// For the ids of the node's own QUIC endpoint.
    #[must_use]
    pub fn node_handles(&self) -> &[Handle] {
        &self.node_handles
    }

    /// What to do with a datagram that came from `from` at `now_ms`.
    #[must_use]
    pub fn route(&self, now_ms: u64, from: SocketAddr, datagram: &[u8]) -> Verdict {
        match Packet::read(datagram) {
            Ok(Packet::Quic { to, .. }) if self.node_handles.contains(&to.handle()) => Verdict::Control,
            Ok(Packet::Quic { to, form }) => match (self.parties.of_handle(to.handle()), form) {
                (Some(to), _) => self.forward(now_ms, from, to).unwrap_or_else(Verdict::Drop),
                (None, Form::Initial) => Verdict::Control,
                (None, Form::Other) => Verdict::Drop(DropReason::UnknownId),
            },
            Ok(Packet::InitialElsewhere) => Verdict::Control,
            Ok(Packet::Knock) => Verdict::Knock,
            Err(unreadable) => Verdict::Drop(unreadable.into()),
        }
    }

    fn forward(
        &self,
        now_ms: u64,
        from: SocketAddr,
        (to_index, to): (Index, &Record),
    ) -> Result<Verdict, DropReason> {
        let (from_index, from) = self.parties.of_address(from).ok_or(DropReason::UnknownSender)?;
        let flow = match (&from.party, &to.party) {
            (Party::Client(_), Party::Edge(_)) if from.edge == to_index => FlowId(from_index.key()),
            (Party::Edge(_), Party::Client(_)) if to.edge == from_index => FlowId(to_index.key()),
            _ => return Err(DropReason::NotAllowed),
        };
        if from.expires_at_ms <= now_ms || to.expires_at_ms <= now_ms {
            return Err(DropReason::Expired);
        }
        let to = to.address.ok_or(DropReason::NoAddress)?;
        Ok(Verdict::Forward { to, flow })
    }

    /// Takes an edge server, or what has changed of one that is here already: its clients stay. The shell has checked its key and that its tenant has enrolled
    /// it, and `observed` is where its control connection is. `knock_secret` is random.
    ///
    /// # Errors
    /// When the node is full.
    pub fn register(
        &mut self,
        now_ms: u64,
        edge: EdgeName,
        observed: SocketAddr,
        lifetime_ms: u64,
        knock_secret: Secret<32>,
    ) -> Result<Grant, NoRoom> {
        let party = Party::Edge(edge);
        let is_new = self.parties.find(&party).is_none();
        if is_new && self.parties.edge_count() >= self.capacity.edges {
            return Err(NoRoom::Edges);
        }
        let arrival = arrival(now_ms, observed, lifetime_ms, &knock_secret);
        let own_handles = self.parties.put(party, None, self.key.handles(&party), arrival);
        let observed = address::canonical(observed);
        Ok(Grant { own_handles, edge_handles: Vec::new(), knock_secret, observed })
    }

    /// Takes a client, or the same one again, with a new key and address. The shell has checked its token, `observed` is where its control
    /// connection is, `tenant_clients` is how many clients its tenant may have at this node.
    ///
    /// # Errors
    /// When there is no room, or its edge server is not here.
    pub fn admit(
        &mut self,
        now_ms: u64,
        client: ClientName,
        observed: SocketAddr,
        lifetime_ms: u64,
        tenant_clients: usize,
        knock_secret: Secret<32>,
    ) -> Result<Grant, NoRoom> {
        let (party, edge) = (Party::Client(client), Party::Edge(client.edge));
        let edge_index = self.parties.find(&edge).ok_or(NoRoom::UnknownEdge)?;
        if self.parties.find(&party).is_none() {
            self.room_for_client(&client.edge, tenant_clients)?;
        }
        let arrival = arrival(now_ms, observed, lifetime_ms, &knock_secret);
        let own_handles = self.parties.put(party, Some(edge_index), self.key.handles(&party), arrival);
        // Clients begin at different ones, so that the first ids of two clients rarely look alike.
        let all = self.key.handles(&edge);
        let first = own_handles.first().map_or(0, |handle| usize::from(handle.as_bytes()[0]));
        let edge_handles = all.iter().cycle().skip(first % all.len()).take(limits::FIRST_HANDLES);
        let edge_handles = edge_handles.copied().collect();
        Ok(Grant { own_handles, edge_handles, knock_secret, observed: address::canonical(observed) })
    }

    fn room_for_client(&self, edge: &EdgeName, tenant_clients: usize) -> Result<(), NoRoom> {
        if self.parties.client_count() >= self.capacity.clients {
            return Err(NoRoom::Clients);
        }
        if self.parties.clients_of_tenant(&edge.tenant) >= tenant_clients {
            return Err(NoRoom::ClientsOfTenant);
        }
        if self.parties.clients_of(edge).count() >= self.capacity.clients_of_edge {
            return Err(NoRoom::ClientsOfEdge);
        }
        Ok(())
    }

    /// A party showed a new token: it stays for `lifetime_ms` from now. Whether it is here at all.
    pub fn extend(&mut self, now_ms: u64, party: &Party, lifetime_ms: u64) -> bool {
        let found = self.parties.find(party);
        if let Some(index) = found {
            self.parties.extend(index, now_ms.saturating_add(lifetime_ms));
        }
        found.is_some()
    }

    /// Opens a knock.
    ///
    /// # Errors
    /// When it is to be dropped.
    pub fn knock(&mut self, now_ms: u64, from: SocketAddr, datagram: &[u8]) -> Result<Knocked, DropReason> {
        let from = address::canonical(from);
        let cid = knock::claimed_cid(datagram).ok_or(Unreadable::Short)?;
        let (index, record) = self.parties.of_handle(cid.handle()).ok_or(DropReason::UnknownId)?;
        if record.expires_at_ms <= now_ms {
            return Err(DropReason::Expired);
        }
        let knock = record.keys.open_knock(datagram).ok_or(DropReason::BadKnock)?;
        if !(record.next_counter..u64::MAX).contains(&knock.counter) {
            return Err(DropReason::BadKnock);
        }
        let slot = now_ms / limits::COOKIE_MS;
        let cookie = self.cookie(record.serial, from, slot);
        let before = self.cookie(record.serial, from, slot.saturating_sub(1));
        let is_at = |shown: Cookie| {
            Secret::new(shown).same_as(&Secret::new(cookie))
                || Secret::new(shown).same_as(&Secret::new(before))
        };
        let was_here = record.address == Some(from);
        let is_here = was_here || knock.cookie.is_some_and(is_at);
        let proven = if is_here { Proven::Yes } else { Proven::No };
        let answer =
            record.keys.seal_answer(knock.cid, knock.counter, &Answer { proven, observed: from, cookie });
        let moved = (is_here && !was_here).then_some(record.party);
        if let Some(record) = self.parties.get_mut(index) {
            record.next_counter = knock.counter + 1;
        }
        if moved.is_some() {
            self.parties.place(index, from);
        }
        Ok(Knocked { answer, moved })
    }

    /// Opens a knock that came to the node's second port. Nothing changes by it, so nobody waits for who sends what is none.
    ///
    /// # Errors
    /// When it is to be dropped.
    pub fn open_look(&self, now_ms: u64, datagram: &[u8]) -> Result<Look, DropReason> {
        let cid = knock::claimed_cid(datagram).ok_or(Unreadable::Short)?;
        let (_, record) = self.parties.of_handle(cid.handle()).ok_or(DropReason::UnknownId)?;
        if record.expires_at_ms <= now_ms {
            return Err(DropReason::Expired);
        }
        let knock = record.keys.open_knock(datagram).ok_or(DropReason::BadKnock)?;
        let is_new = (record.next_look..u64::MAX).contains(&knock.counter);
        if is_new { Ok(Look(knock)) } else { Err(DropReason::BadKnock) }
    }

    /// What the sender of a look looks like at the second port, sealed for it. The same one is not answered again, and nothing else changes.
    ///
    /// # Errors
    /// When its sender has gone, or it was answered.
    pub fn look(&mut self, from: SocketAddr, look: &Look) -> Result<[u8; KNOCK_BYTES], DropReason> {
        let Look(Knock { cid, counter, .. }) = *look;
        let (index, record) = self.parties.of_handle(cid.handle()).ok_or(DropReason::UnknownId)?;
        if counter < record.next_look {
            return Err(DropReason::BadKnock);
        }
        let answer = record.keys.seal_look(cid, counter, address::canonical(from));
        if let Some(record) = self.parties.get_mut(index) {
            record.next_look = counter + 1;
        }
        Ok(answer)
    }

    /// Takes somebody out; who went. The shell tells them, and ends their control connections.
    pub fn remove(&mut self, subject: &Subject) -> Vec<Party> {
        let parties = match subject {
            Subject::Party(party) => vec![*party],
            Subject::Tenant(tenant) => self.parties.edges_of(*tenant),
        };
        let key = &self.key;
        parties.iter().flat_map(|party| self.parties.remove(party, |party| key.handles(party))).collect()
    }

    /// When to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.parties.next_expiry_ms()
    }

    /// Takes out whose time is over; who went.
    pub fn handle_timeout(&mut self, now_ms: u64) -> Vec<Party> {
        let mut gone = Vec::new();
        while let Some(party) = self.parties.expired(now_ms) {
            gone.extend(self.remove(&Subject::Party(party)));
        }
        gone
    }

    /// Whether somebody was proven to be at an address, and no one else since.
    #[must_use]
    pub fn is_anybodys(&self, address: SocketAddr) -> bool {
        self.parties.of_address(address).is_some()
    }

    /// Where a party is; `None` when it is not here, or another one was proven to be there.
    #[must_use]
    pub fn address_of(&self, party: &Party) -> Option<SocketAddr> {
        self.parties.get(self.parties.find(party)?)?.address
    }

    /// The flow of a client that is here.
    #[must_use]
    pub fn flow_of(&self, client: &ClientName) -> Option<FlowId> {
        self.parties.find(&Party::Client(*client)).map(|index| FlowId(index.key()))
    }

    /// How many edge servers and clients are here.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.parties.edge_count(), self.parties.client_count())
    }

    fn cookie(&self, serial: u64, address: SocketAddr, slot: u64) -> Cookie {
        let mut hasher = blake3::Hasher::new_keyed(self.cookie_key.expose());
        hasher.update(&serial.to_be_bytes()).update(&address::encode(address)).update(&slot.to_be_bytes());
        let mut cookie = [0; 16];
        hasher.finalize_xof().fill(&mut cookie);
        cookie
    }
}

fn arrival(now_ms: u64, address: SocketAddr, lifetime_ms: u64, knock_secret: &Secret<32>) -> Arrival {
    let expires_at_ms = now_ms.saturating_add(lifetime_ms);
    Arrival { address, expires_at_ms, knock_secret: knock_secret.clone() }
}
