//! The messages, apart from what is inside a frame.

use smol_str::SmolStr;
use tresen_scene::{Action, limits as scene_limits};

use crate::bytes::{Reader, put_bytes, put_varint};
use crate::{CloseCode, DecodeError, limits};

/// A session: a device attached to an instance. It outlives connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(pub [u8; 16]);

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Theme {
    /// Dark ink on light paper.
    #[default]
    Light = 0,
    /// Light ink on dark paper.
    Dark = 1,
}

/// The language of a screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Language {
    /// German.
    #[default]
    De = 0,
    /// English.
    En = 1,
}

/// What a client's screen is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Look {
    /// Width in device pixels; [`limits::SCREEN_SIDE_PX`].
    pub width_px: u32,
    /// Height in device pixels; [`limits::SCREEN_SIDE_PX`].
    pub height_px: u32,
    /// Device pixels per dp, times 100; [`limits::SCALE_100`].
    pub scale_100: u16,
    /// Light or dark.
    pub theme: Theme,
    /// The language that the person reads.
    pub language: Language,
}

/// A key of a hardware keyboard. Digits are [`Key::Digit`], never [`Key::Character`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Android's back, or Escape.
    Back,
    /// Enter or return.
    Enter,
    /// Delete to the left.
    Backspace,
    /// Delete to the right.
    Delete,
    /// The next thing.
    Tab,
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// 0 to 9.
    Digit(u8),
    /// F1 to F24.
    Function(u8),
    /// Any other character.
    Character(char),
}

/// What a person or a scanner did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A tap on a touch area.
    Tap(Action),
    /// A long press on a touch area that knows one.
    Hold(Action),
    /// A scroll area came to rest.
    Scrolled {
        /// Which one.
        action: Action,
        /// Where, in pixels.
        offset_px: i32,
    },
    /// A text field's new text.
    Text {
        /// Which field.
        action: Action,
        /// All of its text.
        text: SmolStr,
    },
    /// A scanned code, from a wedge scanner or the camera.
    Scan(SmolStr),
    /// A key that is not for a text field.
    Key(Key),
}

/// What a client has of a session that it wants to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Have {
    /// The session.
    pub session: SessionId,
    /// The epoch of the server that filled its slots.
    pub epoch: u64,
    /// The digest of its slots; see [`crate::ClientTable::digest`].
    pub digest: [u8; 16],
    /// The lowest number of an input that was not acknowledged; everything below was.
    pub first_open_input: u64,
}

/// The first message of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Versions that the client speaks, lowest and highest.
    pub versions: (u16, u16),
    /// Memory for slots in KiB; [`limits::TABLE_KIB`].
    pub table_kib: u32,
    /// Its screen.
    pub look: Look,
    /// What it has; `None` for a first connection.
    pub have: Option<Have>,
}

/// The answer to a [`Hello`].
#[derive(Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The version that both will speak.
    pub version: u16,
    /// The session.
    pub session: SessionId,
    /// This run of the server.
    pub epoch: u64,
    /// The key of object names. It lets a client check objects, and is no secret to a client.
    pub name_key: [u8; 32],
    /// The client's slots are still good.
    pub resumed: bool,
    /// Every input up to this number was acknowledged.
    pub acknowledged: u64,
    /// Every input up to this number has arrived; at least `acknowledged`.
    pub received: u64,
}

impl std::fmt::Debug for Welcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Welcome")
            .field("version", &self.version)
            .field("session", &self.session)
            .field("epoch", &self.epoch)
            .field("resumed", &self.resumed)
            .field("acknowledged", &self.acknowledged)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

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
            HELLO => Self::Hello(hello(&mut reader)?),
            INPUT => {
                let number = reader.at_most(limits::INPUT_NUMBER, "input number")?;
                Self::Input { number, input: input(&mut reader)? }
            }
            FRAME_ACK => Self::FrameAck { sequence: sequence(reader.u8()?)? },
            NAK => Self::Nak,
            LOOK => Self::Look(look(&mut reader)?),
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
            WELCOME => Self::Welcome(welcome(&mut reader)?),
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
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    &text[..end]
}

