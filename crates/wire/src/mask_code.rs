//! Masks as bytes: sixteen levels, range coded in the context of four neighbours.
//!
//! Layout: width, height (varints), number of coded bytes (varint), coded bytes. For each pixel, row by row: is it as empty or full as its
//! neighbours make likely? A bit says "empty", if not a bit says "full", if not four bits give the level.

use std::sync::Arc;

use tresen_scene::{Mask, Namer, Size, limits as scene_limits};

use crate::bytes::{Reader, put_bytes, put_varint};
use crate::gallery::Gallery;
use crate::mask_model::{EMPTY, FULL, LEVEL};
use crate::range::{Bit, Decoder, Encoder};
use crate::{DecodeError, limits};

/// Appends a mask.
pub(crate) fn put_mask(out: &mut Vec<u8>, mask: &Mask) {
    out.extend(mask.coded(code));
}

fn code(mask: &Mask) -> Box<[u8]> {
    let mut out = Vec::new();
    put_alpha(&mut out, mask.size(), mask.alpha());
    out.into()
}

/// Appends coverage in sixteen levels.
pub(crate) fn put_alpha(out: &mut Vec<u8>, size: Size, alpha: &[u8]) {
    let mut encoder = Encoder::new();
    let mut model = Model::new();
    let (w, h) = (size.w as usize, size.h as usize);
    for at in 0..w * h {
        let around = Around::of(alpha, w, at);
        let level = alpha[at] / 17;
        encoder.put(&mut model.empty[around.class], level == 0);
        if level > 0 {
            encoder.put(&mut model.full[around.class], level == 15);
            if level < 15 {
                let mut node = 1;
                for shift in (0..4).rev() {
                    let bit = level >> shift & 1;
                    encoder.put(&mut model.level[around.level][node], bit == 1);
                    node = node << 1 | usize::from(bit);
                }
            }
        }
    }
    let mut coded = encoder.finish();
    let least = (w * h).div_ceil(limits::PIXELS_PER_BYTE);
    if coded.len() < least {
        coded.resize(least, 0);
    }
    out.reserve(coded.len() + 6);
    put_varint(out, w as u64);
    put_varint(out, h as u64);
    put_bytes(out, &coded);
}

/// A mask, from the gallery if it is there; its pixels are taken from `pixels`, what may still be unpacked.
pub(crate) fn get_mask(
    reader: &mut Reader<'_>,
    namer: &Namer,
    pixels: &mut usize,
    gallery: Option<&Gallery>,
) -> Result<Arc<Mask>, DecodeError> {
    let before = reader.rest();
    let (size, coded) = get_bitmap(reader, pixels)?;
    let unpack = || Ok(Mask::new(namer, size, &alpha_of(size, coded)));
    let Some(gallery) = gallery else { return unpack() };
    gallery.mask(namer.name(&before[..before.len() - reader.rest().len()]), unpack)
}

/// Coverage in sixteen levels.
pub(crate) fn alpha_of(size: Size, coded: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(coded);
    let mut model = Model::new();
    let w = size.w as usize;
    let mut alpha = vec![0; w * size.h as usize];
    for at in 0..alpha.len() {
        let around = Around::of(&alpha, w, at);
        let level = if decoder.get(&mut model.empty[around.class]) {
            0
        } else if decoder.get(&mut model.full[around.class]) {
            15
        } else {
            let mut node = 1;
            while node < 16 {
                node = node << 1 | usize::from(decoder.get(&mut model.level[around.level][node]));
            }
            (node & 15) as u8
        };
        alpha[at] = level * 17;
    }
    alpha
}

/// Size and coded bytes of a bitmap, checked against what may still be unpacked.
pub(crate) fn get_bitmap<'a>(
    reader: &mut Reader<'a>,
    pixels: &mut usize,
) -> Result<(Size, &'a [u8]), DecodeError> {
    let most = scene_limits::BITMAP_SIDE_PX as usize;
    let (w, h) = (reader.count(most, "bitmap width")?, reader.count(most, "bitmap height")?);
    let coded = reader.short_bytes(limits::TO_CLIENT_BYTES, "coded bitmap")?;
    if (w * h).div_ceil(limits::PIXELS_PER_BYTE) > coded.len() {
        return Err(DecodeError::TooLarge("PIXELS_PER_BYTE"));
    }
    *pixels = pixels.checked_sub(w * h).ok_or(DecodeError::TooLarge("FRAME_PIXELS"))?;
    Ok((Size::new(w as i32, h as i32), coded))
}

struct Model {
    empty: [Bit; 81],
    full: [Bit; 81],
    level: [[Bit; 16]; 9],
}

impl Model {
    fn new() -> Self {
        Self {
            empty: EMPTY.map(Bit::guess),
            full: FULL.map(Bit::guess),
            level: LEVEL.map(|tree| tree.map(Bit::guess)),
        }
    }
}

/// What the neighbours of a pixel say of it.
struct Around {
    class: usize,
    level: usize,
}

impl Around {
    fn of(alpha: &[u8], w: usize, at: usize) -> Self {
        let x = at % w;
        let pixel = |inside: bool, back: usize| if inside && at >= back { alpha[at - back] } else { 0 };
        let left = pixel(x > 0, 1);
        let above = pixel(true, w);
        let above_left = pixel(x > 0, w + 1);
        let above_right = pixel(x + 1 < w && w > 1, w - 1);
        let class = |value: u8| match value {
            0 => 0,
            255 => 2,
            _ => 1,
        };
        let third = |value: u8| usize::from(value / 86);
        Self {
            class: ((class(left) * 3 + class(above)) * 3 + class(above_left)) * 3 + class(above_right),
            level: third(left) * 3 + third(above),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn masks_come_back(w in 0_i32..40, h in 0_i32..40, seed: Vec<u8>, flat: bool) {
            let namer = Namer::new([7; 32]);
            let byte = |at: usize| if flat { 255 } else { seed.get(at % seed.len().max(1)).copied().unwrap_or(0) };
            let alpha: Vec<u8> = (0..(w * h) as usize).map(byte).collect();
            let mask = Mask::new(&namer, Size::new(w, h), &alpha);
            let mut out = Vec::new();
            put_mask(&mut out, &mask);
            let mut reader = Reader::new(&out);
            let back = get_mask(&mut reader, &namer, &mut 10_000, None).unwrap();
            prop_assert_eq!(back.id(), mask.id());
            prop_assert!(reader.finish().is_ok());
            let gallery = Gallery::default();
            let shared = || get_mask(&mut Reader::new(&out), &namer, &mut 10_000, Some(&gallery)).unwrap();
            let first = shared();
            prop_assert!(first.id() == mask.id() && Arc::ptr_eq(&first, &shared()));
            let too_few = get_mask(&mut Reader::new(&out), &namer, &mut ((w * h) as usize / 2), Some(&gallery));
            prop_assert!(w * h < 2 || too_few.is_err(), "what is shared counts as unpacked");
        }

        #[test]
        fn no_bytes_are_too_many(bytes: Vec<u8>) {
            let _ = get_mask(&mut Reader::new(&bytes), &Namer::new([7; 32]), &mut 100_000, None);
        }
    }
}
