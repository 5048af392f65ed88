//! Sprites as bytes: predicted from the neighbours, the rest range coded.
//!
//! Layout: width, height (varints), number of coded bytes (varint), coded bytes. For each pixel, row by row: a bit says "as the left one", if not
//! a bit says "as the one above", if not the four channels follow (alpha, green, red, blue; the last two without what green tells), each as its
//! distance from the median prediction (left, above, left + above - above left), modulo 256.

use std::sync::Arc;

use tresen_scene::{Namer, Sprite};

use crate::bytes::{Reader, put_bytes, put_varint};
use crate::mask_code::get_bitmap;
use crate::range::{Bit, Decoder, Encoder};
use crate::{DecodeError, limits};

/// Appends a sprite.
pub(crate) fn put_sprite(out: &mut Vec<u8>, sprite: &Sprite) {
    out.extend(sprite.coded(code));
}

fn code(sprite: &Sprite) -> Box<[u8]> {
    let (w, h) = (sprite.size().w as usize, sprite.size().h as usize);
    let mut encoder = Encoder::new();
    let mut model = Model::new();
    let pixels: Vec<[u8; 4]> = sprite.rgba().as_chunks::<4>().0.to_vec();
    for at in 0..w * h {
        let around = Around::of(&pixels, w, at);
        let pixel = pixels[at];
        let context = model.context();
        encoder.put(&mut model.as_left[context], pixel == around.left);
        model.ran = pixel == around.left;
        if model.ran {
            continue;
        }
        encoder.put(&mut model.as_above[context], pixel == around.above);
        model.ran_down = pixel == around.above;
        if model.ran_down {
            continue;
        }
        let residuals = subtract(pixel, around.predicted());
        for (channel, residual) in residuals.into_iter().enumerate() {
            let level = model.level(channel);
            put_residual(&mut encoder, &mut model.residuals[channel][level], residual);
            model.noted(channel, residual);
        }
    }
    let mut coded = encoder.finish();
    let least = (w * h).div_ceil(limits::PIXELS_PER_BYTE);
    if coded.len() < least {
        coded.resize(least, 0);
    }
    let mut out = Vec::with_capacity(coded.len() + 8);
    put_varint(&mut out, w as u64);
    put_varint(&mut out, h as u64);
    put_bytes(&mut out, &coded);
    out.into()
}

/// A sprite; its pixels are taken from `pixels`, what may still be unpacked.
pub(crate) fn get_sprite(
    reader: &mut Reader<'_>,
    namer: &Namer,
    pixels: &mut usize,
) -> Result<Arc<Sprite>, DecodeError> {
    let (size, coded) = get_bitmap(reader, pixels)?;
    let w = size.w as usize;
    let mut decoder = Decoder::new(coded);
    let mut model = Model::new();
    let mut done: Vec<[u8; 4]> = vec![[0; 4]; w * size.h as usize];
    for at in 0..done.len() {
        let around = Around::of(&done, w, at);
        let context = model.context();
        model.ran = decoder.get(&mut model.as_left[context]);
        done[at] = if model.ran {
            around.left
        } else {
            model.ran_down = decoder.get(&mut model.as_above[context]);
            if model.ran_down {
                around.above
            } else {
                let mut residuals = [0; 4];
                for (channel, residual) in residuals.iter_mut().enumerate() {
                    let level = model.level(channel);
                    *residual = get_residual(&mut decoder, &mut model.residuals[channel][level]);
                    model.noted(channel, *residual);
                }
                add(residuals, around.predicted())
            }
        };
    }
    Ok(Sprite::new(namer, size, done.as_flattened()))
}

/// Bits of one residual: how many bits its magnitude has (unary), its sign, and its bits below the highest.
#[derive(Clone, Copy)]
struct Residual {
    length: [Bit; 9],
    sign: Bit,
    next: [Bit; 9],
}

struct Model {
    as_left: [Bit; 4],
    as_above: [Bit; 4],
    residuals: [[Residual; 5]; 4],
    recent: [u16; 4],
    ran: bool,
    ran_down: bool,
}

impl Model {
    fn new() -> Self {
        let residual = Residual { length: [Bit::UNKNOWN; 9], sign: Bit::UNKNOWN, next: [Bit::UNKNOWN; 9] };
        Self {
            as_left: [Bit::UNKNOWN; 4],
            as_above: [Bit::UNKNOWN; 4],
            residuals: [[residual; 5]; 4],
            recent: [0; 4],
            ran: true,
            ran_down: false,
        }
    }

    fn context(&self) -> usize {
        usize::from(self.ran) | usize::from(self.ran_down) << 1
    }

