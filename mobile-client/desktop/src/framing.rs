//! Messages on a QUIC stream: each with its length before it, as LEB128 of at most four bytes.

use anyhow::{Result, bail};
use tresen_wire::bytes::put_varint;
use tresen_wire::limits::TO_CLIENT_BYTES;

/// Longest length in bytes.
const LENGTH_BYTES: usize = 4;

/// A message with its length.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(message.len() + LENGTH_BYTES);
    put_varint(&mut bytes, message.len() as u64);
    bytes.extend_from_slice(message);
    bytes
}

/// Puts messages together from pieces of a stream.
#[derive(Default)]
pub struct Reassembly {
    bytes: Vec<u8>,
}

impl Reassembly {
    /// A piece has arrived.
    pub fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }

    /// The next whole message.
    ///
    /// # Errors
    /// When a length is malformed or beyond its limit.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>> {
        let mut length = 0;
        for place in 0..LENGTH_BYTES {
            let Some(&byte) = self.bytes.get(place) else { return Ok(None) };
            length |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return self.take(place + 1, length);
            }
        }
        bail!("the server sent a malformed length")
    }

    fn take(&mut self, start: usize, length: usize) -> Result<Option<Vec<u8>>> {
        if length > TO_CLIENT_BYTES {
            bail!("the server sent a message beyond its limit");
        }
        if self.bytes.len() < start + length {
            return Ok(None);
        }
        let message = self.bytes[start..start + length].to_vec();
        self.bytes.drain(..start + length);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_whole_whatever_the_pieces() {
        let messages = [vec![1], vec![], vec![7; 127], vec![8; 128], vec![9; 70_000]];
        let stream: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
        for size in [1, 3, 1_000, stream.len()] {
            let mut reassembly = Reassembly::default();
            let mut found = Vec::new();
            for piece in stream.chunks(size) {
                reassembly.push(piece);
                while let Some(message) = reassembly.next_message().unwrap() {
                    found.push(message);
                }
            }
            assert_eq!(found, messages);
        }
    }

    proptest::proptest! {
        /// Promise: whatever a server sends, and in whatever pieces, nothing crashes and nothing beyond the limit comes out.
        #[test]
        fn hostile_bytes_are_messages_or_an_error(pieces: Vec<Vec<u8>>) {
            let mut reassembly = Reassembly::default();
            let mut come_out = 0;
            let sent: usize = pieces.iter().map(Vec::len).sum();
            'stream: for piece in &pieces {
                reassembly.push(piece);
                loop {
                    match reassembly.next_message() {
                        Ok(Some(message)) => come_out += message.len() + 1,
                        Ok(None) => break,
                        Err(_) => break 'stream,
                    }
                }
            }
            proptest::prop_assert!(come_out <= sent);
        }
    }

    #[test]
    fn a_hostile_length_is_refused() {
        let mut reassembly = Reassembly::default();
        reassembly.push(&[0xff; 4]);
        assert!(reassembly.next_message().is_err());
        let mut reassembly = Reassembly::default();
        reassembly.push(&[0xff, 0xff, 0xff, 0x7f]);
        assert!(reassembly.next_message().is_err());
    }
}
