//! Promises of inputs: each has its effect once and in order, whatever is lost, repeated or started again.

#[allow(dead_code, reason = "screens have tests of their own")]
mod pair;

use pair::Pair;
use tresen_scene::*;
use tresen_session::limits;
use tresen_session::*;
use tresen_wire::limits::INPUT_NUMBER;
use tresen_wire::*;

#[test]
fn inputs_are_bounded_and_kept() {
    let mut pair = Pair::new();
    assert_eq!(pair.receiver.input(0, Input::Key(Key::Enter)), None, "there is no session yet");
    pair.connect(0);
    pair.exchange(0);
    let taken = (0..1000).filter(|_| pair.receiver.input(0, Input::Key(Key::Enter)).is_some()).count();
    assert_eq!(taken as u64, limits::INPUTS_OPEN);
    pair.exchange(0);
    pair.sender.acknowledge_input(10);
    pair.exchange(0);
    assert_eq!(pair.receiver.unacknowledged(), 54);
    let too_far = ToServer::Input { number: 75, input: Input::Key(Key::Enter) }.encode();
    for number in 65..75 {
        let message = ToServer::Input { number, input: Input::Key(Key::Enter) }.encode();
        pair.sender.handle(0, &message).unwrap();
    }
    assert_eq!(pair.sender.handle(0, &too_far), Err(PeerError::TooManyInputs));
}

/// Promise: a client that is ahead of a restored server goes on; one that claims inputs that nobody can have made is refused, and spoils nothing.
#[test]
fn a_client_is_ahead_within_reason() {
    let mut pair = Pair::connected();
    pair.receiver.connect(1);
    let hello = pair.receiver.poll_transmit(1).unwrap();
    let Ok(ToServer::Hello(hello)) = ToServer::decode(&hello) else { panic!("a hello comes first") };
    let ahead = |first_open_input| {
        let have = hello.have.map(|have| Have { first_open_input, ..have });
        Hello { have, ..hello }
    };
    for claimed in [limits::INPUTS_AHEAD + 1, INPUT_NUMBER] {
        assert_eq!(pair.sender.connect(1, &ahead(claimed)), Err(CloseCode::Protocol));
    }
    pair.sender.connect(1, &ahead(5_001)).unwrap();
    let next = ToServer::Input { number: 5_001, input: Input::Key(Key::Enter) }.encode();
    assert!(matches!(pair.sender.handle(1, &next), Ok(Some(SenderEvent::Input { number: 5_001, .. }))));
}

/// A lost input is asked for once, however many come after it; then it comes, and they come again.
#[test]
fn a_gap_is_asked_about_once() {
    let mut pair = Pair::connected();
    let taken = (0..1000).filter(|_| pair.receiver.input(1, Input::Key(Key::Enter)).is_some()).count();
    assert_eq!(taken as u64, limits::INPUTS_OPEN);
    let lost = pair.receiver.poll_transmit(1).expect("the first input");
    assert!(matches!(ToServer::decode(&lost), Ok(ToServer::Input { number: 1, .. })));
    let mut answers = Vec::new();
    while let Some(message) = pair.receiver.poll_transmit(1) {
        pair.sender.handle(1, &message).expect("a gap is no error");
        answers.extend(std::iter::from_fn(|| pair.sender.poll_transmit(1)));
    }
    assert_eq!(answers.len(), 1, "one question for all that follow");
    pair.receiver.handle(1, &answers[0]).expect("the server is right");
    pair.exchange(1);
    pair.sender.acknowledge_input(limits::INPUTS_OPEN);
    pair.exchange(1);
    assert_eq!(pair.receiver.unacknowledged(), 0);
}

