//! Where guests sit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{AreaId, Language, TableId};

/// A part of the floor: `Gastraum`, `Terrasse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Its id.
    pub id: AreaId,
    /// Name for staff.
    pub name: SmolStr,
    /// Place among the areas, rising.
    pub position: u16,
}

/// Shape of a table on the floor plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// With corners.
    Square,
    /// Round.
    Round,
}

/// A table. On the floor plan, an area is a plane in decimetres with its origin top left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its id.
    pub id: TableId,
    /// The area it stands in.
    pub area: AreaId,
    /// What staff call it: `4`, `T12`, `Bar 3`.
    pub name: SmolStr,
    /// Chairs.
    pub seats: u16,
    /// Left edge in decimetres.
    pub x_dm: u16,
    /// Top edge in decimetres.
    pub y_dm: u16,
    /// Width in decimetres.
    pub width_dm: u16,
    /// Height in decimetres.
    pub height_dm: u16,
    /// Its shape.
    pub shape: Shape,
}

/// Areas and tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    areas: Vec<Area>,
    tables: BTreeMap<TableId, Table>,
}

/// What guests call a table: `Tisch 4`; a name that begins with no digit speaks for itself.
#[must_use]
pub fn table_label(name: &str, language: Language) -> String {
    let table = match language {
        Language::De => "Tisch",
        Language::En => "Table",
    };
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        format!("{table} {name}")
    } else {
        name.into()
    }
}

impl Floor {
    /// Areas in their order.
    pub fn areas(&self) -> impl ExactSizeIterator<Item = &Area> {
        self.areas.iter()
    }

    /// One area.
    pub fn area(&self, id: AreaId) -> Option<&Area> {
        self.areas.iter().find(|area| area.id == id)
    }

    /// All tables, by id.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &Table> {
        self.tables.values()
    }

    /// Tables of an area, by id.
    pub fn tables_in(&self, area: AreaId) -> impl Iterator<Item = &Table> {
        self.tables.values().filter(move |table| table.area == area)
    }

    /// One table.
    pub fn table(&self, id: TableId) -> Option<&Table> {
        self.tables.get(&id)
    }

    pub(crate) fn put_area(&mut self, area: &Area) {
        self.remove_area(area.id);
        self.areas.push(area.clone());
        self.areas.sort_by_key(|area| (area.position, area.id));
    }

    pub(crate) fn remove_area(&mut self, id: AreaId) {
        self.areas.retain(|area| area.id != id);
    }

    pub(crate) fn put_table(&mut self, table: &Table) {
        self.tables.insert(table.id, table.clone());
    }

    pub(crate) fn remove_table(&mut self, id: TableId) {
        self.tables.remove(&id);
    }
}
