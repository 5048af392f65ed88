//! What a waiter does in a shift: logs in, then serves one guest after the other, each with other orders.

use rand::RngExt;
use rand::rngs::StdRng;

/// Every so many waiters, one serves tables; the others sell directly, as most do in a stadium.
pub const A_TABLE_WAITER_IN: u16 = 20;

/// Tables of an area that the benchmark adds: a screen's worth.
pub const TABLES_AN_AREA: u16 = 30;

/// One thing that a waiter does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Taps what has this name, or whose name begins with it and a space, comma or line break.
    Tap(String),
    /// Taps a key of a keypad.
    Key(&'static str),
}

/// Where a waiter sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Over the counter or along the rows: sees his own sales only.
    Direct,
    /// At one table of an area, of which the screen shows all.
    Table {
        /// The area's name.
        area: String,
        /// The table's name.
        table: String,
    },
}

/// A product that is ordered: its group, its name, and the answers to its questions.
struct Dish(&'static str, &'static str, &'static [&'static str]);

const MENU: [Dish; 24] = [
    Dish("Bier", "Helles 0,5", &[]),
    Dish("Bier", "Weißbier 0,5", &[]),
    Dish("Bier", "Radler 0,5", &[]),
    Dish("Bier", "Pils 0,33", &[]),
    Dish("Bier", "Kellerbier 0,5", &[]),
    Dish("Getränke", "Cola 0,33", &[]),
    Dish("Getränke", "Wasser still 0,5", &[]),
    Dish("Getränke", "Spezi 0,5", &[]),
    Dish("Getränke", "Apfelschorle 0,5", &[]),
    Dish("Küche", "Käsespätzle", &[]),
    Dish("Küche", "Currywurst", &[]),
    Dish("Küche", "Gulasch", &[]),
    Dish("Küche", "Wiener Schnitzel", &["Pommes"]),
    Dish("Küche", "Backhendl", &["Kartoffeln"]),
    Dish("Küche", "Rumpsteak", &["medium", "Pommes"]),
    Dish("Küche", "Burger Linde", &["well done", "Pommes"]),
    Dish("Vorspeisen", "Tomatensuppe", &[]),
    Dish("Vorspeisen", "Brotkorb", &[]),
    Dish("Salate", "Beilagensalat", &["Balsamico"]),
    Dish("Salate", "Kartoffelsalat", &[]),
    Dish("Kaffee", "Espresso", &[]),
    Dish("Kaffee", "Cappuccino", &[]),
    Dish("Wein", "Riesling 0,2", &[]),
    Dish("Dessert", "Apfelstrudel", &[]),
];

impl Beat {
    /// Where the waiter with this number sells.
    pub fn of(waiter: u16) -> Self {
        if !waiter.is_multiple_of(A_TABLE_WAITER_IN) {
            return Self::Direct;
        }
        let table = waiter / A_TABLE_WAITER_IN;
        Self::Table { area: area_name(table / TABLES_AN_AREA), table: table_name(table) }
    }

    /// The steps from the choice of the person to the first guest.
    pub fn log_in(&self) -> Vec<Step> {
        let (person, pin, tab) = match self {
            Self::Direct => ("Anna", ["1", "2", "3", "4"], "Mine"),
            Self::Table { area, .. } => ("Ben", ["2", "3", "4", "5"], area.as_str()),
        };
        let mut steps = vec![Step::Tap(person.into())];
        steps.extend(pin.map(Step::Key));
        steps.push(Step::Tap(tab.into()));
        steps
    }

    /// What opens the sale.
    fn open(&self) -> Step {
        match self {
            Self::Direct => Step::Tap("Direct sale".into()),
            Self::Table { table, .. } => Step::Tap(format!("Table {table}")),
        }
    }

    /// One guest, from the first line to the receipt.
    pub fn guest(&self, random: &mut StdRng) -> Vec<Step> {
        let tap = |name: &str| Step::Tap(name.into());
        let mut steps = Vec::new();
        for _ in 0..random.random_range(1..=2) {
            steps.push(self.open());
            let mut shown = "";
            for _ in 0..random.random_range(2..=5) {
                let Dish(group, product, answers) = MENU[random.random_range(0..MENU.len())];
                if group != shown {
                    steps.push(tap(group));
                    shown = group;
                }
                steps.push(tap(product));
                steps.extend(answers.iter().map(|answer| tap(answer)));
                if !answers.is_empty() {
                    steps.push(tap("Add"));
                }
            }
            steps.push(tap("Send"));
        }
        steps.extend([self.open(), tap("Pay"), tap("Cash received"), tap("Done")]);
        steps
    }
}

/// The name of an area that the benchmark adds.
pub fn area_name(area: u16) -> String {
    format!("Block {}", area + 1)
}

/// The name of a table that the benchmark adds. The demo's own end at 12.
pub fn table_name(table: u16) -> String {
    (table + 101).to_string()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Proves that scripts differ by seed and are the same for the same one, and that every guest pays.
    #[test]
    fn every_guest_is_another_one_and_pays() {
        let guests = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            (0..10).map(|_| Beat::of(3).guest(&mut random)).collect::<Vec<_>>()
        };
        assert_eq!(guests(1), guests(1));
        assert_ne!(guests(1), guests(2));
        for guest in guests(3) {
            assert!(guest.contains(&Step::Tap("Send".into())));
            assert!(guest.contains(&Step::Tap("Cash received".into())));
        }
    }

    /// Proves that no two waiters share a table.
    #[test]
    fn tables_are_the_waiters_own() {
        let tables: Vec<Beat> = (0..5000).map(Beat::of).filter(|beat| *beat != Beat::Direct).collect();
        let names: std::collections::BTreeSet<String> =
            tables.iter().map(|beat| format!("{beat:?}")).collect();
        assert_eq!((tables.len(), names.len()), (250, 250));
    }
}
