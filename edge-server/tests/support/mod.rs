//! What the tests of the office share: a data folder with a demo restaurant, and sales in it.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

pub mod browser;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tresen_ledger::{Committed, Ledger, Options, Submission};
use tresen_till::{
    Command, Context, Money, PinHash, ProductId, ReceiptNumber, StationId, TableId, Target, demo,
};

/// The database of a data folder.
pub fn database(data: &Path) -> PathBuf {
    data.join("ledger.db")
}

/// The demo restaurant's ledger in a data folder.
pub fn open_demo(data: &Path) -> Ledger {
    let ledger = Ledger::open(&database(data), Options::default()).unwrap();
    if !ledger.till().has_owner() {
        let commands =
            demo::gasthaus_linde(|pin| PinHash::new(pin.into())).into_iter().map(Command::Manage).collect();
        submit(&ledger, None, commands);
    }
    ledger
}

/// Orders `product` at `table` and takes the exact money for it.
pub fn sell(ledger: &Ledger, table: u32, product: u32) -> ReceiptNumber {
    let target = Target::Table(TableId(table));
    let line = Command::AddLine {
        target,
        product: ProductId(product),
        quantity: 2,
        modifiers: Vec::new(),
        note: Default::default(),
    };
    submit(ledger, Some(demo::ANNA), vec![line]);
    let till = ledger.till();
    let check = till.open_check(&target).unwrap();
    let pay = Command::PayCash {
        check: check.id,
        expected: check.total(),
        tendered: check.total() + Money::from_minor(500),
    };
    submit(ledger, Some(demo::ANNA), vec![pay]);
    ledger.till().last_receipt().unwrap().number
}

fn submit(ledger: &Ledger, staff: Option<tresen_till::StaffId>, commands: Vec<Command>) -> Committed {
    let at = Timestamp::from_second(1_795_460_000).unwrap();
    let context = Context { staff, station: StationId(1), device: "test".into(), at };
    let submission = Submission { context, commands, mark: None, records: Vec::new() };
    ledger.submit(submission).blocking_recv().unwrap().unwrap()
}

/// A product of the demo that asks no questions, by its id.
pub fn plain_product(ledger: &Ledger) -> u32 {
    let till = ledger.till();
    let product = till.catalog().products().find(|product| product.modifier_groups.is_empty()).unwrap();
    product.id.0
}
