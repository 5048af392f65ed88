//! A server and a client in memory, with a network between them that does what a test says.

use std::collections::VecDeque;

use tresen_scene::*;
use tresen_session::*;
use tresen_wire::*;

use crate::scenes::{Maker, SIZE, painted};

/// What happens to what is under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    None,
    Drop,
    Repeat,
    Swap,
    Corrupt,
    Break,
    Restart,
}

const LOOK: Look =
    Look { width_px: 96, height_px: 128, scale_100: 100, theme: Theme::Light, language: Language::De };
const SESSION: SessionId = SessionId([3; 16]);

/// Both ends, the app behind the server, and the person before the client.
pub struct World {
    now_ms: u64,
    maker: Maker,
    sender: Sender,
    receiver: Receiver,
    connected: bool,
    to_server: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    epoch: u64,
    /// What is on disk: inputs in order of their effect.
    disk: Vec<(u64, Input)>,
    /// Handed to the app, but not on disk.
    pending: VecDeque<(u64, Input)>,
    entered: Vec<(u64, Input)>,
    canvas: Canvas,
    canvas_root: Option<std::sync::Arc<Node>>,
    pub peer_errors: usize,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let maker = Maker::new(seed);
        let mut sender = Sender::new(maker.namer.clone(), SESSION, 1, 1);
        sender.show(maker.scene());
        Self {
            now_ms: 1_000,
            maker,
            sender,
            receiver: Receiver::new(LOOK, None),
            connected: false,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            epoch: 1,
            disk: Vec::new(),
            pending: VecDeque::new(),
            entered: Vec::new(),
            canvas: Canvas::new(SIZE),
            canvas_root: None,
            peer_errors: 0,
        }
    }

    pub fn applied(&self) -> &[(u64, Input)] {
        &self.disk
    }

    pub fn entered(&self) -> &[(u64, Input)] {
        &self.entered
    }

    /// Something happens at either end, then something to the network, then a message or two arrive.
    pub fn step(&mut self, act: u8, fault: Fault) {
        self.now_ms += u64::from(self.maker.pick(300));
        match act {
            0 => {
                self.maker.change();
                self.sender.show(self.maker.scene());
            }
            1 | 2 => self.tap(),
            3 => self.commit(),
            4 => self.connect(),
            _ => {}
        }
        self.fault(fault);
        self.collect();
        for _ in 0..self.maker.pick(4) {
            self.deliver();
        }
        self.timers();
    }

    /// The network behaves from now on; everything comes to rest.
    pub fn settle(&mut self) {
        for _ in 0..400 {
            self.now_ms += 700;
            self.connect();
            self.commit();
            for _ in 0..12 {
                self.collect();
                self.deliver();
            }
            self.timers();
        }
    }

    pub fn assert_same_screen(&self) {
        let root = self.receiver.root().expect("a screen");
        assert_eq!(root.id(), self.maker.scene().id());
        assert!(self.canvas == painted(&self.maker.scene()), "painting damage is painting all");
        assert_eq!(self.receiver.unacknowledged(), 0);
        assert!(matches!(self.receiver.link(self.now_ms), LinkState::Good { .. }));
    }

    /// The person taps on something that is on the screen, or presses a key.
    fn tap(&mut self) {
        let actions: Vec<Action> = self.receiver.root().map_or(Vec::new(), |root| {
            outline(root, &ScrollOffsets::default())
                .into_iter()
                .filter_map(|item| match item.kind {
                    OutlineKind::Touch { action, state } if !state.disabled => Some(action),
                    _ => None,
                })
                .collect()
        });
        let input = match actions.get(self.maker.pick(actions.len() as u32 + 1) as usize) {
            Some(action) => Input::Tap(action.clone()),
            None => Input::Key(Key::Digit(self.maker.pick(10) as u8)),
        };
        if let Some(number) = self.receiver.input(self.now_ms, input.clone()) {
            self.entered.push((number, input));
        }
    }

    /// What was handed to the app has its effect, on disk and on the screen.
    fn commit(&mut self) {
        while let Some((number, input)) = self.pending.pop_front() {
            self.disk.push((number, input));
            self.sender.show(self.maker.scene());
            self.sender.acknowledge_input(number);
            while let Some(SenderEvent::Input { number, input }) = self.sender.poll_event() {
                self.pending.push_back((number, input));
            }
        }
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
    }

    fn fault(&mut self, fault: Fault) {
        let towards_client = self.maker.pick(3) > 0;
        let queue = if towards_client { &mut self.to_client } else { &mut self.to_server };
        match fault {
            Fault::None => {}
            Fault::Drop => drop(queue.pop_front()),
            Fault::Repeat => {
                if let Some(first) = queue.front().cloned() {
                    queue.push_front(first);
                }
            }
            Fault::Swap if queue.len() > 1 => queue.swap(0, 1),
            Fault::Swap => {}
            Fault::Corrupt => {
                let at = self.maker.pick(9) as usize;
                let first = if towards_client { self.to_client.front_mut() } else { None };
                if let Some(byte) = first.and_then(|first| first.get_mut(at)) {
                    *byte ^= 5;
                }
            }
            Fault::Break => self.disconnect(),
            Fault::Restart => {
                self.disconnect();
                self.epoch += 1;
                self.pending.clear();
                let next = self.disk.last().map_or(1, |(number, _)| number + 1);
                self.sender = Sender::new(self.maker.namer.clone(), SESSION, self.epoch, next);
                self.sender.show(self.maker.scene());
            }
        }
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
        if let Some(message) = self.to_client.pop_front() {
            match self.receiver.handle(self.now_ms, &message) {
                Ok(Some(ReceiverEvent::Screen(root))) => {
                    let all = Rect::of_size(SIZE);
                    let scrolls = ScrollOffsets::default();
                    let damage = damage(self.canvas_root.as_ref(), &root, all, &scrolls);
                    self.canvas.paint(&root, &damage, &scrolls, None);
                    self.canvas_root = Some(root);
                }
                Ok(Some(ReceiverEvent::Closed { .. })) => self.disconnect(),
                Ok(None) => {}
                Err(_) => {
                    self.peer_errors += 1;
                    self.disconnect();
                }
            }
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
            Ok(Some(SenderEvent::Input { number, input })) => self.pending.push_back((number, input)),
            Ok(_) => {}
            Err(_) => return false,
        }
        true
    }

    fn timers(&mut self) {
        let sender_due = self.sender.poll_timeout().is_some_and(|due| due <= self.now_ms);
        let receiver_due = self.receiver.poll_timeout().is_some_and(|due| due <= self.now_ms);
        let sender_dead = sender_due && self.sender.handle_timeout(self.now_ms).is_err();
        let receiver_dead = receiver_due && self.receiver.handle_timeout(self.now_ms).is_err();
        if sender_dead || receiver_dead {
            self.disconnect();
        }
    }
}
