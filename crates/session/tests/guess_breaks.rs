//! Promises of guesses when something breaks: a connection, the table of slots, the server. Nothing is lost, and the truth is shown.

#[allow(dead_code, reason = "colleagues have nothing to do here")]
mod till;

use till::pair::Pair;
use till::{Till, taps};
use tresen_session::*;
use tresen_wire::*;

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
            pair.sender.guess(1, &Foresight::answer(base, tap, &root), usize::MAX).unwrap();
        }
        let flight: Vec<_> = std::iter::from_fn(|| pair.sender.poll_transmit(1)).collect();
        for message in &flight[..arrived] {
            pair.receiver.handle(1, message).unwrap();
        }
        pair.connect(2);
        pair.exchange(2);
        assert_eq!(pair.sender.stats().resumed, 1, "{arrived} arrived");
        assert_eq!(pair.receiver.guesses_held(), arrived);
        let root = pair.after(&[&other]);
        let again = pair.sender.guess(3, &Foresight::answer(base, &other, &root), usize::MAX);
        assert_eq!(again == Err(NoGuess::Known), arrived == 2);
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
    pair.sender = Sender::new(pair.namer.clone(), SessionId([1; 16]), 2, 1, [9; 16]);
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
