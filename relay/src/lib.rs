//! A relay node: forwards sealed packets between the devices and the boxes of tenants, and can read none of them.
//!
//! ```text
//! switch      datagrams in and out, in batches; the routing is tresen_path's
//! control     who is who: QUIC connections of edge servers and clients, on the same port
//! directory   tenants and their edge servers
//! common      the same directory at all nodes of a relay, and who is revoked
//! passes      TLS on TCP, from browsers to edge servers, by the name in its first message; by way of another node, where need be (handover)
//! http        for operators: tenants, revocations, metrics
//! ```
//!
//! It depends on nothing of screens or sales, so that there is nothing in it that could understand what it carries.
#![allow(clippy::disallowed_methods, reason = "a shell: it has the clock, the randomness and the network")]

mod allowances;
mod answers;
pub mod cli;
mod clock;
mod common;
mod control;
mod counters;
mod data;
mod directory;
mod guest;
mod handover;
mod hello;
mod http;
mod known;
mod letters;
mod limit_arguments;
mod limits;
mod looks;
mod moves;
mod neighbours;
mod node;
mod openapi;
mod own_socket;
mod pass_arguments;
mod passes;
mod pipe;
mod places;
mod records;
mod revocations;
mod switch;
mod tunnels;
mod unsaved;

pub use common::{MOST_NODES, NotChanged, RedisAddress, RedisAddressError};
pub use counters::Counters;
pub use directory::{Directory, DirectoryError, ENROLMENT_LIFETIME_S, Tenant};
pub use limits::{LimitSettings, Rates};
pub use node::{Node, Running, Settings, StartError, start};
pub use places::PassLimits;
pub use records::{Changed, Lacks};
