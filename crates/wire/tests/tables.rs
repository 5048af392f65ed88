//! Promise: a client that follows the frames has what the server shows, also when frames were taken back.

mod scenes;

use std::sync::Arc;

use proptest::prelude::*;
use scenes::Maker;
use tresen_scene::{Color, FaceId, Glyph, Mask, Namer, Node, Op, PlacedGlyph, Point, Rect, Size, TextRun};
use tresen_wire::{Alphabet, ClientTable, ServerTable, limits};

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

/// A node with a mask, a letter and a colour that no other number has.
fn sheet(namer: &Namer, number: u32) -> Arc<Node> {
    let mask = |size: Size| {
        let alpha: Vec<u8> =
            (0..size.w * size.h).map(|at| if at % 7 == 0 { number as u8 } else { 0 }).collect();
        Mask::new(namer, size, &alpha)
    };
    let color = Color::rgb(number);
    let letter = char::from_u32(0x4e00 + number).expect("a letter");
    let text = letter.to_string().into();
    let glyph = Glyph::new(namer, FaceId(31), text, 64, Point::ZERO, mask(Size::new(4, 3)));
    let glyphs = vec![PlacedGlyph { glyph, kern_64: 0 }].into();
    let run = TextRun { baseline: Point::ZERO, color, face: FaceId(31), glyphs };
    let size = Size::new(40, 40);
    Node::new(namer, 0, vec![Op::Mask { at: Point::ZERO, mask: mask(size), color }, Op::Text(run)])
}

/// More masks, letters and colours than there is room for: the client's memory stays within its offer, what is needed is there,
/// what was used last is not sent again, and frames can still be taken back.
#[test]
fn memory_stays_within_the_offer() {
    let mut guessing = ServerTable::new();
    guessing.expect_guesses();
    let most = most_bytes_of_2600_sheets(guessing);
    let offer = u64::from(limits::TABLE_KIB.0) * 1024;
    assert!(most <= offer && most > offer / 2, "{most} of {offer}");
    let less = most_bytes_of_2600_sheets(ServerTable::new());
    assert!(less < most, "without guesses fewer slots are used: {less} of {most}");
}

fn most_bytes_of_2600_sheets(mut server: ServerTable) -> u64 {
    let (namer, mut client) = (Namer::new(scenes::KEY), ClientTable::new());
    server.set_budget(limits::TABLE_KIB.0);
    let mut most = 0;
    for number in 0..2600_u32 {
        let lost = sheet(&namer, (number + 1300) % 2600);
        let (_, undo) = server.encode(&namer, &lost).expect("it fits");
        server.undo(undo);
        let root = sheet(&namer, number);
        let (body, _) = server.encode(&namer, &root).expect("it fits");
        assert_eq!(client.apply(&namer, &body).map(|root| root.id()), Ok(root.id()), "{number}");
        assert_eq!(client.digest(), server.digest());
        most = most.max(client.bytes());
        let (again, _) = server.encode(&namer, &root).expect("it fits");
        client.apply(&namer, &again).expect("it follows");
        assert!(again.len() <= 6, "{} bytes for what is there", again.len());
    }
    most
}

/// Promise: what stands still on a screen all evening is there when it changes: a tile among others costs a patch, however much came and went beside it.
#[test]
fn what_stands_still_is_not_sent_again() {
    let namer = Namer::new(scenes::KEY);
    let (mut server, mut client) = (ServerTable::new(), ClientTable::new());
    let child = |node: Arc<Node>| Op::Child { at: Point::ZERO, node };
    let fill = |color: u32| Op::Fill { rect: Rect::new(0, 0, 9, 9), color: Color::rgb(color) };
    let tile = |number: u32, shade: u32| {
        let look = (0..8).map(|at| fill(if at == 3 { shade } else { number * 8 + at }));
        Node::new(&namer, 100 + u64::from(number), look.collect())
    };
    let grid = |shade: u32| {
        let tiles = (0..40).map(|number| child(tile(number, if number == 17 { shade } else { number })));
        Node::new(&namer, 2, tiles.collect())
    };
    let mut show = |grid: Arc<Node>, number: u32| {
        let come_and_go = (0..4).map(|other| child(Node::new(&namer, 0, vec![fill(number * 4 + other)])));
        let root = Node::new(&namer, 1, [child(grid)].into_iter().chain(come_and_go).collect());
        let (body, _) = server.encode(&namer, &root).expect("it fits");
        assert_eq!(client.apply(&namer, &body).map(|root| root.id()), Ok(root.id()), "{number}");
        body.len()
    };
    let standing = grid(1);
    for number in 0..3_000 {
        show(standing.clone(), number);
    }
    let bytes = show(grid(2), 3_000);
    assert!(bytes < 120, "{bytes} B for a tile that has changed");
}

