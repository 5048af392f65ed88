//! Pictures: decoded within limits, turned upright, kept in one form, scaled once to the size that is shown.

use std::io::Cursor;
use std::sync::Arc;

use fast_image_resize::images::Image;
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::error::ImageError as Broken;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits, RgbaImage};
use tresen_scene::limits::BITMAP_SIDE_PX;
use tresen_scene::{Namer, Photo, Size, Sprite};

use crate::headers::JpegKind;
use crate::{headers, limits};

/// How coarse a photo on a screen may be: what is lost is hard to see on a tile, and a tile takes a few kilobytes.
const STEP: u8 = 5;
/// Qualities of JPEG that are tried until a picture is small enough to keep; the last one is taken as it is.
const QUALITIES: [u8; 3] = [88, 74, 50];
/// What zune-jpeg 0.5 keeps: two bytes for every coefficient of a picture that comes in several scans; rows at the greatest width and coarsest
/// sampling (4 colours of 10,000 x 32 samples, three of them spread by sixteen); and the file, with the segments that it copies out of it.
/// With the pixels themselves, three bytes each, a progressive JPEG takes 6 bytes a pixel when its colours are sampled by two each way (up to 38
/// megapixels are taken), 9 when they are not (25), and 11 in CMYK (20). Phones' pictures in one scan take 3 (up to [`limits::IMAGE_PIXELS`]).
const COEFFICIENT_BYTES: u64 = 2;
const JPEG_COLORS: u64 = 4;
const JPEG_ROWS_BYTES: u64 = 20 << 20;
/// What image-webp 0.2 keeps for a pixel at most: one and a half bytes of colours, and four and one of a transparency.
const WEBP_PIXEL_BYTES: u64 = 7;
/// Points across a pixel, each way, at which a round corner is looked at.
const POINTS: i32 = 4;

/// Why a picture was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// More bytes than [`limits::IMAGE_BYTES`].
    #[error("the picture has {size_bytes} bytes; at most {} are taken", limits::IMAGE_BYTES)]
    TooLarge {
        /// What it has.
        size_bytes: usize,
    },
    /// More pixels than [`limits::IMAGE_PIXELS`], or a side beyond [`limits::IMAGE_SIDE_PX`].
    #[error("the picture has {width} x {height} pixels; at most {} million are taken", limits::IMAGE_PIXELS / 1_000_000)]
    TooManyPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
    },
    /// Unpacking it takes more than [`limits::IMAGE_MEMORY_BYTES`]: the way it is packed, as many pixels as this are too many.
    #[error(
        "unpacking the picture takes {needed_bytes} bytes of memory; at most {} may be taken",
        limits::IMAGE_MEMORY_BYTES
    )]
    TooMuchMemory {
        /// What it takes, at most.
        needed_bytes: u64,
    },
    /// A target of no pixels, or beyond the limit of a bitmap.
    #[error("a picture can't be shown at {0:?} pixels")]
    Target(Size),
    /// Neither PNG nor JPEG nor WebP.
    #[error("this is no picture that can be read: PNG, JPEG and WebP are taken")]
    Unknown,
    /// It moves.
    #[error("the picture moves; only pictures that stand still are taken")]
    Animated,
    /// It breaks off, or was changed.
    #[error("the picture is damaged: {0}")]
    Damaged(String),
}

/// The picture in the one form that is kept: upright, at most [`limits::PHOTO_SIDE_PX`] each way, on white where it was transparent, a JPEG
/// that holds nothing but its pixels: no place, no camera, no name.
///
/// # Errors
/// When it is too large, moves or can't be read.
pub fn normal_photo(bytes: &[u8]) -> Result<Vec<u8>, ImageError> {
    let (picture, orientation) = decode(bytes)?;
    let side = limits::PHOTO_SIDE_PX;
    // First roughly and fast, in whatever colours it has: a phone's picture as RGBA takes a hundred megabytes.
    let mut rough = if picture.width().max(picture.height()) > 2 * side {
        picture.thumbnail(2 * side, 2 * side)
    } else {
        picture
    };
    // Turned only now: a large picture and its copy would take twice the memory.
    rough.apply_orientation(orientation);
    let rough = rough.into_rgba8();
    let size = within(&rough, side as i32);
    let rgba = if size == size_of(&rough) { rough.into_raw() } else { scale(rough, size)? };
    let rgb: Vec<u8> = rgba.as_chunks::<4>().0.iter().flat_map(on_white).collect();
    let mut out = Vec::new();
    for quality in QUALITIES {
        out.clear();
        JpegEncoder::new_with_quality(&mut out, quality)
            .encode(&rgb, size.w as u32, size.h as u32, ExtendedColorType::Rgb8)
            .map_err(damaged)?;
        if out.len() <= limits::PHOTO_BYTES {
            break;
        }
    }
    Ok(out)
}

/// Decodes PNG, JPEG or WebP and scales it down so that it fills `size` pixels; what stands over is cut off on both sides. One that has less is
/// not blown up: it is as wide and as high as it is, for the middle of its place. Its upper corners are round where they would stand out of a
/// place with upper corners of `radius` pixels.
pub(crate) fn sprite(
    namer: &Namer,
    bytes: &[u8],
    size: Size,
    radius: i32,
) -> Result<Arc<Sprite>, ImageError> {
    let side = 1..=BITMAP_SIDE_PX as i32;
    if !side.contains(&size.w) || !side.contains(&size.h) {
        return Err(ImageError::Target(size));
    }
    let (mut picture, orientation) = decode(bytes)?;
    picture.apply_orientation(orientation);
    let picture = picture.into_rgba8();
    let place = size;
    let size = Size::new(place.w.min(picture.width() as i32), place.h.min(picture.height() as i32));
    let inset = ((place.w - size.w) / 2).max((place.h - size.h) / 2);
    let radius = (radius - inset).clamp(0, size.w.min(size.h) / 2);
    let mut rgba = scale(picture, size)?;
    for y in 0..radius {
        for x in 0..radius {
            let covered = covered(x, y, radius);
            for x in [x, size.w - 1 - x] {
                let alpha = &mut rgba[((y * size.w + x) * 4 + 3) as usize];
                *alpha = (i32::from(*alpha) * covered / (POINTS * POINTS)) as u8;
            }
        }
    }
    Ok(Sprite::of_photo(namer, Photo::of(size, &rgba, STEP)))
}

