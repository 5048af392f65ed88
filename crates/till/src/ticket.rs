//! Preparation tickets: what the kitchen and the bar are told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{CheckId, PreparationId, TicketId};

/// One ticket for one place of preparation. It carries everything that is printed on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its id: a ticket that is printed again shows the same.
    pub id: TicketId,
    /// The check.
    pub check: CheckId,
    /// Name of the table; `None` for a direct sale.
    pub table: Option<SmolStr>,
    /// Where to.
    pub preparation: PreparationId,
    /// Name of the place of preparation.
    pub preparation_name: SmolStr,
    /// When it was sent.
    pub at: Timestamp,
    /// Who sent it.
    pub staff_name: SmolStr,
    /// Guests; 0 when nobody said.
    pub guests: u16,
    /// What to make.
    pub lines: Vec<TicketLine>,
}

/// A line of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketLine {
    /// How many.
    pub quantity: u32,
    /// What.
    pub name: SmolStr,
    /// How.
    pub modifiers: Vec<SmolStr>,
    /// What else to know.
    pub note: SmolStr,
}
