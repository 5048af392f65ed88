//! The letters of the reference till: Tk's sizes on a screen of 100 dpi, and Tk's places for a text inside a label.

use std::sync::Arc;

use tresen_scene::{Color, Op, Rect};
use tresen_typeset::{Face, Scale, TextStyle, Typesetter};

/// Tk's points in pixels: 99.9 dpi (Xvfb's own), 1.388 pixels a point.
pub const SCALE: Scale = Scale::from_hundredths(139);

/// A font of the till: points, and the heights in pixels that Tk gives its lines.
#[derive(Clone, Copy, Debug)]
pub struct Font {
    face: Face,
    points: u16,
    ascent: i32,
    descent: i32,
}

const fn font(face: Face, points: u16, ascent: i32, descent: i32) -> Font {
    Font { face, points, ascent, descent }
}

/// Products.
pub const SANS_15: Font = font(Face::DejaVuSans, 15, 20, 5);
/// Tabs, rows, small buttons.
pub const SANS_16: Font = font(Face::DejaVuSans, 16, 21, 6);
/// The bar and the button that voids.
pub const SANS_18: Font = font(Face::DejaVuSans, 18, 24, 6);
/// The change.
pub const SANS_22: Font = font(Face::DejaVuSans, 22, 29, 8);
/// The way back.
pub const SANS_24: Font = font(Face::DejaVuSans, 24, 31, 8);
/// Keys.
pub const SANS_34: Font = font(Face::DejaVuSans, 34, 44, 12);
/// The amount typed.
pub const SANS_40: Font = font(Face::DejaVuSans, 40, 52, 14);
/// The total.
pub const BOLD_26: Font = font(Face::DejaVuSansBold, 26, 34, 9);
/// The button that pays.
pub const BOLD_28: Font = font(Face::DejaVuSansBold, 28, 37, 10);
/// What is to pay.
pub const BOLD_30: Font = font(Face::DejaVuSansBold, 30, 39, 10);
/// The buttons that end something.
pub const BOLD_34: Font = font(Face::DejaVuSansBold, 34, 44, 12);
/// The receipt.
pub const MONO_16: Font = font(Face::Mono, 16, 21, 6);

/// Where a text stands in its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// In the middle.
    Centre,
    /// At the left, so many pixels from the edge.
    West(i32),
    /// At the right, so many pixels from the edge.
    East(i32),
    /// At the top left, so many pixels from both edges.
    NorthWest(i32),
}

/// Draws `lines` inside `rect`.
pub fn draw(
    typesetter: &Arc<Typesetter>,
    ops: &mut Vec<Op>,
    rect: Rect,
    lines: &[&str],
    font: Font,
    color: Color,
    anchor: Anchor,
) {
    let line_h = font.ascent + font.descent;
    let mut y = match anchor {
        Anchor::NorthWest(pad) => rect.y + pad,
        _ => rect.y + (rect.h - line_h * lines.len() as i32) / 2,
    };
    for line in lines {
        let shaped = typesetter.shape(line, TextStyle::new(font.face, font.points), SCALE);
        let x = match anchor {
            Anchor::Centre => rect.x + (rect.w - shaped.width()) / 2,
            Anchor::West(pad) | Anchor::NorthWest(pad) => rect.x + pad,
            Anchor::East(pad) => rect.right() - pad - shaped.width(),
        };
        if !shaped.is_empty() {
            ops.push(shaped.draw(tresen_scene::Point::new(x, y + font.ascent), color));
        }
        y += line_h;
    }
}
