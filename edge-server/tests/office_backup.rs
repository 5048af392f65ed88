//! Promise: a backup of a running server is whole, and restoring it never loses what was there.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::ZonedDateTime;
use support::{database, open_demo, plain_product, sell};
use tempfile::tempdir;
use tresen_edge::backup::{Error, Replace, backup, carry_through, restore};
use tresen_edge::data_dir::DataDir;
use tresen_ledger::{Ledger, Options, Restoration};
use tresen_till::ReceiptNumber;

fn now() -> ZonedDateTime {
    "2026-11-24T20:15:00+01:00[Europe/Berlin]".parse().unwrap()
}

/// A data folder as a server leaves it: keys and a database.
fn site(data: &Path) -> Ledger {
    let folder = DataDir::open(data).unwrap();
    folder.server_key().unwrap();
    folder.browsers_key().unwrap();
    open_demo(data)
}

#[test]
fn a_backup_while_running_comes_back_whole() {
    let root = tempdir().unwrap();
    let (data, elsewhere) = (root.path().join("data"), root.path().join("elsewhere"));
    let ledger = site(&data);
    let product = plain_product(&ledger);
    sell(&ledger, 1, product);
    let made = backup(&data, root.path(), &now()).unwrap();
    assert_eq!(made.path, root.path().join("tresen-2026-11-24T201500"));
    assert!(made.keys && made.rows > 0);
    let mode = std::fs::metadata(made.path.join("server.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "keys are for their owner only");

    sell(&ledger, 2, product);
    let restored = restore(&made.path, &elsewhere, Replace::Never).unwrap();
    assert_eq!(restored.rows, made.rows);
    let there = Ledger::open(&database(&elsewhere), Options::default()).unwrap();
    assert!(there.till().receipt(ReceiptNumber(1)).is_some());
    assert!(there.till().receipt(ReceiptNumber(2)).is_none());
    assert_eq!(
        DataDir::open(&data).unwrap().server_key().unwrap().fingerprint(),
        DataDir::open(&elsewhere).unwrap().server_key().unwrap().fingerprint()
    );
}

/// Promise: a copy of a database is for its owner's eyes only from its first byte on, before anybody has set a mode: even a partial file that
/// others may read is not written to.
#[test]
fn a_copy_is_never_for_everybody() {
    let root = tempdir().unwrap();
    let data = root.path().join("data");
    drop(site(&data));
    let copy = root.path().join("copy.db");
    let partial = root.path().join("copy.db.partial");
    std::fs::write(&partial, b"of an earlier try").unwrap();
    let earlier = std::fs::File::open(&partial).unwrap();
    tresen_ledger::backup(&database(&data), &copy).unwrap();
    let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(earlier.metadata().unwrap().len(), 17, "another file");
}

#[test]
fn nothing_is_overwritten_without_being_asked_to() {
    let root = tempdir().unwrap();
    let data = root.path().join("data");
    let ledger = site(&data);
    let file = root.path().join("only.db");
    assert!(!backup(&data, &file, &now()).unwrap().keys);
    assert!(backup(&data, &file, &now()).is_err(), "a backup is never overwritten");
    let product = plain_product(&ledger);
    sell(&ledger, 1, product);

    assert!(matches!(restore(&file, &data, Replace::Never), Err(Error::NeedsForce(_))));
    assert!(restore(&file, &data, Replace::Force).is_err(), "a server works there");
    drop(ledger);
    restore(&file, &data, Replace::Force).unwrap();
    assert!(Ledger::open(&database(&data), Options::default()).unwrap().till().last_receipt().is_none());
    let kept = data.join("ledger.db.before-restore-1");
    assert!(tresen_ledger::verify(&kept).is_ok(), "what was there is still there");
}

/// Promise: keys and database change together: a restoration that was interrupted leaves all of the old site, or the next start makes it all new,
/// and no key is lost.
#[test]
fn an_interrupted_restoration_is_all_old_or_all_new() {
    let root = tempdir().unwrap();
    let (data, other) = (root.path().join("data"), root.path().join("other"));
    let name = |data: &Path| DataDir::open(data).unwrap().server_key().unwrap().fingerprint();
    drop(site(&data));
    let ledger = site(&other);
    let product = plain_product(&ledger);
    sell(&ledger, 1, product);
    drop(ledger);
    let (old, new) = (name(&data), name(&other));
    let key = std::fs::read(other.join("server.key")).unwrap();

    // Killed before it was decided.
    std::fs::write(data.join("server.key.restored"), &key).unwrap();
    drop(Restoration::prepare(&database(&other), &database(&data)).unwrap());
    carry_through(&data).unwrap();
    assert_eq!(name(&data), old);
    assert!(open_demo(&data).till().last_receipt().is_none());

    // Killed as soon as it was decided.
    std::fs::write(data.join("server.key.restored"), &key).unwrap();
    let restoration = Restoration::prepare(&database(&other), &database(&data)).unwrap();
    restoration.commit().unwrap();
    drop(restoration);
    for _ in 0..2 {
        carry_through(&data).unwrap();
        assert_eq!(name(&data), new);
    }
    assert!(open_demo(&data).till().last_receipt().is_some());
    carry_through(&data).unwrap();
    assert_eq!(name(&data), new);
    let kept = std::fs::read_to_string(data.join("server.key.before-restore-1")).unwrap();
    std::fs::write(data.join("server.key"), kept).unwrap();
    assert_eq!(name(&data), old, "the old key is still there");
}

/// Promise: a second restoration keeps what the first one brought, and a restored database is for its owner's eyes only.
#[test]
fn every_replaced_database_is_kept() {
    let root = tempdir().unwrap();
    let data = root.path().join("data");
    drop(site(&data));
    let file = root.path().join("only.db");
    backup(&data, &file, &now()).unwrap();
    for number in 1..=3 {
        restore(&file, &data, Replace::Force).unwrap();
        assert!(tresen_ledger::verify(&data.join(format!("ledger.db.before-restore-{number}"))).is_ok());
    }
    let mode = std::fs::metadata(database(&data)).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn a_damaged_backup_changes_nothing() {
    let root = tempdir().unwrap();
    let data = root.path().join("data");
    let ledger = site(&data);
    let file = root.path().join("only.db");
    backup(&data, &file, &now()).unwrap();
    drop(ledger);
    let mut bytes = std::fs::read(&file).unwrap();
    let word = b"Lindenstr";
    let at =
        bytes.windows(word.len()).position(|window| window == word).expect("the journal names the street");
    bytes[at] = b'F';
    std::fs::write(&file, bytes).unwrap();
    let before = std::fs::read(database(&data)).unwrap();
    assert!(matches!(restore(&file, &data, Replace::Force), Err(Error::Damaged { .. })));
    assert_eq!(std::fs::read(database(&data)).unwrap(), before);

    std::fs::write(&file, "no database at all").unwrap();
    assert!(restore(&file, &data, Replace::Force).is_err());
    assert!(matches!(restore(&root.path().join("nowhere"), &data, Replace::Force), Err(Error::NoBackup(_))));
}
