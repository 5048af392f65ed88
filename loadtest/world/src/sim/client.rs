//! The client of an episode: the receiver, its connection, its picture, and when it tries again.

use tresen_client::Backoff;
use tresen_scene::{Canvas, Rect, ScrollOffsets, damage};
use tresen_session::{LinkState, Receiver, ReceiverEvent, Resume};
use tresen_wire::{Input, Language, Look, Theme, ToClient, ToServer};

use super::app::SIZE;
use super::broken::Broken;
use super::checker::Checker;
use super::guesses::Screen;
use super::transport::{End, Packet};
use super::{Envelope, Fault, Transport, ms};
use crate::dice::Dice;
use crate::wan::{MS, SECOND};

const LOOK: Look =
    Look { width_px: 96, height_px: 128, scale_100: 100, theme: Theme::Light, language: Language::De };

/// How a client starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With what it had.
    Warm,
    /// With nothing, as a page that is loaded again.
    Cold,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    end: End,
    since_us: u64,
    greeted: bool,
}

#[derive(Debug)]
pub(super) struct Client {
    dice: Dice,
    fault: Fault,
    /// Guesses that it keeps.
    guesses: u16,
    receiver: Receiver,
    connection: Option<Connection>,
    connections: u64,
    /// The address that packets come from; counts up.
    pub address: u64,
    retry_us: u64,
    backoff: Backoff,
    canvas: Canvas,
    canvas_root: Option<std::sync::Arc<tresen_scene::Node>>,
    outbox: Vec<Envelope>,
    chatter_us: u64,
    /// Connections that were greeted.
    pub greeted: u64,
}

impl Client {
    pub fn new(dice: Dice, fault: Fault, guesses: u16) -> Self {
        Self {
            dice,
            fault,
            guesses,
            receiver: receiver(guesses, None),
            connection: None,
            connections: 0,
            address: 0,
            retry_us: 0,
            backoff: Backoff::default(),
            canvas: Canvas::new(SIZE),
            canvas_root: None,
            outbox: Vec::new(),
            chatter_us: 0,
            greeted: 0,
        }
    }

    pub fn next_us(&self) -> u64 {
        let chatter_us = if self.fault == Fault::Chatter { self.chatter_us } else { u64::MAX };
        let Some(connection) = &self.connection else { return self.retry_us };
        let session = self.receiver.poll_timeout().map_or(u64::MAX, |due_ms| due_ms * MS);
        connection.end.next_us().min(session).min(chatter_us)
    }

    pub fn take_packets(&mut self, now_us: u64) -> Vec<Envelope> {
        if let Some(Connection { number, end, .. }) = &mut self.connection {
            while let Some((bytes, packet)) = end.poll_packet(now_us) {
                self.outbox.push(Envelope { connection: *number, address: self.address, bytes, packet });
            }
        }
        std::mem::take(&mut self.outbox)
    }

    /// The person does something. Returns whether it was taken.
    pub fn enter(&mut self, now_us: u64, input: &Input, checker: &mut Checker) -> Result<(), Broken> {
        if self.fault == Fault::ClientForgetsInput && self.dice.below(9) == 0 {
            // The person sees that the tap was taken.
            checker.entered(u64::MAX, input);
            return Ok(());
        }
        let before = self.screen();
        let Some(number) = self.receiver.input(ms(now_us), input.clone()) else { return Ok(()) };
        checker.entered(number, input);
        if let (Some(before), Some(after)) = (before, self.screen()) {
            checker.guesses.entered(now_us, number, input, before.root, after)?;
            if after.root != before.root {
                self.paint();
                checker.client_shows(after.root, &self.canvas)?;
            }
        }
        self.flush(now_us);
        Ok(())
    }

    /// What it shows.
    fn screen(&self) -> Option<Screen> {
        let root = self.receiver.root()?.id();
        Some(Screen { root, is_guess: self.receiver.is_guess() })
    }

    /// A guess that was given up is seen to be gone.
    fn look(&mut self, now_us: u64, checker: &mut Checker) -> Result<(), Broken> {
        let Some(screen) = self.screen() else { return Ok(()) };
        checker.guesses.look(now_us, screen)?;
        if self.canvas_root.as_ref().is_some_and(|painted| painted.id() != screen.root) {
            self.paint();
        }
        Ok(())
    }

    pub const fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    pub fn canvas(&self) -> &Canvas {
        &self.canvas
    }

    pub fn is_well(&self, now_us: u64) -> bool {
        matches!(self.receiver.link(ms(now_us)), LinkState::Good { .. })
    }

    /// The program ends without a word, and starts again.
    pub fn restart(&mut self, now_us: u64, start: Start, checker: &mut Checker) {
        let kept: Option<Resume> = match start {
            Start::Warm => Some(self.receiver.resume()),
            Start::Cold => None,
        };
        if start == Start::Cold {
            checker.client_forgot();
        }
        self.connection = None;
        self.receiver = receiver(self.guesses, kept);
        checker.guesses.restarted();
        self.canvas = Canvas::new(SIZE);
        self.canvas_root = None;
        self.paint();
        self.backoff = Backoff::default();
        self.retry_us = now_us + self.dice.below(2 * SECOND);
    }

    /// Another network. `noticed`: the system says so; over TCP the connection is gone then.
    pub fn address_changed(&mut self, now_us: u64, transport: Transport, notice: Notice) {
        self.address += 1;
        match (transport, notice) {
            (Transport::Quic | Transport::Rotten, Notice::Told) => {
                if let Some(connection) = &mut self.connection {
                    connection.end.address_changed();
                }
            }
            (Transport::Tcp, Notice::Told) => self.lose(now_us),
            (_, Notice::Silent) => {}
        }
    }

