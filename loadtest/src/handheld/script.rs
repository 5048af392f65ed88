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

/// Guests of a table and what they order. A round ends with *send*, the visit with *cash*.
struct Visit {
    table: &'static str,
    guests: &'static str,
    rounds: &'static [Round],
}

/// What is ordered, and the line of it that is changed before it is sent.
struct Round {
    orders: &'static [Order],
    changed: &'static str,
}

/// Taps: a group, a product, then its answers. An empty group: the group that is shown already.
struct Order(&'static str, &'static str, &'static [&'static str]);

const VISITS: [Visit; 2] = [
    Visit {
        table: "Table 4",
        guests: "4",
        rounds: &[
            Round {
                orders: &[
                    Order("Getränke", "Cola 0,33", &[]),
                    Order("", "Wasser still 0,5", &[]),
                    Order("", "Spezi 0,5", &[]),
                    Order("", "Apfelschorle 0,5", &[]),
                    Order("Bier", "Helles 0,5", &[]),
                    Order("", "Helles 0,5", &[]),
                    Order("", "Weißbier 0,5", &[]),
                    Order("", "Radler 0,5", &[]),
                ],
                changed: "1 Radler 0,5",
            },
            Round {
                orders: &[
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
                changed: "1 Käsespätzle",
            },
            Round {
                orders: &[
                    Order("Dessert", "Kaiserschmarrn", &[]),
                    Order("", "Apfelstrudel", &[]),
                    Order("Kaffee", "Espresso", &[]),
                    Order("", "Espresso", &[]),
                ],
                changed: "1 Apfelstrudel",
            },
        ],
    },
    Visit {
        table: "Table 7",
        guests: "2",
        rounds: &[
            Round {
                orders: &[
                    Order("Wein", "Riesling 0,2", &[]),
                    Order("", "Riesling 0,2", &[]),
                    Order("", "Silvaner 0,2", &[]),
                    Order("Getränke", "Wasser still 0,5", &[]),
                    Order("", "Tonic Water 0,2", &[]),
                    Order("Bier", "Kellerbier 0,5", &[]),
                ],
                changed: "1 Kellerbier 0,5",
            },
            Round {
                orders: &[
                    Order("Küche", "Zwiebelrostbraten", &["medium rare", "Knödel"]),
                    Order("", "Forelle Müllerin", &["Reis"]),
                    Order("", "Gulasch", &[]),
                    Order("", "Currywurst", &[]),
                    Order("Vorspeisen", "Brotkorb", &[]),
                    Order("", "Wurstsalat", &[]),
                    Order("Salate", "Kartoffelsalat", &[]),
                ],
                changed: "1 Gulasch",
            },
            Round {
                orders: &[
                    Order("Dessert", "Schokokuchen", &[]),
                    Order("", "Gemischtes Eis", &[]),
                    Order("Kaffee", "Cappuccino", &[]),
                    Order("", "Latte Macchiato", &[]),
                    Order("Schnaps", "Obstler 2 cl", &[]),
                    Order("", "Williams 2 cl", &[]),
                ],
                changed: "1 Schokokuchen",
            },
        ],
    },
];

/// Every step of the evening, from the choice of the person to the log-out.
pub fn steps() -> Vec<Step> {
    evening(0)
}

/// Another evening: the same tables and orders, but each round's orders in another order; 0: as it stands here.
pub fn evening(number: u64) -> Vec<Step> {
    let mut steps = vec![Tap("Anna"), Key("1"), Key("2"), Key("3"), Key("4")];
    for visit in &VISITS {
        // A look around before the table is found.
        steps.extend([Tap("Terrasse"), Tap("Bar"), Tap("Mine"), Tap("Gastraum")]);
        steps.extend([Tap(visit.table), Tap("Guests"), Tap(visit.guests), Tap("Back")]);
        for round in visit.rounds {
            steps.push(Tap(visit.table));
            steps.extend(round.steps(number));
            steps.extend([Tap(round.changed), Tap("One more"), Tap("One fewer"), Tap("Done")]);
            steps.extend([Tap("Show the order larger"), Tap("Show the order smaller"), Tap("Send")]);
        }
        steps.push(Tap(visit.table));
        // Typed, taken back, typed again: 500.00 is more than any of the tables ordered.
        steps.push(Tap("Pay"));
        steps.extend(["5", "0", "Erase", "0", "00", "00", "Erase"].map(Key));
        steps.extend([Key("0"), Tap("Cash received"), Tap("Done")]);
    }
    steps.push(Tap("Log out"));
    steps
}

/// Whether what a step does reaches beyond the till, so that its outcome is never guessed: the last digit of a PIN, sending, paying, logging out.
pub fn is_beyond(step: Step) -> bool {
    matches!(step, Tap("Send" | "Cash received" | "Log out") | Key("4"))
}

impl Round {
    /// The orders group by group; groups, and the orders of each, in an order that the evening's number says.
    fn steps(&self, evening: u64) -> Vec<Step> {
        let mut groups: Vec<(&'static str, Vec<&Order>)> = Vec::new();
        for order in self.orders {
            match groups.last_mut() {
                Some((_, orders)) if order.0.is_empty() => orders.push(order),
                _ => groups.push((order.0, vec![order])),
            }
        }
        let mut dice = evening;
        shuffle(&mut groups, &mut dice);
        let mut steps = Vec::new();
        for (group, mut orders) in groups {
            shuffle(&mut orders, &mut dice);
            steps.push(Tap(group));
            steps.extend(orders.into_iter().flat_map(Order::steps));
        }
        steps
    }
}

/// Puts things in another order; with 0 they stay as they are.
fn shuffle<T>(things: &mut [T], dice: &mut u64) {
    if *dice == 0 {
        return;
    }
    for last in (1..things.len()).rev() {
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        things.swap(last, (*dice >> 33) as usize % (last + 1));
    }
}

impl Order {
    fn steps(&self) -> Vec<Step> {
        let Self(_, product, answers) = *self;
        let mut steps = Vec::new();
        steps.push(Tap(product));
        steps.extend(answers.iter().map(|answer| Tap(answer)));
        if !answers.is_empty() {
            steps.push(Tap("Add"));
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that the script is as long as the benchmark says: 150 taps, 30 lines, two tables.
    #[test]
    fn the_evening_is_long_enough() {
        assert!(steps().len() >= 150, "{} steps", steps().len());
        let orders: usize =
            VISITS.iter().flat_map(|visit| visit.rounds).map(|round| round.orders.len()).sum();
        assert!(orders >= 30, "{orders} lines");
        assert_eq!(VISITS.len(), 2);
        assert_eq!(steps().into_iter().filter(|step| is_beyond(*step)).count(), 10);
    }
}
