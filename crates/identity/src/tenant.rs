//! Names of tenants: the customers of a relay.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::fingerprint::{base32, from_base32};

/// A tenant: 16 random bytes, drawn when it is made. As text: 26 letters and digits (base32, lower case, no padding).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId([u8; 16]);

/// Why a text names no tenant.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a tenant's id is 26 letters and digits (base32)")]
pub struct TenantIdError;

impl TenantId {
    /// From its 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32().encode(&self.0))
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantId({self})")
    }
}

impl FromStr for TenantId {
    type Err = TenantIdError;

    fn from_str(text: &str) -> Result<Self, TenantIdError> {
        from_base32(text).map(Self).ok_or(TenantIdError)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_comes_back(bytes in any::<[u8; 16]>()) {
            let tenant = TenantId::from_bytes(bytes);
            prop_assert_eq!(tenant.to_string().parse(), Ok(tenant));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<TenantId>();
        }
    }
}
