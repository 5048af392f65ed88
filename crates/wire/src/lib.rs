//! The bytes between a server and a client.

pub mod bytes;
mod client_table;
mod error;
pub mod limits;
mod message;
mod server_table;

pub use client_table::ClientTable;
pub use error::{CloseCode, DecodeError};
pub use message::{
    Frame, Have, Hello, Input, Key, Language, Look, SEQUENCES, SessionId, Theme, ToClient, ToServer, Welcome,
};
pub use server_table::{ServerTable, TooBig, Undo};
