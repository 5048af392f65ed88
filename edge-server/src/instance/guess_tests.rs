//! Guesses of an instance step by step.

use std::sync::Arc;

use tresen_mpos::{Commit, Effect, Habit, Memory, World};
use tresen_scene::{Action, Label, Namer, Node, Op, Rect, Role, Touch, TouchState};
use tresen_session::Receiver;
use tresen_session::limits::GUESSES_KEPT;
use tresen_till::{Command, StaffId, demo};
use tresen_wire::{CloseCode, GuessKind, Input, Key, Look, ToClient};

use super::bench::{Bench, PATIENCE, Phone, TABLE, device};
use super::link::pair;
use super::{Attach, Request};
use crate::application::{AppInput, Application, Applications, Foreseen};
use crate::config::Prediction;
use crate::habits::{Around, Habits, Name};

/// A page that shows nothing.
const PLAIN: u8 = 0;
/// A page that shows how many guests sit at the table.
const GUESTS: u8 = 1;
/// A page that shows what the station is called.
const STATION_NAME: u8 = 2;
/// A page that can't be drawn for somebody who only thinks of it.
const TRAP: u8 = 3;
/// A page whose choice is nobody's business.
const QUIET: u8 = 4;
/// Seats five guests; shows nothing of it.
const SEAT: u8 = 9;

/// The kind of all taps.
const KIND: u8 = 1;

/// Pages to choose from.
#[derive(Clone)]
struct Pages {
    page: u8,
    /// Those that there are.
    choice: &'static [u8],
    staff: StaffId,
}

impl Applications for Pages {
    fn create(&self) -> Box<dyn Application> {
        Box::new(self.clone())
    }

    fn load(&self, _saved: &[u8]) -> Option<Box<dyn Application>> {
        None
    }
}

fn tap(what: u8) -> Input {
    Input::Tap(Action::new(&[what]))
}

impl Application for Pages {
    fn message(&mut self, _world: &World<'_>, input: AppInput) -> Vec<Effect> {
        match input {
            AppInput::Input(Input::Tap(action)) if action.bytes() == [SEAT] => {
                let commands = vec![Command::SetGuests { target: TABLE, guests: 5 }];
                return vec![Effect::Commit(Commit { staff: Some(demo::ANNA), commands })];
            }
            AppInput::Input(Input::Tap(action)) => self.page = action.bytes()[0],
            AppInput::Input(Input::Key(Key::Function(1))) => self.staff = demo::BEN,
            _ => {}
        }
        Vec::new()
    }

    fn view(&self, world: &World<'_>, _look: &Look) -> Arc<Node> {
        let text = match self.page {
            GUESTS => format!("{:?} guests", world.till.open_check(&TABLE).map(|check| check.guests)),
            STATION_NAME => world.station_name.to_owned(),
            page => format!("page {page} of {:?}", self.staff),
        };
        let rect = Rect::new(0, 0, 8, 8);
        let label = Op::Label(Label { rect, role: Role::Text, text: Some(text.into()) });
        let touches = self.choice.iter().map(|&what| {
            let rect = Rect::new(16 + 16 * i32::from(what), 0, 16, 16);
            let (action, state) = (Action::new(&[what]), TouchState::default());
            Op::from(Touch {
                rect,
                action,
                hold: None,
                role: Role::Button,
                label: None,
                state,
                pressed: None,
            })
        });
        let text = Some(format!("{:?}", self.staff).into());
        let viewer = Op::Label(Label { rect, role: Role::Viewer, text });
        Node::new(&Namer::new([0; 32]), 0, std::iter::once(label).chain(touches).chain([viewer]).collect())
    }

    fn save(&self) -> Vec<u8> {
        vec![self.page]
    }

    fn staff(&self) -> Option<StaffId> {
        Some(self.staff)
    }

    fn guess(&self, world: &World<'_>, input: &Input) -> Option<Foreseen> {
        let Input::Tap(action) = input else { return None };
        let page = action.bytes()[0];
        assert!(page != TRAP, "as the test wishes");
        let app = Box::new(Self { page, ..self.clone() });
        (page != SEAT).then(|| Foreseen { app, till: world.till.clone(), kind: GuessKind::Answer })
    }

    fn habit(&self, input: &Input) -> Option<Habit> {
        let Input::Tap(action) = input else { return None };
        let what = action.bytes()[0];
        let prior = if what == SEAT { 0.0 } else { 1.0 };
        let memory = if what == QUIET { Memory::Private } else { Memory::Counted };
        Some(Habit { screen: self.page.into(), kind: KIND, what: Some(what.into()), prior, memory })
    }
}

/// A device before the plain page.
async fn open(choice: &'static [u8]) -> (Bench, Phone) {
    let pages = Pages { page: PLAIN, choice, staff: demo::ANNA };
    let mut bench = Bench::predicting(Arc::new(pages), Prediction::Always).await;
    let phone = Phone::connect(&mut bench, device(2), receiver()).await;
    (bench, phone)
}

fn receiver() -> Receiver {
    let mut receiver = Receiver::new(crate::look::DEFAULT, None);
    receiver.set_guesses(GUESSES_KEPT as u16);
    receiver
}

/// The instance has nothing else to do.
fn guess(bench: &mut Bench, phone: &mut Phone) {
    while bench.instance.has_ideas() {
        bench.instance.guess();
        phone.exchange(bench);
    }
}

/// So much time passes that what was to be guessed again later is.
fn later(bench: &mut Bench, phone: &mut Phone) {
    let again = &mut bench.instance.guessing.again_due_ms;
    *again = again.map(|_| 0);
    bench.instance.time();
    guess(bench, phone);
}

