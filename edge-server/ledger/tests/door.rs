//! Promises of the ledger seen through its door.

mod common;

use common::{Folder, anna, booking, colas, done, marked};
use tresen_ledger::{Ledger, Mark, OpenError, Options, Record, Submission, SubmitError};
use tresen_till::{Command, Money, Refusal, Target};

/// Promise: what was acknowledged is there after a restart, and the state is the same.
#[test]
fn acknowledged_bookings_survive_a_restart() {
    let folder = Folder::new();
    let ledger = folder.demo();
    for table in [4, 4, 5] {
        done(&ledger, booking(table)).expect("booked");
    }
    let before = ledger.till();
    drop(ledger);
    let ledger = Ledger::open(&folder.database(), Options::default()).expect("opens again");
    assert_eq!(*ledger.till(), *before);
    assert_eq!((colas(&ledger, 4), colas(&ledger, 5)), (2, 1));
}

/// Promise: an input that is sent again is not done again, also after a restart.
#[test]
fn an_input_sent_again_is_answered_as_done() {
    let folder = Folder::new();
    let ledger = folder.demo();
    assert!(!done(&ledger, marked(4, 1)).expect("booked").repeated);
    assert!(done(&ledger, marked(4, 1)).expect("known").repeated);
    drop(ledger);
    let ledger = folder.demo();
    assert!(done(&ledger, marked(4, 1)).expect("known").repeated);
    assert!(!done(&ledger, marked(4, 2)).expect("booked").repeated);
    assert_eq!(colas(&ledger, 4), 2);
}

/// Promise: the state of an instance after the same input may be stored later, but never an older one.
#[test]
fn a_mark_alone_moves_the_state_of_an_instance_forward() {
    let folder = Folder::new();
    let ledger = folder.demo();
    let mark = |input, app: u8| Submission {
        context: anna(0),
        commands: Vec::new(),
        mark: Some(Mark { session: [7; 16], input, app: vec![app] }),
        records: Vec::new(),
    };
    done(&ledger, marked(4, 3)).expect("booked");
    assert!(!done(&ledger, mark(3, 33)).expect("stored").repeated);
    assert!(done(&ledger, mark(2, 22)).expect("known").repeated);
    drop(ledger);
    let ledger = folder.demo();
    let stored = ledger.mark(&[7; 16]).expect("a mark");
    assert_eq!((stored.input, stored.app.as_slice()), (3, &[33][..]));
}

/// Promise: all or nothing. A refusal stores neither the commands before it nor mark nor records.
#[test]
fn a_refused_submission_leaves_nothing() {
    let folder = Folder::new();
    let ledger = folder.demo();
    let too_little = Command::PayCash {
        check: tresen_till::CheckId(1),
        expected: Money::from_minor(390),
        tendered: Money::from_minor(100),
    };
    let record = Record { kind: "device", key: "a".into(), value: Some(vec![1]) };
    let mut submission = marked(4, 1);
    submission.commands.push(too_little);
    submission.records.push(record);
    let refused = done(&ledger, submission).expect_err("too little money");
    assert_eq!(refused, SubmitError::Refused(Refusal::TenderTooSmall { due: Money::from_minor(390) }));
    assert_eq!((colas(&ledger, 4), ledger.mark(&[7; 16]), ledger.record("device", "a")), (0, None, None));
}

/// Promise: small values are durable, and can be removed.
#[test]
fn records_are_kept_by_kind() {
    let folder = Folder::new();
    let ledger = folder.demo();
    let put = |kind, key: &str, value: Option<&[u8]>| {
        let records = vec![Record { kind, key: key.into(), value: value.map(<[u8]>::to_vec) }];
        done(&ledger, Submission { context: anna(0), commands: Vec::new(), mark: None, records })
            .expect("stored");
    };
    put("device", "b", Some(b"two"));
    put("device", "a", Some(b"one"));
    put("station", "a", Some(b"other"));
    put("device", "b", None);
    drop(ledger);
    let ledger = folder.demo();
    assert_eq!(ledger.records("device"), [("a".to_owned(), b"one".to_vec())]);
    assert_eq!(ledger.record("station", "a"), Some(b"other".to_vec()));
}

/// Promise: deciding happens on the newest state, one after the other: of two stations that pay the same check, one does.
#[test]
fn two_stations_cannot_both_take_the_money() {
    let folder = Folder::new();
    let ledger = folder.demo();
    let till = done(&ledger, booking(4)).expect("booked").till;
    let check = till.open_check(&Target::Table(tresen_till::TableId(4))).expect("open").id;
    let amount = Money::from_minor(390);
    let pay = || Submission {
        context: anna(60),
        commands: vec![Command::PayCash { check, expected: amount, tendered: amount }],
        mark: None,
        records: Vec::new(),
    };
    let answers =
        [ledger.submit(pay()), ledger.submit(pay())].map(|answer| answer.blocking_recv().expect("an answer"));
    assert!(answers[0].is_ok());
    assert_eq!(answers[1].as_ref().expect_err("paid"), &SubmitError::Refused(Refusal::NoSuchCheck));
    assert_eq!(ledger.till().receipts_from(tresen_till::ReceiptNumber(1)).count(), 1);
}

/// Promise: watchers see the newest till after its commit.
#[test]
fn watchers_see_what_was_committed() {
    let folder = Folder::new();
    let ledger = folder.demo();
    let mut watch = ledger.watch();
    watch.mark_unchanged();
    done(&ledger, booking(4)).expect("booked");
    assert!(watch.has_changed().expect("the writer lives"));
    assert_eq!(**watch.borrow_and_update(), *ledger.till());
}

/// Promise: one process at a time, and the message says who.
#[test]
fn a_ledger_in_use_names_its_user() {
    let folder = Folder::new();
    let _ledger = folder.demo();
    let error = Ledger::open(&folder.database(), Options::default()).err().expect("in use");
    assert!(matches!(error, OpenError::Locked { .. }));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
}
