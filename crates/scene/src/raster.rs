//! The reference rasteriser: integers only, so that every machine paints the same pixels.
//!
//! Blending of a channel is `(source * alpha + target * (255 - alpha)) / 255`, rounded to nearest, exactly.

use std::sync::Arc;

use crate::cover::visible_ops;
use crate::{Color, Insets, Mask, Node, Op, Point, Rect, ScrollOffsets, Size, Sprite, TextRun};

/// A touch area that is being pressed, in the coordinates of the screen.
#[derive(Clone, Debug)]
pub struct Pressed {
    /// Where it is.
    pub rect: Rect,
    /// What is visible of it.
    pub visible: Rect,
    /// What it looks like.
    pub look: Arc<Node>,
}

/// Pixels, row by row, each `0xFFBBGGRR`: on a little-endian machine the bytes red, green, blue, 255, as browsers and pictures want them.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    size: Size,
    pixels: Vec<u32>,
}

impl std::fmt::Debug for Canvas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Canvas({}x{})", self.size.w, self.size.h)
    }
}

impl Canvas {
    /// A black canvas.
    pub fn new(size: Size) -> Self {
        let area = size.w.max(0) as usize * size.h.max(0) as usize;
        Self { size, pixels: vec![OPAQUE; area] }
    }

    /// Its size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Its pixels, row by row, each `0xFFBBGGRR`.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// The pixels of `rect` as four bytes each (red, green, blue, 255), row by row; `rect` is cut to the canvas.
    pub fn rgba(&self, rect: Rect) -> (Rect, Vec<u8>) {
        let rect = rect.intersect(Rect::of_size(self.size));
        let mut bytes = Vec::with_capacity(rect.w as usize * rect.h as usize * 4);
        for y in rect.y..rect.bottom() {
            let row = &self.pixels[self.span(y, rect.x, rect.right())];
            bytes.extend(row.iter().flat_map(|pixel| pixel.to_le_bytes()));
        }
        (rect, bytes)
    }

    /// Paints `root` inside each of `rects`, and nothing outside of them.
    pub fn paint(&mut self, root: &Node, rects: &[Rect], scrolls: &ScrollOffsets, pressed: Option<&Pressed>) {
        for rect in rects {
            for clip in tiles(rect.intersect(Rect::of_size(self.size))) {
                self.node(root, Point::ZERO, clip, scrolls);
                if let Some(pressed) = pressed {
                    self.node(&pressed.look, pressed.rect.origin(), clip.intersect(pressed.visible), scrolls);
                }
            }
        }
    }

    fn span(&self, y: i32, from: i32, to: i32) -> std::ops::Range<usize> {
        let row = y as usize * self.size.w as usize;
        row + from as usize..row + to as usize
    }

    fn node(&mut self, node: &Node, at: Point, clip: Rect, scrolls: &ScrollOffsets) {
        if node.bounds().offset(at).intersect(clip).is_empty() {
            return;
        }
        for op in visible_ops(node, at, clip, scrolls) {
            self.op(op, at, clip, scrolls);
        }
    }

    fn op(&mut self, op: &Op, at: Point, clip: Rect, scrolls: &ScrollOffsets) {
        match op {
            Op::Fill { rect, color } => self.fill(rect.offset(at), *color, clip),
            Op::Mask { at: place, mask, color } => self.mask(mask, at.offset(*place), *color, clip),
            Op::NinePatch { rect, mask, insets, color } => {
                self.nine_patch(rect.offset(at), mask, *insets, *color, clip)
            }
            Op::Sprite { at: place, sprite } => self.sprite(sprite, at.offset(*place), clip),
            Op::Text(run) => self.text(run, at, clip),
            Op::Child { at: place, node } => self.node(node, at.offset(*place), clip, scrolls),
            Op::Clip { rect, at: place, node } => {
                self.node(node, at.offset(*place), rect.offset(at).intersect(clip), scrolls);
            }
            Op::Scroll(scroll) => {
                let origin = at.offset(Point::new(scroll.rect.x, scroll.rect.y - scrolls.get(scroll)));
                self.node(&scroll.content, origin, scroll.rect.offset(at).intersect(clip), scrolls);
            }
            Op::Touch(_) | Op::Field(_) | Op::Label(_) => {}
        }
    }

