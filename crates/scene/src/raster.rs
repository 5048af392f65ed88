//! The reference rasteriser: integers only, so that every machine paints the same pixels.
//!
//! Blending of a channel is `(source * alpha + target * (255 - alpha)) / 255`, rounded to nearest, exactly.

use std::sync::Arc;

use crate::{Color, Insets, Mask, Node, Op, Point, Rect, ScrollOffsets, Size, Sprite, TextRun, Touch};

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

/// Pixels, row by row, each `0x00RRGGBB`.
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
        Self { size, pixels: vec![0; area] }
    }

    /// Its size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Its pixels, row by row.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// The pixels of `rect` as four bytes each (red, green, blue, 255), row by row; `rect` is cut to the canvas.
    pub fn rgba(&self, rect: Rect) -> (Rect, Vec<u8>) {
        let rect = rect.intersect(Rect::of_size(self.size));
        let mut bytes = Vec::with_capacity(rect.w as usize * rect.h as usize * 4);
        for y in rect.y..rect.bottom() {
            for pixel in &self.pixels[self.span(y, rect.x, rect.right())] {
                let [_, r, g, b] = pixel.to_be_bytes();
                bytes.extend([r, g, b, 255]);
            }
        }
        (rect, bytes)
    }

    /// Paints `root` inside each of `rects`, and nothing outside of them.
    pub fn paint(&mut self, root: &Node, rects: &[Rect], scrolls: &ScrollOffsets, pressed: Option<&Pressed>) {
        for rect in rects {
            let clip = rect.intersect(Rect::of_size(self.size));
            self.node(root, Point::ZERO, clip, scrolls);
            if let Some(pressed) = pressed {
                self.node(&pressed.look, pressed.rect.origin(), clip.intersect(pressed.visible), scrolls);
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
        for op in node.ops() {
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
            Op::Touch(Touch { .. }) | Op::Field(_) | Op::Label(_) => {}
        }
    }

    fn fill(&mut self, rect: Rect, color: Color, clip: Rect) {
        let rect = rect.intersect(clip);
        for y in rect.y..rect.bottom() {
            let span = self.span(y, rect.x, rect.right());
            if color.a == 255 {
                self.pixels[span].fill(packed(color));
            } else {
                self.pixels[span]
                    .iter_mut()
                    .for_each(|pixel| *pixel = blend(*pixel, color, u32::from(color.a)));
            }
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
            for (x, pixel) in (area.x..).zip(&mut self.pixels[span]) {
                let from_left = x - rect.x;
                let alpha = if from_left >= insets.left && from_left < rect.w - insets.right {
                    middle
                } else {
                    mask.alpha()[(row + stretched(from_left, rect.w, insets.left, insets.right, w)) as usize]
                };
                *pixel = tint(*pixel, color, alpha);
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

const fn packed(color: Color) -> u32 {
    (color.r as u32) << 16 | (color.g as u32) << 8 | color.b as u32
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

fn blend(pixel: u32, color: Color, alpha: u32) -> u32 {
    let keep = 255 - alpha;
    let mix =
        |shift: u32, source: u8| div_255(u32::from(source) * alpha + (pixel >> shift & 255) * keep) << shift;
    mix(16, color.r) | mix(8, color.g) | mix(0, color.b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_by_255_is_exact() {
        for value in 0..=65_025 {
            assert_eq!(div_255(value), (value * 2 + 255) / 510);
        }
    }
}
