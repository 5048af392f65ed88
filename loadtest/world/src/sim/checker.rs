//! What has to hold after each step, and at rest. It knows nothing of how sessions work; it compares what goes in with what comes out.
//!
//! - A screen that the client shows is one that the server showed, and never an older one than the client has shown before. Its pixels, painted
//!   bit by bit, are those of the server's scene, painted whole.
//! - What a person did is on disk once and in the order in which it was done. Missing may be only what the server refused because it stood on
//!   no screen, and what a client had not handed over when it forgot everything.
//! - An acknowledged input is on disk.
//! - Instead of a screen of the server the client may show a guess; what has to hold of these stands in [`super::guesses`].
//! - At most two frames are under way, and what waits to be sent stays small.
//! - On a transport that keeps order nobody has to be told off, and nothing has to be repaired.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tresen_scene::{Canvas, Namer, Node, ObjectId, Rect, ScrollOffsets};
use tresen_session::PeerError;
use tresen_session::limits::{GUESSES_IN_FLIGHT, REPAIRS};
use tresen_wire::limits::{FRAMES_IN_FLIGHT, INPUTS_OPEN};
use tresen_wire::{ClientTable, Input, SEQUENCES, ToClient, ToServer};

use super::app::SIZE;
use super::broken::Broken;
use super::guesses::Guesses;
use super::reach::stands;
use super::{Fault, Transport};

/// The server's scenes of so many of its last screens are kept, to paint them.
const SCENES_KEPT: usize = 64;
/// One screen in so many is painted whole and compared.
const PAINTED_ONE_IN: u64 = 16;
/// Packets of the stream that may wait at the server: two frames and some short answers; as often as a client may ask for repairs.
const MOST_QUEUED: usize = 64;

/// Something that a person did.
#[derive(Clone, Debug)]
struct Entered {
    number: u64,
    input: Input,
    may_be_missing: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flying {
    Frame,
    Guess,
}

#[derive(Debug)]
pub(super) struct Checker {
    fault: Fault,
    transport: Transport,
    /// When the server showed a screen, counted in screens; all of them.
    screens: HashMap<ObjectId, Vec<u64>>,
    scenes: VecDeque<Arc<Node>>,
    last_shown: Option<ObjectId>,
    shown: u64,
    /// The screen that the client has.
    client_at: u64,
    entered: VecDeque<Entered>,
    /// Handed to the app and not on disk.
    handed: VecDeque<(u64, Input)>,
    applied: VecDeque<(u64, Input)>,
    last_handed: u64,
    on_disk: u64,
    told: u64,
    /// What the client has not acknowledged.
    flying: VecDeque<(u8, Flying)>,
    pub guesses: Guesses,
    shadow: Option<(Namer, ClientTable)>,
    pub counts: Counts,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Messages of the session, both ways.
    pub messages: u64,
    pub inputs: u64,
    pub compared: u64,
    pub painted: u64,
    pub frames: u64,
}

impl Checker {
    pub fn new(fault: Fault, transport: Transport) -> Self {
        Self {
            fault,
            transport,
            screens: HashMap::new(),
            scenes: VecDeque::new(),
            last_shown: None,
            shown: 0,
            client_at: 0,
            entered: VecDeque::new(),
            handed: VecDeque::new(),
            applied: VecDeque::new(),
            last_handed: 0,
            on_disk: 0,
            told: 0,
            flying: VecDeque::new(),
            guesses: if transport == Transport::Rotten { Guesses::unchecked() } else { Guesses::default() },
            shadow: None,
            counts: Counts::default(),
        }
    }

    /// The server shows a screen.
    pub fn shown(&mut self, root: &Arc<Node>) {
        if self.last_shown == Some(root.id()) {
            return;
        }
        self.last_shown = Some(root.id());
        self.shown += 1;
        self.screens.entry(root.id()).or_default().push(self.shown);
        self.keep_scene(root);
    }

    /// The server sends what `root` is going to be if `input` is made on `base`.
    pub fn guessed(&mut self, base: ObjectId, input: &Input, root: &Arc<Node>) {
        let other = Input::Scan("another".into());
        let input = if self.fault == Fault::GuessForAnother { &other } else { input };
        self.guesses.guessed(base, input, root.id());
        self.keep_scene(root);
    }

    fn keep_scene(&mut self, root: &Arc<Node>) {
        if self.scenes.len() == SCENES_KEPT {
            self.scenes.pop_front();
        }
        self.scenes.push_back(root.clone());
    }

    /// The client got a screen of the server.
    pub fn client_has(&mut self, root: &Arc<Node>) -> Result<(), Broken> {
        let Some(times) = self.screens.get(&root.id()) else {
            return Err(Broken::new(format!(
                "the client shows {:?}, which the server never showed",
                root.id()
            )));
        };
        let later = times.partition_point(|time| *time < self.client_at);
        let Some(&time) = times.get(later) else {
            return Err(Broken::new(format!(
                "the client shows an old screen: the server showed it as number {:?}, the client had number {} before",
                times.last(),
                self.client_at
            )));
        };
        self.client_at = time;
        Ok(())
    }

