//! What lies under a finger, and what assistive technology and tests are told.

use smol_str::SmolStr;

use crate::{Action, Field, Keyboard, Node, Op, Point, Rect, Role, Scroll, ScrollOffsets, Touch, TouchState};

/// What lies under a point. Rectangles are whole ones, in the coordinates of the screen.
#[derive(Clone, Debug, Default)]
pub struct Hit {
    /// The last touch area drawn there.
    pub touch: Option<(Rect, Touch)>,
    /// What is visible of the touch area.
    pub touch_visible: Rect,
    /// The innermost scroll area there, unless something to touch lies over it.
    pub scroll: Option<(Rect, Scroll)>,
    /// The last text field there.
    pub field: Option<(Rect, Field)>,
}

/// What is under `point`.
pub fn hit_test(root: &Node, point: Point, scrolls: &ScrollOffsets) -> Hit {
    let mut hit = Hit::default();
    let place = Place { at: Point::ZERO, clip: EVERYTHING, scroll: None };
    hit_node(root, &place, point, scrolls, &mut hit);
    hit
}

/// Where a node stands while it is searched.
struct Place<'a> {
    at: Point,
    clip: Rect,
    scroll: Option<&'a (Rect, Scroll)>,
}

fn hit_node(node: &Node, place: &Place, point: Point, scrolls: &ScrollOffsets, hit: &mut Hit) {
    let at = place.at;
    let visible = |rect: Rect| rect.offset(at).intersect(place.clip);
    for op in node.ops() {
        match op {
            Op::Touch(touch) if visible(touch.rect).contains(point) => {
                *hit = Hit {
                    touch: Some((touch.rect.offset(at), touch.clone())),
                    touch_visible: visible(touch.rect),
                    scroll: place.scroll.cloned(),
                    field: None,
                };
            }
            Op::Field(field) if visible(field.rect).contains(point) => {
                hit.scroll = place.scroll.cloned();
                hit.field = Some((field.rect.offset(at), field.clone()));
            }
            Op::Child { at: child, node } => {
                hit_node(node, &Place { at: at.offset(*child), ..*place }, point, scrolls, hit);
            }
            Op::Clip { rect, at: child, node } => {
                let place = Place { at: at.offset(*child), clip: visible(*rect), ..*place };
                hit_node(node, &place, point, scrolls, hit);
            }
            Op::Scroll(scroll) if visible(scroll.rect).contains(point) => {
                let own = (scroll.rect.offset(at), scroll.clone());
                hit.scroll = Some(own.clone());
                let origin = at.offset(Point::new(scroll.rect.x, scroll.rect.y - scrolls.get(scroll)));
                let place = Place { at: origin, clip: visible(scroll.rect), scroll: Some(&own) };
                hit_node(&scroll.content, &place, point, scrolls, hit);
            }
            _ => {}
        }
    }
}

/// What an entry of an outline does.
#[derive(Clone, Debug, PartialEq)]
pub enum OutlineKind {
    /// It can be pressed.
    Touch {
        /// What a tap sends.
        action: Action,
        /// Its state.
        state: TouchState,
    },
    /// It takes text.
    Field {
        /// What a change sends.
        action: Action,
        /// The keyboard it wants.
        keyboard: Keyboard,
        /// Its text.
        value: SmolStr,
    },
    /// It is read.
    Label,
}

/// One thing on a screen with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct OutlineItem {
    /// Where it is visible, in the coordinates of the screen.
    pub rect: Rect,
    /// What it is.
    pub role: Role,
    /// Its name.
    pub label: String,
    /// What it does.
    pub kind: OutlineKind,
}

/// Everything on a screen that has a name, in order of drawing; what is scrolled away or covered by a clip is left out.
pub fn outline(root: &Node, scrolls: &ScrollOffsets) -> Vec<OutlineItem> {
    let mut texts = Vec::new();
    visit(root, Point::ZERO, EVERYTHING, scrolls, &mut |op, at, clip| {
        if let Op::Text(run) = op {
            texts.push((at.offset(run.baseline), clip, run.text()));
        }
    });
    // Of the texts that are scrolled away, only those that scroll together with the area itself.
    let name = |rect: Rect, clip: Rect| {
        let said =
            texts.iter().filter(|(at, seen, _)| rect.contains(*at) && (*seen == clip || seen.contains(*at)));
        said.map(|(.., text)| text.as_str()).collect::<Vec<_>>().join(" ")
    };
    let mut items = Vec::new();
    visit(root, Point::ZERO, EVERYTHING, scrolls, &mut |op, at, clip| {
        let (rect, role, label, kind) = match op {
            Op::Touch(touch) => {
                let kind = OutlineKind::Touch { action: touch.action.clone(), state: touch.state };
                (touch.rect, touch.role, touch.label.as_ref(), kind)
            }
            Op::Field(field) => {
                let Field { action, keyboard, value, .. } = field.clone();
                (field.rect, Role::Text, Some(&field.label), OutlineKind::Field { action, keyboard, value })
            }
            Op::Label(label) => (label.rect, label.role, label.text.as_ref(), OutlineKind::Label),
            _ => return,
        };
        let rect = rect.offset(at);
        let label = label.map_or_else(|| name(rect, clip), ToString::to_string);
        let visible = rect.intersect(clip);
        if !visible.is_empty() {
            items.push(OutlineItem { rect: visible, role, label, kind });
        }
    });
    items
}

const EVERYTHING: Rect = Rect::new(-(1 << 20), -(1 << 20), 1 << 21, 1 << 21);

fn visit(node: &Node, at: Point, clip: Rect, scrolls: &ScrollOffsets, see: &mut dyn FnMut(&Op, Point, Rect)) {
    for op in node.ops() {
        see(op, at, clip);
        match op {
            Op::Child { at: place, node } => visit(node, at.offset(*place), clip, scrolls, see),
            Op::Clip { rect, at: place, node } => {
                visit(node, at.offset(*place), rect.offset(at).intersect(clip), scrolls, see);
            }
            Op::Scroll(scroll) => {
                let origin = at.offset(Point::new(scroll.rect.x, scroll.rect.y - scrolls.get(scroll)));
                visit(&scroll.content, origin, scroll.rect.offset(at).intersect(clip), scrolls, see);
            }
            _ => {}
        }
    }
}
