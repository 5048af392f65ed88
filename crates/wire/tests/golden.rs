//! Promise: the bytes on the wire don't change unseen. `TRESEN_RENEW=1 cargo test -p tresen-wire` renews `golden.txt`.

mod scenes;

use std::fmt::Write;

use scenes::Maker;
use tresen_scene::{Action, Namer, Node, Point, Rect, Size};
use tresen_scene::{Color, Op, Photo, Role, Sprite, Touch, TouchState};
use tresen_wire::*;

const LOOK: Look =
    Look { width_px: 720, height_px: 1280, scale_100: 200, theme: Theme::Dark, language: Language::En };

fn to_server() -> Vec<(&'static str, ToServer)> {
    let hello = Hello { versions: (1, 3), table_kib: 32_768, look: LOOK, have: None, guesses: 0 };
    let have = Have {
        session: SessionId([0xaa; 16]),
        epoch: 5,
        digest: [0xbb; 16],
        first_open_input: 301,
        open_inputs: 3,
    };
    let input = |number, input| ToServer::Input { number, input };
    let guessed =
        |number, input| ToServer::GuessedInput { number, shown: RootTag([0xd0, 0xd1, 0xd2, 0xd3]), input };
    vec![
        ("hello", ToServer::Hello(hello)),
        ("hello again", ToServer::Hello(Hello { have: Some(have), ..hello })),
        ("hello with guesses", ToServer::Hello(Hello { guesses: 200, ..hello })),
        ("tap", input(1, Input::Tap(Action::new(&[1, 2, 3])))),
        ("hold", input(300, Input::Hold(Action::new(b"")))),
        ("text", input(302, Input::Text { action: Action::new(b"f"), text: "Süß".into() })),
        ("scan", input(303, Input::Scan("4006381333931".into()))),
        ("key back", input(304, Input::Key(Key::Back))),
        ("key 7", input(305, Input::Key(Key::Digit(7)))),
        ("key F12", input(306, Input::Key(Key::Function(12)))),
        ("key ä", input(307, Input::Key(Key::Character('ä')))),
        ("guessed tap", guessed(308, Input::Tap(Action::new(&[1, 2, 3])))),
        ("guessed key", guessed(309, Input::Key(Key::Digit(7)))),
        ("frame ack", ToServer::FrameAck { sequence: 63, waited_ms: 400 }),
        ("nak", ToServer::Nak),
        ("look", ToServer::Look(LOOK)),
        ("ping", ToServer::Ping { number: 9 }),
        ("pong", ToServer::Pong { number: 9 }),
        ("bye", ToServer::Bye(CloseCode::Normal)),
    ]
}

fn to_client() -> Vec<(&'static str, ToClient<'static>)> {
    let welcome = Welcome {
        version: 1,
        session: SessionId([0xaa; 16]),
        epoch: 5,
        name_key: [0xcc; 32],
        resumed: true,
        acknowledged: 300,
        received: 302,
    };
    let frame =
        Frame { fresh: false, sequence: 5, input_ack: None, applied: None, body: &[0, 7, 0x12, 0x34] };
    let guess = Guess {
        kind: GuessKind::Answer,
        sequence: 6,
        base: RootTag([0xd0, 0xd1, 0xd2, 0xd3]),
        input: Input::Tap(Action::new(&[1, 2, 3])),
        body: &[0, 7, 0x12, 0x34],
    };
    vec![
        ("welcome", ToClient::Welcome(welcome)),
        ("frame", ToClient::Frame(frame)),
        ("frame with ack", ToClient::Frame(Frame { input_ack: Some(44), ..frame })),
        ("fresh frame", ToClient::Frame(Frame { fresh: true, ..frame })),
        ("applied frame", ToClient::Frame(Frame { applied: Some(45), ..frame })),
        ("fresh applied frame", ToClient::Frame(Frame { fresh: true, applied: Some(45), ..frame })),
        (
            "confirmation",
            ToClient::Frame(Frame { applied: Some(45), input_ack: Some(45), body: &[], ..frame }),
        ),
        ("guess", ToClient::Guess(guess.clone())),
        ("pending guess", ToClient::Guess(Guess { kind: GuessKind::Pending, ..guess })),
        ("input ack", ToClient::InputAck { low: 44 }),
        ("resend", ToClient::Resend { low: 45 }),
        ("ping", ToClient::Ping { number: 255 }),
        ("pong", ToClient::Pong { number: 0 }),
        ("bye", ToClient::Bye { code: CloseCode::Revoked, text: "Gerät gesperrt".into() }),
    ]
}

/// A short walk through screens, so that every command and most ops occur.
fn frames() -> Vec<(String, Vec<u8>)> {
    let mut maker = Maker::new(3);
    let mut table = ServerTable::new();
    let mut frames = Vec::new();
    for step in 0..8 {
        (0..2).for_each(|_| maker.change());
        let (body, _) = table.encode(&maker.namer, &maker.scene()).expect("a small screen");
        frames.push((format!("body {step}"), body));
    }
    frames
}