    /// The client has painted what it shows; now and then that is compared bit by bit.
    pub fn client_shows(&mut self, id: ObjectId, canvas: &Canvas) -> Result<(), Broken> {
        self.counts.compared += 1;
        if self.counts.compared.is_multiple_of(PAINTED_ONE_IN) { self.pixels(id, canvas) } else { Ok(()) }
    }

    /// The picture is that of the server's scene with this name.
    pub fn pixels(&mut self, id: ObjectId, canvas: &Canvas) -> Result<(), Broken> {
        let Some(scene) = self.scenes.iter().rev().find(|scene| scene.id() == id) else { return Ok(()) };
        self.counts.painted += 1;
        let mut whole = Canvas::new(SIZE);
        whole.paint(scene, &[Rect::of_size(SIZE)], &ScrollOffsets::default(), None);
        if whole == *canvas {
            Ok(())
        } else {
            Err(Broken::new("the client's picture is not that of its screen".into()))
        }
    }

    /// A person did something, and the client took it.
    pub fn entered(&mut self, number: u64, input: &Input) {
        self.counts.inputs += 1;
        // A client that forgot everything counts on from where the server is: what it had above that was never there.
        self.entered.retain(|earlier| !earlier.may_be_missing || earlier.number < number);
        self.entered.push_back(Entered { number, input: input.clone(), may_be_missing: false });
    }

    /// The client starts again with nothing.
    pub fn client_forgot(&mut self) {
        self.entered.iter_mut().for_each(|entered| entered.may_be_missing = true);
        self.guesses.client_forgot();
    }

    /// The server hands an input to the app; `root` is the screen before it.
    pub fn handed(&mut self, number: u64, input: &Input, root: Option<&Arc<Node>>) -> Result<(), Broken> {
        if number <= self.last_handed {
            return Err(Broken::new(format!("input {number} comes after {}", self.last_handed)));
        }
        self.refused(self.last_handed + 1..number, root)?;
        self.last_handed = number;
        self.handed.push_back((number, input.clone()));
        Ok(())
    }

    /// The app took an input.
    pub fn applied(&mut self, number: u64, input: &Input) -> Result<(), Broken> {
        self.applied.push_back((number, input.clone()));
        let most = INPUTS_OPEN as usize * 2;
        if self.applied.len() > most {
            Err(Broken::new(format!("more than {most} inputs wait for the disk")))
        } else {
            Ok(())
        }
    }

    /// An end broke the protocol, as the other one sees it.
    pub fn told_off(&self, who: &str, error: PeerError) -> Result<(), Broken> {
        self.unless_rotten(|| format!("the {who} is told: {error}"))
    }

    /// What only a transport that breaks its promises may bring about.
    pub fn unless_rotten(&self, what: impl FnOnce() -> String) -> Result<(), Broken> {
        if self.is_rotten() { Ok(()) } else { Err(Broken::new(what())) }
    }

    fn is_rotten(&self) -> bool {
        self.transport == Transport::Rotten
    }

