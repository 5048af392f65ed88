//! What tests of an instance need: one that nobody runs but the test, and a device.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tempfile::TempDir;
use tokio::sync::watch;
use tresen_identity::Fingerprint;
use tresen_ledger::{Ledger, Options, Submission, SubmitError, limits};
use tresen_mpos::{Commit, Effect, World};
use tresen_scene::{Namer, Node};
use tresen_session::{Receiver, SenderEvent};
use tresen_till::{Command, StationId, TableId, Target, demo};
use tresen_typeset::Typesetter;
use tresen_wire::{Input, Key, Look, ToServer};

use super::flights::Cargo;
use super::link::{Wire, pair};
use super::marks::Marks;
use super::session::Session;
use super::task::Instance;
use super::{Attach, Place, Status, Surroundings};
use crate::application::{AppInput, Application, Applications};
use crate::config::Prediction;
use crate::darkroom::Darkroom;
use crate::site::Clock;

pub const STATION: u16 = 7;
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
pub const TABLE: Target = Target::Table(TableId(1));

/// Books guests for every digit. It saves whether a booking is on its way, how many were not written, and how often inputs were lost. The
/// tabulator makes its state larger than a mark may be, or small again.
#[derive(Clone, Copy, Default)]
pub struct Booker {
    pub on_its_way: bool,
    pub failed: u8,
    pub lost: u8,
    pub bulky: bool,
}

pub struct Bookers;

impl Applications for Bookers {
    fn create(&self) -> Box<dyn Application> {
        Box::new(Booker::default())
    }

    fn load(&self, saved: &[u8]) -> Option<Box<dyn Application>> {
        Some(Box::new(Booker::from_saved(saved)))
    }
}

impl Booker {
    fn from_saved(saved: &[u8]) -> Self {
        Self { on_its_way: saved[0] == 1, failed: saved[1], lost: saved[2], bulky: saved.len() > 3 }
    }
}

impl Application for Booker {
    fn message(&mut self, _world: &World<'_>, input: AppInput) -> Vec<Effect> {
        match input {
            AppInput::Input(Input::Key(Key::Digit(guests))) => {
                self.on_its_way = true;
                let commands = vec![Command::SetGuests { target: TABLE, guests: guests.into() }];
                return vec![Effect::Commit(Commit { staff: Some(demo::ANNA), commands })];
            }
            AppInput::Input(Input::Key(Key::Tab)) => self.bulky = !self.bulky,
            AppInput::Committed(_) => self.on_its_way = false,
            AppInput::Failed(_) => {
                *self = Self { on_its_way: false, failed: self.failed + 1, ..*self };
            }
            AppInput::InputsLost => self.lost += 1,
            _ => {}
        }
        Vec::new()
    }

    fn view(&self, _world: &World<'_>, _look: &Look) -> Arc<Node> {
        Node::new(&Namer::new([0; 32]), 0, Vec::new())
    }

    fn save(&self) -> Vec<u8> {
        let mut saved = vec![u8::from(self.on_its_way), self.failed, self.lost];
        if self.bulky {
            saved.resize(limits::MARK_BYTES + 1, 0);
        }
        saved
    }
}

/// An instance that nobody runs but the test.
pub struct Bench {
    pub instance: Instance,
    pub ledger: Ledger,
    pub name: watch::Sender<String>,
    folder: TempDir,
}

impl Bench {
    pub async fn open() -> Self {
        Self::with(Arc::new(Bookers)).await
    }

    pub async fn with(applications: Arc<dyn Applications>) -> Self {
        Self::predicting(applications, Prediction::Off).await
    }

