//! A server in memory that shows a small till, and a client before it. Time is simulated.

use std::sync::Arc;

use tresen_client::{Client, Event, KeyPress, Path, Pointer, link_dot};
use tresen_scene::*;
use tresen_session::{Sender, SenderEvent};
use tresen_wire::{CloseCode, Input, Language, Look, SessionId, Theme, ToClient, ToServer};

pub const LOOK: Look =
    Look { width_px: 200, height_px: 320, scale_100: 100, theme: Theme::Light, language: Language::De };
pub const BUTTON: Point = Point::new(50, 80);
pub const DISABLED: Point = Point::new(150, 80);
pub const LIST: Rect = Rect::new(0, 100, 200, 160);
pub const ROW_H: i32 = 40;
pub const FIELD: Point = Point::new(100, 290);
pub const DOT: Point = Point::new(180, 28);

pub fn namer() -> Namer {
    Namer::new([5; 32])
}

pub fn action(name: &str) -> Action {
    Action::new(name.as_bytes())
}

fn gray(value: u8) -> Color {
    Color { r: value, g: value, b: value, a: 255 }
}

fn fill(rect: Rect, color: Color) -> Op {
    Op::Fill { rect, color }
}

fn button(rect: Rect, name: &str, hold: Option<Action>, disabled: bool) -> Op {
    let pressed =
        Node::new(&namer(), 0, vec![fill(Rect::of_size(rect.size()), Color { r: 200, g: 0, b: 0, a: 120 })]);
    Op::from(Touch {
        rect,
        action: action(name),
        hold,
        role: Role::Button,
        label: Some(name.into()),
        state: TouchState { disabled, ..TouchState::default() },
        pressed: Some(pressed),
    })
}

/// What the little till shows.
#[derive(Clone, Debug)]
pub struct Screen {
    pub rows: i32,
    pub shade: u8,
    pub button: bool,
    pub field: bool,
    pub value: String,
    pub sheet: bool,
    /// The way the button is pulled.
    pub pull: Option<Pull>,
}

impl Default for Screen {
    fn default() -> Self {
        Self { rows: 20, shade: 0, button: true, field: true, value: String::new(), sheet: false, pull: None }
    }
}

impl Screen {
    pub fn root(&self) -> Arc<Node> {
        let everything = Rect::new(0, 0, 200, 320);
        let mut ops = vec![fill(everything, gray(230)), fill(Rect::new(0, 0, 200, 56), gray(20))];
        if self.button {
            ops.push(fill(Rect::new(10, 60, 80, 36), gray(self.shade)));
            let mut button = button(Rect::new(10, 60, 80, 36), "sell", Some(action("price")), false);
            if let Op::Touch(touch) = &mut button {
                touch.state.pull = self.pull;
            }
            ops.push(button);
        }
        ops.push(button(Rect::new(110, 60, 80, 36), "closed", None, true));
        let mut rows = Vec::new();
        for row in 0..self.rows {
            let rect = Rect::new(0, row * ROW_H, 200, ROW_H);
            rows.push(fill(rect, gray((row * 37 % 200) as u8 ^ self.shade)));
            rows.push(button(rect, &format!("row {row}"), None, false));
        }
        ops.push(Op::Scroll(Scroll {
            rect: LIST,
            action: action("list"),
            content: Node::new(&namer(), 1, rows),
            content_h: self.rows * ROW_H,
            offset: 0,
        }));
        if self.field {
            ops.push(Op::from(Field {
                rect: Rect::new(0, 270, 200, 40),
                action: action("note"),
                keyboard: Keyboard::Text,
                label: "Note".into(),
                value: self.value.as_str().into(),
            }));
        }
        if self.sheet {
            ops.push(fill(everything, Color { r: 0, g: 0, b: 0, a: 100 }));
            ops.push(button(everything, "dismiss", None, false));
            ops.push(button(Rect::new(20, 120, 100, 60), "done", None, false));
        }
        Node::new(&namer(), 2, ops)
    }
}

pub struct World {
    pub now_ms: u64,
    pub sender: Sender,
    pub client: Client,
    pub inputs: Vec<Input>,
    /// Whether the server confirms inputs.
    pub confirms: bool,
    /// Whether nothing arrives anywhere, although there is a connection.
    pub silent: bool,
    online: bool,
}

impl World {
    /// A client that is attached and has painted its first screen.
    pub fn attached(screen: &Screen) -> Self {
        let sender = Sender::new(namer(), SessionId([1; 16]), 1, 1, [9; 16]);
        let client = Client::new(LOOK);
        let mut world = Self {
            now_ms: 1_000,
            sender,
            client,
            inputs: Vec::new(),
            confirms: true,
            silent: false,
            online: false,
        };
        world.sender.show(screen.root());
        world.connect();
        world.client.paint(world.now_ms);
        world
    }

