//! Rounded rectangles, shadows and dots. Coverage is counted on an integer grid, so it is the same everywhere.

use std::sync::Arc;

use tresen_scene::{Color, Insets, Mask, Namer, Op, Rect, Size};

/// Which corners are round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Corners {
    /// All four.
    All,
    /// The upper two, as of a sheet that stands on the lower edge of a screen.
    Top,
}

/// A mask that stretches to any size.
#[derive(Clone, Debug)]
pub struct NinePatch {
    mask: Arc<Mask>,
    insets: Insets,
    /// How far it reaches beyond the rectangle that it is drawn for.
    outset: i32,
}

impl NinePatch {
    /// Draws it for `rect` in `color`.
    pub fn draw(&self, rect: Rect, color: Color) -> Op {
        let rect = rect.inset(Insets::all(-self.outset));
        Op::NinePatch { rect, mask: self.mask.clone(), insets: self.insets, color }
    }
}

/// A filled rectangle with corners of `radius` pixels.
pub(crate) fn rounded(namer: &Namer, radius: i32, corners: Corners) -> NinePatch {
    let side = 2 * radius + 1;
    let mut alpha = vec![255; (side * side) as usize];
    for y in 0..radius {
        for x in 0..radius {
            let coverage = corner(radius, x, y);
            let (right, bottom) = (side - 1 - x, side - 1 - y);
            alpha[(y * side + x) as usize] = coverage;
            alpha[(y * side + right) as usize] = coverage;
            if corners == Corners::All {
                alpha[(bottom * side + x) as usize] = coverage;
                alpha[(bottom * side + right) as usize] = coverage;
            }
        }
    }
    let mask = Mask::new(namer, Size::new(side, side), &alpha);
    NinePatch { mask, insets: Insets::all(radius), outset: 0 }
}

/// The shadow of a rectangle with corners of `radius` pixels, softened over `blur` pixels on either side of its edge.
pub(crate) fn shadow(namer: &Namer, radius: i32, blur: i32) -> NinePatch {
    let inset = radius + 2 * blur;
    let side = 2 * inset + 1;
    let shape = side - 2 * blur;
    let mut alpha = vec![0u32; (side * side) as usize];
    for y in 0..shape {
        for x in 0..shape {
            let (near_x, near_y) = (x.min(shape - 1 - x), y.min(shape - 1 - y));
            let inside = near_x >= radius || near_y >= radius;
            let coverage = if inside { 255 } else { corner(radius, near_x, near_y) };
            alpha[((y + blur) * side + x + blur) as usize] = u32::from(coverage);
        }
    }
    let third = (blur / 3).max(1);
    for _ in 0..3 {
        alpha = box_blur_transposed(&alpha, side as usize, third as usize);
        alpha = box_blur_transposed(&alpha, side as usize, third as usize);
    }
    let alpha: Vec<u8> = alpha.into_iter().map(|value| value as u8).collect();
    let mask = Mask::new(namer, Size::new(side, side), &alpha);
    NinePatch { mask, insets: Insets::all(inset), outset: blur }
}

/// A row of dots of diameter `dot` pixels, a dot's width apart, `width` pixels long: what underlines an amount that is
/// not confirmed.
pub(crate) fn dots(namer: &Namer, width: i32, dot: i32) -> Arc<Mask> {
    let mut alpha = vec![0; (width * dot) as usize];
    for (index, value) in alpha.iter_mut().enumerate() {
        let (x, y) = (index as i32 % width, index as i32 / width);
        let within = x % (2 * dot);
        let whole = x - within + dot <= width;
        if within < dot && whole {
            let half = dot / 2;
            let (near_x, near_y) = (within.min(dot - 1 - within), y.min(dot - 1 - y));
            *value = if half == 0 || near_x >= half || near_y >= half {
                255
            } else {
                corner(half, near_x, near_y)
            };
        }
    }
    Mask::new(namer, Size::new(width, dot), &alpha)
}

/// Coverage of the pixel (`x`, `y`) by a quarter disc of `radius` pixels whose centre is at (`radius`, `radius`): the
/// share of 16 x 16 sample points inside.
fn corner(radius: i32, x: i32, y: i32) -> u8 {
    const SAMPLES: i32 = 16;
    const STEPS: i32 = 2 * SAMPLES;
    let limit = (radius * STEPS).pow(2);
    let distance = |pixel: i32, sample: i32| (radius - pixel) * STEPS - (2 * sample + 1);
    let mut inside = 0;
    for sub_y in 0..SAMPLES {
        for sub_x in 0..SAMPLES {
            let (dx, dy) = (distance(x, sub_x), distance(y, sub_y));
            inside += i32::from(dx * dx + dy * dy <= limit);
        }
    }
    (inside * 255 / (SAMPLES * SAMPLES)) as u8
}

/// Each row averaged over `2 * reach + 1` pixels, rows and columns swapped.
fn box_blur_transposed(source: &[u32], side: usize, reach: usize) -> Vec<u32> {
    let mut target = vec![0; source.len()];
    let count = 2 * reach as u32 + 1;
    for (y, row) in source.chunks_exact(side).enumerate() {
        for x in 0..side {
            let window = &row[x.saturating_sub(reach)..(x + reach + 1).min(side)];
            target[x * side + y] = (window.iter().sum::<u32>() + count / 2) / count;
        }
    }
    target
}
