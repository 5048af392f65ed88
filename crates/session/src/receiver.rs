//! The client's end of a session.

use std::collections::VecDeque;
use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::{Namer, Node};
use tresen_wire::limits::{INPUT_NUMBER, INPUTS_OPEN, TABLE_KIB, VERSIONS};
use tresen_wire::{
    ClientTable, CloseCode, Frame, Have, Hello, Input, Look, SEQUENCES, SessionId, ToClient, ToServer,
    Welcome,
};

use crate::{PeerError, limits};

/// Memory for slots that a receiver offers, unless told otherwise.
const DEFAULT_TABLE_KIB: u32 = 32 * 1024;

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
    session: Option<(SessionId, u64)>,
    namer: Option<Namer>,
    table: ClientTable,
    root: Option<Arc<Node>>,
    sequence: u8,
    open: VecDeque<(u64, Input)>,
    next_input: u64,
}

#[derive(Debug)]
struct Question {
    number: u8,
    asked_ms: u64,
}

#[derive(Debug, Default)]
struct Link {
    outbox: VecDeque<Vec<u8>>,
    since_ms: u64,
    heard_ms: u64,
    welcomed: bool,
    new_look: bool,
    question: Option<Question>,
    questions: u8,
    /// Since when the oldest open input waits; moved when they are sent again.
    inputs_ms: Option<u64>,
    /// A fresh frame was asked for, then.
    nak_ms: Option<u64>,
}

/// The client's end of a session. See the crate's documentation for the order of calls.
#[derive(Debug)]
pub struct Receiver {
    look: Look,
    table_kib: u32,
    kept: Resume,
    /// Only a fresh frame is of use.
    lost: bool,
    link: Option<Link>,
    rtt_ms: u64,
}

impl Receiver {
    /// A receiver with this screen, which goes on with what another one had.
    pub fn new(look: Look, resume: Option<Resume>) -> Self {
        let kept = resume.unwrap_or_default();
        Self { look, table_kib: DEFAULT_TABLE_KIB, kept, lost: false, link: None, rtt_ms: 0 }
    }

    /// Offers another amount of memory for slots, in KiB; [`TABLE_KIB`]. Counts from the next connection.
    pub fn set_table_kib(&mut self, table_kib: u32) {
        self.table_kib = table_kib.clamp(TABLE_KIB.0, TABLE_KIB.1);
    }

    /// A connection stands. Queues the hello.
    pub fn connect(&mut self, now_ms: u64) {
        self.disconnect(now_ms);
        let have = self.kept.session.map(|(session, epoch)| Have {
            session,
            epoch,
            digest: self.kept.table.digest(),
            first_open_input: self.kept.open.front().map_or(self.kept.next_input, |(number, _)| *number),
        });
        let hello = Hello { versions: VERSIONS, table_kib: self.table_kib, look: self.look, have };
        self.link = Some(Link {
            outbox: VecDeque::from([ToServer::Hello(hello).encode()]),
            since_ms: now_ms,
            heard_ms: now_ms,
            ..Link::default()
        });
    }

    /// The connection is gone. The last screen stays, inputs are kept.
    pub fn disconnect(&mut self, _now_ms: u64) {
        self.link = None;
        if std::mem::take(&mut self.lost) {
            self.kept.table.clear();
        }
    }

