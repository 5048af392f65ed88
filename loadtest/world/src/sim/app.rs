//! A small till to simulate with: products that others change, a cart, a keypad, a note, bookings. `update` and `view` are pure, as
//! those of the real one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::*;
use tresen_wire::{Input, Key};

use crate::dice::Dice;

/// The screen.
pub const SIZE: Size = Size::new(96, 128);
/// Products on offer.
const MOST_PRODUCTS: usize = 16;
const ROW_H: i32 = 14;
/// How far the list goes with a page down.
const PAGE_PX: i32 = 42;
/// Beyond this it begins anew.
const MOST_SCROLLED_PX: i32 = 200;
const MOST_DIGITS: usize = 6;
/// Tasks that may wait; a tap beyond does nothing.
const MOST_TASKS: usize = 8;
/// Parts that are kept drawn.
const PARTS_KEPT: usize = 2_048;

/// What the person did: what an instance saves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    tab: u8,
    cart: BTreeMap<u16, u16>,
    digits: String,
    note: SmolStr,
    scroll: i32,
    sheet: Option<u16>,
    /// What was asked of the ledger and has no answer, oldest first.
    tasks: VecDeque<Task>,
}

/// Something that the ledger has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    /// An order: it stays within the till, so its outcome may be guessed.
    Order(u16),
    /// A payment: it leaves the till, and is never guessed.
    Pay,
}

/// What everybody sees: what the ledger holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    products: Vec<Product>,
    next_product: u16,
    /// Payments of this station.
    paid: u32,
    others: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Product {
    number: u16,
    price: u32,
    look: u32,
}

impl Shared {
    /// An offer to begin with.
    #[must_use]
    pub fn new(dice: &mut Dice) -> Self {
        let mut shared = Self { products: Vec::new(), next_product: 1, paid: 0, others: 0 };
        (0..4 + dice.below(8)).for_each(|_| shared.add(dice));
        shared
    }

    /// This station was paid.
    pub const fn pay(&mut self) {
        self.paid += 1;
    }

    /// Somebody else changes something.
    pub fn change(&mut self, dice: &mut Dice) {
        let at = dice.below(self.products.len() as u64) as usize;
        match dice.below(10) {
            0 => self.add(dice),
            1 if self.products.len() > 2 => drop(self.products.remove(at)),
            2 if self.products.len() > 2 => self.products.swap(0, at),
            3..7 => self.products[at].price = dice.below(100) as u32,
            _ => self.others += 1,
        }
    }

    fn add(&mut self, dice: &mut Dice) {
        if self.products.len() < MOST_PRODUCTS {
            let (price, look) = (dice.below(100) as u32, dice.below(6) as u32);
            self.products.push(Product { number: self.next_product, price, look });
            self.next_product = self.next_product % 40 + 1;
        }
    }
}

impl State {
    /// The person did something.
    pub fn update(&mut self, shared: &Shared, input: &Input) {
        match input {
            Input::Tap(action) => match *action.bytes() {
                [b'p', product] => self.take(product.into()),
                [b't', tab] => self.tab = tab,
                [b'd', digit] if self.digits.len() < MOST_DIGITS => self.digits.push(char::from(digit)),
                [b'c'] => {
                    self.digits.clear();
                    self.cart.clear();
                }
                [b'x'] => self.sheet = None,
                [b'o', product] if self.tasks.len() < MOST_TASKS => {
                    self.tasks.push_back(Task::Order(product.into()))
                }
                [b'b'] if self.tasks.len() < MOST_TASKS => self.tasks.push_back(Task::Pay),
                _ => {}
            },
            Input::Hold(action) => {
                if let [b'p', product] = *action.bytes() {
                    self.sheet = Some(product.into());
                }
            }
            Input::Text { text, .. } => self.note = text.chars().take(12).collect(),
            Input::Scan(code) => {
                let at = code.bytes().map(usize::from).sum::<usize>() % shared.products.len();
                self.take(shared.products[at].number);
            }
            Input::Key(Key::Digit(digit)) if self.digits.len() < MOST_DIGITS => {
                self.digits.push(char::from(b'0' + digit));
            }
            Input::Key(Key::Backspace) => drop(self.digits.pop()),
            Input::Key(Key::PageDown) => self.scroll = (self.scroll + PAGE_PX) % MOST_SCROLLED_PX,
            Input::Key(_) => self.sheet = None,
        }
    }