/// Promise: a screen that is too large to be sent leaves the table as it was: the next one needs nothing again.
#[test]
fn what_is_too_large_changes_nothing() {
    let mut maker = Maker::new(3);
    (0..20).for_each(|_| maker.change());
    let (mut server, mut client) = (ServerTable::new(), ClientTable::new());
    let (body, _) = server.encode(&maker.namer, &maker.scene()).unwrap();
    client.apply(&maker.namer, &body).unwrap();
    // Something new that fits comes first, so that the table is changed before the limit is met.
    let fresh = Node::new(&maker.namer, 1, vec![Op::Child { at: Point::ZERO, node: sheet(&maker.namer, 7) }]);
    let many: Vec<_> = (0..limits::FRAME_OBJECTS as u32)
        .map(|number| {
            let fill = Op::Fill { rect: Rect::new(0, 0, 1, 1), color: Color::rgb(number) };
            Op::Child { at: Point::ZERO, node: Node::new(&maker.namer, 0, vec![fill]) }
        })
        .collect();
    let sheets = many.chunks(2_000).map(|ops| Node::new(&maker.namer, 2, ops.to_vec()));
    let ops = std::iter::once(fresh).chain(sheets).map(|node| Op::Child { at: Point::ZERO, node }).collect();
    assert!(server.encode(&maker.namer, &Node::new(&maker.namer, 0, ops)).is_err());
    assert_eq!(client.digest(), server.digest());
    maker.change();
    let root = maker.scene();
    let (body, _) = server.encode(&maker.namer, &root).unwrap();
    assert_eq!(client.apply(&maker.namer, &body).map(|root| root.id()), Ok(root.id()));
}

/// A node with these letters of one face.
fn letters(namer: &Namer, codes: impl Iterator<Item = u32>) -> Arc<Node> {
    let glyphs: Vec<PlacedGlyph> = codes
        .map(|code| {
            let letter = char::from_u32(0x4e00 + code).expect("a letter");
            let mask = Mask::new(namer, Size::new(4, 3), &[17 * (code % 16) as u8; 12]);
            let glyph = Glyph::new(namer, FaceId(31), letter.to_string().into(), 64, Point::ZERO, mask);
            PlacedGlyph { glyph, kern_64: 0 }
        })
        .collect();
    let runs = glyphs.chunks(100).map(|glyphs| {
        let (color, glyphs) = (Color::rgb(0), glyphs.to_vec().into());
        Op::Text(TextRun { baseline: Point::ZERO, color, face: FaceId(31), glyphs })
    });
    Node::new(namer, 0, runs.collect())
}

fn sharing(alphabet: &Arc<Alphabet>) -> ServerTable {
    let mut server = ServerTable::new();
    server.share(alphabet.clone());
    server
}

/// Promise: frames are taken back across the moment in which a session begins to mirror a bank by itself.
#[test]
fn frames_are_taken_back_across_the_switch() {
    let (namer, alphabet) = (Namer::new(scenes::KEY), Arc::new(Alphabet::default()));
    let (mut server, mut client) = (sharing(&alphabet), ClientTable::new());
    let follow = |server: &mut ServerTable, codes: std::ops::Range<u32>| {
        let root = letters(&namer, codes);
        let (body, undo) = server.encode(&namer, &root).expect("it fits");
        (undo, move |client: &mut ClientTable, namer: &Namer| {
            assert_eq!(client.apply(namer, &body).map(|shown| shown.id()), Ok(root.id()));
        })
    };
    let (_, arrives) = follow(&mut server, 0..200);
    arrives(&mut client, &namer);
    let (first, _) = follow(&mut server, 200..240);
    // This one brings up more letters than a session may.
    let (second, _) = follow(&mut server, 240..420);
    let (third, _) = follow(&mut server, 420..900);
    [third, second, first].into_iter().for_each(|undo| server.undo(undo));
    assert_eq!(client.digest(), server.digest());
    for codes in [150..260, 240..420, 0..200, 100..900] {
        let (_, arrives) = follow(&mut server, codes);
        arrives(&mut client, &namer);
        assert_eq!(client.digest(), server.digest());
    }
}

