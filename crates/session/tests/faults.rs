//! Promises: whatever the network does, a client ends up with the server's screen, and each input is applied once, in order, or never
//! confirmed.

#[path = "../../wire/tests/scenes/mod.rs"]
mod scenes;
mod world;

use proptest::prelude::*;
use world::{Fault, World};

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        8 => Just(Fault::None),
        2 => Just(Fault::Drop),
        2 => Just(Fault::Repeat),
        2 => Just(Fault::Swap),
        1 => Just(Fault::Corrupt),
        2 => Just(Fault::Break),
        1 => Just(Fault::Restart),
    ]
}

fn breaks() -> impl Strategy<Value = Fault> {
    prop_oneof![6 => Just(Fault::None), 1 => Just(Fault::Break)]
}

fn restarts() -> impl Strategy<Value = Fault> {
    prop_oneof![6 => Just(Fault::None), 1 => Just(Fault::Break), 1 => Just(Fault::Restart)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Over a transport that keeps order but breaks: no tap is lost, doubled or reordered, and nobody is told off.
    #[test]
    fn breaks_lose_nothing(seed: u64, steps in proptest::collection::vec((0_u8..6, breaks()), 1..120)) {
        let mut world = World::new(seed);
        for (act, fault) in steps {
            world.step(act, fault);
        }
        world.settle();
        prop_assert_eq!(world.peer_errors, 0);
        prop_assert_eq!(world.applied(), world.entered());
        world.assert_same_screen();
    }

    /// The same when the server is killed, as long as nobody else takes what was tapped off the screen.
    #[test]
    fn restarts_lose_nothing(seed: u64, steps in proptest::collection::vec((1_u8..6, restarts()), 1..120)) {
        let mut world = World::new(seed);
        (0..40).for_each(|_| world.step(0, Fault::None));
        for (act, fault) in steps {
            world.step(act, fault);
        }
        world.settle();
        prop_assert_eq!(world.applied(), world.entered());
        prop_assert_eq!(world.peer_errors, 0);
        world.assert_same_screen();
    }

    /// Over a transport that breaks every promise: the screens agree in the end, and no input is applied twice or out of order.
    #[test]
    fn anything_heals(seed: u64, steps in proptest::collection::vec((0_u8..6, fault()), 1..120)) {
        let mut world = World::new(seed);
        for (act, fault) in steps {
            world.step(act, fault);
        }
        world.settle();
        world.assert_same_screen();
        let numbers: Vec<u64> = world.applied().iter().map(|(number, _)| *number).collect();
        prop_assert!(numbers.is_sorted_by(|a, b| a < b), "each once and in order: {numbers:?}");
        let entered = world.entered();
        prop_assert!(world.applied().iter().all(|input| entered.contains(input)));
    }
}