/// Promise: what a client did while the server was gone is done in order, each on the screen that the one before left; only then a screen is shown,
/// because nobody should go on from an older one.
#[test]
fn inputs_after_a_restart_wait_for_each_other() {
    let mut pair = Pair::connected();
    let tap = pair.first_tap();
    for _ in 0..2 {
        pair.receiver.input(1, tap.clone()).unwrap();
    }
    let gone = Input::Tap(Action::new(b"tap 99"));
    pair.receiver.input(1, gone).unwrap();
    pair.sender = Sender::new(pair.maker.namer.clone(), SessionId([1; 16]), 2, 1, [9; 16]);
    pair.sender.show(pair.maker.scene());
    pair.connect(2);
    let mut events = Vec::new();
    while let Some(message) = pair.sender.poll_transmit(2) {
        assert!(!is_frame(&message), "an old screen");
        pair.receiver.handle(2, &message).unwrap();
    }
    while let Some(message) = pair.receiver.poll_transmit(2) {
        events.extend(pair.sender.handle(2, &message).unwrap());
        assert!(pair.sender.poll_transmit(2).is_none_or(|message| !is_frame(&message)), "an old screen");
    }
    assert!(matches!(events[..], [SenderEvent::Input { number: 1, .. }]));
    pair.sender.acknowledge_input(1);
    assert!(matches!(pair.sender.poll_event(), Some(SenderEvent::Input { number: 2, .. })));
    pair.sender.acknowledge_input(2);
    assert_eq!(pair.sender.poll_event(), None, "what is not on the screen is refused");
    pair.exchange(3);
    assert_eq!(pair.receiver.unacknowledged(), 0, "and the client is told that it is done with");
    assert_eq!(pair.shown(), pair.maker.scene().id());
}

/// Promise: a client that announced inputs and does not bring them is shown a screen all the same.
#[test]
fn nobody_waits_for_ever_for_inputs_that_were_announced() {
    let mut pair = Pair::connected();
    pair.receiver.input(1, pair.first_tap()).unwrap();
    pair.sender = Sender::new(pair.maker.namer.clone(), SessionId([1; 16]), 2, 1, [9; 16]);
    pair.sender.show(pair.maker.scene());
    pair.connect(2);
    let sent: Vec<_> = std::iter::from_fn(|| pair.sender.poll_transmit(2)).collect();
    assert!(!sent.iter().any(|message| is_frame(message)));
    let due_ms = pair.sender.poll_timeout().unwrap();
    assert_eq!(due_ms, 2 + limits::CATCH_UP_MS);
    pair.sender.handle_timeout(due_ms).unwrap();
    assert!(is_frame(&pair.sender.poll_transmit(due_ms).unwrap()));
}

/// Promise: in another network the inputs that nobody answered follow the hello at once, and the first thing that comes back is what they did.
/// Each is sent once.
#[test]
fn inputs_follow_the_hello_into_another_network() {
    let mut pair = Pair::connected();
    let tap = pair.first_tap();
    pair.receiver.input(1, tap.clone()).unwrap();
    while pair.receiver.poll_transmit(1).is_some() {}
    pair.receiver.go_on(2);
    let said: Vec<_> = std::iter::from_fn(|| pair.receiver.poll_transmit(2)).collect();
    let [hello, input] = &said[..] else { panic!("a hello and an input: {said:?}") };
    let Ok(ToServer::Hello(hello)) = ToServer::decode(hello) else { panic!("a hello comes first") };
    pair.sender.connect(2, &hello).unwrap();
    let event = pair.sender.handle(2, input).unwrap();
    assert_eq!(event, Some(SenderEvent::Input { number: 1, input: tap.clone() }));
    let shown = pair.change();
    let answer: Vec<_> = std::iter::from_fn(|| pair.sender.poll_transmit(2)).collect();
    for message in &answer {
        pair.receiver.handle(3, message).unwrap();
    }
    assert_eq!(pair.shown(), shown.id());
    assert_eq!(pair.receiver.unanswered(), 0);
    let mut said = std::iter::from_fn(|| pair.receiver.poll_transmit(3));
    assert!(!said.any(|message| matches!(ToServer::decode(&message), Ok(ToServer::Input { .. }))));
    // What is done between the hello and its answer is sent then.
    pair.receiver.go_on(4);
    let hello = pair.receiver.poll_transmit(4).unwrap();
    while pair.receiver.poll_transmit(4).is_some() {}
    pair.receiver.input(4, Input::Key(Key::Enter)).unwrap();
    assert_eq!(pair.receiver.poll_transmit(4), None);
    let Ok(ToServer::Hello(hello)) = ToServer::decode(&hello) else { panic!("a hello comes first") };
    pair.sender.connect(4, &hello).unwrap();
    let welcome = pair.sender.poll_transmit(4).unwrap();
    pair.receiver.handle(5, &welcome).unwrap();
    let next = pair.receiver.poll_transmit(5).unwrap();
    assert!(matches!(ToServer::decode(&next), Ok(ToServer::Input { number: 2, .. })));
}

