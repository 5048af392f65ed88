//! The network: one port number, TCP and UDP.
//!
//! TCP carries HTTP/1.1, plain or in TLS (the first byte tells): pages, and sessions as WebSocket. UDP carries QUIC.

pub mod body;
mod congestion;
pub mod descriptors;
pub mod gate;
pub mod home;
pub mod http;
pub mod listen;
pub mod passed;
pub mod pump;
pub mod quic;
pub mod tcp;
pub mod websocket;