    /// Whether the ledger has something to do.
    #[must_use]
    pub fn has_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// The ledger has done the oldest task. Returns whether it was a payment.
    pub fn settle(&mut self) -> bool {
        match self.tasks.pop_front() {
            Some(Task::Order(product)) => self.take(product),
            Some(Task::Pay) => return true,
            None => {}
        }
        false
    }

    /// What an input will lead to when everything about it is done; `None` if that leaves the till.
    #[must_use]
    pub fn guess(&self, shared: &Shared, input: &Input) -> Option<Self> {
        let mut guessed = self.clone();
        guessed.update(shared, input);
        if guessed.tasks.contains(&Task::Pay) {
            return None;
        }
        while guessed.has_tasks() {
            guessed.settle();
        }
        Some(guessed)
    }

    /// Something else, to guess wrong on purpose.
    pub fn spoil(&mut self) {
        self.digits = "wrong".into();
        self.tab = 1;
    }

    fn take(&mut self, product: u16) {
        let count = self.cart.entry(product).or_default();
        *count = (*count + 1) % 100;
    }
}

/// Draws; keeps what it has drawn.
#[derive(Debug)]
pub struct Kit {
    namer: Namer,
    glyphs: HashMap<char, Arc<Glyph>>,
    parts: HashMap<(u64, String), Arc<Node>>,
    dark: bool,
}

