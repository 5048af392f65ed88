//! The addresses of this machine's interfaces, to be offered to a peer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Addresses of each family that are offered; there has to be room for the others.
const OF_A_FAMILY: usize = 4;

/// Somewhere on the internet, to ask from which address this machine goes there; nothing is sent (RFC 5737, RFC 3849).
const ELSEWHERE: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))];

/// At which addresses a socket that is bound like this may be reached, in a fixed order. Loopback is nobody else's.
#[must_use]
pub fn interface_addresses(bound: SocketAddr) -> Vec<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let ips = found
        .iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(if_addrs::Interface::ip)
        .collect();
    let outward: Vec<IpAddr> = ELSEWHERE.into_iter().filter_map(address_towards).collect();
    offered(ips, &outward).into_iter().map(|ip| SocketAddr::new(ip, bound.port())).collect()
}

/// The ones that are offered, by family: first those from which this machine goes elsewhere, because networks that exist within it (containers) may be many.
fn offered(mut ips: Vec<IpAddr>, outward: &[IpAddr]) -> Vec<IpAddr> {
    ips.sort_unstable_by_key(|ip| (!outward.contains(ip), *ip));
    ips.dedup();
    let (four, six): (Vec<IpAddr>, Vec<IpAddr>) = ips.into_iter().partition(IpAddr::is_ipv4);
    four.into_iter().take(OF_A_FAMILY).chain(six.into_iter().take(OF_A_FAMILY)).collect()
}

fn address_towards(elsewhere: IpAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if elsewhere.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((elsewhere, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a machine with many networks of its own within it still offers the address that others reach; the order does not depend on the system's.
    #[test]
    fn the_way_out_is_offered_first() {
        let within = (17..24).map(|network| IpAddr::from([172, network, 0, 1]));
        let (lan, six) = (IpAddr::from([192, 168, 1, 20]), IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 9]));
        let ips: Vec<IpAddr> = within.chain([lan, six, lan]).collect();
        let mut turned = ips.clone();
        turned.reverse();
        let first = offered(ips, &[lan]);
        assert_eq!((first[0], first.len()), (lan, OF_A_FAMILY + 1));
        assert!(first.contains(&six));
        assert_eq!(offered(turned, &[lan]), first);
    }
}