fn shown(phone: &Phone) -> String {
    let root = phone.receiver.root().expect("a screen");
    let texts = root.ops().iter().find_map(|op| match op {
        Op::Label(label) => label.text.as_deref(),
        _ => None,
    });
    texts.unwrap_or_default().to_owned()
}

/// What a tap shows before the server is asked, if it shows anything.
fn foreseen(phone: &mut Phone, what: u8) -> Option<String> {
    phone.receiver.input(0, tap(what)).unwrap();
    phone.receiver.is_guess().then(|| shown(phone))
}

/// Promise: of an input that is private nothing is learned: neither that it was made, nor that it came before another.
#[tokio::test(flavor = "multi_thread")]
async fn of_a_private_input_nothing_is_learned() {
    let (mut bench, mut phone) = open(&[PLAIN, GUESTS, QUIET]).await;
    for _ in 0..5 {
        for what in [QUIET, GUESTS, PLAIN] {
            phone.receiver.input(0, tap(what)).unwrap();
            phone.exchange(&mut bench);
        }
    }
    let name = |what: u8| Name { kind: KIND, what: what.into() };
    let inputs = [(name(PLAIN), 1.0), (name(GUESTS), 1.0), (name(QUIET), 1.0)];
    let likely = |screen: u8, before| {
        let before = Some(name(before));
        bench.instance.around.habits.likelihoods(Around { screen: screen.into(), before }, &inputs)
    };
    let unknown = Around { screen: PLAIN.into(), before: None };
    assert_eq!(
        likely(PLAIN, PLAIN),
        Habits::default().likelihoods(unknown, &inputs),
        "nothing was tapped here"
    );
    assert_eq!(likely(QUIET, QUIET), likely(QUIET, 99), "it came before nothing");
    let [_, guests, _] = likely(QUIET, 99)[..] else { panic!("three") };
    assert!(guests > 0.5, "the others are counted: {guests}");
}

/// Promise: a try that panics ends guessing; the instance and its device go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_try_that_panics_takes_nothing_down() {
    let (mut bench, mut phone) = open(&[PLAIN, TRAP]).await;
    guess(&mut bench, &mut phone);
    assert!(!bench.instance.is_guessing(), "nothing more is tried");
    assert_eq!(foreseen(&mut phone, TRAP), None);
    phone.exchange(&mut bench);
    assert_eq!(shown(&phone), "page 3 of StaffId(1)", "the tap itself is answered");
}

/// Promise: what was foreseen before a booking of one's own is foreseen anew after it, also where the booking shows on another screen only.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_follow_a_booking_of_ones_own() {
    let (mut bench, mut phone) = open(&[GUESTS, SEAT]).await;
    guess(&mut bench, &mut phone);
    phone.receiver.input(0, tap(SEAT)).unwrap();
    phone.exchange(&mut bench);
    bench.land().await;
    phone.exchange(&mut bench);
    later(&mut bench, &mut phone);
    assert_eq!(foreseen(&mut phone, GUESTS).as_deref(), Some("Some(5) guests"));
}

/// Promise: what was foreseen for one person is not shown to the next one at the same station.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_end_with_the_person() {
    let (mut bench, mut phone) = open(&[PLAIN, GUESTS]).await;
    guess(&mut bench, &mut phone);
    assert!(phone.receiver.guesses_held() > 0);
    phone.press(&mut bench, Key::Function(1));
    assert_eq!(shown(&phone).as_str(), "page 0 of StaffId(2)");
    assert_eq!(foreseen(&mut phone, GUESTS), None, "this page would look the same");
    phone.exchange(&mut bench);
    guess(&mut bench, &mut phone);
    assert!(foreseen(&mut phone, PLAIN).is_some(), "and others are made");
    phone.exchange(&mut bench);
    assert_eq!((phone.receiver.guess_stats().hits, phone.receiver.guess_stats().misses), (1, 0));
}

/// Promise: a station's new name is on screens that are foreseen from then on.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_follow_a_new_name_of_the_station() {
    let (mut bench, mut phone) = open(&[STATION_NAME]).await;
    guess(&mut bench, &mut phone);
    bench.name.send_replace("Bar".to_owned());
    bench.instance.requested(Request::Renamed);
    guess(&mut bench, &mut phone);
    assert_eq!(foreseen(&mut phone, STATION_NAME).as_deref(), Some("Bar"));
}

/// Promise: a device that came back while another one waited for its station is told that it was replaced, not just cut off.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_replaced_gets_a_goodbye() {
    let (mut bench, phone) = open(&[PLAIN, GUESTS]).await;
    let Phone { device: first, receiver: mut back, .. } = phone;
    let mut attach = |device, receiver: &mut Receiver| {
        receiver.connect(0);
        let first = receiver.poll_transmit(0).unwrap();
        let Ok(tresen_wire::ToServer::Hello(hello)) = tresen_wire::ToServer::decode(&first) else {
            panic!("a hello comes first")
        };
        let (link, wire) = pair();
        bench.instance.attach(Box::new(Attach { device, hello, link }));
        wire
    };
    let _second = attach(device(3), &mut receiver());
    let mut wire = attach(first, &mut back);
    tokio::time::timeout(PATIENCE, bench.instance.all_on_disk()).await.unwrap();
    bench.instance.welcome_the_arriving();
    let said: Vec<_> = std::iter::from_fn(|| wire.outgoing.try_recv().ok()).collect();
    let last = said.last().map(|message| ToClient::decode(message).unwrap());
    assert!(matches!(last, Some(ToClient::Bye { code: CloseCode::Replaced, .. })), "{last:?}");
}
