//! Which picture shows a product. The pictures themselves are not here: whoever keeps the till keeps them beside it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A picture, by the BLAKE3 hash of its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PhotoId(pub [u8; 32]);

impl PhotoId {
    /// The name that [`Display`](fmt::Display) writes; `None` for any other text.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PhotoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhotoId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pictures_are_read_as_they_are_written() {
        let id = PhotoId(std::array::from_fn(|at| (at * 7) as u8));
        assert_eq!(PhotoId::from_hex(&id.to_string()), Some(id));
        let upper = id.to_string().to_uppercase();
        assert!(
            ["", "00", &upper, &"+1".repeat(32), &"ä".repeat(32)]
                .iter()
                .all(|no| PhotoId::from_hex(no).is_none())
        );
    }
}