/// One key with a picture, whole and then changed.
fn key_frames() -> Vec<(String, Vec<u8>)> {
    let namer = Namer::new([1; 32]);
    let rgba: Vec<u8> = (0..16 * 4).map(|at: u32| if at % 4 == 3 { 255 } else { (at * 5) as u8 }).collect();
    let key = |name: &str, color| {
        let rect = Rect::new(8, 16, 232, 164);
        Node::new(
            &namer,
            1,
            vec![
                Op::Fill { rect, color: Color::rgb(color) },
                Op::Sprite { at: Point::new(10, 20), sprite: Sprite::new(&namer, Size::new(4, 4), &rgba) },
                Op::from(Touch {
                    rect,
                    action: Action::new(&[7]),
                    hold: None,
                    role: Role::Key,
                    label: Some(name.into()),
                    state: TouchState::default(),
                    pressed: None,
                }),
            ],
        )
    };
    let mut table = ServerTable::new();
    [
        ("key", key("7", 0xff_ffff)),
        ("key changed", key("7", 0xdb_eafe)),
        ("key as before", key("7", 0xff_ffff)),
    ]
    .into_iter()
    .map(|(name, root)| (name.to_owned(), table.encode(&namer, &root).expect("a small screen").0))
    .collect()
}

/// A photo with a round corner, as its waves.
fn photo_frame() -> (String, Vec<u8>) {
    let namer = Namer::new([1; 32]);
    let pixel = |at: u32| [(at * 3) as u8, (at / 20 * 12) as u8, 200, if at < 2 { 90 } else { 255 }];
    let rgba: Vec<u8> = (0..20 * 12).flat_map(pixel).collect();
    let sprite = Sprite::of_photo(&namer, Photo::of(Size::new(20, 12), &rgba, 8));
    let root = Node::new(&namer, 1, vec![Op::Sprite { at: Point::new(3, 4), sprite }]);
    ("photo".to_owned(), ServerTable::new().encode(&namer, &root).expect("a small screen").0)
}

fn line(text: &mut String, kind: &str, name: &str, bytes: &[u8]) {
    write!(text, "{kind} {name}:").expect("a string takes all");
    for (at, byte) in bytes.iter().enumerate() {
        let space = if at.is_multiple_of(4) { " " } else { "" };
        write!(text, "{space}{byte:02x}").expect("a string takes all");
    }
    text.push('\n');
}

