//! NAT boxes, simulated: RFC 4787's mapping and filtering, by the names that people use.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// Chance from a seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    pub fn secret(&mut self) -> tresen_identity::Secret<32> {
        tresen_identity::Secret::new(std::array::from_fn(|_| self.below(256) as u8))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No box at all: a public address.
    Open,
    FullCone,
    AddressRestricted,
    PortRestricted,
    Symmetric,
    /// UDP gets to the relay and nowhere else.
    RelayOnly,
}

pub const ALL: [Kind; 6] = [
    Kind::Open,
    Kind::FullCone,
    Kind::AddressRestricted,
    Kind::PortRestricted,
    Kind::Symmetric,
    Kind::RelayOnly,
];

pub struct NatBox {
    pub kind: Kind,
    pub outside: IpAddr,
    mappings: Vec<Mapping>,
}

struct Mapping {
    inside: SocketAddr,
    /// A symmetric box has one for each destination.
    only_to: Option<SocketAddr>,
    port: u16,
    sent_to: BTreeSet<SocketAddr>,
}

impl NatBox {
    pub fn new(kind: Kind, outside: IpAddr) -> Self {
        Self { kind, outside, mappings: Vec::new() }
    }

    /// Forgets everything, as after a restart.
    pub fn restart(&mut self) {
        self.mappings.clear();
    }

    /// A packet leaves; from which address it then seems to come.
    pub fn leave(
        &mut self,
        dice: &mut Dice,
        inside: SocketAddr,
        to: SocketAddr,
        relay: IpAddr,
    ) -> Option<SocketAddr> {
        match self.kind {
            Kind::Open => return Some(inside),
            Kind::RelayOnly if to.ip() != relay => return None,
            _ => {}
        }
        let only_to = (self.kind == Kind::Symmetric).then_some(to);
        let at = self.mappings.iter().position(|known| known.inside == inside && known.only_to == only_to);
        let at = at.unwrap_or_else(|| {
            let is_free = |port: &u16| self.mappings.iter().all(|known| known.port != *port);
            let port = std::iter::repeat_with(|| 1024 + dice.below(64_512) as u16).find(is_free);
            let port = port.expect("a port is free");
            self.mappings.push(Mapping { inside, only_to, port, sent_to: BTreeSet::new() });
            self.mappings.len() - 1
        });
        self.mappings[at].sent_to.insert(to);
        Some(SocketAddr::new(self.outside, self.mappings[at].port))
    }

    /// A packet comes to an outside address; for whom inside it is.
    pub fn enter(&self, to: SocketAddr, from: SocketAddr) -> Option<SocketAddr> {
        let mapping = match self.kind {
            Kind::Open => return Some(to),
            _ => self.mappings.iter().find(|mapping| mapping.port == to.port())?,
        };
        let may = match self.kind {
            Kind::Open | Kind::FullCone => true,
            Kind::AddressRestricted => mapping.sent_to.iter().any(|sent_to| sent_to.ip() == from.ip()),
            Kind::PortRestricted | Kind::Symmetric => mapping.sent_to.contains(&from),
            Kind::RelayOnly => false,
        };
        may.then_some(mapping.inside)
    }
}
