//! Promises of guesses, one by one: the client answers at once, and the server has the last word.

mod till;

use std::sync::Arc;

use till::{LOOK, Till, taps};
use tresen_scene::{Action, Namer, Node, ObjectId};
use tresen_session::limits;
use tresen_session::*;
use tresen_wire::*;

/// Both ends, with a network that can be held, and a till that does what is tapped when it is told to.
struct Pair {
    namer: Namer,
    till: Till,
    sender: Sender,
    receiver: Receiver,
    /// Inputs that were handed to the till.
    heard: Vec<(u64, Input)>,
}

impl Pair {
    fn new() -> Self {
        let namer = Namer::new([5; 32]);
        let till = Till(77);
        let mut sender = Sender::new(namer.clone(), SessionId([1; 16]), 1, 1);
        sender.show(till.view(&namer));
        let mut receiver = Receiver::new(LOOK, None);
        receiver.set_guesses(limits::GUESSES_KEPT as u16);
        let mut pair = Self { namer, till, sender, receiver, heard: Vec::new() };
        pair.connect(0);
        pair.exchange(0);
        pair
    }

    fn connect(&mut self, now_ms: u64) {
        self.receiver.connect(now_ms);
        let hello = self.receiver.poll_transmit(now_ms).expect("a hello");
        let Ok(ToServer::Hello(hello)) = ToServer::decode(&hello) else { panic!("a hello comes first") };
        self.sender.connect(now_ms, &hello).expect("a common version");
    }

    fn down(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        let messages: Vec<_> = std::iter::from_fn(|| self.sender.poll_transmit(now_ms)).collect();
        for message in &messages {
            self.receiver.handle(now_ms, message).expect("the server is right");
        }
        messages
    }

    fn up(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        let messages: Vec<_> = std::iter::from_fn(|| self.receiver.poll_transmit(now_ms)).collect();
        for message in &messages {
            let event = self.sender.handle(now_ms, message).expect("the client is right");
            if let Some(SenderEvent::Input { number, input }) = event {
                self.heard.push((number, input));
            }
        }
        messages
    }

    fn exchange(&mut self, now_ms: u64) {
        while !self.down(now_ms).is_empty() || !self.up(now_ms).is_empty() {}
    }

    /// The till does what it heard, and shows it.
    fn work(&mut self) {
        for (number, input) in std::mem::take(&mut self.heard) {
            self.till.apply(&input);
            self.sender.show_as_of(self.till.view(&self.namer), number);
            self.sender.acknowledge_input(number);
        }
    }

    /// What will be shown after `taps` from here.
    fn after(&self, taps: &[&Input]) -> Arc<Node> {
        let mut till = self.till;
        taps.iter().for_each(|input| till.apply(input));
        till.view(&self.namer)
    }

    /// Sends what each of these taps will lead to, one after the other.
    fn guess(&mut self, path: &[&Input]) {
        for done in 0..path.len() {
            let base = self.after(&path[..done]).id();
            let root = self.after(&path[..=done]);
            self.sender.guess(1, base, path[done], &root, usize::MAX).expect("a guess");
        }
        self.exchange(1);
    }

    fn tap(&mut self, index: usize) -> Input {
        taps(self.receiver.root().expect("a screen")).swap_remove(index)
    }

    fn shown(&self) -> ObjectId {
        self.receiver.root().expect("a screen").id()
    }
}

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
    pair.sender.guess(1, before, &idle, &wrong, usize::MAX).unwrap();
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

/// Promise: without a connection the server's screen is shown; the tap is sent again, done once, and what stood on the guess counts.
#[test]
fn a_break_shows_the_truth_and_loses_nothing() {
    for arrived in [0, 1, 2] {
        let mut pair = Pair::new();
        let (before, tap) = (pair.shown(), pair.tap(1));
        pair.guess(&[&tap]);
        pair.receiver.input(10, tap).unwrap();
        let special = pair.tap(2);
        pair.receiver.input(11, special).unwrap();
        let sent: Vec<_> = std::iter::from_fn(|| pair.receiver.poll_transmit(12)).collect();
        for message in &sent[..arrived] {
            if let Some(SenderEvent::Input { number, input }) = pair.sender.handle(13, message).unwrap() {
                pair.heard.push((number, input));
            }
        }
        pair.work();
        pair.receiver.disconnect(14);
        pair.sender.disconnect(14);
        assert_eq!(pair.shown(), before);
        pair.connect(20);
        for _ in 0..4 {
            pair.exchange(20);
            pair.work();
            while let Some(SenderEvent::Input { number, input }) = pair.sender.poll_event() {
                pair.heard.push((number, input));
            }
        }
        pair.exchange(21);
        assert_eq!(pair.sender.stats().resumed, 1, "{arrived}");
        assert_eq!(pair.receiver.unacknowledged(), 0, "{arrived}");
        assert_eq!(pair.shown(), pair.till.view(&pair.namer).id());
        let mut expected = Till(77);
        taps(&expected.view(&pair.namer))[1..2].iter().for_each(|tap| expected.apply(tap));
        let special = taps(&expected.view(&pair.namer)).swap_remove(2);
        expected.apply(&special);
        assert_eq!(pair.till, expected, "both taps, once, with {arrived} arrived");
    }
}

