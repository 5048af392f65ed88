//! A robot that sees only what assistive technology sees, and taps by name.

mod common;

use common::House;
use common::screen::{Look, Screen};
use proptest::prelude::*;
use tresen_mpos::ui::{Kit, Scale, Theme};
use tresen_mpos::{Message, view};
use tresen_scene::{Namer, Pull, Role, touches};
use tresen_till::{Language, Money, TableId, Target, demo};
use tresen_typeset::Typesetter;

const ENGLISH: Look = Look { language: Language::En, theme: Theme::Dark, ..Look::PHONE };
const SMALL: Look = Look { height_dp: 640, ..Look::PHONE };
const SIDEWAYS: Look = Look { width_dp: 640, height_dp: 360, ..ENGLISH };
const TABLET: Look = Look { width_dp: 1280, height_dp: 800, ..ENGLISH };

fn log_in(screen: &mut Screen) {
    screen.tap_all(["Anna", "1", "2", "3", "4"]);
    assert_eq!(screen.house.app.staff(), Some(demo::ANNA));
    screen.taps = 0;
}

/// Promise: from login to receipt with a required modifier and a note, by names alone, in German.
#[test]
fn a_waiter_sells_in_german() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    log_in(&mut screen);
    screen.tap_all(["Tisch 4, frei", "Küche", "Rumpsteak", "Hinzufügen"]);
    assert!(screen.shows("fehlt noch"), "the missing choice is pointed out");
    screen.tap_all(["medium", "Pommes"]);
    screen.write("ohne Salz");
    screen.tap_all(["Hinzufügen", "Getränke", "Cola 0,33", "Cola 0,33"]);
    assert!(screen.shows("ohne Salz") && screen.shows("7,80"));
    screen.tap("Senden · 3");
    assert!(screen.shows("Tisch 4: gesendet"));
    screen.tap_all(["Tisch 4", "Zahlen", "40,00"]);
    assert!(screen.shows("2,20 €"), "the change is shown before it is booked");
    screen.tap("Bar erhalten");
    assert!(screen.shows("Bezahlt") && screen.shows("SUMME EUR"));
    screen.tap_all(["Drucken", "Fertig", "Tisch 4, frei"]);
    assert_eq!(screen.house.printed.len(), 1);
}

/// Promise: the same in English, in the dark, on a tablet where the order stands beside the products, and on a phone held sideways.
#[test]
fn a_waiter_sells_in_english_on_a_tablet() {
    sells_in_english(TABLET);
    sells_in_english(SIDEWAYS);
}

fn sells_in_english(look: Look) {
    let mut screen = Screen::new(House::new(), look);
    log_in(&mut screen);
    screen.tap_all([
        "Table 4, free",
        "Guests",
        "2",
        "Bier",
        "Helles 0,5",
        "Send · 1",
        "Table 4",
        "Pay",
        "Cash received",
    ]);
    assert!(screen.shows("Paid") && screen.shows("TOTAL EUR"));
    screen.tap_all(["Done", "Log out"]);
    assert!(screen.shows("Who are you?"));
}

/// Promise: an open table, three products and send are five taps after the login, and exact cash is three more, done included.
#[test]
fn frequent_paths_in_taps() {
    for look in [Look::PHONE, SMALL] {
        let mut screen = Screen::new(House::new(), look);
        log_in(&mut screen);
        screen.tap_all(["Tisch 4", "Cola 0,33", "Spezi 0,5", "Cola 0,33", "Senden"]);
        assert_eq!(screen.taps, 5);
        assert_eq!(screen.house.total(4), Money::from_minor(2 * 390 + 410));
        screen.tap_all(["Tisch 4", "Zahlen", "Bar erhalten", "Fertig"]);
        assert_eq!(screen.taps, 5 + 1 + 3);
        assert!(screen.shows("Tisch 4, frei"));
    }
}