    fn fill(&mut self, rect: Rect, color: Color, clip: Rect) {
        let rect = rect.intersect(clip);
        for y in rect.y..rect.bottom() {
            let span = self.span(y, rect.x, rect.right());
            blend_span(&mut self.pixels[span], color, u32::from(color.a));
        }
    }

    fn mask(&mut self, mask: &Mask, at: Point, color: Color, clip: Rect) {
        let all = Rect::of_size(mask.size()).offset(at);
        let rect = all.intersect(clip);
        let stride = mask.size().w as usize;
        for y in rect.y..rect.bottom() {
            let from = (y - at.y) as usize * stride + (rect.x - at.x) as usize;
            let span = self.span(y, rect.x, rect.right());
            let row = &mask.alpha()[from..from + span.len()];
            for (pixel, &alpha) in self.pixels[span].iter_mut().zip(row) {
                *pixel = tint(*pixel, color, alpha);
            }
        }
    }

    fn nine_patch(&mut self, rect: Rect, mask: &Mask, insets: Insets, color: Color, clip: Rect) {
        let area = rect.intersect(clip);
        let Size { w, h } = mask.size();
        for y in area.y..area.bottom() {
            let row = stretched(y - rect.y, rect.h, insets.top, insets.bottom, h) * w;
            let span = self.span(y, area.x, area.right());
            let middle = mask.alpha()[(row + insets.left) as usize];
            let (left, right) = (rect.x + insets.left, rect.right() - insets.right);
            let (left, right) = (left.clamp(area.x, area.right()), right.clamp(area.x, area.right()));
            for x in (area.x..left).chain(right.max(left)..area.right()) {
                let column = stretched(x - rect.x, rect.w, insets.left, insets.right, w);
                let pixel = &mut self.pixels[span.start + (x - area.x) as usize];
                *pixel = tint(*pixel, color, mask.alpha()[(row + column) as usize]);
            }
            if left < right {
                let alpha = div_255(u32::from(middle) * u32::from(color.a));
                let span = self.span(y, left, right);
                blend_span(&mut self.pixels[span], color, alpha);
            }
        }
    }

    fn sprite(&mut self, sprite: &Sprite, at: Point, clip: Rect) {
        let rect = Rect::of_size(sprite.size()).offset(at).intersect(clip);
        let stride = sprite.size().w as usize;
        for y in rect.y..rect.bottom() {
            let from = ((y - at.y) as usize * stride + (rect.x - at.x) as usize) * 4;
            let span = self.span(y, rect.x, rect.right());
            let row = sprite.rgba()[from..].chunks_exact(4);
            for (pixel, rgba) in self.pixels[span].iter_mut().zip(row) {
                let color = Color { r: rgba[0], g: rgba[1], b: rgba[2], a: 255 };
                *pixel = blend(*pixel, color, u32::from(rgba[3]));
            }
        }
    }

    fn text(&mut self, run: &TextRun, at: Point, clip: Rect) {
        for (pen, glyph) in run.pens() {
            self.mask(glyph.mask(), at.offset(pen).offset(glyph.bearing()), run.color, clip);
        }
    }
}

/// Which row or column of a nine-patch of `source` pixels shows at `position` of `length` pixels.
fn stretched(position: i32, length: i32, before: i32, after: i32, source: i32) -> i32 {
    if position < before {
        position.min(source - 1)
    } else if position >= length - after {
        (source - (length - position)).clamp(0, source - 1)
    } else {
        before
    }
}

/// Sides of what is painted at once, in pixels: small enough that much of it is hidden, large enough that few nodes are visited twice.
const TILE: Size = Size::new(256, 64);

/// `area` in parts of at most [`TILE`].
fn tiles(area: Rect) -> impl Iterator<Item = Rect> {
    let rows = (area.y..area.bottom()).step_by(TILE.h as usize);
    rows.flat_map(move |y| (area.x..area.right()).step_by(TILE.w as usize).map(move |x| (x, y)))
        .map(move |(x, y)| Rect::new(x, y, TILE.w, TILE.h).intersect(area))
}

