//! Receipts: what was sold, in a form that never changes, and how it is printed.

mod print;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::money::allocate;
use crate::{CheckId, Currency, Money, Place, ProductId, Rate, ReceiptNumber, StaffId, StationId, TaxSum};

pub use print::{Align, PrintLine, Style, lines, ticket_lines};

/// A receipt. It carries everything that is printed but the letterhead.
///
/// Invariants: `total` is the sum of `lines` and of the gross sums in `taxes`; `tendered - change == total + rounding`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its number, without gaps.
    pub number: ReceiptNumber,
    /// The check that was paid.
    pub check: CheckId,
    /// When.
    pub at: Timestamp,
    /// When the check was opened.
    pub opened_at: Timestamp,
    /// Where.
    pub place: Place,
    /// Name of the table; `None` for a direct sale.
    pub table: Option<SmolStr>,
    /// The station that took the money.
    pub station: StationId,
    /// Who took the money.
    pub staff: StaffId,
    /// The name of that person.
    pub staff_name: SmolStr,
    /// Guests; 0 when nobody said.
    pub guests: u16,
    /// What was sold; identical items are one line.
    pub lines: Vec<ReceiptLine>,
    /// Sums per tax rate, rising.
    pub taxes: Vec<TaxSum>,
    /// What all amounts are in.
    pub currency: Currency,
    /// What everything costs.
    pub total: Money,
    /// What rounding to the smallest coin added; zero in most currencies.
    pub rounding: Money,
    /// What was handed over in cash.
    pub tendered: Money,
    /// What was given back.
    pub change: Money,
}

/// A line of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptLine {
    /// What was sold.
    pub product: ProductId,
    /// How many.
    pub quantity: u32,
    /// Its name.
    pub name: SmolStr,
    /// Names of modifiers.
    pub modifiers: Vec<SmolStr>,
    /// Gross price of one, modifiers included.
    pub unit_price: Money,
    /// Quantity times unit price.
    pub total: Money,
    /// Tax rate.
    pub rate: Rate,
    /// Its letter in the table of taxes.
    pub letter: char,
}

impl Receipt {
    /// What had to be paid in cash.
    pub fn due(&self) -> Money {
        self.total + self.rounding
    }

    /// The tax contained in each line, in the order of the lines. Per rate, the shares sum exactly to the tax of that rate.
    pub fn line_taxes(&self) -> Vec<Money> {
        let mut by_rate: BTreeMap<(Rate, char), Vec<usize>> = BTreeMap::new();
        for (index, line) in self.lines.iter().enumerate() {
            by_rate.entry((line.rate, line.letter)).or_default().push(index);
        }
        let mut shares = vec![Money::ZERO; self.lines.len()];
        for sum in &self.taxes {
            let indexes = by_rate.remove(&(sum.rate, sum.letter)).unwrap_or_default();
            let weights: Vec<Money> = indexes.iter().map(|index| self.lines[*index].total).collect();
            for (index, share) in indexes.into_iter().zip(allocate(sum.tax, &weights)) {
                shares[index] = share;
            }
        }
        shares
    }
}
