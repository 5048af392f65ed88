//! What the room depends on that elements take: elements with the same footprint are laid out alike in the same space.
//!
//! A footprint holds more than it must, never less. What most screens differ in is left out: colours, actions, keys, and texts where only their width
//! counts.

use std::hash::{Hash, Hasher};

use tresen_scene::ObjectId;

use super::Kit;
use super::component::Inputs;
use super::element::{Align, Content, Element, Spec};
use super::layout::{Extent, Layouter, Room};

impl<'a> Layouter<'a> {
    /// The footprint of `element` and everything in it, in `room`.
    pub(super) fn footprint(&self, element: &'a Element, room: Room) -> ObjectId {
        let mut out = Inputs::with_capacity(1024);
        self.write(element, Around { width: Some(room.width), extent: room.extent() }, &mut out);
        room.hash(&mut out);
        out.write_u16(self.kit.scale.hundredths());
        self.kit.typesetter.namer().name(out.bytes())
    }

    fn write(&self, element: &'a Element, around: Around, out: &mut Inputs) {
        element.spec.write(out);
        out.write_u8(u8::from(element.press.is_some()));
        match &element.content {
            Content::Column(_) => out.write_u8(0),
            Content::Row(_) => out.write_u8(1),
            Content::Grid { columns, .. } => out.write(&[2, *columns as u8]),
            Content::Stack(_) => out.write_u8(3),
            Content::Text(text) => {
                out.write_u8(4);
                text.footprint(self.kit, out);
            }
            Content::Part(part) => {
                out.write_u8(5);
                part.footprint(self.kit, out);
            }
            Content::Composite(composite) => {
                out.write_u8(10);
                composite.footprint(out);
            }
            Content::Scroll { content, .. } => {
                out.write_u8(6);
                self.scrolled(element, content, around, out);
            }
            Content::Over(_) => out.write_u8(7),
            Content::Divider => out.write_u8(8),
            Content::Space => out.write_u8(9),
            Content::Apart(_) => out.write_u8(11),
        }
        let (children, within) = (element.content.children(), around.within(self.kit, element));
        out.write_u32(children.len() as u32);
        children.iter().for_each(|child| self.write(child, within, out));
    }

    /// Of a scroll area's content counts nothing but the height, and where the area takes the room that is left not even that.
    fn scrolled(&self, element: &Element, content: &'a Element, around: Around, out: &mut Inputs) {
        if takes_what_is_left(element, around.extent) {
            return;
        }
        match around.own_width(element).filter(|width| *width > 0) {
            Some(width) => out.write_i32(self.scrolled_height(element, content, width)),
            None => self.write(content, Around { width: None, extent: Extent::Content }, out),
        }
    }
}

/// Whether the height of a scroll area has nothing to do with its content.
pub(super) fn takes_what_is_left(scroll: &Element, extent: Extent) -> bool {
    scroll.spec.grow.is_some() && extent == Extent::Given
}

/// What is known of the room around an element.
#[derive(Clone, Copy)]
struct Around {
    /// In pixels, when it is known without laying out.
    width: Option<i32>,
    extent: Extent,
}

impl Around {
    /// The width of an element in a column, in pixels, its padding included.
    fn own_width(self, element: &Element) -> Option<i32> {
        let Spec { width, min_width, max_width, align_self, at, .. } = element.spec;
        let stretches = (width, min_width, max_width, align_self, at) == (None, None, None, None, None);
        self.width.filter(|_| stretches)
    }

    /// The same for the children of an element.
    fn within(self, kit: &Kit, element: &Element) -> Self {
        let Spec { align, .. } = element.spec;
        let column = matches!(element.content, Content::Column(_));
        let stretches = column && align.is_none_or(|align| align == Align::Stretch);
        let pad = element.spec.pad_px(kit);
        let inner = self.own_width(element).map(|width| width - pad.left - pad.right);
        Self { width: inner.filter(|_| stretches), ..self }
    }
}

impl Spec {
    fn write(&self, out: &mut Inputs) {
        // Named one by one: a field that is new is missed here by nobody.
        let Self {
            grow,
            width,
            height,
            min_width,
            min_height,
            max_width,
            max_height,
            pad,
            gap,
            line_gap,
            align,
            align_self,
            justify,
            wraps,
            span,
            at,
        } = self;
        (grow.map(f32::to_bits), width, height, min_width, min_height, max_width, max_height).hash(out);
        (pad, gap, line_gap, align, align_self, justify).hash(out);
        (wraps, span, at).hash(out);
    }
}
