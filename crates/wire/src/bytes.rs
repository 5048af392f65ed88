//! Reading and writing of the few basic shapes: bytes, varints, zig-zag, short texts.

use crate::DecodeError;

/// Reads a message from its start to its end; never beyond, never panicking.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// One byte.
    ///
    /// # Errors
    /// At the end.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        let (&first, rest) = self.rest.split_first().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(first)
    }

    /// `count` bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// `N` bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A varint: seven bits a byte, lowest first, the top bit says that more follow. There is one way to write a number.
    ///
    /// # Errors
    /// Truncated, longer than needed, or beyond 64 bits.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            if byte == 0 && shift > 0 || shift == 63 && byte > 1 {
                return Err(DecodeError::Overlong);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::Overlong)
    }

    /// A varint that is at most `most`; `what` names it in the error.
    ///
    /// # Errors
    /// As [`Reader::varint`], or when it is larger.
    pub fn at_most(&mut self, most: u64, what: &'static str) -> Result<u64, DecodeError> {
        let value = self.varint()?;
        if value <= most { Ok(value) } else { Err(DecodeError::OutOfRange(what)) }
    }

    /// A count or length that is at most `most`; `what` names it in the error.
    ///
    /// # Errors
    /// As [`Reader::at_most`].
    pub fn count(&mut self, most: usize, what: &'static str) -> Result<usize, DecodeError> {
        Ok(self.at_most(most as u64, what)? as usize)
    }

    /// A signed number, zig-zag coded, of at most 32 bits.
    ///
    /// # Errors
    /// As [`Reader::varint`], or beyond 32 bits.
    pub fn signed(&mut self) -> Result<i32, DecodeError> {
        let value = self.at_most(u64::from(u32::MAX), "signed number")? as u32;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    /// A length of at most `most` and as many bytes.
    ///
    /// # Errors
    /// Truncated or longer.
    pub fn short_bytes(&mut self, most: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.count(most, what)?;
        self.take(length)
    }

    /// A text of at most `most` bytes of UTF-8.
    ///
    /// # Errors
    /// Truncated, longer, or no UTF-8.
    pub fn text(&mut self, most: usize, what: &'static str) -> Result<&'a str, DecodeError> {
        let bytes = self.short_bytes(most, what)?;
        std::str::from_utf8(bytes).map_err(|_| DecodeError::NotText(what))
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }
}

/// Appends a varint.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number, zig-zag coded.
pub fn put_signed(out: &mut Vec<u8>, value: i32) {
    put_varint(out, u64::from(((value << 1) ^ (value >> 31)) as u32));
}

/// Appends a length and the bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(value: u64, signed: i32) {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            put_signed(&mut out, signed);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert_eq!(reader.signed(), Ok(signed));
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn there_is_one_way_to_write_a_number(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            if let Ok(value) = reader.varint() {
                let mut out = Vec::new();
                put_varint(&mut out, value);
                prop_assert_eq!(&out, &bytes[..bytes.len() - reader.rest().len()]);
            }
        }
    }
}
