//! Promises of guesses, one by one: the client answers at once, and the server has the last word.

mod till;

use till::pair::Pair;
use till::{LOOK, Till, taps};
use tresen_scene::Action;
use tresen_session::limits;
use tresen_session::*;
use tresen_wire::*;

/// Promise: a guessed tap shows its answer at once, and a right one costs a few bytes.
#[test]
fn a_guessed_tap_is_answered_at_once_and_confirmed() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    pair.guess(&[&tap]);
    let expected = pair.after(&[&tap]).id();
    pair.receiver.input(10, tap).unwrap();
    assert_eq!(pair.shown(), expected);
    assert!(pair.receiver.is_guess());
    pair.up(20);
    pair.work();
    let messages = pair.down(20);
    assert_eq!(messages.concat().len(), 4, "a confirmation with the acknowledgement in it");
    assert!(!pair.receiver.is_guess() && pair.shown() == expected);
    assert_eq!(pair.receiver.server_root().map(|root| root.id()), Some(expected));
    assert_eq!((pair.receiver.guess_stats().hits, pair.sender.stats().hits), (1, 1));
    pair.exchange(30);
    assert_eq!(pair.sender.poll_transmit(40), None);
}

/// Promise: guesses build on each other; a later one counts only after the earlier one.
#[test]
fn guesses_build_on_each_other() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    pair.guess(&[&tap, &tap, &tap]);
    let expected = pair.after(&[&tap, &tap, &tap]).id();
    for _ in 0..3 {
        pair.receiver.input(10, tap.clone()).unwrap();
    }
    assert_eq!(pair.shown(), expected);
    pair.up(20);
    assert_eq!(pair.heard.len(), 3);
    pair.work();
    pair.exchange(20);
    assert!(!pair.receiver.is_guess() && pair.shown() == expected);
    assert_eq!(pair.receiver.guess_stats().hits, 3);
}

/// Promise: a guess is good for exactly the root that it was made for.
#[test]
fn a_guess_counts_on_its_own_root_only() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    pair.guess(&[&tap]);
    pair.till.colleague(1);
    let other = pair.till.view(&pair.namer);
    pair.sender.show(other.clone());
    pair.exchange(5);
    pair.receiver.input(10, tap).unwrap();
    assert_eq!(pair.shown(), other.id(), "the answer comes from the server");
    assert!(!pair.receiver.is_guess());
}

/// Promise: nothing is answered by itself while an earlier tap waits for the server.
#[test]
fn nothing_is_guessed_after_a_tap_that_waits() {
    let mut pair = Pair::new();
    let (guessed, unknown) = (pair.tap(1), pair.tap(0));
    pair.guess(&[&guessed]);
    let before = pair.shown();
    pair.receiver.input(10, unknown).unwrap();
    pair.receiver.input(11, guessed).unwrap();
    assert_eq!(pair.shown(), before);
    pair.up(20);
    pair.work();
    pair.exchange(20);
    assert_eq!(pair.shown(), pair.till.view(&pair.namer).id());
}

/// Promise: a miss is corrected within a round trip, and takes what was guessed after it with it.
#[test]
fn a_miss_is_corrected_and_takes_the_rest_with_it() {
    let mut pair = Pair::new();
    let (tap, other) = (pair.tap(1), pair.tap(0));
    pair.guess(&[&other]);
    pair.guess(&[&tap, &tap, &other]);
    assert_eq!(pair.receiver.guesses_held(), 4);
    pair.receiver.input(10, tap.clone()).unwrap();
    pair.till.colleague(3);
    pair.up(20);
    pair.work();
    pair.exchange(20);
    let truth = pair.till.view(&pair.namer).id();
    assert_eq!(pair.shown(), truth);
    assert_eq!((pair.receiver.guess_stats().misses, pair.sender.stats().misses), (1, 1));
    assert_eq!(pair.receiver.guesses_held(), 1, "what was guessed before the missed one stays");
    assert!(pair.sender.stats().wasted_bytes > 0);
}

/// Promise: a tap that does nothing after all is corrected as well.
#[test]
fn a_guess_of_something_where_nothing_happens_is_corrected() {
    let mut pair = Pair::new();
    let (idle, tap) = (pair.tap(3), pair.tap(1));
    let before = pair.shown();
    let wrong = pair.after(&[&tap]);
    pair.sender.guess(1, &Foresight::answer(before, &idle, &wrong), usize::MAX).unwrap();
    pair.exchange(1);
    pair.receiver.input(10, idle).unwrap();
    assert_eq!(pair.shown(), wrong.id());
    pair.up(20);
    pair.work();
    pair.exchange(20);
    assert_eq!(pair.shown(), before);
}

