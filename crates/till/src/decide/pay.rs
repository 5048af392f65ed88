//! Taking cash and issuing the receipt.

use std::sync::Arc;

use smol_str::SmolStr;

use crate::receipt::{Receipt, ReceiptLine};
use crate::tax::tax_sums;
use crate::{
    Check, CheckId, Context, Event, Money, Permission, Place, ReceiptNumber, Refusal, Staff, Till, limits,
};

/// Letter of a rate that was valid when the line was ordered, but isn't on the day of the receipt.
const OTHER_RATE: char = 'X';

impl Till {
    pub(super) fn pay_cash(
        &self,
        context: &Context,
        check: CheckId,
        expected: Money,
        tendered: Money,
    ) -> Result<Vec<Event>, Refusal> {
        let staff = self.permitted(context, Permission::TakeCash)?;
        let check = self.known_check(check)?;
        if check.lines.is_empty() {
            return Err(Refusal::NothingToPay);
        }
        let total = check.total();
        if total != expected {
            return Err(Refusal::TotalMoved { now: total });
        }
        let due = self.site.currency.cash_due(total);
        if tendered < due {
            return Err(Refusal::TenderTooSmall { due });
        }
        if tendered > limits::TENDERED {
            return Err(Refusal::AmountOutOfRange);
        }
        let mut events: Vec<Event> = self.sending(context, staff, check).into_iter().collect();
        let receipt = Arc::new(self.issue(context, staff, check, tendered));
        events.push(Event::CheckPaid { receipt });
        Ok(events)
    }

    fn issue(&self, context: &Context, staff: &Staff, check: &Check, tendered: Money) -> Receipt {
        let lines = self.receipt_lines(context, check);
        let total = check.total();
        let due = self.site.currency.cash_due(total);
        let receipt = Receipt {
            number: ReceiptNumber(self.next_receipt),
            check: check.id,
            at: context.at,
            opened_at: check.opened_at,
            place: check.place,
            table: self.table_name(check.place),
            station: context.station,
            staff: staff.id,
            staff_name: staff.name.clone(),
            guests: check.guests,
            taxes: tax_sums(lines.iter().map(|line| (line.letter, line.rate, line.total))),
            lines,
            currency: self.site.currency,
            total,
            rounding: due - total,
            tendered,
            change: tendered - due,
        };
        let gross: Money = receipt.taxes.iter().map(|sum| sum.gross).sum();
        assert_eq!(gross, receipt.total, "taxes add up to the receipt");
        receipt
    }

    /// The lines of a check; items that are the same for the guest become one line.
    fn receipt_lines(&self, context: &Context, check: &Check) -> Vec<ReceiptLine> {
        let today = self.site.local(context.at).date();
        let mut merged: Vec<ReceiptLine> = Vec::with_capacity(check.lines.len());
        for line in &check.lines {
            let modifiers: Vec<SmolStr> =
                line.modifiers.iter().map(|modifier| modifier.name.clone()).collect();
            let twin = merged.iter_mut().find(|known| {
                known.product == line.product
                    && known.name == line.name
                    && known.modifiers == modifiers
                    && known.unit_price == line.unit_price
                    && known.rate == line.rate
            });
            if let Some(twin) = twin {
                twin.quantity += line.quantity;
                twin.total += line.total();
            } else {
                merged.push(ReceiptLine {
                    product: line.product,
                    quantity: line.quantity,
                    name: line.name.clone(),
                    modifiers,
                    unit_price: line.unit_price,
                    total: line.total(),
                    rate: line.rate,
                    letter: self.site.country.letter(line.rate, today).unwrap_or(OTHER_RATE),
                });
            }
        }
        merged
    }

    pub(super) fn table_name(&self, place: Place) -> Option<SmolStr> {
        match place {
            Place::Table(table) => self.table(table).map(|table| table.name.clone()),
            Place::Direct(_) => None,
        }
    }
}
