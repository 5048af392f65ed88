//! From elements to places, with taffy.
//!
//! Most of a screen is where it was on the last one, or on another device's: what takes the same room in the same space ([`super::footprint`]) is laid out
//! once for all instances of a server. Composites, content that scrolls and what is *apart* are laid out for themselves. Debug builds lay it out all
//! the same and compare.

use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use taffy::prelude::*;
use taffy::{Size as TaffySize, compute_leaf_layout};
use tresen_scene::{Node, ObjectId, Rect, Size};
use tresen_typeset::Spot;

use super::component::{Composite, Inputs, Space};
use super::element::{Content, Element};
use super::footprint::takes_what_is_left;
use super::style::{placed_in, style};
use super::{Kit, draw};

/// Draws `root` on a whole screen.
pub(super) fn screen(kit: &Kit, size: Size, root: &Element) -> Arc<Node> {
    draw::screen(&Layouter::new(kit), size, root)
}

/// Whether a height is given or follows the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Given,
    Content,
}

/// The room that there is, in device pixels.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Room {
    pub(super) width: i32,
    height: Option<i32>,
    max_height: Option<i32>,
}

impl Room {
    pub(super) const fn extent(&self) -> Extent {
        if self.height.is_some() { Extent::Given } else { Extent::Content }
    }
}

/// Lays out the elements of one screen. What scrolls, and what lies over a screen, is laid out apart.
pub(super) struct Layouter<'a> {
    pub(super) kit: &'a Kit,
    /// Content of scroll areas is asked for several times.
    known: RefCell<Vec<Known>>,
    /// Something was drawn that is not finished.
    pub(super) lacks_photo: Cell<bool>,
}

/// An element of this screen, by its address, that was laid out.
struct Known {
    of: *const Element,
    room: Room,
    spots: Arc<[Spot]>,
}

/// Elements with their places.
pub(super) struct Laid<'a> {
    root: &'a Element,
    /// Each element's before those of its children.
    spots: Arc<[Spot]>,
}

/// An element with its place in its parent, in pixels.
pub(super) struct Placed<'l, 'a> {
    element: &'a Element,
    within: &'l [Spot],
    pub(super) rect: Rect,
}

impl<'a> Layouter<'a> {
    /// For one screen, or one composite.
    pub(super) fn new(kit: &'a Kit) -> Self {
        Self { kit, known: RefCell::default(), lacks_photo: Cell::new(false) }
    }

