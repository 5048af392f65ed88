//! Addresses on the wire and in tables.
//!
//! ```text
//! IPv6 16 (IPv4 as ::ffff:a.b.c.d) | port 2, big endian
//! ```

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Length of an address on the wire.
pub(crate) const ADDRESS_BYTES: usize = 18;

/// The one form of an address: IPv4 as such, without flow and scope.
#[must_use]
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// An address as a socket takes it: where that is one of IPv6, addresses of IPv4 are written as such.
#[must_use]
pub fn written(address: SocketAddr, is_ipv6: bool) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if is_ipv6 => (ip.to_ipv6_mapped(), address.port()).into(),
        _ => address,
    }
}

pub(crate) fn encode(address: SocketAddr) -> [u8; ADDRESS_BYTES] {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    let mut bytes = [0; ADDRESS_BYTES];
    bytes[..16].copy_from_slice(&ip.octets());
    bytes[16..].copy_from_slice(&address.port().to_be_bytes());
    bytes
}

pub(crate) fn decode(bytes: &[u8; ADDRESS_BYTES]) -> SocketAddr {
    let (ip, port) = bytes.split_first_chunk::<16>().expect("an address has 18 bytes");
    let port = u16::from_be_bytes([port[0], port[1]]);
    canonical(SocketAddr::new(Ipv6Addr::from(*ip).into(), port))
}
