//! The server's end of a session.

use std::collections::VecDeque;
use std::sync::Arc;

use tresen_scene::{Namer, Node};
use tresen_wire::limits::VERSIONS;
use tresen_wire::{
    Alphabet, CloseCode, Hello, Input, Look, RootTag, ServerTable, SessionId, ToClient, ToServer, Welcome,
};

use crate::flight::Flight;
use crate::offers::OfferKey;
use crate::sender_guesses::Guesses;
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
pub(crate) struct Question {
    number: u8,
    asked_ms: u64,
    /// The oldest frame in flight when it was asked: if it still is when the answer comes, it was lost.
    oldest: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) outbox: VecDeque<Vec<u8>>,
    pub(crate) heard_ms: u64,
    pub(crate) question: Option<Question>,
    pub(crate) questions: u8,
    pub(crate) repairs_left: u32,
    pub(crate) repaired_ms: u64,
    pub(crate) failed: Option<CloseCode>,
    pub(crate) catch_up: Option<CatchUp>,
    /// The client spoke of another session and has acknowledged nothing of this one: its inputs may be those of the other.
    pub(crate) strange: bool,
}

/// The client brought inputs along: no screen goes out before they have their effect.
#[derive(Debug)]
pub(crate) struct CatchUp {
    /// The last of them.
    pub(crate) input: u64,
    /// Then it has taken too long.
    pub(crate) until_ms: u64,
}

/// The server's end of a session. See the crate's documentation for the order of calls.
#[derive(Debug)]
pub struct Sender {
    pub(crate) namer: Namer,
    pub(crate) session: SessionId,
    pub(crate) epoch: u64,
    pub(crate) table: ServerTable,
    pub(crate) flight: Flight,
    pub(crate) next_sequence: u64,
    /// The next frame empties the client's slots.
    pub(crate) fresh: bool,
    /// The screen that the client acknowledged last.
    pub(crate) arrived: Option<Arc<Node>>,
    pub(crate) wanted: Option<Arc<Node>>,
    /// The highest input whose effect `wanted` shows.
    pub(crate) applied: u64,
    pub(crate) inputs: Inputs,
    pub(crate) guesses: Guesses,
    pub(crate) link: Option<Link>,
    pub(crate) stats: Stats,
}

impl Sender {
    /// A session in which nobody is connected. `next_input` is the number of the first input that was never seen: 1, or what the ledger says.
    /// `secret` is drawn at random and told to nobody: what past screens offered is kept as hashes under it.
    pub fn new(namer: Namer, session_id: SessionId, epoch: u64, next_input: u64, secret: [u8; 16]) -> Self {
        Self {
            namer,
            session: session_id,
            epoch,
            table: ServerTable::new(),
            flight: Flight::default(),
            next_sequence: 0,
            fresh: true,
            arrived: None,
            wanted: None,
            applied: next_input.saturating_sub(1),
            inputs: Inputs::new(next_input, OfferKey::new(&secret)),
            guesses: Guesses::default(),
            link: None,
            stats: Stats::default(),
        }
    }

    /// The letters of its server, which all of its sessions share. To be called before anybody connects.
    pub fn share(&mut self, alphabet: Arc<Alphabet>) {
        self.table.share(alphabet);
    }

