//! The world moves on: what the app points at may be gone. Then it steps back, and says so.

use tresen_till::{CheckId, Target};

use super::Step;
use crate::app::{App, Order, Screen, Sheet, Task};
use crate::notice::Notice;

impl Step<'_> {
    pub(super) fn reconcile(&mut self) {
        self.reconcile_staff();
        match &self.app.screen {
            Screen::Order(_) => self.reconcile_order(),
            Screen::Pay(pay) => {
                let check = pay.check;
                if self.world.till.check(check).is_none() && !self.is_paying(check) {
                    self.app.screen = Screen::Tables;
                    self.tell(Notice::ClosedElsewhere);
                }
            }
            Screen::Receipt(number) if self.world.till.receipt(*number).is_none() => {
                self.app.screen = Screen::Tables;
            }
            Screen::People | Screen::Pin(_) | Screen::Tables | Screen::Receipt(_) => {}
        }
    }

    fn reconcile_staff(&mut self) {
        let known = |staff| self.world.till.staff_member(staff).is_some();
        match (&self.app.screen, self.app.staff) {
            (Screen::People, _) => {}
            (Screen::Pin(entry), _) if known(entry.staff) => {}
            (Screen::Pin(_), _) => self.app.screen = Screen::People,
            (_, Some(staff)) if known(staff) => {}
            (_, _) => {
                *self.app = App::new();
                self.tell(Notice::NoLongerStaff);
            }
        }
    }

    fn reconcile_order(&mut self) {
        let till = self.world.till;
        let own_in_flight = self.app.queue.in_flight;
        let Screen::Order(order) = &mut self.app.screen else { return };
        let open = till.open_check(&order.target);
        let table_gone = matches!(order.target, Target::Table(table) if till.table(table).is_none());
        let closed = order.check.is_some() && order.check != open.map(|check| check.id);
        if table_gone || closed && !own_in_flight {
            self.app.screen = Screen::Tables;
            self.tell(Notice::ClosedElsewhere);
            return;
        }
        if order.check.is_none() && !own_in_flight {
            order.check = open.map(|check| check.id);
        }
        order.group = order.group.filter(|group| till.catalog().group(*group).is_some());
        if sheet_is_void(order, till) {
            order.sheet = None;
        }
    }

    fn is_paying(&self, check: CheckId) -> bool {
        let queue = &self.app.queue;
        let paying = |task: &Task| matches!(task, Task::Pay { check: paid, .. } if *paid == check);
        queue.in_flight && queue.jobs.front().is_some_and(|job| paying(&job.task))
    }
}

/// Whether the sheet is about something that is gone.
fn sheet_is_void(order: &Order, till: &tresen_till::Till) -> bool {
    match &order.sheet {
        Some(Sheet::Choice(choice)) => till.catalog().product(choice.product).is_none(),
        Some(Sheet::Line(edit)) => {
            till.open_check(&order.target).is_none_or(|check| check.line(edit.line).is_none())
        }
        Some(Sheet::Guests) | None => false,
    }
}
