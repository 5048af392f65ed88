//! Power loss at every sync boundary: a child books on a recorded disk; the record is cut at each boundary, what was not synced is
//! dropped, torn or reordered, and a ledger is opened on what remains.
#![allow(clippy::disallowed_methods, reason = "starts itself as a child process with a recorded disk")]

mod common;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use common::{Folder, colas, done, marked, open_demo};
use tresen_ledger::{Fault, Ledger, Options};

/// Times that the child opens the ledger; each closing folds the write-ahead log.
const LIVES: u64 = 3;
/// Bookings of each life.
const BOOKINGS: u64 = 12;
/// What a disk writes as a whole.
const SECTOR_BYTES: usize = 512;

/// What becomes of writes that were not synced when the power went.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// None is there.
    Dropped,
    /// All are there.
    Kept,
    /// All but the last, of which half is there.
    Torn,
    /// Some are there, others not.
    Reordered,
}

/// Something that happened to the disk.
enum Happened {
    Write { path: PathBuf, at: usize, data: Vec<u8> },
    Truncate { path: PathBuf, size: usize },
    Sync { path: PathBuf },
    Remove { path: PathBuf },
}

/// Promise: a confirmed booking survives power loss at any instant, whatever the disk does with what was not synced.
#[test]
fn power_loss_at_every_sync_boundary_loses_nothing() {
    let (cuts, lost) = cut_everywhere(Fault::None);
    println!("{cuts} cuts");
    assert!(cuts > 400, "only {cuts} cuts");
    assert!(lost.is_empty(), "{lost:#?}");
}

/// The same harness notices a ledger that syncs only at checkpoints (`synchronous=NORMAL`).
#[test]
fn syncing_only_at_checkpoints_is_noticed() {
    let (cuts, lost) = cut_everywhere(Fault::LazySync);
    println!("{} of {cuts} cuts lose something, as they must", lost.len());
    assert!(lost.iter().any(|line| line.contains("LOST")), "{lost:#?}");
}

/// Records a child's evening, cuts it everywhere; gives the number of cuts and what was lost.
fn cut_everywhere(fault: Fault) -> (usize, Vec<String>) {
    let folder = Folder::new();
    let happened = record(&folder, fault);
    let boundaries: Vec<usize> = happened
        .iter()
        .enumerate()
        .filter(|(_, happened)| {
            matches!(happened, Happened::Sync { .. }) || is_acknowledgement(happened).is_some()
        })
        .flat_map(|(index, _)| [index, index + 1])
        .collect();
    // What remains of a cut is looked at in memory where there is such a folder: thousands of real syncs prove nothing more.
    let memory = Path::new("/dev/shm");
    let remains = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let remains = remains.expect("a temporary folder");
    let mut lost = Vec::new();
    let mut cuts = 0;
    for (cut, loss) in boundaries
        .into_iter()
        .flat_map(|cut| [Loss::Dropped, Loss::Kept, Loss::Torn, Loss::Reordered].map(|loss| (cut, loss)))
    {
        let place = remains.path().join("cut");
        if place.exists() {
            std::fs::remove_dir_all(&place).expect("removed");
        }
        std::fs::create_dir(&place).expect("made");
        let acknowledged = happened[..cut].iter().filter_map(is_acknowledgement).max().unwrap_or(0);
        for (path, content) in disk_after(&happened[..cut], loss) {
            std::fs::write(place.join(path.file_name().expect("a file")), content).expect("written");
        }
        if let Err(error) = survives(&place.join("tresen.db"), acknowledged) {
            lost.push(format!("cut {cut} of {}, {loss:?}: {error}", happened.len()));
        }
        cuts += 1;
    }
    (cuts, lost)
}

/// Opens a ledger on what remained and compares with what was acknowledged.
fn survives(database: &Path, acknowledged: u64) -> Result<(), String> {
    let ledger = Ledger::open(database, Options::default()).map_err(|error| error.to_string())?;
    let stored = ledger.mark(&[7; 16]).map_or(0, |mark| mark.input);
    if stored < acknowledged {
        return Err(format!("LOST: {acknowledged} acknowledged, {stored} on disk"));
    }
    if u64::from(colas(&ledger, 4)) != stored {
        return Err(format!("mark {stored}, but {} booked", colas(&ledger, 4)));
    }
    ledger.verify().map(|_| ()).map_err(|error| error.to_string())
}

