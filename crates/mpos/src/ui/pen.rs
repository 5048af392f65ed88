//! Drawing within a component.

use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::{
    Action, Color, Field, Insets, Keyboard, Label, Node, Op, Point, Rect, Role, Size, Sprite, Touch,
    TouchState,
};
use tresen_typeset::{Corners, Drawn, Icon, Paragraph, Scaled, Shaped, TextStyle, Weight};

use super::{Developing, Ink, Kit, MIN_TARGET, Marks, Type};

/// Collects the ops of one node. Rectangles are in device pixels of the node.
pub struct Pen<'a> {
    kit: &'a Kit,
    size: Size,
    ops: Vec<Op>,
    lacks_photo: bool,
}

/// What a press on an area does and is called.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Press {
    pub(crate) action: Action,
    pub(crate) hold: Option<Action>,
    pub(crate) role: Role,
    pub(crate) label: Option<SmolStr>,
    pub(crate) state: TouchState,
    /// What is laid over it while it is pressed.
    pub(crate) ink: Ink,
}

impl Press {
    pub(crate) fn button(action: Action) -> Self {
        Self {
            action,
            hold: None,
            role: Role::Button,
            label: None,
            state: TouchState::default(),
            ink: Ink::Press,
        }
    }
}

impl Press {
    /// What keeps a press from what lies below.
    pub(crate) fn blocked() -> Self {
        let state = TouchState { disabled: true, ..TouchState::default() };
        Self { state, label: Some(SmolStr::default()), ..Self::button(Action::new(&[])) }
    }
}

impl<'a> Pen<'a> {
    pub(super) fn new(kit: &'a Kit, size: Size) -> Self {
        Self { kit, size, ops: Vec::with_capacity(8), lacks_photo: false }
    }

    pub(super) fn into_ops(self) -> Vec<Op> {
        self.ops
    }

    /// The node of all that was drawn.
    pub(super) fn into_node(self, key: u64) -> Drawn {
        let node = Node::new(self.kit.typesetter.namer(), key, self.ops);
        if self.lacks_photo { Drawn::Unfinished(node) } else { Drawn::Finished(node) }
    }

    /// A photo at a size, with round upper corners; `None` when it can't be read, or is not there yet.
    pub fn photo(&mut self, bytes: &Arc<[u8]>, size: Size, radius: i32) -> Option<Arc<Sprite>> {
        let missing = match &self.kit.developing {
            Developing::AtOnce => return self.kit.typesetter.photo(bytes, size, radius).ok(),
            Developing::Later(missing) => missing,
        };
        match self.kit.typesetter.photo_if_scaled(bytes, size, radius) {
            Scaled::Here(sprite) => Some(sprite),
            Scaled::Never => None,
            Scaled::NotYet(wanted) => {
                missing.note(wanted);
                self.lacks_photo = true;
                None
            }
        }
    }

