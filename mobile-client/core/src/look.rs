//! What the client draws by itself: the ground before the first screen, the link state, and a line that moves while the server takes
//! its time with an input.
//!
//! The link state is one dot at the right end of the bar, where every screen leaves [`DOT_PLACE_DP`] free: filled while there is a
//! link, a ring while there is none, so that it can be told without seeing colours.

use std::sync::Arc;

use tresen_scene::{Color, Mask, Namer, Node, Op, Point, Rect, Size};
use tresen_wire::{Look, Theme};

/// Width that a screen's bar leaves free at its right end, in dp.
pub const DOT_PLACE_DP: i32 = 24;

/// Distance of the free place from the right edge of the screen, in dp.
const EDGE_DP: i32 = 8;

/// Height of the bar, in dp.
const BAR_DP: i32 = 56;

/// Diameter of the dot, in dp.
const DOT_DP: i32 = 8;

/// Least width of what a finger hits, in dp.
const TARGET_DP: i32 = 48;

/// How the link is, to be shown to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// There is one, straight to the server, on its network.
    Direct,
    /// There is one, straight to the server, through the internet.
    Internet,
    /// There is one, through a relay.
    Relayed,
    /// There is one, through a relay over TLS.
    Passed,
    /// The server takes its time.
    Slow,
    /// There is none.
    Away,
}

/// The ground of a theme.
pub(crate) const fn ground(theme: Theme) -> Color {
    match theme {
        Theme::Light => Color { r: 0xF4, g: 0xF3, b: 0xEF, a: 255 },
        Theme::Dark => Color { r: 0x10, g: 0x12, b: 0x14, a: 255 },
    }
}

/// Device pixels of a length in dp, rounded to nearest.
pub(crate) const fn px(look: &Look, dp: i32) -> i32 {
    (dp * look.scale_100 as i32 + 50) / 100
}

/// The screen's size.
pub(crate) fn size(look: &Look) -> Size {
    let side = |px: u32| i32::try_from(px).unwrap_or(i32::MAX);
    Size::new(side(look.width_px), side(look.height_px))
}

/// Where a finger asks for the link state.
pub(crate) fn status_target(look: &Look) -> Rect {
    let side = px(look, TARGET_DP);
    Rect::new(size(look).w - side, 0, side, px(look, BAR_DP))
}

/// The dot for a link state, in the coordinates of the screen.
pub fn link_dot(look: &Look, link: Link) -> Arc<Node> {
    let diameter = px(look, DOT_DP).max(4);
    let place = size(look).w - px(look, EDGE_DP + DOT_PLACE_DP / 2);
    let at = Point::new(place - diameter / 2, (px(look, BAR_DP) - diameter) / 2);
    let hole = if matches!(link, Link::Away) { diameter / 2 } else { 0 };
    let namer = Namer::new([0; 32]);
    let mask = Mask::new(&namer, Size::new(diameter, diameter), &disc(diameter, hole));
    Node::new(&namer, 0, vec![Op::Mask { at, mask, color: color(link) }])
}

/// Width of the line that moves, of the screen's width, and the time it takes from one end to the other.
const LINE_PARTS: i32 = 4;
const LINE_MS: u64 = 1_200;

/// Height of the line, in dp.
const LINE_DP: i32 = 2;

/// The line at the lower edge of the bar, `since_ms` after it appeared.
pub(crate) fn waiting_line(look: &Look, since_ms: u64) -> Arc<Node> {
    let (width, height) = (size(look).w, px(look, LINE_DP).max(1));
    let length = width / LINE_PARTS;
    let way = i64::from(width + length) * (since_ms % LINE_MS) as i64 / LINE_MS as i64;
    let line = Rect::new(way as i32 - length, px(look, BAR_DP) - height, length, height);
    let rect = line.intersect(Rect::new(0, 0, width, px(look, BAR_DP)));
    let fill = Op::Fill { rect, color: color(Link::Direct) };
    Node::new(&Namer::new([0; 32]), 0, vec![fill])
}

/// Side of a dot under an amount that is not confirmed, and how far it is from one to the next, in dp.
const MARK_DP: i32 = 2;
const MARK_STEP_DP: i32 = 4;

/// The colour of such dots: it can be told from paper, from ink and from the accent, in both themes.
const MARK: Color = Color { r: 0x8E, g: 0x94, b: 0x9A, a: 255 };

/// Dotted lines under amounts that others may change, in the coordinates of the screen: what is shown is not confirmed.
pub(crate) fn marks(look: &Look, amounts: &[Rect]) -> Arc<Node> {
    let (side, step) = (px(look, MARK_DP).max(1), px(look, MARK_STEP_DP).max(2));
    let dots = amounts.iter().flat_map(|amount| {
        let count = (amount.w / step).max(1);
        let left = amount.x + (amount.w - (count - 1) * step - side) / 2;
        (0..count).map(move |at| Rect::new(left + at * step, amount.bottom() - side, side, side))
    });
    let fills = dots.take(MOST_DOTS).map(|rect| Op::Fill { rect, color: MARK });
    Node::new(&Namer::new([0; 32]), 0, fills.collect())
}

/// Dots that are drawn at most.
const MOST_DOTS: usize = 2_000;

/// The colours stand on the bar, which is near black in both themes.
const fn color(link: Link) -> Color {
    let (r, g, b) = match link {
        Link::Direct => (0x34, 0xC2, 0x8C),
        Link::Internet => (0x3F, 0xBF, 0xD4),
        Link::Relayed => (0x6A, 0xA8, 0xF5),
        Link::Passed => (0xB3, 0x9D, 0xF5),
        Link::Slow => (0xF0, 0xBE, 0x4B),
        Link::Away => (0xFF, 0x5D, 0x4D),
    };
    Color { r, g, b, a: 255 }
}

/// Coverage of a disc with a hole, each pixel from 8 x 8 samples.
fn disc(diameter: i32, hole: i32) -> Vec<u8> {
    const STEPS: i32 = 8;
    let (outer, inner) = (diameter * STEPS, hole * STEPS);
    let covered = |x: i32, y: i32| {
        let distance = |v: i32| i64::from(2 * v + 1 - outer).pow(2);
        let squared = distance(x) + distance(y);
        squared <= i64::from(outer).pow(2) && squared >= i64::from(inner).pow(2)
    };
    let mut alpha = Vec::new();
    for (row, column) in (0..diameter).flat_map(|row| (0..diameter).map(move |column| (row, column))) {
        let samples = (0..STEPS).flat_map(|y| (0..STEPS).map(move |x| (column * STEPS + x, row * STEPS + y)));
        let hits = samples.filter(|(x, y)| covered(*x, *y)).count();
        alpha.push((hits * 255 / (STEPS * STEPS) as usize) as u8);
    }
    alpha
}
