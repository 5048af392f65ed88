//! What goes over the wire of a session.

use std::sync::Arc;
use tresen_scene::{
    Action, Canvas, Color, FaceId, Glyph, Insets, Mask, Namer, Node, Op, PlacedGlyph, Point, Rect, Role,
    Scroll, ScrollOffsets, Size, Sprite, TextRun, Touch, TouchState, damage, hit_test, outline,
};
use tresen_session::{Foresight, Receiver, Sender};
use tresen_wire::{
    ClientTable, Hello, Input, Key, Language, Look, ServerTable, SessionId, Theme, ToClient, ToServer, limits,
};

use crate::Numbers;

const SIZE: Size = Size::new(80, 64);
const LOOK: Look =
    Look { width_px: 80, height_px: 64, scale_100: 100, theme: Theme::Light, language: Language::De };

fn namer() -> Namer {
    Namer::new([9; 32])
}

/// A screen with every kind of op but few pixels; `number` tells one from another.
fn screen(number: u8) -> Arc<Node> {
    let namer = namer();
    let mask = Mask::new(&namer, Size::new(4, 4), &[number; 16]);
    let sprite = Sprite::new(&namer, Size::new(2, 2), &[number; 16]);
    let glyph = Glyph::new(&namer, FaceId(1), "a".into(), 300, Point::new(0, -4), mask.clone());
    let rect = Rect::new(i32::from(number % 8), 2, 30, 20);
    let color = Color::rgb(u32::from(number % 5) * 0x11_2233);
    let glyphs = vec![PlacedGlyph { glyph, kern_64: i32::from(number) }; usize::from(number % 7)];
    let text = TextRun { baseline: Point::new(3, 9), color, face: FaceId(1), glyphs: glyphs.into() };
    let inner = Node::new(
        &namer,
        1,
        vec![
            Op::Fill { rect, color },
            Op::NinePatch { rect, mask: mask.clone(), insets: Insets::all(1), color },
            Op::Mask { at: Point::new(1, 1), mask, color: color.with_alpha(number) },
            Op::Sprite { at: Point::new(30, 1), sprite },
            Op::Text(text),
        ],
    );
    let touch = Touch {
        rect,
        action: Action::new(b"touch"),
        hold: Some(Action::new(&[number])),
        role: Role::Button,
        label: Some("touch".into()),
        state: TouchState::default(),
        pressed: Some(inner.clone()),
    };
    let scroll =
        Scroll { rect, action: Action::new(b"list"), content: inner.clone(), content_h: 99, offset: 3 };
    Node::new(
        &namer,
        2,
        vec![
            Op::Fill { rect: Rect::of_size(SIZE), color: Color::rgb(0xffffff) },
            Op::Child { at: Point::new(0, i32::from(number % 3)), node: inner.clone() },
            Op::Clip { rect, at: Point::new(1, 1), node: inner },
            Op::Scroll(scroll),
            Op::from(touch),
        ],
    )
}

/// Both tables after a few frames.
fn tables() -> (ServerTable, ClientTable) {
    let (mut server, mut client) = (ServerTable::new(), ClientTable::new());
    for number in 0..4 {
        let (body, _) = server.encode(&namer(), &screen(number)).expect("a small screen");
        client.apply(&namer(), &body).expect("a good frame");
    }
    (server, client)
}

/// Everything that a client does with a screen.
fn use_screen(root: &Arc<Node>) {
    let scrolls = ScrollOffsets::default();
    let area = Rect::of_size(SIZE);
    let rects = damage(Some(&screen(0)), root, area, &scrolls);
    // A hostile screen may take long to paint, but must not break the painter.
    if root.weight() < 2000 {
        Canvas::new(SIZE).paint(root, &rects, &scrolls, None);
        let _ = outline(root, &scrolls);
        let _ = hit_test(root, Point::new(10, 10), &scrolls);
    }
}

/// A message to a server: what can be read is written as it was.
pub fn to_server(bytes: &[u8]) {
    if let Ok(message) = ToServer::decode(bytes) {
        let again = message.encode();
        assert_eq!(ToServer::decode(&again).as_ref(), Ok(&message));
        assert!(again == bytes || matches!(message, ToServer::Hello(_) | ToServer::Bye(_)));
    }
}

/// A message to a client: what can be read is written as it was.
pub fn to_client(bytes: &[u8]) {
    if let Ok(message) = ToClient::decode(bytes) {
        let again = message.encode();
        assert_eq!(ToClient::decode(&again).as_ref(), Ok(&message));
        assert!(again == bytes || matches!(message, ToClient::Bye { .. }));
    }
}