/// Promise: guesses that were on their way when the connection broke are taken back like frames.
#[test]
fn guesses_in_flight_are_sorted_out() {
    for arrived in 0..=2 {
        let mut pair = Pair::new();
        let (one, other) = (pair.tap(0), pair.tap(1));
        let base = pair.shown();
        for tap in [&one, &other] {
            let root = pair.after(&[tap]);
            pair.sender.guess(1, base, tap, &root, usize::MAX).unwrap();
        }
        let flight: Vec<_> = std::iter::from_fn(|| pair.sender.poll_transmit(1)).collect();
        for message in &flight[..arrived] {
            pair.receiver.handle(1, message).unwrap();
        }
        pair.connect(2);
        pair.exchange(2);
        assert_eq!(pair.sender.stats().resumed, 1, "{arrived} arrived");
        assert_eq!(pair.receiver.guesses_held(), arrived);
        assert_eq!(pair.sender.guessed(base, &other).is_some(), arrived == 2);
    }
}

/// Promise: a fresh frame ends all guesses; what was answered by them still counts.
#[test]
fn a_fresh_frame_ends_all_guesses() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    pair.guess(&[&tap]);
    pair.receiver.input(10, tap).unwrap();
    let special = pair.tap(2);
    pair.receiver.input(11, special).unwrap();
    pair.sender.handle(12, &ToServer::Nak.encode()).unwrap();
    pair.down(12);
    assert_eq!(pair.receiver.guesses_held(), 0);
    pair.up(13);
    pair.work();
    pair.exchange(14);
    assert_eq!(pair.receiver.unacknowledged(), 0);
    assert_eq!(pair.shown(), pair.till.view(&pair.namer).id());
}

/// Promise: a server that was started again knows no guesses, and nothing is lost.
#[test]
fn a_restart_ends_all_guesses() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    pair.guess(&[&tap]);
    pair.receiver.input(10, tap).unwrap();
    let special = pair.tap(2);
    pair.receiver.input(11, special).unwrap();
    pair.sender = Sender::new(pair.namer.clone(), SessionId([1; 16]), 2, 1);
    pair.sender.show(pair.till.view(&pair.namer));
    pair.connect(20);
    for _ in 0..4 {
        pair.exchange(20);
        pair.work();
        while let Some(SenderEvent::Input { number, input }) = pair.sender.poll_event() {
            pair.heard.push((number, input));
        }
    }
    assert_eq!(pair.receiver.unacknowledged(), 0);
    assert_eq!(pair.shown(), pair.till.view(&pair.namer).id());
    assert_eq!(pair.receiver.guesses_held(), 0);
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
    assert_eq!(pair.sender.guess(2, deepest, &tap, &root, usize::MAX), Err(NoGuess::TooDeep));
    let base = pair.shown();
    assert_eq!(pair.sender.guess(2, base, &tap, &pair.after(&[&tap]), usize::MAX), Err(NoGuess::Known));
    assert_eq!(pair.sender.guess(2, root.id(), &tap, &root, usize::MAX), Err(NoGuess::Astray));
    let key = Input::Key(Key::Digit(1));
    let digest = pair.receiver.resume();
    assert_eq!(pair.sender.guess(2, base, &key, &Till(3).view(&pair.namer), 20), Err(NoGuess::TooLarge));
    drop(digest);
    let mut sent = 0;
    for number in 0..100 {
        let root = Till(number).view(&pair.namer);
        let guess =
            pair.sender.guess(2, base, &Input::Key(Key::Function(number as u8 + 1)), &root, usize::MAX);
        sent += usize::from(guess.is_ok());
    }
    assert!(sent > 2 && sent <= limits::GUESSES_IN_FLIGHT, "{sent}");
    pair.exchange(3);
    for number in 0..1000_u64 {
        let root = Till(number).view(&pair.namer);
        let input = Input::Key(Key::Character(char::from_u32(0x4e00 + number as u32).unwrap()));
        pair.sender.guess(4, base, &input, &root, usize::MAX).unwrap();
        pair.exchange(4);
    }
    assert_eq!(pair.receiver.guesses_held(), limits::GUESSES_KEPT);
    pair.till.colleague(1);
    pair.sender.show(pair.till.view(&pair.namer));
    assert_eq!(
        pair.sender.guess(5, base, &key, &root, usize::MAX),
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
        pair.till.colleague(1);
        pair.sender.show(pair.till.view(&pair.namer));
        pair.down(now_ms);
        now_ms += rtt_ms;
        pair.up(now_ms);
    }
    assert!(!pair.sender.can_guess());
    for _ in 0..40 {
        pair.till.colleague(1);
        pair.sender.show(pair.till.view(&pair.namer));
        pair.down(now_ms);
        now_ms += 25;
        pair.up(now_ms);
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
    assert_eq!(pair.sender.guess(2, pair.shown(), &tap, &root, usize::MAX), Err(NoGuess::Busy));
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
