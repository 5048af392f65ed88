//! What a person can do with a node, and what assistive technology is told.

use std::fmt;
use std::sync::Arc;

use smol_str::SmolStr;

use crate::{Node, Rect, limits};

/// What a touch area means to the server: bytes that a client only echoes. At most [`limits::ACTION_BYTES`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Action(Arc<[u8]>);

impl Action {
    /// An action of these bytes.
    ///
    /// # Panics
    /// Beyond [`limits::ACTION_BYTES`].
    pub fn new(bytes: &[u8]) -> Self {
        assert!(bytes.len() <= limits::ACTION_BYTES, "an action stays within its limit");
        Self(bytes.into())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Action({:02x?})", &self.0)
    }
}

/// What an area is to assistive technology and to tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    /// Something to press.
    Button = 0,
    /// One of several views.
    Tab = 1,
    /// An entry of a list.
    ListItem = 2,
    /// A heading.
    Heading = 3,
    /// Text that is read.
    Text = 4,
    /// Text that is announced when it changes.
    Status = 5,
    /// A picture.
    Image = 6,
    /// A key of a keypad.
    Key = 7,
    /// No thing of its own: what stands there is an amount that others may change. A client marks it while it shows a guess.
    Shared = 8,
    /// No thing of its own: its text tells for whom the screen is drawn. So the screens of two people are never the same, and what was foreseen for
    /// one is not shown to the other. A client shows nothing of it.
    Viewer = 9,
}

impl Role {
    /// Whether it is a thing that a person finds on the screen.
    pub const fn is_thing(self) -> bool {
        !matches!(self, Self::Shared | Self::Viewer)
    }
}

/// The way a handle is pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Pull {
    /// To the top of the screen.
    Up = 1,
    /// To its lower edge.
    Down = 2,
}

/// The state of a touch area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TouchState {
    /// Chosen among its peers.
    pub selected: bool,
    /// Shown, but does nothing.
    pub disabled: bool,
    /// It is a handle: pulling it this way does what a tap does.
    pub pull: Option<Pull>,
}

impl TouchState {
    /// As a byte: bit 0 selected, bit 1 disabled, bits 2 and 3 the way it is pulled.
    pub const fn bits(self) -> u8 {
        let pull = match self.pull {
            Some(pull) => pull as u8,
            None => 0,
        };
        self.selected as u8 | (self.disabled as u8) << 1 | pull << 2
    }

    /// What [`TouchState::bits`] wrote; `None` for anything else.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        let pull = match bits >> 2 {
            0 => None,
            1 => Some(Pull::Up),
            2 => Some(Pull::Down),
            _ => return None,
        };
        Some(Self { selected: bits & 1 != 0, disabled: bits & 2 != 0, pull })
    }
}

/// An area that can be pressed.
#[derive(Clone, Debug, PartialEq)]
pub struct Touch {
    /// Where.
    pub rect: Rect,
    /// What a tap sends.
    pub action: Action,
    /// What a long press sends, if anything else than a tap.
    pub hold: Option<Action>,
    /// What it is.
    pub role: Role,
    /// Its name; `None` when the text drawn inside `rect` says it.
    pub label: Option<SmolStr>,
    /// Its state.
    pub state: TouchState,
    /// Drawn over the node, at the origin of `rect`, while it is pressed.
    pub pressed: Option<Arc<Node>>,
}

/// A viewport onto content that the client scrolls vertically by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Scroll {
    /// The viewport.
    pub rect: Rect,
    /// Its identity across frames.
    pub action: Action,
    /// What is scrolled, drawn at `(rect.x, rect.y - offset)`.
    pub content: Arc<Node>,
    /// Height of the content in pixels.
    pub content_h: i32,
    /// Offset that the server wishes, in pixels; the client's own one holds as long as this does not change.
    pub offset: i32,
}

/// The keyboard that a text field asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Keyboard {
    /// Letters.
    Text = 0,
    /// Digits.
    Digits = 1,
    /// Letters with a search key.
    Search = 2,
}

/// A text field. The client edits; the server draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Where.
    pub rect: Rect,
    /// What a change sends, with the text.
    pub action: Action,
    /// The keyboard it wants.
    pub keyboard: Keyboard,
    /// Its name.
    pub label: SmolStr,
    /// The text that the server knows.
    pub value: SmolStr,
}

/// A name for something that is not pressed.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// Where.
    pub rect: Rect,
    /// What it is.
    pub role: Role,
    /// Its name; `None` when the text drawn inside `rect` says it.
    pub text: Option<SmolStr>,
}
