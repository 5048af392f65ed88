//! A relay whose operator is the enemy: what he can do to a till, and what he can't.

mod direct;
mod mischief;
mod node;

use std::time::Duration;

use tresen_edge::relay::join;
use tresen_identity::{Fingerprint, PairAnswer, RelayRoute};
use tresen_reach::NotReached;
use tresen_wire::CloseCode;

use crate::client::{Client, Native, goodbye};
use crate::memory::{TYPED, work};
use crate::world::World;
use mischief::Mischief;
use node::Evil;

/// Long enough that anything that comes through would have.
const LONG_ENOUGH: Duration = Duration::from_secs(3);

struct Site {
    world: World,
    route: RelayRoute,
}

/// A box that has joined the enemy.
async fn site(evil: &Evil) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let before = evil.edges();
    let route = join(folder.path(), &evil.at.to_string(), &evil.enrolment()).await.unwrap();
    let world = World::again(folder).await;
    let registering = async {
        while evil.edges() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), registering).await.expect("the box is there");
    Site { world, route }
}

impl Site {
    fn name(&self) -> Fingerprint {
        self.world.server.site.name
    }

    /// How many of a product stand on all open checks.
    fn booked(&self) -> u32 {
        let till = self.world.server.site.ledger.till();
        till.open_checks().flat_map(|check| &check.lines).map(|line| line.quantity).sum()
    }
}

/// Promise: a relay that flips bits, sends packets again, in another order, or to somebody else, and lies about addresses, changes nothing: every input
/// counts once, and the sessions go on. One that lets nothing intact through stops them; they go on when it ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_relay_changes_nothing() {
    let evil = Evil::start().await;
    let site = site(&evil).await;
    let mut waiters = Vec::new();
    for (seed, person, pin, table) in [(9, "Anna", "1234", "Table 4"), (10, "Ben", "2345", "Table 7")] {
        let native = site.world.paired(seed).await;
        let mut client = Client::new(native.through(&site.route, site.name()).await.unwrap());
        client.log_in(person, pin).await;
        client.tap(table).await;
        waiters.push(client);
    }
    let mut taps = 0;
    for mischief in [Mischief::Flip, Mischief::Replay, Mischief::Reorder, Mischief::Swap] {
        evil.play(mischief);
        let before = evil.spoiled();
        for _ in 0..6 {
            for client in &mut waiters {
                client.book("Cola 0,33").await;
                taps += 1;
                assert_eq!(site.booked(), taps, "{mischief:?}");
            }
        }
        assert!(evil.spoiled() > before + 10, "{mischief:?} was played");
    }
    evil.play(Mischief::FlipAll);
    waiters[0].tap_unconfirmed("Cola 0,33").await;
    tokio::time::sleep(LONG_ENOUGH).await;
    assert_eq!(site.booked(), taps, "nothing that was changed is taken");
    evil.play(Mischief::Honest);
    for client in &mut waiters {
        client.until("all is acknowledged", |client| client.receiver.unacknowledged() == 0).await;
        assert!(client.closed.is_none());
    }
    assert_eq!(site.booked(), taps + 1);
}

/// Promise: a relay that lets in whom it likes opens nothing: the box itself asks who is there.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_let_in_by_the_relay_is_not_let_in_by_the_box() {
    let evil = Evil::start().await;
    let site = site(&evil).await;
    let stranger = Native::new(11);
    let mut wire = stranger.through(&site.route, site.name()).await.expect("the relay lets everybody in");
    wire.outgoing
        .send(br#"{"pair":{"secret":"aaaaaaaaaaaaaaaaaaaaaaaaaa","name":"Mine"}}"#.to_vec())
        .unwrap();
    let answer = tokio::time::timeout(LONG_ENOUGH, wire.incoming.recv()).await.unwrap().unwrap();
    let answer: PairAnswer = serde_json::from_slice(&answer).unwrap();
    assert!(!matches!(answer, PairAnswer::Paired { .. }), "{answer:?}");
    let mut wire = stranger.through(&site.route, site.name()).await.unwrap();
    wire.outgoing.send(vec![0xff; 40]).unwrap();
    assert_eq!(goodbye(&mut wire.incoming).await, CloseCode::Unauthorised);
    assert!(site.world.server.site.registry.snapshot().devices.is_empty());
}

/// Promise: a relay that leads a device to another box, which is also paired with it, does not get a word of it: the device asks for its own by name.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_not_led_astray() {
    let evil = Evil::start().await;
    let (own, other) = (site(&evil).await, site(&evil).await);
    let native = own.world.paired(9).await;
    other.world.paired(9).await;
    evil.lead_astray(other.name());
    let error = native.through(&own.route, own.name()).await.err().expect("not its own box");
    assert!(matches!(error, NotReached::Connect(_)), "{error}");
    assert!(error.to_string().contains("the server does not answer through the relay"), "{error}");
    evil.lead_astray(own.name());
    native.through(&own.route, own.name()).await.expect("its own box");
}

/// Promise: of what stands on a handheld's screen and is typed there, nothing passes a relay's port in the clear.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_in_the_clear() {
    let evil = Evil::start().await;
    let site = site(&evil).await;
    let native = site.world.paired(9).await;
    let mut client = Client::new(native.through(&site.route, site.name()).await.unwrap());
    let needles = work(&mut client).await;
    let seen = evil.seen();
    assert!(seen.len() > 20_000, "{} bytes passed", seen.len());
    assert_eq!(needles.found_in(&seen), Vec::<&str>::new());
    let mut in_the_clear = seen;
    in_the_clear.extend_from_slice(TYPED.as_bytes());
    assert_eq!(needles.found_in(&in_the_clear), [TYPED], "the search finds what is there");
}
