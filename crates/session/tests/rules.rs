//! Promises of the state machines, one by one.

#[allow(dead_code, reason = "inputs have tests of their own")]
mod pair;

use std::sync::Arc;

use pair::{LOOK, Pair};
use tresen_scene::limits::DEPTH;
use tresen_scene::*;
use tresen_session::limits;
use tresen_session::*;
use tresen_wire::*;

#[test]
fn two_frames_fly_and_the_rest_collapses() {
    let mut pair = Pair::connected();
    let mut sent = Vec::new();
    for _ in 0..10 {
        pair.change();
        sent.extend(pair.sender.poll_transmit(5));
    }
    assert_eq!(sent.len(), 2);
    for message in sent {
        pair.receiver.handle(6, &message).unwrap();
    }
    assert_ne!(pair.shown(), pair.maker.scene().id());
    let frames = pair.sender.stats().frames;
    pair.exchange(7);
    assert_eq!(pair.shown(), pair.maker.scene().id());
    assert_eq!(pair.sender.stats().frames, frames + 1, "eight screens became one frame");
}

#[test]
fn a_screen_seen_before_is_a_few_bytes() {
    let mut pair = Pair::connected();
    let first = pair.maker.scene();
    pair.change();
    pair.exchange(1);
    pair.sender.show(first.clone());
    let (down, _) = pair.exchange(2);
    assert_eq!(pair.shown(), first.id());
    assert!(down <= 8, "{down} bytes");
}

#[test]
fn an_acknowledgement_rides_in_the_frame() {
    let mut pair = Pair::connected();
    let number = pair.receiver.input(1, pair.first_tap()).unwrap();
    pair.exchange(1);
    let one = pair.maker.scene();
    pair.change();
    pair.sender.acknowledge_input(number);
    assert!(pair.sender.poll_transmit(1).is_some_and(|message| {
        matches!(ToClient::decode(&message), Ok(ToClient::Frame(Frame { input_ack: Some(1), .. })))
    }));
    assert_eq!(pair.sender.poll_transmit(1), None);
    drop(one);
}

/// Reconnecting with warm slots: at most 500 bytes both ways before the screen is there.
#[test]
fn a_warm_reconnect_is_small() {
    let mut pair = Pair::connected();
    pair.sender.disconnect(10);
    pair.receiver.disconnect(10);
    assert_eq!(pair.receiver.link(10), LinkState::Away);
    assert_eq!(pair.shown(), pair.maker.scene().id(), "the last screen stays");
    pair.change();
    let hello = pair.connect(20);
    assert_eq!(pair.receiver.link(20), LinkState::Connecting);
    let (down, up) = pair.exchange(20);
    assert_eq!(pair.shown(), pair.maker.scene().id());
    assert_eq!(pair.sender.stats().resumed, 1);
    assert!(hello + up + down <= 500, "{hello} + {up} + {down} bytes");
}

/// Also when frames were in flight: those that arrived are not sent again, those that did not are.
#[test]
fn frames_in_flight_are_sorted_out() {
    for arrived in 0..=2 {
        let mut pair = Pair::connected();
        let flight: Vec<_> = (0..2)
            .map(|_| {
                pair.change();
                pair.sender.poll_transmit(1).expect("a frame")
            })
            .collect();
        for message in &flight[..arrived] {
            pair.receiver.handle(1, message).unwrap();
        }
        pair.connect(2);
        pair.exchange(2);
        assert_eq!(pair.shown(), pair.maker.scene().id());
        assert_eq!(pair.sender.stats().resumed, 1, "{arrived} arrived");
        assert_eq!(pair.sender.stats().frames, if arrived == 2 { 3 } else { 4 });
    }
}

#[test]
fn another_receiver_goes_on_with_what_one_had() {
    let mut pair = Pair::connected();
    pair.receiver.input(1, pair.first_tap()).unwrap();
    pair.receiver = Receiver::new(LOOK, Some(pair.receiver.resume()));
    pair.connect(2);
    assert_eq!(pair.receiver.unacknowledged(), 1);
    pair.down(2);
    let input = pair.receiver.poll_transmit(2).unwrap();
    assert!(matches!(pair.sender.handle(2, &input), Ok(Some(SenderEvent::Input { number: 1, .. }))));
    assert_eq!(pair.sender.stats().resumed, 1);
}

