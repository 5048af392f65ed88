//! Promise: what the back office says about a link is what was measured, in bounded memory, and never negative.

use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use tresen_session::Stats;

use super::record::CELLS;
use super::*;

const MINUTE_MS: u64 = 60_000;
const PERSON: Fingerprint = Fingerprint::from_bytes([1; 32]);

/// A connection whose counters a test turns.
#[derive(Default)]
struct Counters {
    sent: AtomicU64,
    lost: AtomicU64,
}

struct Fake(Arc<Counters>, Way);

impl Connection for Fake {
    fn way(&self) -> Way {
        self.1
    }

    fn address(&self) -> SocketAddr {
        ([192, 168, 1, 20], 5000).into()
    }

    fn packets(&self) -> Option<Packets> {
        let packets =
            Packets { sent: self.0.sent.load(Ordering::Relaxed), lost: self.0.lost.load(Ordering::Relaxed) };
        (self.1 == Way::Direct).then_some(packets)
    }
}

struct Bench {
    book: Book,
    status: Arc<Status>,
}

impl Bench {
    fn new() -> Self {
        Self { book: Book::default(), status: Arc::default() }
    }

    fn connect(&mut self, now_ms: u64, device: Fingerprint) -> (u64, Arc<Counters>) {
        let counters = Arc::new(Counters::default());
        let connection = Box::new(Fake(counters.clone(), Way::Direct));
        (self.book.begin(now_ms, device, connection, self.status.clone()), counters)
    }

    fn count(&self, epoch: u64, stats: Stats) {
        self.status.set_counted(Counted { device: PERSON, epoch, stats });
    }

    fn record(&self) -> &Record {
        &self.book.tracks[&PERSON].record
    }
}

fn set(counters: &Counters, sent: u64, lost: u64) {
    counters.sent.store(sent, Ordering::Relaxed);
    counters.lost.store(lost, Ordering::Relaxed);
}

fn measured(round_trips: u64, rtt_ms: u64, least_ms: u64) -> Stats {
    Stats { round_trips, rtt_ms: Some(rtt_ms), least_rtt_ms: Some(least_ms), ..Stats::default() }
}

#[test]
fn a_record_is_an_hour_and_no_more() {
    let mut bench = Bench::new();
    let (_, counters) = bench.connect(0, PERSON);
    for sample in 1..=6 * 90 {
        set(&counters, sample * 10, sample);
        bench.book.sample(sample * 10_000);
        if sample % 5 == 0 {
            bench.connect(sample * 10_000, PERSON);
        }
    }
    let now_ms = 90 * MINUTE_MS;
    let record = bench.record();
    assert_eq!(record.minutes(now_ms).iter().flatten().count(), CELLS);
    assert!(record.breaks(now_ms).count() <= 32 && record.breaks(now_ms).all(|at_ms| at_ms > 30 * MINUTE_MS));
    // Nobody connected any more: by and by nothing is left.
    assert!(record.minutes(now_ms + 61 * MINUTE_MS).iter().all(Option::is_none));
    assert_eq!(record.breaks(now_ms + 61 * MINUTE_MS).count(), 0);
}

#[test]
fn loss_is_what_was_lost_since_and_never_negative() {
    let mut bench = Bench::new();
    let (_, first) = bench.connect(0, PERSON);
    set(&first, 1000, 10);
    bench.book.sample(10_000);
    assert_eq!(bench.record().last(10_000, 1).packets, Packets { sent: 1000, lost: 10 });
    // Another connection counts from nothing.
    let (ticket, second) = bench.connect(MINUTE_MS, PERSON);
    set(&second, 100, 8);
    bench.book.sample(MINUTE_MS + 10_000);
    assert_eq!(bench.record().last(MINUTE_MS + 10_000, 1).packets, Packets { sent: 100, lost: 8 });
    // What a counter loses is not taken off.
    set(&second, 50, 0);
    bench.book.sample(2 * MINUTE_MS);
    assert_eq!(bench.record().last(2 * MINUTE_MS, 1).packets, Packets::default());
    assert_eq!(bench.record().last(2 * MINUTE_MS, 1).lost_permille(), None);
    set(&second, 150, 5);
    bench.book.end(2 * MINUTE_MS + 1, PERSON, ticket, Leaving::Closed);
    let all = bench.record().last(2 * MINUTE_MS + 1, CELLS);
    assert_eq!(all.packets, Packets { sent: 1200, lost: 23 }, "what happened before the end counts");
}

