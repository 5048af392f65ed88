//! A stream of a native client as messages, and how it ends.
//!
//! ```text
//! length   LEB128, at most 4 bytes; at most TO_SERVER_BYTES to the server, TO_CLIENT_BYTES to the client
//! message  as many bytes
//! ```

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use quinn::{ConnectionError, ReadError, ReadExactError, RecvStream, SendStream, VarInt};
use tresen_wire::bytes::put_varint;
use tresen_wire::{CloseCode, STREAM_GIVEN_UP, limits};

use crate::net::pump::{Incoming, Reader, Writer};

/// With this code a client gives up a stream to go on upon another.
const GIVEN_UP: VarInt = VarInt::from_u32(STREAM_GIVEN_UP);

/// Longest length prefix, in bytes.
const MAX_PREFIX_BYTES: u32 = 4;

/// How long a closed connection may take to deliver its last message.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// How a stream ended.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// The client goes on upon another.
    GoesOn,
    /// For good, and so does the connection.
    Closed(CloseCode),
}

/// Both directions of a stream, and how it has ended, as soon as that is known.
pub(super) fn streams(
    send: SendStream,
    recv: RecvStream,
) -> ((StreamWriter, StreamReader), Arc<OnceLock<Ending>>) {
    let ending = Arc::new(OnceLock::new());
    let writer = StreamWriter { send, ending: ending.clone() };
    ((writer, StreamReader { recv, ending: ending.clone() }), ending)
}

pub(super) struct StreamReader {
    recv: RecvStream,
    ending: Arc<OnceLock<Ending>>,
}

pub(super) struct StreamWriter {
    send: SendStream,
    ending: Arc<OnceLock<Ending>>,
}

impl StreamReader {
    async fn length(&mut self) -> Result<usize, Incoming> {
        let mut length = 0;
        for index in 0..MAX_PREFIX_BYTES {
            let mut byte = [0];
            match self.recv.read_exact(&mut byte).await {
                Ok(()) => {}
                Err(ReadExactError::FinishedEarly(0)) if index == 0 => return Err(Incoming::Closed),
                Err(error) => return Err(self.ended(&error)),
            }
            length |= usize::from(byte[0] & 0x7f) << (7 * index);
            if byte[0] & 0x80 == 0 {
                return Ok(length);
            }
        }
        Err(Incoming::Refused(CloseCode::Protocol))
    }

    /// Whether the client closed in order, went on elsewhere, or was lost.
    fn ended(&self, error: &ReadExactError) -> Incoming {
        match error {
            ReadExactError::ReadError(ReadError::ConnectionLost(ConnectionError::ApplicationClosed(_))) => {
                Incoming::Closed
            }
            ReadExactError::ReadError(ReadError::Reset(GIVEN_UP)) => {
                let _ = self.ending.set(Ending::GoesOn);
                Incoming::Lost
            }
            ReadExactError::ReadError(_) | ReadExactError::FinishedEarly(_) => Incoming::Lost,
        }
    }
}

impl Reader for StreamReader {
    async fn next(&mut self) -> Incoming {
        let length = match self.length().await {
            Ok(length) if length > limits::TO_SERVER_BYTES => return Incoming::Refused(CloseCode::TooLarge),
            Ok(length) => length,
            Err(end) => return end,
        };
        let mut message = vec![0; length];
        match self.recv.read_exact(&mut message).await {
            Ok(()) => Incoming::Message(message),
            Err(error) => self.ended(&error),
        }
    }
}

impl StreamWriter {
    /// Whether nobody reads this stream any more; what was on its way is not sent again.
    fn is_given_up(&mut self) -> bool {
        let given_up = matches!(self.ending.get(), Some(Ending::GoesOn));
        if given_up {
            let _ = self.send.reset(GIVEN_UP);
        }
        given_up
    }
}

impl Writer for StreamWriter {
    async fn send(&mut self, messages: Vec<Vec<u8>>) -> bool {
        if self.is_given_up() {
            return false;
        }
        let mut bytes = Vec::with_capacity(messages.iter().map(|message| message.len() + 4).sum());
        for message in messages {
            put_varint(&mut bytes, message.len() as u64);
            bytes.extend(message);
        }
        match self.send.write_all(&bytes).await {
            Ok(()) => true,
            Err(error) => {
                if matches!(error, quinn::WriteError::Stopped(GIVEN_UP)) {
                    let _ = self.ending.set(Ending::GoesOn);
                }
                false
            }
        }
    }

    async fn close(&mut self, code: CloseCode) {
        if self.is_given_up() {
            return;
        }
        let _ = self.ending.set(Ending::Closed(code));
        let _ = self.send.finish();
        // The peer has everything when it acknowledged the end of the stream, or it never will.
        let _ = tokio::time::timeout(FAREWELL, self.send.stopped()).await;
    }
}
