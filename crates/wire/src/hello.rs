//! How a connection opens: what a client says of itself, and what it is told.

use crate::bytes::{Reader, put_varint};
use crate::{DecodeError, limits};

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
    /// How many inputs have no acknowledgement: it sends those that the server does not have again; at most [`limits::INPUTS_OPEN`].
    pub open_inputs: u8,
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
    /// Guesses that it keeps at most; 0: it wants none. [`limits::GUESSES`].
    pub guesses: u16,
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

pub(crate) fn put_hello(out: &mut Vec<u8>, hello: &Hello) {
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
        out.push(have.open_inputs);
    }
    if hello.guesses > 0 {
        put_varint(out, u64::from(hello.guesses));
    }
}

pub(crate) fn get_hello(reader: &mut Reader<'_>) -> Result<Hello, DecodeError> {
    let version = |reader: &mut Reader<'_>| Ok(reader.at_most(u64::from(u16::MAX), "version")? as u16);
    let versions = (version(reader)?, version(reader)?);
    let table_kib = between(reader, limits::TABLE_KIB, "table size")?;
    let look = get_look(reader)?;
    let have = match reader.u8()? {
        0 => None,
        1 => Some(Have {
            session: SessionId(reader.array()?),
            epoch: u64::from_le_bytes(reader.array()?),
            digest: reader.array()?,
            first_open_input: reader.at_most(limits::INPUT_NUMBER, "input number")?,
            open_inputs: open_inputs(reader.u8()?)?,
        }),
        value => return Err(DecodeError::Unknown { what: "part of a hello", value }),
    };
    let guesses = if reader.rest().is_empty() { 0 } else { reader.varint()? };
    let guesses = guesses.min(limits::GUESSES.into()) as u16;
    // What a later version adds to its hello stands here; this one leaves it alone.
    reader.take(reader.rest().len())?;
    Ok(Hello { versions, table_kib, look, have, guesses })
}

fn open_inputs(count: u8) -> Result<u8, DecodeError> {
    if u64::from(count) <= limits::INPUTS_OPEN {
        Ok(count)
    } else {
        Err(DecodeError::OutOfRange("open inputs"))
    }
}

pub(crate) fn put_look(out: &mut Vec<u8>, look: &Look) {
    put_varint(out, u64::from(look.width_px));
    put_varint(out, u64::from(look.height_px));
    put_varint(out, u64::from(look.scale_100));
    out.extend([look.theme as u8, look.language as u8]);
}

pub(crate) fn get_look(reader: &mut Reader<'_>) -> Result<Look, DecodeError> {
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

pub(crate) fn put_welcome(out: &mut Vec<u8>, welcome: &Welcome) {
    put_varint(out, u64::from(welcome.version));
    out.extend(welcome.session.0);
    out.extend(welcome.epoch.to_le_bytes());
    out.extend(welcome.name_key);
    out.push(u8::from(welcome.resumed));
    put_varint(out, welcome.acknowledged);
    put_varint(out, welcome.received - welcome.acknowledged);
}

pub(crate) fn get_welcome(reader: &mut Reader<'_>) -> Result<Welcome, DecodeError> {
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