/// A picture as it lies in the file, and how it is to be turned.
fn decode(bytes: &[u8]) -> Result<(DynamicImage, Orientation), ImageError> {
    if bytes.len() > limits::IMAGE_BYTES {
        return Err(ImageError::TooLarge { size_bytes: bytes.len() });
    }
    let mut reader =
        ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| ImageError::Unknown)?;
    let format = reader.format().ok_or(ImageError::Unknown)?;
    if moves(format, bytes)? {
        return Err(ImageError::Animated);
    }
    let mut bounds = Limits::default();
    bounds.max_alloc = Some(limits::IMAGE_MEMORY_BYTES);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) > limits::IMAGE_SIDE_PX || pixels > limits::IMAGE_PIXELS {
        return Err(ImageError::TooManyPixels { width, height });
    }
    if pixels == 0 {
        return Err(ImageError::Damaged("it has no pixels".into()));
    }
    let needed_bytes = decoder.total_bytes() + beside_pixels(format, bytes, (width, height));
    if needed_bytes > limits::IMAGE_MEMORY_BYTES {
        return Err(ImageError::TooMuchMemory { needed_bytes });
    }
    let orientation = decoder.orientation().map_err(damaged)?;
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| match error {
        Broken::Limits(_) => ImageError::TooMuchMemory { needed_bytes },
        other => damaged(other),
    })?;
    Ok((picture, orientation))
}

/// Bytes that a decoder takes at most beside the pixels that it hands out. PNG's takes some rows, and its own limit holds for these.
fn beside_pixels(format: ImageFormat, bytes: &[u8], size: (u32, u32)) -> u64 {
    let pixels = u64::from(size.0) * u64::from(size.1);
    match format {
        ImageFormat::Jpeg => {
            let coefficients = match headers::jpeg_kind(bytes, size) {
                JpegKind::Rows => 0,
                JpegKind::Whole { coefficients } => coefficients,
                JpegKind::Unclear => JPEG_COLORS * pixels,
            };
            COEFFICIENT_BYTES * coefficients + JPEG_ROWS_BYTES + 2 * bytes.len() as u64
        }
        ImageFormat::WebP => WEBP_PIXEL_BYTES * pixels,
        _ => 0,
    }
}

/// Whether it is an animation, read from the headers alone: a decoder would unpack what lies between them, without a limit. Whatever is
/// neither of our three formats is refused here.
fn moves(format: ImageFormat, bytes: &[u8]) -> Result<bool, ImageError> {
    match format {
        ImageFormat::Png => Ok(headers::png_moves(bytes)),
        ImageFormat::WebP => Ok(headers::webp_moves(bytes)),
        ImageFormat::Jpeg => Ok(false),
        _ => Err(ImageError::Unknown),
    }
}

fn damaged(error: Broken) -> ImageError {
    ImageError::Damaged(error.to_string())
}

fn on_white([r, g, b, a]: &[u8; 4]) -> [u8; 3] {
    let (a, white) = (u32::from(*a), 255 * (255 - u32::from(*a)));
    [*r, *g, *b].map(|value| ((u32::from(value) * a + white + 127) / 255) as u8)
}

/// Of a pixel in the corner of a round rectangle, how many of its points are within the circle.
fn covered(x: i32, y: i32, radius: i32) -> i32 {
    let reach = 2 * POINTS * radius;
    let far = |pixel: i32, point: i32| reach - (2 * POINTS * pixel + 2 * point + 1);
    let within = |i: i32, j: i32| far(x, i).pow(2) + far(y, j).pow(2) <= reach.pow(2);
    (0..POINTS).flat_map(|i| (0..POINTS).map(move |j| (i, j))).filter(|(i, j)| within(*i, *j)).count() as i32
}

fn size_of(picture: &RgbaImage) -> Size {
    Size::new(picture.width() as i32, picture.height() as i32)
}

/// The largest size of the picture's shape within a square; never larger than the picture.
fn within(picture: &RgbaImage, side: i32) -> Size {
    let Size { w, h } = size_of(picture);
    match w.max(h) {
        long if long <= side => Size::new(w, h),
        long => Size::new((w * side / long).max(1), (h * side / long).max(1)),
    }
}

fn scale(picture: RgbaImage, size: Size) -> Result<Vec<u8>, ImageError> {
    let (w, h) = picture.dimensions();
    let source = Image::from_vec_u8(w, h, picture.into_raw(), PixelType::U8x4)
        .expect("a decoded picture has four bytes a pixel");
    let mut target = Image::new(size.w as u32, size.h as u32, PixelType::U8x4);
    let options = ResizeOptions::new().fit_into_destination(Some((0.5, 0.5)));
    let scaled = Resizer::new().resize(&source, &mut target, &options);
    scaled.map_err(|error| ImageError::Damaged(error.to_string()))?;
    Ok(target.into_vec())
}