/// Promise: a frame that does not include the last input yet does not throw the screen back.
#[test]
fn an_older_frame_does_not_throw_the_screen_back() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    pair.guess(&[&tap, &tap]);
    let expected = pair.after(&[&tap, &tap]).id();
    pair.receiver.input(10, tap.clone()).unwrap();
    pair.receiver.input(11, tap).unwrap();
    pair.till.colleague(9);
    pair.sender.show(pair.till.view(&pair.namer));
    pair.down(15);
    assert_eq!(pair.shown(), expected, "a colleague's change shows none of the two taps");
    pair.up(20);
    let second = pair.heard.pop().unwrap();
    pair.work();
    pair.down(25);
    assert_eq!(pair.shown(), expected, "the second tap is still on its way");
    pair.heard.push(second);
    pair.work();
    pair.exchange(30);
    assert_eq!(pair.shown(), pair.till.view(&pair.namer).id());
    assert!(!pair.receiver.is_guess());
}

/// Promise: while a booking is on its way to the disk, what the client shows by itself stays.
#[test]
fn what_is_still_being_worked_on_does_not_correct() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    pair.guess(&[&tap]);
    let expected = pair.after(&[&tap]).id();
    pair.receiver.input(10, tap.clone()).unwrap();
    pair.up(20);
    let pending = Till(4711).view(&pair.namer);
    pair.sender.show_as_of(pending, 0);
    pair.exchange(20);
    assert_eq!(pair.shown(), expected);
    pair.work();
    pair.exchange(30);
    assert!(!pair.receiver.is_guess() && pair.shown() == expected);
    assert_eq!(pair.receiver.guess_stats().misses, 0);
}

/// Promise: what nobody confirms is not shown for ever.
#[test]
fn an_unanswered_guess_is_given_up() {
    let mut pair = Pair::new();
    let (before, tap) = (pair.shown(), pair.tap(1));
    pair.guess(&[&tap]);
    pair.receiver.input(10, tap).unwrap();
    let end_ms = 10 + limits::GUESS_SHOWN_MS;
    assert!(pair.receiver.poll_timeout().is_some_and(|due| due <= end_ms));
    pair.receiver.handle_timeout(end_ms - 1).unwrap();
    assert!(pair.receiver.is_guess());
    pair.receiver.handle_timeout(end_ms).unwrap();
    assert_eq!(pair.shown(), before);
    pair.up(end_ms);
    pair.work();
    pair.exchange(end_ms);
    assert_eq!(pair.shown(), pair.till.view(&pair.namer).id());
}

/// Promise: an action can't be invented with a guess either.
#[test]
fn a_guess_gives_no_right_to_what_was_not_shown() {
    let mut pair = Pair::new();
    let (tap, other) = (pair.tap(1), pair.tap(0));
    pair.guess(&[&tap]);
    let guessed = pair.after(&[&tap]);
    let special = taps(&guessed).swap_remove(2);
    let shown = RootTag::of(guessed.id());
    let send = |pair: &mut Pair, message: ToServer| pair.sender.handle(5, &message.encode());
    let early = send(&mut pair, ToServer::Input { number: 1, input: special.clone() });
    assert_eq!(early, Err(PeerError::InventedAction(1)), "the guess was not used");
    send(&mut pair, ToServer::GuessedInput { number: 1, shown, input: other }).unwrap();
    let wrong = send(&mut pair, ToServer::Input { number: 2, input: special });
    assert_eq!(wrong, Err(PeerError::InventedAction(2)), "it was made for another tap");
    let none = ToServer::GuessedInput { number: 2, shown, input: Input::Tap(Action::new(b"drawer")) };
    assert_eq!(send(&mut pair, none), Err(PeerError::InventedAction(2)));
    pair.till.apply(&tap);
    pair.sender.show(pair.till.view(&pair.namer));
    assert!(matches!(
        ToClient::decode(&pair.sender.poll_transmit(6).unwrap()),
        Ok(ToClient::Frame(Frame { applied: Some(1), body, .. })) if !body.is_empty()
    ));
}

