//! From elements to places, with taffy.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use taffy::prelude::*;
use taffy::{Size as TaffySize, compute_leaf_layout};
use tresen_scene::{Node, Rect, Size};

use super::component::Space;
use super::element::{Content, Element};
use super::style::{placed_in, style};
use super::{Kit, draw};

/// Draws `root` on a whole screen.
pub(super) fn screen(kit: &Kit, size: Size, root: &Element) -> Arc<Node> {
    draw::screen(&Layouter { kit, scrolled: RefCell::default() }, size, root)
}

/// Whether a height is given or follows the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Given,
    Content,
}

/// Lays out the elements of one screen. What scrolls, and what lies over a screen, is laid out apart.
pub(super) struct Layouter<'a> {
    pub(super) kit: &'a Kit,
    /// Content of scroll areas by its address and width: measured once, drawn from the same layout.
    scrolled: RefCell<Vec<(*const Element, i32, Rc<Laid<'a>>)>>,
}

/// Elements with their places.
pub(super) struct Laid<'a> {
    tree: TaffyTree<&'a Element>,
    root: NodeId,
}

/// An element with its place in its parent, in pixels.
pub(super) struct Placed<'l, 'a> {
    laid: &'l Laid<'a>,
    node: NodeId,
    pub(super) rect: Rect,
}

impl<'a> Layouter<'a> {
    /// Lays out `root` at exactly `size`.
    pub(super) fn exactly(&self, root: &'a Element, size: Size) -> Laid<'a> {
        self.lay(root, size.w, Some(size.h), None)
    }

    /// Lays out `root` at `width`, as high as it likes, at most `max_height`.
    pub(super) fn at_most(&self, root: &'a Element, width: i32, max_height: i32) -> Laid<'a> {
        self.lay(root, width, None, Some(max_height))
    }

    /// Lays out the content of a scroll area.
    pub(super) fn content(&self, content: &'a Element, width: i32) -> Rc<Laid<'a>> {
        let address = std::ptr::from_ref(content);
        let known = self.scrolled.borrow();
        if let Some((.., laid)) = known.iter().find(|entry| (entry.0, entry.1) == (address, width)) {
            return laid.clone();
        }
        drop(known);
        let laid = Rc::new(self.lay(content, width, None, None));
        self.scrolled.borrow_mut().push((address, width, laid.clone()));
        laid
    }

    fn lay(&self, root: &'a Element, width: i32, height: Option<i32>, max_height: Option<i32>) -> Laid<'a> {
        let extent = if height.is_some() { Extent::Given } else { Extent::Content };
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
                    element.map_or(TaffySize::ZERO, |element| self.measure(element, known, available))
                },
            )
        })
        .expect(OWN);
        Laid { tree, root: node }
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

    fn measure(
        &self,
        element: &'a Element,
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
                Size::new(width, if width > 0 { self.content(content, width).size().h } else { 0 })
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
    fn children(&self) -> &[Element] {
        match self {
            Self::Column(children) | Self::Row(children) | Self::Stack(children) => children,
            Self::Grid { children, .. } => children,
            _ => &[],
        }
    }
}

impl<'a> Laid<'a> {
    /// The size of all of it.
    pub(super) fn size(&self) -> Size {
        self.root().rect.size()
    }

    /// Its outermost element.
    pub(super) fn root(&self) -> Placed<'_, 'a> {
        self.placed(self.root)
    }

    fn placed(&self, node: NodeId) -> Placed<'_, 'a> {
        let layout = self.tree.layout(node).expect(OWN);
        let px = |value: f32| value.round() as i32;
        let (place, size) = (layout.location, layout.size);
        Placed {
            laid: self,
            node,
            rect: Rect::new(px(place.x), px(place.y), px(size.width), px(size.height)),
        }
    }
}

impl<'l, 'a> Placed<'l, 'a> {
    /// The element.
    pub(super) fn element(&self) -> &'a Element {
        self.laid.tree.get_node_context(self.node).expect("every node has its element")
    }

    /// What is in it, in order of drawing.
    pub(super) fn children(&self) -> impl Iterator<Item = Placed<'l, 'a>> {
        let laid = self.laid;
        (0..laid.tree.child_count(self.node))
            .map(move |index| laid.placed(laid.tree.child_at_index(self.node, index).expect(OWN)))
    }
}
