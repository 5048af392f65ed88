//! What is learned from taps: where a tap was made, and what it was, in numbers that mean the same on another day and another table.
//!
//! Invariants: nothing tells one digit of a PIN from another; who logs in is not learned.

use crate::app::{App, Order, PinEntry, Screen, Sheet};
use crate::{Key, Tap};

/// An input, as habits see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habit {
    /// The kind of screen that it is made on.
    pub screen: u32,
    /// The kind of input.
    pub kind: u8,
    /// What tells it from others of its kind, the same every day; `None`: only its place among them.
    pub what: Option<u64>,
    /// How likely it is, before anything is known, compared with others.
    pub prior: f32,
    /// Whether it is learned how often it is done.
    pub memory: Memory,
}

/// Whether an input is learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// How often it is done, and after what, is counted.
    Counted,
    /// Nothing of it is kept, nor that something followed it: it would tell who did it.
    Private,
}

/// The kind of every digit of a PIN.
const PIN_DIGIT: u8 = 50;

const fn types_pin(app: &App) -> bool {
    matches!(app.screen, Screen::Pin(_))
}

/// What a tap on the screen of an app is.
pub fn habit_of_tap(app: &App, tap: &Tap) -> Habit {
    let (kind, what, prior) = match tap {
        Tap::Back => (0, Some(0), 2.0),
        Tap::Dismiss => (1, Some(0), 0.05),
        Tap::Digit(_) if types_pin(app) => (PIN_DIGIT, Some(0), 1.0),
        Tap::Digit(digit) => (2, Some(u64::from(*digit)), 1.0),
        Tap::DoubleZero => (3, Some(0), 1.0),
        Tap::Erase => (4, Some(0), 0.5),
        Tap::Person(staff) => (5, Some(u64::from(staff.0)), 1.0),
        Tap::LogOut => (6, Some(0), 0.2),
        Tap::Filter(filter) => (7, Some(bits(&Tap::Filter(*filter))), 1.0),
        Tap::Layout(_) => (8, Some(0), 0.2),
        Tap::Table(table) => (9, Some(u64::from(table.0)), 1.0),
        Tap::Direct => (10, Some(0), 2.0),
        Tap::Group(group) => (11, Some(u64::from(group.0)), 1.0),
        Tap::Product(product) => (12, Some(u64::from(product.0)), 1.0),
        Tap::ProductDetails(product) => (13, Some(u64::from(product.0)), 0.05),
        Tap::Search => (14, Some(0), 0.3),
        Tap::PullList => (15, Some(0), 0.5),
        Tap::Line(_) => (16, None, 0.5),
        Tap::Send => (17, Some(0), 1.5),
        Tap::ToPay => (18, Some(0), 1.5),
        Tap::Guests => (19, Some(0), 0.5),
        Tap::GuestCount(guests) => (20, Some(u64::from(*guests)), 1.0),
        Tap::Modifier(modifier) => (21, Some(u64::from(modifier.0)), 1.5),
        Tap::More => (22, Some(0), 2.0),
        Tap::Less => (23, Some(0), 1.0),
        Tap::Accept => (24, Some(0), 3.0),
        Tap::Repeat => (25, Some(0), 0.5),
        Tap::Delete => (26, Some(0), 1.0),
        Tap::Options => (27, Some(0), 0.5),
        Tap::Tender(_) => (28, None, 1.0),
        Tap::PayCash { .. } => (29, Some(0), 2.0),
        Tap::Reprint => (30, Some(0), 0.0),
        Tap::Done => (31, Some(0), 3.0),
        Tap::SearchText | Tap::NoteText => (32, None, 0.0),
    };
    let memory = if matches!(tap, Tap::Person(_)) { Memory::Private } else { Memory::Counted };
    Habit { screen: screen(app), kind, what, prior, memory }
}

/// What a key on the screen of an app is.
pub fn habit_of_key(app: &App, key: Key) -> Habit {
    let (kind, what) = match key {
        Key::Digit(_) if types_pin(app) => (PIN_DIGIT, 0),
        Key::Digit(digit) => (40, u64::from(digit)),
        Key::Backspace => (41, 0),
        Key::Enter => (42, 0),
        Key::Back => (43, 0),
    };
    Habit { screen: screen(app), kind, what: Some(what), prior: 0.3, memory: Memory::Counted }
}

/// The kind of screen: what fills it, and what lies over it.
fn screen(app: &App) -> u32 {
    match &app.screen {
        Screen::People => 0,
        Screen::Pin(PinEntry { pin, .. }) => 0x100 + pin.len() as u32,
        Screen::Tables => 0x200,
        Screen::Order(Order { sheet: Some(Sheet::Choice(choice)), .. }) => 0x300 + u32::from(choice.insisted),
        Screen::Order(Order { sheet: Some(Sheet::Line(_)), .. }) => 0x400,
        Screen::Order(Order { sheet: Some(Sheet::Guests), .. }) => 0x500,
        Screen::Order(Order { search: Some(_), .. }) => 0x600,
        Screen::Order(order) => 0x1_0000 + order.group.map_or(0, |group| group.0),
        Screen::Pay(_) => 0x700,
        Screen::Receipt(_) => 0x800,
    }
}

/// A tap as a number.
fn bits(tap: &Tap) -> u64 {
    tap.action().bytes().iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte))
}
