//! Value added tax: country profiles with validity dates, and sums per rate.
//!
//! Sources: Germany, section 12 UStG (food in restaurants 7 % from 2026-01-01, before that from 2024-01-01 19 % eaten in); Austria,
//! section 10 UStG 1994 (20/10/13 %); Switzerland, article 25 MWSTG (8.1/2.6/3.8 % from 2024-01-01, before 7.7/2.5/3.7 %).

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

use crate::Money;

/// A tax rate in hundredths of a percent: 1900 is 19 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rate(pub u16);

/// A country whose rules we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Country {
    /// Germany.
    De,
    /// Austria.
    At,
    /// Switzerland.
    Ch,
}

/// What a product is in the eyes of the tax law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaxClass {
    /// Dishes and other food.
    Food,
    /// Drinks without alcohol.
    Drink,
    /// Drinks with alcohol.
    Alcohol,
    /// Wine of the house's own vineyard, sold at the estate (13 % in Austria).
    OwnWine,
    /// Overnight stays with breakfast.
    Lodging,
    /// Everything else.
    Standard,
}

/// How a product is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Service {
    /// Eaten here.
    EatIn,
    /// Taken away.
    TakeAway,
}

/// The rates of a country from a date on.
struct Period {
    from: Date,
    standard: u16,
    food_eat_in: u16,
    food_take_away: u16,
    drink_take_away: u16,
    own_wine: u16,
    lodging: u16,
}

const GERMANY: &[Period] = &[
    Period { from: date(2026, 1, 1), food_eat_in: 700, ..GERMANY_2024 },
    GERMANY_2024,
    Period { from: date(2021, 1, 1), food_eat_in: 700, ..GERMANY_2024 },
];
const GERMANY_2024: Period = Period {
    from: date(2024, 1, 1),
    standard: 1900,
    food_eat_in: 1900,
    food_take_away: 700,
    drink_take_away: 1900,
    own_wine: 1900,
    lodging: 700,
};
const AUSTRIA: &[Period] = &[Period {
    from: date(2022, 1, 1),
    standard: 2000,
    food_eat_in: 1000,
    food_take_away: 1000,
    drink_take_away: 2000,
    own_wine: 1300,
    lodging: 1000,
}];
const SWITZERLAND: &[Period] = &[
    Period {
        from: date(2024, 1, 1),
        standard: 810,
        food_eat_in: 810,
        food_take_away: 260,
        drink_take_away: 260,
        own_wine: 810,
        lodging: 380,
    },
    Period {
        from: date(2018, 1, 1),
        standard: 770,
        food_eat_in: 770,
        food_take_away: 250,
        drink_take_away: 250,
        own_wine: 770,
        lodging: 370,
    },
];

impl Country {
    /// The rate that holds on a day. Before the first day that we know, the earliest known rate.
    pub fn rate(self, class: TaxClass, service: Service, on: Date) -> Rate {
        let period = self.period(on);
        Rate(match (class, service) {
            (TaxClass::Food, Service::EatIn) => period.food_eat_in,
            (TaxClass::Food, Service::TakeAway) => period.food_take_away,
            (TaxClass::Drink, Service::TakeAway) => period.drink_take_away,
            (TaxClass::OwnWine, Service::EatIn | Service::TakeAway) => period.own_wine,
            (TaxClass::Lodging, Service::EatIn | Service::TakeAway) => period.lodging,
            (TaxClass::Drink, Service::EatIn)
            | (TaxClass::Alcohol | TaxClass::Standard, Service::EatIn | Service::TakeAway) => period.standard,
        })
    }

    /// The letter of a rate on receipts: rates of that day in rising order are A, B, C. `None` for a rate of another day.
    pub fn letter(self, rate: Rate, on: Date) -> Option<char> {
        let period = self.period(on);
        let mut rates = [
            period.standard,
            period.food_eat_in,
            period.food_take_away,
            period.drink_take_away,
            period.own_wine,
            period.lodging,
        ];
        rates.sort_unstable();
        let mut letter = 'A';
        for (index, known) in rates.iter().enumerate() {
            if index > 0 && rates[index - 1] != *known {
                letter = char::from(letter as u8 + 1);
            }
            if *known == rate.0 {
                return Some(letter);
            }
        }
        None
    }

    /// POSIX time zone: all three keep Central European time.
    pub(crate) const fn posix_time_zone(self) -> &'static str {
        match self {
            Country::De | Country::At | Country::Ch => "CET-1CEST,M3.5.0,M10.5.0/3",
        }
    }

    fn period(self, on: Date) -> &'static Period {
        let periods = match self {
            Country::De => GERMANY,
            Country::At => AUSTRIA,
            Country::Ch => SWITZERLAND,
        };
        periods.iter().find(|period| period.from <= on).unwrap_or(&periods[periods.len() - 1])
    }
}

