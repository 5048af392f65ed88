//! Connection ids that a relay can route by.
//!
//! ```text
//! handle 8 | random 4
//! ```
//!
//! A handle is a keyed BLAKE3 hash, cut to 64 bits, of the party's name and a number. The key is the relay's (all nodes of one relay share it), so
//!
//! - to a stranger handles are random bytes: none tells whose it is, nor that two belong to the same party, as long as each is used once;
//!   a party has several and takes the next one for each id;
//! - nobody can make one for himself, a guess hits one of a million parties with a chance of 2^-40, and then the sender's address is still checked;
//! - every node derives the same ones without asking anybody: a connection goes on through another node with the ids that it has.
//!
//! What it can't hide: a party with more ids than handles uses them again, and an observer of two networks may link ids with the same handle.
//!
//! Not for: who may send to whom (`router`).

use tresen_identity::{Fingerprint, Secret, TenantId};

/// Length of every connection id, in bytes.
pub const CID_BYTES: usize = 12;

/// Length of a handle, in bytes.
pub const HANDLE_BYTES: usize = 8;

/// Handles of an edge server: it issues about eight ids for each client.
pub const EDGE_HANDLES: u16 = 64;

/// Handles of a client: eight ids at once, and eight after it moved.
pub const CLIENT_HANDLES: u16 = 16;

/// Handles of a relay node, for its control connections.
pub const NODE_HANDLES: u16 = 1;

/// The routing part of a connection id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle([u8; HANDLE_BYTES]);

/// A connection id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cid([u8; CID_BYTES]);

/// Whoever has handles at a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// An edge server.
    Edge(EdgeName),
    /// A device on its way to one edge server.
    Client(ClientName),
}

/// A device on its way to one edge server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientName {
    /// The edge server.
    pub edge: EdgeName,
    /// The device.
    pub device: Fingerprint,
}

/// An edge server of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EdgeName {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its name.
    pub edge: Fingerprint,
}

/// The number of a relay node, unique within its relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The secret from which all nodes of a relay derive handles. No `Debug`.
#[derive(Clone)]
pub struct RoutingKey(Secret<32>);

/// Makes the ids that one endpoint issues, or the first ones of connections that it opens to another.
///
/// The shell's `quinn::ConnectionIdGenerator` and `initial_dst_cid_provider` are this and four random bytes.
#[derive(Clone, Debug)]
pub struct CidMaker {
    handles: Vec<Handle>,
    next: usize,
}

impl Handle {
    /// From its bytes, as a relay handed them out.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; HANDLE_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HANDLE_BYTES] {
        &self.0
    }
}

impl Cid {
    /// From its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; CID_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; CID_BYTES] {
        &self.0
    }

    /// Its routing part.
    #[must_use]
    pub fn handle(&self) -> Handle {
        let (handle, _) = self.0.split_first_chunk().expect("an id is longer than a handle");
        Handle(*handle)
    }
}

impl Party {
    /// The edge server that it is, or is on its way to.
    #[must_use]
    pub const fn edge(&self) -> &EdgeName {
        match self {
            Self::Edge(edge) | Self::Client(ClientName { edge, .. }) => edge,
        }
    }

    /// How many handles it has.
    #[must_use]
    pub const fn handle_count(&self) -> u16 {
        match self {
            Self::Edge(_) => EDGE_HANDLES,
            Self::Client(_) => CLIENT_HANDLES,
        }
    }
}

impl RoutingKey {
    /// From 32 random bytes that all nodes of a relay share.
    #[must_use]
    pub const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The handles of a party, always the same ones.
    #[must_use]
    pub fn handles(&self, party: &Party) -> Vec<Handle> {
        let EdgeName { tenant, edge } = party.edge();
        let (kind, device): (u8, &[u8]) = match party {
            Party::Edge(_) => (1, &[]),
            Party::Client(client) => (2, client.device.as_bytes()),
        };
        let name = [&[kind], tenant.as_bytes().as_slice(), edge.as_bytes(), device].concat();
        self.derive(&name, party.handle_count())
    }

    /// The handles of a relay node.
    #[must_use]
    pub fn node_handles(&self, node: NodeId) -> Vec<Handle> {
        self.derive(&[&[3], node.0.to_be_bytes().as_slice()].concat(), NODE_HANDLES)
    }

    /// 32 bytes for another purpose of the relay's.
    pub(crate) fn derive_secret(&self, context: &str) -> Secret<32> {
        Secret::new(blake3::derive_key(context, self.0.expose()))
    }

    fn derive(&self, name: &[u8], count: u16) -> Vec<Handle> {
        let key = blake3::derive_key("tresen path handles v1", self.0.expose());
        let handle = |number: u16| {
            let mut handle = [0; HANDLE_BYTES];
            let mut hasher = blake3::Hasher::new_keyed(&key);
            hasher.update(&number.to_be_bytes()).update(name).finalize_xof().fill(&mut handle);
            Handle(handle)
        };
        (0..count).map(handle).collect()
    }
}

impl CidMaker {
    /// Of the handles that a relay handed out. `None`: none at all, or more than [`EDGE_HANDLES`].
    #[must_use]
    pub fn new(handles: Vec<Handle>) -> Option<Self> {
        let is_right = (1..=usize::from(EDGE_HANDLES)).contains(&handles.len());
        is_right.then_some(Self { handles, next: 0 })
    }

    /// The next id, with the next handle.
    pub fn make(&mut self, random: [u8; CID_BYTES - HANDLE_BYTES]) -> Cid {
        let handle = self.handles[self.next % self.handles.len()];
        self.next = (self.next + 1) % self.handles.len();
        let mut cid = [0; CID_BYTES];
        let (start, end) = cid.split_at_mut(HANDLE_BYTES);
        start.copy_from_slice(&handle.0);
        end.copy_from_slice(&random);
        Cid(cid)
    }
}
