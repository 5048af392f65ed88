//! What somebody typed into a field for a secret.

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// A PIN or password as it came in a form: no `Debug`, wiped when dropped.
#[derive(Clone, Default)]
pub(crate) struct Typed(Zeroizing<String>);

impl Typed {
    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}