const fn low(value: u8) -> Result<u8, DecodeError> {
    if value < 128 { Ok(value) } else { Err(DecodeError::OutOfRange("input acknowledgement")) }
}

const fn sequence(value: u8) -> Result<u8, DecodeError> {
    if value < SEQUENCES { Ok(value) } else { Err(DecodeError::OutOfRange("frame number")) }
}

fn put_hello(out: &mut Vec<u8>, hello: &Hello) {
    put_varint(out, u64::from(hello.versions.0));
    put_varint(out, u64::from(hello.versions.1));
    put_varint(out, u64::from(hello.table_kib));
    put_look(out, &hello.look);
    out.push(u8::from(hello.have.is_some()));
    if let Some(have) = &hello.have {
        out.extend(have.session.0);
        out.extend(have.epoch.to_le_bytes());
        out.extend(have.digest);
        put_varint(out, have.first_open_input);
    }
}

fn hello(reader: &mut Reader<'_>) -> Result<Hello, DecodeError> {
    let version = |reader: &mut Reader<'_>| Ok(reader.at_most(u64::from(u16::MAX), "version")? as u16);
    let versions = (version(reader)?, version(reader)?);
    let table_kib = between(reader, limits::TABLE_KIB, "table size")?;
    let look = look(reader)?;
    let have = match reader.u8()? {
        0 => None,
        1 => Some(Have {
            session: SessionId(reader.array()?),
            epoch: u64::from_le_bytes(reader.array()?),
            digest: reader.array()?,
            first_open_input: reader.at_most(limits::INPUT_NUMBER, "input number")?,
        }),
        value => return Err(DecodeError::Unknown { what: "part of a hello", value }),
    };
    // What a later version adds to its hello stands here; this one leaves it alone.
    reader.take(reader.rest().len())?;
    Ok(Hello { versions, table_kib, look, have })
}

fn put_look(out: &mut Vec<u8>, look: &Look) {
    put_varint(out, u64::from(look.width_px));
    put_varint(out, u64::from(look.height_px));
    put_varint(out, u64::from(look.scale_100));
    out.extend([look.theme as u8, look.language as u8]);
}

fn look(reader: &mut Reader<'_>) -> Result<Look, DecodeError> {
    let width_px = between(reader, limits::SCREEN_SIDE_PX, "screen width")?;
    let height_px = between(reader, limits::SCREEN_SIDE_PX, "screen height")?;
    let (least, most) = limits::SCALE_100;
    let scale_100 = between(reader, (least.into(), most.into()), "screen scale")? as u16;
    let theme = match reader.u8()? {
        0 => Theme::Light,
        1 => Theme::Dark,
        value => return Err(DecodeError::Unknown { what: "theme", value }),
    };
    let language = match reader.u8()? {
        0 => Language::De,
        1 => Language::En,
        value => return Err(DecodeError::Unknown { what: "language", value }),
    };
    Ok(Look { width_px, height_px, scale_100, theme, language })
}

fn between(reader: &mut Reader<'_>, range: (u32, u32), what: &'static str) -> Result<u32, DecodeError> {
    let value = reader.at_most(range.1.into(), what)? as u32;
    if value >= range.0 { Ok(value) } else { Err(DecodeError::OutOfRange(what)) }
}

fn put_welcome(out: &mut Vec<u8>, welcome: &Welcome) {
    put_varint(out, u64::from(welcome.version));
    out.extend(welcome.session.0);
    out.extend(welcome.epoch.to_le_bytes());
    out.extend(welcome.name_key);
    out.push(u8::from(welcome.resumed));
    put_varint(out, welcome.acknowledged);
    put_varint(out, welcome.received - welcome.acknowledged);
}

fn welcome(reader: &mut Reader<'_>) -> Result<Welcome, DecodeError> {
    let version = reader.at_most(u64::from(u16::MAX), "version")? as u16;
    let session = SessionId(reader.array()?);
    let epoch = u64::from_le_bytes(reader.array()?);
    let name_key = reader.array()?;
    let resumed = match reader.u8()? {
        0 => false,
        1 => true,
        value => return Err(DecodeError::Unknown { what: "kind of welcome", value }),
    };
    let acknowledged = reader.at_most(limits::INPUT_NUMBER, "input number")?;
    let received = acknowledged + reader.at_most(limits::INPUTS_OPEN, "open inputs")?;
    Ok(Welcome { version, session, epoch, name_key, resumed, acknowledged, received })
}

