//! From placed elements to nodes.
//!
//! Plain containers add their ops to the node around them. A node of its own is made for: every component and composite, every grid, the
//! content of every scroll area, whatever lies over a screen, and whatever has a key.

use std::hash::Hasher;
use std::sync::Arc;

use tresen_scene::{Label, Node, Op, Point, Rect, Role, Scroll, Size};
use tresen_typeset::{Corners, Drawn};

use super::component::{Component, Composite, Inputs};
use super::element::{Content, Cover, Element, Over};
use super::layout::{Laid, Layouter, Placed};
use super::pen::{Press, touch};
use super::surface::{Shadow, Surface, SurfaceCorners};
use super::{Ink, Kit, Marks, Pen};

/// Widest sheet, in dp; on a wider screen it stands in the middle.
const SHEET_WIDTH: i32 = 560;
/// Room that a sheet leaves above itself, in dp, and on a phone held sideways.
const SHEET_ABOVE: i32 = 40;
const SHEET_ABOVE_SIDEWAYS: i32 = 8;
/// What a toast leaves free at the top, left and right, in dp: the way back, and the link dot.
const TOAST_SIDES: [i32; 3] = [4, 52, 40];
/// The same at the right over a sheet, whose cross may stand up there, in dp.
const SHEET_CROSS: i32 = super::EDGE + super::MIN_TARGET + 4;
/// Widest toast, in dp.
const TOAST_WIDTH: i32 = 480;
/// Key of every screen's root; with each thing that lies over a screen it is one more.
const ROOT: u64 = 1;

/// Draws `root` at `size`, on the ground.
pub(super) fn screen<'a>(layouter: &Layouter<'a>, size: Size, root: &'a Element) -> Arc<Node> {
    let mut drawing = Drawing { layouter, ops: Vec::with_capacity(32), key: ROOT + covers(root) };
    if let Content::Over(over) = &root.content {
        drawing.over(over, Rect::of_size(size));
    } else {
        let rect = Rect::of_size(size);
        drawing.ops.push(Op::Fill { rect, color: Ink::Ground.color(layouter.kit.theme) });
        drawing.element(&layouter.exactly(root, size).root(), Point::ZERO);
    }
    if let Kit { marks: Marks::Told, viewer: Some(viewer), .. } = layouter.kit {
        let text = Some(viewer.to_string().into());
        drawing.ops.push(Op::Label(Label { rect: Rect::new(0, 0, 0, 0), role: Role::Viewer, text }));
    }
    drawing.finish()
}

fn covers(element: &Element) -> u64 {
    match &element.content {
        Content::Over(over) => 1 + covers(&over.under),
        _ => 0,
    }
}

/// One node in the making.
struct Drawing<'d, 'a> {
    layouter: &'d Layouter<'a>,
    ops: Vec<Op>,
    key: u64,
}

