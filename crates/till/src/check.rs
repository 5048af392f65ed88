//! Open checks and their lines.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{CheckId, LineId, ModifierId, Money, ProductId, Rate, StaffId, StationId, TableId, TaxClass};

/// Where a check belongs. At most one check is open in each place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Place {
    /// A table.
    Table(TableId),
    /// A direct sale at a station.
    Direct(StationId),
}

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Target {
    /// The check of a table; it is opened when none is open.
    Table(TableId),
    /// The direct sale of a station; it is opened when none is open.
    Direct(StationId),
    /// A check that is open already.
    Check(CheckId),
}

impl From<Place> for Target {
    fn from(place: Place) -> Target {
        match place {
            Place::Table(table) => Target::Table(table),
            Place::Direct(station) => Target::Direct(station),
        }
    }
}

/// The open bill of a table or of a direct sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its id.
    pub id: CheckId,
    /// Where it belongs.
    pub place: Place,
    /// Guests; 0 when nobody said.
    pub guests: u16,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Who opened it.
    pub opened_by: StaffId,
    /// Lines in the order in which they were added; one that did not change is the one of the tills before.
    pub lines: Vec<Arc<Line>>,
    /// The id of the next line.
    pub(crate) next_line: u64,
}

/// One line of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its id within the check.
    pub id: LineId,
    /// What was ordered.
    pub product: ProductId,
    /// Its name at that time.
    pub name: SmolStr,
    /// How many, at least 1.
    pub quantity: u32,
    /// Gross price of one, modifiers included.
    pub unit_price: Money,
    /// Answers to the product's questions.
    pub modifiers: Vec<LineModifier>,
    /// What else the kitchen should know.
    pub note: SmolStr,
    /// When it went to the kitchen; `None` while it can still be changed.
    pub sent_at: Option<Timestamp>,
    /// Who added it.
    pub by: StaffId,
    /// When it was added.
    pub added_at: Timestamp,
    /// What decides its tax rate.
    pub tax: TaxClass,
    /// The rate of the day on which it was added.
    pub rate: Rate,
}

/// A modifier of a line as it was when it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineModifier {
    /// Its id.
    pub id: ModifierId,
    /// Its name.
    pub name: SmolStr,
    /// Its surcharge, contained in the line's unit price.
    pub price: Money,
}

impl Check {
    /// Sum of all lines, gross.
    pub fn total(&self) -> Money {
        self.lines.iter().map(|line| line.total()).sum()
    }

    /// One line.
    pub fn line(&self, id: LineId) -> Option<&Line> {
        self.lines.iter().find(|line| line.id == id).map(AsRef::as_ref)
    }

    /// Lines that were not sent yet.
    pub fn unsent(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().map(AsRef::as_ref).filter(|line: &&Line| line.sent_at.is_none())
    }

    /// Items (not lines) that were not sent yet.
    pub fn unsent_count(&self) -> u32 {
        self.unsent().map(|line| line.quantity).sum()
    }

    /// When something was last sent.
    pub fn last_sent_at(&self) -> Option<Timestamp> {
        self.lines.iter().filter_map(|line| line.sent_at).max()
    }
}

impl Line {
    /// Quantity times unit price.
    pub fn total(&self) -> Money {
        self.unit_price.times(self.quantity)
    }

    /// Whether another order of the same waiter is the same in every way and may join this line.
    pub(crate) fn is_joined_by(&self, other: &Line) -> bool {
        self.sent_at.is_none()
            && self.product == other.product
            && self.name == other.name
            && self.unit_price == other.unit_price
            && self.modifiers == other.modifiers
            && self.note == other.note
            && self.by == other.by
            && self.tax == other.tax
            && self.rate == other.rate
    }
}
