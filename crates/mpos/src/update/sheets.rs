//! What lies over the order: a product being chosen, a line, the number of guests.

use tresen_till::{Catalog, Line, ModifierGroup, ModifierId, Target};

use super::Step;
use crate::app::{Choice, LineEdit, Order, Screen, Sheet, Task};
use crate::limits;

impl Step<'_> {
    pub(super) fn toggle_modifier(&mut self, modifier: ModifierId) {
        let catalog = self.world.till.catalog();
        let Some(choice) = self.choice() else { return };
        let product = catalog.product(choice.product);
        let group = product.and_then(|product| catalog.questions(product).find(|group| has(group, modifier)));
        if let Some(group) = group {
            toggle(choice, group, modifier);
        }
    }

    pub(super) fn quantity_digit(&mut self, digit: u8) {
        let Some(choice) = self.choice() else { return };
        let before = if choice.fresh { 0 } else { choice.quantity };
        let typed = before * 10 + u32::from(digit.min(9));
        if typed <= limits::QUANTITY {
            choice.quantity = typed;
            choice.fresh = false;
        }
    }

    pub(super) fn quantity_erase(&mut self) {
        if let Some(choice) = self.choice() {
            choice.quantity /= 10;
            choice.fresh = false;
        }
    }

    pub(super) fn step_quantity(&mut self, by: i32) {
        let Screen::Order(order) = &mut self.app.screen else { return };
        let target = order.target;
        match &mut order.sheet {
            Some(Sheet::Choice(choice)) => {
                choice.quantity = choice.quantity.saturating_add_signed(by).clamp(1, limits::QUANTITY);
                choice.fresh = true;
            }
            Some(Sheet::Line(edit)) => {
                let line = edit.line;
                if self
                    .unsent_line(target, line)
                    .is_some_and(|line| by < 0 || line.quantity < limits::QUANTITY)
                {
                    self.book(Task::Quantity { target, line, by });
                }
            }
            Some(Sheet::Guests) => {
                let guests = self.world.till.open_check(&target).map_or(0, |check| check.guests);
                self.book_guests(target, guests.saturating_add_signed(by as i16));
            }
            None => {}
        }
    }

    pub(super) fn set_guests(&mut self, guests: u16) {
        let Some(order) = self.order().filter(|order| order.sheet == Some(Sheet::Guests)) else { return };
        order.sheet = None;
        let target = order.target;
        self.book_guests(target, guests);
    }

    /// Takes over what the sheet says, and closes it; without what is required it stays and points at it.
    pub(super) fn accept_sheet(&mut self) {
        let catalog = self.world.till.catalog();
        let Screen::Order(order) = &mut self.app.screen else { return };
        let target = order.target;
        match &mut order.sheet {
            Some(Sheet::Choice(choice)) if missing(choice, catalog).next().is_some() => {
                choice.insisted = true
            }
            Some(Sheet::Choice(choice)) => {
                let choice = Choice { quantity: choice.quantity.max(1), ..choice.clone() };
                self.close_sheet();
                self.book(Task::Add { target, choice });
            }
            Some(Sheet::Line(LineEdit { line, note })) => {
                let (line, note) = (*line, note.take());
                self.close_sheet();
                let changed =
                    note.filter(|note| self.unsent_line(target, line).is_some_and(|line| line.note != *note));
                if let Some(note) = changed {
                    self.book(Task::Note { target, line, note });
                }
            }
            Some(Sheet::Guests) | None => self.close_sheet(),
        }
    }

    pub(super) fn repeat_line(&mut self) {
        if let Some((target, choice)) = self.line_as_choice() {
            self.close_sheet();
            self.book(Task::Add { target, choice });
        }
    }

    pub(super) fn delete_line(&mut self) {
        if let Screen::Order(Order { target, sheet: Some(Sheet::Line(edit)), .. }) = &self.app.screen {
            let (target, line) = (*target, edit.line);
            if self.unsent_line(target, line).is_some() {
                self.close_sheet();
                self.book(Task::Delete { target, line });
            }
        }
    }

    pub(super) fn line_options(&mut self) {
        let Screen::Order(Order { target, sheet: Some(Sheet::Line(edit)), .. }) = &self.app.screen else {
            return;
        };
        let unsent = self.unsent_line(*target, edit.line).map(|line| line.id);
        if let (Some(line), Some((_, choice))) = (unsent, self.line_as_choice())
            && let Some(order) = self.order()
        {
            order.sheet = Some(Sheet::Choice(Choice { replaces: Some(line), ..choice }));
        }
    }

    fn book_guests(&mut self, target: Target, guests: u16) {
        self.book(Task::Guests { target, guests: guests.min(limits::GUESTS) });
    }

    fn choice(&mut self) -> Option<&mut Choice> {
        match &mut self.app.screen {
            Screen::Order(Order { sheet: Some(Sheet::Choice(choice)), .. }) => Some(choice),
            _ => None,
        }
    }

    fn close_sheet(&mut self) {
        if let Some(order) = self.order() {
            order.sheet = None;
        }
    }

    fn line_as_choice(&self) -> Option<(Target, Choice)> {
        let Screen::Order(Order { target, sheet: Some(Sheet::Line(edit)), .. }) = &self.app.screen else {
            return None;
        };
        let line = self.world.till.open_check(target)?.line(edit.line)?;
        let chosen = line.modifiers.iter().map(|modifier| modifier.id).collect();
        let choice =
            Choice { chosen, note: line.note.clone(), quantity: line.quantity, ..Choice::of(line.product) };
        Some((*target, choice))
    }

    fn unsent_line(&self, target: Target, line: tresen_till::LineId) -> Option<&Line> {
        let line = self.world.till.open_check(&target)?.line(line)?;
        line.sent_at.is_none().then_some(line)
    }
}

/// Questions about a product that still want an answer.
pub(crate) fn missing<'a>(
    choice: &'a Choice,
    catalog: &'a Catalog,
) -> impl Iterator<Item = &'a ModifierGroup> {
    let questions =
        catalog.product(choice.product).into_iter().flat_map(|product| catalog.questions(product));
    questions.filter(|group| answers(choice, group) < usize::from(group.min))
}

/// How many answers to a question were chosen.
fn answers(choice: &Choice, group: &ModifierGroup) -> usize {
    choice.chosen.iter().filter(|modifier| has(group, **modifier)).count()
}

fn has(group: &ModifierGroup, modifier: ModifierId) -> bool {
    group.modifiers.iter().any(|known| known.id == modifier)
}

/// Of a question with one answer, another answer takes the place of the first; a second tap takes an answer back.
fn toggle(choice: &mut Choice, group: &ModifierGroup, modifier: ModifierId) {
    if let Some(index) = choice.chosen.iter().position(|chosen| *chosen == modifier) {
        choice.chosen.remove(index);
        return;
    }
    if group.max == 1 {
        choice.chosen.retain(|chosen| !has(group, *chosen));
    }
    if answers(choice, group) < usize::from(group.max) {
        choice.chosen.push(modifier);
    }
}
