//! The server's end of a session.

use std::collections::VecDeque;
use std::sync::Arc;

use smol_str::SmolStr;
use tresen_scene::{Namer, Node};
use tresen_wire::limits::VERSIONS;
use tresen_wire::{
    CloseCode, Frame, Have, Hello, Input, Look, SEQUENCES, ServerTable, SessionId, ToClient, ToServer, Undo,
    Welcome,
};

use crate::sender_inputs::{Arrival, Inputs};
use crate::{PeerError, Stats, limits};

/// What a message from the client means to the app.
#[derive(Clone, Debug, PartialEq)]
pub enum SenderEvent {
    /// The person did something. Acknowledge it when its effects are on disk.
    Input {
        /// Its number.
        number: u64,
        /// What it was.
        input: Input,
    },
    /// The client's screen has changed.
    Look(Look),
    /// The client leaves.
    Bye(CloseCode),
}

#[derive(Debug)]
struct Sent {
    sequence: u64,
    root: Arc<Node>,
    undo: Undo,
    at_ms: u64,
}

#[derive(Debug)]
struct Question {
    number: u8,
    asked_ms: u64,
    /// The oldest frame in flight when it was asked: if it still is when the answer comes, it was lost.
    oldest: Option<u64>,
}

#[derive(Debug)]
struct Link {
    outbox: VecDeque<Vec<u8>>,
    heard_ms: u64,
    question: Option<Question>,
    questions: u8,
    repairs_left: u32,
    repaired_ms: u64,
    failed: Option<CloseCode>,
}

/// The server's end of a session. See the crate's documentation for the order of calls.
#[derive(Debug)]
pub struct Sender {
    namer: Namer,
    session: SessionId,
    epoch: u64,
    table: ServerTable,
    /// Frames without an acknowledgement, oldest first.
    flight: VecDeque<Sent>,
    next_sequence: u64,
    /// The next frame empties the client's slots.
    fresh: bool,
    wanted: Option<Arc<Node>>,
    inputs: Inputs,
    link: Option<Link>,
    stats: Stats,
}

impl Sender {
    /// A session in which nobody is connected. `next_input` is the number of the first input that was never seen: 1, or what the ledger says.
    pub fn new(namer: Namer, session_id: SessionId, epoch: u64, next_input: u64) -> Self {
        Self {
            namer,
            session: session_id,
            epoch,
            table: ServerTable::new(),
            flight: VecDeque::new(),
            next_sequence: 0,
            fresh: true,
            wanted: None,
            inputs: Inputs::new(next_input),
            link: None,
            stats: Stats::default(),
        }
    }

    /// A client connected and said hello. Queues the welcome and decides whether its slots are still good.
    ///
    /// # Errors
    /// [`CloseCode::Version`] when there is no common version.
    pub fn connect(&mut self, now_ms: u64, hello: &Hello) -> Result<(), CloseCode> {
        self.disconnect(now_ms);
        let version = VERSIONS.1.min(hello.versions.1);
        if version < VERSIONS.0.max(hello.versions.0) {
            return Err(CloseCode::Version);
        }
        let have = hello.have.filter(|have| have.session == self.session);
        let resumed = have.is_some_and(|have| self.resume(&have));
        if !resumed {
            self.start_afresh();
            self.inputs.forget_roots();
        }
        self.table.set_budget(hello.table_kib);
        self.inputs.connect(have.map(|have| have.first_open_input));
        let welcome = ToClient::Welcome(Welcome {
            version,
            session: self.session,
            epoch: self.epoch,
            name_key: *self.namer.key(),
            resumed,
            acknowledged: self.inputs.acknowledged(),
            received: self.inputs.received(),
        });
        self.stats.connections += 1;
        self.stats.resumed += u64::from(resumed);
        self.link = Some(Link {
            outbox: VecDeque::from([welcome.encode()]),
            heard_ms: now_ms,
            question: None,
            questions: 0,
            repairs_left: limits::REPAIRS,
            repaired_ms: now_ms,
            failed: None,
        });
        Ok(())
    }

    /// The connection is gone. The session stays.
    pub fn disconnect(&mut self, _now_ms: u64) {
        self.link = None;
    }

    /// Whether a client is connected.
    pub const fn is_connected(&self) -> bool {
        self.link.is_some()
    }

