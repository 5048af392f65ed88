//! Money: integer minor units, and how people read and hand it over.

use serde::{Deserialize, Serialize};

use crate::Language;

/// An amount in minor units (cents, Rappen) of the site's currency. Prices are gross.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money(i64);

/// A currency with two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Currency {
    /// Euro.
    Eur,
    /// Swiss franc; cash is rounded to 0.05.
    Chf,
}

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// An amount of so many cents or Rappen.
    pub const fn from_minor(minor: i64) -> Money {
        Money(minor)
    }

    /// Cents or Rappen.
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// So many times this amount.
    pub const fn times(self, quantity: u32) -> Money {
        Money(self.0 * quantity as i64)
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether it is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// With the currency, as people of the language write it: `41,10 €`, `€41.10`, `CHF 41.10`.
    /// The space is a no-break space (U+00A0), so that an amount never wraps.
    pub fn format(self, currency: Currency, language: Language) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let digits = Money(self.0.abs()).format_plain(currency, language);
        match (currency, language) {
            (Currency::Eur, Language::De) => format!("{sign}{digits}\u{a0}€"),
            (Currency::Eur, Language::En) => format!("{sign}€{digits}"),
            (Currency::Chf, Language::De | Language::En) => format!("{sign}CHF\u{a0}{digits}"),
        }
    }

    /// Without the currency: `1.234,50`, `1,234.50`, `1’234.50`.
    pub fn format_plain(self, currency: Currency, language: Language) -> String {
        let (group, point) = match (currency, language) {
            (Currency::Eur, Language::De) => ('.', ','),
            (Currency::Eur, Language::En) | (Currency::Chf, Language::En) => (',', '.'),
            (Currency::Chf, Language::De) => ('’', '.'),
        };
        let minor = self.0.unsigned_abs();
        let major = (minor / 100).to_string();
        let mut text = String::with_capacity(major.len() + 8);
        if self.0 < 0 {
            text.push('-');
        }
        for (index, digit) in major.chars().enumerate() {
            if index > 0 && (major.len() - index).is_multiple_of(3) {
                text.push(group);
            }
            text.push(digit);
        }
        text.push(point);
        text.push_str(&format!("{:02}", minor % 100));
        text
    }
}

impl Currency {
    /// ISO 4217 code.
    pub const fn code(self) -> &'static str {
        match self {
            Currency::Eur => "EUR",
            Currency::Chf => "CHF",
        }
    }

    /// Smallest coin in minor units.
    pub const fn smallest_coin(self) -> Money {
        match self {
            Currency::Eur => Money(1),
            Currency::Chf => Money(5),
        }
    }

    /// What is asked for when somebody pays this amount in cash: the nearest multiple of the smallest coin, half away from zero.
    pub const fn cash_due(self, total: Money) -> Money {
        let coin = self.smallest_coin().0;
        let rounded = (total.0.abs() + coin / 2) / coin * coin;
        Money(if total.0 < 0 { -rounded } else { rounded })
    }
}

/// What a customer is likely to hand over for this amount, smallest first: the exact amount, then sums of few notes.
/// At most four. `due` is a cash amount (see [`Currency::cash_due`]); nothing is suggested when nothing is due.
pub fn suggested_notes(due: Money) -> Vec<Money> {
    const NOTES: [i64; 6] = [500, 1_000, 2_000, 5_000, 10_000, 20_000];
    const SUGGESTIONS: usize = 4;
    if due.0 <= 0 {
        return Vec::new();
    }
    let up_to = |step: i64| (due.0 + step - 1) / step * step;
    let mut amounts = vec![due.0, up_to(500), up_to(1_000)];
    if due.0 > 20_000 {
        amounts.extend([up_to(5_000), up_to(10_000)]);
    }
    amounts.extend(NOTES.into_iter().filter(|note| *note >= due.0));
    amounts.sort_unstable();
    amounts.dedup();
    amounts.truncate(SUGGESTIONS);
    amounts.into_iter().map(Money).collect()
}

