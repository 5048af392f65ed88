//! How what both ends tell each other of their paths travels: on a stream of the end-to-end connection of its own, one in each direction.
//!
//! ```text
//! message   length 2, big endian | as tresen_path has it; nothing, from a client: its packets go another way from now on
//! ```
//!
//! That they do, a client says as often as fills a packet.

use quinn::{RecvStream, SendStream};
use tresen_path::MAX_EXCHANGE_BYTES;

/// So much is said at a turn: until an address is proven, an end sends it no more than three times what came from there (RFC 9000, 8.1).
const TURN_BYTES: usize = 1_200;

/// Says that packets go another way from now on. `None`: the stream is gone.
pub async fn write_turn(send: &mut SendStream) -> Option<()> {
    send.write_all(&[0; TURN_BYTES]).await.ok()
}

/// Writes a message. `None`: the stream is gone.
pub async fn write_exchange(send: &mut SendStream, message: &[u8]) -> Option<()> {
    let length = u16::try_from(message.len()).ok()?;
    send.write_all(&[&length.to_be_bytes(), message].concat()).await.ok()
}

/// Reads a message; not to be dropped before it is there. `None`: the stream is gone, or what comes is no message.
pub async fn read_exchange(receive: &mut RecvStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    receive.read_exact(&mut length).await.ok()?;
    let length = usize::from(u16::from_be_bytes(length));
    let mut message = vec![0; Some(length).filter(|length| *length <= MAX_EXCHANGE_BYTES)?];
    receive.read_exact(&mut message).await.ok()?;
    Some(message)
}