    /// A message arrived. Bytes that are none, or against the rules, are the client's error; close the connection then.
    ///
    /// # Errors
    /// When the client broke the protocol.
    pub fn handle(&mut self, now_ms: u64, message: &[u8]) -> Result<Option<SenderEvent>, PeerError> {
        let Some(link) = &mut self.link else { return Err(PeerError::Unexpected("nobody is connected")) };
        self.stats.received_bytes += message.len() as u64;
        link.heard_ms = now_ms;
        match ToServer::decode(message)? {
            ToServer::Hello(_) => Err(PeerError::Unexpected("a second hello")),
            ToServer::Input { number, input } => self.handle_input(number, input),
            ToServer::FrameAck { sequence } => {
                self.handle_frame_ack(now_ms, sequence);
                Ok(None)
            }
            ToServer::Nak => self.handle_nak(now_ms).map(|()| None),
            ToServer::Look(look) => Ok(Some(SenderEvent::Look(look))),
            ToServer::Ping { number } => self.queue(&ToClient::Pong { number }).map(|()| None),
            ToServer::Pong { number } => self.handle_pong(now_ms, number).map(|()| None),
            ToServer::Bye(code) => Ok(Some(SenderEvent::Bye(code))),
        }
    }

    /// An input that had to wait until the one before it was acknowledged. Call until `None` after [`Sender::acknowledge_input`].
    pub fn poll_event(&mut self) -> Option<SenderEvent> {
        let (number, input) = self.inputs.next(self.wanted.as_ref())?;
        Some(SenderEvent::Input { number, input })
    }

    /// The newest screen. What was shown before and not sent yet is forgotten.
    pub fn show(&mut self, root: Arc<Node>) {
        self.wanted = Some(root);
    }

    /// The effects of all inputs up to `number` are on disk.
    pub fn acknowledge_input(&mut self, number: u64) {
        self.inputs.acknowledge(number);
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let link = self.link.as_mut()?;
        let message = match link.outbox.pop_front() {
            Some(message) => message,
            None if link.failed.is_some() => return None,
            None => match self.next_frame(now_ms) {
                Some(message) => message,
                None => ToClient::InputAck { low: self.inputs.news()? }.encode(),
            },
        };
        self.stats.messages += 1;
        self.stats.bytes += message.len() as u64;
        Some(message)
    }

    /// When to call [`Sender::handle_timeout`] if nothing else happens before.
    pub fn poll_timeout(&self) -> Option<u64> {
        let link = self.link.as_ref()?;
        if link.failed.is_some() {
            return Some(link.heard_ms);
        }
        let dead = link.heard_ms + limits::SERVER_DEAD_MS;
        Some(dead.min(self.question_due(link)))
    }

    /// Time has passed: asks whether anybody is there, or gives the connection up.
    ///
    /// # Errors
    /// With the code to close the connection with.
    pub fn handle_timeout(&mut self, now_ms: u64) -> Result<(), CloseCode> {
        let Some(link) = &self.link else { return Ok(()) };
        if let Some(code) = link.failed {
            return Err(code);
        }
        if now_ms >= link.heard_ms + limits::SERVER_DEAD_MS {
            return Err(CloseCode::TimedOut);
        }
        if now_ms >= self.question_due(link) {
            let oldest = self.flight.front().map(|sent| sent.sequence);
            if let Some(link) = &mut self.link {
                link.questions = link.questions.wrapping_add(1);
                let number = link.questions;
                link.question = Some(Question { number, asked_ms: now_ms, oldest });
                link.outbox.push_back(ToClient::Ping { number }.encode());
            }
        }
        Ok(())
    }

    /// The newest screen, sent or not.
    pub const fn root(&self) -> Option<&Arc<Node>> {
        self.wanted.as_ref()
    }

    /// What it has done so far.
    pub const fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The session.
    pub const fn session_id(&self) -> SessionId {
        self.session
    }

    fn question_due(&self, link: &Link) -> u64 {
        if let Some(question) = &link.question {
            return question.asked_ms + limits::QUESTION_AGAIN_MS;
        }
        let silence = link.heard_ms + limits::SERVER_KEEP_ALIVE_MS;
        let frame = self.flight.front().map(|sent| sent.at_ms + limits::FRAME_PROBE_MS);
        frame.map_or(silence, |frame| frame.min(silence))
    }

