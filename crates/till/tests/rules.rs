//! Rules of the till, one by one: who may, what is refused, what throttles, what the journal's bytes are.

mod common;

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use smol_str::SmolStr;
use tresen_till::{
    CheckId, Command, Context, DecodeError, Event, LineId, LoginOutcome, Manage, ModifierId, Money,
    Permission, PhotoId, PinHash, ProductId, Refusal, Role, Staff, StaffId, StationId, TableId, Target,
    Throttle, Till, decode_events, demo, encode_events,
};

const TABLE: Target = Target::Table(TableId(4));

fn context(staff: Option<StaffId>) -> Context {
    let at: Timestamp = "2026-11-23T18:42:00Z".parse().expect("a time");
    Context { staff, station: StationId(11), device: "handheld".into(), at }
}

fn later(seconds: i64) -> Context {
    let start = context(Some(demo::ANNA));
    Context { at: start.at + SignedDuration::from_secs(seconds), ..start }
}

fn add(product: u32, modifiers: &[u32]) -> Command {
    Command::AddLine {
        target: TABLE,
        product: ProductId(product),
        quantity: 1,
        modifiers: modifiers.iter().map(|id| ModifierId(*id)).collect(),
        note: SmolStr::default(),
    }
}

fn refusal(till: &Till, staff: StaffId, command: &Command) -> Refusal {
    till.decide(&context(Some(staff)), command).expect_err("refused")
}

fn after(till: &Till, commands: &[Command]) -> Till {
    till.decide_all(&context(Some(demo::ANNA)), commands).expect("done").0
}

#[test]
fn questions_need_answers_that_fit() {
    let till = Till::demo();
    let refused = |modifiers: &[u32]| refusal(&till, demo::ANNA, &add(301, modifiers));
    assert_eq!(refused(&[]), Refusal::ModifierMissing(demo::DONENESS));
    assert_eq!(refused(&[103]), Refusal::ModifierMissing(demo::SIDE));
    assert_eq!(refused(&[103, 104, 201]), Refusal::TooManyModifiers(demo::DONENESS));
    assert_eq!(refused(&[103, 201, 301]), Refusal::WrongModifier);
    assert_eq!(refused(&[103, 103, 201]), Refusal::WrongModifier);
    let till = after(&till, &[add(301, &[402, 204, 103])]);
    let line = &till.check(CheckId(1)).expect("open").lines[0];
    let names: Vec<_> = line.modifiers.iter().map(|modifier| modifier.name.as_str()).collect();
    assert_eq!((names, line.unit_price.minor()), (vec!["medium", "Pommes", "Pfefferrahm"], 2850 + 150 + 250));
}

#[test]
fn what_was_sent_is_not_changed_any_more() {
    let till = after(&Till::demo(), &[add(101, &[]), Command::Send { check: CheckId(1) }]);
    let (check, line) = (CheckId(1), LineId(1));
    assert_eq!(refusal(&till, demo::ANNA, &Command::DeleteLine { check, line }), Refusal::AlreadySent);
    assert_eq!(
        refusal(&till, demo::ANNA, &Command::ChangeQuantity { check, line, by: 1 }),
        Refusal::AlreadySent
    );
    assert_eq!(refusal(&till, demo::ANNA, &Command::Send { check }), Refusal::NothingToSend);
    let till = after(&till, &[add(101, &[])]);
    assert_eq!(
        till.check(check).expect("open").lines.len(),
        2,
        "a repeat of what was sent is a line of its own"
    );
}

#[test]
fn a_check_that_nothing_speaks_for_frees_its_table() {
    let (check, line) = (CheckId(1), LineId(1));
    let till = after(&Till::demo(), &[add(101, &[]), Command::ChangeQuantity { check, line, by: -5 }]);
    assert!(till.open_check(&TABLE).is_none());
    let guests = |guests| Command::SetGuests { target: TABLE, guests };
    let till = after(&Till::demo(), &[guests(3), add(101, &[]), Command::DeleteLine { check, line }]);
    assert_eq!(till.open_check(&TABLE).map(|check| check.guests), Some(3), "guests sit there");
    let paying = Command::PayCash { check, expected: Money::ZERO, tendered: Money::ZERO };
    assert_eq!(refusal(&till, demo::ANNA, &paying), Refusal::NothingToPay);
    assert!(after(&till, &[guests(0)]).open_check(&TABLE).is_none());
}