    /// A client connected and said hello. Queues the welcome and decides whether its slots are still good.
    ///
    /// # Errors
    /// [`CloseCode::Version`] when there is no common version, [`CloseCode::Protocol`] when the client claims inputs that it can't have made.
    pub fn connect(&mut self, now_ms: u64, hello: &Hello) -> Result<(), CloseCode> {
        self.disconnect(now_ms);
        let version = VERSIONS.1.min(hello.versions.1);
        if version < VERSIONS.0.max(hello.versions.0) {
            return Err(CloseCode::Version);
        }
        let have = hello.have.filter(|have| have.session == self.session);
        let strange = hello.have.is_some() && have.is_none();
        if have.is_some_and(|have| !self.inputs.may_follow(have.first_open_input)) {
            return Err(CloseCode::Protocol);
        }
        let resumed = have.is_some_and(|have| self.resume(&have));
        if !resumed {
            self.start_afresh();
            self.arrived = None;
            self.inputs.forget_roots();
            self.guesses.forget();
        }
        self.table.set_budget(hello.table_kib);
        self.guesses.connect(hello.guesses);
        self.inputs.connect(have.map(|have| have.first_open_input));
        self.applied = self.applied.max(self.inputs.acknowledged());
        let welcome = ToClient::Welcome(Welcome {
            version,
            session: self.session,
            epoch: self.epoch,
            name_key: *self.namer.key(),
            resumed,
            acknowledged: self.inputs.acknowledged(),
            received: self.inputs.received(),
        });
        let open = have.filter(|have| have.open_inputs > 0);
        let catch_up = open.map(|have| CatchUp {
            input: have.first_open_input.saturating_sub(1) + u64::from(have.open_inputs),
            until_ms: now_ms + limits::CATCH_UP_MS,
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
            catch_up,
            strange,
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
            ToServer::Input { number, input } => self.handle_input(number, input, None),
            ToServer::GuessedInput { number, shown, input } => self.handle_input(number, input, Some(shown)),
            ToServer::FrameAck { sequence, waited_ms } => {
                self.handle_frame_ack(now_ms, sequence, u64::from(waited_ms));
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
        let shown_all = self.applied == self.inputs.offered();
        let Some((number, input)) = self.inputs.next(self.wanted.as_ref()) else {
            // What was refused has no effect that could be shown.
            self.applied = if shown_all { self.inputs.offered() } else { self.applied };
            return None;
        };
        Some(SenderEvent::Input { number, input })
    }

    /// The newest screen, with the effects of every input that was handed out. What was shown before and not sent yet is forgotten.
    pub fn show(&mut self, root: Arc<Node>) {
        self.show_as_of(root, self.inputs.offered());
    }

    /// The newest screen, with the effects of the inputs up to `applied`; those after it are still being worked on. A client that answered one of
    /// these by itself goes on showing what it has.
    pub fn show_as_of(&mut self, root: Arc<Node>, applied: u64) {
        self.wanted = Some(root);
        self.applied = self.applied.max(applied.min(self.inputs.offered()));
    }

    /// The effects of all inputs up to `number` are on disk.
    pub fn acknowledge_input(&mut self, number: u64) {
        self.inputs.acknowledge(number);
    }

    /// Whether an input waits for [`Self::acknowledge_input`] of the one before it: then that should not be put off.
    pub fn is_input_waiting(&self) -> bool {
        self.inputs.is_waiting()
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
        let due = dead.min(self.question_due(link));
        Some(link.catch_up.as_ref().map_or(due, |catch_up| due.min(catch_up.until_ms)))
    }

    /// Time has passed: asks whether anybody is there, or gives the connection up.
    ///
    /// # Errors
    /// With the code to close the connection with.
    pub fn handle_timeout(&mut self, now_ms: u64) -> Result<(), CloseCode> {
        let Some(link) = &mut self.link else { return Ok(()) };
        link.catch_up.take_if(|catch_up| now_ms >= catch_up.until_ms);
        let Some(link) = &self.link else { return Ok(()) };
        if let Some(code) = link.failed {
            return Err(code);
        }
        if now_ms >= link.heard_ms + limits::SERVER_DEAD_MS {
            return Err(CloseCode::TimedOut);
        }
        if now_ms >= self.question_due(link) {
            let oldest = self.flight.oldest().map(|sent| sent.sequence);
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
        let frame = self.flight.oldest().map(|sent| sent.at_ms + limits::FRAME_PROBE_MS);
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

    fn handle_input(
        &mut self,
        number: u64,
        input: Input,
        shown: Option<RootTag>,
    ) -> Result<Option<SenderEvent>, PeerError> {
        if self.link.as_ref().is_some_and(|link| link.strange) {
            return Ok(None);
        }
        let claimed = shown.map(|shown| (shown, input.clone()));
        match self.inputs.arrive(number, input, self.flight.roots())? {
            Arrival::Taken => {
                if let Some((shown, input)) = claimed {
                    let may_show = |name| {
                        self.inputs.may_show(name) || self.flight.roots().any(|root| root.id() == name)
                    };
                    let offers = self.guesses.claim(number, &input, shown, may_show);
                    offers.into_iter().for_each(|offers| self.inputs.root_guessed(offers));
                }
                Ok(self.poll_event())
            }
            Arrival::Known => Ok(None),
            Arrival::Gap => {
                self.queue(&ToClient::Resend { low: self.inputs.received() as u8 & 127 }).map(|()| None)
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
        let oldest = self.flight.oldest().map(|sent| sent.sequence);
        // The transport keeps order: the client got the frame before the question, so its acknowledgement was due before the answer.
        if question.oldest.is_some() && question.oldest == oldest { self.handle_nak(now_ms) } else { Ok(()) }
    }
}
