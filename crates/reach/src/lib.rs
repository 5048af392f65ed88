//! What an endpoint needs to be reached through a relay: one socket for everything, connection ids that a relay can route by, and the control connection.
//!
//! The shell of `tresen_path` on the side of edge servers and clients; of a relay node, the parts that it shares with them.
//!
//! A client's connection goes past the relay when a direct path answers; which one, `tresen_path` decides.
//!
//! Not for: what is said on the end-to-end connection, but for what its ends tell each other of their paths.

#![allow(clippy::disallowed_methods, reason = "a shell: it draws random ids")]

mod approach;
mod bound;
mod carry;
mod client;
mod control;
mod direct;
mod enrolment;
mod exchange;
mod extras;
mod handed;
mod ids;
mod interfaces;
mod knocking;
mod near;
mod passes;
mod resolve;
mod routed;
mod silence;
mod socket;
mod stay;
mod tunnel;

pub use approach::{Better, Caller, Reached, gone};
pub use carry::{Datagram, carried, carry};
pub use client::{NotReached, Relayed, Route, Ways, call};
pub use control::{Control, ControlFailed};
pub use enrolment::Enrolment;
pub use exchange::{read_exchange, write_exchange, write_turn};
pub use handed::{Handed, poll_handed};
pub use ids::{EdgeIds, OwnIds};
pub use knocking::{Moved, Node, Seen, keep_knocking, moves};
pub use near::{Networks, Reach};
pub use passes::{Pass, PassStream, Passes};
pub use resolve::resolve;
pub use socket::{OwnPacket, OwnPackets, Socket, endpoint, own_packets, poller};
pub use tunnel::{Tunnel, TunnelEnd};
