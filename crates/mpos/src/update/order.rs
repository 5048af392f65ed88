//! Taking an order.

use smol_str::SmolStr;
use tresen_till::{GroupId, LineId, ProductId, Target};

use super::Step;
use super::bookings::unsent_count;
use crate::app::{Choice, LineEdit, ListHeight, Order, Pay, Screen, Sheet, Task};
use crate::notice::Notice;
use crate::{Tap, limits};

impl Step<'_> {
    pub(super) fn show_group(&mut self, group: GroupId) {
        if let Some(order) = self.order() {
            order.group = Some(group);
            order.search = None;
            order.list = ListHeight::Low;
        }
    }

    pub(super) fn open_search(&mut self) {
        if let Some(order) = self.order() {
            order.search = Some(SmolStr::default());
            order.list = ListHeight::Low;
        }
    }

    pub(super) fn pull_list(&mut self) {
        if let Some(order) = self.order() {
            order.list = match order.list {
                ListHeight::Low => ListHeight::Full,
                ListHeight::Full => ListHeight::Low,
            };
        }
    }

    /// One tap adds the product, unless it can't be made without an answer.
    pub(super) fn choose_product(&mut self, product: ProductId) {
        let Some(known) = self.world.till.catalog().product(product) else { return };
        if known.asks(self.world.till.catalog()) {
            self.product_details(product);
        } else if let Some(target) = self.target() {
            self.book(Task::Add { target, choice: Choice::of(product) });
        }
    }

    pub(super) fn product_details(&mut self, product: ProductId) {
        let known = self.world.till.catalog().product(product).is_some_and(|product| product.available);
        if let Some(order) = self.order()
            && known
        {
            order.sheet = Some(Sheet::Choice(Choice::of(product)));
        }
    }

    pub(super) fn open_line(&mut self, line: LineId) {
        if let Some(order) = self.order() {
            order.sheet = Some(Sheet::Line(LineEdit { line, note: None }));
        }
    }

    pub(super) fn open_guests(&mut self) {
        if let Some(order) = self.order() {
            order.sheet = Some(Sheet::Guests);
        }
    }

    /// A second tap before the first was answered does nothing.
    pub(super) fn send(&mut self) {
        let Some(target) = self.target() else { return };
        let last = self.app.queue.jobs.back().map(|job| &job.task);
        let adding = matches!(last, Some(Task::Add { .. }));
        if last != Some(&Task::Send { target }) && (adding || unsent_count(self.world, &target) > 0) {
            self.book(Task::Send { target });
        }
    }

    pub(super) fn go_pay(&mut self) {
        let Screen::Order(order) = &self.app.screen else { return };
        let check = self.world.till.open_check(&order.target).filter(|check| !check.lines.is_empty());
        if let Some(check) = check {
            let order = Order { sheet: None, search: None, list: ListHeight::Low, ..order.clone() };
            self.app.screen = Screen::Pay(Pay { order, check: check.id, tendered: None, fresh: true });
        }
    }

    pub(super) fn scan(&mut self, code: &str) {
        let product = self.world.till.catalog().product_by_barcode(code.trim()).map(|product| product.id);
        match (product, &self.app.screen) {
            (None, _) => {
                self.tell(Notice::UnknownCode(code.trim().chars().take(limits::CODE_CHARS).collect()))
            }
            (Some(product), Screen::Order(_)) => self.choose_product(product),
            (Some(_), _) => self.tell(Notice::ScanNeedsOrder),
        }
    }

    pub(super) fn text(&mut self, tap: &Tap, text: &str) {
        let Screen::Order(order) = &mut self.app.screen else { return };
        match (tap, &mut order.sheet, &mut order.search) {
            (Tap::SearchText, _, Some(search)) => *search = cut(text),
            (Tap::NoteText, Some(Sheet::Choice(choice)), _) => choice.note = cut(text),
            (Tap::NoteText, Some(Sheet::Line(edit)), _) => edit.note = Some(cut(text)),
            _ => {}
        }
    }

    pub(super) fn target(&self) -> Option<Target> {
        match &self.app.screen {
            Screen::Order(order) => Some(order.target),
            _ => None,
        }
    }

    pub(super) fn unsent_count(&self) -> u32 {
        self.target().map_or(0, |target| unsent_count(self.world, &target))
    }
}

impl Choice {
    /// One of a product, as it comes.
    pub(crate) fn of(product: ProductId) -> Self {
        let note = SmolStr::default();
        Self { product, chosen: Vec::new(), note, quantity: 1, fresh: true, insisted: false, replaces: None }
    }
}

/// The text up to the limit, cut between characters.
fn cut(text: &str) -> SmolStr {
    let mut end = text.len().min(limits::TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
