//! Who erred, and how.

use thiserror::Error;
use tresen_wire::{CloseCode, DecodeError};

/// The peer broke the protocol. The connection closes with [`PeerError::close_code`]; the session stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PeerError {
    /// A message that is none.
    #[error("malformed message: {0}")]
    Malformed(#[from] DecodeError),
    /// A message that has no place in the state of the connection.
    #[error("unexpected message: {0}")]
    Unexpected(&'static str),
    /// An input whose action stands on no screen that the client may have before it.
    #[error("input {0} has an action that stands on no screen of the client")]
    InventedAction(u64),
    /// More inputs without an acknowledgement than allowed.
    #[error("more inputs without an acknowledgement than allowed")]
    TooManyInputs,
    /// Fresh screens asked for too often.
    #[error("fresh screens asked for too often")]
    TooManyRepairs,
    /// The versions of the peer were refused, or it chose one that was not offered.
    #[error("no common protocol version")]
    Version,
}

impl PeerError {
    /// The code with which the connection closes.
    pub const fn close_code(&self) -> CloseCode {
        match self {
            Self::Malformed(DecodeError::TooLarge(_)) => CloseCode::TooLarge,
            Self::Version => CloseCode::Version,
            Self::Malformed(_)
            | Self::Unexpected(_)
            | Self::InventedAction(_)
            | Self::TooManyInputs
            | Self::TooManyRepairs => CloseCode::Protocol,
        }
    }
}