    /// What it draws with.
    pub fn kit(&self) -> &'a Kit {
        self.kit
    }

    /// The size that the component was given, in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// All of it.
    pub const fn area(&self) -> Rect {
        Rect::of_size(self.size)
    }

    /// `dp` in device pixels.
    pub fn px(&self, dp: i32) -> i32 {
        self.kit.px(dp)
    }

    /// The colour of a token.
    pub const fn color(&self, ink: Ink) -> Color {
        ink.color(self.kit.theme)
    }

    /// Any op.
    pub fn op(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// A sharp rectangle.
    pub fn fill(&mut self, rect: Rect, ink: Ink) {
        let color = self.color(ink);
        self.ops.push(Op::Fill { rect, color });
    }

    /// A rectangle with corners of `radius` dp.
    pub fn rounded(&mut self, rect: Rect, radius: i32, corners: Corners, ink: Ink) {
        let (radius, color) = (self.px(radius), self.color(ink));
        self.rounded_px(rect, radius, corners, color);
    }

    fn rounded_px(&mut self, rect: Rect, radius: i32, corners: Corners, color: Color) {
        let radius = radius.min(rect.w / 2).min(rect.h / 2).max(0);
        if radius == 0 {
            self.ops.push(Op::Fill { rect, color });
        } else {
            self.ops.push(self.kit.typesetter.rounded(radius, corners).draw(rect, color));
        }
    }

    /// A rectangle with corners of `radius` dp within a hairline.
    pub fn outlined(&mut self, rect: Rect, radius: i32, corners: Corners, fill: Ink, line: Ink) {
        let (hair, radius) = (self.hairline(), self.px(radius));
        let (fill, line) = (self.color(fill), self.color(line));
        self.rounded_px(rect, radius, corners, line);
        self.rounded_px(rect.inset(Insets::all(hair)), radius - hair, corners, fill);
    }

    /// The soft shadow of a rectangle with corners of `radius` dp, `blur` dp wide and `drop` dp lower.
    pub fn shadow(&mut self, rect: Rect, radius: i32, blur: i32, drop: i32) {
        let (radius, blur, drop) = (self.px(radius), self.px(blur), self.px(drop));
        let shadow = self.kit.typesetter.shadow(radius, blur);
        self.ops.push(shadow.draw(rect.offset(Point::new(0, drop)), self.color(Ink::Shadow)));
    }

    /// The thickness of the thinnest line, in pixels.
    pub fn hairline(&self) -> i32 {
        self.px(1)
    }

    /// Shapes a line.
    pub fn shape(&self, text: &str, of: Type, weight: Weight) -> Arc<Shaped> {
        self.shape_style(text, of.style(weight))
    }

    /// Shapes a line in any font.
    pub fn shape_style(&self, text: &str, style: TextStyle) -> Arc<Shaped> {
        self.kit.typesetter.shape(text, style, self.kit.scale)
    }

    /// Breaks a text into at most `lines` lines of at most `width` pixels.
    pub fn wrap(&self, text: &str, of: Type, weight: Weight, width: i32, lines: usize) -> Arc<Paragraph> {
        self.kit.typesetter.wrap(text, of.style(weight), self.kit.scale, width, lines)
    }

    /// Draws a line with its left end at `x`, centred in the line box of `height` pixels at `top`.
    pub fn line(&mut self, shaped: &Shaped, x: i32, top: i32, height: i32, ink: Ink) {
        if !shaped.is_empty() {
            self.ops.push(shaped.draw(Point::new(x, shaped.centred(top, height)), self.color(ink)));
        }
    }

    /// Draws a line with its right end at `right`.
    pub fn line_right(&mut self, shaped: &Shaped, right: i32, top: i32, height: i32, ink: Ink) {
        self.line(shaped, right - shaped.width(), top, height, ink);
    }

    /// Draws a line in the middle of `rect`.
    pub fn line_centred(&mut self, shaped: &Shaped, rect: Rect, ink: Ink) {
        self.line(shaped, rect.x + (rect.w - shaped.width()) / 2, rect.y, rect.h, ink);
    }

    /// Draws lines below one another, each `line` pixels high.
    pub fn paragraph(&mut self, paragraph: &Paragraph, x: i32, top: i32, line: i32, ink: Ink) {
        for (index, shaped) in (0..).zip(paragraph.lines()) {
            self.line(shaped, x, top + index * line, line, ink);
        }
    }

    /// Draws an icon of `side` dp in the middle of `rect`.
    pub fn icon(&mut self, icon: Icon, side: i32, rect: Rect, ink: Ink) {
        let side = self.px(side);
        let at = Point::new(rect.x + (rect.w - side) / 2, rect.y + (rect.h - side) / 2);
        let mask = self.kit.typesetter.icon(icon, side);
        self.ops.push(Op::Mask { at, mask, color: self.color(ink) });
    }

    /// A row of dots, `width` pixels long, its top left corner at `at`.
    pub fn dots(&mut self, at: Point, width: i32, ink: Ink) {
        if width > 0 {
            let mask = self.kit.typesetter.dots(width, self.px(2).max(1));
            self.ops.push(Op::Mask { at, mask, color: self.color(ink) });
        }
    }

    /// The thin line at the lower edge of what is under way.
    pub fn pending(&mut self, rect: Rect, ink: Ink) {
        let (inset, height) = (self.px(16), self.px(2).max(1));
        let line = Rect::new(rect.x + inset, rect.bottom() - self.px(6), (rect.w - 2 * inset).max(0), height);
        let color = self.color(ink);
        self.ops.push(Op::Fill { rect: line, color: color.with_alpha(70) });
        self.ops.push(Op::Fill { rect: Rect { w: line.w / 3, ..line }, color });
    }

    /// Makes `rect` something to press; while it is pressed, its shape (corners of `radius` dp, `drawn` within it) darkens.
    pub(crate) fn press(&mut self, rect: Rect, drawn: Rect, radius: i32, press: &Press) {
        self.ops.push(Op::from(touch(self.kit, rect, drawn, radius, press)));
    }

    /// A name for what is read, not pressed.
    pub fn label(&mut self, rect: Rect, role: Role, text: Option<SmolStr>) {
        self.ops.push(Op::Label(Label { rect, role, text }));
    }

    /// What stands in `rect` is an amount that others may change.
    pub fn shared(&mut self, rect: Rect) {
        if self.kit.marks == Marks::Told {
            self.label(rect, Role::Shared, None);
        }
    }

    /// A text field.
    pub fn field(&mut self, rect: Rect, action: Action, keyboard: Keyboard, label: SmolStr, value: SmolStr) {
        self.ops.push(Op::from(Field { rect, action, keyboard, label, value }));
    }
}

/// A touch area with its pressed look.
pub(crate) fn touch(kit: &Kit, rect: Rect, drawn: Rect, radius: i32, press: &Press) -> Touch {
    let least = kit.px(MIN_TARGET) - 1;
    debug_assert!(rect.w >= least && rect.h >= least, "a target of {rect:?} is too small: {press:?}");
    let pressed = (!press.state.disabled).then(|| {
        let place = Rect::new(drawn.x - rect.x, drawn.y - rect.y, drawn.w, drawn.h);
        pressed_look(kit, place, radius, press.ink)
    });
    Touch {
        rect,
        action: press.action.clone(),
        hold: press.hold.clone(),
        role: press.role,
        label: press.label.clone(),
        state: press.state,
        pressed,
    }
}

fn pressed_look(kit: &Kit, rect: Rect, radius: i32, ink: Ink) -> Arc<Node> {
    let mut pen = Pen::new(kit, rect.size());
    pen.rounded(rect, radius, Corners::All, ink);
    Node::new(kit.typesetter.namer(), 0, pen.into_ops())
}