    /// A mark is on disk: everything up to this input.
    pub fn on_disk(&mut self, number: u64) -> Result<(), Broken> {
        self.on_disk = self.on_disk.max(number);
        self.handed.retain(|(handed, _)| *handed > number);
        while self.applied.front().is_some_and(|(applied, _)| *applied <= number)
            && let Some((applied, input)) = self.applied.pop_front()
        {
            loop {
                let Some(expected) = self.entered.pop_front() else {
                    return Err(Broken::new(format!(
                        "input {applied} {input:?} was done once and applied twice, or never done"
                    )));
                };
                if expected.input == input && (expected.number == applied || expected.number == u64::MAX) {
                    break;
                }
                if !expected.may_be_missing && !self.is_rotten() {
                    let Entered { number, input: missing, .. } = expected;
                    return Err(Broken::new(format!(
                        "input {number} {missing:?} is missing before {applied} {input:?}"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The server was killed: what was not on disk never was.
    pub fn server_restarted(&mut self) {
        self.handed.clear();
        self.applied.clear();
        self.last_handed = self.on_disk;
        self.told = self.told.min(self.on_disk);
        self.flying.clear();
        self.shadow = None;
        self.last_shown = None;
    }

    /// The client is connected anew.
    pub fn connected(&mut self) {
        self.flying.clear();
        self.guesses.connected();
    }

    /// The server sends a message; `root` is its newest screen.
    pub fn server_says(&mut self, message: &[u8], root: Option<&Arc<Node>>) -> Result<(), Broken> {
        self.counts.messages += 1;
        self.guesses.said += 1;
        let message = ToClient::decode(message)
            .map_err(|error| Broken::new(format!("the server says nonsense: {error}")))?;
        match message {
            ToClient::Welcome(welcome) => {
                if self.fault == Fault::ForgetUndo && self.shadow.is_none() {
                    self.shadow = Some((Namer::new(welcome.name_key), ClientTable::default()));
                }
                if !welcome.resumed {
                    self.guesses.forgotten();
                }
                self.acknowledged(welcome.acknowledged, root)
            }
            ToClient::InputAck { low } => self.acknowledged(self.in_full(low), root),
            ToClient::Frame(frame) => {
                self.counts.frames += 1;
                if frame.fresh {
                    self.flying.clear();
                }
                self.flying.push_back((frame.sequence, Flying::Frame));
                if let Some((namer, shadow)) = &mut self.shadow {
                    if frame.fresh {
                        shadow.clear();
                    }
                    if frame.body.is_empty() {
                        shadow.confirm(namer);
                    } else {
                        let _ = shadow.apply(namer, frame.body);
                    }
                }
                if let Some(applied) = frame.applied {
                    self.guesses.answers(applied);
                }
                self.few_flying()?;
                frame.input_ack.map_or(Ok(()), |low| self.acknowledged(self.in_full(low), root))
            }
            ToClient::Resend { .. } => {
                self.unless_rotten(|| "the server misses an input that can't be lost".into())
            }
            ToClient::Guess(guess) => {
                self.flying.push_back((guess.sequence, Flying::Guess));
                if let Some((namer, shadow)) = &mut self.shadow {
                    let _ = shadow.apply(namer, guess.body);
                }
                self.few_flying()
            }
            ToClient::Ping { .. } | ToClient::Pong { .. } | ToClient::Bye { .. } => Ok(()),
        }
    }

    /// The server hears a message.
    pub fn client_said(&mut self, message: &[u8]) -> Result<(), Broken> {
        self.counts.messages += 1;
        match ToServer::decode(message) {
            Ok(ToServer::FrameAck { sequence, .. }) => {
                if let Some(at) = self.flying.iter().position(|(flying, _)| *flying == sequence % SEQUENCES) {
                    self.flying.drain(..=at);
                }
                Ok(())
            }
            Ok(ToServer::Nak) => self
                .unless_rotten(|| "the client asks for a repair, although the transport keeps order".into()),
            Ok(_) => Ok(()),
            Err(error) => self.unless_rotten(|| format!("the client says nonsense: {error}")),
        }
    }

    /// The server has said what it had to say; it shows the effects of the inputs up to this one.
    pub fn server_is_done(&self, shown: u64) -> Result<(), Broken> {
        let frames = self.flying.iter().filter(|(_, flying)| *flying == Flying::Frame).count();
        if frames < FRAMES_IN_FLIGHT { self.guesses.owes(shown) } else { Ok(()) }
    }

    /// Packets wait at the server to be sent or acknowledged.
    pub fn queued_at_server(&self, packets: usize) -> Result<(), Broken> {
        let most = if self.is_rotten() { MOST_QUEUED * REPAIRS as usize } else { MOST_QUEUED };
        if packets <= most {
            Ok(())
        } else {
            Err(Broken::new(format!("{packets} packets wait at the server")))
        }
    }

    /// What the server's table would be if everything that was sent had arrived.
    pub fn shadow_digest(&self) -> Option<[u8; 16]> {
        self.shadow.as_ref().map(|(_, table)| table.digest())
    }

    /// Nothing happens any more: everything is where it belongs.
    pub fn at_rest(&mut self) -> Result<(), Broken> {
        let missing = self.entered.iter().find(|entered| !entered.may_be_missing && !self.is_rotten());
        if let Some(Entered { number, input, .. }) = missing {
            return Err(Broken::new(format!("input {number} {input:?} is lost")));
        }
        self.entered.clear();
        Ok(())
    }

    fn few_flying(&self) -> Result<(), Broken> {
        for (kind, most) in [(Flying::Frame, FRAMES_IN_FLIGHT), (Flying::Guess, GUESSES_IN_FLIGHT)] {
            let flying = self.flying.iter().filter(|(_, flying)| *flying == kind).count();
            if flying > most && !self.is_rotten() {
                return Err(Broken::new(format!("{flying} are under way of {kind:?}")));
            }
        }
        Ok(())
    }

    fn in_full(&self, low: u8) -> u64 {
        self.told + (u64::from(low).wrapping_sub(self.told) & 127)
    }

    /// The server acknowledges everything up to this input.
    fn acknowledged(&mut self, number: u64, root: Option<&Arc<Node>>) -> Result<(), Broken> {
        self.told = self.told.max(number);
        if let Some((handed, _)) = self.handed.iter().find(|(handed, _)| *handed <= number) {
            return Err(Broken::new(format!("input {handed} is acknowledged and not on disk")));
        }
        self.refused(self.last_handed + 1..number + 1, root)
    }

    /// These were acknowledged without effect. That may be only if they stand on no screen; they may come again, and have an effect then.
    fn refused(&mut self, numbers: std::ops::Range<u64>, root: Option<&Arc<Node>>) -> Result<(), Broken> {
        let rotten = self.is_rotten();
        for entered in self.entered.iter_mut().filter(|entered| numbers.contains(&entered.number)) {
            if !entered.may_be_missing && !rotten && root.is_some_and(|root| stands(&entered.input, root)) {
                let Entered { number, input, .. } = entered;
                return Err(Broken::new(format!(
                    "input {number} {input:?} is refused, although it stands on the screen"
                )));
            }
            entered.may_be_missing = true;
        }
        Ok(())
    }
}
