//! Photographs: pictures that need to look right, not to be right in every pixel.
//!
//! A photo is kept as waves: luma and two chroma planes (YCoCg, chroma at half the size) in blocks of 8 x 8, each a sum of cosines whose
//! weights are rounded to steps. What the weights add up to is computed in integers only, so server and clients see the same pixels, and
//! the sprite's name is the name of those pixels. How the weights become bytes is the wire's business.
//!
//! Invariant: [`Photo::pixels`] is total: whatever the weights are, it neither overflows nor panics.

use crate::Size;

/// Side of a block, in pixels.
const SIDE: usize = 8;
/// Weights of a block, and of a row of [`COSINES`].
pub const BLOCK: usize = SIDE * SIDE;
/// Largest weight, either sign: whatever is beyond is cut off.
pub const WEIGHT: i16 = 2_047;
/// Finest and coarsest step.
pub const STEP: (u8, u8) = (1, 100);

/// The cosines of a block, times 64 and the square root of 8: the matrix of H.265 (ITU-T H.265, 8.6.4.2).
const COSINES: [[i32; SIDE]; SIDE] = [
    [64, 64, 64, 64, 64, 64, 64, 64],
    [89, 75, 50, 18, -18, -50, -75, -89],
    [83, 36, -36, -83, -83, -36, 36, 83],
    [75, -18, -89, -50, 50, 89, 18, -75],
    [64, -64, -64, 64, 64, -64, -64, 64],
    [50, -89, 18, 75, -75, -18, 89, -50],
    [36, -83, 83, -36, -36, 83, -83, 36],
    [18, -50, 75, -89, 89, -75, 50, -18],
];
/// Two passes of the cosines multiply by 2 to the power of 15.
const FIRST_SHIFT: u32 = 7;
const SECOND_SHIFT: u32 = 8;

/// A picture as waves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    size: Size,
    step: u8,
    alpha: Box<[u8]>,
    planes: [Box<[i16]>; 3],
}

impl Photo {
    /// The waves of four bytes a pixel. A larger `step` means fewer bytes and a coarser picture; 8 is hard to tell from the original.
    /// Alpha is kept in sixteen levels, as in a mask.
    ///
    /// # Panics
    /// When `rgba` is not `4 * w * h` long.
    pub fn of(size: Size, rgba: &[u8], step: u8) -> Self {
        assert_eq!(rgba.len(), area(size) * 4, "a picture has four bytes a pixel");
        let step = step.clamp(STEP.0, STEP.1);
        let pixels = rgba.as_chunks::<4>().0;
        let alpha = pixels.iter().map(|[.., a]| ((u32::from(*a) + 8) / 17 * 17) as u8).collect();
        let colors: Vec<[i32; 3]> = pixels.iter().map(|[r, g, b, _]| to_ycocg([*r, *g, *b])).collect();
        let (w, h) = (size.w.max(0) as usize, size.h.max(0) as usize);
        let planes = std::array::from_fn(|plane| {
            let shrink = shrinking(plane);
            let (plane_w, plane_h) = (w.div_ceil(shrink), h.div_ceil(shrink));
            let at = |x: usize, y: usize| colors[y.min(h - 1) * w + x.min(w - 1)][plane];
            let sample = |x: usize, y: usize| match shrink {
                1 => at(x, y),
                _ => {
                    (at(2 * x, 2 * y)
                        + at(2 * x + 1, 2 * y)
                        + at(2 * x, 2 * y + 1)
                        + at(2 * x + 1, 2 * y + 1)
                        + 2)
                        >> 2
                }
            };
            to_waves(plane_w, plane_h, plane, step, sample)
        });
        Self { size, step, alpha, planes }
    }

    /// A photo from its parts, as they come over a wire; `None` when they do not fit together.
    pub fn from_parts(size: Size, step: u8, alpha: Box<[u8]>, planes: [Box<[i16]>; 3]) -> Option<Self> {
        let fits = (STEP.0..=STEP.1).contains(&step)
            && alpha.len() == area(size)
            && (0..3).all(|plane| planes[plane].len() == Self::blocks(size, plane) * BLOCK);
        fits.then_some(Self { size, step, alpha, planes })
    }

    /// How many blocks a plane has: 0 is luma, 1 and 2 are chroma.
    pub fn blocks(size: Size, plane: usize) -> usize {
        let across = |pixels: i32| (pixels.max(0) as usize).div_ceil(shrinking(plane)).div_ceil(SIDE);
        across(size.w) * across(size.h)
    }

    /// Its size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The step that its weights are multiples of.
    pub const fn step(&self) -> u8 {
        self.step
    }