#[test]
fn bytes_are_as_they_were() {
    let mut text = String::new();
    for (name, message) in to_server() {
        line(&mut text, "to server,", name, &message.encode());
    }
    for (name, message) in to_client() {
        line(&mut text, "to client,", name, &message.encode());
    }
    for (name, body) in key_frames().into_iter().chain(frames()).chain([photo_frame()]) {
        line(&mut text, "frame,", &name, &body);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden.txt");
    #[allow(clippy::disallowed_methods, reason = "a person asks to renew the golden file")]
    if std::env::var_os("TRESEN_RENEW").is_some() {
        std::fs::write(path, &text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(path).expect("the golden file is there");
    for (is, was) in text.lines().zip(golden.lines()) {
        assert_eq!(is, was);
    }
    assert_eq!(text.lines().count(), golden.lines().count());
}

#[test]
fn messages_come_back() {
    for (name, message) in to_server() {
        assert_eq!(ToServer::decode(&message.encode()).as_ref(), Ok(&message), "{name}");
    }
    for (name, message) in to_client() {
        assert_eq!(ToClient::decode(&message.encode()).as_ref(), Ok(&message), "{name}");
    }
}

/// Every start of a message is refused, and so is anything after its end; a hello alone may grow, for later versions: without what
/// was added to it, it is one that offers less.
#[test]
fn messages_end_where_they_end() {
    for (name, message) in to_server() {
        let bytes = message.encode();
        let least = match message {
            ToServer::Hello(hello) => ToServer::Hello(Hello { guesses: 0, ..hello }).encode().len(),
            _ => bytes.len(),
        };
        for end in (0..bytes.len()).filter(|end| *end != least) {
            assert!(ToServer::decode(&bytes[..end]).is_err(), "{name} {end}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(ToServer::decode(&longer).is_ok(), matches!(message, ToServer::Hello(_)), "{name}");
    }
    for (name, message) in to_client() {
        let bytes = message.encode();
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(
            ToClient::decode(&longer).is_ok(),
            matches!(message, ToClient::Frame(_) | ToClient::Guess(_)),
            "{name}"
        );
    }
}

/// Promise: a hello may be made longer with zeros, so that a server may answer an address that it does not know with more.
#[test]
fn zeros_at_the_end_of_a_hello_add_nothing() {
    for (name, message) in to_server() {
        if matches!(message, ToServer::Hello(_)) {
            let mut padded = message.encode();
            padded.resize(limits::HELLO_PADDED_BYTES, 0);
            assert_eq!(ToServer::decode(&padded).as_ref(), Ok(&message), "{name}");
        }
    }
}

/// What is beyond a limit is refused before it is looked at.
#[test]
fn what_is_too_large_is_refused() {
    let scan = |length| ToServer::Input { number: 1, input: Input::Scan("x".repeat(length).into()) };
    assert!(ToServer::decode(&scan(limits::INPUT_TEXT_BYTES).encode()).is_ok());
    let mut cut = scan(limits::INPUT_TEXT_BYTES + 1);
    cut = ToServer::decode(&cut.encode()).expect("an encoder cuts what is too long");
    assert_eq!(cut, scan(limits::INPUT_TEXT_BYTES));
    assert_eq!(
        ToServer::decode(&vec![2; limits::TO_SERVER_BYTES + 1]),
        Err(DecodeError::TooLarge("TO_SERVER_BYTES"))
    );
    assert_eq!(
        ToClient::decode(&vec![0x80; limits::TO_CLIENT_BYTES + 1]),
        Err(DecodeError::TooLarge("TO_CLIENT_BYTES"))
    );
    let none = ToServer::Input { number: 0, input: Input::Key(Key::Enter) };
    assert_eq!(ToServer::decode(&none.encode()), Err(DecodeError::OutOfRange("input number")));
    let offer = ToServer::Hello(Hello {
        versions: (1, 1),
        table_kib: 4096,
        look: LOOK,
        have: None,
        guesses: limits::GUESSES + 1,
    });
    let taken = ToServer::decode(&offer.encode()).expect("an offer may be larger than what is taken");
    assert!(matches!(taken, ToServer::Hello(Hello { guesses: limits::GUESSES, .. })));
    let guess = |input, length| {
        let body = vec![0; length];
        let guess = Guess { kind: GuessKind::Answer, sequence: 1, base: RootTag([0; 4]), input, body: &body };
        ToClient::decode(&ToClient::Guess(guess).encode()).map(|_| ())
    };
    assert_eq!(guess(Input::Key(Key::Enter), limits::GUESS_BYTES), Ok(()));
    assert_eq!(
        guess(Input::Key(Key::Enter), limits::GUESS_BYTES + 1),
        Err(DecodeError::TooLarge("GUESS_BYTES"))
    );
    assert_eq!(guess(Input::Scan("1".into()), 4), Err(DecodeError::OutOfRange("input of a guess")));
    let small = Look { width_px: limits::SCREEN_SIDE_PX.0 - 1, ..LOOK };
    assert_eq!(
        ToServer::decode(&ToServer::Look(small).encode()),
        Err(DecodeError::OutOfRange("screen width"))
    );
}

/// Promise: what was the place of a list up to version 4 is nothing now, and never something else.
#[test]
fn the_place_of_a_list_is_refused() {
    let tap = ToServer::Input { number: 1, input: Input::Tap(Action::new(b"l")) }.encode();
    let kind = tap.iter().rposition(|&byte| byte == 0).expect("a tap is kind 0");
    let mut scrolled = tap;
    scrolled[kind] = 2;
    scrolled.push(9);
    assert_eq!(ToServer::decode(&scrolled), Err(DecodeError::Unknown { what: "input", value: 2 }));
}

/// A few bytes that claim to be much: refused without much memory.
#[test]
fn a_small_frame_holds_no_large_picture() {
    let namer = Namer::new([1; 32]);
    let apply = |body: &[u8]| ClientTable::new().apply(&namer, body).map(|_| ());
    // A mask of 4096 x 4096 pixels in four coded bytes.
    assert_eq!(
        apply(&[3, 0x80, 0x20, 0x80, 0x20, 4, 0, 0, 0, 0, 0, 0, 0, 0]),
        Err(DecodeError::TooLarge("PIXELS_PER_BYTE"))
    );
    // A node of 4096 ops in three bytes.
    assert_eq!(apply(&[0xf1, 0xf1, 0x1f]), Err(DecodeError::Truncated));
    // A node in a slot that was never filled.
    assert_eq!(apply(&[0, 5, 0, 0]), Err(DecodeError::Missing("a node")));
    // A node of 2000 fills, and then the same again and again in two bytes each.
    let mut body = vec![0xf1, 0xc1, 0x0f, 0x00, 127, 1, 2, 3, 255];
    body.extend([0, 0].repeat(1999));
    (0..1000).for_each(|_| body.extend([0x02, 0]));
    assert_eq!(apply(&body), Err(DecodeError::TooLarge("FRAME_OPS")));
}
