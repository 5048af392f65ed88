//! What the app does, without a screen: taps in, bookings and state out.

mod common;

use common::{COLA, FRIES, HELLES, House, MEDIUM, POTATOES, RUMPSTEAK, at_table, cents};
use tresen_mpos::{App, Key, Message, Tap, limits};
use tresen_till::{Command, LineId, ProductId, StationId, TableId, Target, demo};

fn ben_adds(product: ProductId) -> Command {
    Command::AddLine {
        target: Target::Table(TableId(4)),
        product,
        quantity: 1,
        modifiers: Vec::new(),
        note: Default::default(),
    }
}

/// Promise: every tap fits into an action and comes back as it was.
#[test]
fn taps_survive_the_way_through_an_action() {
    let pay = Tap::PayCash { expected: cents(i64::MAX), tendered: cents(i64::MIN) };
    for tap in [pay, Tap::Back, Tap::Line(LineId(u64::MAX)), Tap::Digit(7)] {
        assert_eq!(Tap::of(&tap.action()), Some(tap));
    }
    assert!(Tap::Product(COLA).action().bytes().len() <= 3, "the most frequent tap is small");
    assert!(Message::tap(&tresen_scene::Action::new(&[250, 1, 2])).is_none());
    assert!(Message::tap(&tresen_scene::Action::new(&[0, 0])).is_none(), "nothing may follow");
}

/// Promise: a right PIN logs in, a wrong one says so, and neither happens before it is recorded.
#[test]
fn login_counts_only_once_it_is_recorded() {
    let mut house = House::new();
    house.type_pin(demo::ANNA, "9876");
    assert_eq!(house.app.staff(), None);
    house.hold = true;
    house.taps("1234".bytes().map(|digit| Tap::Digit(digit - b'0')));
    assert_eq!(house.app.staff(), None, "not before the commit");
    assert!(house.app.is_waiting());
    house.release();
    assert_eq!(house.app.staff(), Some(demo::ANNA));
}

/// Promise: the last digit of a PIN sends it, however long that person's PIN is.
#[test]
fn a_longer_pin_is_sent_with_its_last_digit() {
    let mut house = House::new();
    let ben = house.till.staff_member(demo::BEN).expect("Ben works here").clone();
    let pin_hash = tresen_till::PinHash::new("246810".into()).with_digits(6);
    house.manage(tresen_till::Manage::PutStaff(tresen_till::Staff { pin_hash, ..ben }));
    house.type_pin(demo::BEN, "24681");
    assert!(!house.app.is_waiting() && house.app.staff().is_none());
    house.tap(Tap::Digit(0));
    assert_eq!(house.app.staff(), Some(demo::BEN));
}

/// Promise: wrong PINs slow down the next try, also for the right one, and for everybody on this device.
#[test]
fn wrong_pins_are_throttled() {
    let mut house = House::new();
    for _ in 0..3 {
        house.type_pin(demo::ANNA, "0000");
        house.tap(Tap::Back);
    }
    house.type_pin(demo::ANNA, "1234");
    assert_eq!(house.app.staff(), None);
    house.tap(Tap::Back);
    house.type_pin(demo::BEN, "2345");
    assert_eq!(house.app.staff(), None, "the device is slowed down, whoever tries");
    house.pass(6);
    house.tap(Tap::Back);
    house.type_pin(demo::ANNA, "1234");
    assert_eq!(house.app.staff(), Some(demo::ANNA));
}

/// Promise: an open table, three products and send are five taps after the login; exact cash is two more.
#[test]
fn the_most_frequent_paths_take_the_fewest_taps() {
    let mut house = House::anna();
    let order = [
        Tap::Table(TableId(4)),
        Tap::Product(COLA),
        Tap::Product(COLA),
        Tap::Product(ProductId(104)),
        Tap::Send,
    ];
    assert_eq!(order.len(), 5);
    house.taps(order);
    let check = house.check(4).expect("the check is open");
    assert_eq!((check.unsent_count(), check.total()), (0, cents(2 * 390 + 320)));

    let total = house.total(4);
    house.tap(Tap::Table(TableId(4)));
    let pay = [Tap::ToPay, Tap::PayCash { expected: total, tendered: total }];
    assert_eq!(pay.len(), 2);
    house.taps(pay);
    assert_eq!(house.check(4), None);
    assert_eq!(house.till.last_receipt().expect("a receipt").total, total);
}