impl Rate {
    /// The tax contained in a gross amount, rounded half away from zero.
    pub fn tax_in(self, gross: Money) -> Money {
        let rate = i128::from(self.0);
        let divisor = 10_000 + rate;
        let scaled = i128::from(gross.minor().unsigned_abs()) * rate;
        let tax = ((2 * scaled + divisor) / (2 * divisor)) as i64;
        Money::from_minor(if gross.is_negative() { -tax } else { tax })
    }
}

/// The part of a receipt that has one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxSum {
    /// Letter that marks its lines.
    pub letter: char,
    /// The rate.
    pub rate: Rate,
    /// Without tax.
    pub net: Money,
    /// The tax.
    pub tax: Money,
    /// With tax: always net plus tax.
    pub gross: Money,
}

/// Sums per rate, rising. The tax is computed on each sum, not on lines; the gross sums add up to the sum of the amounts.
pub fn tax_sums(amounts: impl IntoIterator<Item = (char, Rate, Money)>) -> Vec<TaxSum> {
    let mut sums: BTreeMap<(Rate, char), Money> = BTreeMap::new();
    for (letter, rate, amount) in amounts {
        *sums.entry((rate, letter)).or_default() += amount;
    }
    sums.into_iter()
        .map(|((rate, letter), gross)| {
            let tax = rate.tax_in(gross);
            TaxSum { letter, rate, net: gross - tax, tax, gross }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_follow_the_law_of_the_day() {
        let rate = |country: Country, class, service, on| country.rate(class, service, on).0;
        use {Country::*, Service::*, TaxClass::*};
        assert_eq!(rate(De, Food, EatIn, date(2025, 12, 31)), 1900);
        assert_eq!(rate(De, Food, EatIn, date(2026, 1, 1)), 700);
        assert_eq!(rate(De, Food, TakeAway, date(2025, 6, 1)), 700);
        assert_eq!(rate(De, Food, EatIn, date(2023, 12, 31)), 700);
        assert_eq!(rate(De, Drink, TakeAway, date(2026, 5, 1)), 1900);
        assert_eq!(rate(At, Food, EatIn, date(2026, 5, 1)), 1000);
        assert_eq!(rate(At, OwnWine, EatIn, date(2026, 5, 1)), 1300);
        assert_eq!(rate(At, Alcohol, EatIn, date(2026, 5, 1)), 2000);
        assert_eq!(rate(Ch, Food, EatIn, date(2026, 5, 1)), 810);
        assert_eq!(rate(Ch, Food, TakeAway, date(2026, 5, 1)), 260);
        assert_eq!(rate(Ch, Lodging, EatIn, date(2026, 5, 1)), 380);
        assert_eq!(rate(Ch, Food, EatIn, date(2023, 12, 31)), 770);
    }

    #[test]
    fn letters_rise_with_the_rates() {
        let on = date(2026, 11, 23);
        assert_eq!(Country::De.letter(Rate(700), on), Some('A'));
        assert_eq!(Country::De.letter(Rate(1900), on), Some('B'));
        assert_eq!(Country::At.letter(Rate(2000), on), Some('C'));
        assert_eq!(Country::De.letter(Rate(1600), on), None);
    }

    #[test]
    fn tax_of_the_receipt_in_the_look() {
        assert_eq!(Rate(700).tax_in(Money::from_minor(2850)).minor(), 186);
        assert_eq!(Rate(1900).tax_in(Money::from_minor(1260)).minor(), 201);
        assert_eq!(Rate(700).tax_in(Money::from_minor(-2850)).minor(), -186);
    }

    proptest! {
        /// Promise: net and tax add up to gross per rate, and all rates add up to the receipt.
        #[test]
        fn taxes_sum_exactly(amounts in prop::collection::vec((0_usize..3, -50_000_i64..50_000), 0..40)) {
            let rates = [('A', Rate(700)), ('B', Rate(1900)), ('C', Rate(810))];
            let amounts: Vec<_> = amounts.into_iter().map(|(i, m)| (rates[i].0, rates[i].1, Money::from_minor(m))).collect();
            let sums = tax_sums(amounts.iter().copied());
            prop_assert!(sums.iter().all(|sum| sum.net + sum.tax == sum.gross));
            let total: Money = amounts.iter().map(|(_, _, amount)| *amount).sum();
            prop_assert_eq!(sums.iter().map(|sum| sum.gross).sum::<Money>(), total);
        }
    }
}
