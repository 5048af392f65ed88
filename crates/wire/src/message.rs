//! The messages, apart from what is inside a frame.

use smol_str::SmolStr;
use tresen_scene::ObjectId;

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
    /// Low seven bits of the highest input whose effect it shows. Said to clients that get guesses.
    pub applied: Option<u8>,
    /// Commands; see [`crate::ClientTable::apply`]. Empty: the root is the one that the client said it showed for the input `applied`.
    pub body: &'a [u8],
}

/// The first bytes of a root's name: enough to tell the few roots apart that a client may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RootTag(pub [u8; 4]);

impl RootTag {
    /// The tag of a root with this name.
    pub const fn of(name: ObjectId) -> Self {
        Self([name.0[0], name.0[1], name.0[2], name.0[3]])
    }
}

/// What a guess shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuessKind {
    /// What the screen becomes.
    Answer,
    /// What is shown while something is done that reaches beyond the till. The answer is never guessed.
    Pending,
}

/// What a root will become when something is done on it, told before it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess<'a> {
    /// What it shows.
    pub kind: GuessKind,
    /// Its number modulo 64; it counts with the frames.
    pub sequence: u8,
    /// The root on which the input stands: of a frame, or of another guess.
    pub base: RootTag,
    /// The input; see [`Input::is_guessable`].
    pub input: Input,
    /// Commands, as in a frame.
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
    /// What a person did, and what the client showed for it by itself.
    GuessedInput {
        /// Its number, as of [`ToServer::Input`].
        number: u64,
        /// The root of the guess that it showed.
        shown: RootTag,
        /// What it was.
        input: Input,
    },
    /// Frames and guesses up to this number (modulo 64) are applied.
    FrameAck {
        /// The number of the last one.
        sequence: u8,
        /// How long ago the client got it, in ms: an acknowledgement waits for something to ride with.
        waited_ms: u16,
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
    /// What may be shown, should this be done.
    Guess(Guess<'a>),
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
const GUESSED_INPUT: u8 = 9;

const WELCOME: u8 = 1;
const INPUT_ACK: u8 = 2;
const RESEND: u8 = 3;
const FRESH: u8 = 4;
const GUESS: u8 = 5;
const PENDING_GUESS: u8 = 10;
/// An applied input, before a frame.
const APPLIED: u8 = 9;
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
            Self::GuessedInput { number, shown, input } => {
                out.push(GUESSED_INPUT);
                put_varint(&mut out, *number);
                out.extend(shown.0);
                put_input(&mut out, input);
            }
            Self::FrameAck { sequence, waited_ms } => {
                out.extend([FRAME_ACK, *sequence]);
                put_varint(&mut out, u64::from(*waited_ms));
            }
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
            INPUT => Self::Input { number: input_number(&mut reader)?, input: get_input(&mut reader)? },
            GUESSED_INPUT => Self::GuessedInput {
                number: input_number(&mut reader)?,
                shown: RootTag(reader.array()?),
                input: guessable(get_input(&mut reader)?)?,
            },
            FRAME_ACK => {
                Self::FrameAck { sequence: sequence(reader.u8()?)?, waited_ms: waited(reader.varint()?)? }
            }
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
                if let Some(applied) = frame.applied {
                    out.extend([APPLIED, applied & 127]);
                }
                let has_ack = if frame.input_ack.is_some() { FRAME_HAS_ACK } else { 0 };
                out.push(FRAME | has_ack | (frame.sequence % SEQUENCES));
                out.extend(frame.input_ack);
                out.extend(frame.body);
            }
            Self::Guess(guess) => {
                out.reserve(guess.body.len());
                let first = match guess.kind {
                    GuessKind::Answer => GUESS,
                    GuessKind::Pending => PENDING_GUESS,
                };
                out.extend([first, guess.sequence % SEQUENCES]);
                out.extend(guess.base.0);
                put_input(&mut out, &guess.input);
                out.extend(guess.body);
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
            GUESS => return guess(reader, GuessKind::Answer),
            PENDING_GUESS => return guess(reader, GuessKind::Pending),
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

fn frame(mut reader: Reader<'_>, mut first: u8, fresh: bool) -> Result<ToClient<'_>, DecodeError> {
    let mut applied = None;
    if first == APPLIED {
        applied = Some(low(reader.u8()?)?);
        first = reader.u8()?;
    }
    if first & FRAME == 0 {
        return Err(DecodeError::Unknown { what: "message to a client", value: first });
    }
    let input_ack = if first & FRAME_HAS_ACK == 0 { None } else { Some(low(reader.u8()?)?) };
    let body = reader.rest();
    if body.is_empty() && (fresh || applied.is_none()) {
        return Err(DecodeError::Truncated);
    }
    Ok(ToClient::Frame(Frame { fresh, sequence: first % SEQUENCES, input_ack, applied, body }))
}

fn guess(mut reader: Reader<'_>, kind: GuessKind) -> Result<ToClient<'_>, DecodeError> {
    let sequence = sequence(reader.u8()?)?;
    let base = RootTag(reader.array()?);
    let input = guessable(get_input(&mut reader)?)?;
    let body = reader.rest();
    if body.len() > limits::GUESS_BYTES {
        return Err(DecodeError::TooLarge("GUESS_BYTES"));
    }
    Ok(ToClient::Guess(Guess { kind, sequence, base, input, body }))
}

fn guessable(input: Input) -> Result<Input, DecodeError> {
    if input.is_guessable() { Ok(input) } else { Err(DecodeError::OutOfRange("input of a guess")) }
}

fn input_number(reader: &mut Reader<'_>) -> Result<u64, DecodeError> {
    let number = reader.at_most(limits::INPUT_NUMBER, "input number")?;
    if number == 0 { Err(DecodeError::OutOfRange("input number")) } else { Ok(number) }
}

/// The longest start of `text` that is at most `most` bytes.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

const fn low(value: u8) -> Result<u8, DecodeError> {
    if value < 128 { Ok(value) } else { Err(DecodeError::OutOfRange("input acknowledgement")) }
}

fn waited(value: u64) -> Result<u16, DecodeError> {
    u16::try_from(value).map_err(|_| DecodeError::OutOfRange("age of a frame"))
}

const fn sequence(value: u8) -> Result<u8, DecodeError> {
    if value < SEQUENCES { Ok(value) } else { Err(DecodeError::OutOfRange("frame number")) }
}
