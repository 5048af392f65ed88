//! The session of the device that is attached, or was last.

use std::sync::Arc;

use smol_str::SmolStr;
use tresen_identity::Fingerprint;
use tresen_scene::{Namer, Node, ObjectId};
use tresen_session::{Foresight, NoGuess, Sender, SenderEvent, Stats};
use tresen_wire::{Alphabet, CloseCode, Hello, Look, SessionId};

use super::link::Leaving;
use super::{Counted, Link};

/// Inputs that a device may have to send again after a crash, because what they changed is only on its screen and in no mark yet.
const INPUTS_WITHOUT_MARK: u64 = 16;

/// A device's session: it stays while its connection comes and goes.
pub struct Session {
    /// Its name on the wire and in marks.
    pub id: SessionId,
    /// The device.
    pub device: Fingerprint,
    /// Its name in bookings and in the counting of wrong PINs.
    pub label: SmolStr,
    /// What the device's screen is like.
    pub look: Look,
    /// The highest input that the application has seen.
    pub applied: u64,
    epoch: u64,
    /// The highest input that a mark on disk covers.
    acknowledged: u64,
    sender: Sender,
    link: Option<Link>,
}

/// What came of waiting for the client.
pub enum Heard {
    /// The application or the screen has something to do.
    Event(SenderEvent),
    /// Nothing to do.
    Nothing,
    /// The connection is gone.
    Gone,
}

impl Session {
    /// A session to which nobody is connected yet.
    pub fn new(
        namer: Namer,
        id: SessionId,
        device: Fingerprint,
        next_input: u64,
        epoch: u64,
        look: Look,
    ) -> Self {
        let secret = rand::random();
        let sender = Sender::new(namer, id, epoch, next_input, secret);
        let applied = next_input - 1;
        let label = device.short().into();
        Self { id, device, label, look, applied, epoch, acknowledged: applied, sender, link: None }
    }

    /// The letters that all sessions of this server share. To be called before the device connects.
    pub fn share(&mut self, alphabet: Arc<Alphabet>) {
        self.sender.share(alphabet);
    }

    /// The device connected. A connection that it had before ends.
    pub fn connect(&mut self, now_ms: u64, hello: &Hello, link: Link) {
        self.leave(now_ms, CloseCode::Replaced, "");
        self.look = hello.look;
        match self.sender.connect(now_ms, hello) {
            Ok(()) => self.link = Some(link),
            Err(code) => {
                tracing::warn!(device = %self.device.short(), %code, "a connection was refused");
                link.bye(code, code.reason());
            }
        }
    }

    /// Ends the connection with a goodbye; the session stays.
    pub fn leave(&mut self, now_ms: u64, code: CloseCode, text: &str) {
        if let Some(link) = self.link.take() {
            link.bye(code, text);
            self.sender.disconnect(now_ms);
        }
    }

    /// Whether somebody is connected.
    pub const fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// The client's next message; for ever when nobody is connected. Safe to drop and call again.
    pub async fn receive(&mut self) -> Option<Vec<u8>> {
        match &mut self.link {
            Some(link) => link.incoming.recv().await,
            None => std::future::pending().await,
        }
    }

    /// Takes what [`Self::receive`] gave. A client that breaks the protocol is shown out.
    pub fn handle(&mut self, now_ms: u64, message: Option<&[u8]>) -> Heard {
        // Whoever was sent away (revoked, for one) has nothing more to say, whatever is still queued.
        let dismissed = self.link.as_ref().is_some_and(|link| link.closing.said_goodbye());
        let Some(message) = message.filter(|_| !dismissed) else {
            self.link = None;
            self.sender.disconnect(now_ms);
            return Heard::Gone;
        };
        match self.sender.handle(now_ms, message) {
            Ok(Some(SenderEvent::Bye(_))) => {
                if let Some(link) = self.link.take() {
                    link.closing.close(Leaving::Goodbye);
                }
                self.sender.disconnect(now_ms);
                Heard::Gone
            }
            Ok(Some(event)) => Heard::Event(event),
            Ok(None) => Heard::Nothing,
            Err(error) => {
                tracing::warn!(device = %self.device.short(), %error, "a connection was closed: the client broke the protocol");
                self.leave(now_ms, error.close_code(), error.close_code().reason());
                Heard::Gone
            }
        }
    }

