//! Two waiters at random on the same tables, each with a view that may be old, against a simple model that counts items.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use tresen_till::{
    CheckId, Command, Context, Event, LineId, Money, Place, ProductId, ReceiptNumber, Refusal, Site, StaffId,
    StationId, TableId, Target, TicketId, Till, decode_events, demo, encode_events,
};

/// What a waiter tries, with choices as plain numbers.
#[derive(Clone, Debug)]
enum Try {
    Look,
    Add { table: u32, product: usize, quantity: u32, note: bool },
    Change { table: u32, line: usize, by: i32 },
    Delete { table: u32, line: usize },
    Guests { table: u32, guests: u16 },
    Send { table: u32 },
    Pay { table: u32, more: i64 },
}

/// Helles, Spezi, Käsespätzle, Tomatensuppe: products without questions, of two rates and two places of preparation.
const PRODUCTS: [u32; 4] = [201, 105, 307, 403];

fn tries() -> impl Strategy<Value = Vec<(bool, Try)>> {
    let table = || 1_u32..3;
    let one = prop_oneof![
        3 => Just(Try::Look),
        6 => (table(), 0_usize..4, 1_u32..4, any::<bool>())
            .prop_map(|(table, product, quantity, note)| Try::Add { table, product, quantity, note }),
        4 => (table(), 0_usize..6, -3_i32..4).prop_map(|(table, line, by)| Try::Change { table, line, by }),
        2 => (table(), 0_usize..6).prop_map(|(table, line)| Try::Delete { table, line }),
        1 => (table(), 0_u16..5).prop_map(|(table, guests)| Try::Guests { table, guests }),
        2 => table().prop_map(|table| Try::Send { table }),
        1 => (table(), 0_i64..9_000).prop_map(|(table, more)| Try::Pay { table, more }),
    ];
    prop::collection::vec((any::<bool>(), one), 1..80)
}

/// Turns a try into a command on what the waiter sees.
fn command(seen: &Till, attempt: &Try) -> Option<Command> {
    let open = |table: u32| seen.open_check(&Target::Table(TableId(table)));
    let line = |table: u32, index: usize| -> Option<(CheckId, LineId)> {
        let check = open(table)?;
        Some((check.id, check.lines.get(index)?.id))
    };
    Some(match *attempt {
        Try::Look => return None,
        Try::Add { table, product, quantity, note } => Command::AddLine {
            target: Target::Table(TableId(table)),
            product: ProductId(PRODUCTS[product]),
            quantity,
            modifiers: Vec::new(),
            note: if note { "ohne Zwiebeln".into() } else { "".into() },
        },
        Try::Change { table, line: index, by } => {
            let (check, line) = line(table, index)?;
            Command::ChangeQuantity { check, line, by }
        }
        Try::Delete { table, line: index } => {
            let (check, line) = line(table, index)?;
            Command::DeleteLine { check, line }
        }
        Try::Guests { table, guests } => Command::SetGuests { target: Target::Table(TableId(table)), guests },
        Try::Send { table } => Command::Send { check: open(table)?.id },
        Try::Pay { table, more } => {
            let check = open(table)?;
            let expected = check.total();
            Command::PayCash { check: check.id, expected, tendered: expected + Money::from_minor(more) }
        }
    })
}

/// How many of each product there should be: on open checks, or sold.
#[derive(Default)]
struct Model {
    items: BTreeMap<ProductId, i64>,
}

impl Model {
    /// What an accepted command does to the counts, told from the till before it.
    fn note(&mut self, before: &Till, command: &Command) {
        let line = |check: &CheckId, line: &LineId| {
            before.check(*check).and_then(|check| check.line(*line)).cloned()
        };
        match command {
            Command::AddLine { product, quantity, .. } => self.add(*product, i64::from(*quantity)),
            Command::ChangeQuantity { check, line: id, by } => {
                let line = line(check, id).expect("accepted for a line that is there");
                self.add(line.product, i64::from(*by).max(-i64::from(line.quantity)));
            }
            Command::DeleteLine { check, line: id } => {
                let line = line(check, id).expect("accepted for a line that is there");
                self.add(line.product, -i64::from(line.quantity));
            }
            _ => {}
        }
    }

    fn add(&mut self, product: ProductId, count: i64) {
        *self.items.entry(product).or_default() += count;
        self.items.retain(|_, count| *count != 0);
    }
}

fn counted(till: &Till) -> BTreeMap<ProductId, i64> {
    let mut model = Model::default();
    for check in till.open_checks() {
        check.lines.iter().for_each(|line| model.add(line.product, i64::from(line.quantity)));
    }
    for receipt in till.receipts_from(ReceiptNumber(1)) {
        receipt.lines.iter().for_each(|line| model.add(line.product, i64::from(line.quantity)));
    }
    model.items
}

