//! Elements: the description of a screen.

use smol_str::SmolStr;
use tresen_scene::{Action, Insets};

use super::Kit;
use super::component::{Component, Composite};
use super::parts::{Text, Toast};
use super::pen::Press;
use super::place::Place;
use super::surface::Surface;

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
    Composite(Box<dyn Composite>),
    Apart(Box<Element>),
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

    /// Elements that are made when they are needed. As high as they like at the width that they are given.
    pub fn composite(composite: impl Composite + 'static) -> Self {
        Self::new(Content::Composite(Box::new(composite)))
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

/// Content that scrolls vertically; by its `action` the client knows it again on the next screen. Takes the room that is left, and where the height
/// around it is given it asks for none.
pub fn scroll(action: Action, content: impl Into<Element>) -> Element {
    let content = Box::new(content.into());
    Element::new(Content::Scroll { action, offset: 0, content }).grow()
}

/// `content` in a room that does not follow from it: `height` dp high, and as wide as the column around it. What changes within moves nothing
/// around it, so that is not laid out anew. In a row it has no width of its own.
pub fn apart(height: i32, content: impl Into<Element>) -> Element {
    let mut element = Element::new(Content::Apart(Box::new(content.into())));
    element.spec.height = Some(height);
    element
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

/// `toast` over the title of the screen `under`, which stays usable. For screens without a place of their own for it: where
/// something scrolls, a toast takes room from that.
pub fn toast_over(under: impl Into<Element>, toast: Toast) -> Element {
    over(under.into(), toast.on_bar().into(), Cover::Float)
}

fn over(under: Element, content: Element, cover: Cover) -> Element {
    Element::new(Content::Over(Box::new(Over { under, content, cover })))
}
