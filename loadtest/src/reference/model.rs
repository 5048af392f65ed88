//! What the reference till knows: a cart, a tab, a page, digits typed.

use serde::{Deserialize, Serialize};

/// Products of a tab, and rows of the cart that are visible.
pub const PRODUCTS: usize = 16;
/// Rows of the cart that are visible.
pub const ROWS: usize = 8;
/// Digits of an amount.
const DIGITS: usize = 8;

/// The tabs.
pub const TABS: [&str; 5] = ["Drinks", "Food", "Snacks", "Coffee", "Other"];

/// The keys of the keypad.
pub const KEYS: [&str; 12] = ["7", "8", "9", "4", "5", "6", "1", "2", "3", "00", "0", "<"];

/// The products of each tab.
pub const NAMES: [[&str; PRODUCTS]; 5] = [
    [
        "Cola 0.33",
        "Water",
        "Orange juice",
        "Lemonade",
        "Iced tea",
        "Beer 0.5",
        "Wine red",
        "Wine white",
        "Tonic",
        "Ginger ale",
        "Smoothie",
        "Milk",
        "Cocoa",
        "Syrup",
        "Energy",
        "Cider",
    ],
    [
        "Burger",
        "Cheeseburger",
        "Fries",
        "Salad",
        "Soup",
        "Pizza M",
        "Pizza L",
        "Pasta",
        "Wrap",
        "Hot dog",
        "Steak",
        "Fish",
        "Rice bowl",
        "Curry",
        "Kebab",
        "Falafel",
    ],
    [
        "Chips",
        "Nuts",
        "Pretzel",
        "Choco bar",
        "Gummies",
        "Cookies",
        "Popcorn",
        "Crackers",
        "Muesli",
        "Banana",
        "Apple",
        "Donut",
        "Muffin",
        "Brownie",
        "Ice cream",
        "Waffle",
    ],
    [
        "Espresso",
        "Doppio",
        "Macchiato",
        "Cappuccino",
        "Latte",
        "Flat white",
        "Americano",
        "Mocha",
        "Filter",
        "Decaf",
        "Chai",
        "Green tea",
        "Black tea",
        "Mint tea",
        "Matcha",
        "Affogato",
    ],
    [
        "Bag",
        "Gift card",
        "Deposit",
        "Newspaper",
        "Umbrella",
        "Mug",
        "T-shirt",
        "Postcard",
        "Map",
        "Battery",
        "Charger",
        "SIM card",
        "Stamp",
        "Pen",
        "Notebook",
        "Ticket",
    ],
];

/// The price of the product at `index` of any tab, in cents.
pub const fn price_cents(index: usize) -> u64 {
    120 + ((index as u64 * 37) % 90) * 10
}

/// Cents as the till writes them: `12.70`.
pub fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// Which page is in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Page {
    /// Tabs, products and the cart.
    Sale,
    /// The keypad.
    Pay,
    /// The receipt of the last sale.
    Receipt,
}

/// A line of the cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    tab: u8,
    index: u8,
    /// How many.
    pub quantity: u64,
}

impl Line {
    /// The product.
    pub const fn name(&self) -> &'static str {
        NAMES[self.tab as usize][self.index as usize]
    }

    /// What it costs, in cents.
    pub const fn total_cents(&self) -> u64 {
        price_cents(self.index as usize) * self.quantity
    }
}

/// What a tap on one of the areas does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Shows a tab.
    Tab(u8),
    /// Puts a product of the tab that is shown into the cart.
    Product(u8),
    /// Scrolls the cart back by a row.
    Up,
    /// Scrolls the cart on by a row.
    Down,
    /// Empties the cart.
    Void,
    /// Opens the keypad.
    Pay,
    /// Types a key.
    Key(u8),
    /// Leaves the keypad.
    Back,
    /// Takes the money and shows the receipt.
    Cash,
    /// Starts the next sale.
    NewSale,
}

