//! The floor plan of an area.

use tresen_scene::{Insets, Rect, Role};
use tresen_till::{AreaId, Shape, Table, Target};

use super::Scene;
use crate::Tap;
use crate::ui::{
    Align, Doubt, EDGE, Element, GAP, Ink, Justify, Place, Surface, TableLook, Type, Weight, amount, column,
    stack, text,
};
use crate::words::minutes_between;

/// From the wall to the tables, in dp.
const MARGIN: i32 = 12;
/// Sides that a table may have, in dp, the largest first; the last is as small as a finger can take.
const SIDES: [i32; 8] = [104, 96, 88, 80, 72, 64, 56, 48];
/// From this height on, a table says since when it is open, in dp.
const ROOMY: i32 = 80;
/// Heights that a floor may have, in percent of the room for it.
const ROOMS: [i32; 4] = [100, 150, 200, 300];
/// Largest size of a decimetre, in hundredths of a dp, and how much more it may be in height than in width, in percent.
const LARGEST: i32 = 800;
const STRETCH: i32 = 230;

/// From decimetres to dp.
struct Map {
    left_dm: i32,
    top_dm: i32,
    x_100: i32,
    y_100: i32,
    /// Least width and height of a table.
    least: (i32, i32),
}

impl Scene<'_> {
    /// The tables of an area where they stand, on a floor `width` dp wide and at least `height` dp high.
    pub(super) fn plan(&self, area: AreaId, width: i32, height: i32) -> Element {
        let tables: Vec<&Table> = self.till().tables_in(area).collect();
        if tables.is_empty() {
            return text(Type::Body, self.words.no_tables).muted().pad(EDGE);
        }
        let map = Map::of(&tables, width - 2 * MARGIN, height - 2 * MARGIN);
        let places: Vec<Rect> = tables.iter().map(|table| map.place(table)).collect();
        let bottom = places.iter().map(|place| place.bottom()).max().unwrap_or(0);
        let right = places.iter().map(|place| place.right()).max().unwrap_or(0);
        let height = height.max(bottom + 2 * MARGIN);
        let (left, top) = ((width - right) / 2, ((height - bottom) / 2).min(MARGIN * 4));
        let placed = tables.into_iter().zip(places).map(|(table, place)| {
            let element = self.plan_table(table, place.h).width(place.w).height(place.h);
            element.at(left + place.x, top + place.y).key(("plan", table.id))
        });
        let floor = Surface::card().fill(Ink::Pressed);
        stack()
            .children(placed)
            .height(height.max(bottom + 2 * MARGIN))
            .width(width)
            .on_surface(floor)
            .key("plan")
    }

    fn plan_table(&self, table: &Table, height: i32) -> Element {
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
        let minutes = check.filter(|_| height >= ROOMY).map(|check| {
            let minutes = minutes_between(check.opened_at, self.world.now);
            text(Type::Label, self.words.minutes(minutes)).ink(ink).lines(1)
        });
        column()
            .align(Align::Center)
            .justify(Justify::Center)
            .child(text(Type::Body, table.name.clone()).weight(Weight::Semibold).ink(ink).lines(1))
            .children(total.map(|total| amount(Type::Label, total).ink(ink).doubt(Doubt::Shared)))
            .children(minutes)
            .on_surface(Surface::card().radius(radius).fill(fill).line(line))
            .pressable(Tap::Table(table.id).action(), Role::Button, label)
    }
}

impl Map {
    /// Places as large as fit, a little higher than wide where there is room, and tables as large as they can be without
    /// touching one another.
    fn of(tables: &[&Table], width: i32, height: i32) -> Self {
        let edge = |of: fn(&Table) -> u16| tables.iter().map(move |table| i32::from(of(table)));
        let left_dm = edge(|table| table.x_dm).min().unwrap_or(0);
        let top_dm = edge(|table| table.y_dm).min().unwrap_or(0);
        let last = |of: fn(&Table) -> u16, from: i32| edge(of).max().unwrap_or(0) - from;
        let right_dm = |table: &&Table| i32::from(table.x_dm) - left_dm + i32::from(table.width_dm);
        let widest = width * 100 / tables.iter().map(right_dm).max().unwrap_or(0).max(1);
        let widest = widest.min(LARGEST);
        // What the last table takes is left out: the others share the rest.
        let scale = |room: i32, last_dm: i32, side: i32| (room - side).max(0) * 100 / last_dm.max(1);
        // Where all of them don't fit one screen, the floor is higher than it, and scrolls.
        let fitting = ROOMS.into_iter().flat_map(|room| SIDES.map(|side| (height * room / 100, side)));
        let fitting = fitting.into_iter().find_map(|(height, side)| {
            let x_100 = scale(width, last(|table| table.x_dm, left_dm), side).min(widest);
            let tall = SIDES.into_iter().find(|tall| *tall <= side * 4 / 3).unwrap_or(side);
            let map = |tall| {
                let most = scale(height, last(|table| table.y_dm, top_dm), tall).min(LARGEST);
                let y_100 = most.min(x_100 * STRETCH / 100).max(x_100.min(most));
                Self { left_dm, top_dm, x_100, y_100, least: (side, tall) }
            };
            [map(tall), map(side)].into_iter().find(|map| map.is_free_of_overlaps(tables, width))
        });
        let side = SIDES[SIDES.len() - 1];
        let (x_100, y_100) = (scale(width, last(|table| table.x_dm, left_dm), side).min(widest), LARGEST);
        fitting.unwrap_or(Self { left_dm, top_dm, x_100, y_100, least: (side, side) })
    }

    fn place(&self, table: &Table) -> Rect {
        let x = (i32::from(table.x_dm) - self.left_dm) * self.x_100 / 100;
        let y = (i32::from(table.y_dm) - self.top_dm) * self.y_100 / 100;
        let w = (i32::from(table.width_dm) * self.x_100 / 100).max(self.least.0);
        let h = (i32::from(table.height_dm) * self.x_100.min(self.y_100) / 100).max(self.least.1);
        match table.shape {
            Shape::Square => Rect::new(x, y, w, h),
            Shape::Round => Rect::new(x + (w - w.min(h)) / 2, y + (h - w.min(h)) / 2, w.min(h), w.min(h)),
        }
    }

    fn is_free_of_overlaps(&self, tables: &[&Table], width: i32) -> bool {
        let places: Vec<Rect> = tables.iter().map(|table| self.place(table)).collect();
        let apart = |one: &Rect, two: &Rect| one.inset(Insets::all(-GAP / 2)).intersect(*two).is_empty();
        let mut rest = places.as_slice();
        while let Some((first, others)) = rest.split_first() {
            if first.right() > width || !others.iter().all(|other| apart(first, other)) {
                return false;
            }
            rest = others;
        }
        true
    }
}