    /// Lays out `root` at exactly `size`.
    pub(super) fn exactly(&self, root: &'a Element, size: Size) -> Laid<'a> {
        self.lay(root, Room { width: size.w, height: Some(size.h), max_height: None })
    }

    /// Lays out `root` at `width`, as high as it likes, at most `max_height`.
    pub(super) fn at_most(&self, root: &'a Element, width: i32, max_height: i32) -> Laid<'a> {
        self.lay(root, Room { width, height: None, max_height: Some(max_height) })
    }

    /// Lays out the content of a scroll area.
    pub(super) fn content(&self, content: &'a Element, width: i32) -> Laid<'a> {
        self.lay(content, Room { width, height: None, max_height: None })
    }

    /// The places of a composite's elements at `width`. They are not made for that if something with its footprint was laid out before.
    pub(super) fn composite(&self, composite: &dyn Composite, width: i32) -> Arc<[Spot]> {
        let room = Room { width, height: None, max_height: None };
        let mut inputs = Inputs::with_capacity(256);
        inputs.write(b"composite");
        composite.footprint(&mut inputs);
        room.hash(&mut inputs);
        inputs.write_u16(self.kit.scale.hundredths());
        self.spots(self.kit.typesetter.namer().name(inputs.bytes()), || {
            let element = composite.compose(self.kit);
            Layouter::new(self.kit).lay_anew(&element, room)
        })
    }

    fn lay(&self, root: &'a Element, room: Room) -> Laid<'a> {
        let of = std::ptr::from_ref(root);
        let is_it = |known: &&Known| (known.of, known.room) == (of, room);
        if let Some(known) = self.known.borrow().iter().find(is_it) {
            return Laid { root, spots: known.spots.clone() };
        }
        let spots = self.spots(self.footprint(root, room), || self.lay_anew(root, room));
        self.known.borrow_mut().push(Known { of, room, spots: spots.clone() });
        Laid { root, spots }
    }

    /// What was laid out under this name before, or is by `lay`.
    fn spots(&self, name: ObjectId, lay: impl Fn() -> Vec<Spot>) -> Arc<[Spot]> {
        let typesetter = &self.kit.typesetter;
        if let Some(known) = typesetter.spots(&name) {
            debug_assert_eq!(*known, *lay(), "a footprint lacks something");
            return known;
        }
        let spots: Arc<[Spot]> = lay().into();
        typesetter.keep_spots(name, spots.clone());
        spots
    }

    fn lay_anew(&self, root: &'a Element, room: Room) -> Vec<Spot> {
        let Room { width, height, max_height } = room;
        let extent = room.extent();
        let mut tree = TaffyTree::with_capacity(64);
        let node = self.build(&mut tree, root, None, extent);
        let mut style = tree.style(node).cloned().expect(OWN);
        style.size.width = length(width as f32);
        if let Some(height) = height {
            style.size.height = length(height as f32);
        }
        if let Some(max_height) = max_height {
            style.max_size.height = length(max_height as f32);
        }
        tree.set_style(node, style).expect(OWN);
        let space = TaffySize {
            width: AvailableSpace::Definite(width as f32),
            height: height
                .map_or(AvailableSpace::MaxContent, |height| AvailableSpace::Definite(height as f32)),
        };
        tree.compute_layout_with_measure(node, space, |inputs, _, element, style| {
            compute_leaf_layout(
                inputs,
                style,
                |_, _| 0.0,
                |known, available| {
                    element.map_or(TaffySize::ZERO, |element| self.measure(element, extent, known, available))
                },
            )
        })
        .expect(OWN);
        let mut spots = Vec::with_capacity(tree.total_node_count());
        note(&tree, node, &mut spots);
        spots
    }

    fn build(
        &self,
        tree: &mut TaffyTree<&'a Element>,
        element: &'a Element,
        parent: Option<&Element>,
        extent: Extent,
    ) -> NodeId {
        let mut style = style(self.kit, element, extent);
        if let Some(parent) = parent {
            placed_in(&mut style, parent, element);
        }
        let children = element.content.children();
        let node = tree.new_leaf_with_context(style, element).expect(OWN);
        for child in children {
            let child = self.build(tree, child, Some(element), extent);
            tree.add_child(node, child).expect(OWN);
        }
        node
    }

    /// The height that a scroll area would like at this width, in pixels: its content's, or as much as it may have.
    pub(super) fn scrolled_height(&self, scroll: &Element, content: &'a Element, width: i32) -> i32 {
        let height = match &content.content {
            Content::Composite(composite) => self.composite(composite.as_ref(), width)[0].rect.h,
            _ => self.content(content, width).size().h,
        };
        scroll.spec.max_height.map_or(height, |most| height.min(self.kit.px(most)))
    }

    fn measure(
        &self,
        element: &'a Element,
        extent: Extent,
        known: TaffySize<Option<f32>>,
        available: TaffySize<AvailableSpace>,
    ) -> TaffySize<f32> {
        let space = match (known.width, available.width) {
            (Some(width), _) | (None, AvailableSpace::Definite(width)) => Space::Width(width.round() as i32),
            (None, AvailableSpace::MinContent) => Space::Least,
            (None, AvailableSpace::MaxContent) => Space::Most,
        };
        let size = match &element.content {
            Content::Text(text) => text.measure(self.kit, space),
            Content::Part(part) => part.measure(self.kit, space),
            Content::Scroll { content, .. } => {
                let width = if let Space::Width(width) = space { width } else { 0 };
                let asks = width > 0 && !takes_what_is_left(element, extent);
                Size::new(width, if asks { self.scrolled_height(element, content, width) } else { 0 })
            }
            Content::Composite(composite) => {
                let width = if let Space::Width(width) = space { width } else { 0 };
                let size = |width| self.composite(composite.as_ref(), width)[0].rect.size();
                if width > 0 { size(width) } else { Size::default() }
            }
            Content::Divider => Size::new(0, self.kit.px(1)),
            _ => Size::default(),
        };
        TaffySize {
            width: known.width.unwrap_or(size.w as f32),
            height: known.height.unwrap_or(size.h as f32),
        }
    }
}

const OWN: &str = "the nodes are this tree's own";

impl Content {
    /// What is laid out within it by the same tree.
    pub(super) fn children(&self) -> &[Element] {
        match self {
            Self::Column(children) | Self::Row(children) | Self::Stack(children) => children,
            Self::Grid { children, .. } => children,
            _ => &[],
        }
    }
}

/// Notes where a node of the tree is, and everything in it.
fn note(tree: &TaffyTree<&Element>, node: NodeId, spots: &mut Vec<Spot>) {
    let layout = tree.layout(node).expect(OWN);
    let px = |value: f32| value.round() as i32;
    let (place, size) = (layout.location, layout.size);
    let rect = Rect::new(px(place.x), px(place.y), px(size.width), px(size.height));
    let own = spots.len();
    spots.push(Spot { rect, within: 0 });
    for index in 0..tree.child_count(node) {
        note(tree, tree.child_at_index(node, index).expect(OWN), spots);
    }
    spots[own].within = (spots.len() - own - 1) as u32;
}

impl<'a> Laid<'a> {
    /// `root` with everything in it at these places.
    pub(super) const fn new(root: &'a Element, spots: Arc<[Spot]>) -> Self {
        Self { root, spots }
    }

    /// The size of all of it.
    pub(super) fn size(&self) -> Size {
        self.root().rect.size()
    }

    /// Its outermost element.
    pub(super) fn root(&self) -> Placed<'_, 'a> {
        Placed { element: self.root, within: &self.spots[1..], rect: self.spots[0].rect }
    }
}

impl<'l, 'a> Placed<'l, 'a> {
    /// The element.
    pub(super) fn element(&self) -> &'a Element {
        self.element
    }

    /// What is in it, in order of drawing.
    pub(super) fn children(&self) -> impl Iterator<Item = Placed<'l, 'a>> {
        let mut rest = self.within;
        self.element.content.children().iter().map(move |element| {
            let (own, after) = rest.split_first().expect("every element has its spot");
            let (within, others) = after.split_at(own.within as usize);
            rest = others;
            Placed { element, within, rect: own.rect }
        })
    }
}