/// Promise: a line can be counted, noted, repeated and deleted before it is sent, and the list can be pulled up.
#[test]
fn lines_by_name() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    log_in(&mut screen);
    screen.tap_all(["Tisch 7", "Spezi 0,5", "Bestellung groß zeigen", "1 Spezi 0,5", "Eins mehr"]);
    screen.write("kalt");
    screen.tap_all(["Fertig", "2 Spezi 0,5", "Noch einmal", "4 Spezi 0,5"]);
    assert!(screen.shows("4 × 4,10"));
    screen.tap("Löschen");
    assert!(screen.shows("Noch nichts bestellt"));
    assert!(screen.house.check(7).is_none());
    screen.find("Spezi 0,5");
}

/// Promise: the order is pulled up and down like a sheet of paper; a tap does the same.
#[test]
fn the_order_is_a_handle() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    log_in(&mut screen);
    screen.tap_all(["Tisch 7", "Spezi 0,5"]);
    for (label, way) in [("Bestellung groß zeigen", Pull::Up), ("Bestellung klein zeigen", Pull::Down)] {
        let item = screen.find(label);
        let tresen_scene::OutlineKind::Touch { state, .. } = &item.kind else { panic!("{item:?}") };
        assert_eq!(state.pull, Some(way));
        screen.press(item.rect);
    }
    screen.find("Bestellung groß zeigen");
}

/// Promise: a long press asks how many; twelve are four taps.
#[test]
fn a_long_press_asks_how_many() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    log_in(&mut screen);
    screen.tap("Direktverkauf");
    screen.hold("Apfelschorle 0,5");
    screen.tap_all(["1", "2", "Hinzufügen · 12", "Zahlen"]);
    assert!(screen.shows("46,80 €"));
}

/// Promise: products are found by the beginning of any word.
#[test]
fn products_are_found() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    log_in(&mut screen);
    screen.tap_all(["Tisch 1", "Artikel suchen"]);
    screen.write("alk weiß");
    screen.tap("Weißbier alkoholfrei 0,5");
    assert_eq!(screen.house.total(1), Money::from_minor(510));
    screen.write("xyz");
    assert!(screen.shows("Nichts gefunden."));
    screen.tap("Schließen");
    screen.find("Getränke");
}

/// Promise: a change by another waiter shows at once, and a payment of the old amount is refused with the reason.
#[test]
fn two_waiters_at_one_table() {
    let mut screen = Screen::new(House::new(), ENGLISH);
    log_in(&mut screen);
    screen.tap_all(["Table 4", "Cola 0,33", "Pay"]);
    let old = screen.find("Cash received");
    let root = screen.root();
    screen.house.order(demo::BEN, 4, 0, &[(1, 201, &[])]);
    assert!(screen.shows("€8.70"), "the new total");
    let hit = tresen_scene::hit_test(
        &root,
        tresen_scene::Point::new(old.rect.x + 5, old.rect.y + 5),
        &screen.scrolls,
    );
    let (_, touch) = hit.touch.expect("the old screen had the button");
    screen.house.say(tresen_mpos::Message::tap(&touch.action).expect("its own action"));
    assert!(screen.shows("The total changed.") && screen.shows("Ben added Helles 0,5."));
    assert!(screen.house.check(4).is_some());
}

/// Promise: a check that another station closes is left with a word, in whatever sheet one is.
#[test]
fn closed_elsewhere_is_said() {
    for deeper in [&[][..], &["Guests"], &["Pay"], &["1 Cola 0,33"]] {
        let mut screen = Screen::new(House::new(), ENGLISH);
        log_in(&mut screen);
        screen.tap_all(["Table 4", "Cola 0,33"]);
        screen.tap_all(deeper.iter().copied());
        let check = screen.house.check(4).expect("open").id;
        let (expected, tendered) = (Money::from_minor(390), Money::from_minor(390));
        let pay = tresen_till::Command::PayCash { check, expected, tendered };
        screen.house.elsewhere(demo::BEN, pay);
        assert!(screen.shows("closed at another station"), "{deeper:?}");
        screen.find("Table 4, free");
    }
}

