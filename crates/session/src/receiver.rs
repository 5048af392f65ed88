//! The client's end of a session.

use std::collections::VecDeque;
use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::{Namer, Node};
use tresen_wire::limits::VERSIONS;
use tresen_wire::{
    ClientTable, CloseCode, Gallery, Have, Hello, Look, SessionId, ToClient, ToServer, Welcome,
};

use crate::receiver_guesses::{GuessStats, Guesses};
use crate::receiver_inputs::Open;
use crate::receiver_link::{Link, Question};
use crate::{PeerError, limits};

/// Memory for slots that a client offers.
const CLIENT_TABLE_KIB: u32 = 32 * 1024;

/// What a message from the server means to the client.
#[derive(Clone, Debug)]
pub enum ReceiverEvent {
    /// A new screen.
    Screen(Arc<Node>),
    /// The server closes the connection.
    Closed {
        /// Why.
        code: CloseCode,
        /// For a person; may be empty.
        text: SmolStr,
    },
}

/// How the link is, to be shown to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// A connection stands, the server has not answered yet.
    Connecting,
    /// All is well.
    Good {
        /// The last time from a question to its answer.
        rtt_ms: u64,
    },
    /// The server takes its time.
    Slow,
    /// There is no connection.
    Away,
}

/// What a receiver has of a session: enough to go on with it on another [`Receiver`].
#[derive(Clone, Debug, Default)]
pub struct Resume {
    pub(crate) session: Option<(SessionId, u64)>,
    pub(crate) namer: Option<Namer>,
    pub(crate) table: ClientTable,
    pub(crate) root: Option<Arc<Node>>,
    pub(crate) sequence: u8,
    pub(crate) open: VecDeque<Open>,
    pub(crate) next_input: u64,
    /// The highest input whose effect the server's screen is known to show.
    pub(crate) applied: u64,
    /// The server answered the inputs up to this one: with a screen, or an acknowledgement.
    pub(crate) answered: u64,
    pub(crate) guesses: Guesses,
}

/// The client's end of a session. See the crate's documentation for the order of calls.
#[derive(Debug)]
pub struct Receiver {
    pub(crate) look: Look,
    /// Guesses that it offers to keep.
    pub(crate) keeps: u16,
    pub(crate) kept: Resume,
    /// Only a fresh frame is of use.
    pub(crate) lost: bool,
    pub(crate) link: Option<Link>,
    pub(crate) rtt_ms: u64,
}

impl Receiver {
    /// A receiver with this screen, which goes on with what another one had.
    pub fn new(look: Look, resume: Option<Resume>) -> Self {
        let kept = resume.unwrap_or_default();
        Self { look, keeps: 0, kept, lost: false, link: None, rtt_ms: 0 }
    }

    /// Shares unpacked photos with other clients of this process.
    pub fn share(&mut self, gallery: Arc<Gallery>) {
        self.kept.table.share(gallery);
    }

    /// Offers to keep so many guesses, at most [`limits::GUESSES_KEPT`]; 0, as unless told otherwise: none are wanted. Counts from the next
    /// connection.
    pub fn set_guesses(&mut self, guesses: u16) {
        self.keeps = guesses.min(limits::GUESSES_KEPT as u16);
    }

    /// A connection stands. Queues the hello.
    pub fn connect(&mut self, now_ms: u64) {
        self.disconnect(now_ms);
        let have = self.kept.session.map(|(session, epoch)| Have {
            session,
            epoch,
            digest: self.kept.table.digest(),
            first_open_input: self.kept.open.front().map_or(self.kept.next_input, |open| open.number),
            open_inputs: self.kept.open.len() as u8,
        });
        let (look, guesses) = (self.look, self.keeps);
        let hello = Hello { versions: VERSIONS, table_kib: CLIENT_TABLE_KIB, look, have, guesses };
        self.link = Some(Link::new(now_ms, hello));
    }

    /// The transport goes on in another network, with the same server: what was on its way is lost, a hello is said again. The open inputs
    /// follow it at once, so that what comes back are the effects.
    pub fn go_on(&mut self, now_ms: u64) {
        self.connect(now_ms);
        self.send_again(now_ms, 0);
        if let Some(link) = &mut self.link {
            link.sent_ahead = self.kept.open.back().map_or(0, |open| open.number);
        }
    }

