//! The program that is killed: the real ledger, told by lines on its standard input.
//!
//! A line `<session> <input>` is a booking with that input's number. When the ledger answers, the same line comes back on
//! standard output. The first line out is `ready`, with the stored input of each session.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use jiff::Timestamp;
use tokio::sync::oneshot;
use tresen_ledger::{Committed, Fault, Ledger, Mark, Options, Submission, SubmitError};
use tresen_till::{CheckId, Command, Context, Money, PinHash, ProductId, StationId, TableId, Target, demo};

use super::{Broken, compare};

/// Price of what is booked, in cents: Helles 0,5.
const PRICE: Money = Money::from_minor(480);
/// What is booked.
const PRODUCT: ProductId = ProductId(201);
/// Answers that may be under way; the harness keeps far fewer.
const ANSWERS: usize = 4_096;
/// A table pays after so many bookings.
const BOOKINGS_A_CHECK: u64 = 100;

/// What the child is told.
#[derive(Debug, Args)]
pub struct ChildArguments {
    /// The database.
    #[arg(long)]
    database: PathBuf,
    /// Breaks a promise.
    #[arg(long)]
    fault: Option<Broken>,
}

type Answer = (u32, u64, oneshot::Receiver<Result<Committed, SubmitError>>);

/// Runs until standard input ends, or until it is killed.
///
/// # Errors
/// When the ledger does not open or refuses.
pub fn run_child(arguments: &ChildArguments) -> Result<()> {
    let fault = arguments.fault.map_or(Fault::None, Broken::fault);
    let ledger = Ledger::open(&arguments.database, Options { fault, ..Options::default() })?;
    if !ledger.till().has_owner() {
        let commands =
            demo::gasthaus_linde(|_| PinHash::new("no PIN".into())).into_iter().map(Command::Manage);
        let submission = Submission {
            context: context(0, None),
            commands: commands.collect(),
            mark: None,
            records: Vec::new(),
        };
        ledger.submit(submission).blocking_recv()??;
    }
    println!("ready");
    let (queue, answers) = sync_channel::<Answer>(ANSWERS);
    let answering = std::thread::spawn(move || answer(&answers));
    for line in std::io::stdin().lock().lines() {
        let (session, input) = parse(&line?)?;
        let answer = ledger.submit(booking(&ledger, session, input));
        queue.send((session, input, answer)).context("answering has ended")?;
    }
    drop(queue);
    answering.join().expect("answering does not panic")
}

/// A booking as its line says.
pub(super) fn parse(line: &str) -> Result<(u32, u64)> {
    let Some((session, input)) = line.split_once(' ') else { bail!("not a booking: {line}") };
    Ok((session.parse()?, input.parse()?))
}

fn answer(answers: &Receiver<Answer>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for (session, input, answer) in answers {
        answer
            .blocking_recv()
            .context("the ledger went away")?
            .with_context(|| format!("{session} {input}"))?;
        writeln!(out, "{session} {input}")?;
        out.flush()?;
    }
    Ok(())
}

fn booking(ledger: &Ledger, session: u32, input: u64) -> Submission {
    let target = Target::Table(TableId(session));
    let mut commands = vec![Command::AddLine {
        target,
        product: PRODUCT,
        quantity: 1,
        modifiers: Vec::new(),
        note: compare::note(session, input).into(),
    }];
    if input.is_multiple_of(BOOKINGS_A_CHECK) {
        // The total is known only because nothing was lost or doubled: a wrong one is refused and ends the child.
        let total = PRICE.times(BOOKINGS_A_CHECK as u32);
        let check = ledger.till().open_check(&target).map_or(CheckId(0), |check| check.id);
        commands.push(Command::PayCash { check, expected: total, tendered: total });
    }
    let mut id = [0; 16];
    id[..4].copy_from_slice(&session.to_le_bytes());
    let mark = Mark { session: id, input, app: input.to_le_bytes().to_vec() };
    Submission {
        context: context(session, Some(demo::ANNA)),
        commands,
        mark: Some(mark),
        records: Vec::new(),
    }
}

fn context(session: u32, staff: Option<tresen_till::StaffId>) -> Context {
    Context {
        staff,
        station: StationId(session as u16),
        device: format!("device-{session}").into(),
        at: Timestamp::now(),
    }
}