/// The body of a frame, after some good ones.
pub fn frame(bytes: &[u8]) {
    if let Ok(root) = tables().1.apply(&namer(), bytes) {
        use_screen(&root);
    }
}

/// A good frame, patches and all, in which bytes were changed, put in or left out.
pub fn changed_frame(bytes: &[u8]) {
    let mut numbers = Numbers(bytes.iter());
    let (mut server, mut client) = tables();
    while !numbers.is_empty() {
        let (mut body, _) = server.encode(&namer(), &screen(numbers.byte())).expect("a small screen");
        for _ in 0..numbers.below(4) {
            let at = numbers.below(body.len());
            match numbers.byte() % 3 {
                0 => body[at] = numbers.byte(),
                1 => body.insert(at, numbers.byte()),
                _ => drop(body.remove(at)),
            }
        }
        match client.apply(&namer(), &body) {
            Ok(root) => use_screen(&root),
            Err(_) => return,
        }
    }
}

/// Messages from `bytes`, each with its length in a byte before it.
fn messages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut numbers = Numbers(bytes.iter());
    let mut messages = Vec::new();
    while !numbers.is_empty() {
        let length = usize::from(numbers.byte() % 64);
        messages.push((0..length).map(|_| numbers.byte()).collect());
    }
    messages
}

fn sender_and_receiver() -> (Sender, Receiver) {
    let mut sender = Sender::new(namer(), SessionId([1; 16]), 1, 1, [9; 16]);
    sender.show(screen(1));
    let mut receiver = Receiver::new(LOOK, None);
    receiver.set_guesses(8);
    (sender, receiver)
}

/// The server guesses what Enter and a tap will show, when it may.
fn guess(sender: &mut Sender, now_ms: u64, number: u8) {
    let Some(base) = sender.root().map(|root| root.id()) else { return };
    for input in [Input::Key(Key::Enter), Input::Tap(Action::new(b"touch"))] {
        let root = screen(number.wrapping_add(1));
        let _ = sender.guess(now_ms, &Foresight::answer(base, &input, &root), 1_000);
    }
}

/// A client that is sent anything, between good messages and guesses.
pub fn receiver(bytes: &[u8]) {
    let (mut sender, mut receiver) = sender_and_receiver();
    let mut now_ms = 0;
    receiver.connect(now_ms);
    let hello = Hello { versions: limits::VERSIONS, table_kib: 1024, look: LOOK, have: None, guesses: 8 };
    for (number, message) in (0..).zip(messages(bytes)) {
        now_ms += 700;
        let _ = receiver.input(now_ms, Input::Key(Key::Enter));
        if receiver.handle(now_ms, &message).is_err() || receiver.handle_timeout(now_ms).is_err() {
            receiver.connect(now_ms);
            sender.connect(now_ms, &hello).expect("a good hello");
        }
        sender.show(screen(number / 2));
        guess(&mut sender, now_ms, number);
        while let Some(message) = sender.poll_transmit(now_ms) {
            let _ = receiver.handle(now_ms, &message);
        }
        let said: Vec<Vec<u8>> = std::iter::from_fn(|| receiver.poll_transmit(now_ms)).collect();
        assert!(said.len() <= tresen_session::limits::OUTBOX + limits::INPUTS_OPEN as usize);
        said.iter().for_each(|message| drop(sender.handle(now_ms, message)));
        if let Some(root) = receiver.root() {
            use_screen(root);
        }
    }
}

/// A server that is sent anything, between good messages.
pub fn sender(bytes: &[u8]) {
    let (mut sender, mut receiver) = sender_and_receiver();
    let mut now_ms = 0;
    for (number, message) in (0..).zip(messages(bytes)) {
        now_ms += 700;
        if !sender.is_connected() {
            receiver.connect(now_ms);
            let Some(Ok(ToServer::Hello(hello))) =
                receiver.poll_transmit(now_ms).map(|bytes| ToServer::decode(&bytes))
            else {
                panic!("a receiver begins with a hello");
            };
            sender.connect(now_ms, &hello).expect("a good hello");
        }
        sender.show(screen(number));
        if sender.handle(now_ms, &message).is_err() || sender.handle_timeout(now_ms).is_err() {
            sender.disconnect(now_ms);
            continue;
        }
        guess(&mut sender, now_ms, number);
        while let Some(message) = sender.poll_transmit(now_ms) {
            receiver.handle(now_ms, &message).expect("a server is right, whatever it is sent");
        }
        let _ = receiver.input(now_ms, Input::Key(Key::Enter));
        while let Some(message) = receiver.poll_transmit(now_ms) {
            if sender.handle(now_ms, &message).is_err() {
                sender.disconnect(now_ms);
            }
        }
    }
}
