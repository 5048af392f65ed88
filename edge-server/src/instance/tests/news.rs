//! What others book is drawn where it shows, and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tresen_ledger::{Ledger, Submission, SubmitError};
use tresen_mpos::{Effect, Tap, World};
use tresen_scene::{Namer, Node, ObjectId, touches};
use tresen_session::{Receiver, SenderEvent};
use tresen_till::{Command, ProductId, StationId, TableId, Target, Topic, demo};
use tresen_typeset::Typesetter;
use tresen_wire::{Input, Key, Look};

use super::super::bench::{Bench, Phone, TABLE, device};
use super::super::effects::checked;
use super::super::pins::PIN_CHECKS;
use super::super::task::{Instance, NEWS_EVERY_MS};
use crate::application::{AppInput, Application, Applications, Handhelds};

/// Shows how many guests sit at a table, and counts how often it is drawn.
struct TableView {
    drawn: Arc<AtomicUsize>,
}

struct TableViews(Arc<AtomicUsize>);

impl Applications for TableViews {
    fn create(&self) -> Box<dyn Application> {
        Box::new(TableView { drawn: self.0.clone() })
    }

    fn load(&self, _saved: &[u8]) -> Option<Box<dyn Application>> {
        None
    }
}

impl Application for TableView {
    fn message(&mut self, _world: &World<'_>, _input: AppInput) -> Vec<Effect> {
        Vec::new()
    }

    fn view(&self, world: &World<'_>, _look: &Look) -> Arc<Node> {
        self.drawn.fetch_add(1, Ordering::Relaxed);
        let guests = world.till.open_check(&TABLE).map_or(0, |check| check.guests);
        Node::new(&Namer::new([0; 32]), guests.into(), Vec::new())
    }

    fn looks_at(&self, _world: &World<'_>, _look: &Look) -> Vec<Topic> {
        vec![TABLE.into()]
    }

    fn save(&self) -> Vec<u8> {
        Vec::new()
    }
}

impl Bench {
    /// Somebody else books, unless the till refuses.
    async fn elsewhere(&self, command: Command) {
        let context = tresen_till::Context {
            staff: Some(demo::BEN),
            station: StationId(9),
            device: "elsewhere".into(),
            at: jiff::Timestamp::now(),
        };
        let submission = Submission { context, commands: vec![command], mark: None, records: Vec::new() };
        let done = self.ledger.submit(submission).await.unwrap();
        assert!(matches!(done, Ok(_) | Err(SubmitError::Refused(_))), "{done:?}");
    }

    /// Everybody is told, and listens.
    fn tell_news(&mut self) {
        self.instance.around.news.tell(|| self.ledger.till());
        self.listen();
    }

    fn listen(&mut self) {
        let rung = self.instance.news.heard();
        self.instance.heard_news(rung);
    }

    /// As if the pause before the next drawing were over.
    fn draw_what_was_put_off(&mut self) {
        let Instance { render_due_ms, news_due_ms, .. } = &mut self.instance;
        [render_due_ms, news_due_ms].into_iter().for_each(|due_ms| *due_ms = due_ms.map(|_| 0));
        self.instance.time();
    }

    fn fresh(&mut self) -> ObjectId {
        let look = self.instance.look();
        self.instance.with_world(&look, |app, world| app.view(world, &look)).id()
    }

    fn shown(&self) -> Option<ObjectId> {
        self.instance.session.as_ref().unwrap().shown()
    }

    /// An input from the device, with everything that comes of it.
    async fn tap(&mut self, input: Input) {
        let number = self.instance.session.as_ref().unwrap().applied + 1;
        self.instance.event(SenderEvent::Input { number, input });
        if self.instance.pin.is_some() {
            let right = checked(&mut self.instance.pin).await;
            self.instance.pin_checked(right);
        }
    }

    async fn log_in(&mut self) {
        self.tap(Input::Tap(Tap::Person(demo::ANNA).action())).await;
        for digit in [1, 2, 3, 4] {
            self.tap(Input::Key(Key::Digit(digit))).await;
        }
        while !self.instance.flights.is_empty() {
            self.land().await;
        }
    }
}

