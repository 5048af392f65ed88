//! What a client holds.

use std::sync::Arc;

use tresen_scene::{Namer, Node};

use crate::DecodeError;

/// The slots of a client.
#[derive(Clone, Debug, Default)]
pub struct ClientTable {
    digest: [u8; 16],
}

impl ClientTable {
    /// Nothing in any slot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Empties every slot.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// A digest of every frame since the slots were empty; all zeros when they are.
    pub const fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// Follows the commands of a frame.
    ///
    /// # Errors
    /// When they are none or do not fit; the slots are of no use then.
    pub fn apply(&mut self, _namer: &Namer, _body: &[u8]) -> Result<Arc<Node>, DecodeError> {
        Err(DecodeError::Mismatch)
    }
}
