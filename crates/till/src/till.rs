//! The state of a till, and questions to it.

use std::sync::Arc;

use imbl::OrdMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::event::{decode_versioned, encode_versioned};
use crate::open::Open;
use crate::throttle::Failed;
use crate::{
    Area, AreaId, Catalog, Check, CheckId, Command, Context, DecodeError, Event, Floor, PhotoId, PinHash,
    Place, ProductId, Receipt, ReceiptNumber, Refusal, Role, Site, Staff, StaffId, StationId, Table, TableId,
    Target, Throttle, Ticket, TicketId, demo,
};

/// What the name of a device begins with that is a browser at the back office's door.
pub const OFFICE_DEVICE: &str = "office ";

/// Version byte of a snapshot.
const SNAPSHOT_VERSION: u8 = 3;
/// Version 1 had no counter of staff ids and no wrong PINs of the office: what stands behind it as their empty values.
const SINCE_VERSION_1: [u8; 3] = [0; 3];
/// Version 2 had no photos: an empty map.
const SINCE_VERSION_2: [u8; 1] = [0];

/// Everything that a till knows. Cloning is cheap: clones share what did not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Till {
    pub(crate) site: Arc<Site>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) floor: Arc<Floor>,
    pub(crate) staff: OrdMap<StaffId, Staff>,
    pub(crate) failed: Arc<Failed>,
    pub(crate) checks: OrdMap<CheckId, Arc<Check>>,
    pub(crate) open: Open,
    pub(crate) receipts: OrdMap<ReceiptNumber, Arc<Receipt>>,
    pub(crate) tickets: OrdMap<TicketId, Arc<Ticket>>,
    pub(crate) next_check: u64,
    pub(crate) next_ticket: u64,
    pub(crate) next_receipt: u64,
    pub(crate) next_staff: u32,
    pub(crate) failed_in_office: Arc<Failed>,
    pub(crate) photos: OrdMap<ProductId, PhotoId>,
}

impl Till {
    /// A till that knows nothing but its site.
    pub fn empty(site: Site) -> Till {
        Till {
            site: Arc::new(site),
            catalog: Arc::default(),
            floor: Arc::default(),
            staff: OrdMap::new(),
            failed: Arc::default(),
            checks: OrdMap::new(),
            open: Open::default(),
            receipts: OrdMap::new(),
            tickets: OrdMap::new(),
            next_check: 1,
            next_ticket: 1,
            next_receipt: 1,
            next_staff: 1,
            failed_in_office: Arc::default(),
            photos: OrdMap::new(),
        }
    }

    /// The demo restaurant ([`demo::gasthaus_linde`](crate::demo::gasthaus_linde)) with hashes that no PIN matches, for tests
    /// of screens.
    pub fn demo() -> Till {
        let mut till = Till::empty(Site::default());
        let context = Context {
            staff: None,
            station: StationId(0),
            device: SmolStr::default(),
            at: Timestamp::UNIX_EPOCH,
        };
        for manage in demo::gasthaus_linde(|_| PinHash::new(String::new())) {
            let events = till.decide(&context, &Command::Manage(manage)).expect("the demo is well-formed");
            events.iter().for_each(|event| till.apply(event));
        }
        till
    }

    /// Decides several commands one after the other, all or none.
    ///
    /// # Errors
    /// The first refusal; nothing has happened then.
    pub fn decide_all(&self, context: &Context, commands: &[Command]) -> Result<(Till, Vec<Event>), Refusal> {
        let mut till = self.clone();
        let mut events = Vec::new();
        for command in commands {
            let decided = till.decide(context, command)?;
            for event in &decided {
                till.apply(event);
            }
            events.extend(decided);
        }
        Ok((till, events))
    }

    /// The site.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// What is sold.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The photo of a product.
    pub fn photo(&self, product: ProductId) -> Option<PhotoId> {
        self.photos.get(&product).copied()
    }

    /// Products that have a photo, and which. Clones share memory, and are quickly told to be the same.
    pub fn photos(&self) -> &OrdMap<ProductId, PhotoId> {
        &self.photos
    }

    /// Areas and tables.
    pub fn floor(&self) -> &Floor {
        &self.floor
    }

    /// Areas in their order.
    pub fn areas(&self) -> impl ExactSizeIterator<Item = &Area> {
        self.floor.areas()
    }

