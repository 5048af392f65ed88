//! The site: whose till this is, where it stands, and which rules hold there.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{Country, Currency};

/// A language of the app and of prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    /// German.
    De,
    /// English.
    En,
}

/// What is printed on every receipt, and the country profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Name of the house.
    pub name: SmolStr,
    /// Address, one entry a printed line.
    pub address: Vec<SmolStr>,
    /// VAT or tax number as printed, with its label.
    pub tax_number: SmolStr,
    /// Last lines of a receipt.
    pub farewell: SmolStr,
    /// Whose rules hold.
    pub country: Country,
    /// What prices are in.
    pub currency: Currency,
    /// Language of receipts and tickets.
    pub language: Language,
}

impl Site {
    /// Local time of the site.
    pub fn local(&self, at: Timestamp) -> DateTime {
        let zone = TimeZone::posix(self.country.posix_time_zone())
            .expect("the country profiles hold valid time zones");
        zone.to_datetime(at)
    }
}

impl Default for Site {
    fn default() -> Site {
        Site {
            name: SmolStr::new_static("Tresen"),
            address: Vec::new(),
            tax_number: SmolStr::default(),
            farewell: SmolStr::default(),
            country: Country::De,
            currency: Currency::Eur,
            language: Language::De,
        }
    }
}