/// Promise: nothing is shown as booked while the commit is in flight.
#[test]
fn pending_is_not_done() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    log_in(&mut screen);
    screen.tap_all(["Tisch 4", "Cola 0,33"]);
    screen.house.hold = true;
    screen.tap("Spezi 0,5");
    assert!(screen.shows("wird gebucht") && screen.shows("Senden · 1"), "shown, but not as booked");
    screen.house.release();
    assert!(!screen.shows("wird gebucht") && screen.shows("Senden · 2"));
    screen.house.hold = true;
    screen.tap("Senden");
    assert!(!screen.shows("gesendet"));
    assert!(
        !screen.pressable().iter().any(|item| item.label.starts_with("Senden")),
        "it can't be sent twice"
    );
    screen.house.release();
    assert!(screen.shows("Tisch 4: gesendet"));
    screen.tap_all(["Tisch 4", "Zahlen"]);
    screen.house.hold = true;
    screen.tap("Bar erhalten");
    assert!(!screen.shows("Bezahlt"));
    screen.house.release();
    assert!(screen.shows("Bezahlt"));
}

/// Promise: too many wrong PINs say how long to wait, and the keys rest until then.
#[test]
fn throttling_is_said() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    for _ in 0..3 {
        screen.tap_all(["Anna", "9", "9", "9", "9"]);
        if !screen.shows("Weiter in 5 s") {
            assert!(screen.shows("Die PIN stimmt nicht."));
        }
        screen.tap("Wechseln");
    }
    screen.tap("Anna");
    assert!(screen.shows("Weiter in 5 s"));
    assert!(!screen.pressable().iter().any(|item| item.role == Role::Key && item.label == "1"));
    screen.house.pass(5);
    screen.tap_all(["1", "2", "3", "4"]);
    assert!(screen.house.app.staff().is_some());
}

/// Promise: everything that can be pressed has a name and 48 dp each way, on every size of screen.
#[test]
fn targets_are_large_and_named() {
    let sizes =
        [(360, 640), (411, 915), (600, 960), (640, 360), (800, 360), (800, 480), (1024, 600), (1280, 800)];
    for (width_dp, height_dp) in sizes {
        let look = Look { width_dp, height_dp, ..ENGLISH };
        let mut screen = Screen::new(House::evening(), look);
        check_targets(&screen);
        log_in(&mut screen);
        check_targets(&screen);
        screen.tap("Table 4");
        check_targets(&screen);
        screen.house.order(demo::BEN, 4, 0, &[(1, 201, &[]), (1, 202, &[]), (1, 203, &[]), (1, 204, &[])]);
        screen.house.tap(tresen_mpos::Tap::Product(tresen_till::ProductId(301)));
        check_targets(&screen);
        screen.tap_all(["Close", "Guests"]);
        check_targets(&screen);
        screen.tap_all(["Close", "Pay"]);
        check_targets(&screen);
        screen.tap("Cash received");
        check_targets(&screen);
    }
}

fn check_targets(screen: &Screen) {
    for item in screen.pressable() {
        assert!(!item.label.trim().is_empty(), "{item:?} has no name at {:?}", screen.look);
        let inside = item.rect.x >= 0 && item.rect.right() <= screen.look.width_dp;
        assert!(inside && item.rect.w >= 48, "{item:?} at {:?}", screen.look);
        let scrolls =
            tresen_scene::hit_test(&screen.root(), common::screen::middle(item.rect), &screen.scrolls).scroll;
        assert!(scrolls.is_some() || item.rect.h >= 48, "{item:?} is too low at {:?}", screen.look);
    }
    let bottom = screen.look.height_dp;
    let main = screen.pressable().into_iter().map(|item| item.rect.bottom()).max().unwrap_or(0);
    assert!(main <= bottom, "something reaches below the screen: {main} > {bottom} at {:?}", screen.look);
}

