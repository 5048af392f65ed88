//! Promises: whatever the network does, and however the server guesses, a client shows only what the server was in or guessed, ends up with the
//! server's screen, and each input is applied once and in order.

mod till;

use std::collections::{HashSet, VecDeque};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use till::{LOOK, Till, taps};
use tresen_scene::{Namer, ObjectId};
use tresen_session::limits::GUESSES_KEPT;
use tresen_session::*;
use tresen_wire::*;

const SESSION: SessionId = SessionId([3; 16]);

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Somebody taps one of the areas, or presses a key.
    Tap(usize),
    /// The till does what it heard first, if anything.
    Work,
    /// … and shows something while it does not say yet that it is done.
    Pending,
    /// A colleague books.
    Colleague,
    /// The server guesses what this tap leads to, from this depth of guesses on; wrongly, if told so.
    Guess {
        area: usize,
        deep: usize,
        wrong: bool,
    },
    Deliver,
    /// Nobody does anything for a while: the best time for guesses.
    Rest,
    Break,
    Connect,
    Restart,
}

fn acts(restarts: u32) -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (0_usize..6).prop_map(Act::Tap),
        4 => Just(Act::Work),
        1 => Just(Act::Pending),
        1 => Just(Act::Colleague),
        8 => (0_usize..6, 0_usize..4, prop::bool::weighted(0.1))
            .prop_map(|(area, deep, wrong)| Act::Guess { area, deep, wrong }),
        12 => Just(Act::Deliver),
        4 => Just(Act::Rest),
        1 => Just(Act::Break),
        3 => Just(Act::Connect),
        restarts => Just(Act::Restart),
    ];
    prop::collection::vec(act, 1..200)
}