#[test]
fn a_session_that_begins_anew_counts_from_nothing() {
    let mut bench = Bench::new();
    bench.connect(0, PERSON);
    bench.count(7, Stats { hits: 40, misses: 2, guesses: 90, bytes: 5000, ..measured(3, 30, 20) });
    bench.book.sample(10_000);
    bench.count(7, Stats { hits: 41, misses: 2, guesses: 95, bytes: 5100, ..measured(4, 50, 20) });
    bench.book.sample(20_000);
    // The connection breaks, the session goes on.
    bench.connect(30_000, PERSON);
    bench.book.sample(40_000);
    let cell = bench.record().last(40_000, 1);
    assert_eq!((cell.hits, cell.misses, cell.guesses, cell.sent_bytes), (41, 2, 95, 5100));
    assert_eq!(
        (cell.rtt_ms(), cell.least_ms()),
        (Some(40), Some(20)),
        "a time is counted when it is measured"
    );
    // The server gave the device another session.
    bench.count(8, Stats { hits: 1, bytes: 70, ..measured(1, 10, 10) });
    bench.book.sample(50_000);
    let cell = bench.record().last(50_000, 1);
    assert_eq!((cell.hits, cell.sent_bytes, cell.least_ms()), (42, 5170, Some(10)));
    // Somebody else sits at the station now.
    let other = Fingerprint::from_bytes([2; 32]);
    let stats = Stats { hits: 999, ..Stats::default() };
    bench.status.set_counted(Counted { device: other, epoch: 9, stats });
    bench.book.sample(55_000);
    assert_eq!(bench.record().last(55_000, 1).hits, 42);
}

/// Promise: a device that comes back to a station where it was earlier does not bring along again what it did there then.
#[test]
fn coming_back_to_a_station_counts_nothing_twice() {
    let mut bench = Bench::new();
    let (first, elsewhere) = (bench.status.clone(), Arc::<Status>::default());
    let sent = |bytes| Stats { bytes, ..Stats::default() };
    let (ticket, _) = bench.connect(0, PERSON);
    bench.count(1, sent(700));
    bench.book.end(1_000, PERSON, ticket, Leaving::Goodbye);
    bench.status = elsewhere;
    let (ticket, _) = bench.connect(2_000, PERSON);
    bench.count(2, sent(30));
    bench.book.end(3_000, PERSON, ticket, Leaving::Goodbye);
    bench.status = first;
    let (ticket, _) = bench.connect(4_000, PERSON);
    bench.book.end(5_000, PERSON, ticket, Leaving::Goodbye);
    assert_eq!(bench.record().last(5_000, CELLS).sent_bytes, 730);
}

#[test]
fn breaks_are_told_from_leaving() {
    let mut bench = Bench::new();
    let (ticket, _) = bench.connect(0, PERSON);
    bench.book.end(1_000, PERSON, ticket, Leaving::Closed);
    let (ticket, _) = bench.connect(2_000, PERSON);
    bench.book.end(3_000, PERSON, ticket, Leaving::Goodbye);
    assert_eq!(bench.record().breaks(4_000).count(), 0);
    assert_eq!((bench.record().presence, bench.record().since_ms), (Presence::Away, 3_000));
    let (ticket, _) = bench.connect(5_000, PERSON);
    bench.book.end(6_000, PERSON, ticket, Leaving::Lost);
    let (replaced, _) = bench.connect(7_000, PERSON);
    let (ticket, _) = bench.connect(8_000, PERSON);
    assert_eq!(bench.record().breaks(9_000).collect::<Vec<_>>(), [6_000, 8_000]);
    bench.book.end(9_000, PERSON, replaced, Leaving::Lost);
    assert_eq!(bench.record().presence, Presence::Connected, "the connection that was replaced ends nothing");
    bench.book.end(9_500, PERSON, ticket, Leaving::Lost);
    assert_eq!(bench.record().trouble(10_000), Some(Trouble::Breaks { times: 3 }));
}

