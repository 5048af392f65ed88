//! Promises of the links: what was asked for comes out, over many packets; bandwidth is never exceeded; order is kept where it is promised;
//! a seed gives the same world again.

use proptest::prelude::*;
use tresen_world::dice::Dice;
use tresen_world::wan::*;

const PACKET: u64 = 1_000;

fn profile(text: &str) -> Profile {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn link(text: &str, seed: u64) -> Link<u64> {
    Link::new(profile(text).down, Dice::new(seed))
}

/// Sends a packet each `every_us`; gives when each that arrived did, and which it was.
fn sent_evenly(link: &mut Link<u64>, packets: u64, every_us: u64) -> Vec<(u64, u64)> {
    let mut arrived = Vec::new();
    for number in 0..packets {
        let now_us = number * every_us;
        take(link, now_us, &mut arrived);
        link.push(now_us, PACKET, number);
    }
    take(link, u64::MAX, &mut arrived);
    arrived
}

fn take(link: &mut Link<u64>, until_us: u64, arrived: &mut Vec<(u64, u64)>) {
    while let Some(due_us) = link.next_us().filter(|due| *due <= until_us) {
        let number = link.poll(due_us).expect("it is due");
        arrived.push((due_us, number));
    }
}

#[test]
fn delay_and_jitter_are_as_asked() {
    let arrived = sent_evenly(&mut link("near,rtt=80ms,jitter=10ms,rate=1Gbit", 1), 20_000, 100 * MS);
    let late = |(due_us, number): &(u64, u64)| due_us - number * 100 * MS - 40 * MS;
    let mean = arrived.iter().map(late).sum::<u64>() / arrived.len() as u64;
    assert_eq!(arrived.len(), 20_000);
    assert!((9_500..10_700).contains(&mean), "{mean} us of jitter in the mean");
    assert!(arrived.iter().map(late).max() <= Some(80 * MS + 20), "jitter has an end");
}

#[test]
fn loss_is_as_asked_alone_and_in_bursts() {
    for (text, burst_us) in [("near,loss=3%", 0), ("near,loss=3%,burst=100ms", 100 * MS)] {
        let every_us = 5 * MS;
        let arrived = sent_evenly(&mut link(text, 2), 400_000, every_us);
        let lost = 400_000 - arrived.len();
        assert!((10_500..13_500).contains(&lost), "{text}: {lost} of 400,000 lost");
        let gaps: Vec<u64> =
            arrived.windows(2).map(|pair| pair[1].1 - pair[0].1 - 1).filter(|gap| *gap > 0).collect();
        let mean = gaps.iter().sum::<u64>() as f64 / gaps.len() as f64;
        // A burst that is in the mean 20 packets long is one that hits at least one packet: a little longer.
        let expected = if burst_us == 0 { 1.0 / 0.97 } else { burst_us as f64 / every_us as f64 };
        assert!(
            (mean / expected - 1.0).abs() < 0.12,
            "{text}: bursts of {mean} packets, asked for {expected}"
        );
    }
}

#[test]
fn a_silent_link_forgets_its_burst() {
    let mut link = link("near,loss=50%,burst=10ms", 3);
    let lost = (0..2_000).filter(|hour| link.push(hour * HOUR, PACKET, 0) == Fate::Lost).count();
    assert!((900..1_100).contains(&lost), "{lost} of 2,000, an hour apart");
}

#[test]
fn a_full_queue_drops_at_its_tail() {
    let mut link = link("near,rate=1Mbit,queue=10KB", 4);
    let fates: Vec<Fate> = (0..20).map(|number| link.push(0, PACKET, number)).collect();
    assert!(
        fates[..10].iter().all(|fate| *fate == Fate::Taken)
            && fates[10..].iter().all(|fate| *fate == Fate::Dropped)
    );
    // A packet takes 8 ms to leave; then there is room for one more.
    assert_eq!(link.push(7_999, PACKET, 20), Fate::Dropped);
    assert_eq!(link.push(8_001, PACKET, 21), Fate::Taken);
}

#[test]
fn some_are_overtaken_and_some_come_twice() {
    let arrived = sent_evenly(&mut link("near,reorder=2%,duplicate=1%", 5), 50_000, 2 * MS);
    let overtaken = arrived.windows(2).filter(|pair| pair[1].1 < pair[0].1).count();
    assert!((800..1_200).contains(&overtaken), "{overtaken} of 50,000 were overtaken");
    assert!((50_400..50_600).contains(&arrived.len()), "{} arrivals of 50,000", arrived.len());
}

#[test]
fn nothing_arrives_during_an_outage_nor_what_was_under_way() {
    let mut path: Path<u64> = Path::new(&profile("near"), 0, Dice::new(6));
    path.push(0, Direction::Down, PACKET, 1);
    assert_eq!(path.change(Change::Down { until_us: SECOND }), 1);
    assert_eq!(path.push(SECOND / 2, Direction::Up, PACKET, 2), Fate::Lost);
    assert_eq!(path.push(SECOND, Direction::Up, PACKET, 3), Fate::Taken);
    assert_eq!(path.poll(HOUR), Some(Happening::Arrived(Direction::Up, 3)));
    assert_eq!(path.poll(HOUR), None);
}

#[test]
fn a_new_address_loses_what_flies_to_the_old_one() {
    let mut path: Path<u64> = Path::new(&profile("near"), 0, Dice::new(7));
    path.push(0, Direction::Up, PACKET, 1);
    path.push(0, Direction::Down, PACKET, 2);
    assert_eq!(path.change(Change::Address), 1);
    assert_eq!(path.poll(HOUR), Some(Happening::Arrived(Direction::Up, 1)));
    assert_eq!(path.poll(HOUR), None);
}

#[test]
fn the_weather_is_as_asked() {
    let mut weather = Weather::new(&profile("field,outage=5s/3m,address=10m"), 0, Dice::new(8));
    let (mut down_us, mut addresses, mut outages) = (0, 0, 0);
    while let Some(now_us) = weather.next_us().filter(|next| *next < 1_000 * HOUR) {
        match weather.poll(now_us) {
            Some(Change::Down { until_us }) => {
                outages += 1;
                down_us += until_us - now_us;
            }
            Some(Change::Address) => addresses += 1,
            None => panic!("something was due"),
        }
    }
    assert!((5_600..6_400).contains(&addresses), "{addresses} new addresses in 1,000 hours");
    assert!((18_500..20_500).contains(&outages), "{outages} outages in 1,000 hours");
    let mean_us = down_us / outages;
    assert!((4_850 * MS..5_150 * MS).contains(&mean_us), "down for {mean_us} us in the mean");
}

#[test]
fn a_stream_stalls_for_a_loss_and_keeps_everything() {
    let way = profile("near,loss=2%").up;
    let mut stream = Stream::new(way, 40 * MS, Dice::new(9));
    let (mut arrived, mut stalls) = (Vec::new(), 0);
    for number in 0..10_000_u64 {
        let now_us = number * SECOND;
        stream.push(now_us, PACKET, number);
        let due_us = stream.next_us().expect("nothing is lost");
        stalls += u64::from(due_us >= now_us + 200 * MS);
        arrived.push(stream.poll(due_us).expect("it is due"));
    }
    assert!((160..240).contains(&stalls), "{stalls} stalls of 10,000");
    assert!(arrived.is_sorted() && arrived.len() == 10_000);
}

#[test]
fn a_stream_goes_on_after_an_outage() {
    let mut stream = Stream::new(profile("near").up, 40 * MS, Dice::new(10));
    stream.push(0, PACKET, 1);
    stream.cut(MS, 10 * SECOND);
    stream.push(5 * SECOND, PACKET, 2);
    let first_us = stream.next_us().expect("it is sent again");
    assert!((10 * SECOND..21 * SECOND).contains(&first_us), "with the patience of TCP: {first_us}");
    assert_eq!(stream.poll(first_us), Some(1));
    assert_eq!(stream.poll(HOUR), Some(2));
}

#[test]
fn every_named_profile_reads_and_says_what_it_is() {
    for (name, _) in PROFILES {
        assert!(profile(name).to_string().starts_with(name));
    }
    let changed = profile(
        "far,rtt=300ms,loss=2.5%,burst=40ms,up=128kbit,down=1Mbit/s,queue=32KB,outage=5s/3m,address=1h",
    );
    assert_eq!(
        (changed.up.delay_us, changed.up.loss_ppm, changed.down.burst_us),
        (150 * MS, 25_000, 40 * MS)
    );
    assert_eq!((changed.up.rate_bit_s, changed.down.rate_bit_s), (128_000, 1_000_000));
    assert_eq!((changed.down.queue_bytes, changed.address_every_us), (32 * 1024, Some(HOUR)));
    assert_eq!(changed.outages, Some(Spells { lasts_us: 5 * SECOND, every_us: 3 * MINUTE }));
}

#[test]
fn what_is_no_profile_is_explained() {
    let error = |text: &str| text.parse::<Profile>().expect_err(text).to_string();
    assert!(error("fast").contains("lan, near, far"));
    assert!(error("far,speed=3").contains("what can be changed: rtt"));
    assert!(error("far,loss=3").contains("'3' is no share (with %)"));
    assert!(error("far,rtt=fast").contains("'fast' is no time"));
    assert!(error("far,loss=101%").contains("up to 100%"));
    assert!(error("far,outage=5s").contains("how long/how often"));
}

fn any_way() -> impl Strategy<Value = Way> {
    let rates = prop_oneof![Just(64_000_u64), 100_000_u64..100_000_000];
    (0_u64..200_000, 0_u64..40_000, 0_u32..200_000, 0_u64..200_000, rates, 2_000_u64..200_000).prop_map(
        |(delay_us, jitter_us, loss_ppm, burst_us, rate_bit_s, queue_bytes)| Way {
            delay_us,
            jitter_us,
            loss_ppm,
            burst_us,
            rate_bit_s,
            queue_bytes,
            reorder_ppm: 0,
            duplicate_ppm: 0,
        },
    )
}

proptest! {
    /// Whatever is put in and when: no stretch of time brings more than the bandwidth lets through, nothing is overtaken unless asked
    /// for, and nothing comes from nowhere.
    #[test]
    fn bandwidth_and_order_hold(
        way in any_way(),
        seed: u64,
        sent in proptest::collection::vec((0_u64..30_000, 40_u64..1_500), 1..200),
    ) {
        let mut link = Link::new(way.clone(), Dice::new(seed));
        let (mut now_us, mut taken, mut arrived) = (0, Vec::new(), Vec::new());
        let mut collect = |link: &mut Link<(usize, u64)>, until_us: u64| {
            while let Some(due_us) = link.next_us().filter(|due| *due <= until_us) {
                let (number, bytes) = link.poll(due_us).expect("it is due");
                arrived.push((due_us, number, bytes));
            }
        };
        for (number, (pause_us, bytes)) in sent.into_iter().enumerate() {
            now_us += pause_us;
            collect(&mut link, now_us);
            if link.push(now_us, bytes, (number, bytes)) == Fate::Taken {
                taken.push((now_us, number));
            }
        }
        collect(&mut link, u64::MAX);
        prop_assert!(arrived.is_sorted_by_key(|(_, number, _)| *number));
        prop_assert_eq!(arrived.iter().map(|(_, number, _)| *number).collect::<Vec<_>>(),
            taken.iter().map(|(_, number)| *number).collect::<Vec<_>>());
        for ((due_us, _, bytes), (sent_us, _)) in arrived.iter().zip(&taken) {
            prop_assert!(*due_us >= sent_us + way.delay_us + bytes * 8_000_000 / way.rate_bit_s);
        }
        for (first, (from_us, _, _)) in arrived.iter().enumerate() {
            let mut bytes = 0;
            for (until_us, _, more) in &arrived[first + 1..] {
                bytes += more;
                prop_assert!(bytes * 8_000_000 / way.rate_bit_s <= until_us - from_us);
            }
        }
    }

    /// The same seed and the same packets give the same arrivals.
    #[test]
    fn a_seed_replays(seed: u64) {
        let run = || sent_evenly(&mut link("field", seed), 300, 20 * MS);
        prop_assert_eq!(run(), run());
    }

    /// Any text gets an answer.
    #[test]
    fn any_text_is_a_profile_or_an_error(text in "(far|lan|x)?(,[a-z]{0,9}=?[0-9.]{0,5}[a-z%/]{0,5}){0,3}") {
        let _ = text.parse::<Profile>();
    }
}
