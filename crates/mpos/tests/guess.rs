//! Promises of guesses: what is guessed is what follows when nobody else interferes, and nothing that leaves the till is ever guessed.

mod common;

use std::collections::HashSet;

use common::House;
use common::screen::{Look, Screen};
use proptest::prelude::*;
use tresen_mpos::ui::{Kit, Marks, Scale};
use tresen_mpos::{
    Effect, Key, Memory, Message, Reach, Tap, World, guess, habit_of_key, habit_of_tap, update, view,
};
use tresen_scene::{Node, ObjectId, Op, Role, touches};
use tresen_till::demo;

/// What a screen with this app and till shows.
fn shown(screen: &Screen, app: &tresen_mpos::App, world: &World) -> ObjectId {
    let kit = Kit::new(
        common::screen::typesetter(),
        screen.look.theme,
        Scale::from_hundredths(screen.look.scale_100),
    );
    view(app, world, &kit, screen.look.size_px()).id()
}

/// What a message leads to, as guessed; `None` when it is not.
fn guessed(screen: &Screen, message: &Message) -> Option<ObjectId> {
    let world = screen.house.world();
    let (app, till) = guess(&screen.house.app, &world, message.clone())?;
    Some(shown(screen, &app, &World { till: &till, ..world }))
}

/// Every message that a person may send from here.
fn messages(root: &Node) -> Vec<Message> {
    let taps = touches(root).into_iter().flat_map(|touch| {
        let taps = [Some(touch.action), touch.hold];
        taps.into_iter().flatten().filter_map(|action| Message::tap(&action)).collect::<Vec<_>>()
    });
    let keys = (0..10).map(Key::Digit).chain([Key::Backspace, Key::Enter, Key::Back]);
    taps.chain(keys.map(Message::Key)).collect()
}

/// Whether something that a message leads to reaches beyond the till.
fn reaches_beyond(house: &House, message: &Message) -> bool {
    let mut app = house.app.clone();
    let effects = update(&mut app, &house.world(), message.clone());
    effects.iter().any(|effect| effect.reach() == Reach::Beyond)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise: from any screen, whatever is guessed is what the app shows after its bookings, and what reaches beyond the till is not guessed.
    #[test]
    fn a_guess_is_what_follows(steps in prop::collection::vec(0_usize..400, 1..40), checked in 0_usize..400) {
        let mut screen = Screen::new(House::evening(), Look::PHONE);
        screen.house.type_pin(demo::ANNA, "1234");
        for (at, step) in steps.iter().enumerate() {
            let messages = messages(&screen.root());
            let message = messages[step % messages.len()].clone();
            let all = (at + checked).is_multiple_of(7);
            let looked_at = if all { messages } else { vec![message.clone()] };
            for message in looked_at {
                let guess = guessed(&screen, &message);
                if reaches_beyond(&screen.house, &message) {
                    prop_assert_eq!(guess, None, "{:?} reaches beyond the till", message);
                    continue;
                }
                let Some(guess) = guess else { continue };
                let mut after = Screen::new(screen.house.clone(), screen.look);
                after.house.say(message.clone());
                prop_assert_eq!(after.root().id(), guess, "{:?}", message);
            }
            screen.house.say(message);
            if screen.house.app.staff().is_none() {
                screen.house.pass(3_600);
                screen.house.tap(Tap::Back);
                screen.house.type_pin(demo::ANNA, "1234");
            }
        }
    }
}