/// Promise: what was tapped on one session's screen has no effect in another, also if it follows a hello that the other answers.
#[test]
fn inputs_that_follow_a_hello_count_in_their_own_session_only() {
    let mut pair = Pair::connected();
    pair.receiver.input(1, pair.first_tap()).unwrap();
    while pair.receiver.poll_transmit(1).is_some() {}
    pair.sender = Sender::new(pair.maker.namer.clone(), SessionId([2; 16]), 2, 1, [9; 16]);
    pair.sender.show(pair.maker.scene());
    pair.receiver.go_on(2);
    let hello = pair.receiver.poll_transmit(2).unwrap();
    let Ok(ToServer::Hello(hello)) = ToServer::decode(&hello) else { panic!("a hello comes first") };
    pair.sender.connect(2, &hello).unwrap();
    let stray = pair.receiver.poll_transmit(2).expect("the input follows at once");
    assert_eq!(pair.sender.handle(2, &stray), Ok(None));
    assert_eq!(pair.sender.poll_event(), None);
    // What is tapped on its own screen counts.
    pair.exchange(3);
    pair.receiver.input(4, pair.first_tap()).unwrap();
    let events: Vec<_> = std::iter::from_fn(|| pair.receiver.poll_transmit(4))
        .filter_map(|message| pair.sender.handle(4, &message).unwrap())
        .collect();
    assert!(matches!(events[..], [SenderEvent::Input { number: 1, .. }]), "{events:?}");
}

fn is_frame(message: &[u8]) -> bool {
    matches!(ToClient::decode(message), Ok(ToClient::Frame(_)))
}

/// Promise: who thought for long, and whose earlier taps are answered but not on disk yet, has just begun to wait: nobody is asked whether anybody
/// is there, and nothing is sent twice.
#[test]
fn waiting_begins_with_the_first_input_without_an_answer() {
    let mut pair = Pair::connected();
    pair.receiver.input(0, Input::Key(Key::Enter)).unwrap();
    pair.exchange(0);
    pair.change();
    pair.exchange(0);
    assert_eq!((pair.receiver.unanswered(), pair.receiver.unacknowledged()), (0, 1));
    let late_ms = limits::INPUT_AGAIN_MS.max(limits::INPUT_PROBE_MS) + 1_000;
    pair.exchange(late_ms - 1);
    pair.receiver.input(late_ms, Input::Key(Key::Enter)).unwrap();
    let mut said = Vec::new();
    for now_ms in [late_ms, late_ms + limits::INPUT_PROBE_MS - 1, late_ms + limits::INPUT_PROBE_MS] {
        pair.receiver.handle_timeout(now_ms).unwrap();
        let messages = std::iter::from_fn(|| pair.receiver.poll_transmit(now_ms));
        said.push(messages.map(|message| ToServer::decode(&message).unwrap()).collect::<Vec<_>>());
    }
    let inputs = said[0].iter().filter(|message| matches!(message, ToServer::Input { .. })).count();
    assert_eq!(inputs, 1);
    assert!(!said[0].iter().any(|message| matches!(message, ToServer::Ping { .. })), "{:?}", said[0]);
    assert_eq!(said[1], []);
    assert!(matches!(said[2][..], [ToServer::Ping { .. }]), "{:?}", said[2]);
}

/// Promise: an input that is lost is sent again, however often news come meanwhile that do not answer it.
#[test]
fn news_do_not_put_a_lost_input_off() {
    let mut pair = Pair::new();
    pair.receiver.set_guesses(8);
    pair.connect(0);
    pair.exchange(0);
    pair.receiver.input(1, Input::Key(Key::Enter)).unwrap();
    pair.receiver.poll_transmit(1).expect("the input, which is lost");
    let mut again_ms = None;
    for now_ms in (200..=limits::INPUT_AGAIN_MS + 200).step_by(200) {
        pair.change();
        pair.down(now_ms);
        pair.receiver.handle_timeout(now_ms).unwrap();
        while let Some(message) = pair.receiver.poll_transmit(now_ms) {
            let is_input = matches!(ToServer::decode(&message), Ok(ToServer::Input { .. }));
            again_ms = again_ms.or_else(|| is_input.then_some(now_ms));
            pair.sender.handle(now_ms, &message).unwrap();
        }
    }
    assert!(again_ms.is_some_and(|at_ms| at_ms >= limits::INPUT_AGAIN_MS), "{again_ms:?}");
}
