//! The addresses of this machine's interfaces, to be offered to a peer.

use std::net::{IpAddr, SocketAddr};

/// Addresses of each family that are offered; there has to be room for the others.
const OF_A_FAMILY: usize = 5;

/// At which addresses a socket that is bound like this may be reached, in a fixed order. Loopback is nobody else's.
#[must_use]
pub fn interface_addresses(bound: SocketAddr) -> Vec<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let mut ips: Vec<IpAddr> = found
        .iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(if_addrs::Interface::ip)
        .collect();
    ips.sort_unstable();
    ips.dedup();
    let (four, six): (Vec<IpAddr>, Vec<IpAddr>) = ips.into_iter().partition(IpAddr::is_ipv4);
    let offered = four.into_iter().take(OF_A_FAMILY).chain(six.into_iter().take(OF_A_FAMILY));
    offered.map(|ip| SocketAddr::new(ip, bound.port())).collect()
}
