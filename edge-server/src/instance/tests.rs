//! An instance step by step, with a ledger that takes nothing for a while.

mod news;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tempfile::TempDir;
use tresen_identity::Fingerprint;
use tresen_ledger::{Ledger, Options, Submission, SubmitError, limits};
use tresen_mpos::{Commit, Effect, World};
use tresen_scene::{Namer, Node, ObjectId};
use tresen_session::{Receiver, SenderEvent};
use tresen_till::{Command, StationId, TableId, Target, demo};
use tresen_wire::{Input, Key, Look, ToServer};

use super::flights::Cargo;
use super::link::{Wire, pair};
use super::marks::Marks;
use super::session::Session;
use super::task::{Instance, UNSEEN_MARK_MS};
use super::{Attach, Place, Status, Surroundings};
use crate::application::{AppInput, Application, Applications};
use crate::site::Clock;

const STATION: u16 = 7;
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
const TABLE: Target = Target::Table(TableId(1));

/// Books guests for every digit. It saves whether a booking is on its way, how many were not written, and how often inputs were lost. The
/// tabulator makes its state larger than a mark may be, or small again.
#[derive(Clone, Copy, Default)]
struct Booker {
    on_its_way: bool,
    failed: u8,
    lost: u8,
    bulky: bool,
}

struct Bookers;

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
struct Bench {
    instance: Instance,
    ledger: Ledger,
    folder: TempDir,
}

impl Bench {
    async fn open() -> Self {
        Self::with(Arc::new(Bookers)).await
    }

    async fn with(applications: Arc<dyn Applications>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger.db"), Options::default()).unwrap();
        crate::demo::furnish(&ledger).await.unwrap();
        let around = Arc::new(Surroundings {
            ledger: ledger.clone(),
            news: super::News::new(ledger.till()),
            clock: Arc::new(Clock::default()),
            namer: Namer::new([0; 32]),
            applications,
            habits: Arc::default(),
            prediction: crate::config::Prediction::Off,
            reprint: Box::new(|_| {}),
        });
        let (_, name) = tokio::sync::watch::channel("Station 7".to_owned());
        let place = Place { number: STATION, name };
        let mut instance = Instance::new(around.clone(), place, Arc::new(Status::default()), true);
        let device = device(1);
        let id = instance.marks.session(device);
        instance.session = Some(Session::new(around.namer.clone(), id, device, 1, 1, crate::look::DEFAULT));
        Self { instance, ledger, folder }
    }

    /// An input arrives, and what is due is done.
    fn input(&mut self, number: u64, key: Key) {
        self.instance.event(SenderEvent::Input { number, input: Input::Key(key) });
        self.instance.mark_when_due();
    }

    /// The same, and a mark that was put off is due.
    fn input_and_mark(&mut self, number: u64, key: Key) {
        self.input(number, key);
        self.instance.hurry_mark();
        self.instance.mark_when_due();
    }

    async fn land(&mut self) -> Cargo {
        let (flight, answer) = self.instance.flights.land().await;
        self.instance.landed(&flight, answer);
        self.instance.mark_when_due();
        flight.cargo
    }

    /// What a start after a kill at this moment finds: how far the session has come, and the application's state.
    fn after_a_kill(&self) -> (u64, Booker) {
        let marks = Marks::read(&self.ledger, STATION);
        let id = self.instance.session.as_ref().unwrap().id;
        let saved = marks.saved.clone().unwrap_or(vec![0; 3]);
        (marks.next_input(id) - 1, Booker::from_saved(&saved))
    }

    fn applied(&self) -> u64 {
        self.instance.status.inputs.load(Ordering::Relaxed)
    }

    fn guests(&self) -> Option<u16> {
        self.ledger.till().open_check(&TABLE).map(|check| check.guests)
    }

    /// Keeps the ledger's writer busy, fills its queue, and hands back what frees it again.
    fn fill_the_queue(&self) -> Full {
        let other = rusqlite::Connection::open(self.folder.path().join("ledger.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut fillers = Vec::new();
        loop {
            let mut filler = self.ledger.submit(filler());
            match filler.try_recv() {
                Ok(Err(SubmitError::Overloaded(_))) => return Full { other, fillers },
                Ok(answer) => panic!("the writer is not busy: {answer:?}"),
                Err(_) => fillers.push(filler),
            }
        }
    }
}

fn device(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 32])
}

