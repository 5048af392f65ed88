//! Why bytes are refused, and why a connection closes.

use thiserror::Error;

/// Why a message was refused. Whoever sent it erred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// It ends before its parts do.
    #[error("the message ends too early")]
    Truncated,
    /// Something follows its end.
    #[error("the message goes on after its end")]
    Trailing,
    /// A number is written longer than needed, or beyond 64 bits.
    #[error("a number is written longer than it needs to be")]
    Overlong,
    /// The message is beyond its limit.
    #[error("the message is larger than {0} allows")]
    TooLarge(&'static str),
    /// A tag that this version does not know.
    #[error("unknown {what}: {value}")]
    Unknown {
        /// What kind of tag.
        what: &'static str,
        /// Its value.
        value: u8,
    },
    /// A number beyond its range.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// A text that is no UTF-8.
    #[error("{0} is no UTF-8")]
    NotText(&'static str),
    /// A slot that holds nothing, or something of another kind.
    #[error("{0} is not in the slot that the message names")]
    Missing(&'static str),
    /// The frame's root has another name than the sender says.
    #[error("the frame's root is not the one that was sent")]
    Mismatch,
}

/// Why a connection was closed. The number goes over the wire; a WebSocket closes with 4000 plus the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CloseCode {
    /// The other side is done; nothing is wrong.
    Normal = 0,
    /// No common protocol version.
    Version = 1,
    /// A message was malformed or against the rules.
    Protocol = 2,
    /// A message or screen beyond its limit.
    TooLarge = 3,
    /// The peer has not proved who it is, or is not known.
    Unauthorised = 4,
    /// The device was revoked.
    Revoked = 5,
    /// The device, or the instance, is attached elsewhere now.
    Replaced = 6,
    /// The licence has no free seat of this device's class.
    NoSeat = 7,
    /// The server stops; it will be back.
    ServerStopping = 8,
    /// Nothing was heard for too long.
    TimedOut = 9,
    /// The server erred.
    Internal = 10,
    /// Too many connections; try later.
    Busy = 11,
}

impl CloseCode {
    /// All of them, in order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::Normal,
        Self::Version,
        Self::Protocol,
        Self::TooLarge,
        Self::Unauthorised,
        Self::Revoked,
        Self::Replaced,
        Self::NoSeat,
        Self::ServerStopping,
        Self::TimedOut,
        Self::Internal,
        Self::Busy,
    ];

    /// The code with this number; one that this version doesn't know counts as [`CloseCode::Internal`].
    pub fn from_number(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Internal)
    }

    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The code with which a WebSocket closes.
    pub const fn websocket(self) -> u16 {
        4000 + self as u16
    }

    /// Whether a client tries again by itself. After the others it waits for a person, or for another version.
    pub const fn retries(self) -> bool {
        match self {
            Self::Normal
            | Self::Protocol
            | Self::TooLarge
            | Self::ServerStopping
            | Self::TimedOut
            | Self::Internal
            | Self::NoSeat
            | Self::Busy => true,
            Self::Version | Self::Unauthorised | Self::Revoked | Self::Replaced => false,
        }
    }

    /// What happened, for a log.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "the other side left",
            Self::Version => "no common protocol version",
            Self::Protocol => "a message was malformed or against the rules",
            Self::TooLarge => "a message or screen was larger than allowed",
            Self::Unauthorised => "the device is not known here",
            Self::Revoked => "the device was revoked",
            Self::Replaced => "attached from elsewhere",
            Self::NoSeat => "no free seat for this class of device",
            Self::ServerStopping => "the server is stopping",
            Self::TimedOut => "nothing was heard for too long",
            Self::Internal => "the server erred",
            Self::Busy => "too many connections",
        }
    }
}

impl std::fmt::Display for CloseCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reason())
    }
}
