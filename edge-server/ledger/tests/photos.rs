//! Promises about the pictures of products: each is stored with the event that a product has it, and exactly as long as one has it.

mod common;

use common::{Folder, anna, booking, done};
use tresen_ledger::{Ledger, Options, PHOTO, Submission, SubmitError, photo_id, photo_record, verify};
use tresen_till::{Command, Context, Manage, PhotoId, ProductId, demo};

const COLA: ProductId = ProductId(101);
const STEAK: ProductId = ProductId(301);

fn set(product: ProductId, photo: Option<PhotoId>) -> Submission {
    let context = Context { staff: Some(demo::OLGA), ..anna(0) };
    let command = Command::Manage(Manage::SetPhoto { product, photo });
    Submission { context, commands: vec![command], mark: None, records: Vec::new() }
}

fn upload(product: ProductId, bytes: &[u8]) -> Submission {
    Submission { records: vec![photo_record(bytes.to_vec())], ..set(product, Some(photo_id(bytes))) }
}

fn stored(ledger: &Ledger) -> usize {
    ledger.records(PHOTO).len()
}

/// Promise: a picture is there after a restart, and nothing is left over of what was replaced, removed, or sold no more.
#[test]
fn a_picture_stays_as_long_as_a_product_has_it() {
    let folder = Folder::new();
    let ledger = folder.demo();
    done(&ledger, upload(COLA, b"first")).expect("stored");
    done(&ledger, set(STEAK, Some(photo_id(b"first")))).expect("one picture may show two products");
    done(&ledger, upload(COLA, b"second")).expect("stored");
    assert_eq!(stored(&ledger), 2, "the steak still has the first one");
    done(&ledger, set(STEAK, None)).expect("removed");
    assert_eq!(stored(&ledger), 1);
    drop(ledger);
    let ledger = folder.demo();
    assert_eq!(ledger.till().photo(COLA), Some(photo_id(b"second")));
    assert_eq!(ledger.photo(photo_id(b"second")).as_deref(), Some(&b"second"[..]));
    assert_eq!(ledger.photo(photo_id(b"first")), None);
    let gone = Command::Manage(Manage::RemoveProduct(COLA));
    done(&ledger, Submission { commands: vec![gone], ..set(COLA, None) }).expect("removed");
    assert_eq!(stored(&ledger), 0);
    drop(ledger);
    assert_eq!(stored(&folder.demo()), 0);
}

/// Promise: no product has a picture that is not stored.
#[test]
fn a_picture_that_is_not_here_is_refused() {
    let folder = Folder::new();
    let ledger = folder.demo();
    let missing = photo_id(b"missing");
    assert_eq!(
        done(&ledger, set(COLA, Some(missing))).map(|done| done.row),
        Err(SubmitError::NoPicture(missing))
    );
    assert_eq!(ledger.till().photo(COLA), None);
    done(&ledger, booking(4)).expect("others go on");
}

/// Promise: a backup has the pictures, and a picture that is missing or damaged is found.
#[test]
fn pictures_are_in_backups_and_are_verified() {
    let folder = Folder::new();
    let ledger = folder.demo();
    done(&ledger, upload(COLA, b"a picture of a cola")).expect("stored");
    ledger.backup_to(&folder.file("copy.db")).expect("copied");
    drop(ledger);
    let copy = Ledger::open(&folder.file("copy.db"), Options::default()).expect("opens");
    assert!(copy.photo(photo_id(b"a picture of a cola")).is_some());
    drop(copy);
    let mut bytes = std::fs::read(folder.database()).expect("there");
    let at = bytes.windows(8).position(|window| window == b"a pictur").expect("it is in the database");
    bytes[at] = b'A';
    std::fs::write(folder.database(), bytes).expect("written");
    let error = verify(&folder.database()).expect_err("damaged").to_string();
    assert!(error.contains(&photo_id(b"a picture of a cola").to_string()), "{error}");
}