/// Promise: a notice covers nothing that can be pressed, on every screen and size; a tap on it puts it away and does nothing else.
#[test]
fn a_notice_covers_no_control() {
    for (width_dp, height_dp) in
        [(360, 640), (360, 720), (411, 915), (640, 360), (800, 360), (800, 480), (1280, 800)]
    {
        let look = Look { width_dp, height_dp, ..Look::PHONE };
        let mut screen = Screen::new(House::evening(), look);
        screen.house.app = tresen_mpos::App::new();
        check_notice(&mut screen);
        screen.tap("Anna");
        check_notice(&mut screen);
        screen.tap_all(["1", "2", "3", "4"]);
        check_notice(&mut screen);
        screen.tap_all(["Tisch 2", "Cola 0,33"]);
        check_notice(&mut screen);
        screen.hold("Cola 0,33");
        check_notice(&mut screen);
        screen.tap_all(["Schließen", "Gäste"]);
        check_notice(&mut screen);
        screen.tap("Schließen");
        screen.house.tap(tresen_mpos::Tap::Product(tresen_till::ProductId(301)));
        check_notice(&mut screen);
        screen.tap("Schließen");
        screen.house.tap(tresen_mpos::Tap::PullList);
        check_notice(&mut screen);
        screen.tap("Zahlen");
        check_notice(&mut screen);
        screen.tap("Bar erhalten");
        check_notice(&mut screen);
    }
}

fn check_notice(screen: &mut Screen) {
    let before = screen.house.app.clone();
    let code = "123456789012345678901234";
    screen.house.say(tresen_mpos::Message::Scan(code.into()));
    let reason = "Kein Artikel mit dem Code";
    assert!(screen.shows(reason), "it is said at {:?}", screen.look);
    let toast = tresen_mpos::Tap::Dismiss.action();
    let is_toast = |item: &tresen_scene::OutlineItem| matches!(&item.kind, tresen_scene::OutlineKind::Touch { action, .. } if *action == toast);
    let items = screen.pressable();
    let place = items.iter().find(|item| is_toast(item)).expect("it can be put away").rect;
    // What lies under a sheet closes it, all over the screen.
    let covers = |item: &&tresen_scene::OutlineItem| {
        !is_toast(item) && item.rect.w < screen.look.width_dp && !item.rect.intersect(place).is_empty()
    };
    let covered: Vec<_> = items.iter().filter(covers).collect();
    assert!(covered.is_empty(), "{place:?} covers {covered:?} at {:?}", screen.look);
    screen.press(place);
    assert!(!screen.shows(reason) && screen.house.app == before, "a tap on it only puts it away");
}

/// Promise: the direct sale of a station is told from tables everywhere.
#[test]
fn a_direct_sale_by_name() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    log_in(&mut screen);
    screen.tap_all(["Direktverkauf", "Cola 0,33", "Zurück"]);
    assert!(screen.find("Direktverkauf").label.contains("3,90"));
    screen.tap_all(["Direktverkauf", "Zahlen", "5,00", "Bar erhalten"]);
    assert!(screen.shows("1,10 €"));
    assert!(screen.house.till.open_check(&Target::Direct(common::STATION)).is_none());
    assert!(screen.house.till.open_check(&Target::Table(TableId(1))).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise: a screen is the same whatever was drawn before for anybody else.
    #[test]
    fn what_was_drawn_before_changes_nothing(steps in prop::collection::vec(0_usize..400, 1..30), look in 0_usize..4) {
        let look = [Look::PHONE, ENGLISH, SIDEWAYS, TABLET][look];
        let mut screen = Screen::new(House::evening(), look);
        screen.house.type_pin(demo::ANNA, "1234");
        for step in steps {
            let root = screen.root();
            let alone = Kit::new(Typesetter::new(Namer::new([7; 32])), look.theme, Scale::from_hundredths(look.scale_100));
            let fresh = view(&screen.house.app, &screen.house.world(), &alone, look.size_px());
            prop_assert_eq!(root.id(), fresh.id());
            let taps: Vec<_> = touches(&root).into_iter().filter_map(|touch| Message::tap(&touch.action)).collect();
            screen.house.say(taps[step % taps.len()].clone());
        }
    }
}
