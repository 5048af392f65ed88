//! All tables: their state, and the way to each.

use tresen_till::{Area, Check, Table, TableId, Target};

use super::tabs::Tab;
use super::{Scene, bottom_bar};
use crate::ui::{
    BAR, EDGE, Element, GAP, Icon, Place, Selected, TableLook, Type, button, column, grid, header, scroll,
    table_tile, text,
};
use crate::words::minutes_between;
use crate::{ScrollArea, TableFilter, TablesLayout, Tap, limits};

/// Width of a tile, at least, and its lowest and greatest height, in dp.
const TILE: i32 = 104;
const LOW: i32 = 84;
const HIGH: i32 = 104;
/// Height of the bar at the bottom, in dp.
const BOTTOM: i32 = 73;

impl Scene<'_> {
    pub(super) fn tables(&self) -> Element {
        let filter = self.filter();
        let (icon, label, other) = match self.app.layout {
            TablesLayout::Grid => (Icon::Map, self.words.plan, TablesLayout::Plan),
            TablesLayout::Plan => (Icon::LayoutGrid, self.words.grid, TablesLayout::Grid),
        };
        let bar = header(self.words.tables)
            .subtitle(self.staff_name())
            .action(icon, label, Tap::Layout(other).action())
            .action(Icon::LogOut, self.words.log_out, Tap::LogOut.action());
        let tabs = self.tabs(self.size.w - 2 * EDGE, self.areas(filter)).pad_x(EDGE).pad_y(4);
        let room = self.size.h - BAR - BOTTOM - 56;
        let content = match (filter, self.app.layout) {
            (Some(TableFilter::Area(area)), TablesLayout::Plan) => self.plan(area, room),
            (Some(filter), _) => self.tiles(filter, room),
            (None, _) => text(Type::Body, self.words.no_tables).muted().pad_x(EDGE),
        };
        let layout =
            if matches!(filter, Some(TableFilter::Mine)) { TablesLayout::Grid } else { self.app.layout };
        let area = ScrollArea::Tables(filter.unwrap_or(TableFilter::Mine), layout);
        column()
            .child(bar)
            .child(tabs)
            .child(scroll(Tap::Scroll(area).action(), content))
            .child(self.tables_bar())
    }

    fn tables_bar(&self) -> Element {
        let open = self.till().open_check(&Target::Direct(self.world.station));
        let direct = button(self.words.direct_sale, Tap::Direct.action()).primary();
        bottom_bar(
            None,
            match open {
                Some(check) => direct.trailing(self.amount(check.total())),
                None => direct.icon(Icon::ShoppingBag),
            },
        )
    }

    /// What is shown: what was chosen, or else the first area.
    fn filter(&self) -> Option<TableFilter> {
        let first = || self.till().areas().next().map(|area| TableFilter::Area(area.id));
        match self.app.filter {
            Some(TableFilter::Area(area)) if self.till().floor().area(area).is_none() => first(),
            None => first(),
            chosen => chosen,
        }
    }

    fn areas(&self, filter: Option<TableFilter>) -> Vec<Tab> {
        let tab = |text, filter_of| Tab {
            text,
            selected: Selected::when(filter == Some(filter_of)),
            tap: Tap::Filter(filter_of),
        };
        let areas = self.till().areas().map(|area: &Area| tab(area.name.clone(), TableFilter::Area(area.id)));
        areas.chain([tab(self.words.mine.into(), TableFilter::Mine)]).collect()
    }

    fn tiles(&self, filter: TableFilter, room: i32) -> Element {
        let columns = ((self.size.w - 2 * EDGE + GAP) / (TILE + GAP)).clamp(1, 8);
        let shown: Vec<&Table> = match filter {
            TableFilter::Area(area) => self.till().tables_in(area).collect(),
            TableFilter::Mine => self.till().tables().filter(|table| self.is_mine(table.id)).collect(),
        };
        if shown.is_empty() {
            let nothing =
                if filter == TableFilter::Mine { self.words.none_mine } else { self.words.no_tables };
            return text(Type::Body, nothing).muted().pad(EDGE);
        }
        let rows = (shown.len() as i32 + columns - 1) / columns;
        let height = ((room - EDGE) / rows - GAP).clamp(LOW, HIGH);
        let tiles = shown.into_iter().map(|table| self.table(table).height(height).key(("table", table.id)));
        grid(columns as u16).gap(GAP).children(tiles).pad_x(EDGE).pad_top(4).pad_bottom(EDGE)
    }

    fn is_mine(&self, table: TableId) -> bool {
        let check = self.till().open_check(&Target::Table(table));
        check.is_some_and(|check| Some(check.opened_by) == self.app.staff)
    }

    fn table(&self, table: &Table) -> Element {
        let tile = table_tile(table.name.clone(), Tap::Table(table.id).action());
        let name = self.words.table(&table.name);
        let Some(check) = self.till().open_check(&Target::Table(table.id)) else {
            return tile.note(self.words.free).label(format!("{name}, {}", self.words.free)).into();
        };
        let total = self.plain(check.total());
        let minutes = minutes_between(check.opened_at, self.world.now);
        let label = match check.guests {
            0 => format!("{name}, {total}"),
            guests => format!("{name}, {}, {total}", self.words.guest_count(guests)),
        };
        let tile =
            tile.amount(total).minutes(self.words.minutes(minutes)).look(self.look(check)).label(label);
        if check.guests > 0 { tile.guests(check.guests.to_string()).into() } else { tile.into() }
    }

    /// Something was not sent yet: it waits for you. Nothing happened for a while: it is late.
    pub(super) fn look(&self, check: &Check) -> TableLook {
        let last = check.last_sent_at().map_or(check.opened_at, |sent| sent.max(check.opened_at));
        if check.unsent_count() > 0 {
            TableLook::Waits
        } else if minutes_between(last, self.world.now) >= limits::LATE_MINUTES {
            TableLook::Late
        } else {
            TableLook::Open
        }
    }
}
