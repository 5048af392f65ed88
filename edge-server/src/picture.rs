//! Pictures of scenes as PNG files: thumbnails of screens, receipts.
//!
//! They are painted by the reference rasteriser, so they show what a client shows.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use png::{BitDepth, ColorType, Compression, Encoder};
use thiserror::Error;
use tresen_scene::{Canvas, Node, Rect, ScrollOffsets, Size};

/// Largest side of a picture in pixels.
const MAX_SIDE_PX: i32 = 8192;

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    /// There is nothing to paint, or too much.
    #[error("a picture of {w}x{h} pixels can't be made", w = .0.w, h = .0.h)]
    Size(Size),
    /// The picture could not be scaled.
    #[error("the picture could not be scaled: {0}")]
    Scale(#[from] fast_image_resize::ResizeError),
    /// The pixels are not those of the picture.
    #[error("the picture could not be scaled: {0}")]
    Buffer(#[from] fast_image_resize::ImageBufferError),
    /// The file could not be written.
    #[error("the PNG could not be written: {0}")]
    Png(#[from] png::EncodingError),
}

/// Paints `root` on a canvas of `size`.
///
/// # Errors
/// When the size is nothing or beyond all screens.
pub fn paint(root: &Node, size: Size) -> Result<Canvas, PictureError> {
    let allowed = 1..=MAX_SIDE_PX;
    if !allowed.contains(&size.w) || !allowed.contains(&size.h) {
        return Err(PictureError::Size(size));
    }
    let mut canvas = Canvas::new(size);
    canvas.paint(root, &[Rect::of_size(size)], &ScrollOffsets::default(), None);
    Ok(canvas)
}

/// The size of a picture of `full` that is at most `width_px` wide.
#[must_use]
pub fn scaled(full: Size, width_px: i32) -> Size {
    if full.w <= width_px {
        return full;
    }
    let height = (i64::from(full.h) * i64::from(width_px) + i64::from(full.w) / 2) / i64::from(full.w.max(1));
    Size::new(width_px, i32::try_from(height).unwrap_or(MAX_SIDE_PX).max(1))
}

/// A canvas as PNG, scaled down to at most `width_px`.
///
/// # Errors
/// When it can't be scaled or written.
pub fn thumbnail(canvas: &Canvas, width_px: i32) -> Result<Vec<u8>, PictureError> {
    let full = canvas.size();
    let small = scaled(full, width_px);
    let (_, rgba) = canvas.rgba(Rect::of_size(full));
    let from = ImageRef::new(full.w as u32, full.h as u32, &rgba, PixelType::U8x4)?;
    let mut to = Image::new(small.w as u32, small.h as u32, PixelType::U8x4);
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom)).use_alpha(false);
    Resizer::new().resize(&from, &mut to, &options)?;
    let rgb: Vec<u8> = to.buffer().chunks_exact(4).flat_map(|pixel| &pixel[..3]).copied().collect();
    encode(small, ColorType::Rgb, BitDepth::Eight, &rgb)
}

/// A canvas as PNG in sixteen greys: for what is printed.
///
/// # Errors
/// When it can't be written.
pub fn greys(canvas: &Canvas) -> Result<Vec<u8>, PictureError> {
    let size = canvas.size();
    let packed: Vec<u8> = canvas
        .pixels()
        .chunks_exact(size.w as usize)
        .flat_map(|row| {
            row.chunks(2).map(|pair| grey(pair[0]) << 4 | grey(pair.get(1).copied().unwrap_or(0xff_ff_ff)))
        })
        .collect();
    encode(size, ColorType::Grayscale, BitDepth::Four, &packed)
}

/// The green of a pixel, in sixteen levels: printed scenes are grey.
const fn grey(pixel: u32) -> u8 {
    ((pixel >> 8 & 0xff) / 17) as u8
}

fn encode(size: Size, color: ColorType, depth: BitDepth, pixels: &[u8]) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, size.w as u32, size.h as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use tresen_scene::{Color, Namer, Op};

    use super::*;

    fn two_halves(size: Size) -> Canvas {
        let namer = Namer::new([0; 32]);
        let left = Rect::new(0, 0, size.w / 2, size.h);
        let ops = vec![
            Op::Fill { rect: Rect::of_size(size), color: Color::rgb(0xff_ff_ff) },
            Op::Fill { rect: left, color: Color::rgb(0x00_00_00) },
        ];
        paint(&Node::new(&namer, 0, ops), size).unwrap()
    }

    fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        (info.width, info.height, pixels)
    }

    #[test]
    fn a_thumbnail_is_the_screen_made_small() {
        let bytes = thumbnail(&two_halves(Size::new(720, 1280)), 264).unwrap();
        let (w, h, pixels) = decode(&bytes);
        assert_eq!((w, h), (264, 469));
        assert_eq!(pixels[..3], [0, 0, 0]);
        assert_eq!(pixels[pixels.len() - 3..], [255, 255, 255]);
    }

    #[test]
    fn a_small_screen_is_not_blown_up() {
        assert_eq!(scaled(Size::new(100, 50), 264), Size::new(100, 50));
        assert_eq!(scaled(Size::new(1280, 800), 264), Size::new(264, 165));
    }

    #[test]
    fn a_print_has_sixteen_greys() {
        let (w, h, pixels) = decode(&greys(&two_halves(Size::new(6, 1))).unwrap());
        assert_eq!((w, h), (6, 1));
        assert_eq!(pixels, [0x00, 0x0f, 0xff]);
    }

    #[test]
    fn no_size_no_picture() {
        let namer = Namer::new([0; 32]);
        let root = Node::new(&namer, 0, Vec::new());
        assert!(matches!(paint(&root, Size::new(0, 10)), Err(PictureError::Size(_))));
        assert!(matches!(paint(&root, Size::new(10, 9000)), Err(PictureError::Size(_))));
    }
}
