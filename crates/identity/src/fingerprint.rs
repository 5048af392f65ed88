//! Names of parties.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{BASE32_NOPAD, Encoding, Specification};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The name of a server or a device: SHA-256 over its public key as a DER `SubjectPublicKeyInfo`.
///
/// As text: 52 letters and digits, base32 (RFC 4648) in lower case without padding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// Why a text is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a fingerprint is 52 letters and digits (base32)")]
pub struct FingerprintError;

impl Fingerprint {
    /// The name of the key with this `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn of_spki(spki_der: &[u8]) -> Self {
        Self(Sha256::digest(spki_der).into())
    }

    /// From its 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight letters: enough for a person to tell devices apart, not enough to trust one.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32().encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        from_base32(text).map(Self).ok_or(FingerprintError)
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Base32 in lower case; capitals (as in a QR code's alphanumeric mode) are read as well.
pub(crate) fn base32() -> &'static Encoding {
    static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
        let mut specification: Specification = BASE32_NOPAD.specification();
        specification.symbols = specification.symbols.to_lowercase();
        for letter in 'a'..='z' {
            specification.translate.from.push(letter.to_ascii_uppercase());
            specification.translate.to.push(letter);
        }
        specification.encoding().expect("the symbols are those of base32, in lower case")
    });
    &BASE32
}

/// The `N` bytes that a text in [`base32`] stands for; `None` when it is not such a text of this length.
pub(crate) fn from_base32<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (encoding, mut bytes) = (base32(), [0; N]);
    if text.len() != encoding.encode_len(N) {
        return None;
    }
    encoding.decode_mut(text.as_bytes(), &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_comes_back(bytes in any::<[u8; 32]>()) {
            let name = Fingerprint::from_bytes(bytes);
            prop_assert_eq!(name.to_string().parse(), Ok(name));
            prop_assert_eq!(name.to_string().to_uppercase().parse(), Ok(name));
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = text.parse::<Fingerprint>();
        }
    }
}