/// Promise: what is tapped while a booking is in flight waits in order and is not lost.
#[test]
fn taps_during_a_commit_wait_in_order() {
    let mut house = at_table(4);
    house.hold = true;
    house.taps([Tap::Product(COLA), Tap::Product(COLA), Tap::Product(HELLES), Tap::Send, Tap::Send]);
    assert_eq!(house.held.len(), 1, "one commit at a time");
    assert_eq!(house.check(4), None, "nothing is booked before the commit");
    house.release();
    let check = house.check(4).expect("the check is open");
    assert_eq!((check.lines.len(), check.unsent_count(), check.total()), (2, 0, cents(2 * 390 + 480)));
}

/// Promise: the queue of bookings is bounded.
#[test]
fn too_many_taps_are_refused_not_kept() {
    let mut house = at_table(4);
    house.hold = true;
    house.taps((0..3 * limits::QUEUE).map(|_| Tap::Product(COLA)));
    house.release();
    assert_eq!(house.check(4).expect("open").unsent_count() as usize, limits::QUEUE);
}

/// Promise: a product that asks something is not added without the answer; the answers change its price.
#[test]
fn required_modifiers_are_asked_for() {
    let mut house = at_table(4);
    house.taps([Tap::Product(RUMPSTEAK), Tap::Accept]);
    assert_eq!(house.check(4), None, "an answer is missing");
    house.taps([Tap::Modifier(MEDIUM), Tap::Modifier(POTATOES), Tap::Modifier(FRIES)]);
    house.say(Message::Text(Tap::NoteText, "ohne Salz".into()));
    house.taps([Tap::More, Tap::Accept]);
    let line = house.check(4).expect("open").lines.first().expect("a line").clone();
    assert_eq!((line.quantity, line.unit_price, line.note.as_str()), (2, cents(2850 + 150), "ohne Salz"));
}

/// Promise: a line can be counted up and down, changed, repeated and deleted until it was sent, and only repeated then.
#[test]
fn lines_change_until_they_are_sent() {
    let mut house = at_table(4);
    house.taps([Tap::Product(HELLES), Tap::Line(LineId(1)), Tap::More, Tap::More, Tap::Less]);
    assert_eq!(house.check(4).expect("open").unsent_count(), 2);
    house.say(Message::Text(Tap::NoteText, "kalt".into()));
    house.taps([Tap::Accept, Tap::Line(LineId(1)), Tap::Repeat]);
    assert_eq!(house.check(4).expect("open").unsent_count(), 4);
    house.taps([Tap::Send, Tap::Table(TableId(4)), Tap::Line(LineId(1)), Tap::Delete, Tap::Less]);
    assert_eq!(house.total(4), cents(4 * 480), "a sent line stays");
    house.tap(Tap::Repeat);
    let check = house.check(4).expect("open");
    assert_eq!((check.lines.len(), check.unsent_count()), (2, 4));
    house.taps([Tap::Line(LineId(2)), Tap::Delete]);
    assert_eq!(house.check(4).expect("open").lines.len(), 1);
}

/// Promise: changing the options of a line replaces it, and changing nothing keeps it.
#[test]
fn options_of_a_line_can_be_changed() {
    let mut house = at_table(4);
    house.taps([Tap::Product(RUMPSTEAK), Tap::Modifier(MEDIUM), Tap::Modifier(POTATOES), Tap::Accept]);
    house.taps([Tap::Line(LineId(1)), Tap::Options, Tap::Accept]);
    assert_eq!(house.total(4), cents(2850));
    house.taps([Tap::Line(LineId(1)), Tap::Options, Tap::More, Tap::Accept]);
    assert_eq!(house.total(4), cents(2 * 2850));
    house.taps([Tap::Line(LineId(1)), Tap::Options, Tap::Modifier(FRIES), Tap::Accept]);
    let check = house.check(4).expect("open");
    assert_eq!((check.lines.len(), check.total()), (1, cents(2 * (2850 + 150))));
}

/// Promise: deleting the last line frees the table, and is no surprise to the one who did it.
#[test]
fn the_last_line_frees_the_table() {
    let mut house = at_table(4);
    house.taps([Tap::Product(HELLES), Tap::Line(LineId(1)), Tap::Delete]);
    assert_eq!(house.check(4), None);
    house.tap(Tap::Product(COLA));
    assert_eq!(house.total(4), cents(390), "still at the table");
}