    /// How much the last residuals of a channel moved.
    fn level(&self, channel: usize) -> usize {
        match self.recent[channel] / 4 {
            0..4 => 0,
            4..12 => 1,
            12..32 => 2,
            32..80 => 3,
            _ => 4,
        }
    }

    fn noted(&mut self, channel: usize, residual: u8) {
        let size = u16::from((residual as i8).unsigned_abs()) * 16;
        self.recent[channel] = (self.recent[channel] * 3 + size) / 4;
    }
}

fn put_residual(encoder: &mut Encoder, model: &mut Residual, residual: u8) {
    let size = (residual as i8).unsigned_abs();
    let length = (8 - size.leading_zeros()) as usize;
    for at in 0..length {
        encoder.put(&mut model.length[at], true);
    }
    if length < 8 {
        encoder.put(&mut model.length[length], false);
    }
    if length == 0 {
        return;
    }
    encoder.put(&mut model.sign, (residual as i8) < 0);
    if length > 1 {
        encoder.put(&mut model.next[length], size >> (length - 2) & 1 == 1);
    }
    if length > 2 {
        let below = length as u32 - 2;
        encoder.put_plain(u32::from(size) & ((1 << below) - 1), below);
    }
}

fn get_residual(decoder: &mut Decoder<'_>, model: &mut Residual) -> u8 {
    let mut length = 0;
    while length < 8 && decoder.get(&mut model.length[length]) {
        length += 1;
    }
    if length == 0 {
        return 0;
    }
    let negative = decoder.get(&mut model.sign);
    let mut size = 1;
    if length > 1 {
        size = size << 1 | u32::from(decoder.get(&mut model.next[length]));
    }
    if length > 2 {
        let below = length as u32 - 2;
        size = size << below | decoder.get_plain(below);
    }
    if negative { (size as u8).wrapping_neg() } else { size as u8 }
}

struct Around {
    left: [u8; 4],
    above: [u8; 4],
    above_left: [u8; 4],
}

impl Around {
    fn of(pixels: &[[u8; 4]], w: usize, at: usize) -> Self {
        let first = at.is_multiple_of(w);
        let pixel = |back: usize| at.checked_sub(back).map(|index| pixels[index]);
        let above = pixel(w);
        let left = if first { None } else { pixel(1) };
        Self {
            left: left.or(above).unwrap_or([0; 4]),
            above: above.or(left).unwrap_or([0; 4]),
            above_left: if first { above } else { pixel(w + 1).or(left) }.unwrap_or([0; 4]),
        }
    }

    fn predicted(&self) -> [u8; 4] {
        std::array::from_fn(|channel| {
            let (left, above, corner) = (
                i16::from(self.left[channel]),
                i16::from(self.above[channel]),
                i16::from(self.above_left[channel]),
            );
            (left + above - corner).clamp(left.min(above), left.max(above)) as u8
        })
    }
}

/// Alpha, green, red, blue: distances from the prediction.
fn subtract(pixel: [u8; 4], predicted: [u8; 4]) -> [u8; 4] {
    let [r, g, b, a] = std::array::from_fn(|channel| pixel[channel].wrapping_sub(predicted[channel]));
    [a, g, r.wrapping_sub(g), b.wrapping_sub(g)]
}

fn add([a, g, r, b]: [u8; 4], predicted: [u8; 4]) -> [u8; 4] {
    let residual = [r.wrapping_add(g), g, b.wrapping_add(g), a];
    std::array::from_fn(|channel| residual[channel].wrapping_add(predicted[channel]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tresen_scene::Size;

    proptest! {
        #[test]
        fn sprites_come_back(w in 0_i32..24, h in 0_i32..24, seed: Vec<u8>, smooth: bool) {
            let namer = Namer::new([7; 32]);
            let byte = |at: usize| {
                let noise = seed.get(at % seed.len().max(1)).copied().unwrap_or(9);
                if smooth { (at / 4) as u8 ^ noise & 3 } else { noise }
            };
            let rgba: Vec<u8> = (0..(w * h * 4) as usize).map(byte).collect();
            let sprite = Sprite::new(&namer, Size::new(w, h), &rgba);
            let mut out = Vec::new();
            put_sprite(&mut out, &sprite);
            let mut reader = Reader::new(&out);
            let back = get_sprite(&mut reader, &namer, &mut 10_000).unwrap();
            prop_assert_eq!(back.id(), sprite.id());
            prop_assert!(reader.finish().is_ok());
        }

        #[test]
        fn no_bytes_are_too_many(bytes: Vec<u8>) {
            let _ = get_sprite(&mut Reader::new(&bytes), &Namer::new([7; 32]), &mut 100_000);
        }
    }
}
