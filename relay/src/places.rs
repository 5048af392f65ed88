//! How many streams of TCP there are: at the node, from one network, to one edge server, and tunnels among them. In maps that are no larger than the number of
//! streams.
//!
//! Opening a stream costs nobody anything, so it must not keep others out: where all places are taken, whoever was there longest without having proven anything
//! makes room. Of a stream that is passed on, the proof is that the edge server has answered what came after the hello; of a tunnel, that somebody has been let
//! in by it.
//!
//! Invariants: who has proven something stays; a place is given back once.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use thiserror::Error;
use tokio_util::sync::CancellationToken;
use tresen_identity::Fingerprint;
use tresen_path::LimitKey;

use crate::node::lock;

/// Of all places, one in so many may be a tunnel: they leave room for browsers.
const TUNNELS_ARE: usize = 2;

/// How many passes may be open.
#[derive(Clone, Copy, Debug)]
pub struct PassLimits {
    /// At the node; half of them may be tunnels.
    pub node: usize,
    /// To one edge server.
    pub edge: usize,
    /// From one network.
    pub network: usize,
    /// Connects a minute from one network.
    pub connects_a_minute: NonZeroU32,
}

impl Default for PassLimits {
    fn default() -> Self {
        Self {
            node: 4_096,
            edge: 128,
            network: 256,
            connects_a_minute: NonZeroU32::new(1_200).expect("not zero"),
        }
    }
}

/// What is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Full {
    /// The node.
    #[error("the node passes on as many streams as it may")]
    Node,
    /// A network.
    #[error("its network has as many streams as it may")]
    Network,
    /// An edge server.
    #[error("its edge server has as many streams as it may")]
    Edge,
    /// The node.
    #[error("the node has as many tunnels as it may")]
    Tunnels,
}

/// Where places are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Node,
    Tunnels,
    Network(LimitKey),
    Edge(Fingerprint),
}

/// All of them.
pub(crate) struct Places {
    limits: PassLimits,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    open: HashMap<u64, Entry>,
    scopes: HashMap<Scope, Count>,
    displaced: u64,
}

struct Entry {
    scopes: Vec<Scope>,
    displaced: CancellationToken,
}

#[derive(Default)]
struct Count {
    all: usize,
    /// Who has proven nothing, the oldest first.
    unproven: BTreeSet<u64>,
}

/// One of them, given back when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    number: u64,
    displaced: CancellationToken,
}

impl Places {
    pub(crate) fn new(limits: PassLimits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// For somebody who has connected from there, and has not said to whom.
    pub(crate) fn take(self: &Arc<Self>, from: IpAddr) -> Result<Place, Full> {
        let displaced = CancellationToken::new();
        let mut taken = lock(&self.taken);
        let scopes = [Scope::Network(LimitKey::network(from)), Scope::Node];
        self.make_room(&mut taken, &scopes)?;
        let number = taken.next;
        taken.next += 1;
        taken.open.insert(number, Entry { scopes: Vec::new(), displaced: displaced.clone() });
        scopes.into_iter().for_each(|scope| taken.enter(number, scope));
        Ok(Place { places: self.clone(), number, displaced })
    }

    /// Room for one more in each of these scopes, if need be instead of one that has proven nothing; where one of them is full, nobody has to go for the others.
    fn make_room(&self, taken: &mut Taken, scopes: &[Scope]) -> Result<(), Full> {
        let mut going = BTreeSet::new();
        for scope in scopes {
            let (most, full) = self.most(scope);
            let Some(count) = taken.scopes.get(scope) else { continue };
            let is_going =
                |number: &u64| taken.open.get(number).is_some_and(|one| one.scopes.contains(scope));
            if count.all - going.iter().filter(|number| is_going(number)).count() >= most {
                let oldest = count.unproven.iter().find(|number| !going.contains(*number));
                going.insert(*oldest.ok_or(full)?);
            }
        }
        going.into_iter().for_each(|number| taken.displace(number));
        Ok(())
    }

    /// Streams that are open, and those that are about to be.
    pub(crate) fn count(&self) -> usize {
        lock(&self.taken).open.len()
    }

    /// Streams that had to make room for others.
    pub(crate) fn displaced(&self) -> u64 {
        lock(&self.taken).displaced
    }

    const fn most(&self, scope: &Scope) -> (usize, Full) {
        match scope {
            Scope::Node => (self.limits.node, Full::Node),
            Scope::Tunnels => (self.limits.node.div_ceil(TUNNELS_ARE), Full::Tunnels),
            Scope::Network(_) => (self.limits.network, Full::Network),
            Scope::Edge(_) => (self.limits.edge, Full::Edge),
        }
    }
}

impl Place {
    /// It is of somebody at this address, for whom another node has connected.
    pub(crate) fn of(&self, from: IpAddr) -> Result<(), Full> {
        let network = Scope::Network(LimitKey::network(from));
        let before = {
            let taken = lock(&self.places.taken);
            let entry = taken.open.get(&self.number);
            entry.and_then(|entry| {
                entry.scopes.iter().copied().find(|scope| matches!(scope, Scope::Network(_)))
            })
        };
        if before == Some(network) {
            return Ok(());
        }
        self.enter(network)?;
        if let Some(before) = before {
            lock(&self.places.taken).leave(self.number, &before);
        }
        Ok(())
    }

    /// It is to be at this edge server.
    pub(crate) fn at(&self, edge: Fingerprint) -> Result<(), Full> {
        self.enter(Scope::Edge(edge))
    }

    /// It is to be a tunnel.
    pub(crate) fn tunnel(&self) -> Result<(), Full> {
        self.enter(Scope::Tunnels)
    }

