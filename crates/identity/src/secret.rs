//! Random bytes that nobody else may know.

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::fingerprint::{base32, from_base32};

/// `N` secret bytes: no `Debug`, wiped when dropped, compared in constant time.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// From random bytes of the caller.
    #[must_use]
    pub const fn new(random: [u8; N]) -> Self {
        Self(random)
    }

    /// The bytes, for a cipher or a file.
    #[must_use]
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }

    /// As base32 text in lower case.
    #[must_use]
    pub fn to_text(&self) -> String {
        base32().encode(&self.0)
    }

    /// From [`Self::to_text`]; `None` when it is not such a text of this length.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        from_base32(text).map(Self)
    }

    /// Whether both are the same; takes the same time wherever they differ.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}
