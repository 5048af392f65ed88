//! Which check is open where.
//!
//! Tables and direct sales are kept apart: a stadium has thousands of direct sales that come and go, and who looks over a room looks at each of its tables.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::{CheckId, Place, StationId, TableId};

/// The open checks by their places. In a snapshot it is one map of both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OrdMap<Place, CheckId>", into = "OrdMap<Place, CheckId>")]
pub(crate) struct Open {
    tables: OrdMap<TableId, CheckId>,
    direct: OrdMap<StationId, CheckId>,
}

impl Open {
    pub(crate) fn get(&self, place: &Place) -> Option<CheckId> {
        match place {
            Place::Table(table) => self.tables.get(table).copied(),
            Place::Direct(station) => self.direct.get(station).copied(),
        }
    }

    pub(crate) fn insert(&mut self, place: Place, check: CheckId) {
        match place {
            Place::Table(table) => self.tables.insert(table, check),
            Place::Direct(station) => self.direct.insert(station, check),
        };
    }

    pub(crate) fn remove(&mut self, place: &Place) {
        match place {
            Place::Table(table) => self.tables.remove(table),
            Place::Direct(station) => self.direct.remove(station),
        };
    }
}

impl From<OrdMap<Place, CheckId>> for Open {
    fn from(both: OrdMap<Place, CheckId>) -> Self {
        let mut open = Self::default();
        both.into_iter().for_each(|(place, check)| open.insert(place, check));
        open
    }
}

impl From<Open> for OrdMap<Place, CheckId> {
    fn from(Open { tables, direct }: Open) -> Self {
        let tables = tables.into_iter().map(|(table, check)| (Place::Table(table), check));
        tables.chain(direct.into_iter().map(|(station, check)| (Place::Direct(station), check))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a snapshot of an earlier build is read, and written as it was.
    #[test]
    fn a_snapshot_holds_one_map() {
        let both: OrdMap<Place, CheckId> = [
            (Place::Direct(StationId(3)), CheckId(1)),
            (Place::Table(TableId(7)), CheckId(2)),
            (Place::Table(TableId(4)), CheckId(9)),
        ]
        .into_iter()
        .collect();
        let bytes = postcard::to_allocvec(&both).unwrap();
        let open: Open = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(open.get(&Place::Table(TableId(4))), Some(CheckId(9)));
        assert_eq!(open.get(&Place::Direct(StationId(3))), Some(CheckId(1)));
        assert_eq!(postcard::to_allocvec(&open).unwrap(), bytes);
    }
}