    /// A message arrived. When it is against the rules, close the connection and connect again.
    ///
    /// # Errors
    /// When the server broke the protocol.
    pub fn handle(&mut self, now_ms: u64, message: &[u8]) -> Result<Option<ReceiverEvent>, PeerError> {
        let Some(link) = &mut self.link else { return Err(PeerError::Unexpected("there is no connection")) };
        let message = ToClient::decode(message)?;
        link.heard_ms = now_ms;
        match message {
            ToClient::Bye { code, text } => return Ok(Some(ReceiverEvent::Closed { code, text })),
            ToClient::Welcome(welcome) => self.handle_welcome(now_ms, &welcome)?,
            _ if !link.welcomed => return Err(PeerError::Unexpected("something before the welcome")),
            ToClient::Frame(frame) => return self.handle_frame(now_ms, &frame),
            ToClient::InputAck { low } => self.handle_input_ack(now_ms, low),
            ToClient::Resend { low } => self.handle_resend(now_ms, low),
            ToClient::Ping { number } => self.queue(&ToServer::Pong { number })?,
            ToClient::Pong { number } => {
                if let Some(question) = link.question.take_if(|question| question.number == number) {
                    self.rtt_ms = now_ms.saturating_sub(question.asked_ms);
                }
            }
        }
        Ok(None)
    }

    /// The person did something. Returns its number; `None` when it can't be taken: before the first welcome, or with
    /// [`limits::INPUTS_OPEN`] inputs waiting.
    pub fn input(&mut self, now_ms: u64, input: Input) -> Option<u64> {
        let full = self.kept.open.len() as u64 >= INPUTS_OPEN || self.kept.next_input >= INPUT_NUMBER;
        if self.kept.session.is_none() || full {
            return None;
        }
        let number = self.kept.next_input;
        self.kept.next_input += 1;
        if let Some(link) = self.link.as_mut().filter(|link| link.welcomed) {
            link.outbox.push_back(ToServer::Input { number, input: input.clone() }.encode());
            link.inputs_ms.get_or_insert(now_ms);
        }
        self.kept.open.push_back((number, input));
        Some(number)
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
    pub fn poll_transmit(&mut self, _now_ms: u64) -> Option<Vec<u8>> {
        let link = self.link.as_mut()?;
        let message = link.outbox.pop_front();
        // What a window goes through while it is dragged collapses.
        message.or_else(|| std::mem::take(&mut link.new_look).then(|| ToServer::Look(self.look).encode()))
    }

    /// When to call [`Receiver::handle_timeout`] if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<u64> {
        let link = self.link.as_ref()?;
        if !link.welcomed {
            return Some(link.since_ms + limits::WELCOME_MS);
        }
        let asking = match &link.question {
            Some(question) => question.asked_ms + limits::CLIENT_DEAD_MS,
            None => question_due(link),
        };
        let inputs = link.inputs_ms.map(|since| since + limits::INPUT_AGAIN_MS);
        let nak = link.nak_ms.map(|since| since + limits::NAK_AGAIN_MS);
        [Some(asking), inputs, nak].into_iter().flatten().min()
    }

