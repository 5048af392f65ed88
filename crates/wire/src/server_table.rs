//! What a server knows of a client's slots.

use std::sync::Arc;

use thiserror::Error;
use tresen_scene::{Namer, Node};

/// The screen is beyond a limit of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the screen is larger than {0} allows")]
pub struct TooBig(pub &'static str);

/// How to take a frame back.
#[derive(Debug)]
pub struct Undo {}

/// A mirror of a client's slots.
#[derive(Debug, Default)]
pub struct ServerTable {
    digest: [u8; 16],
}

impl ServerTable {
    /// Of a client with nothing in any slot.
    pub fn new() -> Self {
        Self::default()
    }

    /// The client has emptied every slot.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The memory that the client offers, in KiB.
    pub fn set_budget(&mut self, _table_kib: u32) {}

    /// The digest that the client's slots have now.
    pub const fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// The commands that give a client `root`.
    ///
    /// # Errors
    /// When the screen is too large; the table is of no use then.
    pub fn encode(&mut self, _namer: &Namer, _root: &Arc<Node>) -> Result<(Vec<u8>, Undo), TooBig> {
        Err(TooBig("nothing"))
    }

    /// Takes the last frame back.
    pub fn undo(&mut self, _undo: Undo) {}
}
