//! What the node's connections have for one another.

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tresen_identity::TOKEN_BYTES;
use tresen_path::FromNode;

/// Messages for one endpoint that may wait; one that does not read is let go.
const WAITING: usize = 256;

/// What one of the node's connections has for another one.
pub(crate) enum Letter {
    /// To be said.
    Say(FromNode),
    /// An edge server's token for the client that called it.
    Token(Box<[u8; TOKEN_BYTES]>),
    /// The edge server does not know the client that called it.
    TurnedAway,
}

/// The way to one connection. Letters are boxed: a channel keeps room for 32, for everybody, and few endpoints ever have one waiting.
#[derive(Clone)]
pub(crate) struct Letters(Sender<Box<Letter>>);

impl Letters {
    /// To a new connection, and what arrives there.
    pub(crate) fn new() -> (Self, Receiver<Box<Letter>>) {
        let (sender, arriving) = channel(WAITING);
        (Self(sender), arriving)
    }

    /// Sends one, if it has room.
    ///
    /// # Errors
    /// When it has none, or the connection is gone.
    pub(crate) fn try_send(&self, letter: Letter) -> Result<(), TrySendError<Box<Letter>>> {
        self.0.try_send(Box::new(letter))
    }

    /// Whether both lead to one connection.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}