    /// The connection is gone. The last screen of the server stays, inputs are kept.
    pub fn disconnect(&mut self, _now_ms: u64) {
        self.link = None;
        self.kept.guesses.give_up();
        if std::mem::take(&mut self.lost) {
            self.kept.table.clear();
            self.kept.guesses.forget();
        }
    }

    /// A message arrived. When it is against the rules, close the connection and connect again.
    ///
    /// # Errors
    /// When the server broke the protocol.
    pub fn handle(&mut self, now_ms: u64, message: &[u8]) -> Result<Option<ReceiverEvent>, PeerError> {
        let Some(link) = &mut self.link else { return Err(PeerError::Unexpected("there is no connection")) };
        let bytes = message.len();
        let message = ToClient::decode(message)?;
        link.heard_ms = now_ms;
        match message {
            ToClient::Bye { code, text } => return Ok(Some(ReceiverEvent::Closed { code, text })),
            ToClient::Welcome(welcome) => self.handle_welcome(now_ms, &welcome)?,
            _ if !link.welcomed => return Err(PeerError::Unexpected("something before the welcome")),
            ToClient::Frame(frame) => return self.handle_frame(now_ms, &frame),
            ToClient::Guess(guess) => self.handle_guess(now_ms, guess, bytes)?,
            ToClient::InputAck { low } => self.handle_input_ack(now_ms, low),
            ToClient::Resend { low } => self.handle_resend(now_ms, low),
            ToClient::Ping { number } => self.queue(now_ms, &ToServer::Pong { number })?,
            ToClient::Pong { number } => {
                if let Some(question) = link.question.take_if(|question| question.number == number) {
                    self.rtt_ms = now_ms.saturating_sub(question.asked_ms);
                }
            }
        }
        Ok(None)
    }

    /// The screen has changed.
    pub fn set_look(&mut self, look: Look) {
        if self.look == look {
            return;
        }
        self.look = look;
        if let Some(link) = &mut self.link {
            link.new_look = true;
        }
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let link = self.link.as_mut()?;
        // What a window goes through while it is dragged collapses.
        if link.is_silent() && std::mem::take(&mut link.new_look) {
            link.say(now_ms, &ToServer::Look(self.look));
        }
        link.next(now_ms)
    }

