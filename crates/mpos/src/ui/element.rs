//! Elements: the description of a screen.

use std::hash::{Hash, Hasher};

use smol_str::SmolStr;
use tresen_scene::{Action, Insets, Role};

use super::component::{Component, Inputs};
use super::parts::{Text, Toast};
use super::pen::Press;
use super::{Ink, Kit};

/// A part of a screen with everything in it.
pub struct Element {
    pub(super) content: Content,
    pub(super) spec: Spec,
    pub(super) key: Option<u64>,
    pub(super) surface: Option<Surface>,
    pub(super) press: Option<Press>,
    pub(super) heading: Option<SmolStr>,
}

pub(super) enum Content {
    Column(Vec<Element>),
    Row(Vec<Element>),
    Grid { columns: u16, children: Vec<Element> },
    Stack(Vec<Element>),
    Text(Text),
    Part(Box<dyn Component>),
    Scroll { action: Action, offset: i32, content: Box<Element> },
    Over(Box<Over>),
    Divider,
    Space,
}

/// Something that lies over a screen.
pub(super) struct Over {
    pub(super) under: Element,
    pub(super) content: Element,
    pub(super) cover: Cover,
}

pub(super) enum Cover {
    /// Dims the screen below; a tap beside it sends the action.
    Sheet { dismiss: Option<Press> },
    /// Leaves the screen usable.
    Float,
}

/// How children stand across the direction in which they follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the left or top.
    Start,
    /// In the middle.
    Center,
    /// At the right or bottom.
    End,
    /// As wide or high as the parent.
    Stretch,
    /// Their first lines of text on one line.
    Baseline,
}

/// What happens to the room that children leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Justify {
    /// It is after them.
    Start,
    /// Half of it is before them, half after.
    Center,
    /// It is before them.
    End,
    /// It is between them.
    Between,
}

/// Whether something is the chosen one of its peers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Selected {
    /// It is.
    Yes,
    /// It is not.
    #[default]
    No,
}

impl Selected {
    /// `Yes` when `condition` holds.
    pub const fn when(condition: bool) -> Self {
        if condition { Self::Yes } else { Self::No }
    }
}

/// Whether something can be pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Yes.
    #[default]
    Ready,
    /// It was, and the effect is under way.
    Pending,
    /// Not now.
    Disabled,
}

impl State {
    /// `Ready` when `condition` holds, else `Disabled`.
    pub const fn ready_when(condition: bool) -> Self {
        if condition { Self::Ready } else { Self::Disabled }
    }
}

/// What an element lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Surface {
    pub(super) fill: Ink,
    pub(super) line: Option<Ink>,
    pub(super) radius: i32,
    pub(super) shadow: Shadow,
    pub(super) corners: SurfaceCorners,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Shadow {
    None,
    Low,
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum SurfaceCorners {
    All,
    Top,
}

impl Surface {
    /// A plain area of a colour.
    pub const fn plain(fill: Ink) -> Self {
        Self { fill, line: None, radius: 0, shadow: Shadow::None, corners: SurfaceCorners::All }
    }

    /// A card: a hairline around it, corners of 12 dp.
    pub const fn card() -> Self {
        Self { line: Some(Ink::Line), radius: 12, ..Self::plain(Ink::Card) }
    }

    /// Paper that lies on the ground: corners of 12 dp and a shadow.
    pub const fn paper() -> Self {
        Self { radius: 12, shadow: Shadow::Low, ..Self::plain(Ink::Card) }
    }

    /// A sheet that comes up from the lower edge: upper corners of 20 dp and a shadow.
    pub const fn sheet() -> Self {
        Self { radius: 20, shadow: Shadow::High, corners: SurfaceCorners::Top, ..Self::plain(Ink::Card) }
    }

    /// The same with corners of `radius` dp.
    pub const fn radius(self, radius: i32) -> Self {
        Self { radius, ..self }
    }

    /// The same within a hairline of this colour.
    pub const fn line(self, line: Ink) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The same in another colour.
    pub const fn fill(self, fill: Ink) -> Self {
        Self { fill, ..self }
    }
}

/// Where and how large, in dp.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) grow: Option<f32>,
    pub(super) width: Option<i32>,
    pub(super) height: Option<i32>,
    pub(super) min_width: Option<i32>,
    pub(super) min_height: Option<i32>,
    pub(super) max_width: Option<i32>,
    pub(super) max_height: Option<i32>,
    /// top, right, bottom, left
    pub(super) pad: [i32; 4],
    pub(super) gap: i32,
    /// Between the lines of a wrapping row, or the rows of a grid; else `gap`.
    pub(super) line_gap: Option<i32>,
    pub(super) align: Option<Align>,
    pub(super) align_self: Option<Align>,
    pub(super) justify: Option<Justify>,
    pub(super) wraps: bool,
    pub(super) span: u16,
    pub(super) at: Option<(i32, i32)>,
}

