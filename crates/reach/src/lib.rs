//! What an endpoint needs to be reached through a relay: one socket for everything, connection ids that a relay can route by, and the control connection.
//!
//! The shell of `tresen_path` on the side of edge servers and clients; of a relay node, the parts that it shares with them.
//!
//! Not for: what is said on the end-to-end connection, and which of several ways is the best one.

#![allow(clippy::disallowed_methods, reason = "a shell: it draws random ids")]

mod client;
mod control;
mod enrolment;
mod ids;
mod knocking;
mod socket;

pub use client::{NotReached, Relayed, call};
pub use control::{Control, ControlFailed};
pub use enrolment::Enrolment;
pub use ids::{EdgeIds, OwnIds};
pub use knocking::keep_knocking;
pub use socket::{OwnPacket, Socket, endpoint, own_packets, poller};
