//! What somebody wants. A command is never stored; the events that it leads to are.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{
    Area, AreaId, CheckId, Group, GroupId, LineId, ModifierGroup, ModifierGroupId, ModifierId, Money,
    PhotoId, Preparation, PreparationId, Product, ProductId, Site, Staff, StaffId, StationId, Table, TableId,
    Target,
};

/// Who wants something, where, on what and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Who is logged in.
    pub staff: Option<StaffId>,
    /// The station.
    pub station: StationId,
    /// The device, for counting wrong PINs.
    pub device: SmolStr,
    /// Now.
    pub at: Timestamp,
}

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Order something. Opens a check when none is open; joins an identical line of the same waiter that was not sent yet.
    AddLine {
        /// Where.
        target: Target,
        /// What.
        product: ProductId,
        /// How many, at least 1.
        quantity: u32,
        /// Answers, in any order.
        modifiers: Vec<ModifierId>,
        /// Note for the kitchen, may be empty.
        note: SmolStr,
    },
    /// Change the quantity of an unsent line by a difference; a line that reaches 0 is deleted.
    ChangeQuantity {
        /// The check.
        check: CheckId,
        /// The line.
        line: LineId,
        /// The difference.
        by: i32,
    },
    /// Delete an unsent line.
    DeleteLine {
        /// The check.
        check: CheckId,
        /// The line.
        line: LineId,
    },
    /// Replace the note of an unsent line.
    SetNote {
        /// The check.
        check: CheckId,
        /// The line.
        line: LineId,
        /// The note; empty removes it.
        note: SmolStr,
    },
    /// Say how many guests there are. Opens a check when none is open; 0 on a check without lines closes it.
    SetGuests {
        /// Where.
        target: Target,
        /// How many.
        guests: u16,
    },
    /// Send what was not sent yet: one ticket per place of preparation.
    Send {
        /// The check.
        check: CheckId,
    },
    /// Take cash for the whole check. Sends what was not sent yet and issues the receipt.
    PayCash {
        /// The check.
        check: CheckId,
        /// The total ([`Check::total`](crate::Check::total)) that the waiter saw; refused when it moved.
        expected: Money,
        /// What the guest handed over.
        tendered: Money,
    },
    /// Record that somebody tried to log in.
    RecordLogin {
        /// Who.
        staff: StaffId,
        /// With what outcome.
        outcome: LoginOutcome,
    },
    /// Log out whoever is logged in.
    LogOut,
    /// Change the site, its catalogue, floor or staff. For owners; for anybody while there is no owner yet.
    Manage(Manage),
}

/// How a login went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LoginOutcome {
    /// The PIN was right.
    Success,
    /// The PIN was wrong.
    WrongPin,
}

/// A change of what the site consists of. Putting replaces what has the same id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Manage {
    /// Name, address, country, currency, language.
    PutSite(Site),
    /// A person.
    PutStaff(Staff),
    /// A person leaves; the last owner can't.
    RemoveStaff(StaffId),
    /// An area.
    PutArea(Area),
    /// An area without tables.
    RemoveArea(AreaId),
    /// A table.
    PutTable(Table),
    /// A table without an open check.
    RemoveTable(TableId),
    /// A place of preparation.
    PutPreparation(Preparation),
    /// A place of preparation that no product uses.
    RemovePreparation(PreparationId),
    /// A group.
    PutGroup(Group),
    /// A group without products.
    RemoveGroup(GroupId),
    /// A modifier group.
    PutModifierGroup(ModifierGroup),
    /// A modifier group that no product uses.
    RemoveModifierGroup(ModifierGroupId),
    /// A product.
    PutProduct(Product),
    /// A product; lines that were ordered stay.
    RemoveProduct(ProductId),
    /// The photo of a product; `None` takes it away.
    SetPhoto {
        /// The product.
        product: ProductId,
        /// Its photo.
        photo: Option<PhotoId>,
    },
}
