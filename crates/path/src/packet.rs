//! What a relay reads of a packet: its kind and where it goes.
//!
//! ```text
//! 00xxxxxx                                          ours: 0x01 knock, 0x02 its answer, 0x03 probe; nothing else
//! 01xxxxxx | destination id 12 | ...                QUIC, short header
//! 11ttxxxx | version 4 | length 1 | destination id | ...   QUIC, long header; tt: 0 initial, 1 0-RTT, 2 handshake, 3 retry
//! ```
//!
//! QUIC as in RFC 9000, section 17, and version 1 alone. Endpoints have to keep the fixed bit (quinn: `EndpointConfig::grease_quic_bit(false)`),
//! because it tells QUIC from our own packets.

use thiserror::Error;

use crate::cid::{CID_BYTES, Cid};

/// First byte of a knock.
pub const KNOCK: u8 = 0x01;

/// First byte of the answer to a knock.
pub const KNOCK_ANSWER: u8 = 0x02;

/// First byte of a probe.
pub const PROBE: u8 = 0x03;

/// Smallest datagram that may begin a connection (RFC 9000, 14.1), in bytes.
pub const MIN_INITIAL_BYTES: usize = 1200;

/// Smallest packet with a short header: one byte, the id, four bytes of packet number and payload, the tag.
const MIN_SHORT_BYTES: usize = 1 + CID_BYTES + 4 + 16;

const QUIC_V1: [u8; 4] = [0, 0, 0, 1];

/// Longest connection id of QUIC version 1, in bytes.
const MAX_CID_BYTES: u8 = 20;

/// A datagram, as far as a relay reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// QUIC with an id that may be one of ours.
    Quic {
        /// Where it goes.
        to: Cid,
        /// Whether it may begin a connection.
        form: Form,
    },
    /// The first packet of a connection, with an id that can't be one of ours: for the relay itself.
    InitialElsewhere,
    /// A knock.
    Knock,
}

/// What kind of QUIC packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Large enough to begin a connection.
    Initial,
    /// Anything else.
    Other,
}

/// Why a datagram is none that a relay carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unreadable {
    /// It ends before its parts do, or is shorter than such a packet can be.
    #[error("too short")]
    Short,
    /// It begins like one of our own packets, but a relay takes no such packet.
    #[error("no packet for a relay")]
    Foreign,
    /// QUIC without the fixed bit.
    #[error("QUIC without the fixed bit")]
    FixedBit,
    /// Another version of QUIC.
    #[error("another version of QUIC")]
    Version,
    /// An id of another length than ours.
    #[error("an id of another length")]
    IdLength,
}

impl Packet {
    /// Reads a datagram's beginning. Looks at 18 bytes at most, and allocates nothing.
    ///
    /// # Errors
    /// When a relay carries no such packet.
    pub(crate) fn read(datagram: &[u8]) -> Result<Self, Unreadable> {
        let (&first, rest) = datagram.split_first().ok_or(Unreadable::Short)?;
        match first >> 6 {
            0 if first == KNOCK => Ok(Self::Knock),
            0 => Err(Unreadable::Foreign),
            1 if datagram.len() < MIN_SHORT_BYTES => Err(Unreadable::Short),
            1 => Ok(Self::Quic { to: cid(rest)?, form: Form::Other }),
            2 => Err(Unreadable::FixedBit),
            _ => Self::read_long(first, rest, datagram.len()),
        }
    }

    fn read_long(first: u8, rest: &[u8], size_bytes: usize) -> Result<Self, Unreadable> {
        let (version, rest) = rest.split_first_chunk::<4>().ok_or(Unreadable::Short)?;
        if *version != QUIC_V1 {
            return Err(Unreadable::Version);
        }
        let (&length, rest) = rest.split_first().ok_or(Unreadable::Short)?;
        let is_initial = first & 0x30 == 0 && size_bytes >= MIN_INITIAL_BYTES;
        let form = if is_initial { Form::Initial } else { Form::Other };
        match usize::from(length) {
            CID_BYTES => Ok(Self::Quic { to: cid(rest)?, form }),
            _ if is_initial && length <= MAX_CID_BYTES => Ok(Self::InitialElsewhere),
            _ => Err(Unreadable::IdLength),
        }
    }
}

/// Where a packet of QUIC goes, when its id has the length of ours; what a client with two endpoints upon one socket tells them apart by.
#[must_use]
pub fn quic_destination(datagram: &[u8]) -> Option<Cid> {
    match Packet::read(datagram) {
        Ok(Packet::Quic { to, .. }) => Some(to),
        Ok(Packet::InitialElsewhere | Packet::Knock) | Err(_) => None,
    }
}

fn cid(bytes: &[u8]) -> Result<Cid, Unreadable> {
    bytes.first_chunk().map(|cid| Cid::from_bytes(*cid)).ok_or(Unreadable::Short)
}
