//! How what both ends tell each other of their paths travels: on a stream of the end-to-end connection of its own, one in each direction.
//!
//! ```text
//! message   length 2, big endian | as tresen_path has it; nothing, from a client: its packets go another way from now on
//! ```

use quinn::{RecvStream, SendStream};
use tresen_path::MAX_EXCHANGE_BYTES;

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