impl Spec {
    /// The room within, in device pixels.
    pub(super) fn pad_px(&self, kit: &Kit) -> Insets {
        let [top, right, bottom, left] = self.pad.map(|dp| kit.px(dp));
        Insets { left, top, right, bottom }
    }
}

impl Element {
    pub(super) fn new(content: Content) -> Self {
        Self { content, spec: Spec::default(), key: None, surface: None, press: None, heading: None }
    }

    /// An element that is `component`.
    pub fn part(component: impl Component + 'static) -> Self {
        Self::new(Content::Part(Box::new(component)))
    }

    /// Adds a child.
    ///
    /// # Panics
    /// When this is no column, row, grid or stack.
    pub fn child(mut self, child: impl Into<Element>) -> Self {
        self.list().push(child.into());
        self
    }

    /// Adds children; an `Option` is none or one.
    ///
    /// # Panics
    /// When this is no column, row, grid or stack.
    pub fn children<E: Into<Element>>(mut self, children: impl IntoIterator<Item = E>) -> Self {
        self.list().extend(children.into_iter().map(Into::into));
        self
    }

    fn list(&mut self) -> &mut Vec<Element> {
        match &mut self.content {
            Content::Column(list) | Content::Row(list) | Content::Stack(list) => list,
            Content::Grid { children, .. } => children,
            _ => panic!("only a column, row, grid or stack has children"),
        }
    }

    /// Space between children, in dp.
    pub fn gap(mut self, dp: i32) -> Self {
        self.spec.gap = dp;
        self
    }

    /// Space between the lines of a wrapping row or the rows of a grid, in dp, when it is another than `gap`.
    pub fn line_gap(mut self, dp: i32) -> Self {
        self.spec.line_gap = Some(dp);
        self
    }

    /// How children stand across the direction in which they follow each other.
    pub fn align(mut self, align: Align) -> Self {
        self.spec.align = Some(align);
        self
    }

    /// What happens to the room that children leave.
    pub fn justify(mut self, justify: Justify) -> Self {
        self.spec.justify = Some(justify);
        self
    }

    /// A row that goes on in the next line when it is full.
    pub fn wrapping(mut self) -> Self {
        self.spec.wraps = true;
        self
    }

    /// A scroll area that is as high as its content where there is room, instead of taking the room that is left.
    pub fn hugging(mut self) -> Self {
        self.spec.grow = None;
        self
    }

    /// The wished offset of a scroll area, in dp; see [`tresen_scene::Scroll::offset`].
    pub fn scrolled_to(mut self, dp: i32) -> Self {
        if let Content::Scroll { offset, .. } = &mut self.content {
            *offset = dp;
        }
        self
    }
}

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

    /// Stands at this place of a stack, in dp, out of the flow: for plans.
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

/// Children below one another, as wide as it.
pub fn column() -> Element {
    Element::new(Content::Column(Vec::new()))
}

/// Children beside one another, centred in its height.
pub fn row() -> Element {
    Element::new(Content::Row(Vec::new()))
}

/// Children in `columns` columns of one width. A node of its own: what changes elsewhere leaves it alone.
pub fn grid(columns: u16) -> Element {
    Element::new(Content::Grid { columns: columns.max(1), children: Vec::new() })
}

/// Children over one another, all as large as it, unless they are placed with [`Place::at`].
pub fn stack() -> Element {
    Element::new(Content::Stack(Vec::new()))
}

/// Content that scrolls vertically; `action` is sent with the offset when it comes to rest. Takes the room that is left.
pub fn scroll(action: Action, content: impl Into<Element>) -> Element {
    let content = Box::new(content.into());
    Element::new(Content::Scroll { action, offset: 0, content }).grow()
}

/// Room that takes what is left.
pub fn spacer() -> Element {
    Element::new(Content::Space).grow()
}

/// A hairline from left to right.
pub fn divider() -> Element {
    Element::new(Content::Divider)
}

/// `content` on a sheet at the lower edge of the screen `under`, which is dimmed. A tap beside the sheet sends `dismiss`,
/// which is called `label`.
pub fn sheet(
    under: impl Into<Element>,
    dismiss: Action,
    label: impl Into<SmolStr>,
    content: impl Into<Element>,
) -> Element {
    let dismiss = Some(Press { label: Some(label.into()), ..Press::button(dismiss) });
    over(under.into(), content.into(), Cover::Sheet { dismiss })
}

/// `content` on a sheet that can't be dismissed beside it.
pub fn modal(under: impl Into<Element>, content: impl Into<Element>) -> Element {
    over(under.into(), content.into(), Cover::Sheet { dismiss: None })
}

/// `toast` over the lower part of the screen `under`, which stays usable.
pub fn toast_over(under: impl Into<Element>, toast: Toast) -> Element {
    over(under.into(), toast.into(), Cover::Float)
}

fn over(under: Element, content: Element, cover: Cover) -> Element {
    Element::new(Content::Over(Box::new(Over { under, content, cover })))
}
