//! What must be painted again: found by comparing names, not pixels.

use std::sync::Arc;

use crate::{Node, Op, Point, Rect, ScrollOffsets, limits};

/// The rectangles in which `new` may look different from `old`, within `viewport`; everything when there is no `old`.
/// At most [`limits::DAMAGE_RECTS`]; they may overlap.
pub fn damage(
    old: Option<&Arc<Node>>,
    new: &Arc<Node>,
    viewport: Rect,
    scrolls: &ScrollOffsets,
) -> Vec<Rect> {
    let mut found = Vec::new();
    match old {
        None => add_damage(&mut found, viewport),
        Some(old) => compare(old, new, Point::ZERO, viewport, scrolls, &mut found),
    }
    found
}

/// Adds `rect` to rectangles that are to be painted. What is cheaper to paint as one becomes one; at most
/// [`limits::DAMAGE_RECTS`] are kept.
pub fn add_damage(rects: &mut Vec<Rect>, rect: Rect) {
    if rect.is_empty() || rects.iter().any(|have| have.intersect(rect) == rect) {
        return;
    }
    let mut rect = rect;
    while let Some(index) = rects.iter().position(|have| area(have.union(rect)) <= area(*have) + area(rect)) {
        rect = rect.union(rects.swap_remove(index));
    }
    if rects.len() < limits::DAMAGE_RECTS {
        rects.push(rect);
        return;
    }
    let nearest = rects.iter_mut().min_by_key(|have| area(have.union(rect)) - area(**have));
    if let Some(nearest) = nearest {
        *nearest = nearest.union(rect);
    }
}

fn area(rect: Rect) -> i64 {
    i64::from(rect.w) * i64::from(rect.h)
}

fn compare(old: &Node, new: &Node, at: Point, clip: Rect, scrolls: &ScrollOffsets, found: &mut Vec<Rect>) {
    if old.id() == new.id() || clip.is_empty() {
        return;
    }
    for index in 0..old.ops().len().max(new.ops().len()) {
        match (old.ops().get(index), new.ops().get(index)) {
            (Some(a), Some(b)) => compare_ops(a, b, at, clip, scrolls, found),
            (Some(one), None) | (None, Some(one)) => {
                add_damage(found, painted(one).offset(at).intersect(clip))
            }
            (None, None) => {}
        }
    }
}

fn compare_ops(old: &Op, new: &Op, at: Point, clip: Rect, scrolls: &ScrollOffsets, found: &mut Vec<Rect>) {
    match (old, new) {
        (Op::Child { at: a, node: one }, Op::Child { at: b, node: two }) if a == b => {
            compare(one, two, at.offset(*a), clip, scrolls, found);
        }
        (Op::Clip { rect, at: a, node: one }, Op::Clip { rect: other, at: b, node: two })
            if a == b && rect == other =>
        {
            compare(one, two, at.offset(*a), rect.offset(at).intersect(clip), scrolls, found);
        }
        (Op::Scroll(a), Op::Scroll(b))
            if a.rect == b.rect && a.action == b.action && scrolls.get(a) == scrolls.get(b) =>
        {
            let origin = at.offset(Point::new(b.rect.x, b.rect.y - scrolls.get(b)));
            compare(&a.content, &b.content, origin, b.rect.offset(at).intersect(clip), scrolls, found);
        }
        _ if old.same(new) => {}
        _ => {
            add_damage(found, painted(old).offset(at).intersect(clip));
            add_damage(found, painted(new).offset(at).intersect(clip));
        }
    }
}

/// The pixels that an op paints; interaction paints none.
fn painted(op: &Op) -> Rect {
    match op {
        Op::Touch(_) | Op::Field(_) | Op::Label(_) => Rect::default(),
        _ => op.bounds(),
    }
}
