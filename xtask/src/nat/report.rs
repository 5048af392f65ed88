//! The matrix in words.

use std::fmt::Write;

use super::Outcome;
use super::boxes::Side;

/// Around the switch, in ms: before, after.
const AROUND_MS: (u64, u64) = (50, 1_000);

/// What was tried with a pair of sides.
pub struct Cell {
    /// Before the client.
    pub client: Side,
    /// Before the edge server.
    pub edge: Side,
    /// Of each try; none: the device could not even be paired.
    pub outcomes: Vec<Outcome>,
    /// How many there were to be.
    pub tries: u32,
}

/// A tap that waits for longer at the end is not one that was just sent.
const FROZEN_MS: u64 = 1_000;

/// Of a hundred tries with one symmetric side, so many have to be direct.
const ONE_SYMMETRIC: usize = 95;

impl Cell {
    /// What it is called.
    pub fn name(&self) -> String {
        format!("{} - {}", self.client, self.edge)
    }

    /// Everybody connects, nobody freezes, and all are direct but where both sides are symmetric, or one has no UDP.
    pub fn is_as_promised(&self) -> bool {
        let count = |is: fn(&Outcome) -> bool| self.outcomes.iter().filter(|outcome| is(outcome)).count();
        let tries = self.tries as usize;
        let direct = count(|outcome| outcome.direct_ms.is_some());
        let enough = match (self.client, self.edge) {
            (Side::Symmetric, Side::Symmetric) | (Side::NoUdp, _) | (_, Side::NoUdp) => true,
            (Side::Symmetric, _) | (_, Side::Symmetric) => direct * 100 >= ONE_SYMMETRIC * tries,
            _ => direct == tries,
        };
        let goes_on = |outcome: &Outcome| outcome.unanswered_ms.is_none_or(|waited_ms| waited_ms < FROZEN_MS);
        enough && count(|outcome| outcome.screen_ms.is_some()) == tries && self.outcomes.iter().all(goes_on)
    }

    /// How many tries were direct, how soon, and how long answers took around the switch.
    pub fn in_words(&self) -> String {
        let tries = self.outcomes.len();
        let connected = self.outcomes.iter().filter(|outcome| outcome.screen_ms.is_some()).count();
        let direct = self.outcomes.iter().filter(|outcome| outcome.direct_ms.is_some()).count();
        if connected == 0 {
            return "not connected".to_owned();
        }
        let mut words = format!("{direct}/{tries} direct");
        if connected < tries {
            let _ = write!(words, ", {connected}/{tries} connected");
        }
        let switches: Vec<u64> = self.outcomes.iter().filter_map(Outcome::until_direct_ms).collect();
        if switches.is_empty() {
            let passed: Vec<u64> = self.outcomes.iter().filter_map(|outcome| outcome.passed_ms).collect();
            let screens: Vec<u64> = self.outcomes.iter().filter_map(|outcome| outcome.screen_ms).collect();
            match (direct, passed.len()) {
                (0, 0) => words.push_str(", relayed"),
                (0, _) => words.push_str(", relayed over TLS"),
                _ => words.push_str(", at once"),
            }
            let _ = write!(words, ", screen after {} ms ({})", median(&screens), most(&screens));
            return words;
        }
        let gaps: Vec<u64> = self.outcomes.iter().filter_map(Outcome::gap_ms).collect();
        let _ = write!(words, ", after {} ms ({})", median(&switches), most(&switches));
        let _ = write!(words, ", gap {} ms ({})", median(&gaps), most(&gaps));
        words
    }
}

impl Outcome {
    /// From the first relayed connection to the direct way.
    fn until_direct_ms(&self) -> Option<u64> {
        Some(self.direct_ms?.saturating_sub(self.relayed_ms?))
    }

    /// By how much the slowest answer around the switch took longer than answers do.
    fn gap_ms(&self) -> Option<u64> {
        let switch_ms = self.direct_ms?;
        let around = (switch_ms.saturating_sub(AROUND_MS.0))..(switch_ms + AROUND_MS.1);
        let touches = |(at_ms, took_ms): &&(u64, u64)| *at_ms >= around.start && at_ms - took_ms < around.end;
        let near = self.answers.iter().filter(touches).map(|(_, took_ms)| *took_ms).chain(self.unanswered_ms);
        let usual: Vec<u64> = self.answers.iter().map(|(_, took_ms)| *took_ms).collect();
        near.map(|took_ms| took_ms.saturating_sub(median(&usual))).max()
    }
}

/// As a table: a row for each side of the client, a column for each of the edge server; other pairs below.
pub fn table(cells: &[Cell]) -> String {
    let mut text = String::from("\n| client \\ edge server |");
    let of = |client: Side, edge: Side| {
        cells.iter().find(|cell| (cell.client, cell.edge) == (client, edge)).map(Cell::in_words)
    };
    for edge in super::KINDS {
        let _ = write!(text, " {edge} |");
    }
    text.push_str("\n|---|");
    super::KINDS.iter().for_each(|_| text.push_str("---|"));
    for client in super::KINDS {
        let _ = write!(text, "\n| {client} |");
        for edge in super::KINDS {
            let _ = write!(text, " {} |", of(client, edge).unwrap_or_default());
        }
    }
    text.push_str("\n\n| client | edge server | |\n|---|---|---|\n");
    for (client, edge) in super::OTHERS {
        let _ = writeln!(text, "| {client} | {edge} | {} |", of(client, edge).unwrap_or_default());
    }
    text
}

/// The middle one.
pub fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}

/// The largest one.
pub fn most(values: &[u64]) -> u64 {
    values.iter().copied().max().unwrap_or(0)
}