#[test]
fn a_poor_link_is_noticed_and_a_few_packets_are_not() {
    let mut bench = Bench::new();
    let (_, counters) = bench.connect(0, PERSON);
    set(&counters, 20, 4);
    bench.book.sample(10_000);
    assert_eq!(bench.record().trouble(10_000), None, "too few packets to tell");
    set(&counters, 100, 5);
    bench.book.sample(20_000);
    assert_eq!(bench.record().trouble(20_000), None);
    set(&counters, 110, 9);
    bench.book.sample(30_000);
    assert_eq!(bench.record().trouble(30_000), Some(Trouble::Loses { permille: 81 }));
    assert_eq!(bench.record().trouble(30_000 + 5 * MINUTE_MS), None, "that was a while ago");
    let later = 10 * MINUTE_MS;
    for sample in 0..3 {
        assert_eq!(bench.record().trouble(later), None);
        bench.count(1, measured(sample + 1, 450, 300));
        bench.book.sample(later + sample * 10_000);
    }
    assert_eq!(bench.record().trouble(later + 30_000), Some(Trouble::Slow { rtt_ms: 450 }));
}

#[test]
fn devices_are_bounded_and_the_one_that_left_first_goes() {
    let mut bench = Bench::new();
    let device = |number: usize| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Fingerprint::from_bytes(bytes)
    };
    let tickets: Vec<u64> = (0..MAX_DEVICES).map(|number| bench.connect(0, device(number)).0).collect();
    bench.connect(1, device(MAX_DEVICES));
    assert!(!bench.book.tracks.contains_key(&device(MAX_DEVICES)), "everybody is here: no room for one more");
    bench.book.end(20, device(5), tickets[5], Leaving::Closed);
    bench.book.end(10, device(3), tickets[3], Leaving::Closed);
    bench.connect(30, device(MAX_DEVICES));
    assert_eq!(bench.book.tracks.len(), MAX_DEVICES);
    assert!(!bench.book.tracks.contains_key(&device(3)) && bench.book.tracks.contains_key(&device(5)));
}

/// What a test does to a link.
#[derive(Clone, Debug)]
enum Step {
    Count { sent: u64, lost: u64 },
    Sample,
    Connect,
    Wait { ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..500_u64, 0..500_u64).prop_map(|(sent, lost)| Step::Count { sent, lost }),
        Just(Step::Sample),
        Just(Step::Connect),
        (0..200_000_u64).prop_map(|ms| Step::Wait { ms }),
    ]
}

proptest! {
    /// Promise: whatever counters and connections do, a share is a share and the record stays in its bounds.
    #[test]
    fn any_life_of_a_link_stays_within_bounds(steps in proptest::collection::vec(step(), 0..200)) {
        let mut bench = Bench::new();
        let (_, mut counters) = bench.connect(0, PERSON);
        let mut now_ms = 0;
        for step in steps {
            match step {
                Step::Count { sent, lost } => set(&counters, sent, lost),
                Step::Sample => bench.book.sample(now_ms),
                Step::Connect => counters = bench.connect(now_ms, PERSON).1,
                Step::Wait { ms } => now_ms += ms,
            }
            let record = bench.record();
            let shares = record.minutes(now_ms).into_iter().flatten().filter_map(|cell| cell.lost_permille());
            prop_assert!(shares.into_iter().all(|permille| permille <= 1000));
            prop_assert!(record.breaks(now_ms).count() <= 32);
        }
    }
}
