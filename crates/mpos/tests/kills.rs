//! What the app makes of a server that died, a booking that failed and another device at its station.

mod common;

use common::screen::{Look, Screen};
use common::{COLA, HELLES, House, MEDIUM, POTATOES, RUMPSTEAK, at_table, cents};
use tresen_mpos::{App, Failure, Key, Message, Tap};
use tresen_till::{TableId, demo};

/// Promise: a login that was written is one, also when the server dies before the app heard of it: what the person did next is theirs.
#[test]
fn a_login_survives_a_kill() {
    let mut house = House::new();
    house.hold = true;
    house.type_pin(demo::ANNA, "1234");
    assert_eq!(house.app.staff(), None, "it is on its way");
    house.kill();
    assert_eq!(house.app.staff(), Some(demo::ANNA));
}

/// Promise: after a kill the screen comes back where it was, and nothing that was booked is booked again.
#[test]
fn saved_state_comes_back() {
    let mut house = at_table(4);
    house.taps([Tap::Product(RUMPSTEAK), Tap::Modifier(MEDIUM)]);
    let saved = house.app.save();
    assert!(saved.len() < 64, "an app is small: {} bytes", saved.len());
    house.app = App::load(&saved).expect("it was saved by this version");
    house.say(Message::Restored);
    house.taps([Tap::Modifier(POTATOES), Tap::Accept]);
    assert_eq!(house.total(4), cents(2850));

    // Killed after the payment was written and before the app heard of it.
    house.tap(Tap::ToPay);
    house.hold = true;
    house.tap(Tap::PayCash { expected: cents(2850), tendered: cents(3000) });
    house.kill();
    house.tap(Tap::Reprint);
    assert_eq!(house.printed.len(), 1, "the receipt is on the screen");

    let saved = house.app.save();
    let mut other = saved.clone();
    other[0] = 200;
    assert_eq!(App::load(&other), None, "another version");
    assert_eq!(App::load(&saved[..saved.len() - 1]), None);
    assert_eq!(App::load(&[]), None);
}

/// Promise: a booking that could not be written is said, also by a server that was killed before anybody saw it.
#[test]
fn a_refusal_outlives_a_kill() {
    let mut house = at_table(4);
    house.hold = true;
    house.tap(Tap::Product(COLA));
    house.held.clear();
    house.say(Message::Failed(Failure::Busy));
    house.pass(30);
    house.kill();
    house.pass(30);
    assert!(house.check(4).is_none());
    let mut screen = Screen::new(house, Look::PHONE);
    assert!(screen.words().contains("zu viel auf einmal"), "{}", screen.words());
    screen.house.tap(Tap::Back);
    assert!(!screen.words().contains("zu viel auf einmal"), "the next tap takes it away");
}

/// Promise: a kill in the middle of a fast order neither loses nor doubles what was tapped.
#[test]
fn a_kill_in_a_fast_order() {
    let mut house = at_table(4);
    house.hold = true;
    house.taps([Tap::Product(COLA), Tap::Product(COLA), Tap::Product(HELLES), Tap::Send]);
    house.kill();
    let check = house.check(4).expect("open");
    assert_eq!((check.total(), check.unsent_count()), (cents(2 * 390 + 480), 0));
    house.hold = true;
    house.taps([Tap::Table(TableId(5)), Tap::Product(COLA)]);
    house.kill();
    assert_eq!(house.total(5), cents(390));
    house.hold = true;
    house.tap(Tap::LogOut);
    house.kill();
    assert_eq!(house.app.staff(), None);
}

/// Promise: a failed commit books nothing, and drops what waited for it.
#[test]
fn a_failed_commit_is_not_shown_as_done() {
    let mut house = at_table(4);
    house.hold = true;
    house.taps([Tap::Product(COLA), Tap::Send]);
    house.say(Message::Failed(Failure::Disk));
    assert!(!house.app.is_waiting());
    assert_eq!(house.check(4), None);
}

/// Promise: whoever is logged out because another device took the station is logged out in the journal too, once, whatever kill comes when.
#[test]
fn a_log_out_by_another_device_is_booked_once() {
    let mut house = at_table(4);
    house.hold = true;
    house.tap(Tap::Product(COLA));
    house.say(Message::OtherDevice);
    house.say(Message::OtherDevice);
    house.tap(Tap::Person(demo::BEN));
    house.release();
    assert_eq!(house.log_outs, [demo::ANNA], "behind what was on its way, by whom it was");
    assert_eq!(house.total(4), cents(390));
    house.taps("2345".bytes().map(|digit| Tap::Digit(digit - b'0')));
    assert_eq!(house.app.staff(), Some(demo::BEN), "what the next person typed meanwhile stayed");

    house.hold = true;
    house.say(Message::OtherDevice);
    house.kill();
    house.say(Message::OtherDevice);
    assert_eq!(house.log_outs, [demo::ANNA, demo::BEN]);
    assert_eq!(house.app, App::new());
}

/// Promise: another device at the station inherits no login, and a PIN that is being checked can't be walked away from.
#[test]
fn another_device_is_asked_who_it_is() {
    let mut house = at_table(4);
    house.tap(Tap::Product(COLA));
    let total = house.total(4);
    house.say(Message::OtherDevice);
    assert_eq!((&house.app, house.total(4)), (&App::new(), total), "logged out; the order stays");

    house.hold = true;
    house.type_pin(demo::ANNA, "9999");
    let checking = house.app.clone();
    house.say(Message::Key(Key::Back));
    house.tap(Tap::Back);
    assert_eq!(house.app, checking);
    house.release();
    assert_eq!(house.app.staff(), None);
}