#[test]
fn a_total_that_moved_is_not_paid() {
    let till = after(&Till::demo(), &[add(101, &[]), add(201, &[])]);
    let pay = |expected, tendered| Command::PayCash {
        check: CheckId(1),
        expected: Money::from_minor(expected),
        tendered: Money::from_minor(tendered),
    };
    assert_eq!(
        refusal(&till, demo::BEN, &pay(390, 400)),
        Refusal::TotalMoved { now: Money::from_minor(870) }
    );
    assert_eq!(
        refusal(&till, demo::BEN, &pay(870, 869)),
        Refusal::TenderTooSmall { due: Money::from_minor(870) }
    );
}

#[test]
fn only_owners_manage_and_one_always_stays() {
    let till = Till::demo();
    let remove = |id| Command::Manage(Manage::RemoveStaff(id));
    assert_eq!(refusal(&till, demo::ANNA, &remove(demo::BEN)), Refusal::NotAllowed(Permission::ManageSite));
    assert_eq!(refusal(&till, demo::OLGA, &remove(demo::OLGA)), Refusal::LastOwner);
    let demoted = Staff {
        id: demo::OLGA,
        name: "Olga".into(),
        role: Role::Waiter,
        pin_hash: PinHash::new("secret hash".into()),
    };
    assert!(!format!("{demoted:?}").contains("secret"), "hashes are not shown");
    assert_eq!(refusal(&till, demo::OLGA, &Command::Manage(Manage::PutStaff(demoted))), Refusal::LastOwner);
    assert!(till.decide(&context(None), &add(101, &[])).is_err_and(|error| error == Refusal::NotLoggedIn));
}

#[test]
fn what_is_in_use_stays() {
    let till = after(&Till::demo(), &[add(101, &[])]);
    let refused = |manage| refusal(&till, demo::OLGA, &Command::Manage(manage));
    assert_eq!(refused(Manage::RemoveTable(TableId(4))), Refusal::InUse);
    assert_eq!(refused(Manage::RemoveGroup(tresen_till::GroupId(1))), Refusal::InUse);
    assert_eq!(refused(Manage::RemoveModifierGroup(demo::SIDE)), Refusal::InUse);
    assert_eq!(refused(Manage::RemoveArea(tresen_till::AreaId(1))), Refusal::InUse);
}

