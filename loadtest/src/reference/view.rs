//! What the reference till shows: a tree of nodes for a state, at fixed positions on 720x1280 pixels.
//!
//! What never changes (bar, keypad, the products of a tab) is built once and shared by all instances.

use std::sync::Arc;

use tresen_scene::{Action, Color, Node, Op, Point, Rect, Role, Size, Touch, TouchState};
use tresen_typeset::Typesetter;

use super::letters::{self, Anchor, Font};
use super::model::{self, KEYS, Line, Model, NAMES, Page, Press, ROWS, TABS};

/// The screen in pixels.
pub const SIZE: Size = Size::new(720, 1280);

const GROUND: Color = Color::rgb(0xf3f4f6);
const DARK: Color = Color::rgb(0x1f2937);
const ACCENT: Color = Color::rgb(0x2563eb);
const GREEN: Color = Color::rgb(0x16a34a);
const WHITE: Color = Color::rgb(0xffffff);
const BORDER: Color = Color::rgb(0xd1d5db);
const VOID: Color = Color::rgb(0xfecaca);
const GREY: Color = Color::rgb(0xe5e7eb);
const MUTED: Color = Color::rgb(0x6b7280);
const TAB_COLORS: [Color; 5] = [
    Color::rgb(0xdbeafe),
    Color::rgb(0xfee2e2),
    Color::rgb(0xfef9c3),
    Color::rgb(0xede9fe),
    Color::rgb(0xdcfce7),
];

/// What a node is, whatever it shows: a node is coded against the last one of the same key.
mod key {
    pub const ROOT: u64 = 1;
    pub const CHROME: u64 = 2;
    pub const TABS: u64 = 3;
    pub const PRODUCTS: u64 = 4;
    pub const CART: u64 = 5;
    pub const TOTAL: u64 = 6;
    pub const PAY_ROOT: u64 = 7;
    pub const KEYPAD: u64 = 8;
    pub const TO_PAY: u64 = 9;
    pub const TYPED: u64 = 10;
    pub const CHANGE: u64 = 11;
    pub const RECEIPT: u64 = 12;
    pub const ROW: u64 = 100;
}

/// Builds screens.
pub struct View {
    typesetter: Arc<Typesetter>,
    chrome: Arc<Node>,
    tabs: Vec<Arc<Node>>,
    products: Vec<Arc<Node>>,
    keypad: Arc<Node>,
    blank_row: Arc<Node>,
}

impl View {
    /// Builds what never changes.
    pub fn new(typesetter: Arc<Typesetter>) -> Self {
        let brush = Brush::new(&typesetter);
        Self {
            chrome: brush.chrome(),
            tabs: (0..TABS.len()).map(|tab| brush.tabs(tab)).collect(),
            products: (0..TABS.len()).map(|tab| brush.products(tab)).collect(),
            keypad: brush.keypad(),
            blank_row: brush.row(None, 0),
            typesetter,
        }
    }

    /// The screen for a state.
    pub fn root(&self, model: &Model) -> Arc<Node> {
        match model.page {
            Page::Sale => self.sale(model),
            Page::Pay => self.pay(model),
            Page::Receipt => self.receipt(model),
        }
    }

    fn sale(&self, model: &Model) -> Arc<Node> {
        let brush = Brush::new(&self.typesetter);
        let rows = (0..ROWS).map(|row| {
            let line = model.cart.get(model.offset + row);
            let node = line.map_or_else(|| self.blank_row.clone(), |line| brush.row(Some(line), row as u64));
            child(0, row as i32 * 52, node)
        });
        let cart = self.node(key::CART, rows.collect());
        let ops = vec![
            child(0, 0, self.chrome.clone()),
            child(0, 64, self.tabs[model.tab].clone()),
            child(8, 136, self.products[model.tab].clone()),
            child(8, 670, cart),
            child(0, 1090, brush.total(model.total_cents())),
        ];
        self.node(key::ROOT, ops)
    }

