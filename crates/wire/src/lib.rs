//! The bytes between a server and a client.

pub mod bytes;
mod client_table;
mod colors;
mod decode;
mod encode;
mod error;
mod hello;
mod input;
pub mod limits;
mod mask_code;
mod mask_model;
mod message;
mod ops;
mod patch;
mod pool;
mod range;
mod server_table;
mod sprite_code;

pub use client_table::ClientTable;
pub use error::{CloseCode, DecodeError};
pub use hello::{Have, Hello, Language, Look, SessionId, Theme, Welcome};
pub use input::{Input, Key};
pub use message::{Frame, SEQUENCES, ToClient, ToServer};
pub use server_table::{ServerTable, TooBig, Undo};
