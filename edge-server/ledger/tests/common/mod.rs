//! What the tests of the ledger share: a folder, a demo restaurant, bookings.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::TempDir;
use tresen_ledger::{Committed, Ledger, Mark, Options, Submission, SubmitError};
use tresen_till::{Command, Context, PinHash, ProductId, StationId, TableId, Target, demo};

/// A folder that goes away, and the database in it.
pub struct Folder {
    folder: TempDir,
}

impl Folder {
    pub fn new() -> Folder {
        Folder { folder: TempDir::new().expect("a temporary folder") }
    }

    pub fn database(&self) -> PathBuf {
        self.folder.path().join("tresen.db")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The demo restaurant, open.
    pub fn demo(&self) -> Ledger {
        open_demo(&self.database(), Options::default())
    }
}

pub fn open_demo(path: &Path, options: Options) -> Ledger {
    let ledger = Ledger::open(path, options).expect("opens");
    if !ledger.till().has_owner() {
        let commands =
            demo::gasthaus_linde(|pin| PinHash::new(pin.into())).into_iter().map(Command::Manage).collect();
        let context = Context { staff: None, ..anna(0) };
        let submission = Submission { context, commands, mark: None, records: Vec::new() };
        done(&ledger, submission).expect("the demo is well-formed");
    }
    ledger
}

/// Anna at a time, in seconds after an evening began.
pub fn anna(second: i64) -> Context {
    Context {
        staff: Some(demo::ANNA),
        station: StationId(11),
        device: "handheld".into(),
        at: Timestamp::from_second(1_795_460_000 + second).expect("in range"),
    }
}

/// One cola for a table.
pub fn cola(table: u32) -> Command {
    Command::AddLine {
        target: Target::Table(TableId(table)),
        product: ProductId(101),
        quantity: 1,
        modifiers: Vec::new(),
        note: "".into(),
    }
}

pub fn booking(table: u32) -> Submission {
    Submission { context: anna(0), commands: vec![cola(table)], mark: None, records: Vec::new() }
}

pub fn marked(table: u32, input: u64) -> Submission {
    Submission { mark: Some(Mark { session: [7; 16], input, app: vec![input as u8] }), ..booking(table) }
}

/// Submits and waits.
pub fn done(ledger: &Ledger, submission: Submission) -> Result<Committed, SubmitError> {
    ledger.submit(submission).blocking_recv().expect("an answer")
}

/// Colas on a table's open check.
pub fn colas(ledger: &Ledger, table: u32) -> u32 {
    let till = ledger.till();
    let check = till.open_check(&Target::Table(TableId(table)));
    check.map_or(0, |check| check.lines.iter().map(|line| line.quantity).sum())
}

/// One cola with a note, a line of its own.
pub fn noted_cola(table: u32, note: &str) -> Command {
    Command::AddLine {
        target: Target::Table(TableId(table)),
        product: ProductId(101),
        quantity: 1,
        modifiers: Vec::new(),
        note: note.into(),
    }
}