/// A device with the client's end of a session.
struct Phone {
    device: Fingerprint,
    receiver: Receiver,
    wire: Wire,
}

impl Phone {
    async fn connect(bench: &mut Bench, device: Fingerprint, mut receiver: Receiver) -> Self {
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
    fn exchange(&mut self, bench: &mut Bench) {
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

    fn press(&mut self, bench: &mut Bench, key: Key) {
        self.receiver.input(0, Input::Key(key)).unwrap();
        self.exchange(bench);
    }
}

struct Full {
    other: rusqlite::Connection,
    fillers: Vec<tokio::sync::oneshot::Receiver<super::flights::Answer>>,
}

impl Full {
    async fn drain(self) {
        self.other.execute_batch("ROLLBACK").unwrap();
        for filler in self.fillers {
            filler.await.unwrap().unwrap();
        }
    }
}

fn filler() -> Submission {
    let context = tresen_till::Context {
        staff: None,
        station: StationId(0),
        device: "filler".into(),
        at: jiff::Timestamp::now(),
    };
    let record = tresen_ledger::Record { kind: "filler", key: "1".into(), value: Some(vec![1]) };
    Submission { context, commands: Vec::new(), mark: None, records: vec![record] }
}

/// Promise: an input whose booking the ledger's full queue refused is acknowledged only with a state that says so, so a kill at any moment
/// never leaves it acknowledged, unbooked and taken for booked.
#[tokio::test(flavor = "multi_thread")]
async fn a_booking_that_a_full_queue_refused_is_never_taken_for_done() {
    let mut bench = Bench::open().await;
    let full = bench.fill_the_queue();
    bench.input(1, Key::Digit(5));
    full.drain().await;
    // The next input comes before the instance hears of the refusal.
    bench.input_and_mark(2, Key::Back);
    while !bench.instance.flights.is_empty() {
        bench.land().await;
        let (input, app) = bench.after_a_kill();
        assert!(!app.on_its_way || bench.guests().is_some(), "saved as on its way, but not on disk");
        assert!(input < 1 || app.failed == 1, "input {input} is covered by a state that knows of no refusal");
    }
    assert_eq!(bench.after_a_kill().0, 2, "both inputs were settled");
    assert_eq!(bench.guests(), None);
}

/// Promise: an input that books something is covered exactly when its booking is on disk.
#[tokio::test(flavor = "multi_thread")]
async fn no_state_is_saved_while_the_fate_of_a_booking_is_open() {
    let mut bench = Bench::open().await;
    for digit in [3, 9] {
        let before = bench.after_a_kill().0;
        bench.input(before + 1, Key::Digit(digit));
        bench.input_and_mark(before + 2, Key::Back);
        while !bench.instance.flights.is_empty() {
            bench.land().await;
            let (input, app) = bench.after_a_kill();
            let booked = bench.guests() == Some(digit.into());
            assert_eq!(input > before, booked, "an input is covered when its booking is on disk");
            assert!(!app.on_its_way || booked);
        }
    }
}

/// Promise: an input whose acknowledgement a device did not get is not applied again after the station forgot the device; the device gives it up,
/// and the person is told.
#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_device_applies_nothing_twice() {
    let mut bench = Bench::open().await;
    let mut phone = Phone::connect(&mut bench, device(2), Receiver::new(crate::look::DEFAULT, None)).await;
    phone.press(&mut bench, Key::Digit(5));
    // It is booked, but the connection breaks before the acknowledgement.
    bench.instance.all_on_disk().await;
    assert_eq!((bench.guests(), phone.receiver.unacknowledged()), (Some(5), 1));
    let Phone { device: forgotten, receiver, wire } = phone;
    drop(wire);

    for byte in 100..133 {
        let mut other =
            Phone::connect(&mut bench, device(byte), Receiver::new(crate::look::DEFAULT, None)).await;
        other.press(&mut bench, Key::Back);
    }
    let applied = bench.applied();
    let mut phone = Phone::connect(&mut bench, forgotten, receiver).await;
    assert_eq!(phone.receiver.unacknowledged(), 0, "given up");
    assert_eq!(bench.applied(), applied, "not applied again");
    assert!(bench.instance.app.save()[2] == 1, "and said");
    phone.press(&mut bench, Key::Back);
    assert_eq!(bench.applied(), applied + 1, "the device goes on");
    bench.instance.all_on_disk().await;
    phone.exchange(&mut bench);
    assert_eq!(phone.receiver.unacknowledged(), 0);
}

/// Promise: a mark that a full queue refused is tried again, so what was tapped meanwhile is acknowledged in the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_a_full_queue_refused_is_tried_again() {
    let mut bench = Bench::open().await;
    let full = bench.fill_the_queue();
    bench.input_and_mark(1, Key::Back);
    assert_eq!(bench.land().await, Cargo::Mark);
    full.drain().await;
    assert!(bench.instance.mark_due.is_wanted(), "it is due again");
    tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.unwrap();
    assert_eq!(bench.after_a_kill().0, 1);
}