/// Promise: whoever sees that a tap was taken waits for nothing more, however late its acknowledgement comes: nothing is asked, nothing is sent
/// again. It is kept until then.
#[test]
fn a_screen_answers_a_tap_before_it_is_acknowledged() {
    let mut pair = Pair::connected();
    pair.receiver.input(1, pair.first_tap()).unwrap();
    assert_eq!(pair.receiver.unanswered(), 1);
    pair.change();
    pair.exchange(2);
    assert_eq!((pair.receiver.unanswered(), pair.receiver.unacknowledged()), (0, 1));
    let due_ms = pair.receiver.poll_timeout().unwrap();
    pair.receiver.handle_timeout(due_ms).expect("the connection is well");
    let said = ToServer::decode(&pair.receiver.poll_transmit(due_ms).expect("the frame is acknowledged"));
    assert!(matches!(said, Ok(ToServer::FrameAck { .. })), "{said:?}");
    assert!(pair.receiver.poll_timeout().unwrap() >= limits::KEEP_ALIVE_MS, "it waits for nothing");
    pair.receiver.disconnect(3);
    pair.sender.disconnect(3);
    pair.sender = Sender::new(pair.maker.namer.clone(), SessionId([1; 16]), 2, 1, [9; 16]);
    pair.sender.show(pair.maker.scene());
    pair.connect(4);
    let welcome = pair.sender.poll_transmit(4).expect("a welcome");
    pair.receiver.handle(4, &welcome).expect("the server is right");
    assert_eq!(pair.receiver.unanswered(), 1, "a server that does not know it has not answered it");
}

/// Promise: an acknowledgement takes no packet of its own while the server can go on without it: it rides with the next tap, before it. The
/// server's round trip does not grow by what it waited.
#[test]
fn an_acknowledgement_rides_with_the_next_tap() {
    let mut pair = Pair::connected();
    let round_trip = pair.sender.stats().rtt_ms;
    pair.change();
    pair.exchange(1_000);
    assert_eq!(pair.receiver.poll_transmit(1_000), None, "one frame is not acknowledged yet");
    pair.receiver.input(1_500, pair.first_tap()).unwrap();
    let said: Vec<_> = std::iter::from_fn(|| pair.receiver.poll_transmit(1_500)).collect();
    let [acknowledged, tap] = &said[..] else { panic!("an acknowledgement and a tap: {said:?}") };
    pair.sender.handle(1_500, acknowledged).expect("the client is right");
    assert_eq!(pair.sender.stats().rtt_ms, round_trip);
    assert!(matches!(pair.sender.handle(1_500, tap), Ok(Some(SenderEvent::Input { number: 1, .. }))));
}

/// Promise: two frames in flight are acknowledged at once: the server waits for that.
#[test]
fn what_the_server_waits_for_is_acknowledged_at_once() {
    let mut pair = Pair::connected();
    for _ in 0..2 {
        pair.change();
        let frame = pair.sender.poll_transmit(1).expect("a frame");
        pair.receiver.handle(1, &frame).expect("the server is right");
    }
    let acknowledged = pair.receiver.poll_transmit(1).expect("two frames are acknowledged");
    pair.sender.handle(1, &acknowledged).expect("the client is right");
    pair.exchange(1);
}

/// Promise: a frame that would take the room of guesses is acknowledged at once: in a session that had some a large one, in any other a very large one.
#[test]
fn a_frame_that_takes_the_room_of_guesses_is_acknowledged_at_once() {
    let mut pair = Pair::new();
    pair.receiver.set_guesses(8);
    pair.connect(0);
    pair.exchange(0);
    let sizes = [10, 100, 1_000];
    assert_eq!(sizes.map(|count| rides(&mut pair, 100_000, count)), [true, true, false]);
    let (shown, root, input) = (pair.shown(), fills(&pair, 200_000, 5), Input::Key(Key::Enter));
    pair.sender.guess(200_000, &Foresight::answer(shown, &input, &root), 1_200).expect("a guess is sent");
    pair.exchange(200_000);
    assert_eq!(sizes.map(|count| rides(&mut pair, 300_000, count)), [true, false, false]);
}

