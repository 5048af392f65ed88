//! Taking cash, and the receipt.

use tresen_till::Money;

use super::Step;
use super::bookings::clamp_amount;
use crate::Effect;
use crate::app::{Screen, Task};
use crate::notice::Notice;

impl Step<'_> {
    pub(super) fn tendered_digits(&mut self, digit: u8, times: usize) {
        let Screen::Pay(pay) = &mut self.app.screen else { return };
        let mut minor = if pay.fresh { 0 } else { pay.tendered.map_or(0, Money::minor) };
        for _ in 0..times {
            minor = minor * 10 + i64::from(digit.min(9));
        }
        if clamp_amount(minor).minor() == minor {
            pay.tendered = Some(clamp_amount(minor));
            pay.fresh = false;
        }
    }

    pub(super) fn tendered_erase(&mut self) {
        if let Screen::Pay(pay) = &mut self.app.screen {
            let shown = if pay.fresh { 0 } else { pay.tendered.map_or(0, Money::minor) };
            pay.tendered = (shown >= 10).then(|| clamp_amount(shown / 10));
            pay.fresh = pay.tendered.is_none();
        }
    }

    pub(super) fn tender(&mut self, amount: Money) {
        if let Screen::Pay(pay) = &mut self.app.screen {
            pay.tendered = Some(clamp_amount(amount.minor()));
            pay.fresh = true;
        }
    }

    /// Pays what the screen shows now.
    pub(super) fn pay_as_shown(&mut self) {
        let Screen::Pay(pay) = &self.app.screen else { return };
        if let Some(check) = self.world.till.check(pay.check) {
            let expected = check.total();
            let due = self.world.till.site().currency.cash_due(expected);
            let tendered = pay.tendered.unwrap_or(due);
            self.pay_cash(expected, tendered);
        }
    }

    /// A second tap before the first was answered does nothing.
    pub(super) fn pay_cash(&mut self, expected: Money, tendered: Money) {
        let Screen::Pay(pay) = &self.app.screen else { return };
        let check = pay.check;
        let paying = self
            .app
            .queue
            .jobs
            .iter()
            .any(|job| matches!(job.task, Task::Pay { check: c, .. } if c == check));
        if paying {
            return;
        }
        if tendered < self.world.till.site().currency.cash_due(expected) {
            self.tell(Notice::TooLittle);
        } else {
            self.book(Task::Pay { check, expected, tendered });
        }
    }

    pub(super) fn reprint(&mut self) {
        if let Screen::Receipt(number) = self.app.screen {
            self.effects.push(Effect::Reprint(number));
            self.tell(Notice::Printing);
        }
    }

    pub(super) fn receipt_done(&mut self) {
        if let Screen::Receipt(_) = self.app.screen {
            self.app.screen = Screen::Tables;
        }
    }
}
