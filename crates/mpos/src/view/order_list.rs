//! The order as a list: the newest lines below the products, pulled up to full height, or beside the products.

use tresen_scene::{Pull, Role};
use tresen_till::{Check, Line, ModifierGroup};

use super::Scene;
use super::sheets::unit_price;
use crate::app::{Choice, Order, Task};
use crate::ui::{
    Align, EDGE, Element, GAP, Icon, Ink, ListRow, MIN_TARGET, Place, RowLook, Surface, Type, Weight, apart,
    column, divider, icon, list_row, row, scroll, spacer, text,
};
use crate::{ScrollArea, Tap};

/// Beyond every list: the newest line is in sight.
const END: i32 = 20_000;
/// Height of the newest lines on a phone, in dp, and on one that is small.
const LOW: i32 = 144;
const LOWER: i32 = 96;
/// What says that the list can be pulled: its width and height, in dp.
const GRIP: (i32, i32) = (32, 4);
/// From these heights on there is room for more lines, in dp.
const TALL: i32 = 700;
const TALLEST: i32 = 800;

impl<'a> Scene<'a> {
    /// Whether there is anything to list: lines, or what is on its way to become one.
    pub(super) fn has_lines(&self, order: &Order, check: Option<&Check>) -> bool {
        check.is_some_and(|check| !check.lines.is_empty()) || self.pending(order).next().is_some()
    }

    /// The newest lines, below the products of a narrow screen; none when nothing was ordered.
    pub(super) fn low_list(&self, order: &Order, check: Option<&Check>) -> Option<Element> {
        if !self.has_lines(order, check) {
            return None;
        }
        let height = match self.size.h {
            TALLEST.. => self.size.h / 3,
            TALL.. => LOW,
            _ => LOWER,
        };
        let handle = self.handle(check, Pull::Up);
        let rows = self.rows(order, check).hugging().max_height(height);
        let list = column().child(divider()).child(handle).child(rows);
        Some(list.on_surface(Surface::plain(Ink::Card)).key("list"))
    }

    /// The whole order on a narrow screen.
    pub(super) fn pulled_list(&self, order: &Order, check: Option<&Check>) -> Element {
        let handle = self.handle(check, Pull::Down);
        let list = column().child(handle).child(self.rows(order, check));
        list.on_surface(Surface::plain(Ink::Card)).grow().key("whole list")
    }

    /// The order beside the products.
    pub(super) fn list(&self, order: &Order, check: Option<&Check>) -> Element {
        if !self.has_lines(order, check) {
            return column()
                .child(text(Type::Body, self.words.nothing_ordered).muted().pad(EDGE))
                .child(spacer());
        }
        let title = apart(MIN_TARGET, row().child(self.list_title(check)).pad_x(EDGE));
        column().child(title).child(divider()).child(self.rows(order, check))
    }

    /// What pulls the list up or down, by a tap or as a handle.
    fn handle(&self, check: Option<&Check>, pull: Pull) -> Element {
        let (arrow, label) = match pull {
            Pull::Up => (Icon::ChevronUp, self.words.pull_up),
            Pull::Down => (Icon::ChevronDown, self.words.pull_down),
        };
        let (width, height) = GRIP;
        let grip = spacer().on_surface(Surface::plain(Ink::Line).radius(height / 2));
        let title = row()
            .align(Align::Center)
            .child(grip.width(width).height(height).at((self.size.w - width) / 2, 6))
            .child(self.list_title(check).grow())
            .child(icon(arrow).ink(Ink::Muted))
            .pad_x(EDGE);
        apart(MIN_TARGET, title).pressable(Tap::PullList.action(), Role::Button, label).pulled(pull)
    }

    fn list_title(&self, check: Option<&Check>) -> Element {
        let items: u32 = check.into_iter().flat_map(|check| &check.lines).map(|line| line.quantity).sum();
        let count = self.words.item_count(items);
        let title = text(Type::Body, self.words.order).weight(Weight::Semibold).lines(1);
        row().gap(GAP).child(title).child(text(Type::Label, count).muted().lines(1))
    }

    fn rows(&self, order: &Order, check: Option<&Check>) -> Element {
        let lines = check.into_iter().flat_map(|check| &check.lines);
        let lines = lines.map(|line| self.line(line).key(("line", line.id)));
        let pending = self.pending(order).map(|choice| self.pending_row(choice));
        let rows = lines.chain(pending.flatten().map(Element::from));
        let rows = column().children(rows.collect::<Vec<_>>()).key("rows");
        scroll(ScrollArea::Lines.action(), rows).scrolled_to(END)
    }

    /// What was tapped here and is not on disk yet.
    fn pending(&self, order: &Order) -> impl Iterator<Item = &'a Choice> {
        let here = order.target;
        self.app.queue.jobs.iter().filter_map(move |job| match &job.task {
            Task::Add { target, choice } if *target == here => Some(choice),
            _ => None,
        })
    }

    /// A line that is not booked yet: it can't be opened, and its amount is in doubt.
    fn pending_row(&self, choice: &Choice) -> Option<ListRow> {
        let catalog = self.till().catalog();
        let product = catalog.product(choice.product)?;
        let questions: Vec<&ModifierGroup> = catalog.questions(product).collect();
        let total = unit_price(product, choice, &questions).times(choice.quantity);
        let row =
            list_row(product.name.clone()).quantity(choice.quantity.to_string()).amount(self.plain(total));
        Some(row.subtitle(self.words.being_booked).look(RowLook::Unconfirmed))
    }

    /// What is paid, beside the sums of a wide screen.
    pub(super) fn rows_to_read(&self, check: &Check) -> Element {
        let rows = check.lines.iter().map(|line| self.row_of(line).key(("line", line.id)));
        let rows = column().children(rows.collect::<Vec<_>>()).pad_x(GAP);
        scroll(ScrollArea::Lines.action(), rows)
    }

    fn line(&self, line: &Line) -> ListRow {
        let look = if line.sent_at.is_none() { RowLook::New } else { RowLook::Plain };
        self.row_of(line).look(look).on(Tap::Line(line.id).action())
    }

    fn row_of(&self, line: &Line) -> ListRow {
        let row =
            list_row(line.name.clone()).quantity(line.quantity.to_string()).amount(self.plain(line.total()));
        let details = self.line_details(line);
        if details.is_empty() { row } else { row.subtitle(details) }
    }

    /// Modifiers, the note, and who added it when it was somebody else.
    pub(super) fn line_details(&self, line: &Line) -> String {
        let modifiers = line.modifiers.iter().map(|modifier| modifier.name.as_str());
        let note = Some(line.note.as_str()).filter(|note| !note.is_empty());
        let other = Some(line.by).filter(|by| Some(*by) != self.app.staff);
        let by = other.and_then(|by| self.till().staff_member(by)).map(|staff| staff.name.as_str());
        modifiers.chain(note).chain(by).collect::<Vec<_>>().join(" · ")
    }
}
