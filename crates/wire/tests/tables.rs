//! Promise: a client that follows the frames has what the server shows, also when frames were taken back.

mod scenes;

use proptest::prelude::*;
use scenes::Maker;
use tresen_wire::{ClientTable, ServerTable};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// apply(diff(a, b), a) == b, over a long walk of scenes.
    #[test]
    fn frames_lead_to_the_same_screen(seed: u64, steps in proptest::collection::vec(0_u8..4, 1..80)) {
        let mut maker = Maker::new(seed);
        let (mut server, mut client) = (ServerTable::new(), ClientTable::new());
        for changes in steps {
            (0..changes).for_each(|_| maker.change());
            let root = maker.scene();
            let (body, _) = server.encode(&maker.namer, &root).unwrap();
            let shown = client.apply(&maker.namer, &body);
            prop_assert_eq!(shown.map(|root| root.id()), Ok(root.id()));
            prop_assert_eq!(client.digest(), server.digest());
        }
    }

    /// Frames that never arrived are taken back; the next one builds on what the client has.
    #[test]
    fn frames_are_taken_back(seed: u64, steps in proptest::collection::vec((0_u8..4, 0_usize..3), 1..60)) {
        let mut maker = Maker::new(seed);
        let (mut server, mut client) = (ServerTable::new(), ClientTable::new());
        for (changes, lost) in steps {
            let mut undos = Vec::new();
            for _ in 0..lost {
                maker.change();
                undos.push(server.encode(&maker.namer, &maker.scene()).unwrap().1);
            }
            while let Some(undo) = undos.pop() {
                server.undo(undo);
            }
            prop_assert_eq!(client.digest(), server.digest());
            (0..changes).for_each(|_| maker.change());
            let root = maker.scene();
            let (body, _) = server.encode(&maker.namer, &root).unwrap();
            prop_assert_eq!(client.apply(&maker.namer, &body).map(|root| root.id()), Ok(root.id()));
        }
    }

    /// Bytes that were changed on the way are refused or lead to the same screen; they never lead elsewhere unseen.
    #[test]
    fn changed_bytes_never_panic(seed: u64, at: prop::sample::Index, to: u8) {
        let mut maker = Maker::new(seed);
        let (mut server, mut client) = (ServerTable::new(), ClientTable::new());
        for _ in 0..6 {
            (0..3).for_each(|_| maker.change());
            let (mut body, _) = server.encode(&maker.namer, &maker.scene()).unwrap();
            let at = at.index(body.len());
            body[at] = to;
            if client.apply(&maker.namer, &body).is_err() {
                return Ok(());
            }
        }
    }
}
