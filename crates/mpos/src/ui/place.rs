//! Where an element stands, and what it lies on.

use std::hash::{Hash, Hasher};

use smol_str::SmolStr;
use tresen_scene::{Action, Pull, Role};

use super::component::Inputs;
use super::element::{Align, Element};
use super::pen::Press;
use super::surface::Surface;

/// Where an element stands; for elements and for everything that becomes one.
pub trait Place: Into<Element> {
    /// What it *is*, whatever it shows: a changed row is then sent as a patch of the row before. Keys are told apart only
    /// among siblings' children of one screen; equal keys cost bytes, never correctness.
    fn key(self, key: impl Hash) -> Element {
        let mut hash = Inputs::default();
        key.hash(&mut hash);
        set(self, |element| element.key = Some(hash.finish()))
    }

    /// Takes a share of the room that is left.
    fn grow(self) -> Element {
        self.grow_by(1.0)
    }

    /// Takes this many shares of the room that is left.
    fn grow_by(self, shares: f32) -> Element {
        set(self, |element| element.spec.grow = Some(shares))
    }

    /// Width in dp.
    fn width(self, dp: i32) -> Element {
        set(self, |element| element.spec.width = Some(dp))
    }

    /// Height in dp.
    fn height(self, dp: i32) -> Element {
        set(self, |element| element.spec.height = Some(dp))
    }

    /// Least width in dp.
    fn min_width(self, dp: i32) -> Element {
        set(self, |element| element.spec.min_width = Some(dp))
    }

    /// Least height in dp.
    fn min_height(self, dp: i32) -> Element {
        set(self, |element| element.spec.min_height = Some(dp))
    }

    /// Largest width in dp.
    fn max_width(self, dp: i32) -> Element {
        set(self, |element| element.spec.max_width = Some(dp))
    }

    /// Largest height in dp.
    fn max_height(self, dp: i32) -> Element {
        set(self, |element| element.spec.max_height = Some(dp))
    }

    /// Room within, on every side, in dp.
    fn pad(self, dp: i32) -> Element {
        set(self, |element| element.spec.pad = [dp; 4])
    }

    /// Room within on the left and right, in dp.
    fn pad_x(self, dp: i32) -> Element {
        set(self, |element| (element.spec.pad[1], element.spec.pad[3]) = (dp, dp))
    }

    /// Room within at the top and bottom, in dp.
    fn pad_y(self, dp: i32) -> Element {
        set(self, |element| (element.spec.pad[0], element.spec.pad[2]) = (dp, dp))
    }

    /// Room within at the top, in dp.
    fn pad_top(self, dp: i32) -> Element {
        set(self, |element| element.spec.pad[0] = dp)
    }

    /// Room within at the right, in dp.
    fn pad_right(self, dp: i32) -> Element {
        set(self, |element| element.spec.pad[1] = dp)
    }

    /// Room within at the left, in dp.
    fn pad_left(self, dp: i32) -> Element {
        set(self, |element| element.spec.pad[3] = dp)
    }

    /// Room within at the bottom, in dp.
    fn pad_bottom(self, dp: i32) -> Element {
        set(self, |element| element.spec.pad[2] = dp)
    }

    /// How it stands in its parent, against the parent's own rule.
    fn align_self(self, align: Align) -> Element {
        set(self, |element| element.spec.align_self = Some(align))
    }

    /// Columns of a grid that it takes.
    fn span(self, columns: u16) -> Element {
        set(self, |element| element.spec.span = columns)
    }

    /// Stands at this place of its parent, in dp, out of the flow: for plans and grips.
    fn at(self, x: i32, y: i32) -> Element {
        set(self, |element| element.spec.at = Some((x, y)))
    }

    /// What it lies on.
    fn on_surface(self, surface: Surface) -> Element {
        set(self, |element| element.surface = Some(surface))
    }

    /// Makes all of it something to press that is called `label`.
    fn pressable(self, action: Action, role: Role, label: impl Into<SmolStr>) -> Element {
        let label = Some(label.into());
        set(self, |element| element.press = Some(Press { role, label, ..Press::button(action) }))
    }

    /// Makes something to press a handle: pulling it this way does what a tap does.
    fn pulled(self, pull: Pull) -> Element {
        set(self, |element| {
            if let Some(press) = &mut element.press {
                press.state.pull = Some(pull);
            }
        })
    }

    /// A part of the screen with a name, for assistive technology.
    fn named(self, heading: impl Into<SmolStr>) -> Element {
        let heading = heading.into();
        set(self, |element| element.heading = Some(heading))
    }
}

impl<T: Into<Element>> Place for T {}

fn set(element: impl Into<Element>, change: impl FnOnce(&mut Element)) -> Element {
    let mut element = element.into();
    change(&mut element);
    element
}