/// Splits a total in proportion to weights, by the largest remainder: the shares always sum to the total.
/// Weights of one sign; when all are zero, the first share takes everything. No shares for no weights.
pub fn allocate(total: Money, weights: &[Money]) -> Vec<Money> {
    let sum: i128 = weights.iter().map(|weight| i128::from(weight.0)).sum();
    if sum == 0 {
        let mut shares = vec![Money::ZERO; weights.len()];
        if let Some(first) = shares.first_mut() {
            *first = total;
        }
        return shares;
    }
    let parts: Vec<(i128, i128)> = weights
        .iter()
        .map(|weight| {
            let scaled = i128::from(total.0) * i128::from(weight.0);
            (scaled.div_euclid(sum), scaled.rem_euclid(sum))
        })
        .collect();
    let mut shares: Vec<Money> = parts.iter().map(|(whole, _)| Money(*whole as i64)).collect();
    let handed_out: i64 = shares.iter().map(|share| share.0).sum();
    let step = (total.0 - handed_out).signum();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| (-(parts[*index].1 * i128::from(step)), *index));
    for index in order.into_iter().cycle().take((total.0 - handed_out).unsigned_abs() as usize) {
        shares[index].0 += step;
    }
    shares
}

impl std::ops::Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        Money(self.0 + other.0)
    }
}

impl std::ops::Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        Money(self.0 - other.0)
    }
}

impl std::ops::Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money(-self.0)
    }
}

impl std::ops::AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        self.0 += other.0;
    }
}

impl std::iter::Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, |sum, amount| sum + amount)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn money_is_written_as_people_of_the_language_write_it() {
        let amount = Money::from_minor(123_450);
        assert_eq!(amount.format(Currency::Eur, Language::De), "1.234,50\u{a0}€");
        assert_eq!(amount.format(Currency::Eur, Language::En), "€1,234.50");
        assert_eq!(amount.format(Currency::Chf, Language::De), "CHF\u{a0}1’234.50");
        assert_eq!((-amount).format(Currency::Eur, Language::En), "-€1,234.50");
        assert_eq!(Money::from_minor(-5).format_plain(Currency::Eur, Language::De), "-0,05");
        assert_eq!(Money::from_minor(100_000_007).format_plain(Currency::Eur, Language::De), "1.000.000,07");
    }

    #[test]
    fn francs_in_cash_round_to_five_rappen_and_euros_do_not() {
        let due = |minor| Currency::Chf.cash_due(Money::from_minor(minor)).minor();
        assert_eq!([due(1002), due(1003), due(1007), due(1008), due(-1003)], [1000, 1005, 1005, 1010, -1005]);
        assert_eq!(Currency::Eur.cash_due(Money::from_minor(1003)).minor(), 1003);
    }

    #[test]
    fn notes_that_a_customer_would_hand_over() {
        let notes =
            |minor| suggested_notes(Money::from_minor(minor)).iter().map(|m| m.minor()).collect::<Vec<_>>();
        assert_eq!(notes(4110), [4110, 4500, 5000, 10_000]);
        assert_eq!(notes(390), [390, 500, 1000, 2000]);
        assert_eq!(notes(5000), [5000, 10_000, 20_000]);
        assert_eq!(notes(23_050), [23_050, 23_500, 24_000, 25_000]);
        assert_eq!(notes(0), [0_i64; 0]);
    }

    proptest! {
        /// Promise: shares always sum to the whole, and none is more than one minor unit away from its exact part.
        #[test]
        fn shares_sum_to_the_whole(total in -1_000_000_i64..1_000_000, weights in prop::collection::vec(0_i64..100_000, 1..20)) {
            let weights: Vec<Money> = weights.into_iter().map(Money).collect();
            let shares = allocate(Money(total), &weights);
            prop_assert_eq!(shares.iter().copied().sum::<Money>(), Money(total));
            let sum: i64 = weights.iter().map(|w| w.0).sum();
            if sum > 0 {
                for (share, weight) in shares.iter().zip(&weights) {
                    let exact = total as f64 * weight.0 as f64 / sum as f64;
                    prop_assert!((share.0 as f64 - exact).abs() <= 1.0 + 1e-6);
                }
            }
        }

        #[test]
        fn suggestions_cover_the_amount_and_rise(due in 1_i64..1_000_000) {
            let notes = suggested_notes(Money(due));
            prop_assert_eq!(notes[0], Money(due));
            prop_assert!(notes.windows(2).all(|pair| pair[0] < pair[1]) && notes.len() <= 4);
        }
    }
}