impl<'a> Drawing<'_, 'a> {
    fn kit(&self) -> &'a Kit {
        self.layouter.kit
    }

    fn finish(self) -> Arc<Node> {
        Node::new(self.layouter.kit.typesetter.namer(), self.key, self.ops)
    }

    /// A node within this one; `part` tells it from its siblings.
    fn inner(&self, key: Option<u64>, part: u64) -> Drawing<'_, 'a> {
        let key = key.unwrap_or_else(|| derived(self.key, part));
        Drawing { layouter: self.layouter, ops: Vec::with_capacity(32), key }
    }

    /// Draws an element whose parent's origin is at `origin` of this node.
    fn element(&mut self, placed: &Placed<'_, 'a>, origin: Point) {
        let element = placed.element();
        let rect = placed.rect.offset(origin);
        let own_node = element.key.is_some() || matches!(element.content, Content::Grid { .. });
        let draws_itself = matches!(element.content, Content::Part(_) | Content::Composite(_));
        if own_node && !draws_itself {
            let mut inner = self.inner(element.key, self.ops.len() as u64);
            inner.body(placed, Rect::of_size(rect.size()));
            let node = inner.finish();
            self.ops.push(Op::Child { at: rect.origin(), node });
        } else {
            self.body(placed, rect);
        }
    }

    fn body(&mut self, placed: &Placed<'_, 'a>, rect: Rect) {
        let element = placed.element();
        self.behind(element, rect);
        match &element.content {
            Content::Text(text) => {
                let mut pen = Pen::new(self.kit(), rect.size());
                text.draw(&mut pen, rect.inset(element.spec.pad_px(self.kit())));
                self.ops.extend(pen.into_ops());
            }
            Content::Part(part) => {
                self.part(part.as_ref(), element.key, rect.inset(element.spec.pad_px(self.kit())));
            }
            Content::Composite(composite) => {
                let key = element.key.unwrap_or_else(|| derived(self.key, self.ops.len() as u64));
                let within = rect.inset(element.spec.pad_px(self.kit()));
                let (node, _) = self.composite(composite.as_ref(), key, within.w);
                self.ops.push(Op::Child { at: within.origin(), node });
            }
            Content::Scroll { action, offset, content } => {
                let (content, content_h) = self.content(content, rect.w);
                let offset = self.kit().px(*offset);
                self.ops.push(Op::Scroll(Scroll {
                    rect,
                    action: action.clone(),
                    content,
                    content_h,
                    offset,
                }));
            }
            Content::Apart(content) => {
                let within = rect.inset(element.spec.pad_px(self.kit()));
                let laid = self.layouter.exactly(content, within.size());
                self.element(&laid.root(), within.origin());
            }
            Content::Over(over) => self.over(over, rect),
            Content::Divider => self.ops.push(Op::Fill { rect, color: Ink::Line.color(self.kit().theme) }),
            Content::Column(_) | Content::Row(_) | Content::Stack(_) | Content::Grid { .. } => {
                placed.children().for_each(|child| self.element(&child, rect.origin()));
            }
            Content::Space => {}
        }
    }

    /// A component, drawn once for all who show the same.
    fn part(&mut self, part: &dyn Component, key: Option<u64>, rect: Rect) {
        let (kit, size) = (self.kit(), rect.size());
        let key = key.unwrap_or_else(|| derived(self.key, self.ops.len() as u64));
        let mut inputs = Inputs::with_capacity(128);
        part.inputs(&mut inputs);
        inputs.write_i32(size.w);
        inputs.write_i32(size.h);
        inputs.write_u16(kit.scale.hundredths());
        inputs.write_u8(kit.theme as u8);
        inputs.write_u8(kit.marks as u8);
        inputs.write_u64(key);
        let node = kit.typesetter.remember(inputs.bytes(), || {
            let mut pen = Pen::new(kit, size);
            part.draw(&mut pen);
            let drawn = pen.into_node(key);
            if matches!(drawn, Drawn::Unfinished(_)) {
                self.layouter.lacks_photo.set(true);
            }
            drawn
        });
        self.ops.push(Op::Child { at: rect.origin(), node });
    }

    /// The content of a scroll area, and its height.
    fn content(&mut self, content: &'a Element, width: i32) -> (Arc<Node>, i32) {
        if let Content::Composite(composite) = &content.content {
            let plain = content.spec.pad == [0; 4] && content.surface.is_none() && content.press.is_none();
            debug_assert!(plain, "a composite that scrolls stands in a column for what is around it");
            let key = content.key.unwrap_or_else(|| derived(self.key, u64::MAX));
            return self.composite(composite.as_ref(), key, width);
        }
        let laid = self.layouter.content(content, width);
        let mut inner = self.inner(content.key, u64::MAX);
        inner.body(&laid.root(), Rect::of_size(laid.size()));
        (inner.finish(), laid.size().h)
    }

    /// A composite as a node, and its height.
    fn composite(&self, composite: &dyn Composite, key: u64, width: i32) -> (Arc<Node>, i32) {
        let kit = self.kit();
        let spots = self.layouter.composite(composite, width);
        let height = spots[0].rect.h;
        let mut inputs = Inputs::with_capacity(1024);
        composite.inputs(&mut inputs);
        inputs.write_i32(width);
        inputs.write_u16(kit.scale.hundredths());
        inputs.write_u8(kit.theme as u8);
        inputs.write_u8(kit.marks as u8);
        inputs.write_u64(key);
        let node = kit.typesetter.remember_composite(inputs.bytes(), || {
            // It is the same for whoever looks at it.
            let kit = &kit.clone().seen_by(None);
            let element = composite.compose(kit);
            let layouter = Layouter::new(kit);
            let mut drawing = Drawing { layouter: &layouter, ops: Vec::with_capacity(32), key };
            let laid = Laid::new(&element, spots.clone());
            drawing.body(&laid.root(), Rect::of_size(laid.size()));
            let node = drawing.finish();
            if layouter.lacks_photo.get() {
                self.layouter.lacks_photo.set(true);
                return Drawn::Unfinished(node);
            }
            Drawn::Finished(node)
        });
        (node, height)
    }

    /// What an element lies on, its name, and what a press on it does.
    fn behind(&mut self, element: &Element, rect: Rect) {
        if let Some(surface) = &element.surface {
            let mut pen = Pen::new(self.kit(), rect.size());
            draw_surface(&mut pen, surface, rect);
            self.ops.extend(pen.into_ops());
        }
        if let Some(press) = &element.press {
            let radius = element.surface.map_or(0, |surface| surface.radius);
            self.ops.push(Op::from(touch(self.kit(), rect, rect, radius, press)));
        }
        if let Some(heading) = &element.heading {
            self.ops.push(Op::Label(Label { rect, role: Role::Heading, text: Some(heading.clone()) }));
        }
    }

    /// A screen with something over it. The screen below is the very node that it was alone.
    fn over(&mut self, over: &'a Over, rect: Rect) {
        let under = screen(self.layouter, rect.size(), &over.under);
        self.ops.push(Op::Child { at: rect.origin(), node: under });
        match &over.cover {
            Cover::Sheet { dismiss } => self.sheet(&over.content, dismiss.as_ref(), rect),
            Cover::Float => self.float(over, rect),
        }
    }

    fn sheet(&mut self, content: &'a Element, dismiss: Option<&Press>, rect: Rect) {
        let kit = self.kit();
        let width = rect.w.min(kit.px(SHEET_WIDTH));
        let sideways = rect.h < rect.w && rect.h < kit.px(super::SIDEWAYS);
        let above = if sideways { SHEET_ABOVE_SIDEWAYS } else { SHEET_ABOVE };
        let laid = self.layouter.at_most(content, width, rect.h - kit.px(above));
        let height = laid.size().h;
        let place = Rect::new(rect.x + (rect.w - width) / 2, rect.bottom() - height, width, height);
        self.ops.push(Op::Fill { rect, color: Ink::Dim.color(kit.theme) });
        let barrier = |rect: Rect, press: &Press| Op::from(plain_touch(rect, press));
        let block = Press::blocked();
        self.ops.push(barrier(rect, dismiss.unwrap_or(&block)));
        self.ops.push(barrier(place, &block));
        let mut inner = self.inner(content.key, SHEET);
        let mut pen = Pen::new(kit, place.size());
        draw_surface(&mut pen, &Surface::sheet(), Rect::of_size(place.size()));
        inner.ops.extend(pen.into_ops());
        inner.body(&laid.root(), Rect::of_size(place.size()));
        let node = inner.finish();
        self.ops.push(Op::Child { at: place.origin(), node });
    }

    /// Over the title, which nobody presses.
    fn float(&mut self, over: &'a Over, rect: Rect) {
        let (kit, content) = (self.kit(), &over.content);
        let [top, left, right] = TOAST_SIDES.map(|dp| kit.px(dp));
        let (within, right) = match covers(&over.under) {
            0 => (rect.w, right),
            _ => (rect.w.min(kit.px(SHEET_WIDTH)), kit.px(SHEET_CROSS)),
        };
        let room = within - left - right;
        let width = room.min(kit.px(TOAST_WIDTH));
        let laid = self.layouter.at_most(content, width, rect.h);
        // At the left: half a title beside it would look like a mistake.
        let side = (rect.w - within) / 2 + left;
        let at = Point::new(rect.x + side, rect.y + top);
        let mut inner = self.inner(content.key, FLOAT);
        inner.body(&laid.root(), Rect::of_size(laid.size()));
        let node = inner.finish();
        self.ops.push(Op::Child { at, node });
    }
}