/// Promise: a booking at another table costs a screen no drawing; one at the table that it shows is drawn, once.
#[tokio::test]
async fn only_what_is_shown_is_drawn_again() {
    let drawn = Arc::new(AtomicUsize::new(0));
    let mut bench = Bench::with(Arc::new(TableViews(drawn.clone()))).await;
    let _phone = Phone::connect(&mut bench, device(2), Receiver::new(crate::look::DEFAULT, None)).await;
    bench.tell_news();
    let before = drawn.load(Ordering::Relaxed);
    let guests = |table, guests| Command::SetGuests { target: Target::Table(TableId(table)), guests };
    for table in 2..6 {
        bench.elsewhere(guests(table, 2)).await;
        bench.tell_news();
    }
    assert_eq!(drawn.load(Ordering::Relaxed), before, "nothing of it shows");
    bench.elsewhere(guests(1, 4)).await;
    bench.tell_news();
    bench.tell_news();
    assert_eq!(drawn.load(Ordering::Relaxed), before + 1, "it shows");
    assert_eq!(bench.shown(), Some(bench.fresh()));
}

/// Promise: what others book all the time is drawn some times a second and no more often, and the last of it is.
#[tokio::test]
async fn a_busy_room_is_drawn_now_and_then() {
    let drawn = Arc::new(AtomicUsize::new(0));
    let mut bench = Bench::with(Arc::new(TableViews(drawn.clone()))).await;
    let _phone = Phone::connect(&mut bench, device(2), Receiver::new(crate::look::DEFAULT, None)).await;
    bench.tell_news();
    let (before, begun_ms) = (drawn.load(Ordering::Relaxed), bench.instance.now_ms());
    for guests in 1..=60 {
        bench.elsewhere(Command::SetGuests { target: TABLE, guests: 1 + guests % 7 }).await;
        bench.tell_news();
        bench.instance.time();
    }
    let took_ms = bench.instance.now_ms() - begun_ms;
    let meanwhile = (drawn.load(Ordering::Relaxed) - before) as u64;
    assert!(
        (1..=2 + took_ms / NEWS_EVERY_MS).contains(&meanwhile),
        "drawn {meanwhile} times in {took_ms} ms"
    );
    let due_ms = bench.instance.news_due_ms;
    assert!(due_ms.is_none_or(|due_ms| due_ms <= begun_ms + took_ms + NEWS_EVERY_MS), "put off for ever");
    bench.draw_what_was_put_off();
    assert_eq!(bench.shown(), Some(bench.fresh()), "the last one is");
}

/// Promise: a window that is dragged is not drawn for each of its sizes, but for the last one.
#[tokio::test]
async fn a_window_that_is_dragged_is_drawn_now_and_then() {
    let drawn = Arc::new(AtomicUsize::new(0));
    let mut bench = Bench::with(Arc::new(TableViews(drawn.clone()))).await;
    let _phone = Phone::connect(&mut bench, device(2), Receiver::new(crate::look::DEFAULT, None)).await;
    let before = drawn.load(Ordering::Relaxed);
    let sizes = (0..200).map(|step| Look { width_px: 400 + step, ..crate::look::DEFAULT });
    sizes.for_each(|look| bench.instance.event(SenderEvent::Look(look)));
    let meanwhile = drawn.load(Ordering::Relaxed) - before;
    assert!(meanwhile < 10, "drawn {meanwhile} times");
    bench.draw_what_was_put_off();
    assert_eq!(bench.instance.status.shown().unwrap().size.w, 599, "the last one is");
}

/// Promise: nothing is drawn for whoever is not there, and who comes back sees the newest.
#[tokio::test]
async fn nothing_is_drawn_for_nobody() {
    let drawn = Arc::new(AtomicUsize::new(0));
    let mut bench = Bench::with(Arc::new(TableViews(drawn.clone()))).await;
    let Phone { device, receiver, wire } =
        Phone::connect(&mut bench, device(2), Receiver::new(crate::look::DEFAULT, None)).await;
    drop(wire);
    bench.instance.message(None);
    let before = drawn.load(Ordering::Relaxed);
    bench.elsewhere(Command::SetGuests { target: TABLE, guests: 3 }).await;
    bench.tell_news();
    assert_eq!(drawn.load(Ordering::Relaxed), before);
    let _phone = Phone::connect(&mut bench, device, receiver).await;
    assert_eq!(bench.shown(), Some(bench.fresh()));
}