struct World {
    now_ms: u64,
    namer: Namer,
    till: Till,
    sender: Sender,
    receiver: Receiver,
    connected: bool,
    to_server: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    epoch: u64,
    heard: VecDeque<(u64, Input)>,
    applied: Vec<(u64, Input)>,
    entered: Vec<(u64, Input)>,
    /// Every screen that the server showed or guessed.
    known: HashSet<ObjectId>,
    peer_errors: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let namer = Namer::new([5; 32]);
        let mut receiver = Receiver::new(LOOK, None);
        receiver.set_guesses(GUESSES_KEPT as u16);
        let mut world = Self {
            now_ms: 1_000,
            till: Till(seed),
            sender: Sender::new(namer.clone(), SESSION, 1, 1, [9; 16]),
            namer,
            receiver,
            connected: false,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            epoch: 1,
            heard: VecDeque::new(),
            applied: Vec::new(),
            entered: Vec::new(),
            known: HashSet::new(),
            peer_errors: 0,
        };
        world.show();
        world
    }

    fn done(&self) -> u64 {
        self.applied.last().map_or(0, |(number, _)| *number)
    }

    fn show(&mut self) {
        let root = self.till.view(&self.namer);
        self.known.insert(root.id());
        self.sender.show_as_of(root, self.done());
    }

    fn act(&mut self, act: Act) {
        self.now_ms += 2;
        match act {
            Act::Tap(area) => self.tap(area),
            Act::Work => self.work(),
            Act::Pending => {
                let root = Till(self.till.0 ^ 0xff00).view(&self.namer);
                self.known.insert(root.id());
                self.sender.show_as_of(root, self.done());
            }
            Act::Colleague => {
                self.till.colleague(self.now_ms);
                self.show();
            }
            Act::Guess { area, deep, wrong } => self.guess(area, deep, wrong),
            Act::Deliver => (0..3).for_each(|_| self.deliver()),
            Act::Rest => (0..8).for_each(|_| {
                self.work();
                self.collect();
                self.deliver();
            }),
            Act::Break => self.disconnect(),
            Act::Connect => self.connect(),
            Act::Restart => self.restart(),
        }
        self.collect();
        self.timers();
        if let Some(root) = self.receiver.root() {
            assert!(self.known.contains(&root.id()), "nobody ever showed or guessed what is shown");
        }
    }

    fn tap(&mut self, area: usize) {
        let taps = self.receiver.root().map_or(Vec::new(), |root| taps(root));
        let input = taps.get(area).cloned().unwrap_or(Input::Key(Key::Digit(4)));
        if let Some(number) = self.receiver.input(self.now_ms, input.clone()) {
            self.entered.push((number, input));
        }
    }

    fn work(&mut self) {
        if let Some((number, input)) = self.heard.pop_front() {
            self.till.apply(&input);
            self.applied.push((number, input));
            self.show();
            self.sender.acknowledge_input(number);
            self.hear();
        }
    }

    fn hear(&mut self) {
        while let Some(SenderEvent::Input { number, input }) = self.sender.poll_event() {
            self.heard.push_back((number, input));
        }
    }

    /// Guesses the answer to every tap, and to a tap on what the same tap leads to, `deep` times.
    fn guess(&mut self, area: usize, deep: usize, wrong: bool) {
        for area in 0..6 {
            self.guess_one(self.till, area, wrong);
        }
        let mut till = self.till;
        for _ in 0..=deep {
            till = self.guess_one(till, area, wrong);
        }
    }

    fn guess_one(&mut self, mut till: Till, area: usize, wrong: bool) -> Till {
        let base = till.view(&self.namer);
        let input = taps(&base).get(area).cloned().unwrap_or(Input::Key(Key::Digit(4)));
        till.apply(&input);
        if wrong {
            till.colleague(99);
        }
        let root = till.view(&self.namer);
        self.known.insert(root.id());
        let _ = self.sender.guess(self.now_ms, &Foresight::answer(base.id(), &input, &root), 1_000);
        till
    }

    fn connect(&mut self) {
        if !self.connected {
            self.connected = true;
            self.to_server.clear();
            self.to_client.clear();
            self.receiver.connect(self.now_ms);
        }
    }

    fn disconnect(&mut self) {
        self.connected = false;
        self.sender.disconnect(self.now_ms);
        self.receiver.disconnect(self.now_ms);
        assert!(!self.receiver.is_guess(), "without a connection the server's screen is shown");
    }

    fn restart(&mut self) {
        self.disconnect();
        self.epoch += 1;
        self.heard.clear();
        self.sender = Sender::new(self.namer.clone(), SESSION, self.epoch, self.done() + 1, [9; 16]);
        self.show();
    }

    fn collect(&mut self) {
        while let Some(message) = self.sender.poll_transmit(self.now_ms) {
            self.to_client.push_back(message);
        }
        while let Some(message) = self.receiver.poll_transmit(self.now_ms) {
            self.to_server.push_back(message);
        }
    }

    fn deliver(&mut self) {
        if !self.connected {
            return;
        }
        if let Some(message) = self.to_server.pop_front()
            && !self.at_server(&message)
        {
            self.peer_errors += 1;
            return self.disconnect();
        }
        if let Some(message) = self.to_client.pop_front()
            && self.receiver.handle(self.now_ms, &message).is_err()
        {
            self.peer_errors += 1;
            self.disconnect();
        }
    }

    fn at_server(&mut self, message: &[u8]) -> bool {
        if !self.sender.is_connected() {
            return match ToServer::decode(message) {
                Ok(ToServer::Hello(hello)) => self.sender.connect(self.now_ms, &hello).is_ok(),
                _ => false,
            };
        }
        match self.sender.handle(self.now_ms, message) {
            Ok(Some(SenderEvent::Input { number, input })) => self.heard.push_back((number, input)),
            Ok(_) => {}
            Err(_) => return false,
        }
        true
    }

    fn timers(&mut self) {
        let due = |due: Option<u64>| due.is_some_and(|due| due <= self.now_ms);
        let (sender_due, receiver_due) = (due(self.sender.poll_timeout()), due(self.receiver.poll_timeout()));
        let sender_dead = sender_due && self.sender.handle_timeout(self.now_ms).is_err();
        let receiver_dead = receiver_due && self.receiver.handle_timeout(self.now_ms).is_err();
        if sender_dead || receiver_dead {
            self.disconnect();
        }
    }

    /// The network behaves from now on; everything comes to rest.
    fn settle(&mut self) {
        for _ in 0..300 {
            self.now_ms += 500;
            self.connect();
            self.work();
            self.show();
            for _ in 0..12 {
                self.collect();
                self.deliver();
            }
            self.timers();
        }
    }

    fn assert_at_rest(&self) {
        assert_eq!(self.receiver.unacknowledged(), 0);
        assert_eq!(self.receiver.root().map(|root| root.id()), Some(self.till.view(&self.namer).id()));
        assert!(!self.receiver.is_guess());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    /// Over a transport that keeps order but breaks: no tap is lost, doubled or reordered, and nobody is told off.
    #[test]
    fn guessing_loses_nothing(seed: u64, acts in acts(0)) {
        let mut world = World::new(seed);
        acts.into_iter().for_each(|act| world.act(act));
        world.settle();
        prop_assert_eq!(world.peer_errors, 0);
        prop_assert_eq!(&world.applied, &world.entered);
        world.assert_at_rest();
    }

    /// The same with a server that is killed: what stood on a screen that is no more is refused; nothing is doubled or reordered.
    #[test]
    fn guessing_survives_restarts(seed: u64, acts in acts(1)) {
        let mut world = World::new(seed);
        acts.into_iter().for_each(|act| world.act(act));
        world.settle();
        prop_assert_eq!(world.peer_errors, 0);
        let numbers: Vec<u64> = world.applied.iter().map(|(number, _)| *number).collect();
        prop_assert!(numbers.is_sorted_by(|a, b| a < b), "each once and in order: {:?}", numbers);
        prop_assert!(world.applied.iter().all(|input| world.entered.contains(input)));
        world.assert_at_rest();
    }
}

/// The tests above do test guesses: right ones, wrong ones and connections that go on are all among what happens.
#[test]
fn everything_happens() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut hits, mut misses, mut resumed) = (0, 0, 0);
    for seed in 0..64 {
        let acts = acts(0).new_tree(&mut runner).expect("acts").current();
        let mut world = World::new(seed);
        acts.into_iter().for_each(|act| world.act(act));
        world.settle();
        let stats = *world.sender.stats();
        (hits, misses, resumed) = (hits + stats.hits, misses + stats.misses, resumed + stats.resumed);
    }
    assert!(hits > 30 && misses > 10 && resumed > 10, "{hits} hits, {misses} misses, {resumed} resumed");
}
