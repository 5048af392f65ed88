//! Which way packets go: routing at a relay by connection id, admission, how endpoints tell a relay where they are, and direct paths past it.
//!
//! Pure state machines: a shell feeds in datagrams, the time in milliseconds since any fixed moment (never going backwards) and random
//! bytes, and carries out what it is told. `relay` builds on this crate, so it depends on nothing of screens or sales.
//!
//! A relay node, with one UDP socket for its own QUIC endpoint and for everything that it forwards:
//!
//! ```
//! # use tresen_path::*;
//! # use tresen_identity::{Fingerprint, Secret, TenantId};
//! # use std::net::SocketAddr;
//! # let (now_ms, random) = (0, || Secret::new([7; 32]));
//! # let (client_at, edge_at): (SocketAddr, SocketAddr) = (([10, 0, 0, 5], 1).into(), ([10, 0, 0, 1], 2).into());
//! # let edge = EdgeName { tenant: TenantId::from_bytes([1; 16]), edge: Fingerprint::from_bytes([2; 32]) };
//! # let admitted = Admitted { client: ClientName { edge, device: Fingerprint::from_bytes([3; 32]) }, lifetime_ms: 600_000 };
//! // At the start. The routing key is shared by all nodes; the node's own QUIC endpoint issues ids of its handles.
//! let capacity = Capacity { edges: 10_000, clients: 100_000, clients_of_edge: 1_000 };
//! let mut router = Router::new(RoutingKey::new(random()), NodeId(1), capacity);
//! let mut own_ids = CidMaker::new(router.node_handles().to_vec()).expect("a node has handles");
//!
//! // On control connections: an edge server that the directory knows, then a client whose token `Gate::admit` took. Each gets its grant.
//! router.register(now_ms, edge, edge_at, 60_000, random()).expect("room");
//! let grant = router.admit(now_ms, admitted.client, client_at, admitted.lifetime_ms, 500, random()).expect("room");
//!
//! // At the client: `quinn::ConnectionIdGenerator::generate_cid` is `own.make(random)`, with a length of `CID_BYTES`,
//! // `ClientConfig::initial_dst_cid_provider` is `first.make(random)`; both endpoints set `grease_quic_bit(false)`.
//! let mut own = CidMaker::new(grant.own_handles.clone()).expect("a grant has handles");
//! let mut first = CidMaker::new(grant.edge_handles.clone()).expect("a client's grant has its edge server's");
//! # let datagram = [&[0x41], first.make([0; 4]).as_bytes().as_slice(), &[0; 40]].concat();
//!
//! // For each datagram of a batch (a GRO batch has one sender: look at each segment, send equal verdicts with one GSO call):
//! match router.route(now_ms, client_at, &datagram) {
//!     Verdict::Forward { to, flow } => { /* ask the limits of `flow`, send it to `to` */ assert_eq!(to, edge_at); }
//!     Verdict::Control => { /* give it to the node's own QUIC endpoint */ }
//!     Verdict::Knock => { /* router.knock(..), send the answer back */ }
//!     Verdict::Drop(reason) => { /* count it */ }
//! }
//! // And at `router.poll_timeout()`: `router.handle_timeout(now_ms)` tells whose time is over.
//! ```
//!
//! A client and its edge server, when their end-to-end connection stands (through the relay, or not):
//!
//! ```
//! # use tresen_path::*;
//! # use tresen_identity::Secret;
//! # use std::net::SocketAddr;
//! # let (now_ms, random) = (0, || Secret::new([7; 32]));
//! # let interface: SocketAddr = ([192, 168, 1, 5], 5000).into();
//! # let (observed, observed_elsewhere): (SocketAddr, SocketAddr) = (([203, 0, 113, 1], 1).into(), ([203, 0, 113, 1], 1).into());
//! let mut path = ClientPath::new(&random());
//! path.set_local(now_ms, Local::new(&[interface], &[], &[observed, observed_elsewhere]));
//! path.connected(now_ms);
//!
//! // After anything that happened, and at `path.poll_timeout()`:
//! path.handle_timeout(now_ms);
//! while let Some(message) = path.poll_message() { /* write it to the stream for paths, with its length */ }
//! while let Some(action) = path.poll_action() {
//!     match action {
//!         // The wrapper of the socket that quinn was given sends to this address instead of the relay's, and calls packets from there the relay's.
//!         PathAction::Use(way) => {}
//!         PathAction::OpenSockets { first, count } => { /* then path.opened(now_ms, those that could be opened) */ }
//!         PathAction::CloseSockets { first, count, except } => {}
//!     }
//! }
//! while let Some(probe) = path.poll_transmit(now_ms) { /* send probe.datagram from probe.socket to probe.to */ }
//!
//! // In the wrapper: what begins with `PROBE` goes to path.handle_datagram(now_ms, socket, from, &datagram), with `KNOCK_ANSWER` to the
//! // `Knocker`, all else to quinn; and of quinn's packets path.received(now_ms, from) and path.sent(now_ms), once a batch.
//! assert_eq!(path.way(), Way::Relay);
//! ```
//!
//! The edge server's [`EdgePaths`] is driven alike. Its shell gives packets of every socket that is open to quinn, and sends quinn's answers to an address from the socket
//! on which packets came from there.
//!
//! Not for: sockets, batches, counting (`relay`); what is in the packets: nobody but their ends can read them.

mod action;
mod address;
mod admission;
mod birthday;
mod candidate;
mod cid;
mod client;
mod control;
mod edge;
mod exchange;
mod knock;
mod knocker;
pub mod limits;
mod link;
mod packet;
mod parties;
mod pass;
mod probe;
mod router;
mod seal;

pub use action::{PathAction, Way};
pub use address::{canonical, is_tunnel, tunnel_address, written};
pub use admission::{Admitted, Gate, LimitKey, Refused, Revocation};
pub use candidate::{Candidate, CandidateKind, Local, Mapping};
pub use cid::{
    CID_BYTES, CLIENT_HANDLES, Cid, CidMaker, ClientName, EDGE_HANDLES, EdgeName, HANDLE_BYTES, Handle,
    NODE_HANDLES, NodeId, Party, RoutingKey,
};
pub use client::ClientPath;
pub use control::{
    ControlBuffer, ControlError, FromNode, MAX_CONTROL_BYTES, MAX_NODES, MAX_REVOKED, NodeAt, REPLACED,
    ToNode,
};
pub use edge::{ConnectionNumber, EdgePaths};
pub use exchange::{ExchangeError, MAX_EXCHANGE_BYTES};
pub use knock::{KNOCK_BYTES, Look};
pub use knocker::{KnockEvent, Knocker};
pub use link::{SocketId, Transmit};
pub use packet::{KNOCK, KNOCK_ANSWER, MIN_INITIAL_BYTES, PROBE, Unreadable, quic_destination};
pub use pass::{PASS_HEAD_BYTES, PassHead};
pub use probe::PROBE_BYTES;
pub use router::{Capacity, DropReason, FlowId, Grant, Knocked, NoRoom, Router, Subject, Verdict};
