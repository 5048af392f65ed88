//! What the app tells the person in passing. Kept as data: the view says it in the language of whoever looks.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use tresen_till::{Refusal, Target};

use crate::Failure;

/// A notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Notice {
    /// The till refused, for this reason.
    Refused(Refusal),
    /// The amount is another one than the screen said, because of this person's line.
    TotalChanged { by: Option<SmolStr>, what: Option<SmolStr> },
    /// The PIN is wrong.
    WrongPin,
    /// The order of this place is on its way.
    Sent { target: Target },
    /// Another station closed the check that was on the screen.
    ClosedElsewhere,
    /// Whoever was logged in is no longer on the staff.
    NoLongerStaff,
    /// Nothing has this code.
    UnknownCode(SmolStr),
    /// A product was scanned, but no order is open.
    ScanNeedsOrder,
    /// The guest gave less than what is open.
    TooLittle,
    /// More bookings are waiting than may.
    TooFast,
    /// The receipt is being printed again.
    Printing,
    /// What was tapped last on this device may not have been taken.
    InputsLost,
    /// The booking could not be written.
    Failed(Failure),
}