    /// Whoever has it, is not displaced any more.
    pub(crate) fn prove(&self) {
        let mut taken = lock(&self.places.taken);
        let Taken { open, scopes, .. } = &mut *taken;
        for scope in open.get(&self.number).into_iter().flat_map(|entry| &entry.scopes) {
            if let Some(count) = scopes.get_mut(scope) {
                count.unproven.remove(&self.number);
            }
        }
    }

    /// Returns when it went to somebody else.
    pub(crate) async fn displaced(&self) {
        self.displaced.cancelled().await;
    }

    /// Counts it there too, if need be instead of one that has proven nothing.
    fn enter(&self, scope: Scope) -> Result<(), Full> {
        let mut taken = lock(&self.places.taken);
        if !taken.open.contains_key(&self.number) {
            // It was displaced itself, and is about to end.
            return Ok(());
        }
        self.places.make_room(&mut taken, &[scope])?;
        taken.enter(self.number, scope);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places.taken).give_back(self.number);
    }
}

impl Taken {
    fn enter(&mut self, number: u64, scope: Scope) {
        if let Some(entry) = self.open.get_mut(&number) {
            let count = self.scopes.entry(scope).or_default();
            count.all += 1;
            count.unproven.insert(number);
            entry.scopes.push(scope);
        }
    }

    fn displace(&mut self, number: u64) {
        if let Some(entry) = self.give_back(number) {
            entry.displaced.cancel();
            self.displaced += 1;
        }
    }

    fn give_back(&mut self, number: u64) -> Option<Entry> {
        let entry = self.open.remove(&number)?;
        entry.scopes.iter().for_each(|scope| self.count_down(number, scope));
        Some(entry)
    }

    fn leave(&mut self, number: u64, scope: &Scope) {
        if let Some(entry) = self.open.get_mut(&number) {
            entry.scopes.retain(|entered| entered != scope);
            self.count_down(number, scope);
        }
    }

    fn count_down(&mut self, number: u64, scope: &Scope) {
        if let Some(count) = self.scopes.get_mut(scope) {
            count.all -= 1;
            count.unproven.remove(&number);
            if count.all == 0 {
                self.scopes.remove(scope);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PassLimits =
        PassLimits { node: 4, edge: 1, network: 2, connects_a_minute: NonZeroU32::MIN };

    fn is_displaced(place: &Place) -> bool {
        place.displaced.is_cancelled()
    }

    /// Promise: node, network and edge server have so many places and no more, and get them back; nothing is kept of who left.
    #[test]
    fn places_are_counted_and_given_back() {
        let places = Places::new(LIMITS);
        let take = |last: u8| {
            let taken = places.take([203, 0, 113, last].into());
            taken.inspect(Place::prove)
        };
        let (first, second) = (take(1).expect("room"), take(1).expect("room"));
        assert_eq!(take(1).err(), Some(Full::Network));
        let edge = Fingerprint::from_bytes([1; 32]);
        assert_eq!(first.at(edge), Ok(()));
        first.prove();
        assert_eq!(second.at(edge), Err(Full::Edge));
        let others = [take(2).expect("room"), take(2).expect("room")];
        assert_eq!(take(3).err(), Some(Full::Node));
        drop(first);
        assert_eq!(second.at(edge), Ok(()));
        assert_eq!(second.of([203, 0, 113, 2].into()), Err(Full::Network));
        drop(others);
        assert_eq!(second.of([203, 0, 113, 2].into()), Ok(()));
        let third = [take(1), take(1)];
        assert!(
            third.iter().all(Result::is_ok),
            "a place that went to another network is free in the first one"
        );
        drop((second, third));
        assert_eq!(places.count(), 0);
        assert_eq!(places.displaced(), 0, "whoever has proven something stays");
        let taken = lock(&places.taken);
        assert!(taken.scopes.is_empty() && taken.open.is_empty());
    }

    /// Promise: where it is full, the oldest of those who have proven nothing makes room, wherever it is full; a place is given back once.
    #[test]
    fn who_proves_nothing_makes_room() {
        let places = Places::new(LIMITS);
        let take = |last: u8| places.take([203, 0, 113, last].into()).expect("room");
        let (proven, oldest) = (take(1), take(1));
        proven.prove();
        let of_network = take(1);
        assert!(is_displaced(&oldest) && !is_displaced(&proven));
        let (third, fourth, fifth) = (take(2), take(3), take(4));
        assert!(is_displaced(&of_network), "the node was full");
        let edge = Fingerprint::from_bytes([1; 32]);
        assert_eq!((third.at(edge), fourth.at(edge)), (Ok(()), Ok(())));
        assert!(is_displaced(&third) && !is_displaced(&fourth));
        fourth.prove();
        assert_eq!(fifth.at(edge), Err(Full::Edge));
        assert_eq!(third.of([203, 0, 113, 9].into()), Ok(()), "who is about to end counts nowhere");
        assert_eq!((places.count(), places.displaced()), (3, 3));
        drop((oldest, of_network, third, proven, fourth, fifth));
        let taken = lock(&places.taken);
        assert!(taken.scopes.is_empty() && taken.open.is_empty());
    }

    /// Promise: tunnels leave room for browsers, and those by which nobody came make room for others.
    #[test]
    fn tunnels_have_a_share() {
        let places = Places::new(LIMITS);
        let take = |last: u8| places.take([203, 0, 113, last].into()).expect("room");
        let tunnels = [take(1), take(1), take(2)];
        assert!(tunnels.iter().all(|tunnel| tunnel.tunnel().is_ok()));
        assert!(is_displaced(&tunnels[0]));
        tunnels.iter().for_each(Place::prove);
        assert_eq!(take(3).tunnel(), Err(Full::Tunnels));
        let browsers = [take(3), take(3)];
        browsers.iter().for_each(Place::prove);
        assert!(!tunnels[1..].iter().any(is_displaced));
    }
}
