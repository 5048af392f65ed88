//! Promise: a backup of a running server is whole, and restoring it never loses what was there.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use jiff::ZonedDateTime;
use support::{database, open_demo, plain_product, sell};
use tempfile::tempdir;
use tresen_edge::backup::{Error, Replace, backup, restore};
use tresen_edge::data_dir::DataDir;
use tresen_ledger::{Ledger, Options};
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
    let kept = data.join("ledger.db.before-restore");
    assert!(tresen_ledger::verify(&kept).is_ok(), "what was there is still there");
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
