//! What hides everything below it.
//!
//! Not for: being exact. What is said to be covered is; what isn't said may be all the same, and is painted for nothing.

use crate::{Insets, Mask, Node, Op, Point, Rect, ScrollOffsets};

/// Whether painting `node` at `at` leaves no pixel of `area` as it was.
pub fn covers(node: &Node, at: Point, area: Rect, scrolls: &ScrollOffsets) -> bool {
    contains(node.bounds().offset(at), area)
        && node.ops().iter().rev().any(|op| op_covers(op, at, area, scrolls))
}

/// The ops of `node` from the last one on that covers `area`; all of them when none does.
pub(crate) fn visible_ops<'a>(node: &'a Node, at: Point, area: Rect, scrolls: &ScrollOffsets) -> &'a [Op] {
    let last = node.ops().iter().rposition(|op| op_covers(op, at, area, scrolls));
    &node.ops()[last.unwrap_or(0)..]
}

fn op_covers(op: &Op, at: Point, area: Rect, scrolls: &ScrollOffsets) -> bool {
    match op {
        Op::Fill { rect, color } => color.a == 255 && contains(rect.offset(at), area),
        Op::NinePatch { rect, mask, insets, color } => {
            color.a == 255 && nine_patch_covers(rect.offset(at), mask, *insets, area)
        }
        Op::Child { at: place, node } => covers(node, at.offset(*place), area, scrolls),
        Op::Clip { rect, at: place, node } => {
            contains(rect.offset(at), area) && covers(node, at.offset(*place), area, scrolls)
        }
        Op::Scroll(scroll) => {
            let up = Point::new(scroll.rect.x, scroll.rect.y - scrolls.get(scroll));
            contains(scroll.rect.offset(at), area) && covers(&scroll.content, at.offset(up), area, scrolls)
        }
        Op::Mask { .. } | Op::Sprite { .. } | Op::Text(_) | Op::Touch(_) | Op::Field(_) | Op::Label(_) => {
            false
        }
    }
}

/// Between its upper and lower corners a nine-patch looks as its middle row does, between the left and right ones as its middle
/// column does.
fn nine_patch_covers(rect: Rect, mask: &Mask, insets: Insets, area: Rect) -> bool {
    if !contains(rect, area) {
        return false;
    }
    let (w, alpha) = (mask.size().w as usize, mask.alpha());
    let (row, column) = (insets.top as usize * w, insets.left as usize);
    let between_corners = area.y >= rect.y + insets.top && area.bottom() <= rect.bottom() - insets.bottom;
    let beside_corners = area.x >= rect.x + insets.left && area.right() <= rect.right() - insets.right;
    between_corners && alpha[row..row + w].iter().all(|alpha| *alpha == 255)
        || beside_corners && alpha[column..].iter().step_by(w).all(|alpha| *alpha == 255)
}

fn contains(outer: Rect, inner: Rect) -> bool {
    outer.intersect(inner) == inner
}
