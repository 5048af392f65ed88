//! The server through its public doors: a real one on a free port with a folder of its own, and clients that tap by label, over WebSocket and
//! QUIC. Each test says which promise it proves.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests of a shell")]

mod back_to_udp;
#[path = "../support/browser.rs"]
mod browser;
mod client;
#[path = "../../../crates/identity/tests/support/curious.rs"]
mod curious;
mod direct;
mod disk;
mod guesses;
mod hostile;
mod hostile_relay;
mod instances;
mod links;
mod memory;
mod nodes;
mod pages;
mod pairing;
mod passed;
mod photos;
mod port_mapping;
mod program;
#[path = "../../../relay/tests/support/redis.rs"]
mod redis;
mod relay_program;
mod relay_secrets;
mod relay_tls_floods;
mod relayed;
mod sale;
mod seats;
mod upnp;
mod world;
