//! What a ledger does when the world is against it: full and failing disks, foreign, newer and damaged files, sudden death.

#![allow(clippy::disallowed_methods, reason = "starts itself as a child process that fails or dies")]

mod common;

use std::process::Command as Process;

use common::{Folder, booking, colas, done, marked, open_demo};
use rusqlite::Connection;
use tresen_ledger::{
    Ledger, OpenError, Options, Progress, Restoration, SubmitError, VerifyError, carry_on, verify,
};

fn sql(folder: &Folder, statement: &str) {
    let connection = Connection::open(folder.database()).expect("opens");
    connection.execute_batch(statement).expect("a statement that works");
}

fn open_error(folder: &Folder) -> OpenError {
    Ledger::open(&folder.database(), Options::default()).err().expect("must not open")
}

/// Books until the ledger fails; gives how many were acknowledged and why the next one was not.
fn book_until_failure(ledger: &Ledger) -> (u32, SubmitError) {
    for booked in 0..100_000 {
        let mut submission = booking(4);
        // A note of its own makes each booking a line of its own, and the journal grow.
        submission.commands[0] = common::noted_cola(4 + booked / 400, &format!("{booked:0>150}"));
        if let Err(error) = done(ledger, submission) {
            return (booked, error);
        }
    }
    panic!("nothing failed")
}

fn all_colas(ledger: &Ledger) -> u32 {
    (1..=26).map(|table| colas(ledger, table)).sum()
}

/// Promise: a full disk is said, nothing is shown as done, everything later fails with the reason, and nothing
/// acknowledged is lost.
#[test]
fn a_full_disk_fails_loudly_and_loses_nothing() {
    let folder = Folder::new();
    drop(folder.demo());
    let ledger = open_demo(&folder.database(), Options { pages_max: Some(60), ..Options::default() });
    let (booked, error) = book_until_failure(&ledger);
    assert!(booked > 0);
    assert!(matches!(&error, SubmitError::Failed(reason) if reason.contains("disk is full")), "{error}");
    assert_eq!(all_colas(&ledger), booked, "nobody sees what was not stored");
    assert_eq!(done(&ledger, booking(5)).expect_err("failed for good"), error);
    assert!(ledger.failed().is_some_and(|reason| reason.contains("disk is full")));
    drop(ledger);
    assert_eq!(all_colas(&folder.demo()), booked, "after the repair everything acknowledged is there");
}

/// Promise: the chain names the row that somebody changed, in an opened ledger and in a verification.
#[test]
fn a_changed_row_is_named() {
    let folder = Folder::new();
    let ledger = folder.demo();
    for _ in 0..10 {
        done(&ledger, booking(4)).expect("booked");
    }
    let rows = ledger.verify().expect("all in order").rows;
    assert_eq!(rows, 12);
    drop(ledger);
    sql(&folder, "UPDATE journal SET staff = 2 WHERE row = 7");
    let error = verify(&folder.database()).expect_err("changed");
    assert!(matches!(error, VerifyError::ChainBroken { row: 7 }), "{error}");
    sql(&folder, "DELETE FROM snapshot");
    let error = open_error(&folder);
    assert!(error.to_string().contains("the chain of the journal breaks at row 7"), "{error}");
}

/// Promise: a missing row is noticed, also at the end, where the snapshot knows more.
#[test]
fn a_missing_row_is_named() {
    let folder = Folder::new();
    let ledger = folder.demo();
    done(&ledger, booking(4)).expect("booked");
    drop(ledger);
    sql(&folder, "DELETE FROM journal WHERE row = 3");
    assert!(matches!(verify(&folder.database()), Err(VerifyError::ChainBroken { row: 3 })));
    assert!(matches!(
        open_error(&folder),
        OpenError::Damaged { error: VerifyError::ChainBroken { row: 3 }, .. }
    ));
}

/// Promise: a snapshot that does not follow from the journal is noticed.
#[test]
fn a_foreign_snapshot_is_noticed() {
    let (folder, other) = (Folder::new(), Folder::new());
    for (folder, table) in [(&folder, 4), (&other, 5)] {
        done(&folder.demo(), booking(table)).expect("booked");
    }
    let attach = format!("ATTACH '{}' AS other; ", other.database().display());
    sql(&folder, &(attach + "UPDATE snapshot SET till = (SELECT till FROM other.snapshot)"));
    assert!(matches!(verify(&folder.database()), Err(VerifyError::SnapshotDiffers { row: 3 })));
}

/// Promise: a snapshot that can't be read costs time, not data.
#[test]
fn a_damaged_snapshot_is_replaced_by_a_replay() {
    let folder = Folder::new();
    done(&folder.demo(), booking(4)).expect("booked");
    sql(&folder, "UPDATE snapshot SET till = x'00112233'");
    assert_eq!(colas(&folder.demo(), 4), 1);
}