/// Promise: a payment, sending to the kitchen, the check of a PIN, a copy of a receipt and logging out are never guessed; lines and everything local
/// are.
#[test]
fn nothing_that_leaves_the_till_is_guessed() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    screen.tap_all(["Anna", "1", "2"]);
    let digit = |digit| Message::Tap(Tap::Digit(digit));
    assert!(guessed(&screen, &digit(3)).is_some(), "a digit of a PIN is only counted");
    screen.tap("3");
    assert!((0..10).all(|last| guessed(&screen, &digit(last)).is_none()), "the last one is checked");
    screen.tap_all(["4", "Tisch 4"]);
    assert!(guessed(&screen, &Message::Tap(Tap::Product(tresen_till::ProductId(101)))).is_some());
    screen.tap("Cola 0,33");
    assert!(guessed(&screen, &Message::Tap(Tap::Send)).is_none());
    assert!(guessed(&screen, &Message::Key(Key::Enter)).is_none());
    assert!(guessed(&screen, &Message::Tap(Tap::ToPay)).is_some());
    screen.tap_all(["Zahlen"]);
    let pay = touches(&screen.root()).into_iter().find_map(|touch| match Tap::of(&touch.action) {
        Some(pay @ Tap::PayCash { .. }) => Some(pay),
        _ => None,
    });
    let pay = Message::Tap(pay.expect("the screen of a payment has a button for it"));
    assert!(guessed(&screen, &pay).is_none() && guessed(&screen, &Message::Key(Key::Enter)).is_none());
    screen.tap("Bar erhalten");
    assert!(guessed(&screen, &Message::Tap(Tap::Reprint)).is_none());
    screen.tap("Fertig");
    assert!(guessed(&screen, &Message::Tap(Tap::LogOut)).is_none());
    screen.house.hold = true;
    screen.tap_all(["Tisch 4", "Cola 0,33"]);
    assert!(guessed(&screen, &Message::Tap(Tap::Back)).is_none(), "nothing while a booking is on its way");
}

/// Promise: how often somebody is chosen to log in is learned of nobody.
#[test]
fn habits_know_nobody() {
    let app = tresen_mpos::App::new();
    for (staff, ..) in demo::STAFF {
        assert_eq!(habit_of_tap(&app, &Tap::Person(staff)).memory, Memory::Private);
    }
    assert_eq!(habit_of_tap(&app, &Tap::Direct).memory, Memory::Counted);
}

/// Promise: what is learned tells no digit of a PIN from another.
#[test]
fn habits_know_no_pin() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    screen.tap("Anna");
    let app = &screen.house.app;
    let taps = (0..10).map(|digit| habit_of_tap(app, &Tap::Digit(digit)));
    let keys = (0..10).map(|digit| habit_of_key(app, Key::Digit(digit)));
    let known: HashSet<(u32, u8, Option<u64>)> =
        taps.chain(keys).map(|habit| (habit.screen, habit.kind, habit.what)).collect();
    assert_eq!(known.len(), 1);
    assert!(habit_of_tap(app, &Tap::Back).kind != habit_of_tap(app, &Tap::Digit(1)).kind);
}

/// Promise: trying does nothing: neither the app nor the till changes, and no effect is carried out.
#[test]
fn trying_does_nothing() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    screen.tap_all(["Anna", "1", "2", "3", "4", "Tisch 4"]);
    let before = (screen.house.app.save(), screen.house.till.clone());
    messages(&screen.root())
        .iter()
        .for_each(|message| assert!(guessed(&screen, message).is_none_or(|id| id != ObjectId([0; 16]))));
    assert_eq!((screen.house.app.save(), screen.house.till.clone()), before);
    let mut app = screen.house.app.clone();
    let effects = update(&mut app, &screen.house.world(), Message::Tap(Tap::Guests));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Commit(_))));
}

/// Promise: a screen tells which amounts others may change, for clients that ask for it, and is the same without.
#[test]
fn amounts_of_others_are_told_when_asked_for() {
    let mut screen = Screen::new(House::evening(), Look::PHONE);
    screen.tap_all(["Anna", "1", "2", "3", "4"]);
    for step in ["Direktverkauf", "Cola 0,33", "Zahlen"] {
        screen.tap(step);
        let draw = |marks| {
            let (typesetter, look) = (common::screen::typesetter(), screen.look);
            let kit = Kit::new(typesetter, look.theme, Scale::from_hundredths(look.scale_100)).marking(marks);
            view(&screen.house.app, &screen.house.world(), &kit, look.size_px())
        };
        assert_eq!(draw(Marks::Left).id(), screen.root().id());
        assert_eq!(shared(&draw(Marks::Left)), 0);
        assert_eq!(shared(&draw(Marks::Told)) > 0, step != "Direktverkauf", "{step}");
    }
}

fn shared(node: &Node) -> usize {
    let own = |op: &Op| usize::from(matches!(op, Op::Label(label) if label.role == Role::Shared));
    node.ops().iter().map(|op| own(op) + op.children().map(|child| shared(child)).sum::<usize>()).sum()
}
