//! How many passes there are: at the node, from one network and to one edge server. In maps that are no larger than the number of passes.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use thiserror::Error;
use tresen_identity::Fingerprint;
use tresen_path::LimitKey;

use crate::node::lock;

/// How many passes may be open.
#[derive(Clone, Copy, Debug)]
pub struct PassLimits {
    /// At the node.
    pub node: usize,
    /// To one edge server.
    pub edge: usize,
    /// From one network.
    pub network: usize,
    /// Connects a minute from one network.
    pub connects_a_minute: u32,
}

impl Default for PassLimits {
    fn default() -> Self {
        Self { node: 4_096, edge: 128, network: 256, connects_a_minute: 1_200 }
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
}

/// All of them.
pub(crate) struct Places {
    limits: PassLimits,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    node: usize,
    networks: HashMap<LimitKey, usize>,
    edges: HashMap<Fingerprint, usize>,
}

/// One of them, given back when dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    network: LimitKey,
    edge: Option<Fingerprint>,
}

impl Places {
    pub(crate) fn new(limits: PassLimits) -> Arc<Self> {
        Arc::new(Self { limits, taken: Mutex::default() })
    }

    /// For somebody who has connected from there, and has not said to whom.
    pub(crate) fn take(self: &Arc<Self>, from: IpAddr) -> Result<Place, Full> {
        let network = LimitKey::network(from);
        let mut taken = lock(&self.taken);
        if taken.node >= self.limits.node {
            return Err(Full::Node);
        }
        if !count_up(&mut taken.networks, network, self.limits.network) {
            return Err(Full::Network);
        }
        taken.node += 1;
        Ok(Place { places: self.clone(), network, edge: None })
    }

    /// Passes that are open, and those who are about to be.
    pub(crate) fn count(&self) -> usize {
        lock(&self.taken).node
    }
}

impl Place {
    /// It is of somebody at this address, for whom another node has connected.
    pub(crate) fn of(&mut self, from: IpAddr) -> Result<(), Full> {
        let network = LimitKey::network(from);
        if network == self.network {
            return Ok(());
        }
        let mut taken = lock(&self.places.taken);
        if !count_up(&mut taken.networks, network, self.places.limits.network) {
            return Err(Full::Network);
        }
        count_down(&mut taken.networks, &self.network);
        self.network = network;
        Ok(())
    }

    /// It is to be at this edge server.
    pub(crate) fn at(&mut self, edge: Fingerprint) -> Result<(), Full> {
        let mut taken = lock(&self.places.taken);
        if !count_up(&mut taken.edges, edge, self.places.limits.edge) {
            return Err(Full::Edge);
        }
        self.edge = Some(edge);
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.places.taken);
        taken.node -= 1;
        count_down(&mut taken.networks, &self.network);
        if let Some(edge) = &self.edge {
            count_down(&mut taken.edges, edge);
        }
    }
}

fn count_up<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K, most: usize) -> bool {
    let count = counts.entry(key).or_default();
    let has_room = *count < most;
    *count += usize::from(has_room);
    has_room
}

fn count_down<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: node, network and edge server have so many places and no more, and get them back; nothing is kept of who left.
    #[test]
    fn places_are_counted_and_given_back() {
        let limits = PassLimits { node: 4, edge: 1, network: 2, connects_a_minute: 1 };
        let places = Places::new(limits);
        let (home, office) = (IpAddr::from([203, 0, 113, 1]), IpAddr::from([203, 0, 113, 2]));
        let mut first = places.take(home).expect("room");
        let mut second = places.take(home).expect("room");
        assert_eq!(places.take(home).err(), Some(Full::Network));
        let edge = Fingerprint::from_bytes([1; 32]);
        assert_eq!(first.at(edge), Ok(()));
        assert_eq!(second.at(edge), Err(Full::Edge));
        let others = [places.take(office).expect("room"), places.take(office).expect("room")];
        assert_eq!(places.take([203, 0, 113, 3].into()).err(), Some(Full::Node));
        drop(first);
        assert_eq!(second.at(edge), Ok(()));
        assert_eq!(second.of(office), Err(Full::Network));
        drop(others);
        assert_eq!(second.of(office), Ok(()));
        let third = [places.take(home), places.take(home)];
        assert!(
            third.iter().all(Result::is_ok),
            "a place that went to another network is free in the first one"
        );
        drop((second, third));
        assert_eq!(places.count(), 0);
        let taken = lock(&places.taken);
        assert!(taken.networks.is_empty() && taken.edges.is_empty());
    }
}
