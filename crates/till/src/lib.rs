//! The domain of a till: money, tax, catalogue, checks and tenders.
//!
//! A [`Command`] is what somebody wants; [`Till::decide`] turns it into [`Event`]s or a [`Refusal`]; [`Till::apply`] makes
//! an event part of the state. The journal keeps events only.
//!
//! Not for: screens (`tresen-mpos`), files and durability (`tresen-ledger`), hashing PINs (the server; here a hash is opaque).
//!
//! Invariants:
//! - deciding is pure, and applying is pure and total: an event carries every id, time, name and price that it needs, so
//!   a replay needs neither a clock nor the catalogue of that day;
//! - two waiters on one table merge line by line: a change of quantity is a difference, and an added line only joins an
//!   identical one of the same waiter that has not been sent;
//! - sums are exact: the lines of a receipt add up to its total, its taxes add up to its total, tendered less change is what
//!   was due;
//! - receipts are numbered from 1 without gaps.

mod apply;
mod catalog;
mod changes;
mod check;
mod command;
mod decide;
pub mod demo;
mod event;
mod floor;
mod id;
mod manage;
pub mod money;
mod open;
mod photo;
pub mod receipt;
mod refusal;
mod site;
mod staff;
mod tax;
mod throttle;
mod ticket;
mod till;

pub use catalog::{Catalog, Group, Modifier, ModifierGroup, Preparation, Product};
pub use changes::{Changes, Topic};
pub use check::{Check, Line, LineModifier, Place, Target};
pub use command::{Command, Context, LoginOutcome, Manage};
pub use event::{DecodeError, Event, decode_events, encode_events};
pub use floor::{Area, Floor, Shape, Table, table_label};
pub use id::{
    AreaId, CheckId, GroupId, LineId, ModifierGroupId, ModifierId, PreparationId, ProductId, ReceiptNumber,
    StaffId, StationId, TableId, TicketId,
};
pub use money::{Currency, Money};
pub use photo::PhotoId;
pub use receipt::Receipt;
pub use refusal::Refusal;
pub use site::{Language, Site};
pub use staff::{Permission, PinHash, Role, Staff};
pub use tax::{Country, Rate, Service, TaxClass, TaxSum};
pub use throttle::Throttle;
pub use ticket::{Ticket, TicketLine};
pub use till::{OFFICE_DEVICE, Till};

/// Named limits of the domain. Within them no sum can overflow.
pub mod limits {
    use crate::Money;

    /// Highest price of a product or surcharge of a modifier, either sign.
    pub const PRICE: Money = Money::from_minor(10_000_000);
    /// Highest amount that a customer may hand over.
    pub const TENDERED: Money = Money::from_minor(1_000_000_000);
    /// Highest quantity of one line.
    pub const QUANTITY: u32 = 999;
    /// Most lines of one check.
    pub const CHECK_LINES: usize = 500;
    /// Most guests of one check.
    pub const GUESTS: u16 = 500;
    /// Most modifiers of one line.
    pub const LINE_MODIFIERS: usize = 24;
    /// Longest name in bytes.
    pub const NAME_BYTES: usize = 80;
    /// Longest note in bytes.
    pub const NOTE_BYTES: usize = 160;
    /// Most products with a photo: whoever keeps the till keeps the pictures in memory.
    pub const PHOTOS: usize = 1_000;
    /// Products, tables, staff and so on: most entries of one list.
    pub const ENTRIES: usize = 20_000;
    /// Receipts kept in memory; older ones are in the journal only.
    pub const RECEIPTS_KEPT: usize = 5_000;
    /// Tickets kept in memory; older ones are in the journal only.
    pub const TICKETS_KEPT: usize = 1_000;
    /// Devices whose wrong PINs are counted; the one that failed longest ago is forgotten first.
    pub const THROTTLED_DEVICES: usize = 1_024;
}
