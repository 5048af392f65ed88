//! The client: one session's screen, and what a person does with it.

mod connection;
mod guesses;
mod typing;

use std::collections::VecDeque;
use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::{Action, Canvas, Node, Point, Pressed, Rect, ScrollOffsets};
use tresen_session::limits::SLOW_MS;
use tresen_session::{LinkState, PeerError, Receiver, ReceiverEvent};
use tresen_wire::{CloseCode, Gallery, Input, Look};

use crate::gesture::{Act, Gesture, Pointer, View};
use crate::keyboard::Keyboard;
use crate::look::{Link, link_dot, size, status_target, waiting_line};
use crate::outline::{Outline, find_scroll, outline};
use crate::painter::{Painter, Scene};
use crate::patience::Patience;
use crate::waiting::Waiting;

pub use connection::Path;
pub use guesses::Report;
use guesses::{Bytes, receiver};
pub use typing::Editing;
use typing::find_field;

/// Events that wait for the shell; of more, the oldest are dropped.
const EVENTS: usize = 32;

/// What a shell is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The server closed the connection, and why.
    Closed {
        /// Why.
        code: CloseCode,
        /// For a person; may be empty.
        text: SmolStr,
    },
    /// The text field that is edited is another one now, or none; see [`Client::editing`].
    EditingChanged,
    /// Somebody asked for the link state: show it in words.
    StatusAsked,
    /// Too much is waiting for the server: an input was refused.
    Full,
}

/// A thin client without input and output. See the crate's documentation for the order of calls.
pub struct Client {
    look: Look,
    receiver: Receiver,
    painter: Painter,
    scrolls: ScrollOffsets,
    gesture: Gesture,
    keyboard: Keyboard,
    editing: Option<(Action, String)>,
    events: VecDeque<Event>,
    /// The screen that gestures know.
    known: Option<Arc<Node>>,
    bytes: Bytes,
    dot: Option<(Link, Arc<Node>)>,
    path: Path,
    waiting: Waiting,
    patience: Patience,
    /// When the link was looked at last.
    looked_ms: u64,
}

impl Client {
    /// A client with this screen, before its first connection.
    pub fn new(look: Look) -> Self {
        Self {
            look,
            receiver: receiver(look),
            painter: Painter::new(size(&look), look.theme),
            scrolls: ScrollOffsets::default(),
            gesture: Gesture::new(f32::from(look.scale_100) / 100.0),
            keyboard: Keyboard::default(),
            editing: None,
            events: VecDeque::new(),
            known: None,
            bytes: Bytes::default(),
            dot: None,
            path: Path::Direct,
            waiting: Waiting::default(),
            patience: Patience::default(),
            looked_ms: 0,
        }
    }

    /// The screen has changed: its size, scale, theme or language. Everything is painted anew.
    pub fn set_look(&mut self, look: Look) {
        if look == self.look {
            return;
        }
        self.receiver.set_look(look);
        self.painter = Painter::new(size(&look), look.theme);
        self.gesture = Gesture::new(f32::from(look.scale_100) / 100.0);
        self.dot = None;
        self.look = look;
    }

    /// Shares unpacked photos with other clients of this process.
    pub fn share(&mut self, gallery: Arc<Gallery>) {
        self.receiver.share(gallery);
    }

    /// A message has arrived.
    ///
    /// # Errors
    /// When it is against the protocol: close the connection.
    pub fn handle(&mut self, now_ms: u64, message: &[u8]) -> Result<(), PeerError> {
        self.bytes.received += message.len() as u64;
        match self.receiver.handle(now_ms, message)? {
            Some(ReceiverEvent::Closed { code, text }) => self.tell(Event::Closed { code, text }),
            Some(ReceiverEvent::Screen(_)) | None => {}
        }
        self.note_screen();
        self.waiting.note(now_ms, self.receiver.unanswered());
        Ok(())
    }

    /// A message to send. To be called until `None` after everything else.
    pub fn poll_transmit(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let message = self.receiver.poll_transmit(now_ms);
        self.bytes.sent += message.as_ref().map_or(0, |message| message.len() as u64);
        message
    }

