//! All tables: their state, and the way to each.

use tresen_scene::Role;
use tresen_till::{Area, Check, Table, TableId, Target};

use super::tabs::{Tab, Tabs};
use super::{Scene, bottom_bar};
use crate::ui::{
    Align, BAR, Button, Doubt, EDGE, Element, GAP, Icon, Place, Selected, TableLook, Type, Weight, button,
    column, grid, header, row, scroll, table_tile, text,
};
use crate::words::minutes_between;
use crate::{ScrollArea, TableFilter, TablesLayout, Tap, limits};

/// Width of a tile, at least, and its lowest and greatest height, in dp.
const TILE: i32 = 104;
const LOW: i32 = 84;
const HIGH: i32 = 116;
/// Height of the bar at the bottom, of a line of tabs, and of an area's name, in dp.
const BOTTOM: i32 = 73;
const TABS: i32 = 56;
const HEADING: i32 = 36;
/// Least width of a floor plan beside others, in dp.
const PLAN: i32 = 400;
/// Width of the direct sale beside the tabs, in dp.
const DIRECT: i32 = 208;

/// An area, when its name is to be shown, and its tables.
type Section<'a> = (Option<&'a Area>, Vec<&'a Table>);

impl<'a> Scene<'a> {
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
        let sideways = self.is_sideways();
        let beside = if sideways { DIRECT + EDGE } else { 0 };
        let width = self.size.w - 2 * EDGE - beside;
        let tabs = Tabs { width, pad: (0, 0), tabs: self.areas(filter) };
        let direct = sideways.then(|| self.direct_sale().compact().width(DIRECT));
        let tabs = row().child(tabs.grow()).children(direct).pad_x(EDGE).pad_y(4);
        let content = self.tables_shown(filter);
        let layout =
            if matches!(filter, Some(TableFilter::Mine)) { TablesLayout::Grid } else { self.app.layout };
        let area = ScrollArea::Tables(filter.unwrap_or(TableFilter::Mine), layout);
        column()
            .child(bar)
            .child(tabs)
            .child(scroll(area.action(), content))
            .children(self.banner())
            .children((!sideways).then(|| bottom_bar(None, self.direct_sale())))
    }

    fn tables_shown(&self, filter: Option<TableFilter>) -> Element {
        let room = self.size.h - BAR - TABS - if self.is_sideways() { 0 } else { BOTTOM };
        let till = self.till();
        match (filter, self.app.layout) {
            (None, _) => text(Type::Body, self.words.no_tables).muted().pad(EDGE),
            (Some(TableFilter::Mine), _) => {
                let mine = till.tables().filter(|table| self.is_mine(table.id)).collect();
                self.sections(vec![(None, mine)], self.words.none_mine, room)
            }
            (Some(TableFilter::Area(area)), TablesLayout::Grid) => {
                self.sections(vec![(None, till.tables_in(area).collect())], self.words.no_tables, room)
            }
            (Some(TableFilter::All), TablesLayout::Grid) => {
                let section = |area: &'a Area| (Some(area), till.tables_in(area.id).collect());
                self.sections(till.areas().map(section).collect(), self.words.no_tables, room)
            }
            (Some(TableFilter::Area(area)), TablesLayout::Plan) => {
                column().child(self.plan(area, self.size.w - 2 * EDGE, room - EDGE)).pad_x(EDGE).pad_top(4)
            }
            (Some(TableFilter::All), TablesLayout::Plan) => {
                self.plans(&till.areas().collect::<Vec<_>>(), room - EDGE - HEADING).pad_x(EDGE)
            }
        }
    }

    fn direct_sale(&self) -> Button {
        let open = self.till().open_check(&Target::Direct(self.world.station));
        let direct = button(self.words.direct_sale, Tap::Direct.action()).primary();
        match open {
            Some(check) => direct.trailing(self.amount(check.total())).doubt(Doubt::Shared),
            None => direct.icon(Icon::ShoppingBag),
        }
    }

    /// The floor plans of all areas: as many beside one another as there is room for.
    fn plans(&self, areas: &[&Area], height: i32) -> Element {
        let width = self.size.w - 2 * EDGE;
        let columns = ((width + GAP) / (PLAN + GAP)).clamp(1, areas.len().max(1) as i32);
        let width = (width - (columns - 1) * GAP) / columns;
        let plan = |area: &&Area| {
            column().child(heading(area)).child(self.plan(area.id, width, height)).width(width)
        };
        let rows = areas.chunks(columns as usize).map(|areas| {
            row().align(Align::Start).gap(GAP).children(areas.iter().map(plan).collect::<Vec<_>>())
        });
        column().children(rows.collect::<Vec<_>>()).pad_bottom(GAP)
    }

    /// What is shown: what was chosen, or else everything where there is room for it, or the first area.
    pub(super) fn filter(&self) -> Option<TableFilter> {
        let first = || match (self.is_wide(), self.till().areas().next()) {
            (true, Some(_)) => Some(TableFilter::All),
            (_, area) => area.map(|area| TableFilter::Area(area.id)),
        };
        match self.app.filter {
            Some(TableFilter::Area(area)) if self.till().floor().area(area).is_none() => first(),
            Some(TableFilter::All) | None => first(),
            chosen => chosen,
        }
    }

    fn areas(&self, filter: Option<TableFilter>) -> Vec<Tab> {
        let tab = |text, filter_of| Tab {
            text,
            selected: Selected::when(filter == Some(filter_of)),
            action: Tap::Filter(filter_of).action(),
        };
        let all = self.is_wide().then(|| tab(self.words.all.into(), TableFilter::All));
        let areas = self.till().areas().map(|area: &Area| tab(area.name.clone(), TableFilter::Area(area.id)));
        let mine = tab(self.words.mine.into(), TableFilter::Mine);
        all.into_iter().chain(areas).chain([mine]).collect()
    }

    /// Tables in rows, area by area.
    fn sections(&self, sections: Vec<Section>, nothing: &'static str, room: i32) -> Element {
        let columns = ((self.size.w - 2 * EDGE + GAP) / (TILE + GAP)).clamp(1, 8);
        let rows_of = |tables: &[&Table]| (tables.len() as i32 + columns - 1) / columns;
        let rows: i32 = sections.iter().map(|(_, tables)| rows_of(tables)).sum();
        if rows == 0 {
            return text(Type::Body, nothing).muted().pad(EDGE);
        }
        let headings = sections.iter().filter(|(area, _)| area.is_some()).count() as i32;
        let height = ((room - EDGE - headings * HEADING) / rows - GAP).clamp(LOW, HIGH);
        let sections = sections.into_iter().map(|(area, tables)| {
            let tiles =
                tables.into_iter().map(|table| self.table(table).height(height).key(("table", table.id)));
            let tiles = grid(columns as u16).gap(GAP).children(tiles);
            column().children(area.map(heading)).child(tiles).pad_bottom(GAP)
        });
        column().children(sections.collect::<Vec<_>>()).pad_x(EDGE).pad_top(4).pad_bottom(GAP)
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

fn heading(area: &Area) -> Element {
    let name = text(Type::Body, area.name.clone()).weight(Weight::Semibold).lines(1).role(Role::Heading);
    name.pad_top(8).pad_bottom(8)
}