/// Promise: the handheld's screen is what it would be if it were drawn anew, whatever its waiter taps and others book, though nearly nothing
/// of that makes it draw.
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_is_never_behind() {
    let typesetter = Typesetter::new(Namer::new([0; 32]));
    for seed in 0..4 {
        let mut bench = Bench::with(Arc::new(Handhelds::new(typesetter.clone()))).await;
        let _phone = Phone::connect(&mut bench, device(2), Receiver::new(crate::look::DEFAULT, None)).await;
        let mut random = StdRng::seed_from_u64(seed);
        for step in 0..150 {
            if bench.instance.app.staff().is_none() {
                bench.log_in().await;
            }
            match random.random_range(0..6) {
                0..3 => {
                    let root = bench.instance.session.as_ref().unwrap().root().unwrap().clone();
                    let touched = touches(&root);
                    let touch = &touched[random.random_range(0..touched.len())];
                    bench.tap(Input::Tap(touch.action.clone())).await;
                }
                3 => bench.tell_news(),
                4 => bench.elsewhere(something(&bench.ledger, &mut random)).await,
                _ => {
                    while !bench.instance.flights.is_empty() {
                        bench.land().await;
                    }
                }
            }
            if random.random_bool(0.3) {
                while !bench.instance.flights.is_empty() {
                    bench.land().await;
                }
                bench.tell_news();
                bench.listen();
                bench.draw_what_was_put_off();
                assert_eq!(bench.shown(), Some(bench.fresh()), "seed {seed}, step {step}");
            }
        }
    }
}

/// What somebody else may book now: guests and beers at the first tables, beers at his station, and payments of what is open.
fn something(ledger: &Ledger, random: &mut StdRng) -> Command {
    let till = ledger.till();
    let open: Vec<_> = till.open_checks().filter(|check| !check.lines.is_empty()).collect();
    if !open.is_empty() && random.random_bool(0.3) {
        let check = open[random.random_range(0..open.len())];
        let total = check.total();
        return Command::PayCash { check: check.id, expected: total, tendered: total };
    }
    let target = match random.random_range(0..7) {
        0 => Target::Direct(StationId(9)),
        table => Target::Table(TableId(table)),
    };
    let (product, quantity, note) = (ProductId(201), 1, "".into());
    Command::AddLine { target, product, quantity, modifiers: Vec::new(), note }
}

/// Promise: when everybody logs in at once, no more PINs are checked at a time than there are turns; the others wait, and are checked.
#[tokio::test]
async fn a_pin_waits_for_its_turn() {
    let typesetter = Typesetter::new(Namer::new([0; 32]));
    let mut bench = Bench::with(Arc::new(Handhelds::new(typesetter))).await;
    let _phone = Phone::connect(&mut bench, device(2), Receiver::new(crate::look::DEFAULT, None)).await;
    let turns = bench.instance.around.pin_checks.turns.clone();
    let mut others: Vec<_> = (0..PIN_CHECKS).map(|_| turns.try_acquire().unwrap()).collect();
    let first = bench.instance.session.as_ref().unwrap().applied + 1;
    let digits = [1, 2, 3, 4].map(|digit| Input::Key(Key::Digit(digit)));
    let inputs = [Input::Tap(Tap::Person(demo::ANNA).action())].into_iter().chain(digits);
    for (number, input) in (first..).zip(inputs) {
        bench.instance.event(SenderEvent::Input { number, input });
    }
    assert!(bench.instance.pin.is_some());
    tokio::task::yield_now().await;
    others.pop();
    assert_eq!(turns.available_permits(), 0, "the turn that became free is the waiting PIN's");
    assert!(checked(&mut bench.instance.pin).await);
    assert_eq!(turns.available_permits(), 1, "and free again");
}