/// Promise: guesses have limits: those kept, those that build on each other, their bytes, those on their way; and they wait for everything
/// else.
#[test]
fn guesses_stay_within_their_limits() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    let path = [&tap; limits::GUESS_DEPTH];
    pair.guess(&path);
    let deepest = pair.after(&path).id();
    let root = pair.after(&[&tap; limits::GUESS_DEPTH + 1]);
    assert_eq!(
        pair.sender.guess(2, &Foresight::answer(deepest, &tap, &root), usize::MAX),
        Err(NoGuess::TooDeep)
    );
    let base = pair.shown();
    assert_eq!(
        pair.sender.guess(2, &Foresight::answer(base, &tap, &pair.after(&[&tap])), usize::MAX),
        Err(NoGuess::Known)
    );
    assert_eq!(
        pair.sender.guess(2, &Foresight::answer(root.id(), &tap, &root), usize::MAX),
        Err(NoGuess::Astray)
    );
    let key = Input::Key(Key::Digit(1));
    let digest = pair.receiver.resume();
    assert_eq!(
        pair.sender.guess(2, &Foresight::answer(base, &key, &Till(3).view(&pair.namer)), 20),
        Err(NoGuess::TooLarge)
    );
    drop(digest);
    let mut sent = 0;
    for number in 0..100 {
        let root = Till(number).view(&pair.namer);
        let input = Input::Key(Key::Function(number as u8 + 1));
        let guess = pair.sender.guess(2, &Foresight::answer(base, &input, &root), usize::MAX);
        sent += usize::from(guess.is_ok());
    }
    assert!(sent > 2 && sent <= limits::GUESSES_IN_FLIGHT, "{sent}");
    pair.exchange(3);
    for number in 0..1000_u64 {
        let root = Till(number).view(&pair.namer);
        let input = Input::Key(Key::Character(char::from_u32(0x4e00 + number as u32).unwrap()));
        pair.sender.guess(4, &Foresight::answer(base, &input, &root), usize::MAX).unwrap();
        pair.exchange(4);
    }
    assert_eq!(pair.receiver.guesses_held(), limits::GUESSES_KEPT);
    pair.till.colleague(1);
    pair.sender.show(pair.till.view(&pair.namer));
    assert_eq!(
        pair.sender.guess(5, &Foresight::answer(base, &key, &root), usize::MAX),
        Err(NoGuess::Busy),
        "a frame comes first"
    );
    let frame = pair.sender.poll_transmit(5).expect("a frame");
    assert!(frame.len() < 100 && pair.sender.can_guess(), "a small frame leaves room");
}

/// Promise: while round trips take longer than they could, no guesses are sent.
#[test]
fn congestion_stops_guesses() {
    let mut pair = Pair::new();
    let mut now_ms = 1_000;
    for rtt_ms in [20, 20, 20, 900, 900] {
        now_ms = pair.two_frames(now_ms, rtt_ms);
    }
    assert!(!pair.sender.can_guess());
    for _ in 0..40 {
        now_ms = pair.two_frames(now_ms, 25);
    }
    assert!(pair.sender.can_guess());
}

/// Promise: a client that offers to keep no guesses gets none, and its bytes are what they always were.
#[test]
fn who_offers_nothing_gets_none() {
    let mut pair = Pair::new();
    pair.receiver = Receiver::new(LOOK, None);
    pair.connect(1);
    pair.exchange(1);
    let tap = pair.tap(1);
    assert!(!pair.sender.can_guess());
    let root = pair.after(&[&tap]);
    assert_eq!(
        pair.sender.guess(2, &Foresight::answer(pair.shown(), &tap, &root), usize::MAX),
        Err(NoGuess::Busy)
    );
    pair.receiver.input(3, tap).unwrap();
    assert!(matches!(ToServer::decode(&pair.up(3)[0]), Ok(ToServer::Input { .. })));
    pair.work();
    let message = pair.down(4).swap_remove(0);
    assert!(matches!(ToClient::decode(&message), Ok(ToClient::Frame(Frame { applied: None, .. }))));
}

/// Promise: a confirmation of nothing that was shown is repaired, not believed.
#[test]
fn a_confirmation_of_nothing_is_repaired() {
    let mut pair = Pair::new();
    let message = Frame { fresh: false, sequence: 1, input_ack: None, applied: Some(0), body: &[] };
    pair.receiver.handle(1, &ToClient::Frame(message).encode()).unwrap();
    assert_eq!(pair.receiver.poll_transmit(1), Some(ToServer::Nak.encode()));
}