/// A screen of so many rectangles, another one each time.
fn fills(pair: &Pair, now_ms: u64, count: u64) -> Arc<Node> {
    let fill = |at: u64| Op::Fill {
        rect: Rect::new(at as i32 % 90, at as i32 % 120, 3, 5),
        color: Color::rgb(((at + now_ms + count) * 7_919 % 0xff_ffff) as u32),
    };
    Node::new(&pair.maker.namer, count, (0..count).map(fill).collect())
}

/// Shows a screen of so many rectangles; whether its acknowledgement waits for something else to be said.
fn rides(pair: &mut Pair, now_ms: u64, count: u64) -> bool {
    let screen = fills(pair, now_ms, count);
    pair.sender.show(screen);
    let frame = pair.sender.poll_transmit(now_ms).expect("a frame");
    let (large, very_large) = (limits::ACK_RIDES_BYTES, limits::ACK_RIDES_UNGUESSED_BYTES);
    assert_eq!((frame.len() > large, frame.len() > very_large), (count > 10, count > 100), "{}", frame.len());
    pair.receiver.handle(now_ms, &frame).expect("the server is right");
    let acknowledged = pair.receiver.poll_transmit(now_ms);
    let waits = acknowledged.is_none();
    let said = acknowledged.or_else(|| pair.receiver.poll_transmit(now_ms + limits::ACK_RIDES_MS));
    pair.sender.handle(now_ms, &said.expect("it goes by itself in the end")).expect("the client is right");
    waits
}

/// Promise: what a colleague changed is not taken for the answer to a tap that is still on its way, so a server that falls silent then is noticed.
#[test]
fn a_screen_from_before_a_tap_does_not_answer_it() {
    let mut pair = Pair::new();
    pair.receiver.set_guesses(8);
    pair.connect(0);
    pair.exchange(0);
    pair.receiver.input(1, pair.first_tap()).unwrap();
    pair.change();
    pair.down(2);
    assert_eq!(pair.shown(), pair.maker.scene().id());
    assert_eq!(pair.receiver.unanswered(), 1);
    assert_eq!(pair.receiver.poll_timeout(), Some(2 + limits::INPUT_PROBE_MS));
}

#[test]
fn a_frame_that_does_not_fit_is_repaired() {
    let mut pair = Pair::connected();
    pair.change();
    let mut message = pair.sender.poll_transmit(1).unwrap();
    let last = message.len() - 1;
    message[last] ^= 1;
    assert!(pair.receiver.handle(1, &message).unwrap().is_none());
    pair.exchange(2);
    assert_eq!(pair.shown(), pair.maker.scene().id());
    assert_eq!(pair.sender.stats().repairs, 1);
}

#[test]
fn asking_for_repairs_without_end_is_an_error() {
    let mut pair = Pair::connected();
    let nak = ToServer::Nak.encode();
    let asked = (0..100).take_while(|_| pair.sender.handle(1, &nak).is_ok()).count();
    assert_eq!(asked, limits::REPAIRS as usize);
    assert_eq!(pair.sender.handle(1, &nak), Err(PeerError::TooManyRepairs));
    assert!(pair.sender.handle(1 + limits::REPAIR_MS, &nak).is_ok(), "one more is earned");
}

#[test]
fn invented_actions_are_an_error() {
    let mut pair = Pair::connected();
    let input = Input::Tap(Action::new(b"open the drawer"));
    let message = ToServer::Input { number: 1, input }.encode();
    let error = pair.sender.handle(1, &message).unwrap_err();
    assert_eq!(error, PeerError::InventedAction(1));
    assert_eq!(error.close_code(), CloseCode::Protocol);
}

#[test]
fn a_tap_on_the_screen_before_counts() {
    let mut pair = Pair::connected();
    let tap = pair.first_tap();
    let namer = pair.maker.namer.clone();
    pair.sender.show(Node::new(&namer, 0, vec![]));
    assert!(pair.sender.poll_transmit(1).is_some(), "the empty screen is under way");
    let number = pair.receiver.input(1, tap.clone()).unwrap();
    let message = pair.receiver.poll_transmit(1).unwrap();
    assert_eq!(pair.sender.handle(1, &message), Ok(Some(SenderEvent::Input { number, input: tap })));
}

