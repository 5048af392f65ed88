//! Promises of guesses: what is guessed is what follows when nobody else interferes, and nothing that leaves the till is ever guessed.

mod common;

use std::collections::HashSet;

use common::House;
use common::screen::{Look, Screen};
use proptest::prelude::*;
use tresen_mpos::ui::{Kit, Marks, Scale};
use tresen_mpos::{
    Effect, Foreseen, Key, Memory, Message, Reach, Tap, World, guess, habit_of_key, habit_of_tap, update,
    view,
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

/// What a message leads to, as guessed, and how far; `None` when it is not.
fn guessed(screen: &Screen, message: &Message) -> Option<(Reach, ObjectId)> {
    let world = screen.house.world();
    let Foreseen { app, till, reach } = guess(&screen.house.app, &world, message.clone())?;
    Some((reach, shown(screen, &app, &World { till: &till, ..world })))
}

/// Whether nothing but the answer itself is guessed.
fn is_answered(screen: &Screen, message: &Message) -> bool {
    guessed(screen, message).is_some_and(|(reach, _)| reach == Reach::Lines)
}

/// Whether a message changes nothing, as guessed, but that something is shown to be done.
fn is_shown_as_pending(screen: &Screen, message: &Message) -> bool {
    let world = screen.house.world();
    let Some(Foreseen { app, till, reach: Reach::Beyond }) =
        guess(&screen.house.app, &world, message.clone())
    else {
        return false;
    };
    app.is_waiting() && till == screen.house.till
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

    /// Promise: from any screen, whatever is guessed is what the app shows after its bookings; of what reaches beyond the till, what it shows while
    /// nothing is decided yet.
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
                let Some((reach, guess)) = guessed(&screen, &message) else { continue };
                let beyond = reaches_beyond(&screen.house, &message);
                prop_assert_eq!(reach == Reach::Beyond, beyond, "{:?}", message);
                let mut after = Screen::new(screen.house.clone(), screen.look);
                after.house.hold = beyond;
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

/// Promise: how a payment, sending to the kitchen, the check of a PIN or logging out turn out is never guessed, only that it is being done; of a copy of a
/// receipt, nothing. Lines and everything local are.
#[test]
fn nothing_that_leaves_the_till_is_guessed() {
    let mut screen = Screen::new(House::new(), Look::PHONE);
    screen.tap_all(["Anna", "1", "2"]);
    let digit = |digit| Message::Tap(Tap::Digit(digit));
    assert!(is_answered(&screen, &digit(3)), "a digit of a PIN is only counted");
    screen.tap("3");
    assert!((0..10).all(|last| is_shown_as_pending(&screen, &digit(last))), "the last one is checked");
    screen.tap_all(["4", "Tisch 4"]);
    assert!(is_answered(&screen, &Message::Tap(Tap::Product(tresen_till::ProductId(101)))));
    screen.tap("Cola 0,33");
    assert!(is_shown_as_pending(&screen, &Message::Tap(Tap::Send)));
    assert!(is_shown_as_pending(&screen, &Message::Key(Key::Enter)));
    assert!(is_answered(&screen, &Message::Tap(Tap::ToPay)));
    screen.tap_all(["Zahlen"]);
    let pay = touches(&screen.root()).into_iter().find_map(|touch| match Tap::of(&touch.action) {
        Some(pay @ Tap::PayCash { .. }) => Some(pay),
        _ => None,
    });
    let pay = Message::Tap(pay.expect("the screen of a payment has a button for it"));
    assert!([pay, Message::Key(Key::Enter)].iter().all(|pay| is_shown_as_pending(&screen, pay)));
    screen.tap("Bar erhalten");
    assert!(guessed(&screen, &Message::Tap(Tap::Reprint)).is_none());
    screen.tap("Fertig");
    assert!(is_shown_as_pending(&screen, &Message::Tap(Tap::LogOut)));
    screen.house.hold = true;
    screen.tap_all(["Tisch 4", "Cola 0,33"]);
    assert!(guessed(&screen, &Message::Tap(Tap::Back)).is_none(), "nothing while a booking is on its way");
}

/// Promise: the screens of two people are never the same, whatever they show, so that what was foreseen for one is not shown to the other.
#[test]
fn nobody_gets_the_screen_of_another() {
    let mut screens = [demo::ANNA, demo::BEN].map(|_| Screen::new(House::new(), Look::PHONE));
    for (screen, (name, pin)) in
        screens.iter_mut().zip([("Anna", ["1", "2", "3", "4"]), ("Ben", ["2", "3", "4", "5"])])
    {
        screen.tap(name);
        screen.tap_all(pin);
        assert!(screen.house.app.staff().is_some(), "{name}");
    }
    for step in ["Tisch 4", "Cola 0,33"] {
        screens.iter_mut().for_each(|screen| screen.tap(step));
        let [anna, ben] = screens.each_ref().map(|screen| {
            let (typesetter, look) = (common::screen::typesetter(), screen.look);
            let kit = Kit::new(typesetter, look.theme, Scale::from_hundredths(look.scale_100));
            let draw = |marks| {
                view(&screen.house.app, &screen.house.world(), &kit.clone().marking(marks), look.size_px())
                    .id()
            };
            (draw(Marks::Left), draw(Marks::Told))
        });
        assert_eq!(anna.0, ben.0, "what they see is the same");
        assert_ne!(anna.1, ben.1);
    }
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
        .for_each(|message| assert!(guessed(&screen, message).is_none_or(|(_, id)| id != ObjectId([0; 16]))));
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
