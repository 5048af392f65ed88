//! Why a change did not happen, in words for a page: every reason has its text in both languages.

use tresen_ledger::SubmitError;
use tresen_till::Refusal;

use super::texts::Texts;

/// Why the ledger did not take something. What only a technician understands of it is in the log.
pub(crate) fn of_ledger(t: &Texts, error: &SubmitError) -> &'static str {
    match error {
        SubmitError::Refused(refusal) => of_till(t, refusal),
        SubmitError::Failed(_) => t.ledger_disk,
        SubmitError::Overloaded(_) => t.ledger_busy,
        SubmitError::NoPicture(_) => t.photo_broken,
        SubmitError::TooLarge { .. } | SubmitError::Bug(_) => t.ledger_fault,
    }
}

/// Why the till refused.
pub(crate) fn of_till(t: &Texts, refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NotLoggedIn => t.sign_in_again,
        Refusal::NotAllowed(_) => t.only_owners,
        Refusal::NoSuchStaff
        | Refusal::NoSuchTable
        | Refusal::NoSuchArea
        | Refusal::NoSuchProduct
        | Refusal::NoSuchGroup
        | Refusal::NoSuchModifierGroup
        | Refusal::NoSuchPreparation
        | Refusal::NoSuchCheck
        | Refusal::NoSuchLine => t.not_found_hint,
        Refusal::SoldOut
        | Refusal::AlreadySent
        | Refusal::WrongModifier
        | Refusal::ModifierMissing(_)
        | Refusal::TooManyModifiers(_)
        | Refusal::QuantityOutOfRange
        | Refusal::CheckFull
        | Refusal::TooManyGuests
        | Refusal::NothingToSend
        | Refusal::NothingToPay
        | Refusal::TotalMoved { .. }
        | Refusal::TenderTooSmall { .. } => t.at_the_handheld,
        Refusal::TextOutOfRange => t.name_rule,
        Refusal::AmountOutOfRange => t.amount_rule,
        Refusal::Throttled { .. } => t.throttled_now,
        Refusal::LastOwner => t.last_owner,
        Refusal::InUse => t.in_use,
        Refusal::ModifierGroupInvalid => t.modifier_rule,
        Refusal::ListFull => t.list_full,
        Refusal::ChecksOpen => t.checks_open,
    }
}
