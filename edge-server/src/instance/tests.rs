//! An instance step by step, with a ledger that takes nothing for a while.

mod news;

use tresen_ledger::Submission;
use tresen_session::Receiver;
use tresen_wire::{Key, ToServer};

use super::bench::{Bench, PATIENCE, Phone, STATION, device, filler};
use super::flights::Cargo;
use super::marks::Marks;
use super::task::UNSEEN_MARK_MS;

/// Promise: an input whose booking the ledger's full queue refused is acknowledged only with a state that says so, so a kill at any moment
/// never leaves it acknowledged, unbooked and taken for booked.
#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_a_full_queue_refused_is_never_taken_for_done() {
    let mut bench = Bench::open().await;
    let full = bench.fill_the_queue();
    bench.input(1, Key::Digit(5));
    full.drain().await;
    // The next input comes before the instance hears of the refusal.
    bench.input_and_mark(2, Key::Back);
    while !bench.instance.flights.is_empty() {
        bench.land().await;
        let (input, app) = bench.after_a_kill();
        assert!(!app.on_its_way || bench.guests().is_some(), "saved as on its way, but not on disk");
        assert!(input < 1 || app.failed == 1, "input {input} is covered by a state that knows of no refusal");
    }
    assert_eq!(bench.after_a_kill().0, 2, "both inputs were settled");
    assert_eq!(bench.guests(), None);
}

/// Promise: an input that books something is covered exactly when its booking is on disk.
#[tokio::test(flavor = "multi_thread")]
async fn no_state_is_saved_while_the_fate_of_a_booking_is_open() {
    let mut bench = Bench::open().await;
    for digit in [3, 9] {
        let before = bench.after_a_kill().0;
        bench.input(before + 1, Key::Digit(digit));
        bench.input_and_mark(before + 2, Key::Back);
        while !bench.instance.flights.is_empty() {
            bench.land().await;
            let (input, app) = bench.after_a_kill();
            let booked = bench.guests() == Some(digit.into());
            assert_eq!(input > before, booked, "an input is covered when its booking is on disk");
            assert!(!app.on_its_way || booked);
        }
    }
}

/// Promise: an input whose acknowledgement a device did not get is not applied again after the station forgot the device; the device gives it up,
/// and the person is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_device_applies_nothing_twice() {
    let mut bench = Bench::open().await;
    let mut phone = Phone::connect(&mut bench, device(2), Receiver::new(crate::look::DEFAULT, None)).await;
    phone.press(&mut bench, Key::Digit(5));
    // It is booked, but the connection breaks before the acknowledgement.
    bench.instance.all_on_disk().await;
    assert_eq!((bench.guests(), phone.receiver.unacknowledged()), (Some(5), 1));
    let Phone { device: forgotten, receiver, wire } = phone;
    drop(wire);

    for byte in 100..133 {
        let mut other =
            Phone::connect(&mut bench, device(byte), Receiver::new(crate::look::DEFAULT, None)).await;
        other.press(&mut bench, Key::Back);
    }
    let applied = bench.applied();
    let mut phone = Phone::connect(&mut bench, forgotten, receiver).await;
    assert_eq!(phone.receiver.unacknowledged(), 0, "given up");
    assert_eq!(bench.applied(), applied, "not applied again");
    assert!(bench.instance.app.save()[2] == 1, "and said");
    phone.press(&mut bench, Key::Back);
    assert_eq!(bench.applied(), applied + 1, "the device goes on");
    bench.instance.all_on_disk().await;
    phone.exchange(&mut bench);
    assert_eq!(phone.receiver.unacknowledged(), 0);
}

/// Promise: a mark that a full queue refused is tried again, so what was tapped meanwhile is acknowledged in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_a_full_queue_refused_is_tried_again() {
    let mut bench = Bench::open().await;
    let full = bench.fill_the_queue();
    bench.input_and_mark(1, Key::Back);
    assert_eq!(bench.land().await, Cargo::Mark);
    full.drain().await;
    assert!(bench.instance.mark_due.is_wanted(), "it is due again");
    tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.unwrap();
    assert_eq!(bench.after_a_kill().0, 1);
}