impl Kit {
    /// A kit with a look of its own.
    #[must_use]
    pub fn new(dice: &mut Dice) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&dice.next().to_le_bytes());
        let dark = dice.below(2) == 0;
        Self { namer: Namer::new(key), glyphs: HashMap::new(), parts: HashMap::new(), dark }
    }

    /// What names are made with.
    #[must_use]
    pub const fn namer(&self) -> &Namer {
        &self.namer
    }

    /// The screen for a state.
    pub fn view(&mut self, state: &State, shared: &Shared) -> Arc<Node> {
        let (ink, paper) = self.colors();
        let head =
            format!("{} {} {}", shared.others % 1_000, shared.paid % 1_000, "~".repeat(state.tasks.len()));
        let mut ops = vec![
            Op::Fill { rect: Rect::of_size(SIZE), color: paper },
            Op::Child { at: Point::ZERO, node: self.line(1, &head, ink) },
            Op::Child { at: Point::new(0, 112), node: self.bar(state.tab) },
        ];
        match state.tab {
            0 => ops.push(self.list(state, shared)),
            1 => {
                ops.push(Op::Child { at: Point::new(0, 16), node: self.line(2, &state.digits, ink) });
                ops.push(Op::Child { at: Point::new(0, 32), node: self.keypad() });
            }
            _ => ops.push(Op::from(Field {
                rect: Rect::new(4, 30, 80, 20),
                action: Action::new(b"n"),
                keyboard: Keyboard::Text,
                label: "Note".into(),
                value: state.note.clone(),
            })),
        }
        if let Some(product) = state.sheet {
            let node = self.sheet(product, state.cart.get(&product).copied().unwrap_or(0));
            ops.push(Op::Clip { rect: Rect::new(10, 40, 76, 60), at: Point::new(10, 40), node });
        }
        Node::new(&self.namer, 0, ops)
    }

    fn colors(&self) -> (Color, Color) {
        let (light, dark) = (Color::rgb(0xf6_f4f0), Color::rgb(0x10_1820));
        if self.dark { (light, dark) } else { (dark, light) }
    }

    fn part(&mut self, key: u64, what: String, draw: impl FnOnce(&mut Self) -> Vec<Op>) -> Arc<Node> {
        if let Some(known) = self.parts.get(&(key, what.clone())) {
            return known.clone();
        }
        if self.parts.len() >= PARTS_KEPT {
            self.parts.clear();
        }
        let ops = draw(self);
        let node = Node::new(&self.namer, key, ops);
        self.parts.insert((key, what), node.clone());
        node
    }

    fn list(&mut self, state: &State, shared: &Shared) -> Op {
        let rows = shared.products.iter().enumerate().map(|(at, product)| {
            let count = state.cart.get(&product.number).copied().unwrap_or(0);
            Op::Child { at: Point::new(0, at as i32 * ROW_H), node: self.row(product, count) }
        });
        let rows: Vec<Op> = rows.collect();
        let content_h = rows.len() as i32 * ROW_H;
        let content = Node::new(&self.namer, 3, rows);
        let rect = Rect::new(0, 16, 96, 94);
        Op::Scroll(Scroll { rect, action: Action::new(b"l"), content, content_h, offset: state.scroll })
    }

    fn row(&mut self, product: &Product, count: u16) -> Arc<Node> {
        let Product { number, price, look } = *product;
        let text = format!("{number} {price} x{count}");
        let what = format!("{text} {look}");
        self.part(100 + u64::from(number), what, |kit| {
            let (ink, _) = kit.colors();
            let tint = Color::rgb((0x33_66aa * (look + 1)) & 0xff_ffff);
            let rect = Rect::new(0, 0, 96, ROW_H - 1);
            let fill = vec![Op::Fill { rect, color: tint.with_alpha(60) }];
            let picture: Vec<u8> = (0..6 * 6 * 4).map(|at: u32| (at * (look + 3)) as u8 | 1).collect();
            vec![
                kit.text(&text, Point::new(10, 10), ink),
                Op::Sprite {
                    at: Point::new(2, 3),
                    sprite: Sprite::new(&kit.namer, Size::new(6, 6), &picture),
                },
                Op::from(Touch {
                    rect,
                    action: Action::new(&[if look == 1 { b'o' } else { b'p' }, number as u8]),
                    hold: (look > 2).then(|| Action::new(&[b'p', number as u8])),
                    role: Role::ListItem,
                    label: None,
                    state: TouchState { selected: count > 0, disabled: look == 5, ..TouchState::default() },
                    pressed: Some(Node::new(&kit.namer, 0, fill)),
                }),
            ]
        })
    }

    fn sheet(&mut self, product: u16, count: u16) -> Arc<Node> {
        self.part(4, format!("{product} {count}"), |kit| {
            let (ink, paper) = kit.colors();
            let close = kit.button(Rect::new(4, 30, 40, 16), "X", b"x");
            let more = kit.button(Rect::new(48, 30, 24, 16), "+", &[b'p', product as u8]);
            let back = Op::Fill { rect: Rect::new(0, 0, 76, 60), color: paper.with_alpha(230) };
            vec![back, kit.text(&format!("{product}: {count}"), Point::new(4, 14), ink), close, more]
        })
    }

    fn bar(&mut self, tab: u8) -> Arc<Node> {
        self.part(5, tab.to_string(), |kit| {
            let tabs = (0..3_u8).map(|at| {
                let name = if at == tab { "O" } else { "o" };
                kit.button(Rect::new(i32::from(at) * 20, 0, 18, 14), name, &[b't', at])
            });
            let mut buttons: Vec<Op> = tabs.collect();
            buttons.push(kit.button(Rect::new(60, 0, 16, 14), "C", b"c"));
            buttons.push(kit.button(Rect::new(78, 0, 18, 14), "B", b"b"));
            buttons
        })
    }

    fn keypad(&mut self) -> Arc<Node> {
        self.part(6, String::new(), |kit| {
            let keys = (0..10_u8).map(|digit| {
                let place = Rect::new(i32::from(digit % 3) * 30, i32::from(digit / 3) * 18, 28, 16);
                kit.button(place, &digit.to_string(), &[b'd', b'0' + digit])
            });
            keys.collect()
        })
    }

    fn line(&mut self, key: u64, text: &str, ink: Color) -> Arc<Node> {
        self.part(key, text.into(), |kit| vec![kit.text(text, Point::new(4, 11), ink)])
    }

    fn button(&mut self, rect: Rect, text: &str, action: &[u8]) -> Op {
        let node = self.part(7, format!("{text} {action:?} {rect:?}"), |kit| {
            let (ink, _) = kit.colors();
            let face = kit.text(text, Point::new(rect.x + 5, rect.y + 11), ink);
            let touch = Touch {
                rect,
                action: Action::new(action),
                hold: None,
                role: Role::Button,
                label: Some(text.into()),
                state: TouchState::default(),
                pressed: None,
            };
            vec![face, Op::from(touch)]
        });
        Op::Child { at: Point::ZERO, node }
    }

    fn text(&mut self, text: &str, baseline: Point, color: Color) -> Op {
        let glyphs =
            text.chars().map(|letter| PlacedGlyph { glyph: self.glyph(letter), kern_64: 0 }).collect();
        Op::Text(TextRun { baseline, color, face: FaceId(0), glyphs })
    }

    fn glyph(&mut self, letter: char) -> Arc<Glyph> {
        let namer = &self.namer;
        let make = || {
            let alpha: Vec<u8> = (0..35).map(|at| (u32::from(letter) * (at + 3) * 13 % 256) as u8).collect();
            let mask = Mask::new(namer, Size::new(5, 7), &alpha);
            Glyph::new(namer, FaceId(0), letter.to_string().into(), 6 * 64, Point::new(0, -7), mask)
        };
        self.glyphs.entry(letter).or_insert_with(make).clone()
    }
}