    fn pay(&self, model: &Model) -> Arc<Node> {
        let label = |key: u64, size: Size, ground: Color, text: String, font, color, anchor| {
            let mut brush = Brush::new(&self.typesetter);
            let rect = Rect::of_size(size);
            brush.fill(rect, ground);
            brush.text(rect, &[&text], font, color, anchor);
            brush.done(key)
        };
        let to_pay = format!("To pay {} EUR", model::amount(model.total_cents()));
        let change = format!("Change {}", model::amount(model.change_cents()));
        let typed = model::amount(model.tendered_cents());
        let (head, amount, below) = (Size::new(720, 140), Size::new(704, 120), Size::new(704, 60));
        let ops = vec![
            child(0, 0, self.keypad.clone()),
            child(0, 0, label(key::TO_PAY, head, DARK, to_pay, letters::BOLD_30, WHITE, Anchor::Centre)),
            child(8, 156, label(key::TYPED, amount, WHITE, typed, letters::SANS_40, DARK, Anchor::East(25))),
            child(8, 290, label(key::CHANGE, below, GROUND, change, letters::SANS_22, MUTED, Anchor::Centre)),
        ];
        self.node(key::PAY_ROOT, ops)
    }

    fn receipt(&self, model: &Model) -> Arc<Node> {
        let mut brush = Brush::new(&self.typesetter);
        let paper = Rect::new(40, 40, 640, 1000);
        brush.fill(Rect::of_size(SIZE), GROUND);
        brush.fill(paper, WHITE);
        let lines = model.receipt();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        brush.text(paper, &lines, letters::MONO_16, DARK, Anchor::NorthWest(41));
        let place = Rect::new(40, 1070, 640, 190);
        brush.button(place, "NEW SALE", ACCENT, WHITE, letters::BOLD_34, Press::NewSale);
        brush.done(key::RECEIPT)
    }

    fn node(&self, key: u64, ops: Vec<Op>) -> Arc<Node> {
        Node::new(self.typesetter.namer(), key, ops)
    }
}

const fn child(x: i32, y: i32, node: Arc<Node>) -> Op {
    Op::Child { at: Point::new(x, y), node }
}

/// Collects the ops of a node.
struct Brush<'a> {
    typesetter: &'a Arc<Typesetter>,
    ops: Vec<Op>,
}

impl<'a> Brush<'a> {
    const fn new(typesetter: &'a Arc<Typesetter>) -> Self {
        Self { typesetter, ops: Vec::new() }
    }

    fn done(self, key: u64) -> Arc<Node> {
        Node::new(self.typesetter.namer(), key, self.ops)
    }

    fn fill(&mut self, rect: Rect, color: Color) {
        self.ops.push(Op::Fill { rect, color });
    }

    fn text(&mut self, rect: Rect, lines: &[&str], font: Font, color: Color, anchor: Anchor) {
        letters::draw(self.typesetter, &mut self.ops, rect, lines, font, color, anchor);
    }

    fn touch(&mut self, rect: Rect, press: Press) {
        self.ops.push(Op::from(Touch {
            rect,
            action: Action::new(&press.bytes()),
            hold: None,
            role: Role::Button,
            label: None,
            state: TouchState::default(),
            pressed: None,
        }));
    }

    /// A label with a border of one pixel that can be pressed.
    fn button(&mut self, rect: Rect, text: &str, ground: Color, ink: Color, font: Font, press: Press) {
        self.fill(rect, BORDER);
        self.fill(rect.inset(tresen_scene::Insets::all(1)), ground);
        self.text(rect, &[text], font, ink, Anchor::Centre);
        self.touch(rect, press);
    }