    pub fn connect(&mut self) {
        self.online = true;
        self.client.connected(self.now_ms, Path::Direct);
        self.settle();
    }

    pub fn disconnect(&mut self) {
        self.online = false;
        self.client.disconnected(self.now_ms);
        self.sender.disconnect(self.now_ms);
    }

    pub fn show(&mut self, screen: &Screen) {
        self.sender.show(screen.root());
        self.settle();
    }

    /// Carries messages both ways until there are none.
    pub fn settle(&mut self) {
        while self.online && !self.silent {
            let mut quiet = true;
            while let Some(message) = self.client.poll_transmit(self.now_ms) {
                quiet = false;
                self.serve(&message);
            }
            while let Some(message) = self.sender.poll_transmit(self.now_ms) {
                quiet = false;
                self.client.handle(self.now_ms, &message).expect("the server keeps to the protocol");
            }
            if quiet {
                return;
            }
        }
    }

    fn serve(&mut self, message: &[u8]) {
        if let Ok(ToServer::Hello(hello)) = ToServer::decode(message) {
            return self.sender.connect(self.now_ms, &hello).expect("versions fit");
        }
        let mut event = self.sender.handle(self.now_ms, message).expect("the client keeps to the protocol");
        while let Some(happened) = event {
            if let SenderEvent::Input { number, input } = happened {
                self.inputs.push(input);
                if self.confirms {
                    self.sender.acknowledge_input(number);
                }
            }
            event = self.sender.poll_event();
        }
    }

    /// The server closes the connection.
    pub fn say_bye(&mut self, code: CloseCode) {
        let bye = ToClient::Bye { code, text: "".into() }.encode();
        self.client.handle(self.now_ms, &bye).expect("a goodbye is part of the protocol");
    }

    /// Time passes, a picture of the display at a time.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while self.now_ms < end {
            self.now_ms = (self.now_ms + 16).min(end);
            if self.client.poll_timeout().is_some_and(|at| self.now_ms >= at) {
                let _ = self.client.handle_timeout(self.now_ms);
            }
            self.client.paint(self.now_ms);
            self.settle();
        }
    }

    pub fn pointer(&mut self, what: Pointer) {
        self.finger(1, what);
    }

    pub fn finger(&mut self, finger: u32, what: Pointer) {
        self.client.pointer(self.now_ms, finger, what);
        self.settle();
    }

    pub fn tap(&mut self, at: Point) {
        self.pointer(Pointer::Down(at));
        self.pass(40);
        self.pointer(Pointer::Up(at));
    }

    /// A finger moves in steps of 10 ms, rests for a while, and leaves.
    pub fn drag(&mut self, from: Point, to: Point, steps: i32, rest_ms: u64) {
        self.pointer(Pointer::Down(from));
        for step in 1..=steps {
            self.pass(10);
            let between = |a: i32, b: i32| a + (b - a) * step / steps;
            self.pointer(Pointer::Move(Point::new(between(from.x, to.x), between(from.y, to.y))));
        }
        self.pass(rest_ms);
        self.pointer(Pointer::Up(to));
    }

    pub fn type_text(&mut self, text: &str, gap_ms: u64) {
        let keys = text.chars().map(KeyPress::Character).chain([KeyPress::Enter]);
        for key in keys {
            self.client.key(self.now_ms, key);
            self.settle();
            self.pass(gap_ms);
        }
    }

    pub fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }

    pub fn offset(&self) -> i32 {
        self.client.outline().areas[0].offset
    }

    pub fn take_inputs(&mut self) -> Vec<Input> {
        std::mem::take(&mut self.inputs)
    }

    /// What painting everything anew would show.
    pub fn reference(&self) -> Canvas {
        let size = Size::new(LOOK.width_px as i32, LOOK.height_px as i32);
        let mut canvas = Canvas::new(size);
        let everything = [Rect::of_size(size)];
        let root = self.client.root().expect("there is a screen");
        canvas.paint(root, &everything, self.client.scrolls(), self.client.pressed());
        canvas.paint(
            &link_dot(&LOOK, self.client.link(self.now_ms)),
            &everything,
            self.client.scrolls(),
            None,
        );
        canvas
    }

    /// Fails when the canvas, brought up to date, is not what painting everything anew would show.
    pub fn check_canvas(&mut self) {
        self.client.paint(self.now_ms);
        let reference = self.reference();
        let differs = reference.pixels().iter().zip(self.client.canvas().pixels()).position(|(a, b)| a != b);
        let width = LOOK.width_px as usize;
        assert_eq!(differs.map(|at| (at % width, at / width)), None, "first pixel that differs");
    }
}