const SHEET: u64 = 1 << 32;
const FLOAT: u64 = 2 << 32;

fn plain_touch(rect: Rect, press: &Press) -> tresen_scene::Touch {
    tresen_scene::Touch {
        rect,
        action: press.action.clone(),
        hold: None,
        role: press.role,
        label: press.label.clone(),
        state: press.state,
        pressed: None,
    }
}

fn draw_surface(pen: &mut Pen<'_>, surface: &Surface, rect: Rect) {
    let corners = match surface.corners {
        SurfaceCorners::All => Corners::All,
        SurfaceCorners::Top => Corners::Top,
    };
    match surface.shadow {
        Shadow::None => {}
        Shadow::Low => pen.shadow(rect, surface.radius, 6, 2),
        Shadow::High => pen.shadow(rect, surface.radius, 18, 0),
    }
    match surface.line {
        Some(line) => pen.outlined(rect, surface.radius, corners, surface.fill, line),
        None => pen.rounded(rect, surface.radius, corners, surface.fill),
    }
}

/// The key of the part `part` of the node `key`: the same for the same place, so that a changed node finds what it was.
fn derived(key: u64, part: u64) -> u64 {
    let mut inputs = Inputs::default();
    inputs.write_u64(key);
    inputs.write_u64(part);
    inputs.finish()
}