impl Press {
    /// Two bytes: what, and which.
    pub const fn bytes(self) -> [u8; 2] {
        match self {
            Self::Tab(index) => [0, index],
            Self::Product(index) => [1, index],
            Self::Up => [2, 0],
            Self::Down => [3, 0],
            Self::Void => [4, 0],
            Self::Pay => [5, 0],
            Self::Key(index) => [6, index],
            Self::Back => [7, 0],
            Self::Cash => [8, 0],
            Self::NewSale => [9, 0],
        }
    }

    /// The press of these bytes.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let [what, index] = *bytes else { return None };
        let press = match what {
            0 => Self::Tab(index),
            1 => Self::Product(index),
            2 => Self::Up,
            3 => Self::Down,
            4 => Self::Void,
            5 => Self::Pay,
            6 => Self::Key(index),
            7 => Self::Back,
            8 => Self::Cash,
            9 => Self::NewSale,
            _ => return None,
        };
        let within = match press {
            Self::Tab(index) => usize::from(index) < TABS.len(),
            Self::Product(index) => usize::from(index) < PRODUCTS,
            Self::Key(index) => usize::from(index) < KEYS.len(),
            _ => index == 0,
        };
        within.then_some(press)
    }
}

/// The state of the till.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// The page in front.
    pub page: Page,
    /// The tab that is shown.
    pub tab: usize,
    /// The cart.
    pub cart: Vec<Line>,
    /// The first visible row of the cart.
    pub offset: usize,
    /// The digits typed.
    pub digits: String,
}

impl Default for Model {
    fn default() -> Self {
        Self { page: Page::Sale, tab: 0, cart: Vec::new(), offset: 0, digits: String::new() }
    }
}

impl Model {
    /// What the cart costs, in cents.
    pub fn total_cents(&self) -> u64 {
        self.cart.iter().map(Line::total_cents).sum()
    }

    /// What was typed, in cents.
    pub fn tendered_cents(&self) -> u64 {
        self.digits.parse().unwrap_or(0)
    }

    /// What goes back, in cents.
    pub fn change_cents(&self) -> u64 {
        self.tendered_cents().saturating_sub(self.total_cents())
    }

    /// Does what a press does.
    pub fn press(&mut self, press: Press) {
        match press {
            Press::Tab(index) => self.tab = usize::from(index),
            Press::Product(index) => self.add(usize::from(index)),
            Press::Up => self.offset = self.offset.saturating_sub(1),
            Press::Down => self.offset = (self.offset + 1).min(self.largest_offset()),
            Press::Void => self.clear(),
            Press::Pay => {
                self.digits.clear();
                self.page = Page::Pay;
            }
            Press::Key(index) => self.key(KEYS[usize::from(index)]),
            Press::Back => self.page = Page::Sale,
            Press::Cash => self.page = Page::Receipt,
            Press::NewSale => {
                self.clear();
                self.page = Page::Sale;
            }
        }
    }

    fn largest_offset(&self) -> usize {
        self.cart.len().saturating_sub(ROWS)
    }

    fn add(&mut self, index: usize) {
        let (tab, index) = (self.tab as u8, index as u8);
        match self.cart.iter_mut().find(|line| line.tab == tab && line.index == index) {
            Some(line) => line.quantity += 1,
            None => self.cart.push(Line { tab, index, quantity: 1 }),
        }
        self.offset = self.largest_offset();
    }

    fn key(&mut self, key: &str) {
        if key == "<" {
            self.digits.pop();
        } else {
            self.digits.push_str(key);
            self.digits.truncate(DIGITS);
        }
    }

    fn clear(&mut self) {
        self.cart.clear();
        self.offset = 0;
    }

    /// The lines of the receipt.
    pub fn receipt(&self) -> Vec<String> {
        let line = |line: &Line| {
            format!("{:>2} x {:<16}{:>8}", line.quantity, line.name(), amount(line.total_cents()))
        };
        let mut lines = vec!["ACME STORE 12".to_owned(), String::new()];
        lines.extend(self.cart.iter().map(line));
        lines.push(String::new());
        lines.push(format!("{:<21}{:>8}", "TOTAL", amount(self.total_cents())));
        lines.push(format!("{:<21}{:>8}", "CASH", amount(self.tendered_cents())));
        lines
    }
}
