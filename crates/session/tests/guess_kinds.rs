//! Promises of guesses that are more than the next answer: what is shown while something is done, and what was foreseen long ago.

#[allow(dead_code, reason = "colleagues have nothing to do here")]
mod till;

use till::pair::Pair;
use till::{Till, taps};
use tresen_session::limits;
use tresen_session::*;
use tresen_wire::*;

/// Promise: of what reaches beyond the till, the client shows at once that it is being done; the answer is the server's, and no miss.
#[test]
fn what_is_being_done_is_shown_until_the_answer_comes() {
    let mut pair = Pair::new();
    let [tap, other] = [1, 0].map(|at| pair.tap(at));
    let (before, being_done) = (pair.shown(), Till(4711).view(&pair.namer));
    pair.sender.guess(1, &Foresight::pending(before, &tap, &being_done), usize::MAX).unwrap();
    pair.sender.guess(1, &Foresight::answer(before, &other, &pair.after(&[&other])), usize::MAX).unwrap();
    pair.exchange(1);
    pair.receiver.input(10, tap.clone()).unwrap();
    assert!(pair.shown() == being_done.id() && pair.receiver.is_pending());
    pair.up(20);
    // The screen that the server shows meanwhile is not the answer.
    pair.sender.show_as_of(being_done.clone(), 0);
    pair.down(20);
    assert!(pair.receiver.is_pending());
    pair.work();
    pair.exchange(30);
    assert_eq!(pair.shown(), pair.till.view(&pair.namer).id());
    assert!(!pair.receiver.is_guess() && !pair.receiver.is_pending());
    let (client, server) = (pair.receiver.guess_stats(), pair.sender.stats());
    assert_eq!((client.hits, client.misses, client.pending), (0, 0, 1));
    assert_eq!((server.hits, server.misses, server.pending), (0, 0, 1));
    assert_eq!(pair.receiver.guesses_held(), 2, "the others are as good as before");
}

/// Promise: whoever taps on while something is being done waits for the server, and nothing is lost.
#[test]
fn a_tap_on_what_is_being_done_waits() {
    let mut pair = Pair::new();
    let tap = pair.tap(1);
    let being_done = Till(4711).view(&pair.namer);
    let before = pair.shown();
    pair.sender.guess(1, &Foresight::pending(before, &tap, &being_done), usize::MAX).unwrap();
    pair.exchange(1);
    pair.receiver.input(10, tap).unwrap();
    let special = pair.tap(2);
    pair.receiver.input(11, special).unwrap();
    assert_eq!(pair.shown(), being_done.id());
    pair.up(20);
    assert_eq!(pair.heard.len(), 2, "it stands on what the client said that it showed");
    pair.work();
    pair.exchange(30);
    assert_eq!((pair.shown(), pair.receiver.unacknowledged()), (pair.till.view(&pair.namer).id(), 0));
}

/// Promise: what can be done on a screen that was foreseen long ago, and that nobody has any more, is taken.
#[test]
fn an_old_guess_is_as_good() {
    let mut pair = Pair::new();
    let (base, tap) = (pair.shown(), pair.tap(1));
    pair.guess(&[&tap]);
    for number in 1..limits::GUESSES_KEPT as u32 {
        let input = Input::Key(Key::Character(char::from_u32(0x4e00 + number).unwrap()));
        let root = Till(u64::from(number)).view(&pair.namer);
        pair.sender.guess(2, &Foresight::answer(base, &input, &root), usize::MAX).unwrap();
        pair.exchange(2);
    }
    // What a colleague does arrives in between, and shows nothing of either tap.
    let colleague = Till(4711).view(&pair.namer);
    pair.sender.show_as_of(colleague, 0);
    let under_way = pair.sender.poll_transmit(9).expect("a frame");
    pair.receiver.input(10, tap).unwrap();
    pair.receiver.handle(11, &under_way).unwrap();
    let special = pair.tap(2);
    pair.receiver.input(11, special).unwrap();
    pair.up(20);
    assert_eq!(pair.heard.len(), 2, "both are taken at once");
    let second = pair.heard.pop().expect("two");
    pair.work();
    pair.exchange(30);
    pair.heard.push(second);
    pair.work();
    pair.exchange(40);
    assert_eq!((pair.sender.stats().hits, pair.receiver.unacknowledged()), (1, 0));
    assert_eq!(pair.shown(), pair.till.view(&pair.namer).id());
    let mut expected = Till(77);
    taps(&expected.view(&pair.namer))[1..2].iter().for_each(|tap| expected.apply(tap));
    let special = taps(&expected.view(&pair.namer)).swap_remove(2);
    expected.apply(&special);
    assert_eq!(pair.till, expected, "both taps have their effect");
}