/// What is on the disk when the power goes after these events.
fn disk_after(happened: &[Happened], loss: Loss) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut durable: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    let mut pending: BTreeMap<PathBuf, Vec<&Happened>> = BTreeMap::new();
    for event in happened {
        match event {
            Happened::Write { path, .. } | Happened::Truncate { path, .. } => {
                durable.entry(path.clone()).or_default();
                pending.entry(path.clone()).or_default().push(event);
            }
            Happened::Sync { path } => {
                for event in pending.remove(path).unwrap_or_default() {
                    apply(durable.entry(path.clone()).or_default(), event, usize::MAX);
                }
            }
            Happened::Remove { path } => {
                durable.remove(path);
                pending.remove(path);
            }
        }
    }
    for (path, events) in pending {
        let content = durable.entry(path).or_default();
        for (index, event) in events.iter().enumerate() {
            match loss {
                Loss::Dropped => {}
                Loss::Kept => apply(content, event, usize::MAX),
                Loss::Torn if index + 1 < events.len() => apply(content, event, usize::MAX),
                Loss::Torn => apply(content, event, SECTOR_BYTES),
                // Not random, so that a failure repeats: the pattern differs from cut to cut with the number of events.
                Loss::Reordered if !(index * 7 + happened.len()).is_multiple_of(3) => {
                    apply(content, event, usize::MAX)
                }
                Loss::Reordered => {}
            }
        }
    }
    durable
}

/// Does an event to a file's content; of a write, at most so many bytes.
fn apply(content: &mut Vec<u8>, event: &Happened, bytes_max: usize) {
    match event {
        Happened::Write { at, data, .. } => {
            let data = &data[..data.len().min(bytes_max)];
            content.resize(content.len().max(at + data.len()), 0);
            content[*at..at + data.len()].copy_from_slice(data);
        }
        Happened::Truncate { size, .. } => content.resize(*size, 0),
        Happened::Sync { .. } | Happened::Remove { .. } => {}
    }
}

/// The number that a write to the file of acknowledgements says.
fn is_acknowledgement(event: &Happened) -> Option<u64> {
    match event {
        Happened::Write { path, data, .. } if path.ends_with("acknowledged") => {
            std::str::from_utf8(data).ok()?.trim().parse().ok()
        }
        _ => None,
    }
}

/// Lets a child book on a recorded disk.
fn record(folder: &Folder, fault: Fault) -> Vec<Happened> {
    let (source, library) = (folder.file("disk.c"), folder.file("disk.so"));
    std::fs::write(&source, include_str!("common/recording_disk.c")).expect("written");
    let compiled = Process::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(compiled.is_ok_and(|status| status.success()), "needs the C compiler that SQLite was built with");
    let (disk, log) = (folder.file("disk"), folder.file("log"));
    std::fs::create_dir(&disk).expect("made");
    let mut child = Process::new(std::env::current_exe().expect("our own path"));
    child.args(["child_books_on_a_recorded_disk", "--exact", "--ignored", "--test-threads=1"]);
    child.env("LD_PRELOAD", &library).env("TRESEN_TEST_FOLDER", &disk).env("TRESEN_TEST_LOG", &log);
    child.env("TRESEN_TEST_LAZY", if fault == Fault::LazySync { "yes" } else { "no" });
    let output = child.output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    parse(&std::fs::read(&log).expect("a log"))
}

fn parse(mut log: &[u8]) -> Vec<Happened> {
    fn take<'a>(log: &mut &'a [u8], size: usize) -> &'a [u8] {
        let (taken, rest) = log.split_at(size);
        *log = rest;
        taken
    }
    let mut happened = Vec::new();
    while !log.is_empty() {
        let kind = take(&mut log, 1)[0];
        let length = u32::from_le_bytes(take(&mut log, 4).try_into().expect("four bytes")) as usize;
        let at = u64::from_le_bytes(take(&mut log, 8).try_into().expect("eight bytes")) as usize;
        let size = u64::from_le_bytes(take(&mut log, 8).try_into().expect("eight bytes")) as usize;
        let path = PathBuf::from(String::from_utf8_lossy(take(&mut log, length)).into_owned());
        let data = take(&mut log, size).to_vec();
        happened.push(match kind {
            b'W' => Happened::Write { path, at, data },
            b'T' => Happened::Truncate { path, size: at },
            b'S' => Happened::Sync { path },
            b'U' => Happened::Remove { path },
            other => panic!("an unknown record {other}"),
        });
    }
    happened.retain(|event| !is_lock(event));
    happened
}

/// The lock file's content is for people; it plays no part after a power loss.
fn is_lock(event: &Happened) -> bool {
    let (Happened::Write { path, .. }
    | Happened::Truncate { path, .. }
    | Happened::Sync { path }
    | Happened::Remove { path }) = event;
    path.extension().is_some_and(|extension| extension == "lock")
}

#[test]
#[ignore = "started by record() with a recorded disk"]
fn child_books_on_a_recorded_disk() {
    let disk = PathBuf::from(std::env::var_os("TRESEN_TEST_FOLDER").expect("only run as a child"));
    let lazy = std::env::var_os("TRESEN_TEST_LAZY").is_some_and(|lazy| lazy == "yes");
    let fault = if lazy { Fault::LazySync } else { Fault::None };
    let mut acknowledged = File::create(disk.join("acknowledged")).expect("created");
    for life in 0..LIVES {
        let ledger = open_demo(&disk.join("tresen.db"), Options { fault, ..Options::default() });
        for input in life * BOOKINGS + 1..=(life + 1) * BOOKINGS {
            done(&ledger, marked(4, input)).expect("booked");
            acknowledged.write_all(format!("{input}\n").as_bytes()).expect("written");
        }
    }
}