/// Promise: a mark that failed for whatever reason is tried again, but not at once, and a stop does not wait for it for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_failed_is_tried_again_after_a_pause() {
    let mut bench = Bench::open().await;
    bench.input_and_mark(1, Key::Tab);
    assert_eq!(bench.land().await, Cargo::Mark);
    assert!(bench.instance.mark_due.is_wanted(), "it is due again");
    // So many that their mark is wanted at once, but for the pause.
    (2..=20).for_each(|number| bench.input(number, Key::Enter));
    assert!(bench.instance.flights.is_empty(), "no mark before the pause is over");
    tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.expect("it gives up");
    assert_eq!(bench.after_a_kill().0, 0, "nothing of it is on disk");
    bench.input(21, Key::Tab);
    tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.unwrap();
    assert_eq!(bench.after_a_kill().0, 21);
}

/// Promise: an input is not acknowledged when the ledger holds a later mark than the one that was to cover it, until one of ours stands above.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_the_ledger_passed_over_acknowledges_nothing() {
    let mut bench = Bench::open().await;
    let mut other = Marks::read(&bench.ledger, STATION);
    (0..2).for_each(|_| drop(other.make(&[0; 3])));
    let later = Submission { mark: Some(other.make(&[0; 3])), records: Vec::new(), ..filler() };
    bench.ledger.submit(later).await.unwrap().unwrap();
    bench.input_and_mark(1, Key::Enter);
    assert_eq!(bench.land().await, Cargo::Mark);
    assert_eq!(bench.instance.session.as_ref().unwrap().acknowledged(), 0);
    assert!(bench.instance.mark_due.is_wanted(), "it is due again");
    for _ in 0..4 {
        tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.unwrap();
    }
    assert_eq!((bench.instance.session.as_ref().unwrap().acknowledged(), bench.after_a_kill().0), (1, 1));
}

/// Promise: an input that comes while a booking is on its way is marked soon after that has landed, when nobody saw an effect of it; a booking
/// alone needs no mark soon.
#[tokio::test(flavor = "multi_thread")]
async fn an_input_during_a_commit_is_marked_soon_after_it() {
    let mut bench = Bench::open().await;
    bench.input(1, Key::Digit(5));
    assert_eq!(bench.land().await, Cargo::Commit);
    let soon_ms = || UNSEEN_MARK_MS + bench.instance.now_ms();
    assert!(
        bench.instance.mark_due.at_ms().is_none_or(|due_ms| due_ms > soon_ms()),
        "the booking was the mark"
    );
    bench.input(2, Key::Digit(6));
    bench.input(3, Key::Enter);
    assert_eq!(bench.land().await, Cargo::Commit);
    let soon_ms = UNSEEN_MARK_MS + bench.instance.now_ms();
    let due_ms = bench.instance.mark_due.at_ms();
    let soon = due_ms.is_some_and(|due_ms| due_ms <= soon_ms) || !bench.instance.flights.is_empty();
    assert!(soon, "due in {due_ms:?} ms, now it is {}", bench.instance.now_ms());
}

/// Promise: a tap that books nothing writes nothing at once. What nobody saw an effect of is marked soon, and many of them are, too.
#[tokio::test]
async fn taps_that_book_nothing_wait_for_their_mark() {
    let mut bench = Bench::open().await;
    for number in 1..=15 {
        bench.input(number, Key::Enter);
        assert!(bench.instance.flights.is_empty(), "input {number} is written at once");
    }
    let due_ms = bench.instance.mark_due.at_ms().expect("a mark that is due");
    assert!(due_ms <= bench.instance.now_ms() + 100, "an input without an effect is acknowledged soon");
    bench.input(16, Key::Enter);
    assert_eq!(bench.land().await, Cargo::Mark);
    assert_eq!(bench.after_a_kill().0, 16);
}

/// Promise: a connection that turns out to be gone when something is sent is noted like any other: nobody stands there as attached, and the mark
/// that was put off is made.
#[tokio::test]
async fn a_connection_that_can_not_be_written_to_is_gone() {
    let mut bench = Bench::open().await;
    let mut phone = Phone::connect(&mut bench, device(1), Receiver::new(crate::look::DEFAULT, None)).await;
    phone.exchange(&mut bench);
    assert!(bench.instance.status.attached().is_some());
    drop(phone.wire);
    bench.input(1, Key::Enter);
    bench.instance.message(Some(&ToServer::Ping { number: 1 }.encode()));
    bench.instance.flush();
    assert_eq!(bench.instance.status.attached(), None);
    let due_ms = bench.instance.mark_due.at_ms();
    assert!(due_ms.is_some_and(|due_ms| due_ms <= bench.instance.now_ms()), "{due_ms:?}");
}
