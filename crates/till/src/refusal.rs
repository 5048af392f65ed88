//! Why a command was refused: one variant a reason, so that a screen can say what to do next.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ModifierGroupId, Money, Permission};

/// Why a command was refused. The text is for logs and the back office; the handheld has its own words for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// Nobody is logged in, or the person left.
    #[error("nobody is logged in")]
    NotLoggedIn,
    /// The role lacks a permission.
    #[error("this needs the permission {0:?}")]
    NotAllowed(Permission),
    /// The person doesn't exist.
    #[error("no such person")]
    NoSuchStaff,
    /// The table doesn't exist.
    #[error("no such table")]
    NoSuchTable,
    /// The area doesn't exist.
    #[error("no such area")]
    NoSuchArea,
    /// The product doesn't exist (any more).
    #[error("no such product")]
    NoSuchProduct,
    /// The product is sold out.
    #[error("the product is sold out")]
    SoldOut,
    /// The group doesn't exist.
    #[error("no such group")]
    NoSuchGroup,
    /// The modifier group doesn't exist.
    #[error("no such modifier group")]
    NoSuchModifierGroup,
    /// The place of preparation doesn't exist.
    #[error("no such place of preparation")]
    NoSuchPreparation,
    /// The check was paid or discarded, perhaps by somebody else.
    #[error("the check is not open any more")]
    NoSuchCheck,
    /// The line was deleted, perhaps by somebody else.
    #[error("the line is gone")]
    NoSuchLine,
    /// The line went to the kitchen; it needs a void.
    #[error("the line was sent already")]
    AlreadySent,
    /// The modifier does not belong to the product, or was given twice.
    #[error("a modifier does not fit the product")]
    WrongModifier,
    /// A question has too few answers.
    #[error("a choice is missing")]
    ModifierMissing(ModifierGroupId),
    /// A question has too many answers.
    #[error("too many choices")]
    TooManyModifiers(ModifierGroupId),
    /// The quantity is 0 or beyond the limit.
    #[error("the quantity is out of range")]
    QuantityOutOfRange,
    /// The check has as many lines as it can have.
    #[error("the check is full")]
    CheckFull,
    /// Too many guests.
    #[error("too many guests")]
    TooManyGuests,
    /// A name or note is too long, or a name is empty.
    #[error("a text is empty or too long")]
    TextOutOfRange,
    /// A price or amount is beyond the limit.
    #[error("an amount is out of range")]
    AmountOutOfRange,
    /// Everything was sent already.
    #[error("there is nothing to send")]
    NothingToSend,
    /// The check has no lines.
    #[error("there is nothing to pay")]
    NothingToPay,
    /// Somebody changed the check meanwhile; this is its total now.
    #[error("the total has changed")]
    TotalMoved {
        /// The total now.
        now: Money,
    },
    /// What was handed over is less than what is due.
    #[error("not enough was handed over")]
    TenderTooSmall {
        /// What is due in cash.
        due: Money,
    },
    /// Too many wrong PINs.
    #[error("too many wrong PINs: try again after {until}")]
    Throttled {
        /// When the next try is possible.
        until: Timestamp,
    },
    /// There must be an owner.
    #[error("the last owner can't be removed")]
    LastOwner,
    /// Something else still refers to it.
    #[error("it is still in use")]
    InUse,
    /// The id of a modifier is taken by another group, or minimum and maximum contradict.
    #[error("the modifier group contradicts itself or another one")]
    ModifierGroupInvalid,
    /// The list is full.
    #[error("the list is full")]
    ListFull,
    /// Open checks have prices in the old currency.
    #[error("open checks must be paid first")]
    ChecksOpen,
}