/// Promise: a mark that failed for whatever reason is tried again, but not at once, and a stop does not wait for it for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_failed_is_tried_again_after_a_pause() {
    let mut bench = Bench::open().await;
    bench.input_and_mark(1, Key::Tab);
    assert_eq!(bench.land().await, Cargo::Mark);
    assert!(bench.instance.mark_due.is_wanted(), "it is due again");
    // So many that their mark is wanted at once, but for the pause.
    (2..=20).for_each(|number| bench.input(number, Key::Enter));
    assert!(bench.instance.flights.is_empty(), "no mark before the pause is over");
    tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.expect("it gives up");
    assert_eq!(bench.after_a_kill().0, 0, "nothing of it is on disk");
    bench.input(21, Key::Tab);
    tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.unwrap();
    assert_eq!(bench.after_a_kill().0, 21);
}

/// Promise: an input is not acknowledged when the ledger holds a later mark than the one that was to cover it, until one of ours stands above.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_the_ledger_passed_over_acknowledges_nothing() {
    let mut bench = Bench::open().await;
    let mut other = Marks::read(&bench.ledger, STATION);
    (0..2).for_each(|_| drop(other.make(&[0; 3])));
    let later = Submission { mark: Some(other.make(&[0; 3])), records: Vec::new(), ..filler() };
    bench.ledger.submit(later).await.unwrap().unwrap();
    bench.input_and_mark(1, Key::Enter);
    assert_eq!(bench.land().await, Cargo::Mark);
    assert_eq!(bench.instance.session.as_ref().unwrap().acknowledged(), 0);
    assert!(bench.instance.mark_due.is_wanted(), "it is due again");
    for _ in 0..4 {
        tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.unwrap();
    }
    assert_eq!((bench.instance.session.as_ref().unwrap().acknowledged(), bench.after_a_kill().0), (1, 1));
}

/// Promise: an input that comes while a booking is on its way is marked soon after that has landed, when nobody saw an effect of it; a booking
/// alone needs no mark soon.
#[tokio::test(flavor = "multi_thread")]
async fn an_input_during_a_commit_is_marked_soon_after_it() {
    let mut bench = Bench::open().await;
    bench.input(1, Key::Digit(5));
    assert_eq!(bench.land().await, Cargo::Commit);
    let soon_ms = || UNSEEN_MARK_MS + bench.instance.now_ms();
    assert!(
        bench.instance.mark_due.at_ms().is_none_or(|due_ms| due_ms > soon_ms()),
        "the booking was the mark"
    );
    bench.input(2, Key::Digit(6));
    bench.input(3, Key::Enter);
    assert_eq!(bench.land().await, Cargo::Commit);
    let soon_ms = UNSEEN_MARK_MS + bench.instance.now_ms();
    let due_ms = bench.instance.mark_due.at_ms();
    let soon = due_ms.is_some_and(|due_ms| due_ms <= soon_ms) || !bench.instance.flights.is_empty();
    assert!(soon, "due in {due_ms:?} ms, now it is {}", bench.instance.now_ms());
}

/// Promise: a tap that books nothing writes nothing at once. What nobody saw an effect of is marked soon, and many of them are, too.
#[tokio::test]
async fn taps_that_book_nothing_wait_for_their_mark() {
    let mut bench = Bench::open().await;
    for number in 1..=15 {
        bench.input(number, Key::Enter);
        assert!(bench.instance.flights.is_empty(), "input {number} is written at once");
    }
    let due_ms = bench.instance.mark_due.at_ms().expect("a mark that is due");
    assert!(due_ms <= bench.instance.now_ms() + 100, "an input without an effect is acknowledged soon");
    bench.input(16, Key::Enter);
    assert_eq!(bench.land().await, Cargo::Mark);
    assert_eq!(bench.after_a_kill().0, 16);
}
