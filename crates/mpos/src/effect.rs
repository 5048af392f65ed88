//! What the app wants done, as data.

use tresen_till::{Command, ReceiptNumber, StaffId};

use crate::Pin;

/// What the app wants done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Commit these commands together with [`crate::App::save`] as of now; answer with [`crate::Message::Committed`]
    /// or [`crate::Message::Failed`]. At most one is in flight.
    Commit(Commit),
    /// Check a PIN; answer with [`crate::Message::Pin`]. The app itself records the outcome by a commit.
    VerifyPin {
        /// Whose.
        staff: StaffId,
        /// What was typed.
        pin: Pin,
    },
    /// Print a receipt again.
    Reprint(ReceiptNumber),
}

/// Commands that belong together.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Who asked for them; goes into the context.
    pub staff: Option<StaffId>,
    /// The commands, in order.
    pub commands: Vec<Command>,
}
