//! Both ends of a session around the small till.

use std::sync::Arc;

use tresen_scene::{Namer, Node, ObjectId};
use tresen_session::{limits, *};
use tresen_wire::*;

use super::{LOOK, Till, taps};

/// Both ends, with a network that can be held, and a till that does what is tapped when it is told to.
pub struct Pair {
    pub namer: Namer,
    pub till: Till,
    pub sender: Sender,
    pub receiver: Receiver,
    /// Inputs that were handed to the till.
    pub heard: Vec<(u64, Input)>,
}

impl Pair {
    pub fn new() -> Self {
        let namer = Namer::new([5; 32]);
        let till = Till(77);
        let mut sender = Sender::new(namer.clone(), SessionId([1; 16]), 1, 1, [9; 16]);
        sender.show(till.view(&namer));
        let mut receiver = Receiver::new(LOOK, None);
        receiver.set_guesses(limits::GUESSES_KEPT as u16);
        let mut pair = Self { namer, till, sender, receiver, heard: Vec::new() };
        pair.connect(0);
        pair.exchange(0);
        pair
    }

    pub fn connect(&mut self, now_ms: u64) {
        self.receiver.connect(now_ms);
        let hello = self.receiver.poll_transmit(now_ms).expect("a hello");
        let Ok(ToServer::Hello(hello)) = ToServer::decode(&hello) else { panic!("a hello comes first") };
        self.sender.connect(now_ms, &hello).expect("a common version");
    }

    pub fn down(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        let messages: Vec<_> = std::iter::from_fn(|| self.sender.poll_transmit(now_ms)).collect();
        for message in &messages {
            self.receiver.handle(now_ms, message).expect("the server is right");
        }
        messages
    }

    pub fn up(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        let messages: Vec<_> = std::iter::from_fn(|| self.receiver.poll_transmit(now_ms)).collect();
        for message in &messages {
            let event = self.sender.handle(now_ms, message).expect("the client is right");
            if let Some(SenderEvent::Input { number, input }) = event {
                self.heard.push((number, input));
            }
        }
        messages
    }

    /// A colleague does two things; their frames arrive after so long, and are acknowledged. Returns the time then.
    pub fn two_frames(&mut self, now_ms: u64, rtt_ms: u64) -> u64 {
        let mut messages = Vec::new();
        for _ in 0..2 {
            self.till.colleague(1);
            self.sender.show(self.till.view(&self.namer));
            messages.extend(self.sender.poll_transmit(now_ms));
        }
        for message in messages {
            self.receiver.handle(now_ms + rtt_ms, &message).expect("the server is right");
        }
        self.up(now_ms + rtt_ms);
        now_ms + rtt_ms
    }

    pub fn exchange(&mut self, now_ms: u64) {
        while !self.down(now_ms).is_empty() || !self.up(now_ms).is_empty() {}
    }

    /// The till does what it heard, and shows it.
    pub fn work(&mut self) {
        for (number, input) in std::mem::take(&mut self.heard) {
            self.till.apply(&input);
            self.sender.show_as_of(self.till.view(&self.namer), number);
            self.sender.acknowledge_input(number);
        }
    }

    /// What will be shown after `taps` from here.
    pub fn after(&self, taps: &[&Input]) -> Arc<Node> {
        let mut till = self.till;
        taps.iter().for_each(|input| till.apply(input));
        till.view(&self.namer)
    }

    /// Sends what each of these taps will lead to, one after the other.
    pub fn guess(&mut self, path: &[&Input]) {
        for done in 0..path.len() {
            let base = self.after(&path[..done]).id();
            let root = self.after(&path[..=done]);
            self.sender.guess(1, &Foresight::answer(base, path[done], &root), usize::MAX).expect("a guess");
        }
        self.exchange(1);
    }

    pub fn tap(&mut self, index: usize) -> Input {
        taps(self.receiver.root().expect("a screen")).swap_remove(index)
    }

    pub fn shown(&self) -> ObjectId {
        self.receiver.root().expect("a screen").id()
    }
}
