use proptest::prelude::*;
use tresen_till::{Check, Command, Context, ProductId, StationId, TableId, Target, demo};

use super::*;

const READERS: usize = 3;

fn table(index: usize) -> Target {
    Target::Table(TableId(1 + index as u32))
}

/// Orders a beer, or deletes it again: so a till may come back to what it was.
fn after_a_beer(till: &Till, target: Target) -> Till {
    let context = Context {
        staff: Some(demo::ANNA),
        station: StationId(1),
        device: "d".into(),
        at: jiff::Timestamp::now(),
    };
    let product = ProductId(201);
    let command = match till.open_check(&target) {
        Some(check) => Command::DeleteLine { check: check.id, line: check.lines[0].id },
        None => Command::AddLine { target, product, quantity: 1, modifiers: Vec::new(), note: "".into() },
    };
    till.decide_all(&context, &[command]).unwrap().0
}

/// Somebody who shows the check of a table.
struct Waiter {
    reader: Reader,
    till: watch::Receiver<Arc<Till>>,
    table: usize,
    shows: Option<Arc<Check>>,
    /// The till was read, but nobody knows yet what is looked at.
    reading: Option<Arc<Till>>,
    drawn: usize,
}

impl Waiter {
    fn new(news: &Arc<News>, till: &watch::Receiver<Arc<Till>>) -> Self {
        let (reader, till) = (news.reader(), till.clone());
        let mut waiter = Self { reader, till, table: 0, shows: None, reading: None, drawn: 0 };
        waiter.draw();
        waiter
    }

    fn read(&mut self) {
        let till = self.till.borrow_and_update().clone();
        self.shows = till.shared_check(&table(self.table));
        self.reading = Some(till);
        self.drawn += 1;
    }

    fn look(&mut self) {
        if let Some(till) = self.reading.take() {
            self.reader.look_at(vec![table(self.table).into()], &till, &self.till);
        }
    }

    fn draw(&mut self) {
        self.read();
        self.look();
    }

    fn listen(&mut self) {
        if self.reading.is_none() && self.reader.heard().shown && self.till.has_changed().unwrap() {
            self.draw();
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Book(usize),
    Tell,
    Open(usize, usize),
    Read(usize),
    Look(usize),
    Listen(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..READERS).prop_map(Step::Book),
        2 => Just(Step::Tell),
        1 => (0..READERS, 0..READERS).prop_map(|(reader, table)| Step::Open(reader, table)),
        2 => (0..READERS).prop_map(Step::Read),
        2 => (0..READERS).prop_map(Step::Look),
        2 => (0..READERS).prop_map(Step::Listen),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Promise: whoever draws only what he is rung for shows the newest till at rest, in whatever order things happen, also when a till is
    /// back to what it was before anybody was told.
    #[test]
    fn nobody_misses_anything(steps in steps()) {
        let (publish, till) = watch::channel(Arc::new(Till::demo()));
        let news = News::new(till.borrow().clone());
        let mut waiters: Vec<Waiter> = (0..READERS).map(|_| Waiter::new(&news, &till)).collect();
        for step in steps {
            match step {
                Step::Book(index) => {
                    let next = after_a_beer(&publish.borrow(), table(index));
                    publish.send_replace(Arc::new(next));
                }
                Step::Tell => news.tell(|| till.borrow().clone()),
                Step::Open(reader, table) => {
                    waiters[reader].table = table;
                    waiters[reader].draw();
                }
                Step::Read(reader) => waiters[reader].read(),
                Step::Look(reader) => waiters[reader].look(),
                Step::Listen(reader) => waiters[reader].listen(),
            }
        }
        news.tell(|| till.borrow().clone());
        for waiter in &mut waiters {
            waiter.look();
            waiter.listen();
            prop_assert_eq!(&waiter.shows, &till.borrow().shared_check(&table(waiter.table)));
        }
    }
}

/// Promise: a booking rings for whoever looks at its table, and not for those who look at others or away; a removed product for all who look
/// at anything.
#[test]
fn a_booking_rings_for_whom_it_concerns() {
    let (publish, till) = watch::channel(Arc::new(Till::demo()));
    let news = News::new(till.borrow().clone());
    let mut waiters: Vec<Waiter> = (0..READERS).map(|_| Waiter::new(&news, &till)).collect();
    waiters[1].table = 1;
    waiters[1].draw();
    waiters[2].reader.look_away();
    // Two of them guess as well, one of them of the other table.
    waiters[1].reader.guess_on([table(0).into()]);
    waiters[0].reader.guess_on([table(1).into()]);
    let next = after_a_beer(&till.borrow(), table(0));
    publish.send_replace(Arc::new(next));
    news.tell(|| till.borrow().clone());
    let heard = |waiters: &[Waiter]| -> Vec<Rung> { waiters.iter().map(|w| w.reader.heard()).collect() };
    let (shown, guessed, nothing) =
        (Rung { shown: true, guessed: false }, Rung { shown: false, guessed: true }, Rung::default());
    assert_eq!(heard(&waiters), [shown, guessed, nothing]);
    let next = after_a_beer(&till.borrow(), table(1));
    publish.send_replace(Arc::new(next));
    news.tell(|| till.borrow().clone());
    assert_eq!(heard(&waiters), [guessed, shown, nothing]);
    let mut next = Till::clone(&till.borrow());
    next.apply(&tresen_till::Event::ProductRemoved(ProductId(201)));
    publish.send_replace(Arc::new(next));
    news.tell(|| till.borrow().clone());
    let both = Rung { shown: true, guessed: true };
    assert_eq!(heard(&waiters), [both, both, nothing]);
    waiters[1].reader.guess_anew_on([table(2).into()]);
    let next = after_a_beer(&till.borrow(), table(0));
    publish.send_replace(Arc::new(next));
    news.tell(|| till.borrow().clone());
    assert_eq!(heard(&waiters), [shown, nothing, nothing], "what it guessed of before is no news to it");
}

/// Promise: a reader that is gone is forgotten.
#[test]
fn who_is_gone_is_forgotten() {
    let till = watch::channel(Arc::new(Till::demo())).1;
    let news = News::new(till.borrow().clone());
    let waiter = Waiter::new(&news, &till);
    waiter.reader.guess_on([Topic::Tables]);
    drop(waiter);
    let readers = news.lock();
    let left = (readers.all.len(), readers.by_topic.len(), readers.strays.len());
    assert_eq!((readers.guessing.len(), readers.guessing_by_topic.len()), (0, 0));
    assert_eq!(left, (0, 0, 0));
}

/// Promise: who has drawn a booking is not rung for it, also when others have booked since.
#[test]
fn what_was_drawn_is_no_news() {
    let (publish, till) = watch::channel(Arc::new(Till::demo()));
    let book = |target| {
        let next = after_a_beer(&publish.borrow(), target);
        publish.send_replace(Arc::new(next));
    };
    let news = News::new(till.borrow().clone());
    let mut waiters: Vec<Waiter> = (0..READERS).map(|_| Waiter::new(&news, &till)).collect();
    waiters[1].table = 1;
    book(table(1));
    waiters[1].draw();
    book(table(0));
    news.tell(|| till.borrow().clone());
    let heard: Vec<bool> = waiters.iter().map(|waiter| waiter.reader.heard().shown).collect();
    assert_eq!(heard, [true, false, true]);
    book(table(1));
    news.tell(|| till.borrow().clone());
    assert!(waiters[1].reader.heard().shown, "what comes after it is");
}