    /// Time has passed: asks whether anybody is there, sends again, or gives the connection up.
    ///
    /// # Errors
    /// With the code to close the connection with.
    pub fn handle_timeout(&mut self, now_ms: u64) -> Result<(), CloseCode> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if !link.welcomed {
            let dead = now_ms >= link.since_ms + limits::WELCOME_MS;
            return if dead { Err(CloseCode::TimedOut) } else { Ok(()) };
        }
        match &link.question {
            Some(question) if now_ms >= question.asked_ms + limits::CLIENT_DEAD_MS => {
                return Err(CloseCode::TimedOut);
            }
            None if now_ms >= question_due(link) => {
                link.questions = link.questions.wrapping_add(1);
                let number = link.questions;
                link.question = Some(Question { number, asked_ms: now_ms });
                link.outbox.push_back(ToServer::Ping { number }.encode());
            }
            _ => {}
        }
        if link.nak_ms.is_some_and(|since| now_ms >= since + limits::NAK_AGAIN_MS) {
            link.nak_ms = Some(now_ms);
            if link.outbox.len() < limits::OUTBOX {
                link.outbox.push_back(ToServer::Nak.encode());
            }
        }
        if link.inputs_ms.is_some_and(|since| now_ms >= since + limits::INPUT_AGAIN_MS) {
            self.send_again(now_ms, 0);
        }
        Ok(())
    }

    /// The screen to show; the last one while there is no connection.
    pub const fn root(&self) -> Option<&Arc<Node>> {
        self.kept.root.as_ref()
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

    /// What it has of the session.
    pub fn resume(&self) -> Resume {
        let mut kept = self.kept.clone();
        if self.lost {
            kept.table.clear();
        }
        kept
    }

    fn queue(&mut self, message: &ToServer) -> Result<(), PeerError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if link.outbox.len() >= limits::OUTBOX {
            return Err(PeerError::Unexpected("questions faster than answers can be sent"));
        }
        link.outbox.push_back(message.encode());
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
        }
        if !same {
            kept.open.clear();
            kept.next_input = welcome.received + 1;
        }
        kept.session = Some((welcome.session, welcome.epoch));
        kept.namer = Some(Namer::new(welcome.name_key));
        kept.open.retain(|(number, _)| *number > welcome.acknowledged);
        kept.next_input = kept.next_input.max(welcome.received + 1);
        self.send_again(now_ms, welcome.received);
        Ok(())
    }

    fn handle_frame(&mut self, now_ms: u64, frame: &Frame<'_>) -> Result<Option<ReceiverEvent>, PeerError> {
        if let Some(low) = frame.input_ack {
            self.handle_input_ack(now_ms, low);
        }
        let ahead = frame.sequence.wrapping_sub(self.kept.sequence).wrapping_sub(1) % SEQUENCES;
        let old = !self.lost && ahead >= SEQUENCES / 2;
        if old || self.lost && !frame.fresh {
            // Applied before, or of no use without a fresh one.
            return Ok(None);
        }
        if frame.fresh {
            self.kept.table.clear();
        }
        let Some(namer) = &self.kept.namer else { return Ok(None) };
        let applied = match frame.fresh || ahead == 0 {
            true => self.kept.table.apply(namer, frame.body).ok(),
            false => None,
        };
        let Some(root) = applied else {
            self.lost = true;
            if let Some(link) = &mut self.link {
                link.nak_ms = Some(now_ms);
            }
            self.queue(&ToServer::Nak)?;
            return Ok(None);
        };
        self.lost = false;
        if let Some(link) = &mut self.link {
            link.nak_ms = None;
        }
        self.kept.sequence = frame.sequence;
        self.kept.root = Some(root.clone());
        self.queue(&ToServer::FrameAck { sequence: frame.sequence })?;
        Ok(Some(ReceiverEvent::Screen(root)))
    }

    fn handle_input_ack(&mut self, now_ms: u64, low: u8) {
        let Some(position) = self.kept.open.iter().position(|(number, _)| *number as u8 & 127 == low) else {
            return;
        };
        self.kept.open.drain(..=position);
        if let Some(link) = &mut self.link {
            link.inputs_ms = if self.kept.open.is_empty() { None } else { Some(now_ms) };
        }
    }

    fn handle_resend(&mut self, now_ms: u64, low: u8) {
        let first = self.kept.open.front().map_or(self.kept.next_input, |(number, _)| *number);
        // The number with these low bits from just before the first open one on.
        let base = first.saturating_sub(1);
        let above = base + (u64::from(low).wrapping_sub(base) & 127);
        self.send_again(now_ms, above);
    }

    /// Sends the open inputs above this number again.
    fn send_again(&mut self, now_ms: u64, above: u64) {
        let Some(link) = &mut self.link else { return };
        link.inputs_ms = if self.kept.open.is_empty() { None } else { Some(now_ms) };
        for (number, input) in self.kept.open.iter().filter(|(number, _)| *number > above) {
            if link.outbox.len() < limits::OUTBOX {
                link.outbox.push_back(ToServer::Input { number: *number, input: input.clone() }.encode());
            }
        }
    }
}

fn question_due(link: &Link) -> u64 {
    let silence = link.heard_ms + limits::KEEP_ALIVE_MS;
    link.inputs_ms.map_or(silence, |since| silence.min(since.max(link.heard_ms) + limits::INPUT_PROBE_MS))
}
