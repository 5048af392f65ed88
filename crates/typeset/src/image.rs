//! Pictures: decoded within limits, turned upright, scaled once to the size that is shown.

use std::io::Cursor;
use std::sync::Arc;

use fast_image_resize::images::Image;
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbaImage};
use tresen_scene::limits::BITMAP_SIDE_PX;
use tresen_scene::{Namer, Size, Sprite};

use crate::limits;

/// How a picture is brought to a size of another shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fit {
    /// It fills the size; what stands over is cut off on both sides.
    Cover,
    /// It is whole; the sprite is smaller than the size on one side.
    Contain,
}

/// Why a picture was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// More bytes than [`limits::IMAGE_BYTES`].
    #[error("the picture has {size_bytes} bytes; at most {} are taken", limits::IMAGE_BYTES)]
    TooLarge {
        /// What it has.
        size_bytes: usize,
    },
    /// A target of no pixels, or beyond the limit of a bitmap.
    #[error("a picture can't be shown at {0:?} pixels")]
    Target(Size),
    /// Not a picture that can be read, or one with too many pixels.
    #[error("the picture can't be read: {0}. PNG, JPEG and WebP are taken, up to {px} x {px} pixels", px = limits::IMAGE_SIDE_PX)]
    Unreadable(String),
}

/// Decodes PNG, JPEG or WebP and scales it to `size` pixels.
pub(crate) fn sprite(namer: &Namer, bytes: &[u8], size: Size, fit: Fit) -> Result<Arc<Sprite>, ImageError> {
    if bytes.len() > limits::IMAGE_BYTES {
        return Err(ImageError::TooLarge { size_bytes: bytes.len() });
    }
    let side = 1..=BITMAP_SIDE_PX as i32;
    if !side.contains(&size.w) || !side.contains(&size.h) {
        return Err(ImageError::Target(size));
    }
    let picture = decode(bytes).map_err(|error| ImageError::Unreadable(error.to_string()))?;
    let size = match fit {
        Fit::Cover => size,
        Fit::Contain => contained(&picture, size),
    };
    let rgba = scale(picture, size).map_err(|error| ImageError::Unreadable(error.to_string()))?;
    Ok(Sprite::new(namer, size, &rgba))
}

fn decode(bytes: &[u8]) -> image::ImageResult<RgbaImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(limits::IMAGE_SIDE_PX);
    bounds.max_image_height = Some(limits::IMAGE_SIDE_PX);
    bounds.max_alloc = Some(limits::IMAGE_MEMORY_BYTES);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture.into_rgba8())
}

/// The largest size of the picture's shape within `size`.
fn contained(picture: &RgbaImage, size: Size) -> Size {
    let (w, h) = (i64::from(picture.width()), i64::from(picture.height()));
    let (max_w, max_h) = (i64::from(size.w), i64::from(size.h));
    let (w, h) = if w * max_h > h * max_w { (max_w, h * max_w / w) } else { (w * max_h / h, max_h) };
    Size::new(w.max(1) as i32, h.max(1) as i32)
}

fn scale(picture: RgbaImage, size: Size) -> Result<Vec<u8>, fast_image_resize::ResizeError> {
    let (w, h) = picture.dimensions();
    let source = Image::from_vec_u8(w, h, picture.into_raw(), PixelType::U8x4)
        .expect("a decoded picture has four bytes a pixel");
    let mut target = Image::new(size.w as u32, size.h as u32, PixelType::U8x4);
    let options = ResizeOptions::new().fit_into_destination(Some((0.5, 0.5)));
    Resizer::new().resize(&source, &mut target, &options)?;
    Ok(target.into_vec())
}
