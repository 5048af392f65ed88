//! Pictures of a screen, and whether they look alike.

use tresen_scene::Size;

/// Bytes of a pixel: blue, green, red and nothing.
pub const PIXEL_BYTES: usize = 4;
/// A colour that is off by more than this is another one; less is what lossy pictures do.
const VISIBLE: u8 = 24;
/// More pixels than this that look different, in percent, and it is another picture.
pub const ANOTHER_PERCENT: f64 = 2.0;
/// A sketch has one pixel of so many in each direction.
const SKETCH_STEP: usize = 4;

/// The share of pixels that look different, in percent.
pub fn different_percent(one: &[u8], other: &[u8]) -> f64 {
    let pixels = (one.len() / PIXEL_BYTES).max(1);
    let pairs = one.chunks(PIXEL_BYTES).zip(other.chunks(PIXEL_BYTES));
    let different = pairs.filter(|(one, other)| looks_different(one, other)).count();
    different as f64 / pixels as f64 * 100.0
}

/// Whether two pixels look different.
pub fn looks_different(one: &[u8], other: &[u8]) -> bool {
    one.iter().zip(other).take(3).any(|(one, other)| one.abs_diff(*other) > VISIBLE)
}

/// A picture in few bytes: some of its pixels.
pub struct Sketch(Vec<u8>);

impl Sketch {
    /// Of a picture of this size.
    pub fn of(picture: &[u8], size: Size) -> Self {
        let rows = picture.chunks_exact(size.w as usize * PIXEL_BYTES).step_by(SKETCH_STEP);
        let pixels = rows.flat_map(|row| row.chunks_exact(PIXEL_BYTES).step_by(SKETCH_STEP));
        Self(pixels.flatten().copied().collect())
    }

    /// The share of pixels that look different, in percent.
    pub fn different_percent(&self, other: &Self) -> f64 {
        different_percent(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a wrong pixel is noticed, and the noise of a lossy picture is not.
    #[test]
    fn pictures_are_compared_by_what_is_visible() {
        let white = [255_u8; 16];
        let mut other = white;
        other[1] = 250;
        assert_eq!(different_percent(&white, &other), 0.0);
        other[4] = 0;
        assert_eq!(different_percent(&white, &other), 25.0);
        let mut padding = white;
        padding[3] = 0;
        assert_eq!(different_percent(&white, &padding), 0.0);
    }

    /// Proves that a sketch notices what covers a few pixels, and is of the whole picture.
    #[test]
    fn a_sketch_is_of_the_whole_picture() {
        let size = Size::new(8, 8);
        let white = [255_u8; 8 * 8 * PIXEL_BYTES];
        let mut other = white;
        other[(4 * 8 + 4) * PIXEL_BYTES] = 0;
        let [white, other] = [white, other].map(|picture| Sketch::of(&picture, size));
        assert_eq!(white.different_percent(&white), 0.0);
        assert_eq!(white.different_percent(&other), 25.0);
    }
}