    pub async fn predicting(applications: Arc<dyn Applications>, prediction: Prediction) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), Options::default()).unwrap();
        crate::demo::furnish(&ledger).await.unwrap();
        let around = Arc::new(Surroundings {
            ledger: ledger.clone(),
            news: super::News::new(ledger.till()),
            pin_checks: Arc::default(),
            clock: Arc::new(Clock::default()),
            namer: Namer::new([0; 32]),
            alphabets: Default::default(),
            applications,
            darkroom: Darkroom::new(Typesetter::new(Namer::new([0; 32]))),
            habits: Arc::default(),
            prediction,
            reprint: Box::new(|_| {}),
        });
        let (name, named) = watch::channel("Station 7".to_owned());
        let place = Place { number: STATION, name: named };
        let mut instance = Instance::new(around.clone(), place, Arc::new(Status::default()), true);
        let device = device(1);
        let id = instance.marks.session(device);
        instance.session = Some(Session::new(around.namer.clone(), id, device, 1, 1, crate::look::DEFAULT));
        Self { instance, ledger, name, folder }
    }

    /// An input arrives, and what is due is done.
    pub fn input(&mut self, number: u64, key: Key) {
        self.instance.event(SenderEvent::Input { number, input: Input::Key(key) });
        self.instance.mark_when_due();
    }

    /// The same, and a mark that was put off is due.
    pub fn input_and_mark(&mut self, number: u64, key: Key) {
        self.input(number, key);
        self.instance.hurry_mark();
        self.instance.mark_when_due();
    }

    pub async fn land(&mut self) -> Cargo {
        let (flight, answer) = self.instance.flights.land().await;
        self.instance.landed(&flight, answer);
        self.instance.mark_when_due();
        flight.cargo
    }

    /// What a start after a kill at this moment finds: how far the session has come, and the application's state.
    pub fn after_a_kill(&self) -> (u64, Booker) {
        let marks = Marks::read(&self.ledger, STATION);
        let id = self.instance.session.as_ref().unwrap().id;
        let saved = marks.saved.clone().unwrap_or(vec![0; 3]);
        (marks.next_input(id) - 1, Booker::from_saved(&saved))
    }

    pub fn applied(&self) -> u64 {
        self.instance.status.inputs.load(Ordering::Relaxed)
    }

    pub fn guests(&self) -> Option<u16> {
        self.ledger.till().open_check(&TABLE).map(|check| check.guests)
    }

    /// Keeps the ledger's writer busy, fills its queue, and hands back what frees it again.
    pub fn fill_the_queue(&self) -> Full {
        let other = rusqlite::Connection::open(self.folder.path().join("ledger.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut fillers = Vec::new();
        let mut taken = usize::MAX;
        // The writer may still be taking the one batch on which it then waits.
        while taken != fillers.len() {
            taken = fillers.len();
            loop {
                let mut filler = self.ledger.submit(filler());
                match filler.try_recv() {
                    Ok(Err(SubmitError::Overloaded(_))) => break,
                    Ok(answer) => panic!("the writer is not busy: {answer:?}"),
                    Err(_) => fillers.push(filler),
                }
            }
            std::thread::sleep(BATCH_TAKEN);
        }
        Full { other, fillers }
    }
}

/// A writer that wants to take a batch has done so after this.
const BATCH_TAKEN: std::time::Duration = std::time::Duration::from_millis(100);

pub fn device(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 32])
}

/// A device with the client's end of a session.
pub struct Phone {
    pub device: Fingerprint,
    pub receiver: Receiver,
    pub wire: Wire,
}

impl Phone {
    pub async fn connect(bench: &mut Bench, device: Fingerprint, mut receiver: Receiver) -> Self {
        receiver.connect(0);
        let first = receiver.poll_transmit(0).unwrap();
        let Ok(ToServer::Hello(hello)) = ToServer::decode(&first) else { panic!("a hello comes first") };
        let (link, wire) = pair();
        bench.instance.attach(Box::new(Attach { device, hello, link }));
        bench.instance.all_on_disk().await;
        bench.instance.welcome_the_arriving();
        let mut phone = Self { device, receiver, wire };
        phone.exchange(bench);
        phone
    }

    /// Carries everything that is queued, both ways.
    pub fn exchange(&mut self, bench: &mut Bench) {
        loop {
            bench.instance.flush();
            let down = self.wire.outgoing.try_recv().ok();
            if let Some(message) = &down {
                self.receiver.handle(0, message).unwrap();
            }
            let up = self.receiver.poll_transmit(0);
            if let Some(message) = &up {
                bench.instance.message(Some(message));
            }
            if down.is_none() && up.is_none() {
                return;
            }
        }
    }

    pub fn press(&mut self, bench: &mut Bench, key: Key) {
        self.receiver.input(0, Input::Key(key)).unwrap();
        self.exchange(bench);
    }
}

pub struct Full {
    other: rusqlite::Connection,
    fillers: Vec<tokio::sync::oneshot::Receiver<super::flights::Answer>>,
}

impl Full {
    pub async fn drain(self) {
        self.other.execute_batch("ROLLBACK").unwrap();
        for filler in self.fillers {
            filler.await.unwrap().unwrap();
        }
    }
}

pub fn filler() -> Submission {
    let context = tresen_till::Context {
        staff: None,
        station: StationId(0),
        device: "filler".into(),
        at: jiff::Timestamp::now(),
    };
    let record = tresen_ledger::Record { kind: "filler", key: "1".into(), value: Some(vec![1]) };
    Submission { context, commands: Vec::new(), mark: None, records: vec![record] }
}
