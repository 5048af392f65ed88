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
                    touch: Some((touch.rect.offset(at), Touch::clone(touch))),
                    touch_visible: visible(touch.rect),
                    scroll: place.scroll.cloned(),
                    field: None,
                };
            }
            Op::Field(field) if visible(field.rect).contains(point) => {
                hit.scroll = place.scroll.cloned();
                hit.field = Some((field.rect.offset(at), Field::clone(field)));
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

/// Every touch area that can be pressed, in order of drawing: not disabled, and its middle not under another one. What is scrolled away counts, because a
/// client scrolls by itself.
pub fn touches(root: &Node) -> Vec<Touch> {
    let mut found = Vec::new();
    find_touches(root, Point::ZERO, EVERYTHING, &mut found);
    let covered = |at: usize| {
        let (seen, _) = &found[at];
        let middle = Point::new(seen.x + seen.w / 2, seen.y + seen.h / 2);
        !seen.is_empty() && found[at + 1..].iter().any(|(above, _)| above.contains(middle))
    };
    let free: Vec<bool> = (0..found.len()).map(|at| !covered(at)).collect();
    let pressable = found.iter().zip(free).filter(|((_, touch), free)| *free && !touch.state.disabled);
    pressable.map(|((_, touch), _)| (*touch).clone()).collect()
}

/// Whether a tap or a long press somewhere on a screen sends `action`.
pub fn offers(root: &Node, action: &Action) -> bool {
    root.ops().iter().any(|op| match op {
        Op::Touch(touch) => {
            !touch.state.disabled && (touch.action == *action || touch.hold.as_ref() == Some(action))
        }
        Op::Child { node, .. } | Op::Clip { node, .. } => offers(node, action),
        Op::Scroll(scroll) => offers(&scroll.content, action),
        _ => false,
    })
}

fn find_touches<'a>(node: &'a Node, at: Point, clip: Rect, found: &mut Vec<(Rect, &'a Touch)>) {
    for op in node.ops() {
        match op {
            Op::Touch(touch) => found.push((touch.rect.offset(at).intersect(clip), touch)),
            Op::Child { at: place, node } => find_touches(node, at.offset(*place), clip, found),
            Op::Clip { rect, at: place, node } => {
                find_touches(node, at.offset(*place), rect.offset(at).intersect(clip), found);
            }
            Op::Scroll(scroll) => {
                let up = Point::new(scroll.rect.x, scroll.rect.y - scroll.offset);
                let clip = scroll.rect.offset(at).intersect(clip);
                find_touches(&scroll.content, at.offset(up), clip, found);
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
///
/// What has no name of its own is called by the texts inside it that its node, or a node below, draws.
pub fn outline(root: &Node, scrolls: &ScrollOffsets) -> Vec<OutlineItem> {
    let mut outliner = Outliner { scrolls, texts: Vec::new(), items: Vec::new() };
    outliner.node(root, Point::ZERO, EVERYTHING);
    outliner.items.into_iter().filter(|item| !item.rect.is_empty()).collect()
}

struct Outliner<'a> {
    scrolls: &'a ScrollOffsets,
    /// Where each text begins, the clip that it is seen through, and what it says.
    texts: Vec<(Point, Rect, String)>,
    items: Vec<OutlineItem>,
}

impl Outliner<'_> {
    fn node(&mut self, node: &Node, at: Point, clip: Rect) {
        let first_text = self.texts.len();
        let mut unnamed = Vec::new();
        for op in node.ops() {
            match op {
                Op::Text(run) => self.texts.push((at.offset(run.baseline), clip, run.text())),
                Op::Child { at: place, node } => self.node(node, at.offset(*place), clip),
                Op::Clip { rect, at: place, node } => {
                    self.node(node, at.offset(*place), rect.offset(at).intersect(clip));
                }
                Op::Scroll(scroll) => {
                    let up = Point::new(scroll.rect.x, scroll.rect.y - self.scrolls.get(scroll));
                    self.node(&scroll.content, at.offset(up), scroll.rect.offset(at).intersect(clip));
                }
                _ => {}
            }
            if let Some((rect, role, label, kind)) = outlined(op) {
                let rect = rect.offset(at);
                if label.is_none() {
                    unnamed.push((self.items.len(), rect));
                }
                let label = label.map_or_else(String::new, ToString::to_string);
                self.items.push(OutlineItem { rect: rect.intersect(clip), role, label, kind });
            }
        }
        for (index, rect) in unnamed {
            self.items[index].label = self.said(first_text, rect, clip);
        }
    }

    /// The texts from `first` on that begin in `rect`. Of those that are scrolled away, only what scrolls together with it.
    fn said(&self, first: usize, rect: Rect, clip: Rect) -> String {
        let inside = |at: Point, seen: Rect| rect.contains(at) && (seen == clip || seen.contains(at));
        let said = self.texts[first..].iter().filter(|(at, seen, _)| inside(*at, *seen));
        said.map(|(.., text)| text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

/// What an op tells: where, what it is, its own name, what it does.
fn outlined(op: &Op) -> Option<(Rect, Role, Option<&SmolStr>, OutlineKind)> {
    match op {
        Op::Label(label) if !label.role.is_thing() => None,
        Op::Touch(touch) => {
            let kind = OutlineKind::Touch { action: touch.action.clone(), state: touch.state };
            Some((touch.rect, touch.role, touch.label.as_ref(), kind))
        }
        Op::Field(field) => {
            let Field { action, keyboard, value, .. } = Field::clone(field);
            let kind = OutlineKind::Field { action, keyboard, value };
            Some((field.rect, Role::Text, Some(&field.label), kind))
        }
        Op::Label(label) => Some((label.rect, label.role, label.text.as_ref(), OutlineKind::Label)),
        _ => None,
    }
}

const EVERYTHING: Rect = Rect::new(-(1 << 20), -(1 << 20), 1 << 21, 1 << 21);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Namer;

    /// Promise: whatever can be pressed is offered, wherever it lies, and what is disabled is not.
    #[test]
    fn what_can_be_pressed_is_offered() {
        let namer = Namer::new([7; 32]);
        let touch = |bytes: &[u8], hold: Option<&[u8]>, disabled| {
            Op::from(Touch {
                rect: Rect::new(0, 0, 48, 48),
                action: Action::new(bytes),
                hold: hold.map(Action::new),
                role: Role::Button,
                label: None,
                state: TouchState { disabled, ..TouchState::default() },
                pressed: None,
            })
        };
        let inner =
            Node::new(&namer, 0, vec![touch(b"tap", Some(b"hold"), false), touch(b"off", None, true)]);
        let content = Node::new(&namer, 0, vec![Op::Child { at: Point::ZERO, node: inner }]);
        let (rect, content_h) = (Rect::new(0, 0, 99, 99), 200);
        let scroll = Scroll { rect, action: Action::new(b"scroll"), content, content_h, offset: 0 };
        let root = Node::new(&namer, 0, vec![Op::Scroll(scroll)]);
        let offered = |bytes: &[u8]| offers(&root, &Action::new(bytes));
        assert!(offered(b"tap") && offered(b"hold"));
        assert!(!offered(b"off") && !offered(b"scroll") && !offered(b"else"));
    }
}