    /// Its alpha, multiples of 17, row by row.
    pub const fn alpha(&self) -> &[u8] {
        &self.alpha
    }

    /// Weights of a plane: block after block, row by row, each from the slowest wave to the fastest (zigzag).
    pub fn weights(&self, plane: usize) -> &[i16] {
        &self.planes[plane]
    }

    /// What the waves add up to: four bytes a pixel.
    pub fn pixels(&self) -> Vec<u8> {
        let (w, h) = (self.size.w.max(0) as usize, self.size.h.max(0) as usize);
        let samples: [Samples; 3] = std::array::from_fn(|plane| {
            let shrink = shrinking(plane);
            from_waves(w.div_ceil(shrink), h.div_ceil(shrink), plane, self.step, &self.planes[plane])
        });
        let mut rgba = Vec::with_capacity(w * h * 4);
        for (at, alpha) in self.alpha.iter().enumerate() {
            let (x, y) = (at % w, at / w);
            let luma = samples[0].at(x, y);
            let [r, g, b] = from_ycocg([luma, samples[1].between(x, y), samples[2].between(x, y)]);
            rgba.extend([r, g, b, *alpha]);
        }
        rgba
    }
}

fn area(size: Size) -> usize {
    size.w.max(0) as usize * size.h.max(0) as usize
}

/// How many pixels of the picture make one of the plane, each way.
const fn shrinking(plane: usize) -> usize {
    if plane == 0 { 1 } else { 2 }
}

fn to_ycocg(rgb: [u8; 3]) -> [i32; 3] {
    let [r, g, b] = rgb.map(i32::from);
    let co = r - b;
    let t = b + (co >> 1);
    let cg = g - t;
    [t + (cg >> 1) - 128, co, cg]
}

fn from_ycocg([y, co, cg]: [i32; 3]) -> [u8; 3] {
    let t = y + 128 - (cg >> 1);
    let g = cg + t;
    let b = t - (co >> 1);
    [b + co, g, b].map(|value| value.clamp(0, 255) as u8)
}

/// The step of one wave: fast ones, and colour, are seen less.
fn step_of(plane: usize, step: u8, u: usize, v: usize) -> i32 {
    let seen = if plane == 0 { 4 + (u + v) } else { 8 + 2 * (u + v) };
    (i32::from(step) * seen as i32 / 4).max(1)
}

/// Where the weight at a place of the zigzag stands in its block: column and row.
fn zigzag() -> [(usize, usize); BLOCK] {
    let mut order = [(0, 0); BLOCK];
    let mut at = 0;
    for diagonal in 0..2 * SIDE - 1 {
        for step in 0..=diagonal {
            let (u, v) = if diagonal % 2 == 0 { (step, diagonal - step) } else { (diagonal - step, step) };
            if u < SIDE && v < SIDE {
                order[at] = (u, v);
                at += 1;
            }
        }
    }
    order
}

fn to_waves(w: usize, h: usize, plane: usize, step: u8, sample: impl Fn(usize, usize) -> i32) -> Box<[i16]> {
    let order = zigzag();
    let mut weights = Vec::with_capacity(w.div_ceil(SIDE) * h.div_ceil(SIDE) * BLOCK);
    for (y, x) in corners(w, h) {
        let block: [[i32; SIDE]; SIDE] = std::array::from_fn(|row| {
            std::array::from_fn(|column| sample((x + column).min(w - 1), (y + row).min(h - 1)))
        });
        let rows = block.map(|row| COSINES.map(|wave| dot(&wave, &row)));
        for (u, v) in order {
            let column: [i32; SIDE] = std::array::from_fn(|row| rows[row][u]);
            let weight = i64::from(dot(&COSINES[v], &column)) >> (FIRST_SHIFT + SECOND_SHIFT - 4);
            // Soft slopes are made of the slow waves alone: where these are missing, blocks show.
            let up = if u + v < 3 { (1, 2) } else { (2, 5) };
            weights.push(rounded(weight, i64::from(step_of(plane, step, u, v)) << 4, up));
        }
    }
    weights.into()
}

/// Rounded to steps; `up` is the part of a step from which on it is one. Below a half: a weight that is hardly there costs more than it
/// shows.
fn rounded(weight: i64, step: i64, up: (i64, i64)) -> i16 {
    let steps = (weight.abs() + step * up.0 / up.1) / step;
    (steps.min(WEIGHT.into()) * weight.signum()) as i16
}

fn dot(one: &[i32; SIDE], other: &[i32; SIDE]) -> i32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

