//! Photos as bytes: their alpha as a mask, the weights of their waves range coded.
//!
//! Layout: the alpha (as a mask: width, height, coded bytes), the step (a byte), number of coded bytes (varint), coded bytes. Plane by plane,
//! block by block: the first weight as its distance from the one of the block before; then, from the slowest wave to the fastest, a bit "no
//! more", if not bits "zero" until one that isn't, and that weight. A weight: how many bits it has (unary), those below the highest, its sign.

use std::sync::Arc;

use tresen_scene::photo::{BLOCK, Photo, WEIGHT};
use tresen_scene::{Namer, Size, Sprite};

use crate::bytes::{Reader, put_bytes};
use crate::gallery::Gallery;
use crate::mask_code::{alpha_of, get_bitmap, put_alpha};
use crate::range::{Bit, Decoder, Encoder};
use crate::{DecodeError, limits};

/// Bits of the largest distance between two weights.
const LENGTH: usize = 12;

/// Appends a sprite that shows a photo.
pub(crate) fn put_photo(out: &mut Vec<u8>, sprite: &Sprite, photo: &Photo) {
    out.extend(sprite.coded(|_| code(photo)));
}

fn code(photo: &Photo) -> Box<[u8]> {
    let mut out = Vec::new();
    put_alpha(&mut out, photo.size(), photo.alpha());
    out.push(photo.step());
    let mut encoder = Encoder::new();
    let (mut luma, mut chroma) = (Model::new(), Model::new());
    for plane in 0..3 {
        let model = if plane == 0 { &mut luma } else { &mut chroma };
        let mut before = 0;
        for block in photo.weights(plane).as_chunks::<BLOCK>().0 {
            put_weight(&mut encoder, &mut model.first, block[0] - before);
            before = block[0];
            model.put_rest(&mut encoder, block);
        }
    }
    put_bytes(&mut out, &encoder.finish());
    out.into()
}

/// A photo that was not unpacked yet.
struct Packed<'a> {
    size: Size,
    alpha: &'a [u8],
    step: u8,
    weights: &'a [u8],
}

/// A sprite that shows a photo, from the gallery if it is there; its pixels are taken from `pixels`, what may still be unpacked.
pub(crate) fn get_photo(
    reader: &mut Reader<'_>,
    namer: &Namer,
    pixels: &mut usize,
    gallery: Option<&Gallery>,
) -> Result<Arc<Sprite>, DecodeError> {
    let before = reader.rest();
    let (size, alpha) = get_bitmap(reader, pixels)?;
    let step = reader.u8()?;
    let weights = reader.short_bytes(limits::TO_CLIENT_BYTES, "coded photo")?;
    let packed = Packed { size, alpha, step, weights };
    let Some(gallery) = gallery else { return unpack(&packed, namer) };
    let coded = &before[..before.len() - reader.rest().len()];
    gallery.photo(namer.name(coded), || unpack(&packed, namer))
}

fn unpack(packed: &Packed<'_>, namer: &Namer) -> Result<Arc<Sprite>, DecodeError> {
    let Packed { size, alpha, step, weights } = *packed;
    let alpha = alpha_of(size, alpha);
    let mut decoder = Decoder::new(weights);
    let (mut luma, mut chroma) = (Model::new(), Model::new());
    let planes = std::array::from_fn(|plane| {
        let model = if plane == 0 { &mut luma } else { &mut chroma };
        let mut weights = vec![0; Photo::blocks(size, plane) * BLOCK];
        let mut before = 0;
        for block in weights.as_chunks_mut::<BLOCK>().0 {
            before = bounded(before + get_weight(&mut decoder, &mut model.first));
            block[0] = before;
            model.get_rest(&mut decoder, block);
        }
        weights.into()
    });
    let photo = Photo::from_parts(size, step, alpha.into(), planes);
    let photo = photo.ok_or(DecodeError::OutOfRange("the step of a photo"))?;
    Ok(Sprite::new(namer, size, &photo.pixels()))
}

fn bounded(weight: i16) -> i16 {
    weight.clamp(-WEIGHT, WEIGHT)
}

/// What is known of weights: how many bits they have.
type Length = [Bit; LENGTH + 1];

struct Model {
    first: Length,
    /// By place, and by how busy the block before was.
    end: [[Bit; BLOCK]; 3],
    /// By place, and by whether the weight before was zero.
    zero: [[Bit; BLOCK]; 2],
    /// By place: near the first weight, or far.
    rest: [Length; 4],
    busy: usize,
}

impl Model {
    fn new() -> Self {
        let length = [Bit::UNKNOWN; LENGTH + 1];
        let places = [Bit::UNKNOWN; BLOCK];
        Self { first: length, end: [places; 3], zero: [places; 2], rest: [length; 4], busy: 0 }
    }