/// Promise: a payment is about the amount on the screen: when somebody adds a line meanwhile, it is refused.
#[test]
fn a_payment_never_takes_another_amount_than_shown() {
    let mut house = at_table(4);
    house.taps([Tap::Product(COLA), Tap::ToPay]);
    house.elsewhere(demo::BEN, ben_adds(HELLES));
    house.tap(Tap::PayCash { expected: cents(390), tendered: cents(390) });
    assert_eq!(house.total(4), cents(390 + 480), "still open");
    house.tap(Tap::PayCash { expected: cents(870), tendered: cents(1000) });
    assert_eq!(house.till.last_receipt().expect("paid").change, cents(130));
}

/// Promise: a second tap on pay does not pay twice.
#[test]
fn a_double_tap_pays_once() {
    let mut house = at_table(4);
    house.taps([Tap::Product(COLA), Tap::ToPay]);
    house.hold = true;
    let pay = Tap::PayCash { expected: cents(390), tendered: cents(500) };
    house.taps([pay.clone(), pay]);
    house.release();
    assert_eq!(house.till.last_receipt().expect("paid").number.0, 1);
}

/// Promise: amounts can be typed on the screen or a keyboard, and Enter pays what is shown.
#[test]
fn keys_pay_too() {
    let mut house = at_table(4);
    house.taps([Tap::Product(COLA), Tap::ToPay]);
    for digit in [4, 0] {
        house.say(Message::Key(Key::Digit(digit)));
    }
    house.say(Message::Key(Key::Enter));
    assert!(house.check(4).is_some(), "0,40 is not enough");
    house.tap(Tap::DoubleZero);
    house.say(Message::Key(Key::Backspace));
    house.say(Message::Key(Key::Enter));
    assert_eq!(house.till.last_receipt().expect("paid").tendered, cents(400));
}

/// Promise: when another station closes the check that is shown, the app goes back to the tables.
#[test]
fn a_check_closed_elsewhere_is_left() {
    let mut house = at_table(4);
    house.tap(Tap::Product(COLA));
    let check = house.check(4).expect("open").id;
    let pay = Command::PayCash { check, expected: cents(390), tendered: cents(390) };
    house.elsewhere(demo::BEN, pay);
    house.tap(Tap::Table(TableId(5)));
    house.tap(Tap::Product(COLA));
    assert_eq!(house.total(5), cents(390), "the tables were shown, so table 5 could be opened");
    assert_eq!(house.check(4), None);
}

/// Promise: a scanned product is added, an unknown code is not.
#[test]
fn scanning_adds_products() {
    let mut house = at_table(4);
    house.say(Message::Scan("4000177604110".into()));
    house.say(Message::Scan("1".into()));
    assert_eq!(house.total(4), cents(390));
}

/// Promise: the direct sale belongs to the station, and paying sends what is new.
#[test]
fn direct_sale_is_paid_at_once() {
    let mut house = House::anna();
    house.taps([
        Tap::Direct,
        Tap::ProductDetails(COLA),
        Tap::Digit(1),
        Tap::Digit(2),
        Tap::Accept,
        Tap::ToPay,
    ]);
    house.tap(Tap::PayCash { expected: cents(12 * 390), tendered: cents(5000) });
    assert_eq!(house.till.last_receipt().expect("paid").change, cents(5000 - 12 * 390));
    house.taps([Tap::Reprint, Tap::Done]);
    assert_eq!(house.printed.len(), 1);
    assert!(house.till.open_check(&Target::Direct(StationId(11))).is_none());
}

/// Promise: guests are said once and shown to everybody; logging out forgets who was there.
#[test]
fn guests_and_log_out() {
    let mut house = at_table(4);
    house.taps([Tap::Guests, Tap::GuestCount(3), Tap::Guests, Tap::More, Tap::Back, Tap::Back]);
    assert_eq!(house.check(4).expect("open").guests, 4);
    house.tap(Tap::LogOut);
    assert_eq!(house.app, App::new());
}

/// Promise: a person who is removed from the staff is logged out.
#[test]
fn removed_staff_is_logged_out() {
    let mut house = at_table(4);
    house.manage(tresen_till::Manage::RemoveStaff(demo::ANNA));
    assert_eq!(house.app.staff(), None);
}