/// Promise: wrong PINs are throttled per device and per person: two are free, then 5 s, doubling up to 15 minutes; the
/// counters come from events, so a replay (a restart) keeps them.
#[test]
fn wrong_pins_slow_down_the_next_try() {
    let mut till = Till::demo();
    let wrong = Command::RecordLogin { staff: demo::ANNA, outcome: LoginOutcome::WrongPin };
    let mut second = 0;
    let mut delays = Vec::new();
    for _ in 0..12 {
        let events = till.decide(&later(second), &wrong).expect("a try that is possible is recorded");
        decode_events(&encode_events(&events)).expect("our own").iter().for_each(|event| till.apply(event));
        let delay = match till.throttle(demo::ANNA, "handheld", later(second).at) {
            Throttle::Open => 0,
            Throttle::Locked { until } => until.duration_since(later(second).at).as_secs(),
        };
        if delay > 0 {
            let early = till.decide(&later(second + delay - 1), &wrong).expect_err("too early");
            assert!(matches!(early, Refusal::Throttled { .. }));
        }
        delays.push(delay);
        second += delay;
    }
    assert_eq!(delays, [0, 0, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    let now = later(second - 1).at;
    assert!(
        matches!(till.throttle(demo::ANNA, "another device", now), Throttle::Locked { .. }),
        "per person"
    );
    assert!(matches!(till.throttle(demo::BEN, "handheld", now), Throttle::Locked { .. }), "per device");
    assert_eq!(till.throttle(demo::BEN, "another device", now), Throttle::Open);
    let right = Command::RecordLogin { staff: demo::ANNA, outcome: LoginOutcome::Success };
    let events = till.decide(&later(second), &right).expect("the time is over");
    events.iter().for_each(|event| till.apply(event));
    assert_eq!(
        till.throttle(demo::ANNA, "handheld", later(second).at),
        Throttle::Open,
        "a right PIN forgives"
    );
}

/// Promise: a wrong PIN at a clock that was years ahead locks nobody out once the clock is right.
#[test]
fn a_wrong_clock_locks_nobody_out() {
    let mut till = Till::demo();
    let wrong = Command::RecordLogin { staff: demo::ANNA, outcome: LoginOutcome::WrongPin };
    for day in 0..4 {
        let ahead = later(400 * 86_400 + day * 86_400);
        let events = till.decide(&ahead, &wrong).expect("a day later it is possible");
        events.iter().for_each(|event| till.apply(event));
    }
    assert_eq!(till.throttle(demo::ANNA, "handheld", later(0).at), Throttle::Open);
}

/// Promise: the id of a removed person never comes back.
#[test]
fn ids_of_staff_are_not_used_again() {
    let mut till = Till::demo();
    let next = till.next_staff();
    let last = till.staff().map(|staff| staff.id).filter(|id| *id != demo::OLGA).max().expect("waiters");
    assert!(last < next);
    till.apply(&tresen_till::Event::StaffRemoved(demo::OLGA));
    assert_eq!(till.next_staff(), next);
    assert_eq!(Till::from_snapshot(&till.to_snapshot()).expect("our own").next_staff(), next);
}

/// Promise: the journal of today can be read by tomorrow's program: the bytes of events do not change unnoticed.
#[test]
fn the_bytes_of_events() {
    let till = after(&Till::demo(), &[]);
    let mut text = String::new();
    let mut state = till;
    let pay = Command::PayCash {
        check: CheckId(1),
        expected: Money::from_minor(3000 + 390),
        tendered: Money::from_minor(5000),
    };
    let commands = [
        add(301, &[103, 204]),
        add(101, &[]),
        Command::SetNote { check: CheckId(1), line: LineId(2), note: "kalt".into() },
        Command::SetGuests { target: TABLE, guests: 2 },
        pay,
        Command::RecordLogin { staff: demo::BEN, outcome: LoginOutcome::WrongPin },
        Command::LogOut,
        Command::Manage(Manage::SetPhoto { product: ProductId(101), photo: Some(PhotoId([7; 32])) }),
        Command::Manage(Manage::SetPhoto { product: ProductId(101), photo: None }),
    ];
    for command in commands {
        let staff = if matches!(command, Command::Manage(_)) { demo::OLGA } else { demo::ANNA };
        let events = state.decide(&context(Some(staff)), &command).expect("done");
        let bytes = encode_events(&events);
        assert_eq!(decode_events(&bytes).as_ref(), Ok(&events));
        for event in &events {
            writeln!(text, "{}", name(event)).expect("memory");
            state.apply(event);
        }
        for row in bytes.chunks(40) {
            let row: String = row.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(text, "  {row}").expect("memory");
        }
    }
    common::golden("events.txt", &text);
}

fn name(event: &Event) -> String {
    let text = format!("{event:?}");
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

#[test]
fn newer_or_damaged_bytes_are_told_apart() {
    assert_eq!(decode_events(&[2, 0]), Err(DecodeError::Version(2)));
    assert_eq!(decode_events(&[]), Err(DecodeError::Malformed));
    assert_eq!(decode_events(&[1, 1, 250]), Err(DecodeError::Malformed));
    assert_eq!(decode_events(&[1, 0, 0]), Err(DecodeError::Malformed), "bytes left over");
    assert_eq!(decode_events(&[1, 0]), Ok(Vec::new()));
}

/// Promise: a photo is a product's own: it stays when the product is changed, goes with it, and is for owners to set.
#[test]
fn a_photo_belongs_to_its_product() {
    let set = |photo| Command::Manage(Manage::SetPhoto { product: ProductId(101), photo });
    let photo = Some(PhotoId([7; 32]));
    let mut till = Till::demo();
    assert_eq!(refusal(&till, demo::ANNA, &set(photo)), Refusal::NotAllowed(Permission::ManageSite));
    let nothing = Command::Manage(Manage::SetPhoto { product: ProductId(9_999), photo });
    assert_eq!(refusal(&till, demo::OLGA, &nothing), Refusal::NoSuchProduct);
    let owner = context(Some(demo::OLGA));
    let manage = |till: &mut Till, command: Command| {
        let (next, events) = till.decide_all(&owner, &[command]).expect("done");
        assert_eq!(decode_events(&encode_events(&events)), Ok(events));
        *till = next;
    };
    manage(&mut till, set(photo));
    let mut product = till.catalog().product(ProductId(101)).expect("cola").clone();
    product.name = "Cola 0,3".into();
    manage(&mut till, Command::Manage(Manage::PutProduct(product.clone())));
    assert_eq!(till.photo(ProductId(101)), photo);
    assert_eq!(Till::from_snapshot(&till.to_snapshot()).as_ref(), Ok(&till));
    manage(&mut till, Command::Manage(Manage::RemoveProduct(ProductId(101))));
    manage(&mut till, Command::Manage(Manage::PutProduct(product)));
    assert_eq!(till.photo(ProductId(101)), None);
}
