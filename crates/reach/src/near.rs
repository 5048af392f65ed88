//! How far away an address is: on this machine, on its networks, or beyond.

use std::net::IpAddr;

use if_addrs::IfAddr;

/// How far away an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On this machine.
    Here,
    /// On one of its networks, or on another one of the house.
    Near,
    /// Elsewhere.
    Far,
}

/// The networks that a machine is on.
pub struct Networks(Vec<(IpAddr, IpAddr)>);

impl Networks {
    /// This machine's, now.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        Self::new(interfaces.into_iter().map(|interface| match interface.addr {
            IfAddr::V4(own) => (own.ip.into(), own.netmask.into()),
            IfAddr::V6(own) => (own.ip.into(), own.netmask.into()),
        }))
    }

    /// With these addresses, each with the mask of its network.
    pub fn new(own: impl IntoIterator<Item = (IpAddr, IpAddr)>) -> Self {
        Self(own.into_iter().collect())
    }

    /// How far away an address is.
    #[must_use]
    pub fn reach(&self, address: IpAddr) -> Reach {
        let address = address.to_canonical();
        if address.is_loopback() || self.0.iter().any(|(own, _)| *own == address) {
            return Reach::Here;
        }
        let beside = self.0.iter().any(|(own, mask)| are_beside(*own, address, *mask));
        if beside || is_of_a_house(address) { Reach::Near } else { Reach::Far }
    }
}

fn are_beside(one: IpAddr, other: IpAddr, mask: IpAddr) -> bool {
    match (one, other, mask) {
        (IpAddr::V4(one), IpAddr::V4(other), IpAddr::V4(mask)) => {
            one.to_bits() & mask.to_bits() == other.to_bits() & mask.to_bits()
        }
        (IpAddr::V6(one), IpAddr::V6(other), IpAddr::V6(mask)) => {
            one.to_bits() & mask.to_bits() == other.to_bits() & mask.to_bits()
        }
        _ => false,
    }
}

/// Addresses that no packet has that came over the internet.
const fn is_of_a_house(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: the page says of a device whether it is on this machine, near or far.
    #[test]
    fn near_and_far_are_told_apart() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let networks = Networks::new([
            (ip("192.168.1.10"), ip("255.255.255.0")),
            (ip("203.0.113.9"), ip("255.255.255.248")),
            (ip("2001:db8:7::1"), ip("ffff:ffff:ffff:ffff::")),
        ]);
        for (address, reach) in [
            ("127.0.0.1", Reach::Here),
            ("::ffff:127.0.0.1", Reach::Here),
            ("::1", Reach::Here),
            ("192.168.1.10", Reach::Here),
            ("192.168.1.77", Reach::Near),
            ("192.168.2.77", Reach::Near),
            ("fe80::1", Reach::Near),
            ("203.0.113.14", Reach::Near),
            ("203.0.113.16", Reach::Far),
            ("2001:db8:7::99", Reach::Near),
            ("2001:db8:8::99", Reach::Far),
            ("8.8.8.8", Reach::Far),
        ] {
            assert_eq!(networks.reach(ip(address)), reach, "{address}");
        }
    }
}