    pub fn handle_packet(
        &mut self,
        now_us: u64,
        envelope: &Envelope,
        transport: Transport,
        checker: &mut Checker,
    ) -> Result<(), Broken> {
        let current = self.connection.as_mut().filter(|connection| connection.number == envelope.connection);
        let Some(connection) = current else { return Ok(()) };
        if matches!(envelope.packet, Packet::Close) {
            self.lose(now_us);
            return Ok(());
        }
        connection.end.handle(now_us, &envelope.packet);
        if transport == Transport::Rotten {
            connection.end.spoil_bytes(&mut self.dice);
        }
        if connection.end.is_open() && !connection.greeted {
            connection.greeted = true;
            self.greeted += 1;
            checker.guesses.heard = 0;
            // Whatever server that is: inputs that follow the hello at once have their effect once, and in their own session.
            match self.dice.below(2) {
                0 => self.receiver.go_on(ms(now_us)),
                _ => self.receiver.connect(ms(now_us)),
            }
        }
        while let Some(message) =
            self.connection.as_mut().and_then(|connection| connection.end.poll_message())
        {
            self.handle_message(now_us, &message, checker)?;
        }
        self.flush(now_us);
        Ok(())
    }

    pub fn handle_time(
        &mut self,
        now_us: u64,
        transport: Transport,
        checker: &mut Checker,
    ) -> Result<(), Broken> {
        self.pass_time(now_us, transport);
        self.look(now_us, checker)
    }

    fn pass_time(&mut self, now_us: u64, transport: Transport) {
        let Some(connection) = &mut self.connection else {
            if now_us >= self.retry_us {
                self.connections += 1;
                let (number, end) = (self.connections, End::client(now_us));
                self.connection = Some(Connection { number, end, since_us: now_us, greeted: false });
            }
            return;
        };
        let gone = connection.end.handle_timeout(now_us).is_err();
        let due = self.receiver.poll_timeout().is_some_and(|due_ms| due_ms <= ms(now_us));
        let given_up = due && self.receiver.handle_timeout(ms(now_us)).is_err();
        if gone || given_up {
            // Whoever gives up closes; over TCP the system does even if the program can't.
            if given_up || transport == Transport::Tcp {
                self.give_up(now_us);
            } else {
                self.lose(now_us);
            }
            return;
        }
        if self.fault == Fault::Chatter && now_us >= self.chatter_us {
            self.chatter_us = now_us + SECOND;
            if let Some(connection) = self.connection.as_mut().filter(|connection| connection.greeted) {
                connection.end.send(&ToServer::Ping { number: 200 }.encode());
            }
        }
        self.flush(now_us);
    }

    fn handle_message(&mut self, now_us: u64, message: &[u8], checker: &mut Checker) -> Result<(), Broken> {
        checker.guesses.heard += 1;
        let before = self.screen();
        match self.receiver.handle(ms(now_us), message) {
            Ok(Some(ReceiverEvent::Screen(_))) => {
                if self.fault != Fault::MissedDamage || self.dice.below(9) > 0 {
                    self.paint();
                }
                self.shows(now_us, message, before, checker)
            }
            Ok(Some(ReceiverEvent::Closed { .. })) => {
                self.lose(now_us);
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => {
                self.give_up(now_us);
                checker.told_off("client", error)
            }
        }
    }

    /// A frame has come.
    fn shows(
        &mut self,
        now_us: u64,
        message: &[u8],
        before: Option<Screen>,
        checker: &mut Checker,
    ) -> Result<(), Broken> {
        let (Some(mut screen), Some(truth)) = (self.screen(), self.receiver.server_root()) else {
            return Ok(());
        };
        checker.client_has(truth)?;
        if self.fault == Fault::SticksToGuess
            && let Some(before) = before.filter(|before| before.is_guess)
        {
            screen = before;
        }
        if let Ok(ToClient::Frame(frame)) = ToClient::decode(message) {
            checker.guesses.covered(now_us, frame.applied, truth.id(), screen)?;
        }
        checker.client_shows(screen.root, &self.canvas)
    }

    fn paint(&mut self) {
        let Some(root) = self.receiver.root().cloned() else { return };
        let scrolls = ScrollOffsets::default();
        let changed = damage(self.canvas_root.as_ref(), &root, Rect::of_size(SIZE), &scrolls);
        self.canvas.paint(&root, &changed, &scrolls, None);
        self.canvas_root = Some(root);
    }

    fn flush(&mut self, now_us: u64) {
        while let Some(message) = self.receiver.poll_transmit(ms(now_us)) {
            if let Some(connection) = &mut self.connection {
                connection.end.send(&message);
            }
        }
    }

    /// Closes the connection.
    fn give_up(&mut self, now_us: u64) {
        if let Some(connection) = &self.connection {
            let (connection, address) = (connection.number, self.address);
            self.outbox.push(Envelope { connection, address, bytes: 60, packet: Packet::Close });
        }
        self.lose(now_us);
    }

    fn lose(&mut self, now_us: u64) {
        let Some(connection) = self.connection.take() else { return };
        self.receiver.disconnect(ms(now_us));
        let lasted_us = if connection.greeted { now_us - connection.since_us } else { 0 };
        let wait_ms = self.backoff.next_wait_ms(lasted_us / MS, self.dice.next() as u32);
        self.retry_us = now_us + wait_ms * MS;
    }
}

fn receiver(guesses: u16, kept: Option<Resume>) -> Receiver {
    let mut receiver = Receiver::new(LOOK, kept);
    receiver.set_guesses(guesses);
    receiver
}

/// Whether the client's system says that its address changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It does.
    Told,
    /// It does not know: somewhere on the way a translator changed its mind.
    Silent,
}