/// Promise: a newer database is refused with one sentence, and not touched.
#[test]
fn a_newer_database_is_refused() {
    let folder = Folder::new();
    drop(folder.demo());
    sql(&folder, "PRAGMA user_version = 7");
    let before = std::fs::read(folder.database()).expect("readable");
    let error = open_error(&folder);
    assert!(matches!(error, OpenError::Newer { found: 7, .. }), "{error}");
    assert!(error.to_string().contains("newer Tresen"));
    assert_eq!(std::fs::read(folder.database()).expect("readable"), before);
}

#[test]
fn other_files_are_refused() {
    let folder = Folder::new();
    std::fs::write(folder.database(), "Dear diary, today the till was closed. ".repeat(40)).expect("written");
    assert!(matches!(open_error(&folder), OpenError::NotALedger { .. }));
    std::fs::remove_file(folder.database()).expect("removed");
    sql(&folder, "CREATE TABLE somebody_elses (a)");
    assert!(matches!(open_error(&folder), OpenError::NotALedger { .. }));
}

/// Promise: a backup of a running ledger is whole, a restore brings it back, and keeps what it replaced.
#[test]
fn backup_while_running_and_restore() {
    let folder = Folder::new();
    let ledger = folder.demo();
    for _ in 0..5 {
        done(&ledger, booking(4)).expect("booked");
    }
    let backup = folder.file("evening.backup");
    let verified = ledger.backup_to(&backup).expect("copied");
    assert_eq!(verified, ledger.verify().expect("in order"));
    assert!(ledger.backup_to(&backup).expect_err("there").to_string().contains("exists already"));
    done(&ledger, booking(4)).expect("booked");
    let busy = tresen_ledger::restore(&backup, &folder.database()).expect_err("a server works on it");
    assert!(busy.to_string().contains("in use by another process"), "{busy}");
    drop(ledger);
    assert_eq!(tresen_ledger::restore(&backup, &folder.database()).expect("restored"), verified);
    assert_eq!(colas(&folder.demo(), 4), 5);
    let replaced = folder.file("tresen.db.before-restore-1");
    assert_eq!(colas(&open_demo(&replaced, Options::default()), 4), 6);
}

/// A folder with a database of six colas that was killed, so that the newest are only in its write-ahead log, and a backup of five.
fn killed_with_a_backup() -> (Folder, std::path::PathBuf) {
    let (running, folder) = (Folder::new(), Folder::new());
    let ledger = running.demo();
    (0..5).for_each(|_| drop(done(&ledger, booking(4)).expect("booked")));
    let backup = folder.file("evening.backup");
    ledger.backup_to(&backup).expect("copied");
    done(&ledger, booking(4)).expect("booked");
    for suffix in ["", "-wal", "-shm"] {
        let from = format!("{}{suffix}", running.database().display());
        std::fs::copy(from, format!("{}{suffix}", folder.database().display())).expect("as a kill leaves it");
    }
    (folder, backup)
}

/// Promise: a restoration that is killed after any of its steps leaves the old database whole or is carried through by the next start; the
/// log of the old one is never read into the new one, and what was replaced is kept whole.
#[test]
fn a_restoration_may_be_killed_after_every_step() {
    let (folder, backup) = killed_with_a_backup();
    drop(Restoration::prepare(&backup, &folder.database()).expect("copied"));
    assert_eq!(colas(&folder.demo(), 4), 6, "nothing was decided: the old one");
    assert!(!folder.file("tresen.db.partial").exists(), "half a restoration is tidied up");

    for steps in 0.. {
        let (folder, backup) = killed_with_a_backup();
        let restoration = Restoration::prepare(&backup, &folder.database()).expect("copied");
        restoration.commit().expect("committed");
        let mut progress = Progress::More;
        for _ in 0..steps {
            progress = carry_on(&folder.database()).expect("a step");
        }
        drop(restoration);

        assert_eq!(colas(&folder.demo(), 4), 5, "after {steps} steps: the new one");
        let kept = folder.file("tresen.db.before-restore-1");
        assert_eq!(colas(&open_demo(&kept, Options::default()), 4), 6, "after {steps} steps: the old one");
        verify(&folder.database()).expect("in order");
        if progress == Progress::Done {
            assert!(steps >= 4, "log, shared memory, database, new database");
            return;
        }
    }
}

/// Promise: every replaced database is kept, and an interrupted restoration is carried through by the next one too.
#[test]
fn each_restoration_keeps_what_it_replaced() {
    let (folder, backup) = killed_with_a_backup();
    let interrupted = Restoration::prepare(&backup, &folder.database()).expect("copied");
    interrupted.commit().expect("committed");
    carry_on(&folder.database()).expect("a step");
    drop(interrupted);
    for _ in 0..2 {
        tresen_ledger::restore(&backup, &folder.database()).expect("restored");
        done(&folder.demo(), booking(5)).expect("booked");
    }
    let kept =
        |number| open_demo(&folder.file(&format!("tresen.db.before-restore-{number}")), Options::default());
    assert_eq!([1, 2, 3].map(|number| colas(&kept(number), 4)), [6, 5, 5]);
    assert_eq!([2, 3].map(|number| colas(&kept(number), 5)), [0, 1]);
}