/// Top left corners of the blocks, row by row: y and x.
fn corners(w: usize, h: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..h).step_by(SIDE).flat_map(move |y| (0..w).step_by(SIDE).map(move |x| (y, x)))
}

/// One plane of pixels.
struct Samples {
    w: usize,
    h: usize,
    values: Vec<i32>,
}

impl Samples {
    fn at(&self, x: usize, y: usize) -> i32 {
        self.values[y.min(self.h - 1) * self.w + x.min(self.w - 1)]
    }

    /// A chroma at a pixel of the picture, between the four that are nearest.
    fn between(&self, x: usize, y: usize) -> i32 {
        let (near_x, near_y) = (x / 2, y / 2);
        let beside = |near: usize, odd: usize| if odd == 1 { near + 1 } else { near.saturating_sub(1) };
        let (far_x, far_y) = (beside(near_x, x % 2), beside(near_y, y % 2));
        let near = 3 * self.at(near_x, near_y) + self.at(far_x, near_y);
        let far = 3 * self.at(near_x, far_y) + self.at(far_x, far_y);
        (3 * near + far + 8) >> 4
    }
}

fn from_waves(w: usize, h: usize, plane: usize, step: u8, weights: &[i16]) -> Samples {
    let order = zigzag();
    let mut values = vec![0; w * h];
    for ((y, x), block) in corners(w, h).zip(weights.as_chunks::<BLOCK>().0) {
        let mut waves = [[0; SIDE]; SIDE];
        for ((u, v), weight) in order.into_iter().zip(block) {
            let weight = i32::from((*weight).clamp(-WEIGHT, WEIGHT)) * step_of(plane, step, u, v);
            waves[v][u] = weight.clamp(-(1 << 13), 1 << 13);
        }
        let half: [[i32; SIDE]; SIDE] = waves.map(|row| {
            std::array::from_fn(|column| {
                let sum: i32 = (0..SIDE).map(|u| row[u] * COSINES[u][column]).sum();
                (sum + (1 << (FIRST_SHIFT - 1))) >> FIRST_SHIFT
            })
        });
        for row in 0..SIDE.min(h - y) {
            for column in 0..SIDE.min(w - x) {
                let sum: i32 = (0..SIDE).map(|v| half[v][column] * COSINES[v][row]).sum();
                values[(y + row) * w + x + column] = (sum + (1 << (SECOND_SHIFT - 1))) >> SECOND_SHIFT;
            }
        }
    }
    Samples { w, h, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The mean of the squared differences of all colours.
    fn difference(one: &[u8], other: &[u8]) -> f64 {
        let squares =
            one.iter().zip(other).map(|(one, other)| f64::from(i32::from(*one) - i32::from(*other)).powi(2));
        squares.sum::<f64>() / one.len() as f64
    }

    fn hills(w: usize, h: usize) -> Vec<u8> {
        let wave = |at: usize, length: f64| (f64::from(at as u32) / length).sin() * 60.0 + 128.0;
        let pixel = |at: usize| {
            [wave(at % w, 9.0) as u8, wave(at / w, 14.0) as u8, wave(at % w + at / w, 23.0) as u8, 255]
        };
        (0..w * h).flat_map(pixel).collect()
    }

    /// Promise: a photo looks like its picture.
    #[test]
    fn a_photo_is_close_to_its_picture() {
        let (size, rgba) = (Size::new(75, 41), hills(75, 41));
        let fine = difference(&rgba, &Photo::of(size, &rgba, 2).pixels());
        let coarse = difference(&rgba, &Photo::of(size, &rgba, 16).pixels());
        assert!(fine < 3.0 && coarse < 40.0 && fine < coarse, "{fine} {coarse}");
        let grey = [90, 90, 90, 255].repeat(17 * 9);
        assert!(difference(&grey, &Photo::of(Size::new(17, 9), &grey, 8).pixels()) < 2.0);
    }

    proptest! {
        #[test]
        fn any_weights_are_a_picture(w in 0_i32..20, h in 0_i32..20, step: u8, weights: Vec<i16>) {
            let size = Size::new(w, h);
            let plane = |plane| {
                let one = |at| weights.get(at % weights.len().max(1)).copied().unwrap_or(0);
                (0..Photo::blocks(size, plane) * BLOCK).map(one).collect()
            };
            let alpha = vec![255; (w * h) as usize].into();
            let photo = Photo::from_parts(size, step, alpha, [plane(0), plane(1), plane(2)]);
            prop_assert_eq!(photo.is_some(), (STEP.0..=STEP.1).contains(&step));
            prop_assert!(photo.is_none_or(|photo| photo.pixels().len() == (w * h * 4) as usize));
        }
    }
}