    /// An input that waited for the one before it.
    pub fn waiting_input(&mut self) -> Option<SenderEvent> {
        let dismissed = self.link.as_ref().is_some_and(|link| link.closing.said_goodbye());
        if dismissed { None } else { self.sender.poll_event() }
    }

    /// Whether the mark of what was applied should not be put off: an input waits for it, or many would have to be sent again.
    pub fn wants_mark(&self) -> bool {
        self.sender.is_input_waiting() || self.applied - self.acknowledged >= INPUTS_WITHOUT_MARK
    }

    /// The name of the newest screen.
    pub fn shown(&self) -> Option<ObjectId> {
        self.sender.root().map(|root| root.id())
    }

    /// What was counted so far, and of which session.
    pub const fn counted(&self) -> Counted {
        Counted { device: self.device, epoch: self.epoch, stats: *self.sender.stats() }
    }

    /// What was sent so far.
    pub const fn stats(&self) -> &Stats {
        self.sender.stats()
    }

    /// The newest screen, with the effects of the inputs up to `settled`.
    pub fn show_as_of(&mut self, root: Arc<Node>, settled: u64) {
        self.sender.show_as_of(root, settled);
    }

    /// The newest screen, with the effects of all inputs.
    pub fn show(&mut self, root: Arc<Node>) {
        self.sender.show(root);
    }

    /// The screen that was shown last.
    pub const fn root(&self) -> Option<&Arc<Node>> {
        self.sender.root()
    }

    /// Whether the device keeps guesses.
    pub const fn wants_guesses(&self) -> bool {
        self.sender.wants_guesses()
    }

    /// Whether a guess may be sent now.
    pub fn can_guess(&self) -> bool {
        self.sender.can_guess()
    }

    /// Sends what an input on a root will lead to, unless it takes more than so many bytes.
    ///
    /// # Errors
    /// When it is not sent.
    pub fn guess(
        &mut self,
        now_ms: u64,
        foresight: &Foresight<'_>,
        most_bytes: usize,
    ) -> Result<usize, NoGuess> {
        self.sender.guess(now_ms, foresight, most_bytes)
    }

    /// Inputs up to this one are on disk with their effects.
    pub fn acknowledge(&mut self, input: u64) {
        self.acknowledged = self.acknowledged.max(input);
        self.sender.acknowledge_input(input);
    }

    /// The highest input that the client may know to be on disk.
    #[cfg(test)]
    pub const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Hands everything that is due to the network: messages and their bytes. A connection that takes nothing more is given up.
    pub fn flush(&mut self, now_ms: u64) -> (usize, usize) {
        let (mut messages, mut bytes) = (0, 0);
        while let Some(link) = &self.link {
            let Some(message) = self.sender.poll_transmit(now_ms) else { break };
            messages += 1;
            bytes += message.len();
            if link.outgoing.send(message).is_err() {
                tracing::info!(device = %self.device.short(), "a connection was given up: it takes nothing more");
                self.link = None;
                self.sender.disconnect(now_ms);
            }
        }
        (messages, bytes)
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn timeout_ms(&self) -> Option<u64> {
        self.link.as_ref().and_then(|_| self.sender.poll_timeout())
    }

    /// Calls [`Self::handle_timeout`] when it is time to.
    pub fn handle_timeout_if_due(&mut self, now_ms: u64) {
        if self.timeout_ms().is_some_and(|due| due <= now_ms) {
            self.handle_timeout(now_ms);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        if let Err(code) = self.sender.handle_timeout(now_ms) {
            self.leave(now_ms, code, code.reason());
        }
    }
}
