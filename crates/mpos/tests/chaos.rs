//! Whatever a finger, a scanner, a keyboard, another waiter, a slow disk or a kill does: no panic, nothing negative, nothing
//! lost.

mod common;

use common::House;
use common::screen::{Look, Screen, last_field};
use proptest::prelude::*;
use tresen_mpos::ui::Theme;
use tresen_mpos::{App, Key, Message, World, looks_at, update, view};
use tresen_scene::{OutlineKind, Point, hit_test};
use tresen_till::{Command, Language, Till, demo};

#[derive(Clone, Debug)]
enum Step {
    Tap(usize),
    Hold(usize),
    Write(&'static str),
    Key(u8),
    Scan(&'static str),
    Pass(i64),
    BenOrders(u32),
    BenPays(u32),
    SlowDisk,
    DiskAnswers,
    Kill,
    LogIn,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        24 => (0_usize..200).prop_map(Step::Tap),
        3 => (0_usize..200).prop_map(Step::Hold),
        1 => prop::sample::select(vec!["sch", "", "ohne Salz", "\u{0}\u{1F37A}"]).prop_map(Step::Write),
        2 => (0_u8..13).prop_map(Step::Key),
        1 => prop::sample::select(vec!["4000177604110", "0", ""]).prop_map(Step::Scan),
        1 => (0_i64..7200).prop_map(Step::Pass),
        1 => (1_u32..6).prop_map(Step::BenOrders),
        1 => (1_u32..6).prop_map(Step::BenPays),
        1 => Just(Step::SlowDisk),
        3 => Just(Step::DiskAnswers),
        1 => Just(Step::Kill),
        2 => Just(Step::LogIn),
    ];
    prop::collection::vec(step, 1..60)
}

fn looks() -> impl Strategy<Value = Look> {
    let sizes = prop::sample::select(vec![(360, 640), (360, 720), (800, 480), (1280, 800)]);
    (sizes, any::<bool>(), prop::sample::select(vec![100_u16, 175, 300])).prop_map(
        |(size, english, scale_100)| Look {
            width_dp: size.0,
            height_dp: size.1,
            scale_100,
            theme: if english { Theme::Dark } else { Theme::Light },
            language: if english { Language::En } else { Language::De },
        },
    )
}

fn take(screen: &mut Screen, step: Step) {
    match step {
        Step::Tap(index) | Step::Hold(index) => {
            let items = screen.pressable();
            let Some(item) = items.get(index % items.len().max(1)) else { return };
            if let OutlineKind::Field { .. } = item.kind {
                return screen.write("x");
            }
            let middle = Point::new(item.rect.x + item.rect.w / 2, item.rect.y + item.rect.h / 2);
            let (_, touch) =
                hit_test(&screen.root(), middle, &screen.scrolls).touch.expect("it is pressable");
            let hold = touch.hold.filter(|_| matches!(step, Step::Hold(_)));
            screen.house.say(Message::tap(&hold.unwrap_or(touch.action)).expect("its own action"));
        }
        Step::Write(text) => {
            if last_field(&screen.root()).is_some() {
                screen.write(text);
            }
        }
        Step::Key(key) => screen.house.say(Message::Key(match key {
            0..=9 => Key::Digit(key),
            10 => Key::Backspace,
            11 => Key::Enter,
            _ => Key::Back,
        })),
        Step::Scan(code) => screen.house.say(Message::Scan(code.into())),
        Step::Pass(seconds) => screen.house.pass(seconds),
        Step::BenOrders(table) => screen.house.order(demo::BEN, table, 0, &[(1, 101, &[])]),
        Step::BenPays(table) => {
            let paid = screen.house.check(table).filter(|check| !check.lines.is_empty());
            if let Some((check, expected)) = paid.map(|check| (check.id, check.total())) {
                screen.house.elsewhere(demo::BEN, Command::PayCash { check, expected, tendered: expected });
            }
        }
        Step::SlowDisk => screen.house.hold = true,
        Step::DiskAnswers => screen.house.release(),
        Step::Kill => screen.house.kill(),
        Step::LogIn => {
            screen.house.pass(3600);
            if screen.house.app.staff().is_none() {
                screen.house.tap(tresen_mpos::Tap::Back);
                screen.house.type_pin(demo::ANNA, "1234");
            }
        }
    }
}

/// Whether the app would miss nothing if the till had just become what it is, and the app were told only of what it says that it looks at:
/// else the change shows nowhere and makes it do nothing.
fn hears_of_what_concerns_it(screen: &Screen, before: &Till) -> bool {
    let topics = |till: &Till| {
        let world = World { till, ..screen.house.world() };
        looks_at(&screen.house.app, &world, &screen.kit(), screen.look.size_px())
    };
    if screen.house.till.changes_since(before).concern(&topics(before)) {
        return true;
    }
    let root = |till: &Till| {
        let world = World { till, ..screen.house.world() };
        view(&screen.house.app, &world, &screen.kit(), screen.look.size_px()).id()
    };
    let mut told = screen.house.app.clone();
    let effects = update(&mut told, &screen.house.world(), Message::Changed);
    root(before) == root(&screen.house.till) && told == screen.house.app && effects.is_empty()
}

/// A minus before a digit, as no amount of this till may have.
fn has_negative_amount(words: &str) -> bool {
    let letters: Vec<char> = words.chars().collect();
    letters.windows(2).any(|pair| matches!(pair[0], '-' | '−') && pair[1].is_ascii_digit())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise: no order of events makes the app panic, show a negative amount or overfill its queue; and a change of the till that concerns
    /// nothing that a screen says it looks at shows nowhere on it.
    #[test]
    fn whatever_happens(look in looks(), steps in steps()) {
        let mut screen = Screen::new(House::evening(), look);
        screen.house.type_pin(demo::ANNA, "1234");
        for step in steps {
            let before = screen.house.till.clone();
            take(&mut screen, step);
            prop_assert!(hears_of_what_concerns_it(&screen, &before), "{:?}", screen.house.app);
            prop_assert!(!has_negative_amount(&screen.words()), "{}", screen.words());
        }
        screen.house.release();
        prop_assert!(!screen.house.app.is_waiting(), "whatever waited was booked or refused");
    }

    /// Promise: bytes that are no saved state, and actions that nobody made, are refused without a panic.
    #[test]
    fn foreign_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = App::load(&bytes);
        if let Some(message) = Message::tap(&tresen_scene::Action::new(&bytes)) {
            let mut house = House::evening();
            house.type_pin(demo::ANNA, "1234");
            house.say(message);
        }
    }
}