/// Promise: a session that is full goes on, within the memory that its client offers, in the frame in which it begins to mirror a bank by itself.
#[test]
fn a_full_session_begins_to_mirror_a_bank() {
    let (namer, alphabet) = (Namer::new(scenes::KEY), Arc::new(Alphabet::default()));
    let (mut server, mut client) = (sharing(&alphabet), ClientTable::new());
    let offer_kib = limits::TABLE_KIB.0;
    server.set_budget(offer_kib);
    let pictures = |from: u32, count: u32| {
        let masks = (from..from + count).map(|number| {
            let alpha: Vec<u8> =
                (0..64 * 64).map(|at| if at % 97 == number % 97 { number as u8 } else { 0 }).collect();
            let mask = Mask::new(&namer, Size::new(64, 64), &alpha);
            Op::Mask { at: Point::new(number as i32, 0), mask, color: Color::rgb(number) }
        });
        Node::new(&namer, 0, masks.collect())
    };
    let child = |node: Arc<Node>| Op::Child { at: Point::ZERO, node };
    for frame in 0..40 {
        // The letters come last, when what was not used has made room for the pictures.
        let codes = if frame < 30 { 0..40 } else { frame * 30..frame * 30 + 300 };
        let root = Node::new(&namer, 0, vec![child(pictures(frame * 90, 90)), child(letters(&namer, codes))]);
        let (body, _) = server.encode(&namer, &root).expect("it fits");
        assert_eq!(client.apply(&namer, &body).map(|shown| shown.id()), Ok(root.id()), "frame {frame}");
        assert_eq!(client.digest(), server.digest());
        assert!(client.bytes() <= u64::from(offer_kib) * 1024, "{} bytes in frame {frame}", client.bytes());
    }
}

/// Promise: sessions that share an alphabet share the slots of its letters and nothing else: each is sent what it has not got, frames can be taken back, and a
/// house with more letters than a bank has slots goes on, whoever brought them up.
#[test]
fn an_alphabet_is_shared() {
    let (namer, alphabet) = (Namer::new(scenes::KEY), Arc::new(Alphabet::default()));
    let mut sessions: Vec<_> = (0..6).map(|_| (sharing(&alphabet), ClientTable::new())).collect();
    let mut show = |session: usize, codes: std::ops::Range<u32>| {
        let (server, client) = &mut sessions[session];
        let lost = letters(&namer, codes.start + 7..codes.end + 7);
        let (_, undo) = server.encode(&namer, &lost).expect("it fits");
        server.undo(undo);
        let root = letters(&namer, codes);
        let (body, _) = server.encode(&namer, &root).expect("it fits");
        assert_eq!(client.apply(&namer, &body).map(|root| root.id()), Ok(root.id()));
        assert_eq!(client.digest(), server.digest());
        body.len()
    };
    let first = show(0, 0..60);
    // Another one is sent the same letters, though they have their slots already; and in another order, which costs it seeks.
    assert_eq!(show(1, 0..60), first);
    assert!(show(2, 30..60) < first);
    assert!(show(2, 0..60) < first);
    // More letters than one may bring up, and than there are slots. Who has them all goes on, and so does who has few.
    for from in (60..1_500).step_by(60) {
        show(from as usize / 60 % 5 + 1, from..from + 60);
        show(0, from..from + 60);
        show(0, 0..60);
    }
    show(1, 1_400..1_460);
    let again = show(1, 1_400..1_450);
    assert!(again < first / 4, "{again} bytes for letters that are there");
    show(2, 0..900);
    show(2, 1_480..1_500);
    show(2, 0..900);
}
