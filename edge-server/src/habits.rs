//! What is tapped after what, counted for the whole site: which answers are worth sending ahead.
//!
//! Counts are kept for three contexts of an input: the screen; the screen and the kind of the input before; the screen and the input before. A
//! likelihood begins with what the application takes for likely and is drawn towards each of them, the more so the more is counted.
//!
//! The file `habits` in the data folder is written now and then and at the end. It may be lost or deleted without harm; one that can't be read is
//! begun anew.
//!
//! ```text
//! version (1 byte), then for each count its context (8 bytes), its outcome (4 bytes) and the count (f32, 4 bytes); numbers are little-endian
//! ```
//!
//! Contexts and outcomes are numbers made by BLAKE3 ([`number`]), so that they mean the same to every build; a file of another version is dropped.
//!
//! Invariants: at most [`MOST`] counts; all are halved together, so that what nobody does any more is forgotten; nothing that tells a PIN or who
//! logs in is counted (the application gives all digits of a PIN the same name, and keeps persons private).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::files::write_whole_private;

/// Counts that are kept.
pub const MOST: usize = 16_384;

/// Inputs after which all counts are halved.
const HALVED_AFTER: u32 = 20_000;

/// A count below this is forgotten.
const LEAST: f32 = 0.4;

/// How many inputs of a context weigh as much as what was believed without it.
const WEIGHT: [f32; 3] = [6.0, 4.0, 2.0];

/// How often the file is written, if there is news.
const WRITE_EVERY: Duration = Duration::from_secs(300);

/// First byte of the file. Version 1 held numbers that another build of the server might have made otherwise, and counted who logs in.
const VERSION: u8 = 2;

/// The largest file that is read: [`MOST`] counts.
const FILE_BYTES: usize = 1 + MOST * ENTRY_BYTES;
const ENTRY_BYTES: usize = 16;

/// Stands for an input that was not; no kind is so large.
const NOTHING: u64 = u64::MAX;

/// The same input as the one before.
const SAME: u32 = u32::MAX;

/// What an input is called: the same every day, apart from what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// Its kind.
    pub kind: u8,
    /// What tells it from others of its kind.
    pub what: u64,
}

/// What an input stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// The kind of screen.
    pub screen: u32,
    /// The input before.
    pub before: Option<Name>,
}

/// The counts of a site.
#[derive(Default)]
pub struct Habits {
    counts: Mutex<Counts>,
    path: PathBuf,
}

#[derive(Clone, Default)]
struct Counts {
    of: HashMap<(u64, u32), f32>,
    totals: HashMap<u64, f32>,
    noted: u32,
    news: bool,
}