    /// Something that the shell should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Client::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<u64> {
        let waiting = self.waiting.poll_timeout();
        // A link that will be slow, if nothing arrives, has to show it.
        let slow_ms = self.looked_ms + SLOW_MS;
        let slow =
            (self.link(self.looked_ms) != Link::Slow && self.link(slow_ms) == Link::Slow).then_some(slow_ms);
        let own = [
            self.gesture.poll_timeout(),
            self.keyboard.poll_timeout(),
            waiting,
            slow,
            self.patience.poll_timeout(),
        ];
        own.into_iter().chain([self.receiver.poll_timeout()]).flatten().min()
    }

    /// Time has passed.
    ///
    /// # Errors
    /// When the server has been silent for too long: close the connection.
    pub fn handle_timeout(&mut self, now_ms: u64) -> Result<(), CloseCode> {
        let acts = self.gesture.handle_timeout(now_ms);
        self.perform(now_ms, acts);
        let typed = self.keyboard.handle_timeout(now_ms);
        self.typed(now_ms, typed);
        self.look_at_link(now_ms);
        if self.patience.is_over(now_ms) {
            return Err(CloseCode::TimedOut);
        }
        let handled = self.receiver.handle_timeout(now_ms);
        self.note_screen();
        handled
    }

    /// A finger, pen or mouse button; `pointer` tells fingers apart.
    pub fn pointer(&mut self, now_ms: u64, pointer: u32, what: Pointer) {
        let Some(root) = self.receiver.root().cloned() else { return };
        let view = View { root: &root, scrolls: &self.scrolls, status: status_target(&self.look) };
        let acts = self.gesture.pointer(now_ms, pointer, what, view);
        self.perform(now_ms, acts);
    }

    /// A wheel turned over `at`; `dy_px` downwards.
    pub fn wheel(&mut self, at: Point, dy_px: i32) {
        let Some(root) = self.receiver.root().cloned() else { return };
        if let Some((_, scroll)) = tresen_scene::hit_test(&root, at, &self.scrolls).scroll {
            let offset = self.scrolls.get(&scroll) + dy_px;
            self.scroll_to(&scroll.action, offset);
        }
    }

    /// Assistive technology presses something of [`Client::outline`].
    pub fn activate(&mut self, now_ms: u64, action: &Action) {
        self.perform(now_ms, vec![Act::Tap(action.clone())]);
    }

    /// Moves a list of [`Client::outline`]: a finger, a wheel or assistive technology.
    pub fn scroll_to(&mut self, action: &Action, offset_px: i32) {
        let Some(root) = self.receiver.root() else { return };
        if let Some((visible, scroll)) = find_scroll(root, &self.scrolls, action)
            && self.scrolls.set(&scroll, offset_px)
        {
            self.painter.dirty(visible);
        }
    }

    /// Brings the canvas up to date, and returns the rectangles that changed. To be called once a picture of the display while
    /// [`Client::is_moving`], and after everything else.
    pub fn paint(&mut self, now_ms: u64) -> Vec<Rect> {
        let root = self.receiver.root().cloned();
        if let Some(root) = &root {
            let scrolls = &self.scrolls;
            let settled = |action: &Action, offset: i32| {
                find_scroll(root, scrolls, action)
                    .is_none_or(|(_, scroll)| offset < 0 || offset > ScrollOffsets::largest(&scroll))
            };
            let acts = self.gesture.step(now_ms, settled);
            self.perform(now_ms, acts);
        }
        let link = self.look_at_link(now_ms);
        if self.dot.as_ref().is_none_or(|(shown, _)| *shown != link) {
            self.dot = Some((link, link_dot(&self.look, link)));
        }
        let mut overlays: Vec<Arc<Node>> = self.dot.iter().map(|(_, dot)| dot.clone()).collect();
        overlays.extend(self.waiting.line_ms(now_ms).map(|line_ms| waiting_line(&self.look, line_ms)));
        overlays.extend(self.guess_marks());
        overlays.retain(|_| root.is_some());
        let (scrolls, pressed) = (&self.scrolls, self.gesture.pressed());
        self.painter.paint(&Scene { root: root.as_ref(), scrolls, pressed, overlays: &overlays })
    }

    /// Whether something moves by itself, so that the next picture will be another one.
    pub fn is_moving(&self) -> bool {
        self.gesture.is_moving() || self.waiting.is_shown()
    }

    /// What [`Client::paint`] painted.
    pub fn canvas(&self) -> &Canvas {
        self.painter.canvas()
    }

    /// Its screen.
    pub const fn look(&self) -> &Look {
        &self.look
    }

    /// The screen that is shown: the server's, or a guess.
    pub fn root(&self) -> Option<&Arc<Node>> {
        self.receiver.root()
    }

    /// Where the lists of the screen stand.
    pub const fn scrolls(&self) -> &ScrollOffsets {
        &self.scrolls
    }

    /// The touch area that is being pressed.
    pub fn pressed(&self) -> Option<&Pressed> {
        self.gesture.pressed()
    }

    /// Everything with a name on the screen.
    pub fn outline(&self) -> Outline {
        self.receiver.root().map(|root| outline(root, &self.scrolls)).unwrap_or_default()
    }

    fn screen_changed(&mut self, root: &Arc<Node>) {
        let view = View { root, scrolls: &self.scrolls, status: status_target(&self.look) };
        self.gesture.screen_changed(view);
        if let Some((action, _)) = &self.editing
            && find_field(root, &self.scrolls, action).is_none()
        {
            self.end_editing();
        }
    }

    fn perform(&mut self, now_ms: u64, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Tap(action) => {
                    self.end_editing();
                    self.send(now_ms, Input::Tap(action));
                }
                Act::Hold(action) => self.send(now_ms, Input::Hold(action)),
                Act::Edit(action) => self.begin_editing(&action),
                Act::Elsewhere => self.end_editing(),
                Act::Status => self.tell(Event::StatusAsked),
                Act::Scroll { action, offset } => self.scroll_to(&action, offset),
            }
        }
    }

    fn send(&mut self, now_ms: u64, input: Input) {
        if self.receiver.root().is_some() && self.receiver.input(now_ms, input).is_none() {
            self.tell(Event::Full);
        }
        self.note_screen();
        if self.receiver.link(now_ms) != LinkState::Away {
            self.waiting.note(now_ms, self.receiver.unanswered());
        }
    }

    fn tell(&mut self, event: Event) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }
}