    fn put_rest(&mut self, encoder: &mut Encoder, block: &[i16; BLOCK]) {
        let last = block.iter().rposition(|weight| *weight != 0).unwrap_or(0);
        let mut at = 1;
        let mut after_zero = 0;
        while at < BLOCK {
            encoder.put(&mut self.end[self.busy][at], at > last);
            if at > last {
                break;
            }
            while block[at] == 0 {
                encoder.put(&mut self.zero[after_zero][at], true);
                (at, after_zero) = (at + 1, 1);
            }
            if at < BLOCK - 1 {
                encoder.put(&mut self.zero[after_zero][at], false);
            }
            put_weight_not_zero(encoder, &mut self.rest[near(at)], block[at]);
            (at, after_zero) = (at + 1, 0);
        }
        self.busy = busy(last);
    }

    fn get_rest(&mut self, decoder: &mut Decoder<'_>, block: &mut [i16; BLOCK]) {
        let (mut at, mut last) = (1, 0);
        let mut after_zero = 0;
        while at < BLOCK && !decoder.get(&mut self.end[self.busy][at]) {
            while at < BLOCK - 1 && decoder.get(&mut self.zero[after_zero][at]) {
                (at, after_zero) = (at + 1, 1);
            }
            block[at] = bounded(get_weight_not_zero(decoder, &mut self.rest[near(at)]));
            last = at;
            (at, after_zero) = (at + 1, 0);
        }
        self.busy = busy(last);
    }
}

/// How busy a block is whose last weight stands at `last`.
fn busy(last: usize) -> usize {
    match last {
        0..4 => 0,
        4..14 => 1,
        _ => 2,
    }
}

fn near(at: usize) -> usize {
    match at {
        0..3 => 0,
        3..10 => 1,
        10..28 => 2,
        _ => 3,
    }
}

fn put_weight(encoder: &mut Encoder, model: &mut Length, weight: i16) {
    encoder.put(&mut model[0], weight == 0);
    if weight != 0 {
        put_weight_not_zero(encoder, model, weight);
    }
}

fn get_weight(decoder: &mut Decoder<'_>, model: &mut Length) -> i16 {
    if decoder.get(&mut model[0]) { 0 } else { get_weight_not_zero(decoder, model) }
}

fn put_weight_not_zero(encoder: &mut Encoder, model: &mut Length, weight: i16) {
    let size = u32::from(weight.unsigned_abs());
    let length = (u32::BITS - size.leading_zeros()) as usize;
    for (at, bit) in model.iter_mut().enumerate().take(LENGTH).skip(1) {
        encoder.put(bit, at == length);
        if at == length {
            break;
        }
    }
    let below = length as u32 - 1;
    encoder.put_plain(size & ((1 << below) - 1), below);
    encoder.put_plain(u32::from(weight < 0), 1);
}

fn get_weight_not_zero(decoder: &mut Decoder<'_>, model: &mut Length) -> i16 {
    let mut length = 1;
    while length < LENGTH && !decoder.get(&mut model[length]) {
        length += 1;
    }
    let below = length as u32 - 1;
    let size = (1 << below | decoder.get_plain(below)) as i16;
    if decoder.get_plain(1) == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn photos_come_back(w in 0_i32..40, h in 0_i32..40, seed: Vec<u8>, step in 1_u8..=100, smooth: bool) {
            let namer = Namer::new([7; 32]);
            let byte = |at: usize| {
                let noise = seed.get(at % seed.len().max(1)).copied().unwrap_or(9);
                if smooth { (at / 4) as u8 ^ noise & 3 } else { noise }
            };
            let rgba: Vec<u8> = (0..(w * h * 4) as usize).map(byte).collect();
            let sprite = Sprite::of_photo(&namer, Photo::of(Size::new(w, h), &rgba, step));
            let mut out = Vec::new();
            put_photo(&mut out, &sprite, sprite.photo().unwrap());
            let mut reader = Reader::new(&out);
            let back = get_photo(&mut reader, &namer, &mut 10_000, None).unwrap();
            prop_assert_eq!(back.id(), sprite.id());
            prop_assert!(reader.finish().is_ok());

            let gallery = Gallery::default();
            let shared = || get_photo(&mut Reader::new(&out), &namer, &mut 10_000, Some(&gallery)).unwrap();
            let first = shared();
            prop_assert_eq!(first.id(), sprite.id());
            prop_assert!(Arc::ptr_eq(&first, &shared()), "the second client unpacks nothing");
            let too_few = get_photo(&mut Reader::new(&out), &namer, &mut ((w * h) as usize / 2), Some(&gallery));
            prop_assert_eq!(too_few.is_err(), w * h > 0, "and is allowed no more");
        }

        #[test]
        fn no_bytes_are_too_many(w in 0_u8..90, h in 0_u8..90, step: u8, bytes: Vec<u8>) {
            let namer = Namer::new([7; 32]);
            let _ = get_photo(&mut Reader::new(&bytes), &namer, &mut 100_000, None);
            let mut framed = vec![w, h, 9];
            framed.extend([0; 9]);
            framed.push(step);
            put_bytes(&mut framed, &bytes);
            let _ = get_photo(&mut Reader::new(&framed), &namer, &mut 100_000, None);
        }
    }
}
