//! Addresses on the wire and in tables.
//!
//! ```text
//! IPv6 16 (IPv4 as ::ffff:a.b.c.d) | port 2, big endian
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Length of an address on the wire.
pub(crate) const ADDRESS_BYTES: usize = 18;

/// Addresses that stand for tunnels: 240.0.0.0/5 is reserved (RFC 1112, section 4), so it is nobody's.
const TUNNELS: u32 = 0xf000_0000;

/// Bits that tell tunnels apart.
const TUNNEL_BITS: u32 = 0x07ff_ffff;

/// Their port: an address without one is none.
const TUNNEL_PORT: u16 = 1;

/// The address that stands for a tunnel, a stream that carries datagrams where there is no UDP, among those of one end. Numbers 2^27 apart have the same one.
#[must_use]
pub const fn tunnel_address(number: u32) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(TUNNELS | (number & TUNNEL_BITS))), TUNNEL_PORT)
}

/// Whether an address stands for a tunnel: nothing can be sent to it by UDP, and nobody else can use it.
#[must_use]
pub const fn is_tunnel(address: SocketAddr) -> bool {
    matches!(address.ip().to_canonical(), IpAddr::V4(ip) if ip.to_bits() & !TUNNEL_BITS == TUNNELS)
}

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
