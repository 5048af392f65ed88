//! Licence files.
//!
//! A licence is a TOML text that ends with its signature, so that a person can read it and an e-mail can carry it:
//!
//! ```toml
//! licence = 1                    # version of the format
//! licensee = "Gasthaus Linde"
//! site = "any"                   # or the fingerprint of the one server that it is for
//! mpos = 6                       # seats per class
//! paypos = 2
//! valid_from = "2026-01-01"
//! valid_until = "2026-12-31"     # the last day
//! signature = "…"                # Ed25519, base64, over every byte before this line
//! ```
//!
//! Invariant: nothing of a text is believed before its signature was checked.

use data_encoding::BASE64;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{DeviceClass, Domain, Fingerprint, KeyPair, PublicKey};

/// How many seats of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatCounts {
    /// Seats for handhelds, tablets, browsers, desktops.
    pub mpos: u16,
    /// Seats for payment terminals.
    pub paypos: u16,
}

/// What a licence grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Who may use it.
    pub licensee: String,
    /// The one server it is for; `None`: any.
    pub site: Option<Fingerprint>,
    /// What it grants.
    pub seats: SeatCounts,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_until: Date,
}

/// Why a licence grants nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LicenceError {
    /// Not a licence file.
    #[error("this is no licence file: {0}")]
    Malformed(String),
    /// Not signed by the issuer, or changed since.
    #[error("the licence's signature is wrong: it was changed, or somebody else issued it")]
    Signature,
    /// For another server.
    #[error("the licence is for the server {0}, not for this one")]
    OtherSite(Fingerprint),
    /// Its first day is still to come.
    #[error("the licence begins on {0}")]
    NotYet(Date),
    /// Its last day is over.
    #[error("the licence ended on {0}")]
    Expired(Date),
}

/// Largest licence file, in bytes.
const MAX_LICENCE_BYTES: usize = 4096;

/// Most seats of a class: a stadium has some thousand.
const MAX_SEATS: u16 = 10_000;

/// The version of the format.
const VERSION: u32 = 1;

/// Where the signature's line begins.
const SIGNATURE_LINE: &str = "signature = \"";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    licence: u32,
    licensee: String,
    site: String,
    mpos: u16,
    paypos: u16,
    valid_from: Date,
    valid_until: Date,
}

impl SeatCounts {
    /// What a server grants without a licence.
    pub const TRIAL: Self = Self { mpos: 2, paypos: 2 };

    /// Seats of one class.
    #[must_use]
    pub const fn of(self, class: DeviceClass) -> u16 {
        match class {
            DeviceClass::Mpos => self.mpos,
            DeviceClass::Paypos => self.paypos,
        }
    }
}

impl Licence {
    /// Writes and signs the file.
    ///
    /// # Errors
    /// When a field can't stand in a licence.
    pub fn sign(&self, issuer: &KeyPair) -> Result<String, LicenceError> {
        let body = Body {
            licence: VERSION,
            licensee: self.licensee.clone(),
            site: self.site.map_or_else(|| "any".to_owned(), |site| site.to_string()),
            mpos: self.seats.mpos,
            paypos: self.seats.paypos,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
        };
        let mut text = toml::to_string(&body).map_err(|error| LicenceError::Malformed(error.to_string()))?;
        let signature = issuer.sign(Domain::Licence, text.as_bytes());
        text.push_str(&format!("{SIGNATURE_LINE}{}\"\n", BASE64.encode(&signature)));
        Ok(text)
    }

    /// Reads a file that one of `issuers` signed. Whether it grants anything here and today says [`Self::check`].
    ///
    /// # Errors
    /// When it is malformed, or none of them signed it.
    pub fn read(text: &str, issuers: &[PublicKey]) -> Result<Self, LicenceError> {
        let malformed = |reason: &str| LicenceError::Malformed(reason.to_owned());
        if text.len() > MAX_LICENCE_BYTES {
            return Err(malformed("it is too long"));
        }
        let text = text.replace("\r\n", "\n");
        let at = text.rfind(SIGNATURE_LINE).ok_or_else(|| malformed("it has no signature"))?;
        let (signed, last_line) = text.split_at(at);
        let encoded = last_line[SIGNATURE_LINE.len()..].trim_end().strip_suffix('"');
        let signature = encoded
            .and_then(|encoded| BASE64.decode(encoded.as_bytes()).ok())
            .and_then(|bytes| <[u8; 64]>::try_from(bytes).ok())
            .ok_or_else(|| malformed("its signature is unreadable"))?;
        let by = |issuer: &PublicKey| issuer.verify(Domain::Licence, signed.as_bytes(), &signature).is_ok();
        if !issuers.iter().any(by) {
            return Err(LicenceError::Signature);
        }
        Self::from_body(toml::from_str(signed).map_err(|error| malformed(error.message()))?)
    }

