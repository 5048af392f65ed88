//! What a screen holds, for assistive technology and tests: everything with a name, also what is scrolled away, but nothing that
//! lies under a sheet.

use tresen_scene::{Action, Keyboard, Label, Node, Op, Point, Rect, Role, Scroll, ScrollOffsets, TouchState};

/// The things on a screen in order of drawing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The lists that scroll.
    pub areas: Vec<Area>,
    /// What has a name.
    pub items: Vec<Item>,
}

/// A list that scrolls.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    /// Which one.
    pub action: Action,
    /// Where it is visible, in the coordinates of the screen.
    pub rect: Rect,
    /// Height of its content in pixels.
    pub content_h: i32,
    /// How far it is scrolled, in pixels.
    pub offset: i32,
}

/// One thing with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Where it is, in the coordinates of the screen; as a whole, also when it is scrolled away.
    pub rect: Rect,
    /// The list that it scrolls with: an index of [`Outline::areas`].
    pub area: Option<usize>,
    /// What it is.
    pub role: Role,
    /// Its name.
    pub label: String,
    /// What it does.
    pub kind: ItemKind,
}

/// What a thing does.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
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
        value: String,
    },
    /// It is read.
    Label,
}

/// Everything with a name on a screen.
pub fn outline(root: &Node, scrolls: &ScrollOffsets) -> Outline {
    let mut found = Found::default();
    walk(root, scrolls, &mut |op, place| found.see(op, place, scrolls));
    found.finish()
}

/// The list with this action, and where it is visible.
pub(crate) fn find_scroll(root: &Node, scrolls: &ScrollOffsets, action: &Action) -> Option<(Rect, Scroll)> {
    let mut found = None;
    walk(root, scrolls, &mut |op, place| match op {
        Op::Scroll(scroll) if scroll.action == *action => {
            found = Some((scroll.rect.offset(place.at).intersect(place.clip), scroll.clone()));
        }
        _ => {}
    });
    found
}

/// Where amounts stand that others may change.
pub(crate) fn shared(root: &Node, scrolls: &ScrollOffsets) -> Vec<Rect> {
    let mut found = Vec::new();
    walk(root, scrolls, &mut |op, place| {
        if let Op::Label(Label { rect, role: Role::Shared, .. }) = op {
            let whole = rect.offset(place.at);
            // Half an amount is not marked: what is above its lower edge may be out of sight.
            if whole.intersect(place.clip) == whole {
                found.push(whole);
            }
        }
    });
    found
}

/// Where an op stands.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub at: Point,
    pub clip: Rect,
    /// How many lists were seen before the innermost one around it.
    area: Option<usize>,
}

const EVERYTHING: Rect = Rect::new(-(1 << 20), -(1 << 20), 1 << 21, 1 << 21);

pub(crate) fn walk(root: &Node, scrolls: &ScrollOffsets, see: &mut dyn FnMut(&Op, Place)) {
    let place = Place { at: Point::ZERO, clip: EVERYTHING, area: None };
    visit(root, place, scrolls, &mut 0, see);
}

fn visit(
    node: &Node,
    place: Place,
    scrolls: &ScrollOffsets,
    areas: &mut usize,
    see: &mut dyn FnMut(&Op, Place),
) {
    let Place { at, clip, .. } = place;
    for op in node.ops() {
        see(op, place);
        match op {
            Op::Child { at: child, node } => {
                visit(node, Place { at: at.offset(*child), ..place }, scrolls, areas, see);
            }
            Op::Clip { rect, at: child, node } => {
                let clip = rect.offset(at).intersect(clip);
                visit(node, Place { at: at.offset(*child), clip, ..place }, scrolls, areas, see);
            }
            Op::Scroll(scroll) => {
                let origin = at.offset(Point::new(scroll.rect.x, scroll.rect.y - scrolls.get(scroll)));
                let clip = scroll.rect.offset(at).intersect(clip);
                let area = Some(*areas);
                *areas += 1;
                visit(&scroll.content, Place { at: origin, clip, area }, scrolls, areas, see);
            }
            _ => {}
        }
    }
}

#[derive(Default)]
struct Found {
    outline: Outline,
    /// Where each text begins, the list that it scrolls with, and what it says.
    texts: Vec<(Point, Option<usize>, String)>,
}

impl Found {
    fn see(&mut self, op: &Op, place: Place, scrolls: &ScrollOffsets) {
        let (rect, role, label, kind) = match op {
            Op::Text(run) => {
                self.texts.push((place.at.offset(run.baseline), place.area, run.text()));
                return;
            }
            Op::Scroll(scroll) => {
                self.outline.areas.push(Area {
                    action: scroll.action.clone(),
                    rect: scroll.rect.offset(place.at).intersect(place.clip),
                    content_h: scroll.content_h,
                    offset: scrolls.get(scroll),
                });
                return;
            }
            Op::Touch(touch) => {
                self.cover(touch.rect.offset(place.at).intersect(place.clip));
                if touch.action.bytes().is_empty() {
                    // It does nothing but keep fingers off what lies under it.
                    return;
                }
                let kind = ItemKind::Touch { action: touch.action.clone(), state: touch.state };
                (touch.rect, touch.role, touch.label.as_ref(), kind)
            }
            Op::Field(field) => {
                let (action, keyboard) = (field.action.clone(), field.keyboard);
                let kind = ItemKind::Field { action, keyboard, value: field.value.to_string() };
                (field.rect, Role::Text, Some(&field.label), kind)
            }
            Op::Label(label) if !label.role.is_thing() => return,
            Op::Label(label) => (label.rect, label.role, label.text.as_ref(), ItemKind::Label),
            _ => return,
        };
        let rect = rect.offset(place.at);
        if place.area.is_some() || !rect.intersect(place.clip).is_empty() {
            let label = label.map(ToString::to_string).unwrap_or_default();
            self.outline.items.push(Item { rect, area: place.area, role, label, kind });
        }
    }

    /// A touch area is drawn over things to touch: these, and the texts with them, are out of reach. (The text of a button that
    /// comes before its area is not: no other thing to touch lies under it.)
    fn cover(&mut self, cover: Rect) {
        let inside = |rect: Rect| !rect.is_empty() && rect.intersect(cover) == rect;
        let areas = &self.outline.areas;
        let seen = |item: &Item| item.area.map_or(item.rect, |area| item.rect.intersect(areas[area].rect));
        let covered =
            |item: &Item| inside(seen(item)) || item.area.is_some_and(|area| inside(areas[area].rect));
        if self.outline.items.iter().any(|item| item.kind != ItemKind::Label && covered(item)) {
            self.outline.items.retain(|item| !covered(item));
            self.texts.retain(|(at, ..)| !cover.contains(*at));
        }
    }

    /// What has no name of its own is called by the texts on it, in order of drawing. A text of a list is none of what lies around it.
    fn finish(mut self) -> Outline {
        for item in self.outline.items.iter_mut().filter(|item| item.label.is_empty()) {
            let on_it = |at: Point, area| area == item.area && item.rect.contains(at);
            let texts = self.texts.iter().filter(|(at, area, _)| on_it(*at, *area));
            item.label = texts.map(|(_, _, text)| text.as_str()).collect::<Vec<_>>().join(" ");
        }
        self.outline
    }
}