const TAP: u8 = 0;
const HOLD: u8 = 1;
const SCROLLED: u8 = 2;
const TEXT: u8 = 3;
const SCAN: u8 = 4;
const KEY: u8 = 5;

fn put_input(out: &mut Vec<u8>, input: &Input) {
    match input {
        Input::Tap(action) => {
            out.push(TAP);
            put_bytes(out, action.bytes());
        }
        Input::Hold(action) => {
            out.push(HOLD);
            put_bytes(out, action.bytes());
        }
        Input::Scrolled { action, offset_px } => {
            out.push(SCROLLED);
            put_bytes(out, action.bytes());
            put_varint(out, (*offset_px).clamp(0, scene_limits::COORDINATE_PX) as u64);
        }
        Input::Text { action, text } => {
            out.push(TEXT);
            put_bytes(out, action.bytes());
            put_bytes(out, cut(text, limits::INPUT_TEXT_BYTES).as_bytes());
        }
        Input::Scan(text) => {
            out.push(SCAN);
            put_bytes(out, cut(text, limits::INPUT_TEXT_BYTES).as_bytes());
        }
        Input::Key(key) => {
            out.push(KEY);
            put_key(out, *key);
        }
    }
}

fn input(reader: &mut Reader<'_>) -> Result<Input, DecodeError> {
    Ok(match reader.u8()? {
        TAP => Input::Tap(action(reader)?),
        HOLD => Input::Hold(action(reader)?),
        SCROLLED => Input::Scrolled {
            action: action(reader)?,
            offset_px: reader.at_most(scene_limits::COORDINATE_PX as u64, "scroll offset")? as i32,
        },
        TEXT => {
            let action = action(reader)?;
            Input::Text { action, text: reader.text(limits::INPUT_TEXT_BYTES, "text")?.into() }
        }
        SCAN => Input::Scan(reader.text(limits::INPUT_TEXT_BYTES, "scan")?.into()),
        KEY => Input::Key(key(reader)?),
        value => return Err(DecodeError::Unknown { what: "input", value }),
    })
}

/// An action.
pub(crate) fn action(reader: &mut Reader<'_>) -> Result<Action, DecodeError> {
    reader.short_bytes(scene_limits::ACTION_BYTES, "action").map(Action::new)
}

const KEYS: [Key; 11] = [
    Key::Back,
    Key::Enter,
    Key::Backspace,
    Key::Delete,
    Key::Tab,
    Key::Up,
    Key::Down,
    Key::Left,
    Key::Right,
    Key::PageUp,
    Key::PageDown,
];
const DIGIT: u8 = 32;
const FUNCTION: u8 = 48;
const CHARACTER: u8 = 255;

fn put_key(out: &mut Vec<u8>, key: Key) {
    match key {
        Key::Digit(digit) => out.push(DIGIT + digit.min(9)),
        Key::Function(number) => out.push(FUNCTION + number.clamp(1, 24) - 1),
        Key::Character(character) => {
            out.push(CHARACTER);
            put_varint(out, u64::from(u32::from(character)));
        }
        plain => {
            let at = KEYS.iter().position(|&key| key == plain).expect("KEYS holds every plain key");
            out.push(at as u8);
        }
    }
}

fn key(reader: &mut Reader<'_>) -> Result<Key, DecodeError> {
    let tag = reader.u8()?;
    match tag {
        CHARACTER => {
            let code = reader.at_most(u64::from(u32::from(char::MAX)), "character")? as u32;
            char::from_u32(code).map(Key::Character).ok_or(DecodeError::OutOfRange("character"))
        }
        DIGIT..=41 => Ok(Key::Digit(tag - DIGIT)),
        FUNCTION..=71 => Ok(Key::Function(tag - FUNCTION + 1)),
        _ => KEYS.get(usize::from(tag)).copied().ok_or(DecodeError::Unknown { what: "key", value: tag }),
    }
}
