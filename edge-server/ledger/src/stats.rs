//! Figures of the writer, for whoever watches the box.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the histogram of commits, in microseconds.
const BOUNDS_US: [u64; 10] = [500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// Figures since the ledger was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Rows of the journal, older ones included.
    pub journal_rows: u64,
    /// How many commits took up to so many microseconds and longer than the bound before; `None`: longer than all.
    pub commits_us: Vec<(Option<u64>, u64)>,
    /// How long all commits took together, in microseconds.
    pub commits_sum_us: u64,
}

/// What the writer counts.
#[derive(Default)]
pub(crate) struct Counters {
    rows: AtomicU64,
    commits: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Counters {
    pub(crate) fn rows(&self, rows: u64) {
        self.rows.store(rows, Ordering::Relaxed);
    }

    pub(crate) fn commit(&self, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.iter().position(|bound| took_us <= *bound).unwrap_or(BOUNDS_US.len());
        self.commits[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(took_us, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Stats {
        let bounds = BOUNDS_US.into_iter().map(Some).chain([None]);
        let counts = self.commits.iter().map(|count| count.load(Ordering::Relaxed));
        Stats {
            journal_rows: self.rows.load(Ordering::Relaxed),
            commits_us: bounds.zip(counts).collect(),
            commits_sum_us: self.sum_us.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_falls_into_the_first_bound_that_holds_it() {
        let counters = Counters::default();
        for took_us in [1, 500, 501, 2_000_000] {
            counters.commit(Duration::from_micros(took_us));
        }
        let stats = counters.read();
        assert_eq!(stats.commits_us[..2], [(Some(500), 2), (Some(1_000), 1)]);
        assert_eq!(stats.commits_us.last(), Some(&(None, 1)));
        assert_eq!(stats.commits_sum_us, 2_001_002);
    }
}
