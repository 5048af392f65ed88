//! A waiter's evening on the handheld, by label: log in, two tables, more than thirty lines with modifiers, send, cash, receipt.
//!
//! The screens are English, so that labels here read like the rest; product names are the demo restaurant's own.

/// One thing that the waiter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Taps what has this name, or whose name begins with it and a space or comma.
    Tap(&'static str),
    /// Taps a key of a keypad.
    Key(&'static str),
}

use Step::{Key, Tap};

/// Guests of a table, what they order, and with which answers. An order ends with *send*; the table ends with *cash*.
struct Visit {
    table: &'static str,
    rounds: &'static [&'static [Order]],
}

/// Taps: a group, a product, then its answers. An empty group: the group that is shown already.
struct Order(&'static str, &'static str, &'static [&'static str]);

const VISITS: [Visit; 2] = [
    Visit {
        table: "4",
        rounds: &[
            &[
                Order("Getränke", "Cola 0,33", &[]),
                Order("", "Wasser still 0,5", &[]),
                Order("", "Spezi 0,5", &[]),
                Order("", "Apfelschorle 0,5", &[]),
                Order("Bier", "Helles 0,5", &[]),
                Order("", "Helles 0,5", &[]),
                Order("", "Weißbier 0,5", &[]),
                Order("", "Radler 0,5", &[]),
            ],
            &[
                Order("Küche", "Rumpsteak", &["medium", "Pommes"]),
                Order("", "Wiener Schnitzel", &["Kartoffeln"]),
                Order("", "Käsespätzle", &[]),
                Order("", "Burger Linde", &["well done", "Pommes"]),
                Order("Vorspeisen", "Leberknödelsuppe", &[]),
                Order("", "Tomatensuppe", &[]),
                Order("Salate", "Beilagensalat", &["Balsamico"]),
                Order("", "Beilagensalat", &["Joghurt"]),
                Order("Getränke", "Cola 0,33", &[]),
                Order("", "Apfelschorle 0,5", &[]),
            ],
            &[
                Order("Dessert", "Kaiserschmarrn", &[]),
                Order("", "Apfelstrudel", &[]),
                Order("Kaffee", "Espresso", &[]),
                Order("", "Espresso", &[]),
            ],
        ],
    },
    Visit {
        table: "7",
        rounds: &[
            &[
                Order("Wein", "Riesling 0,2", &[]),
                Order("", "Riesling 0,2", &[]),
                Order("", "Silvaner 0,2", &[]),
                Order("Getränke", "Wasser still 0,5", &[]),
                Order("", "Tonic Water 0,2", &[]),
                Order("Bier", "Kellerbier 0,5", &[]),
            ],
            &[
                Order("Küche", "Zwiebelrostbraten", &["medium rare", "Knödel"]),
                Order("", "Forelle Müllerin", &["Reis"]),
                Order("", "Gulasch", &[]),
                Order("", "Currywurst", &[]),
                Order("Vorspeisen", "Brotkorb", &[]),
                Order("", "Wurstsalat", &[]),
                Order("Salate", "Kartoffelsalat", &[]),
            ],
            &[
                Order("Dessert", "Schokokuchen", &[]),
                Order("", "Gemischtes Eis", &[]),
                Order("Kaffee", "Cappuccino", &[]),
                Order("", "Latte Macchiato", &[]),
                Order("Schnaps", "Obstler 2 cl", &[]),
                Order("", "Williams 2 cl", &[]),
            ],
        ],
    },
];

/// Every step of the evening, from the choice of the person to the log-out.
pub fn steps() -> Vec<Step> {
    let mut steps = vec![Tap("Anna"), Key("1"), Key("2"), Key("3"), Key("4")];
    for visit in &VISITS {
        for round in visit.rounds {
            steps.push(Tap(visit.table));
            for order in *round {
                steps.extend(order.steps());
            }
            steps.push(Tap("Send"));
        }
        steps.push(Tap(visit.table));
        steps.extend([Tap("Pay"), Tap("exact"), Tap("Cash received"), Tap("Done")]);
    }
    steps.push(Tap("Log out"));
    steps
}

impl Order {
    fn steps(&self) -> Vec<Step> {
        let Self(group, product, answers) = *self;
        let mut steps = Vec::new();
        if !group.is_empty() {
            steps.push(Tap(group));
        }
        steps.push(Tap(product));
        steps.extend(answers.iter().map(|answer| Tap(answer)));
        if !answers.is_empty() {
            steps.push(Tap("Add"));
        }
        steps
    }
}
