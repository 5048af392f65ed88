//! Both ends of a session, around random screens.

#[path = "../../../wire/tests/scenes/mod.rs"]
#[allow(dead_code, reason = "not every test paints")]
mod scenes;

use std::sync::Arc;

use scenes::Maker;
use tresen_scene::*;
use tresen_session::*;
use tresen_wire::*;

pub const LOOK: Look =
    Look { width_px: 96, height_px: 128, scale_100: 100, theme: Theme::Light, language: Language::De };

/// Both ends, with a network that can be held.
pub struct Pair {
    pub maker: Maker,
    pub sender: Sender,
    pub receiver: Receiver,
}

impl Pair {
    pub fn new() -> Self {
        let mut maker = Maker::new(11);
        (0..30).for_each(|_| maker.change());
        let mut sender = Sender::new(maker.namer.clone(), SessionId([1; 16]), 1, 1, [9; 16]);
        sender.show(maker.scene());
        Self { maker, sender, receiver: Receiver::new(LOOK, None) }
    }

    pub fn connected() -> Self {
        let mut pair = Self::new();
        pair.connect(0);
        pair.exchange(0);
        pair
    }

    /// Connects both; returns the size of the hello.
    pub fn connect(&mut self, now_ms: u64) -> usize {
        self.receiver.connect(now_ms);
        let message = self.receiver.poll_transmit(now_ms).expect("a hello");
        let Ok(ToServer::Hello(hello)) = ToServer::decode(&message) else { panic!("a hello comes first") };
        self.sender.connect(now_ms, &hello).expect("a common version");
        message.len()
    }

    /// Everything under way arrives. Returns the bytes to the client and to the server.
    pub fn exchange(&mut self, now_ms: u64) -> (usize, usize) {
        let mut bytes = (0, 0);
        loop {
            let before = bytes;
            bytes.0 += self.down(now_ms);
            while let Some(message) = self.receiver.poll_transmit(now_ms) {
                bytes.1 += message.len();
                self.sender.handle(now_ms, &message).expect("the client is right");
            }
            if bytes == before {
                return bytes;
            }
        }
    }

    /// What the server has to say arrives; returns its bytes.
    pub fn down(&mut self, now_ms: u64) -> usize {
        let mut bytes = 0;
        while let Some(message) = self.sender.poll_transmit(now_ms) {
            bytes += message.len();
            self.receiver.handle(now_ms, &message).expect("the server is right");
        }
        bytes
    }

    pub fn shown(&self) -> ObjectId {
        self.receiver.root().expect("a screen").id()
    }

    pub fn change(&mut self) -> Arc<Node> {
        let before = self.maker.scene().id();
        while self.maker.scene().id() == before {
            self.maker.change();
        }
        self.sender.show(self.maker.scene());
        self.maker.scene()
    }

    pub fn first_tap(&self) -> Input {
        let items = outline(self.receiver.root().expect("a screen"), &ScrollOffsets::default());
        items
            .into_iter()
            .find_map(|item| match item.kind {
                OutlineKind::Touch { action, state } if !state.disabled => Some(Input::Tap(action)),
                _ => None,
            })
            .expect("something to tap")
    }
}
