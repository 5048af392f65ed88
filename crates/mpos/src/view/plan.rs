//! The floor plan of an area.

use tresen_scene::Role;
use tresen_till::{AreaId, Shape, Table, Target};

use super::Scene;
use crate::Tap;
use crate::ui::{
    Align, EDGE, Element, Ink, Justify, Place, Surface, TableLook, Type, Weight, amount, column, stack, text,
};

/// Smallest side of a table, in dp.
const SIDE: i32 = 60;
/// How much higher than wide a plan may be drawn, in percent, to use the screen.
const STRETCH: i32 = 150;
/// Largest size of a decimetre, in hundredths of a dp.
const LARGEST: i32 = 1_000;

/// From decimetres to dp.
struct Map {
    left_dm: i32,
    top_dm: i32,
    x_100: i32,
    y_100: i32,
}

impl Scene<'_> {
    /// The tables of an area where they stand, within the width of the screen and, if possible, `room` dp high.
    pub(super) fn plan(&self, area: AreaId, room: i32) -> Element {
        let tables: Vec<&Table> = self.till().tables_in(area).collect();
        if tables.is_empty() {
            return text(Type::Body, self.words.no_tables).muted().pad(EDGE);
        }
        let (width, height) = (self.size.w - 2 * EDGE, room - EDGE);
        let map = Map::of(&tables, width, height);
        let bottom = tables.iter().map(|table| map.place(table).1 + map.size(table).1).max().unwrap_or(0);
        let placed = tables.into_iter().map(|table| {
            let ((x, y), (w, h)) = (map.place(table), map.size(table));
            self.plan_table(table).width(w).height(h).at(x, y).key(("plan", table.id))
        });
        let plan = stack().children(placed).height(bottom.max(height)).width(width);
        column().child(plan).pad_x(EDGE).pad_top(4)
    }

    fn plan_table(&self, table: &Table) -> Element {
        let check = self.till().open_check(&Target::Table(table.id));
        let (fill, line, ink) = match check.map(|check| self.look(check)).unwrap_or_default() {
            TableLook::Free => (Ink::Card, Ink::Line, Ink::Text),
            TableLook::Open => (Ink::AccentTint, Ink::AccentTint, Ink::Accent),
            TableLook::Late => (Ink::LateTint, Ink::LateTint, Ink::Late),
            TableLook::Waits => (Ink::WaitsTint, Ink::WaitsTint, Ink::Waits),
        };
        let radius = match table.shape {
            Shape::Square => 12,
            Shape::Round => 1_000,
        };
        let name = self.words.table(&table.name);
        let total = check.map(|check| self.plain(check.total()));
        let label = match &total {
            Some(total) => format!("{name}, {total}"),
            None => format!("{name}, {}", self.words.free),
        };
        column()
            .align(Align::Center)
            .justify(Justify::Center)
            .child(text(Type::Body, table.name.clone()).weight(Weight::Semibold).ink(ink).lines(1))
            .children(total.map(|total| amount(Type::Label, total).ink(ink)))
            .on_surface(Surface::card().radius(radius).fill(fill).line(line))
            .pressable(Tap::Table(table.id).action(), Role::Button, label)
    }
}

impl Map {
    /// As large as fits; a little higher than wide where there is room.
    fn of(tables: &[&Table], width: i32, height: i32) -> Self {
        let edge = |of: fn(&Table) -> u16| tables.iter().map(move |table| i32::from(of(table)));
        let left_dm = edge(|table| table.x_dm).min().unwrap_or(0);
        let top_dm = edge(|table| table.y_dm).min().unwrap_or(0);
        let right_dm = edge(|table| table.x_dm + table.width_dm).max().unwrap_or(1);
        let bottom_dm = edge(|table| table.y_dm + table.height_dm).max().unwrap_or(1);
        let x_100 = (width * 100 / (right_dm - left_dm).max(1)).min(LARGEST);
        let most = height * 100 / (bottom_dm - top_dm).max(1);
        let y_100 = most.clamp(x_100.min(most.max(1)), x_100 * STRETCH / 100);
        Self { left_dm, top_dm, x_100, y_100 }
    }

    fn place(&self, table: &Table) -> (i32, i32) {
        let x = (i32::from(table.x_dm) - self.left_dm) * self.x_100 / 100;
        let y = (i32::from(table.y_dm) - self.top_dm) * self.y_100 / 100;
        (x, y)
    }

    fn size(&self, table: &Table) -> (i32, i32) {
        let w = (i32::from(table.width_dm) * self.x_100 / 100).max(SIDE);
        let h = (i32::from(table.height_dm) * self.x_100.min(self.y_100) / 100).max(SIDE);
        (w, h)
    }
}