const OPAQUE: u32 = 0xFF00_0000;

const fn packed(color: Color) -> u32 {
    OPAQUE | (color.b as u32) << 16 | (color.g as u32) << 8 | color.r as u32
}

/// `0x00RRGGBB` of a canvas's pixel, as a desktop's windows want it.
pub const fn window_pixel(pixel: u32) -> u32 {
    pixel.swap_bytes() >> 8
}

/// `value / 255`, rounded to nearest, for values up to 65,025.
const fn div_255(value: u32) -> u32 {
    let value = value + 128;
    (value + (value >> 8)) >> 8
}

fn tint(pixel: u32, color: Color, alpha: u8) -> u32 {
    match (alpha, color.a) {
        (0, _) => pixel,
        (255, 255) => packed(color),
        _ => blend(pixel, color, div_255(u32::from(alpha) * u32::from(color.a))),
    }
}

/// Lays `color` over all of `pixels`, `alpha` of 255.
fn blend_span(pixels: &mut [u32], color: Color, alpha: u32) {
    match alpha {
        0 => {}
        255 => pixels.fill(packed(color)),
        _ => {
            let mix = Mix::new(color, alpha);
            pixels.iter_mut().for_each(|pixel| *pixel = mix.over(*pixel));
        }
    }
}

fn blend(pixel: u32, color: Color, alpha: u32) -> u32 {
    Mix::new(color, alpha).over(pixel)
}

/// A colour to lay over pixels. Blue and red are mixed at once, each in a half of the word: no product of bytes carries over.
#[derive(Clone, Copy)]
struct Mix {
    blue_red: u32,
    green: u32,
    keep: u32,
}

/// Blue and red of a pixel, or green alone.
const BLUE_RED: u32 = 0x00FF_00FF;
const GREEN: u32 = 0x0000_FF00;

impl Mix {
    fn new(color: Color, alpha: u32) -> Self {
        let blue_red = (u32::from(color.b) << 16 | u32::from(color.r)) * alpha + 0x0080_0080;
        Self { blue_red, green: u32::from(color.g) * alpha + 0x80, keep: 255 - alpha }
    }

    /// As [`div_255`] of each channel.
    fn over(self, pixel: u32) -> u32 {
        let blue_red = (pixel & BLUE_RED) * self.keep + self.blue_red;
        let blue_red = (blue_red + (blue_red >> 8 & BLUE_RED)) >> 8 & BLUE_RED;
        let green = (pixel >> 8 & 255) * self.keep + self.green;
        OPAQUE | blue_red | (green + (green >> 8)) & GREEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: mixing two channels at once gives what mixing each alone gives.
    #[test]
    fn channels_do_not_mix() {
        let alone =
            |below: u32, above: u8, alpha: u32| div_255(u32::from(above) * alpha + below * (255 - alpha));
        let bytes = || (0..=255u8).filter(|byte| byte % 5 == 0 || matches!(byte, 1 | 127 | 128 | 254));
        for (above, alpha) in bytes().flat_map(|above| bytes().map(move |alpha| (above, u32::from(alpha)))) {
            let color = Color { r: above, g: 255 - above, b: above ^ 0x5A, a: 255 };
            for below in bytes().map(u32::from) {
                let pixel = OPAQUE | below << 16 | (255 - below) << 8 | (below ^ 0x33);
                let (b, g) = (alone(below, color.b, alpha), alone(255 - below, color.g, alpha));
                let mixed = OPAQUE | b << 16 | g << 8 | alone(below ^ 0x33, color.r, alpha);
                assert_eq!(blend(pixel, color, alpha), mixed, "{color:?} {alpha} over {pixel:08x}");
            }
        }
    }

    #[test]
    fn division_by_255_is_exact() {
        for value in 0..=65_025 {
            assert_eq!(div_255(value), (value * 2 + 255) / 510);
        }
    }
}