    fn chrome(&self) -> Arc<Node> {
        let mut brush = Brush::new(self.typesetter);
        let bar = Rect::new(0, 0, 720, 64);
        brush.fill(Rect::of_size(SIZE), GROUND);
        brush.fill(bar, DARK);
        brush.text(bar, &["Store 12  ·  Till 3  ·  Anna"], letters::SANS_18, WHITE, Anchor::West(17));
        let place = |x, w| Rect::new(x, 1180, w, 92);
        brush.button(place(8, 100), "Up", WHITE, DARK, letters::SANS_16, Press::Up);
        brush.button(place(112, 100), "Down", WHITE, DARK, letters::SANS_16, Press::Down);
        brush.button(place(216, 150), "Void", VOID, DARK, letters::SANS_18, Press::Void);
        brush.button(place(370, 342), "PAY", GREEN, WHITE, letters::BOLD_28, Press::Pay);
        brush.done(key::CHROME)
    }

    fn tabs(&self, selected: usize) -> Arc<Node> {
        let mut brush = Brush::new(self.typesetter);
        for (index, name) in TABS.iter().enumerate() {
            let (ground, ink) = if index == selected { (ACCENT, WHITE) } else { (WHITE, DARK) };
            let place = Rect::new(index as i32 * 144, 0, 144, 64);
            brush.button(place, name, ground, ink, letters::SANS_16, Press::Tab(index as u8));
        }
        brush.done(key::TABS)
    }

    fn products(&self, tab: usize) -> Arc<Node> {
        let mut brush = Brush::new(self.typesetter);
        for (index, name) in NAMES[tab].iter().enumerate() {
            let (column, row) = (index as i32 % 4, index as i32 / 4);
            let place = Rect::new(column * 177, row * 132, 172, 126);
            brush.fill(place, BORDER);
            brush.fill(place.inset(tresen_scene::Insets::all(1)), TAB_COLORS[tab]);
            let price = model::amount(model::price_cents(index));
            brush.text(place, &[name, &price], letters::SANS_15, DARK, Anchor::Centre);
            brush.touch(place, Press::Product(index as u8));
        }
        brush.done(key::PRODUCTS)
    }

    fn row(&self, line: Option<&Line>, row: u64) -> Arc<Node> {
        let mut brush = Brush::new(self.typesetter);
        let (left, right) = (Rect::new(0, 0, 520, 50), Rect::new(520, 0, 184, 50));
        brush.fill(Rect::new(0, 0, 704, 50), WHITE);
        let Some(line) = line else { return brush.done(0) };
        let what = format!("{} x {}", line.quantity, line.name());
        let amount = model::amount(line.total_cents());
        brush.text(left, &[&what], letters::SANS_16, DARK, Anchor::West(11));
        brush.text(right, &[&amount], letters::SANS_16, DARK, Anchor::East(11));
        brush.done(key::ROW + row)
    }

    fn total(&self, cents: u64) -> Arc<Node> {
        let mut brush = Brush::new(self.typesetter);
        let place = Rect::new(0, 0, 720, 80);
        brush.fill(place, DARK);
        let text = format!("Total  {} EUR", model::amount(cents));
        brush.text(place, &[&text], letters::BOLD_26, WHITE, Anchor::East(17));
        brush.done(key::TOTAL)
    }

    fn keypad(&self) -> Arc<Node> {
        let mut brush = Brush::new(self.typesetter);
        brush.fill(Rect::of_size(SIZE), GROUND);
        for (index, name) in KEYS.iter().enumerate() {
            let (column, row) = (index as i32 % 3, index as i32 / 3);
            let place = Rect::new(8 + column * 236, 370 + row * 170, 232, 164);
            brush.button(place, name, WHITE, DARK, letters::SANS_34, Press::Key(index as u8));
        }
        brush.button(Rect::new(8, 1070, 232, 190), "Back", GREY, DARK, letters::SANS_24, Press::Back);
        brush.button(Rect::new(244, 1070, 468, 190), "CASH OK", GREEN, WHITE, letters::BOLD_34, Press::Cash);
        brush.done(key::KEYPAD)
    }
}