/// A test's own program again, as a child that runs one ignored test with the database in its environment.
fn child(role: &str, folder: &Folder) -> Process {
    let mut process = Process::new(std::env::current_exe().expect("our own path"));
    process.args([role, "--exact", "--ignored", "--nocapture", "--test-threads=1"]);
    process.env("TRESEN_TEST_DATABASE", folder.database());
    process
}

fn database_of_child() -> std::path::PathBuf {
    std::env::var_os("TRESEN_TEST_DATABASE").expect("only run as a child").into()
}

/// Numbers that a child printed as acknowledged.
fn acknowledged(output: &std::process::Output) -> Vec<u32> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(|line| line.split("acknowledged ").nth(1)?.parse().ok()).collect()
}

/// Promise: a writer that dies in the middle loses nothing acknowledged, and what it did once is not done twice.
#[test]
fn a_writer_that_dies_loses_nothing_acknowledged() {
    let folder = Folder::new();
    drop(folder.demo());
    let output = child("child_dies_in_the_middle", &folder).output().expect("runs");
    assert!(!output.status.success(), "it aborted");
    let acknowledged = acknowledged(&output);
    let last = *acknowledged.last().expect("some were acknowledged");
    assert_eq!(acknowledged, (1..=last).collect::<Vec<_>>());
    let ledger = folder.demo();
    let stored = ledger.mark(&[7; 16]).expect("a mark").input as u32;
    assert!(stored >= last, "{stored} stored, {last} acknowledged");
    assert_eq!(colas(&ledger, 4), stored, "events and mark are in the same transaction");
    for input in 1..=stored + 1 {
        let repeated = done(&ledger, marked(4, u64::from(input))).expect("answered").repeated;
        assert_eq!(repeated, input <= stored);
    }
    assert_eq!(colas(&ledger, 4), stored + 1);
}

#[test]
#[ignore = "started by a_writer_that_dies_loses_nothing_acknowledged"]
fn child_dies_in_the_middle() {
    let ledger = open_demo(&database_of_child(), Options::default());
    for input in 1..=40 {
        done(&ledger, marked(4, input)).expect("booked");
        println!("acknowledged {input}");
    }
    let _never_heard: Vec<_> = (41..=60).map(|input| ledger.submit(marked(4, input))).collect();
    std::process::abort();
}

/// Promise: when a write fails (here: a limit on file sizes, as a full quota), the reason is said and nothing acknowledged is lost.
#[test]
fn a_failing_write_fails_loudly_and_loses_nothing() {
    let folder = Folder::new();
    drop(folder.demo());
    let me = child("child_books_until_failure", &folder);
    let mut shell = Process::new("sh");
    shell
        .args(["-c", r#"trap '' XFSZ; ulimit -f 400; exec "$0" "$@""#])
        .arg(me.get_program())
        .args(me.get_args());
    shell.env("TRESEN_TEST_DATABASE", folder.database());
    assert_failed_loudly(&folder, &shell.output().expect("runs"));
}

/// Promise: when a sync fails, nothing later is acknowledged: the system may have dropped the pages.
#[test]
fn a_failing_sync_fails_loudly_and_loses_nothing() {
    let folder = Folder::new();
    drop(folder.demo());
    let (source, library) = (folder.file("nosync.c"), folder.file("nosync.so"));
    std::fs::write(&source, include_str!("common/failing_sync.c")).expect("written");
    let compiled = Process::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(compiled.is_ok_and(|status| status.success()), "needs the C compiler that SQLite was built with");
    let output =
        child("child_books_until_failure", &folder).env("LD_PRELOAD", &library).output().expect("runs");
    assert_failed_loudly(&folder, &output);
}

fn assert_failed_loudly(folder: &Folder, output: &std::process::Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let booked = *acknowledged(output).last().expect("it says how many");
    assert!(booked > 0 && text.contains("reason: bookings can't be stored: the disk"), "{text}");
    let ledger = folder.demo();
    // What failed may be there or not; what was acknowledged must be.
    assert!((booked..=booked + 1).contains(&all_colas(&ledger)), "{} of {booked}", all_colas(&ledger));
    ledger.verify().expect("the chain holds");
}

#[test]
#[ignore = "started by tests of failing disks"]
fn child_books_until_failure() {
    let ledger = open_demo(&database_of_child(), Options::default());
    let (booked, error) = book_until_failure(&ledger);
    assert_eq!(all_colas(&ledger), booked, "nobody sees what was not stored");
    assert_eq!(done(&ledger, booking(5)).expect_err("failed for good"), error);
    println!("acknowledged {booked}");
    println!("reason: {error}");
}