/// What must hold in any state.
fn check_invariants(till: &Till) {
    for check in till.open_checks() {
        assert!(check.lines.iter().all(|line| line.quantity >= 1), "no line has quantity 0");
        let Place::Table(table) = check.place else { panic!("only tables here") };
        assert_eq!(
            till.open_check(&Target::Table(table)).map(|open| open.id),
            Some(check.id),
            "one check a table"
        );
        for (index, line) in check.lines.iter().enumerate() {
            let twins = check.lines.iter().skip(index + 1).filter(|other| {
                (other.product, other.by, &other.note) == (line.product, line.by, &line.note)
                    && other.sent_at.is_none()
            });
            assert!(line.sent_at.is_some() || twins.count() == 0, "identical unsent lines have joined");
        }
    }
    for (receipt, number) in till.receipts_from(ReceiptNumber(1)).zip(1..) {
        assert_eq!(receipt.number, ReceiptNumber(number), "no gaps");
        assert_eq!(receipt.lines.iter().map(|line| line.total).sum::<Money>(), receipt.total);
        assert_eq!(receipt.taxes.iter().map(|sum| sum.gross).sum::<Money>(), receipt.total);
        let shares: Money = receipt.line_taxes().into_iter().sum();
        assert_eq!(shares, receipt.taxes.iter().map(|sum| sum.tax).sum::<Money>());
        assert_eq!(receipt.tendered - receipt.change, receipt.due());
        assert!(!receipt.change.is_negative());
    }
}

fn context(staff: StaffId, second: i64) -> Context {
    let at = Timestamp::from_second(1_795_460_000 + second).expect("in range");
    Context { staff: Some(staff), station: StationId(11), device: "handheld".into(), at }
}

proptest! {
    /// Promise: two waiters on one table merge line by line; nothing vanishes, nothing doubles, nothing goes below zero;
    /// money sums exactly; tickets carry each sent item once; a replay of the events gives the same state.
    #[test]
    fn two_waiters_at_random(tries in tries()) {
        let start = Till::demo();
        let mut till = start.clone();
        let mut journal: Vec<Vec<u8>> = Vec::new();
        let mut seen = [till.clone(), till.clone()];
        let mut model = Model::default();
        for ((ben, attempt), second) in tries.iter().zip(0..) {
            let who = usize::from(*ben);
            let Some(command) = command(&seen[who], attempt) else {
                seen[who] = till.clone();
                continue;
            };
            match till.decide(&context([demo::ANNA, demo::BEN][who], second), &command) {
                Ok(events) => {
                    model.note(&till, &command);
                    events.iter().for_each(|event| till.apply(event));
                    journal.push(encode_events(&events));
                }
                Err(refusal) => prop_assert!(fair(&till, &command, &refusal), "{command:?} was refused: {refusal}"),
            }
            check_invariants(&till);
        }
        prop_assert_eq!(counted(&till), model.items);
        prop_assert_eq!(on_tickets(&till), sent(&till, &journal));
        prop_assert_eq!(&replay(&start, &journal), &till);
        prop_assert_eq!(&Till::from_snapshot(&till.to_snapshot()).expect("our own snapshot"), &till);
    }

    /// Promise: hostile bytes never crash anything: decoders answer, and total application takes any events.
    #[test]
    fn any_bytes_decode_to_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut versioned = vec![1];
        versioned.extend(&bytes);
        for bytes in [&bytes, &versioned] {
            if let Ok(events) = decode_events(bytes) {
                let mut till = Till::empty(Site::default());
                events.iter().for_each(|event| till.apply(event));
            }
            let _ = Till::from_snapshot(bytes);
        }
    }
}

/// Whether a refusal is one that an old view explains.
fn fair(till: &Till, command: &Command, refusal: &Refusal) -> bool {
    match (refusal, command) {
        (Refusal::NoSuchCheck | Refusal::NoSuchLine | Refusal::AlreadySent | Refusal::NothingToSend, _) => {
            true
        }
        (Refusal::NothingToPay, Command::PayCash { check, .. }) => {
            till.check(*check).is_some_and(|c| c.lines.is_empty())
        }
        (Refusal::TotalMoved { now }, Command::PayCash { check, expected, .. }) => {
            till.check(*check).is_some_and(|check| check.total() == *now && now != expected)
        }
        _ => false,
    }
}

fn replay(start: &Till, journal: &[Vec<u8>]) -> Till {
    let mut till = start.clone();
    for bytes in journal {
        decode_events(bytes).expect("our own events").iter().for_each(|event| till.apply(event));
    }
    till
}

/// Items on all tickets, by name.
fn on_tickets(till: &Till) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for line in till.tickets_from(TicketId(1)).flat_map(|ticket| &ticket.lines) {
        *counts.entry(line.name.to_string()).or_default() += line.quantity;
    }
    counts
}

/// Items that were sent, by name: sent lines of open checks, and everything that was paid.
fn sent(till: &Till, journal: &[Vec<u8>]) -> BTreeMap<String, u32> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for line in till.open_checks().flat_map(|check| &check.lines).filter(|line| line.sent_at.is_some()) {
        *counts.entry(line.name.to_string()).or_default() += line.quantity;
    }
    for event in journal.iter().flat_map(|bytes| decode_events(bytes).expect("our own events")) {
        if let Event::CheckPaid { receipt } = event {
            for line in &receipt.lines {
                *counts.entry(line.name.to_string()).or_default() += line.quantity;
            }
        }
    }
    counts
}
