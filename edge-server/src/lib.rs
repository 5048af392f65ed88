//! The program that runs on the site: instances of the handheld app, their sessions, the back office, all on one port.
//!
//! The way of a tap: [`net`] (QUIC or WebSocket) -> [`hub`] -> the task of one instance -> the ledger, and back as a frame.
//! [`run::run`] is the whole life of the server; [`site::Site`] is what all of it shares.
//!
//! Invariants: an instance is owned by one task, nobody else touches its state; the ledger is written only through its one writer;
//! what a peer sends never disturbs anybody but the peer.
#![allow(clippy::disallowed_methods, reason = "a shell: it owns the clock, the files and the sockets")]

pub mod application;
mod assets;
mod attend;
pub mod backup;
pub mod browser_auth;
pub mod cli;
pub mod config;
pub mod darkroom;
pub mod data_dir;
pub mod demo;
pub mod doctor;
mod enrol;
pub mod files;
pub mod habits;
pub mod hub;
pub mod instance;
mod licence_file;
pub mod links;
mod local_door;
pub mod look;
mod mdns;
pub mod metrics;
pub mod net;
pub mod office;
mod paths;
pub mod picture;
mod port_mapping;
pub mod public;
pub mod registry;
pub mod relay;
pub mod run;
pub mod runtime;
pub mod site;
pub mod spool;
mod waiting;
