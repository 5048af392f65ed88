//! An adaptive binary range coder: the entropy coding of masks and sprites. Integers only.
//!
//! As in LZMA (Igor Pavlov's specification, section "range coder"), with two changes: the first byte, always zero there, is left out, and
//! a decoder reads zeros after the end, so an encoder drops trailing zeros.

/// Bits of a probability.
const PROBABILITY_BITS: u32 = 12;
/// Below this the range is widened by a byte.
const TOP: u32 = 1 << 24;

/// How far a probability moves towards what was seen, by the number of bits seen: first fast, then slowly.
const RATES: [u8; 8] = [2, 2, 3, 3, 4, 4, 4, 5];

/// What is known of one kind of bit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bit {
    /// Probability of a zero, in 1/4096.
    zero: u16,
    seen: u8,
}

impl Bit {
    /// Nothing is known.
    pub(crate) const UNKNOWN: Self = Self { zero: 1 << (PROBABILITY_BITS - 1), seen: 0 };

    /// A guess in 1/256 that the bit is zero, which counts like a few bits seen.
    pub(crate) const fn guess(zero_256: u8) -> Self {
        let zero = (zero_256 as u16) << 4;
        Self { zero: if zero < 64 { 64 } else { zero }, seen: 3 }
    }

    fn update(&mut self, bit: bool) {
        let rate = RATES[usize::from(self.seen)];
        self.seen = (self.seen + 1).min(RATES.len() as u8 - 1);
        if bit {
            self.zero -= self.zero >> rate;
        } else {
            self.zero += ((1 << PROBABILITY_BITS) - self.zero) >> rate;
        }
        self.zero = self.zero.clamp(32, (1 << PROBABILITY_BITS) - 32);
    }
}

/// Writes bits.
pub(crate) struct Encoder {
    low: u64,
    range: u32,
    /// The last byte, to which a carry may still come, and how many 0xff follow it.
    last: Option<u8>,
    full: usize,
    out: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        Self { low: 0, range: u32::MAX, last: None, full: 0, out: Vec::new() }
    }

    pub(crate) fn put(&mut self, model: &mut Bit, bit: bool) {
        let bound = (self.range >> PROBABILITY_BITS) * u32::from(model.zero);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
        } else {
            self.range = bound;
        }
        model.update(bit);
        while self.range < TOP {
            self.range <<= 8;
            self.shift();
        }
    }

    /// `bits` bits of `value`, highest first, each equally likely.
    pub(crate) fn put_plain(&mut self, value: u32, bits: u32) {
        for at in (0..bits).rev() {
            self.put(&mut Bit::UNKNOWN.clone(), value >> at & 1 == 1);
        }
    }

    /// The bytes, as few as say the same.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let end = self.low + u64::from(self.range);
        for keep in (0..32).rev() {
            let step = 1_u64 << keep;
            let value = self.low.div_ceil(step) * step;
            if value < end {
                self.low = value;
                break;
            }
        }
        (0..5).for_each(|_| self.shift());
        while self.out.last() == Some(&0) {
            self.out.pop();
        }
        self.out
    }

    fn shift(&mut self) {
        if self.low < 0xff00_0000 || self.low > u64::from(u32::MAX) {
            let carry = (self.low >> 32) as u8;
            if let Some(last) = self.last {
                self.out.push(last.wrapping_add(carry));
            }
            self.out.extend(std::iter::repeat_n(0xff_u8.wrapping_add(carry), self.full));
            self.full = 0;
            self.last = Some((self.low >> 24) as u8);
        } else {
            self.full += 1;
        }
        self.low = (self.low & 0x00ff_ffff) << 8;
    }
}

/// Reads bits; after the end, zeros.
pub(crate) struct Decoder<'a> {
    rest: std::slice::Iter<'a, u8>,
    range: u32,
    code: u32,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut decoder = Self { rest: bytes.iter(), range: u32::MAX, code: 0 };
        (0..4).for_each(|_| decoder.code = decoder.code << 8 | decoder.byte());
        decoder
    }

    pub(crate) fn get(&mut self, model: &mut Bit) -> bool {
        let bound = (self.range >> PROBABILITY_BITS) * u32::from(model.zero);
        let bit = self.code >= bound;
        if bit {
            self.code -= bound;
            self.range -= bound;
        } else {
            self.range = bound;
        }
        model.update(bit);
        while self.range < TOP {
            self.range <<= 8;
            self.code = self.code << 8 | self.byte();
        }
        bit
    }

    pub(crate) fn get_plain(&mut self, bits: u32) -> u32 {
        (0..bits).fold(0, |value, _| value << 1 | u32::from(self.get(&mut Bit::UNKNOWN.clone())))
    }

    fn byte(&mut self) -> u32 {
        self.rest.next().copied().unwrap_or(0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bits_come_back(bits: Vec<(bool, u8)>, tail: u16) {
            let mut models = [Bit::UNKNOWN; 4];
            let mut encoder = Encoder::new();
            for (bit, model) in &bits {
                encoder.put(&mut models[usize::from(model % 4)], *bit);
            }
            encoder.put_plain(tail.into(), 16);
            let bytes = encoder.finish();
            let mut models = [Bit::UNKNOWN; 4];
            let mut decoder = Decoder::new(&bytes);
            for (bit, model) in &bits {
                prop_assert_eq!(decoder.get(&mut models[usize::from(model % 4)]), *bit);
            }
            prop_assert_eq!(decoder.get_plain(16), u32::from(tail));
        }

        #[test]
        fn carries_reach_far(likely in 1_usize..3000) {
            let mut model = Bit::UNKNOWN;
            let mut encoder = Encoder::new();
            (0..likely).for_each(|_| encoder.put(&mut model, true));
            (0..20).for_each(|_| encoder.put(&mut model, false));
            let bytes = encoder.finish();
            let mut model = Bit::UNKNOWN;
            let mut decoder = Decoder::new(&bytes);
            prop_assert!((0..likely).all(|_| decoder.get(&mut model)));
            prop_assert!((0..20).all(|_| !decoder.get(&mut model)));
        }
    }
}
