//! Which licence is in force, and who may issue one.

use jiff::civil::Date;
use tresen_identity::{Fingerprint, KeyPair, Licence, LicenceError, PublicKey, SeatCounts, Secret};

/// The issuer's public key as 64 hexadecimal digits, given when the program is built. A build without it knows the trial only.
const ISSUER: Option<&str> = option_env!("TRESEN_LICENCE_KEY");

/// The demo's issuer. Everybody may know this private key: only `--demo` trusts it.
const DEMO_SEED: [u8; 32] = *b"Gasthaus Linde is not a real pub";

/// Seats of the demo.
pub const DEMO_SEATS: SeatCounts = SeatCounts { mpos: 6, paypos: 2 };

/// What is granted, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Licensing {
    /// No licence was ever installed.
    Trial,
    /// It holds.
    Licensed(Licence),
    /// The installed one grants nothing: the trial's seats stand in.
    Void {
        /// Why.
        reason: LicenceError,
    },
}

impl Licensing {
    /// Without a licence.
    #[must_use]
    pub const fn trial() -> Self {
        Self::Trial
    }

    /// What an installed licence file grants today.
    #[must_use]
    pub fn of(text: &str, issuers: &[PublicKey], server: Fingerprint, today: Date) -> Self {
        let read = Licence::read(text, issuers);
        match read.and_then(|licence| licence.check(server, today).map(|()| licence)) {
            Ok(licence) => Self::Licensed(licence),
            Err(reason) => Self::Void { reason },
        }
    }

    /// How many seats of each class.
    #[must_use]
    pub fn seats(&self) -> SeatCounts {
        match self {
            Self::Licensed(licence) => licence.seats,
            Self::Trial | Self::Void { .. } => SeatCounts::TRIAL,
        }
    }
}

/// Who may issue licences for this server.
#[must_use]
pub fn issuers(demo: bool) -> Vec<PublicKey> {
    let built_in = ISSUER.and_then(public_key);
    built_in.into_iter().chain(demo.then(|| demo_issuer().public_key())).collect()
}

/// A licence for the demo, signed with the demo's key: usually for [`DEMO_SEATS`], for a benchmark for more.
///
/// # Errors
/// When it can't be written.
pub fn demo_licence(seats: SeatCounts, today: Date) -> Result<String, LicenceError> {
    let licence = Licence {
        licensee: "Gasthaus Linde (Demo)".into(),
        site: None,
        seats,
        valid_from: today.saturating_sub(jiff::Span::new().days(1)),
        valid_until: today.saturating_add(jiff::Span::new().years(1)),
    };
    licence.sign(&demo_issuer())
}

fn demo_issuer() -> KeyPair {
    KeyPair::from_seed(&Secret::new(DEMO_SEED))
}

/// A public key from 64 hexadecimal digits.
pub(crate) fn public_key(text: &str) -> Option<PublicKey> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
    }
    PublicKey::from_bytes(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn only_the_demo_trusts_the_demo_key() {
        let today = date(2026, 11, 24);
        let text = demo_licence(DEMO_SEATS, today).unwrap();
        let server = Fingerprint::from_bytes([1; 32]);
        assert_eq!(Licensing::of(&text, &issuers(true), server, today).seats(), DEMO_SEATS);
        let elsewhere = Licensing::of(&text, &issuers(false), server, today);
        assert_eq!(elsewhere, Licensing::Void { reason: LicenceError::Signature });
        assert_eq!(elsewhere.seats(), SeatCounts::TRIAL);
    }
}
