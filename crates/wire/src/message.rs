//! The messages, apart from what is inside a frame.

use smol_str::SmolStr;

use crate::bytes::{Reader, put_bytes, put_varint};
use crate::hello::{
    Hello, Look, Welcome, get_hello, get_look, get_welcome, put_hello, put_look, put_welcome,
};
use crate::input::{Input, get_input, put_input};
use crate::{CloseCode, DecodeError, limits};

/// A frame: how to change the slots, and which node is the root then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The client's slots are emptied before it.
    pub fresh: bool,
    /// Its number modulo 64; each frame of a session has the next one.
    pub sequence: u8,
    /// Low seven bits of the highest acknowledged input, when there is news.
    pub input_ack: Option<u8>,
    /// Commands; see [`crate::ClientTable::apply`].
    pub body: &'a [u8],
}

/// A message to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToServer {
    /// Opens a connection.
    Hello(Hello),
    /// What a person did.
    Input {
        /// Its number; each input of a session has the next one, the first is 1.
        number: u64,
        /// What it was.
        input: Input,
    },
    /// Frames up to this number (modulo 64) are applied.
    FrameAck {
        /// The number of the last one.
        sequence: u8,
    },
    /// A frame was missing or did not fit; the client waits for a fresh one.
    Nak,
    /// The screen has changed.
    Look(Look),
    /// Asks for a pong.
    Ping {
        /// To be repeated in the answer.
        number: u8,
    },
    /// The answer to a ping.
    Pong {
        /// The number of the ping.
        number: u8,
    },
    /// The client leaves.
    Bye(CloseCode),
}

/// A message to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToClient<'a> {
    /// The session is open.
    Welcome(Welcome),
    /// A new screen.
    Frame(Frame<'a>),
    /// The effects of inputs up to this number (its low seven bits) are on disk.
    InputAck {
        /// Low seven bits of the number.
        low: u8,
    },
    /// An input is missing: send those above this number (its low seven bits) again.
    Resend {
        /// Low seven bits of the highest number that has arrived.
        low: u8,
    },
    /// Asks for a pong.
    Ping {
        /// To be repeated in the answer.
        number: u8,
    },
    /// The answer to a ping.
    Pong {
        /// The number of the ping.
        number: u8,
    },
    /// The server closes the connection.
    Bye {
        /// Why.
        code: CloseCode,
        /// For a person; may be empty.
        text: SmolStr,
    },
}

const HELLO: u8 = 1;
const INPUT: u8 = 2;
const FRAME_ACK: u8 = 3;
const NAK: u8 = 4;
const LOOK: u8 = 5;
const PING: u8 = 6;
const PONG: u8 = 7;
const BYE: u8 = 8;

const WELCOME: u8 = 1;
const INPUT_ACK: u8 = 2;
const RESEND: u8 = 3;
const FRESH: u8 = 4;
/// First byte of a frame: `1 a ssssss`, a: an acknowledgement follows, s: sequence.
const FRAME: u8 = 0x80;
const FRAME_HAS_ACK: u8 = 0x40;

/// Frame numbers count modulo this.
pub const SEQUENCES: u8 = 64;

