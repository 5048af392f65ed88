//! A browser's TLS stream on its way through a relay: the node opens a bidirectional stream of the edge server's control connection, writes a head that
//! says what it is, and passes on what the browser sends and gets, unread but for the name at its beginning.
//!
//! ```text
//! head   kind 1 (1 TLS for the edge server's public name) | address of whoever connected 18
//! ```
//!
//! The address is what the node says; it serves limits and logs, and proves nothing.

use std::net::SocketAddr;

use crate::address::{self, ADDRESS_BYTES};
use crate::control::ControlError;

/// Length of a head.
pub const PASS_HEAD_BYTES: usize = 1 + ADDRESS_BYTES;

/// TLS for the edge server's public name.
const TLS: u8 = 1;

/// What a stream from a node begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassHead {
    /// Who connected to the node, as the node saw it.
    pub from: SocketAddr,
}

impl PassHead {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; PASS_HEAD_BYTES] {
        let mut bytes = [TLS; PASS_HEAD_BYTES];
        bytes[1..].copy_from_slice(&address::encode(self.from));
        bytes
    }

    /// From its bytes.
    ///
    /// # Errors
    /// When it is for something that this version does not know.
    pub fn decode(bytes: &[u8; PASS_HEAD_BYTES]) -> Result<Self, ControlError> {
        let (kind, address) = bytes.split_first_chunk::<1>().expect("a head has a kind");
        if *kind != [TLS] {
            return Err(ControlError::Unknown(kind[0]));
        }
        let address = address.try_into().map_err(|_| ControlError::Length)?;
        Ok(Self { from: address::decode(address) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: the bytes of a head don't change unseen, and are read back.
    #[test]
    fn a_head_is_read_back() {
        let head = PassHead { from: ([203, 0, 113, 9], 4433).into() };
        let bytes = head.encode();
        assert_eq!(bytes, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 9, 0x11, 0x51]);
        assert_eq!(PassHead::decode(&bytes), Ok(head));
        let other = [&[2][..], &bytes[1..]].concat();
        assert_eq!(PassHead::decode(&other.try_into().expect("19 bytes")), Err(ControlError::Unknown(2)));
    }
}
