//! Printed receipts and tickets against golden text: what a guest gets, column by column.

mod common;

use jiff::Timestamp;
use tresen_till::receipt::{Align, PrintLine, lines, ticket_lines};
use tresen_till::{
    CheckId, Command, Context, Country, Currency, Language, Manage, ModifierId, Money, ProductId, Receipt,
    Site, StationId, TableId, Target, Till, demo,
};

fn context() -> Context {
    let at: Timestamp = "2026-11-23T18:42:00Z".parse().expect("a time");
    Context { staff: Some(demo::ANNA), station: StationId(11), device: "handheld".into(), at }
}

fn add(product: u32, quantity: u32, modifiers: &[u32], note: &str) -> Command {
    Command::AddLine {
        target: Target::Table(TableId(4)),
        product: ProductId(product),
        quantity,
        modifiers: modifiers.iter().map(|id| ModifierId(*id)).collect(),
        note: note.into(),
    }
}

/// The order of the look: Rumpsteak medium with Pommes, two cola, one Helles.
fn evening(till: &Till, tendered: i64) -> Till {
    let order = [add(301, 1, &[204, 103], "Sauce extra"), add(101, 2, &[], ""), add(201, 1, &[], "")];
    let (till, _) = till.decide_all(&context(), &order).expect("ordered");
    let expected = till.check(CheckId(1)).expect("open").total();
    let pay = Command::PayCash { check: CheckId(1), expected, tendered: Money::from_minor(tendered) };
    till.decide_all(&context(), &[pay]).expect("paid").0
}

fn text(lines: &[PrintLine], columns: usize) -> String {
    let mut text = String::new();
    for line in lines {
        assert!(line.text.chars().count() <= columns, "too wide: {}", line.text);
        let line = match line.align {
            Align::Left => line.text.clone(),
            Align::Center => format!("{:^columns$}", line.text),
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn receipt(till: &Till) -> &Receipt {
    till.last_receipt().expect("a receipt")
}

#[test]
fn a_german_receipt_on_narrow_paper() {
    let till = evening(&Till::demo(), 5000);
    let printed = text(&lines(receipt(&till), till.site(), Language::De, 32), 32);
    common::golden("receipt-de-32.txt", &printed);
}

#[test]
fn an_english_receipt_on_wide_paper() {
    let till = evening(&Till::demo(), 5000);
    let printed = text(&lines(receipt(&till), till.site(), Language::En, 48), 48);
    common::golden("receipt-en-48.txt", &printed);
}

/// Promise: francs in cash round to 0.05 as a line of its own, and prices keep their Rappen.
#[test]
fn a_swiss_receipt_rounds_the_cash() {
    let swiss = Site { country: Country::Ch, currency: Currency::Chf, ..demo::site() };
    let olga = Context { staff: Some(demo::OLGA), ..context() };
    let mut product = Till::demo().catalog().product(ProductId(201)).expect("Helles").clone();
    product.price = Money::from_minor(483);
    let changes = [Command::Manage(Manage::PutSite(swiss)), Command::Manage(Manage::PutProduct(product))];
    let (till, _) = Till::demo().decide_all(&olga, &changes).expect("managed");
    let till = evening(&till, 5000);
    let receipt = receipt(&till);
    assert_eq!((receipt.total.minor(), receipt.due().minor(), receipt.change.minor()), (4263, 4265, 735));
    let printed = text(&lines(receipt, till.site(), Language::De, 42), 42);
    common::golden("receipt-ch-42.txt", &printed);
}

/// Promise: one ticket per place of preparation, with everything the kitchen needs to know.
#[test]
fn tickets_for_kitchen_and_bar() {
    let till = evening(&Till::demo(), 5000);
    let printed: Vec<String> = till
        .tickets_from(tresen_till::TicketId(1))
        .map(|ticket| text(&ticket_lines(ticket, till.site(), Language::De, 32), 32))
        .collect();
    assert_eq!(printed.len(), 2);
    let printed = printed.join("\n");
    common::golden("tickets-de-32.txt", &printed);
}

/// Promise: nothing is printed beyond the paper, whatever the names are.
#[test]
fn long_names_wrap() {
    let till = evening(&Till::demo(), 100_000);
    let mut receipt = receipt(&till).clone();
    receipt.table = Some("Großer Tisch am Fenster neben dem Kachelofen".into());
    receipt.staff_name = "Maximiliane-Theresia von und zu Hohenstein".into();
    receipt.lines[0].name = "Donaudampfschifffahrtsgesellschaftskapitänsteller nach Art des Hauses".into();
    receipt.lines[1].quantity = 999;
    receipt.lines[1].unit_price = Money::from_minor(10_000_000);
    receipt.lines[1].total = Money::from_minor(9_990_000_000);
    for columns in [24, 32, 42, 48] {
        for language in [Language::De, Language::En] {
            text(&lines(&receipt, till.site(), language, columns), columns);
        }
    }
}