impl ToServer {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16);
        match self {
            Self::Hello(hello) => {
                out.push(HELLO);
                put_hello(&mut out, hello);
            }
            Self::Input { number, input } => {
                out.push(INPUT);
                put_varint(&mut out, *number);
                put_input(&mut out, input);
            }
            Self::FrameAck { sequence } => out.extend([FRAME_ACK, *sequence]),
            Self::Nak => out.push(NAK),
            Self::Look(look) => {
                out.push(LOOK);
                put_look(&mut out, look);
            }
            Self::Ping { number } => out.extend([PING, *number]),
            Self::Pong { number } => out.extend([PONG, *number]),
            Self::Bye(code) => out.extend([BYE, code.number()]),
        }
        out
    }

    /// The message with these bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::TO_SERVER_BYTES {
            return Err(DecodeError::TooLarge("TO_SERVER_BYTES"));
        }
        let mut reader = Reader::new(bytes);
        let message = match reader.u8()? {
            HELLO => Self::Hello(get_hello(&mut reader)?),
            INPUT => {
                let number = reader.at_most(limits::INPUT_NUMBER, "input number")?;
                if number == 0 {
                    return Err(DecodeError::OutOfRange("input number"));
                }
                Self::Input { number, input: get_input(&mut reader)? }
            }
            FRAME_ACK => Self::FrameAck { sequence: sequence(reader.u8()?)? },
            NAK => Self::Nak,
            LOOK => Self::Look(get_look(&mut reader)?),
            PING => Self::Ping { number: reader.u8()? },
            PONG => Self::Pong { number: reader.u8()? },
            BYE => Self::Bye(CloseCode::from_number(reader.u8()?)),
            value => return Err(DecodeError::Unknown { what: "message to a server", value }),
        };
        reader.finish()?;
        Ok(message)
    }
}

impl<'a> ToClient<'a> {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16);
        match self {
            Self::Welcome(welcome) => {
                out.push(WELCOME);
                put_welcome(&mut out, welcome);
            }
            Self::Frame(frame) => {
                out.reserve(frame.body.len());
                if frame.fresh {
                    out.push(FRESH);
                }
                let has_ack = if frame.input_ack.is_some() { FRAME_HAS_ACK } else { 0 };
                out.push(FRAME | has_ack | (frame.sequence % SEQUENCES));
                out.extend(frame.input_ack);
                out.extend(frame.body);
            }
            Self::InputAck { low } => out.extend([INPUT_ACK, *low]),
            Self::Resend { low } => out.extend([RESEND, *low]),
            Self::Ping { number } => out.extend([PING, *number]),
            Self::Pong { number } => out.extend([PONG, *number]),
            Self::Bye { code, text } => {
                out.extend([BYE, code.number()]);
                put_bytes(&mut out, cut(text, limits::BYE_TEXT_BYTES).as_bytes());
            }
        }
        out
    }

    /// The message with these bytes. The body of a frame is not looked at.
    ///
    /// # Errors
    /// When they are none.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::TO_CLIENT_BYTES {
            return Err(DecodeError::TooLarge("TO_CLIENT_BYTES"));
        }
        let mut reader = Reader::new(bytes);
        let message = match reader.u8()? {
            WELCOME => Self::Welcome(get_welcome(&mut reader)?),
            INPUT_ACK => Self::InputAck { low: low(reader.u8()?)? },
            RESEND => Self::Resend { low: low(reader.u8()?)? },
            PING => Self::Ping { number: reader.u8()? },
            PONG => Self::Pong { number: reader.u8()? },
            BYE => {
                let code = CloseCode::from_number(reader.u8()?);
                Self::Bye { code, text: reader.text(limits::BYE_TEXT_BYTES, "goodbye")?.into() }
            }
            FRESH => {
                let first = reader.u8()?;
                return frame(reader, first, true);
            }
            first => return frame(reader, first, false),
        };
        reader.finish()?;
        Ok(message)
    }
}

fn frame(mut reader: Reader<'_>, first: u8, fresh: bool) -> Result<ToClient<'_>, DecodeError> {
    if first & FRAME == 0 {
        return Err(DecodeError::Unknown { what: "message to a client", value: first });
    }
    let input_ack = if first & FRAME_HAS_ACK == 0 { None } else { Some(low(reader.u8()?)?) };
    Ok(ToClient::Frame(Frame { fresh, sequence: first % SEQUENCES, input_ack, body: reader.rest() }))
}

/// The longest start of `text` that is at most `most` bytes.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

const fn low(value: u8) -> Result<u8, DecodeError> {
    if value < 128 { Ok(value) } else { Err(DecodeError::OutOfRange("input acknowledgement")) }
}

const fn sequence(value: u8) -> Result<u8, DecodeError> {
    if value < SEQUENCES { Ok(value) } else { Err(DecodeError::OutOfRange("frame number")) }
}