#[test]
fn a_screen_changes_its_look() {
    let mut pair = Pair::connected();
    let look = Look { width_px: 128, height_px: 96, theme: Theme::Dark, language: Language::En, ..LOOK };
    pair.receiver.set_look(look);
    let message = pair.receiver.poll_transmit(1).unwrap();
    assert_eq!(pair.sender.handle(1, &message), Ok(Some(SenderEvent::Look(look))));
    pair.receiver.set_look(look);
    assert_eq!(pair.receiver.poll_transmit(1), None, "the same look is no news");
}

/// Nothing happens for ten minutes: a question and an answer each keep-alive, no more.
#[test]
fn idle_costs_a_ping_each_keep_alive() {
    let mut pair = Pair::connected();
    let (mut messages, mut now_ms) = (0, 0);
    let end_ms = 600_000;
    while now_ms < end_ms {
        let due = [pair.sender.poll_timeout(), pair.receiver.poll_timeout()].into_iter().flatten().min();
        now_ms = due.expect("a connection has timers").max(now_ms);
        pair.sender.handle_timeout(now_ms).unwrap();
        pair.receiver.handle_timeout(now_ms).unwrap();
        loop {
            let (up, down) = (pair.receiver.poll_transmit(now_ms), pair.sender.poll_transmit(now_ms));
            if up.is_none() && down.is_none() {
                break;
            }
            if let Some(message) = up {
                messages += 1;
                assert_eq!(message.len(), 2);
                pair.sender.handle(now_ms, &message).unwrap();
            }
            if let Some(message) = down {
                messages += 1;
                pair.receiver.handle(now_ms, &message).unwrap();
            }
        }
    }
    assert_eq!(messages, 2 * end_ms / limits::KEEP_ALIVE_MS);
    assert_eq!(pair.receiver.link(now_ms), LinkState::Good { rtt_ms: 0 });
}

#[test]
fn silence_is_seen_and_ends() {
    let mut pair = Pair::connected();
    pair.receiver.input(100, pair.first_tap()).unwrap();
    let probe_ms = 100 + limits::INPUT_PROBE_MS;
    assert_eq!(pair.receiver.poll_timeout(), Some(probe_ms));
    pair.receiver.handle_timeout(probe_ms).unwrap();
    assert!(matches!(pair.receiver.link(probe_ms), LinkState::Good { .. }));
    assert_eq!(pair.receiver.link(probe_ms + limits::SLOW_MS), LinkState::Slow);
    let dead_ms = probe_ms + limits::CLIENT_DEAD_MS;
    assert_eq!(pair.receiver.handle_timeout(dead_ms), Err(CloseCode::TimedOut));
    assert_eq!(pair.sender.handle_timeout(limits::SERVER_DEAD_MS), Err(CloseCode::TimedOut));
}

#[test]
fn versions_must_meet() {
    let mut pair = Pair::new();
    let hello = |versions| Hello { versions, table_kib: 4096, look: LOOK, have: None, guesses: 0 };
    let (lowest, highest) = tresen_wire::limits::VERSIONS;
    assert_eq!(pair.sender.connect(0, &hello((highest + 1, 9))), Err(CloseCode::Version));
    assert_eq!(pair.sender.connect(0, &hello((0, lowest - 1))), Err(CloseCode::Version));
    assert_eq!(pair.sender.connect(0, &hello((0, 9))), Ok(()));
}

/// A screen beyond the limits closes the connection; it stops neither the server nor the session.
#[test]
fn a_screen_that_is_too_large_says_goodbye() {
    let mut pair = Pair::connected();
    let namer = pair.maker.namer.clone();
    let mut node = Node::new(&namer, 0, vec![]);
    for _ in 0..DEPTH {
        node = Node::new(&namer, 0, vec![Op::Child { at: Point::ZERO, node }]);
    }
    pair.sender.show(node);
    let message = pair.sender.poll_transmit(1).unwrap();
    let event = pair.receiver.handle(1, &message).unwrap();
    assert!(matches!(event, Some(ReceiverEvent::Closed { code: CloseCode::TooLarge, .. })));
    assert_eq!(pair.sender.handle_timeout(1), Err(CloseCode::TooLarge));
    pair.sender.show(pair.maker.scene());
    pair.connect(2);
    pair.exchange(2);
    assert_eq!(pair.shown(), pair.maker.scene().id());
}

/// A session that nobody is attached to takes next to nothing beside its screen.
#[test]
fn an_idle_sender_is_small() {
    assert!(size_of::<Sender>() <= 1024, "{} bytes", size_of::<Sender>());
}