    /// When to call [`Receiver::handle_timeout`] if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<u64> {
        let link = self.link.as_ref()?;
        if !link.welcomed {
            return Some(link.since_ms + limits::WELCOME_MS);
        }
        let asking = match &link.question {
            Some(question) => question.asked_ms + limits::CLIENT_DEAD_MS,
            None => self.question_due_ms(link),
        };
        let inputs = self.inputs_again_ms();
        let nak = link.nak_ms.map(|since| since + limits::NAK_AGAIN_MS);
        [Some(asking), inputs, nak, link.owed_due_ms(), self.kept.guesses.deadline_ms()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Time has passed: asks whether anybody is there, sends again, or gives the connection up.
    ///
    /// # Errors
    /// With the code to close the connection with.
    pub fn handle_timeout(&mut self, now_ms: u64) -> Result<(), CloseCode> {
        let Some(link) = &self.link else { return Ok(()) };
        let (question_due_ms, inputs_again_ms) = (self.question_due_ms(link), self.inputs_again_ms());
        let Some(link) = &mut self.link else { return Ok(()) };
        if !link.welcomed {
            let dead = now_ms >= link.since_ms + limits::WELCOME_MS;
            return if dead { Err(CloseCode::TimedOut) } else { Ok(()) };
        }
        match &link.question {
            Some(question) if now_ms >= question.asked_ms + limits::CLIENT_DEAD_MS => {
                return Err(CloseCode::TimedOut);
            }
            None if now_ms >= question_due_ms => {
                link.questions = link.questions.wrapping_add(1);
                let number = link.questions;
                link.question = Some(Question { number, asked_ms: now_ms });
                link.say(now_ms, &ToServer::Ping { number });
            }
            _ => {}
        }
        if link.nak_ms.is_some_and(|since| now_ms >= since + limits::NAK_AGAIN_MS) {
            link.nak_ms = Some(now_ms);
            if link.takes_more() {
                link.say(now_ms, &ToServer::Nak);
            }
        }
        if inputs_again_ms.is_some_and(|due| now_ms >= due) {
            self.send_again(now_ms, 0);
        }
        if self.kept.guesses.deadline_ms().is_some_and(|deadline_ms| now_ms >= deadline_ms) {
            self.kept.guesses.give_up();
        }
        Ok(())
    }

    /// The screen to show: a guess, or else the server's; the server's last one while there is no connection.
    pub fn root(&self) -> Option<&Arc<Node>> {
        self.kept.guesses.shown().or(self.kept.root.as_ref())
    }

    /// The server's screen, whatever is shown.
    pub const fn server_root(&self) -> Option<&Arc<Node>> {
        self.kept.root.as_ref()
    }

    /// Whether what [`Receiver::root`] gives is a guess that the server has not confirmed.
    pub fn is_guess(&self) -> bool {
        self.kept.guesses.shown().is_some()
    }

    /// Whether [`Receiver::root`] says no more than that something is being done.
    pub fn is_pending(&self) -> bool {
        self.kept.guesses.is_pending()
    }

    /// Guesses that it holds now.
    pub fn guesses_held(&self) -> usize {
        self.kept.guesses.held()
    }

    /// What it did with guesses so far.
    pub const fn guess_stats(&self) -> &GuessStats {
        &self.kept.guesses.stats
    }

    /// How the link is.
    pub fn link(&self, now_ms: u64) -> LinkState {
        match &self.link {
            None => LinkState::Away,
            Some(link) if !link.welcomed => LinkState::Connecting,
            Some(Link { question: Some(question), .. }) if now_ms >= question.asked_ms + limits::SLOW_MS => {
                LinkState::Slow
            }
            Some(_) => LinkState::Good { rtt_ms: self.rtt_ms },
        }
    }

    /// Inputs whose effects are not known to be on disk.
    pub fn unacknowledged(&self) -> usize {
        self.kept.open.len()
    }

    /// Those of them that the server has not answered in any way: neither with a screen nor with an acknowledgement. For these a person waits;
    /// what booked nothing is acknowledged much later.
    pub fn unanswered(&self) -> usize {
        self.kept.open.iter().filter(|open| open.number > self.kept.answered).count()
    }

    /// What it has of the session.
    pub fn resume(&self) -> Resume {
        let mut kept = self.kept.clone();
        kept.guesses.give_up();
        if self.lost {
            kept.table.clear();
            kept.guesses.forget();
        }
        kept
    }

    pub(crate) fn queue(&mut self, now_ms: u64, message: &ToServer) -> Result<(), PeerError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if !link.takes_more() {
            return Err(PeerError::Unexpected("questions faster than answers can be sent"));
        }
        link.say(now_ms, message);
        Ok(())
    }

    fn handle_welcome(&mut self, now_ms: u64, welcome: &Welcome) -> Result<(), PeerError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if link.welcomed {
            // The transport repeated itself.
            return Ok(());
        }
        if !(VERSIONS.0..=VERSIONS.1).contains(&welcome.version) {
            return Err(PeerError::Version);
        }
        let kept = &mut self.kept;
        let same = kept.session.is_some_and(|(session, _)| session == welcome.session);
        let intact = kept.session == Some((welcome.session, welcome.epoch)) && kept.namer.is_some();
        if welcome.resumed && !intact {
            return Err(PeerError::Unexpected("it resumes what was not offered"));
        }
        link.welcomed = true;
        self.rtt_ms = now_ms.saturating_sub(link.since_ms);
        self.lost = !welcome.resumed;
        if self.lost {
            kept.table.clear();
            kept.guesses.forget();
        }
        if !same {
            kept.open.clear();
            kept.next_input = welcome.received + 1;
            kept.applied = 0;
            kept.guesses.begin();
        }
        kept.applied = kept.applied.max(welcome.acknowledged);
        kept.session = Some((welcome.session, welcome.epoch));
        kept.namer = Some(Namer::new(welcome.name_key));
        kept.open.retain(|open| open.number > welcome.acknowledged);
        kept.next_input = kept.next_input.max(welcome.received + 1);
        kept.answered = kept.answered.min(welcome.received);
        let sent_ahead = link.sent_ahead;
        self.send_again(now_ms, if same { welcome.received.max(sent_ahead) } else { welcome.received });
        Ok(())
    }

    /// When to ask whether anybody is there: soon, when a person waits for an answer.
    fn question_due_ms(&self, link: &Link) -> u64 {
        let silence = link.heard_ms + limits::KEEP_ALIVE_MS;
        let waiting = link.inputs_ms.filter(|_| self.unanswered() > 0);
        waiting.map_or(silence, |since| silence.min(since.max(link.heard_ms) + limits::INPUT_PROBE_MS))
    }
}
