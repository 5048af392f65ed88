//! What the room depends on that elements take: elements with the same footprint are laid out alike in the same space.
//!
//! A footprint holds more than it must, never less. What most screens differ in is left out: colours, actions, keys, and texts where only their width
//! counts.

use std::hash::{Hash, Hasher};

use tresen_scene::ObjectId;

use super::component::Inputs;
use super::element::{Content, Element, Spec};
use super::layout::Layouter;

impl Layouter<'_> {
    /// The footprint of `element` and everything in it.
    pub(super) fn footprint(&self, element: &Element) -> ObjectId {
        let address = std::ptr::from_ref(element);
        if let Some((_, known)) = self.footprints.borrow().iter().find(|(known, _)| *known == address) {
            return *known;
        }
        let mut out = Inputs::with_capacity(2048);
        self.write(element, &mut out);
        let footprint = self.kit.typesetter.namer().name(out.bytes());
        self.footprints.borrow_mut().push((address, footprint));
        footprint
    }

    fn write(&self, element: &Element, out: &mut Inputs) {
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
                out.write(&self.footprint(content).0);
            }
            Content::Over(_) => out.write_u8(7),
            Content::Divider => out.write_u8(8),
            Content::Space => out.write_u8(9),
        }
        let children = element.content.children();
        out.write_u32(children.len() as u32);
        children.iter().for_each(|child| self.write(child, out));
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
