//! A PIN on its way from the keypad to whoever checks it.

use zeroize::Zeroize;

use crate::limits::PIN_DIGITS;

/// Digits of a PIN. They can't be printed, are not saved, and are wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Pin {
    digits: [u8; PIN_DIGITS],
    len: u8,
}

impl Pin {
    /// The digits as text, for the check against the stored hash.
    pub fn expose(&self) -> String {
        self.digits[..self.len()].iter().map(|digit| char::from(b'0' + digit)).collect()
    }

    /// How many digits were typed.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether none was typed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn push(&mut self, digit: u8) {
        if self.len() < PIN_DIGITS && digit < 10 {
            self.digits[self.len()] = digit;
            self.len += 1;
        }
    }

    pub(crate) fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
        self.digits[self.len()] = 0;
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(..)")
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.digits.zeroize();
    }
}
