//! What is on disk, against what was sent and acknowledged.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use tresen_ledger::{Entry, Follower};
use tresen_till::Event;

/// The name of a booking, kept as the note of its line.
pub(super) fn note(session: u32, input: u64) -> String {
    format!("{session}:{input}")
}

/// Follows the journal and counts bookings.
pub(super) struct Compared {
    follower: Follower,
    /// Newest booking on disk of each session.
    stored: BTreeMap<u32, u64>,
    rows: u64,
    receipts: u64,
}

impl Compared {
    pub(super) fn new(database: &Path) -> Compared {
        Compared { follower: Follower::new(database), stored: BTreeMap::new(), rows: 0, receipts: 0 }
    }

    /// Reads what is new. Each session's bookings must be on disk in order, each once.
    pub(super) fn follow(&mut self) -> Result<()> {
        for entry in self.follower.read()? {
            self.rows = entry.row;
            self.count(&entry)?;
        }
        Ok(())
    }

    /// Compares a session: what was acknowledged must be there, and nothing that was never sent.
    pub(super) fn check(&self, session: u32, acknowledged: u64, sent: u64) -> Result<()> {
        let stored = self.stored(session);
        ensure!(
            stored >= acknowledged,
            "LOST: session {session} was told {acknowledged}, on disk is {stored}"
        );
        ensure!(stored <= sent, "session {session} sent {sent}, on disk is {stored}");
        Ok(())
    }

    pub(super) fn stored(&self, session: u32) -> u64 {
        self.stored.get(&session).copied().unwrap_or(0)
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    fn count(&mut self, entry: &Entry) -> Result<()> {
        for event in &entry.events {
            match event {
                Event::LineAdded { line, .. } => {
                    let (session, input) = line.note.split_once(':').context("a booking without a name")?;
                    let (session, input): (u32, u64) = (session.parse()?, input.parse()?);
                    let stored = self.stored.entry(session).or_default();
                    if input <= *stored {
                        bail!("DOUBLED: session {session} books {input} after {stored} in row {}", entry.row);
                    }
                    ensure!(input == *stored + 1, "LOST: session {session} goes from {stored} to {input}");
                    *stored = input;
                }
                // Each booking has a note of its own: only the same booking again can join its line.
                Event::QuantityChanged { line, .. } => {
                    bail!("DOUBLED: line {line} joined by the same booking in row {}", entry.row)
                }
                Event::CheckPaid { receipt } => {
                    self.receipts += 1;
                    ensure!(receipt.number.0 == self.receipts, "receipt {} is out of order", receipt.number);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