    /// Whether it holds for this server today.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self, server: Fingerprint, today: Date) -> Result<(), LicenceError> {
        match self.site {
            Some(site) if site != server => Err(LicenceError::OtherSite(site)),
            _ if today < self.valid_from => Err(LicenceError::NotYet(self.valid_from)),
            _ if today > self.valid_until => Err(LicenceError::Expired(self.valid_until)),
            _ => Ok(()),
        }
    }

    fn from_body(body: Body) -> Result<Self, LicenceError> {
        let malformed = |reason: &str| LicenceError::Malformed(reason.to_owned());
        if body.licence != VERSION {
            return Err(malformed("it has another version"));
        }
        if body.mpos > MAX_SEATS || body.paypos > MAX_SEATS {
            return Err(malformed("it grants more seats than a server has"));
        }
        let site = match body.site.as_str() {
            "any" => None,
            name => Some(name.parse().map_err(|_| malformed("its site is no fingerprint"))?),
        };
        Ok(Self {
            licensee: body.licensee,
            site,
            seats: SeatCounts { mpos: body.mpos, paypos: body.paypos },
            valid_from: body.valid_from,
            valid_until: body.valid_until,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::Secret;

    fn issuer() -> KeyPair {
        KeyPair::from_seed(&Secret::new([1; 32]))
    }

    fn licence() -> Licence {
        Licence {
            licensee: "Gasthaus \"Linde\"".into(),
            site: None,
            seats: SeatCounts { mpos: 6, paypos: 2 },
            valid_from: date(2026, 1, 1),
            valid_until: date(2026, 12, 31),
        }
    }

    #[test]
    fn what_was_signed_is_read() {
        let text = licence().sign(&issuer()).unwrap();
        assert_eq!(Licence::read(&text, &[issuer().public_key()]), Ok(licence()));
        assert_eq!(Licence::read(&text.replace('\n', "\r\n"), &[issuer().public_key()]), Ok(licence()));
    }

    #[test]
    fn another_issuer_or_a_changed_seat_is_refused() {
        let text = licence().sign(&issuer()).unwrap();
        let other = KeyPair::from_seed(&Secret::new([2; 32])).public_key();
        assert_eq!(Licence::read(&text, &[other]), Err(LicenceError::Signature));
        assert_eq!(Licence::read(&text, &[]), Err(LicenceError::Signature));
        let changed = text.replace("mpos = 6", "mpos = 60");
        assert_eq!(Licence::read(&changed, &[issuer().public_key()]), Err(LicenceError::Signature));
    }

    #[test]
    fn it_holds_on_its_days_and_at_its_site() {
        let (here, there) = (Fingerprint::from_bytes([1; 32]), Fingerprint::from_bytes([2; 32]));
        let bound = Licence { site: Some(here), ..licence() };
        assert_eq!(bound.check(here, date(2026, 12, 31)), Ok(()));
        assert_eq!(bound.check(here, date(2027, 1, 1)), Err(LicenceError::Expired(date(2026, 12, 31))));
        assert_eq!(bound.check(here, date(2025, 12, 31)), Err(LicenceError::NotYet(date(2026, 1, 1))));
        assert_eq!(bound.check(there, date(2026, 6, 1)), Err(LicenceError::OtherSite(here)));
        let text = bound.sign(&issuer()).unwrap();
        assert_eq!(Licence::read(&text, &[issuer().public_key()]), Ok(bound));
    }

    proptest! {
        #[test]
        fn no_changed_byte_is_believed(at in any::<prop::sample::Index>(), byte in 0x20u8..0x7f) {
            let text = licence().sign(&issuer()).unwrap();
            let signed_len = text.find("signature").unwrap();
            let at = at.index(signed_len);
            let mut bytes = text.clone().into_bytes();
            prop_assume!(bytes[at] != byte && bytes[at].is_ascii());
            bytes[at] = byte;
            let changed = String::from_utf8(bytes).unwrap();
            prop_assert!(Licence::read(&changed, &[issuer().public_key()]).is_err());
        }

        #[test]
        fn no_text_panics(text in ".{0,300}") {
            prop_assert!(Licence::read(&text, &[issuer().public_key()]).is_err());
        }
    }
}