impl Habits {
    /// Those of the site whose data are in this folder.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let path = folder.join("habits");
        let counts = read_bounded(&path).ok().and_then(|bytes| Counts::from_bytes(&bytes));
        Self { counts: Mutex::new(counts.unwrap_or_default()), path }
    }

    /// An input was made.
    pub fn note(&self, around: Around, name: Name) {
        let mut counts = self.lock();
        for (level, context) in contexts(around).into_iter().enumerate() {
            counts.note(context, outcome(level, around, name));
        }
        counts.noted += 1;
        counts.news = true;
        if counts.noted >= HALVED_AFTER || counts.of.len() > MOST {
            counts.halve();
        }
    }

    /// How likely each of these inputs is, by name and what the application believes of it.
    #[must_use]
    pub fn likelihoods(&self, around: Around, inputs: &[(Name, f32)]) -> Vec<f32> {
        let believed: f32 = inputs.iter().map(|(_, prior)| prior).sum();
        let mut likely: Vec<f32> = inputs.iter().map(|(_, prior)| prior / believed.max(1.0)).collect();
        let counts = self.lock();
        for (level, context) in contexts(around).into_iter().enumerate() {
            let total = counts.totals.get(&context).copied().unwrap_or(0.0);
            for (likely, (name, _)) in likely.iter_mut().zip(inputs) {
                let key = (context, outcome(level, around, *name));
                let count = counts.of.get(&key).copied().unwrap_or(0.0);
                *likely = (count + WEIGHT[level] * *likely) / (total + WEIGHT[level]);
            }
        }
        likely
    }

    /// Writes the file now and then until the server stops, and once more then.
    pub async fn keep(&self, shutdown: CancellationToken) {
        loop {
            let stopping = tokio::select! {
                () = tokio::time::sleep(WRITE_EVERY) => false,
                () = shutdown.cancelled() => true,
            };
            self.write().await;
            if stopping {
                return;
            }
        }
    }

    async fn write(&self) {
        let bytes = {
            let mut counts = self.lock();
            if !std::mem::take(&mut counts.news) {
                return;
            }
            counts.to_bytes()
        };
        let path = self.path.clone();
        let written = tokio::task::spawn_blocking(move || write_whole_private(&path, &bytes)).await;
        if !matches!(written, Ok(Ok(()))) {
            tracing::warn!("what was learned of taps could not be written; the till does not need it");
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn note(&mut self, context: u64, outcome: u32) {
        *self.of.entry((context, outcome)).or_default() += 1.0;
        *self.totals.entry(context).or_default() += 1.0;
    }

    fn halve(&mut self) {
        self.noted = 0;
        self.of.values_mut().for_each(|count| *count /= 2.0);
        self.of.retain(|_, count| *count >= LEAST);
        while self.of.len() > MOST / 2 {
            let mean = self.of.values().sum::<f32>() / self.of.len() as f32;
            let before = self.of.len();
            self.of.retain(|_, count| *count > mean / 2.0);
            if self.of.len() == before {
                // All the same: any of them.
                let mut kept = 0;
                self.of.retain(|_, _| {
                    kept += 1;
                    kept <= MOST / 2
                });
            }
        }
        self.add_up();
    }

    fn add_up(&mut self) {
        self.totals.clear();
        for ((context, _), count) in &self.of {
            *self.totals.entry(*context).or_default() += count;
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for ((context, outcome), count) in self.of.iter().take(MOST) {
            bytes.extend(context.to_le_bytes());
            bytes.extend(outcome.to_le_bytes());
            bytes.extend(count.to_le_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&VERSION, rest) = bytes.split_first()? else { return None };
        if bytes.len() > FILE_BYTES {
            return None;
        }
        let mut counts = Self::default();
        let (entries, []) = rest.as_chunks::<ENTRY_BYTES>() else { return None };
        for entry in entries {
            let (context, rest) = entry.split_first_chunk()?;
            let (outcome, rest) = rest.split_first_chunk()?;
            let count = f32::from_le_bytes(rest.try_into().ok()?);
            if !(count.is_finite() && (0.0..=1e6).contains(&count)) {
                return None;
            }
            counts.of.insert((u64::from_le_bytes(*context), u32::from_le_bytes(*outcome)), count);
        }
        counts.add_up();
        Some(counts)
    }
}

/// Reads a file, but no more of it than tells that it is too large.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// From the widest to the narrowest.
fn contexts(around: Around) -> [u64; 3] {
    let screen = u64::from(around.screen);
    let kind = around.before.map_or(NOTHING, |name| name.kind.into());
    let what = around.before.map_or(NOTHING, |name| name.what);
    [number(&[0, screen]), number(&[1, screen, kind]), number(&[2, screen, kind, what])]
}

/// Whatever it is, doing the same again is a habit of its own.
fn outcome(level: usize, around: Around, name: Name) -> u32 {
    let same = level < 2 && around.before == Some(name);
    if same { SAME } else { number(&[name.kind.into(), name.what]) as u32 & (SAME >> 1) }
}

/// A number for some: the first eight bytes, little-endian, of the BLAKE3 hash of their little-endian bytes.
fn number(parts: &[u64]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&part.to_le_bytes());
    }
    let hash = hasher.finalize();
    hash.as_bytes().first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn name(what: u64) -> Name {
        Name { kind: 1, what }
    }

    fn inputs(count: u64) -> Vec<(Name, f32)> {
        (0..count).map(|what| (name(what), 1.0)).collect()
    }

    /// Promise: what is tapped often comes first, and what is tapped after what counts more than that.
    #[test]
    fn what_follows_what_is_learned() {
        let habits = Habits::default();
        let around = |before| Around { screen: 5, before };
        let even = habits.likelihoods(around(None), &inputs(4));
        assert!(even.iter().all(|likely| (likely - 0.25).abs() < 0.01));
        for _ in 0..8 {
            habits.note(around(None), name(1));
            habits.note(around(Some(name(1))), name(2));
            habits.note(around(Some(name(2))), name(3));
        }
        let after = |before| {
            let likely = habits.likelihoods(around(before), &inputs(4));
            (0..4).max_by(|one, other| likely[*one].total_cmp(&likely[*other]))
        };
        assert_eq!((after(None), after(Some(name(1))), after(Some(name(2)))), (Some(1), Some(2), Some(3)));
        let elsewhere = habits.likelihoods(Around { screen: 6, before: None }, &inputs(4));
        assert!((elsewhere[1] - 0.25).abs() < 0.01, "another screen has habits of its own");
    }

    /// Promise: doing the same again is learned as such, also for what was never done twice before.
    #[test]
    fn the_same_again_is_a_habit() {
        let habits = Habits::default();
        for what in 0..20 {
            let around = Around { screen: 5, before: Some(name(what)) };
            habits.note(around, name(what));
        }
        let likely = habits
            .likelihoods(Around { screen: 5, before: Some(name(77)) }, &[(name(77), 1.0), (name(3), 1.0)]);
        assert!(likely[0] > 0.6 && likely[0] > 3.0 * likely[1], "{likely:?}");
    }

    /// Promise: memory is bounded, and old habits go.
    #[test]
    fn counts_are_bounded_and_fade() {
        let habits = Habits::default();
        let around = Around { screen: 1, before: None };
        (0..10).for_each(|_| habits.note(around, name(1)));
        for what in 0..60_000 {
            habits.note(Around { screen: what as u32 % 977, before: Some(name(what)) }, name(what % 89 + 5));
            assert!(habits.lock().of.len() <= MOST + 3);
        }
        let likely = habits.likelihoods(around, &inputs(2));
        assert!(likely[1] < 0.9);
    }

    /// Promise: what was learned survives the server, and a damaged file does no harm.
    #[tokio::test]
    async fn habits_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let habits = Habits::read(folder.path());
        let around = Around { screen: 1, before: None };
        (0..10).for_each(|_| habits.note(around, name(1)));
        let stopped = CancellationToken::new();
        stopped.cancel();
        habits.keep(stopped).await;
        let again = Habits::read(folder.path());
        assert_eq!(again.likelihoods(around, &inputs(3)), habits.likelihoods(around, &inputs(3)));
        let path = folder.path().join("habits");
        let mut bytes = std::fs::read(&path).unwrap();
        let older = [&[1][..], &bytes[1..]].concat();
        for damage in [&b""[..], &older, b"\x02abc", &[255; 33]] {
            std::fs::write(&path, damage).unwrap();
            assert!(Habits::read(folder.path()).lock().of.is_empty());
        }
        bytes.truncate(bytes.len() - 1);
        std::fs::write(&path, &bytes).unwrap();
        assert!(Habits::read(folder.path()).lock().of.is_empty());
    }
    /// Promise: numbers in the file mean the same to every build of the server.
    #[test]
    fn numbers_stay_what_they_are() {
        assert_eq!(number(&[1, 2, 3]), 4_163_513_704_854_067_712);
        let around = Around { screen: 7, before: Some(name(9)) };
        assert_eq!(contexts(around), [number(&[0, 7]), number(&[1, 7, 1]), number(&[2, 7, 1, 9])]);
    }

    /// Promise: a file that is too large is not read whole.
    #[test]
    fn a_file_that_is_too_large_is_not_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("habits");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read_bounded(&path).unwrap().len(), FILE_BYTES + 1);
        assert!(Habits::read(folder.path()).lock().of.is_empty());
    }
}