    fn queue(&mut self, message: &ToClient<'_>) -> Result<(), PeerError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if link.outbox.len() >= limits::OUTBOX {
            return Err(PeerError::Unexpected("questions faster than answers can be sent"));
        }
        link.outbox.push_back(message.encode());
        Ok(())
    }

    fn handle_input(&mut self, number: u64, input: Input) -> Result<Option<SenderEvent>, PeerError> {
        let flying = self.flight.iter().map(|sent| &sent.root);
        match self.inputs.arrive(number, input, flying)? {
            Arrival::Taken => Ok(self.poll_event()),
            Arrival::Known => Ok(None),
            Arrival::Gap => {
                self.queue(&ToClient::Resend { low: self.inputs.received() as u8 & 127 }).map(|()| None)
            }
        }
    }

    fn handle_frame_ack(&mut self, now_ms: u64, sequence: u8) {
        let known = self.flight.iter().any(|sent| (sent.sequence % u64::from(SEQUENCES)) as u8 == sequence);
        while known && let Some(sent) = self.flight.pop_front() {
            let last = (sent.sequence % u64::from(SEQUENCES)) as u8 == sequence;
            self.inputs.root_arrived(sent.root);
            if last {
                let rtt = now_ms.saturating_sub(sent.at_ms);
                self.stats.rtt_ms = Some(self.stats.rtt_ms.map_or(rtt, |old| (old * 7 + rtt) / 8));
                break;
            }
        }
    }

    fn handle_nak(&mut self, now_ms: u64) -> Result<(), PeerError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let earned = now_ms.saturating_sub(link.repaired_ms) / limits::REPAIR_MS;
        if earned > 0 {
            link.repairs_left = (u64::from(link.repairs_left) + earned).min(limits::REPAIRS.into()) as u32;
            link.repaired_ms = now_ms;
        }
        link.repairs_left = link.repairs_left.checked_sub(1).ok_or(PeerError::TooManyRepairs)?;
        self.stats.repairs += 1;
        self.start_afresh();
        Ok(())
    }

    fn handle_pong(&mut self, now_ms: u64, number: u8) -> Result<(), PeerError> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let Some(question) = link.question.take_if(|question| question.number == number) else {
            return Ok(());
        };
        let oldest = self.flight.front().map(|sent| sent.sequence);
        // The transport keeps order: the client got the frame before the question, so its acknowledgement was due before the answer.
        if question.oldest.is_some() && question.oldest == oldest { self.handle_nak(now_ms) } else { Ok(()) }
    }

    /// Forgets what the client has; the next frame needs nothing.
    fn start_afresh(&mut self) {
        self.table.clear();
        self.flight.clear();
        self.fresh = true;
    }

    /// Takes back the frames that the client has not got, as its digest says. Returns whether its slots are still good.
    fn resume(&mut self, have: &Have) -> bool {
        let empty = have.digest == [0; 16];
        if have.epoch != self.epoch || self.fresh || empty {
            return false;
        }
        while self.table.digest() != have.digest {
            let Some(sent) = self.flight.pop_back() else { return false };
            self.table.undo(sent.undo);
            self.next_sequence = sent.sequence;
        }
        while let Some(sent) = self.flight.pop_front() {
            self.inputs.root_arrived(sent.root);
        }
        // The very first frame may have been taken back: then the client has nothing.
        self.inputs.last_root().is_some()
    }

    fn next_frame(&mut self, now_ms: u64) -> Option<Vec<u8>> {
        let root = self.wanted.as_ref()?;
        if self.flight.len() >= limits::FRAMES_IN_FLIGHT {
            return None;
        }
        let last = self.flight.back().map(|sent| &sent.root).or(self.inputs.last_root());
        if !self.fresh && last.is_some_and(|last| last.id() == root.id()) {
            return None;
        }
        let root = root.clone();
        let Ok((body, undo)) = self.table.encode(&self.namer, &root) else {
            return Some(self.fail(CloseCode::TooLarge));
        };
        let sequence = self.next_sequence;
        let frame = Frame {
            fresh: std::mem::take(&mut self.fresh),
            sequence: (sequence % u64::from(SEQUENCES)) as u8,
            input_ack: self.inputs.news(),
            body: &body,
        };
        let message = ToClient::Frame(frame).encode();
        self.next_sequence += 1;
        self.flight.push_back(Sent { sequence, root, undo, at_ms: now_ms });
        self.stats.frames += 1;
        self.stats.frame_bytes += message.len() as u64;
        Some(message)
    }

    /// The screen is beyond the limits of the protocol: says goodbye.
    fn fail(&mut self, code: CloseCode) -> Vec<u8> {
        self.start_afresh();
        if let Some(link) = &mut self.link {
            link.failed = Some(code);
        }
        ToClient::Bye { code, text: SmolStr::default() }.encode()
    }
}
