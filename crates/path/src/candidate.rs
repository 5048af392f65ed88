//! Candidates: addresses at which an endpoint may be reached.
//!
//! The shell gathers: addresses of interfaces with the port of the socket, what a router was asked to map (UPnP, PCP, NAT-PMP), and how the relay
//! sees the endpoint ([`crate::KnockEvent::Here`], the grant). What can't be anybody's address is left out, on both sides.

use std::net::{IpAddr, SocketAddr};

use crate::address::{canonical, is_tunnel};
use crate::limits;

/// Where an address is from. The order is that in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CandidateKind {
    /// An interface's own.
    Host,
    /// A router maps it on request.
    Mapped,
    /// A relay sees it.
    Observed,
}

/// An address at which an endpoint may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate {
    /// Where it is from.
    pub kind: CandidateKind,
    /// The address.
    pub address: SocketAddr,
}

/// Whether a NAT box shows the same address to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// Fewer than two have looked.
    Unknown,
    /// The same to all.
    Stable,
    /// Another one to each (a symmetric NAT).
    PerDestination,
}

/// What an endpoint knows of its own addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    candidates: Vec<Candidate>,
    mapping: Mapping,
}

impl Local {
    /// Sorts out what was gathered. `observed` is how the endpoint looks from places of different addresses or ports, with the same socket: two
    /// nodes, or two ports of a node. Beyond [`limits::CANDIDATES`] the last ones are left out.
    #[must_use]
    pub fn new(interfaces: &[SocketAddr], mapped: &[SocketAddr], observed: &[SocketAddr]) -> Self {
        let kinds = [
            (CandidateKind::Host, interfaces),
            (CandidateKind::Mapped, mapped),
            (CandidateKind::Observed, observed),
        ];
        let mut candidates: Vec<Candidate> = Vec::new();
        for (kind, addresses) in kinds {
            for address in addresses.iter().map(|address| canonical(*address)) {
                let is_new = candidates.iter().all(|other| other.address != address);
                if is_new && is_address(address) && candidates.len() < limits::CANDIDATES {
                    candidates.push(Candidate { kind, address });
                }
            }
        }
        Self { mapping: mapping_of(interfaces, observed), candidates }
    }

    /// What it offers.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// What its NAT box does.
    #[must_use]
    pub const fn mapping(&self) -> Mapping {
        self.mapping
    }

    /// Whether a peer's candidate is worth a try: loopback only for whoever offers one himself, because it is then the same machine (the demo).
    pub(crate) fn may_try(&self, address: SocketAddr) -> bool {
        let offers_loopback = self.candidates.iter().any(|own| own.address.ip().is_loopback());
        is_address(address) && (offers_loopback || !address.ip().is_loopback())
    }
}

fn mapping_of(interfaces: &[SocketAddr], observed: &[SocketAddr]) -> Mapping {
    // IPv6 is not translated, or prefix by prefix; IPv4 alone tells.
    let is_told = |address: &SocketAddr| address.is_ipv4() && !is_tunnel(*address);
    let seen: Vec<SocketAddr> = observed.iter().map(|address| canonical(*address)).filter(is_told).collect();
    let own = |address: &SocketAddr| interfaces.iter().any(|own| canonical(*own) == *address);
    match seen.as_slice() {
        [] => Mapping::Unknown,
        [first, rest @ ..] if rest.iter().any(|other| other != first) => Mapping::PerDestination,
        [first] if !own(first) => Mapping::Unknown,
        _ => Mapping::Stable,
    }
}

/// Whether it can be somebody's address. IPv6 link-local ones need a scope, which means nothing to others.
fn is_address(address: SocketAddr) -> bool {
    let is_nobodys = match address.ip() {
        // All of 0.0.0.0/8 is "this host" (RFC 1122, 3.2.1.3).
        IpAddr::V4(ip) => ip.octets()[0] == 0 || ip.is_broadcast() || ip.is_multicast(),
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast() || ip.is_unicast_link_local(),
    };
    !is_nobodys && !is_tunnel(address) && address.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::tunnel_address;

    /// Promise: the address that stands for a tunnel is nobody's: it is not offered, not tried, and says nothing of a NAT box.
    #[test]
    fn a_tunnel_is_no_address() {
        let (own, seen) = (([192, 168, 1, 5], 5000).into(), ([203, 0, 113, 1], 7).into());
        let local = Local::new(&[own], &[], &[seen, tunnel_address(0), tunnel_address(1)]);
        assert_eq!(local.mapping(), Mapping::Unknown);
        assert_eq!(local.candidates().iter().map(|one| one.address).collect::<Vec<_>>(), [own, seen]);
        assert!(!local.may_try(tunnel_address(0)) && local.may_try(seen));
    }
}
