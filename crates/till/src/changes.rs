//! What differs between two states of a till, by what somebody may be looking at: so that a booking is news for those whom it concerns,
//! and costs nothing for the others.
//!
//! Found from the two states alone and not from events, so no event can be forgotten; what both share (they share whatever did not
//! change) is not even looked at.

use std::collections::HashSet;

use imbl::ordmap::DiffItem;

use crate::{AreaId, Check, CheckId, Place, ReceiptNumber, StaffId, Target, Till};

/// Something in a till that a screen may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Anything at all: every new till concerns whoever looks at it.
    Anything,
    /// The open check of a place, or that there is none.
    Place(Place),
    /// One open check.
    Check(CheckId),
    /// Every check at a table.
    Tables,
    /// Every check at a table of an area.
    Area(AreaId),
    /// Every check at a table that a person opened.
    TablesOf(StaffId),
    /// One of the receipts that are kept.
    Receipt(ReceiptNumber),
    /// Wrong PINs, and how long the next try has to wait.
    WrongPins,
}

/// What differs between two states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Site, catalogue, photos, floor or staff: what every screen is made of.
    everywhere: bool,
    topics: HashSet<Topic>,
}

impl Changes {
    /// Whether everybody is concerned, whatever they look at: the site, the catalogue, its photos, the floor or the staff changed.
    pub fn everywhere(&self) -> bool {
        self.everywhere
    }

    /// What changed besides.
    pub fn topics(&self) -> impl Iterator<Item = Topic> {
        self.topics.iter().copied().chain([Topic::Anything])
    }

    /// Whether somebody is concerned who looks at these.
    pub fn concern<'a>(&self, topics: impl IntoIterator<Item = &'a Topic>) -> bool {
        let changed = |topic: &Topic| match topic {
            Topic::Anything => true,
            topic => self.topics.contains(topic),
        };
        self.everywhere || topics.into_iter().any(changed)
    }
}

impl From<Target> for Topic {
    fn from(target: Target) -> Topic {
        match target {
            Target::Table(table) => Topic::Place(Place::Table(table)),
            Target::Direct(station) => Topic::Place(Place::Direct(station)),
            Target::Check(check) => Topic::Check(check),
        }
    }
}

impl Till {
    /// What is different from an earlier state.
    pub fn changes_since(&self, earlier: &Till) -> Changes {
        use std::sync::Arc;
        let everywhere = !(Arc::ptr_eq(&self.site, &earlier.site)
            && Arc::ptr_eq(&self.catalog, &earlier.catalog)
            && Arc::ptr_eq(&self.floor, &earlier.floor)
            && self.photos.ptr_eq(&earlier.photos)
            && self.staff.ptr_eq(&earlier.staff));
        let mut changes = Changes { everywhere, topics: HashSet::new() };
        for difference in earlier.checks.diff(&self.checks) {
            match difference {
                DiffItem::Add(_, check) | DiffItem::Remove(_, check) => self.touch(&mut changes, check),
                DiffItem::Update { old: (_, old), new: (_, new) } => {
                    self.touch(&mut changes, old);
                    self.touch(&mut changes, new);
                }
            }
        }
        for difference in earlier.receipts.diff(&self.receipts) {
            let (DiffItem::Add(number, _)
            | DiffItem::Remove(number, _)
            | DiffItem::Update { new: (number, _), .. }) = difference;
            changes.topics.insert(Topic::Receipt(*number));
        }
        if self.failed != earlier.failed {
            changes.topics.insert(Topic::WrongPins);
        }
        changes
    }

    /// A check is another one than it was, or was so.
    fn touch(&self, changes: &mut Changes, check: &Check) {
        changes.topics.extend([Topic::Check(check.id), Topic::Place(check.place)]);
        if let Place::Table(table) = check.place {
            changes.topics.extend([Topic::Tables, Topic::TablesOf(check.opened_by)]);
            changes.topics.extend(self.floor.table(table).map(|table| Topic::Area(table.area)));
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{Command, Context, ProductId, StationId, TableId, demo};

    fn after(till: &Till, command: Command) -> Till {
        let context = Context {
            staff: Some(demo::ANNA),
            station: StationId(1),
            device: "device".into(),
            at: Timestamp::UNIX_EPOCH,
        };
        till.decide_all(&context, &[command]).unwrap().0
    }

    fn beer(target: Target) -> Command {
        Command::AddLine {
            target,
            product: ProductId(201),
            quantity: 1,
            modifiers: Vec::new(),
            note: "".into(),
        }
    }

    /// Promise: a booking concerns whoever looks at its check, place, area or waiter, and nobody else.
    #[test]
    fn a_booking_concerns_those_who_look_at_it() {
        let before = Till::demo();
        let with = after(&before, beer(Target::Table(TableId(1))));
        let changes = with.changes_since(&before);
        let table = |id| Topic::from(Target::Table(TableId(id)));
        for topic in
            [table(1), Topic::Area(AreaId(1)), Topic::Tables, Topic::TablesOf(demo::ANNA), Topic::Anything]
        {
            assert!(changes.concern(&[topic]), "{topic:?}");
        }
        let check = with.open_check(&Target::Table(TableId(1))).unwrap().id;
        assert!(changes.concern(&[table(2), Topic::Check(check)]));
        for topic in [table(2), Topic::Area(AreaId(2)), Topic::TablesOf(demo::BEN), Topic::WrongPins] {
            assert!(!changes.concern(&[topic]), "{topic:?}");
        }
        assert!(!changes.concern(&[]));
        assert_eq!(with.changes_since(&with), Changes::default());
    }

    /// Promise: a direct sale is nobody's table.
    #[test]
    fn a_direct_sale_concerns_its_station() {
        let before = Till::demo();
        let changes = after(&before, beer(Target::Direct(StationId(1)))).changes_since(&before);
        assert!(changes.concern(&[Topic::from(Target::Direct(StationId(1)))]));
        assert!(!changes.concern(&[Topic::Tables, Topic::TablesOf(demo::ANNA)]));
        assert!(!changes.concern(&[Topic::from(Target::Direct(StationId(2)))]));
    }

    /// Promise: what every screen is made of concerns everybody.
    #[test]
    fn the_site_concerns_everybody() {
        let before = Till::demo();
        let mut next = before.clone();
        next.apply(&crate::Event::ProductRemoved(ProductId(201)));
        assert!(next.changes_since(&before).concern(&[]));
    }
}
