//! Bitmaps and colours: the leaves of a scene.

use std::fmt;
use std::sync::{Arc, OnceLock};

use smol_str::SmolStr;

use crate::{Namer, ObjectId, Photo, Point, Rect, Size, limits};

/// A colour with straight (not premultiplied) alpha; `a` 255 is opaque.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Color {
    /// Red, 0-255, sRGB.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
    /// Opacity.
    pub a: u8,
}

impl Color {
    /// An opaque colour from 0xRRGGBB.
    pub const fn rgb(value: u32) -> Self {
        Self { r: (value >> 16) as u8, g: (value >> 8) as u8, b: value as u8, a: 255 }
    }

    /// The same colour with another opacity.
    pub const fn with_alpha(self, a: u8) -> Self {
        Self { a, ..self }
    }

    /// Its four bytes: red, green, blue, alpha.
    pub const fn bytes(self) -> [u8; 4] {
        [self.r, self.g, self.b, self.a]
    }
}

impl fmt::Debug for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}{:02x}", self.r, self.g, self.b, self.a)
    }
}

/// Coverage of a shape, to be tinted with a colour. Values are multiples of 17: sixteen levels.
pub struct Mask {
    id: ObjectId,
    size: Size,
    alpha: Box<[u8]>,
    coded: OnceLock<Box<[u8]>>,
}

/// A small picture with straight alpha, four bytes a pixel: red, green, blue, alpha.
pub struct Sprite {
    id: ObjectId,
    size: Size,
    rgba: Box<[u8]>,
    photo: Option<Photo>,
    coded: OnceLock<Box<[u8]>>,
}

/// A font at one size and weight; the number is a server's own, 0-31. Glyphs of one face share a slot bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FaceId(pub u8);

/// One rasterised glyph.
pub struct Glyph {
    id: ObjectId,
    face: FaceId,
    text: SmolStr,
    advance_64: i32,
    bearing: Point,
    mask: Arc<Mask>,
}

fn bitmap_bytes(tag: u8, size: Size, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(pixels.len() + 9);
    bytes.push(tag);
    bytes.extend(size.w.to_le_bytes());
    bytes.extend(size.h.to_le_bytes());
    bytes.extend(pixels);
    bytes
}

fn assert_bitmap(size: Size, bytes: usize, bytes_per_pixel: usize) {
    assert!(size.w >= 0 && size.h >= 0, "a bitmap's size is not negative");
    assert!(size.w.max(size.h) as u32 <= limits::BITMAP_SIDE_PX, "a bitmap stays within its limit");
    assert_eq!(bytes, size.w as usize * size.h as usize * bytes_per_pixel, "a bitmap has one value a pixel");
}

impl Mask {
    /// A mask from one coverage byte a pixel, row by row; values are rounded to sixteen levels.
    ///
    /// # Panics
    /// When `alpha` is not `w * h` long or a side is beyond [`limits::BITMAP_SIDE_PX`].
    pub fn new(namer: &Namer, size: Size, alpha: &[u8]) -> Arc<Self> {
        assert_bitmap(size, alpha.len(), 1);
        let alpha: Box<[u8]> = alpha.iter().map(|&a| ((u32::from(a) + 8) / 17 * 17) as u8).collect();
        let id = namer.name(&bitmap_bytes(1, size, &alpha));
        Arc::new(Self { id, size, alpha, coded: OnceLock::new() })
    }

    /// Its name.
    pub const fn id(&self) -> ObjectId {
        self.id
    }

    /// Its size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Coverage, row by row, multiples of 17.
    pub const fn alpha(&self) -> &[u8] {
        &self.alpha
    }

    /// What `code` makes of it, made once and kept: many sessions send the same mask.
    pub fn coded(&self, code: impl FnOnce(&Self) -> Box<[u8]>) -> &[u8] {
        self.coded.get_or_init(|| code(self))
    }
}

impl Sprite {
    /// A sprite from four bytes a pixel (red, green, blue, straight alpha), row by row.
    ///
    /// # Panics
    /// When `rgba` is not `4 * w * h` long or a side is beyond [`limits::BITMAP_SIDE_PX`].
    pub fn new(namer: &Namer, size: Size, rgba: &[u8]) -> Arc<Self> {
        assert_bitmap(size, rgba.len(), 4);
        let id = namer.name(&bitmap_bytes(2, size, rgba));
        Arc::new(Self { id, size, rgba: rgba.into(), photo: None, coded: OnceLock::new() })
    }

    /// A sprite that shows a photo. It is the same as one of the photo's pixels, but its waves are known, and they take fewer bytes.
    ///
    /// # Panics
    /// When a side is beyond [`limits::BITMAP_SIDE_PX`].
    pub fn of_photo(namer: &Namer, photo: Photo) -> Arc<Self> {
        let (size, rgba) = (photo.size(), photo.pixels());
        assert_bitmap(size, rgba.len(), 4);
        let id = namer.name(&bitmap_bytes(2, size, &rgba));
        Arc::new(Self { id, size, rgba: rgba.into(), photo: Some(photo), coded: OnceLock::new() })
    }

    /// The photo that it shows, when it was made of one.
    pub const fn photo(&self) -> Option<&Photo> {
        self.photo.as_ref()
    }

    /// Its name.
    pub const fn id(&self) -> ObjectId {
        self.id
    }

    /// Its size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Four bytes a pixel, row by row.
    pub const fn rgba(&self) -> &[u8] {
        &self.rgba
    }

    /// What `code` makes of it, made once and kept: many sessions send the same sprite.
    pub fn coded(&self, code: impl FnOnce(&Self) -> Box<[u8]>) -> &[u8] {
        self.coded.get_or_init(|| code(self))
    }
}

impl Glyph {
    /// A glyph of `face` that stands for `text`. `advance_64` moves the pen, in 1/64 px; `bearing` is from the pen on
    /// the baseline to the mask's top left corner.
    pub fn new(
        namer: &Namer,
        face: FaceId,
        text: SmolStr,
        advance_64: i32,
        bearing: Point,
        mask: Arc<Mask>,
    ) -> Arc<Self> {
        let mut bytes = vec![3, face.0];
        bytes.extend(advance_64.to_le_bytes());
        bytes.extend(bearing.x.to_le_bytes());
        bytes.extend(bearing.y.to_le_bytes());
        bytes.extend(mask.id().0);
        bytes.extend(text.as_bytes());
        Arc::new(Self { id: namer.name(&bytes), face, text, advance_64, bearing, mask })
    }

    /// Its name.
    pub const fn id(&self) -> ObjectId {
        self.id
    }

    /// The face whose bank it lives in.
    pub const fn face(&self) -> FaceId {
        self.face
    }

    /// The text it draws (one cluster), for labels.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Pen movement in 1/64 px.
    pub const fn advance_64(&self) -> i32 {
        self.advance_64
    }

    /// From the pen to the mask's top left corner.
    pub const fn bearing(&self) -> Point {
        self.bearing
    }

    /// Its coverage.
    pub const fn mask(&self) -> &Arc<Mask> {
        &self.mask
    }

    /// The pixels it covers with the pen at `pen`.
    pub fn bounds(&self, pen: Point) -> Rect {
        Rect::of_size(self.mask.size()).offset(pen.offset(self.bearing))
    }
}

macro_rules! equal_by_name {
    ($($kind:ident),*) => {$(
        impl PartialEq for $kind {
            fn eq(&self, other: &Self) -> bool {
                self.id == other.id
            }
        }

        impl Eq for $kind {}

        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($kind), self.id)
            }
        }
    )*};
}
equal_by_name!(Mask, Sprite, Glyph);