    /// All tables, by id.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &Table> {
        self.floor.tables()
    }

    /// Tables of an area, by id.
    pub fn tables_in(&self, area: AreaId) -> impl Iterator<Item = &Table> {
        self.floor.tables_in(area)
    }

    /// One table.
    pub fn table(&self, id: TableId) -> Option<&Table> {
        self.floor.table(id)
    }

    /// Everybody who works here, by id.
    pub fn staff(&self) -> impl ExactSizeIterator<Item = &Staff> {
        self.staff.values()
    }

    /// One person.
    pub fn staff_member(&self, id: StaffId) -> Option<&Staff> {
        self.staff.get(&id)
    }

    /// The id of the next new person. Ids of removed people never come back: sessions, passwords and bookings carry them.
    pub fn next_staff(&self) -> StaffId {
        StaffId(self.next_staff)
    }

    /// Whether somebody may manage the site. Until then, everybody may.
    pub fn has_owner(&self) -> bool {
        self.staff.values().any(|staff| staff.role == Role::Owner)
    }

    /// An open check.
    pub fn check(&self, id: CheckId) -> Option<&Check> {
        self.checks.get(&id).map(AsRef::as_ref)
    }

    /// The open check of a target.
    pub fn open_check(&self, target: &Target) -> Option<&Check> {
        let place = match *target {
            Target::Check(id) => return self.check(id),
            Target::Table(table) => Place::Table(table),
            Target::Direct(station) => Place::Direct(station),
        };
        self.check(self.open.get(&place)?)
    }

    /// The same, to be kept.
    pub fn shared_check(&self, target: &Target) -> Option<Arc<Check>> {
        let id = self.open_check(target)?.id;
        self.checks.get(&id).cloned()
    }

    /// All open checks, oldest first.
    pub fn open_checks(&self) -> impl ExactSizeIterator<Item = &Check> {
        self.checks.values().map(AsRef::as_ref)
    }

    /// One of the last [`RECEIPTS_KEPT`](crate::limits::RECEIPTS_KEPT) receipts.
    pub fn receipt(&self, number: ReceiptNumber) -> Option<&Arc<Receipt>> {
        self.receipts.get(&number)
    }

    /// Receipts from a number on, as far as they are kept.
    pub fn receipts_from(&self, number: ReceiptNumber) -> impl DoubleEndedIterator<Item = &Arc<Receipt>> {
        self.receipts.range(number..).map(|(_, receipt)| receipt)
    }

    /// The newest receipt.
    pub fn last_receipt(&self) -> Option<&Arc<Receipt>> {
        self.receipts.get_max().map(|(_, receipt)| receipt)
    }

    /// Tickets from an id on, as far as they are kept.
    pub fn tickets_from(&self, id: TicketId) -> impl DoubleEndedIterator<Item = &Arc<Ticket>> {
        self.tickets.range(id..).map(|(_, ticket)| ticket)
    }

    /// Whether somebody may try a PIN on a device now. Wrong PINs at the office's door don't count at the handhelds, nor the other
    /// way round: else anybody who reaches the office page could keep a person out of the service.
    pub fn throttle(&self, staff: StaffId, device: &str, now: Timestamp) -> Throttle {
        let failed = if is_office(device) { &self.failed_in_office } else { &self.failed };
        failed.throttle(staff, device, now)
    }

    /// The whole state in bytes.
    pub fn to_snapshot(&self) -> Vec<u8> {
        encode_versioned(SNAPSHOT_VERSION, self)
    }

    /// The state from [`to_snapshot`](Till::to_snapshot).
    ///
    /// # Errors
    /// When the bytes are from a newer version or damaged.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Till, DecodeError> {
        let read = |old: &[u8], since: &[&[u8]]| -> Result<Till, DecodeError> {
            decode_versioned(SNAPSHOT_VERSION, &[&[SNAPSHOT_VERSION], old, &since.concat()].concat())
        };
        let old = match bytes.split_first() {
            Some((1, old)) => old,
            Some((2, old)) => return read(old, &[&SINCE_VERSION_2]),
            Some(_) | None => return decode_versioned(SNAPSHOT_VERSION, bytes),
        };
        let mut till = read(old, &[&SINCE_VERSION_1, &SINCE_VERSION_2])?;
        till.next_staff = till.staff.get_max().map_or(1, |(id, _)| id.0.saturating_add(1));
        Ok(till)
    }
}

/// Whether a device is a browser at the back office's door.
pub(crate) fn is_office(device: &str) -> bool {
    device.starts_with(OFFICE_DEVICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_older_versions_are_read() {
        let till = Till::demo();
        let mut bytes = till.to_snapshot();
        bytes[0] = 2;
        bytes.truncate(bytes.len() - SINCE_VERSION_2.len());
        assert_eq!(Till::from_snapshot(&bytes), Ok(till.clone()));
        bytes[0] = 1;
        // In front of the two empty maps stands the counter, one byte.
        bytes.truncate(bytes.len() - SINCE_VERSION_1.len());
        assert_eq!(Till::from_snapshot(&bytes), Ok(till));
    }

    #[test]
    fn the_demo_looks_like_a_restaurant() {
        let till = Till::demo();
        assert_eq!((till.areas().len(), till.tables().len(), till.catalog().groups().len()), (3, 26, 9));
        assert_eq!(till.catalog().products().len(), 75);
        assert_eq!(
            till.staff().map(|staff| staff.name.as_str()).collect::<Vec<_>>(),
            ["Anna", "Ben", "Olga"]
        );
    }
}
