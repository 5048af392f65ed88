//! Which router is asked.

use std::net::{Ipv4Addr, UdpSocket};

use crate::config::PortMapping;

/// Where the kernel tells its routes of IPv4.
const ROUTES: &str = "/proc/net/route";

/// Flags of a route that is up, and leads to a gateway.
const UP_AND_GATEWAY: u32 = 0x3;

/// A router, as this machine reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Router {
    /// Its address on this network.
    pub gateway: Ipv4Addr,
    /// That of this machine.
    pub local: Ipv4Addr,
}

impl Router {
    /// The one to be asked for a port of a socket that is bound like this. `None`: there is none, or it would be asked from a public address.
    pub fn find(wanted: PortMapping, bound: Ipv4Addr) -> Option<Self> {
        let gateway = match wanted {
            PortMapping::Off => return None,
            PortMapping::Auto => default_gateway(&std::fs::read_to_string(ROUTES).ok()?)?,
            PortMapping::Router(gateway) => gateway,
        };
        let local = local_towards(gateway)?;
        let is_of_socket = bound.is_unspecified() || bound == local;
        (is_of_socket && !is_public(local)).then_some(Self { gateway, local })
    }
}

/// The gateway of the default route that is taken first.
fn default_gateway(routes: &str) -> Option<Ipv4Addr> {
    let gateways = routes.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, destination, gateway, flags, _, _, metric, mask, ..] = fields.as_slice() else { return None };
        let hex = |text: &str| u32::from_str_radix(text, 16).ok();
        let is_default = (hex(destination)?, hex(mask)?) == (0, 0);
        let is_usable = hex(flags)? & UP_AND_GATEWAY == UP_AND_GATEWAY;
        // The kernel prints the four bytes as a number of its own.
        let gateway = Ipv4Addr::from(hex(gateway)?.to_ne_bytes());
        (is_default && is_usable).then_some((metric.parse::<u32>().ok()?, gateway))
    });
    gateways.min().map(|(_, gateway)| gateway)
}

/// From which address this machine sends there; nothing is sent.
fn local_towards(gateway: Ipv4Addr) -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((gateway, crab_nat::GATEWAY_PORT)).ok()?;
    match socket.local_addr().ok()?.ip() {
        std::net::IpAddr::V4(local) => Some(local),
        std::net::IpAddr::V6(_) => None,
    }
}

/// Whether nobody translates it. What carriers give their customers is shared (RFC 6598).
fn is_public(ip: Ipv4Addr) -> bool {
    let is_shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
    !(ip.is_private() || is_shared || ip.is_link_local() || ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: the router is the one to which the machine sends what is for elsewhere, by its best route; a tunnel without a gateway is none.
    #[test]
    fn the_router_is_the_gateway_of_the_best_default_route() {
        let line = |interface: &str, destination: &str, gateway: [u8; 4], flags: &str, metric: u32| {
            let gateway = u32::from_ne_bytes(gateway);
            format!("{interface}\t{destination}\t{gateway:08X}\t{flags}\t0\t0\t{metric}\t00000000\t0\t0\t0\n")
        };
        let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
        let wifi = line("wlan0", "00000000", [10, 0, 0, 1], "0003", 600);
        let cable = line("eth0", "00000000", [192, 168, 1, 1], "0003", 100);
        let tunnel = line("tun0", "00000000", [0, 0, 0, 0], "0001", 50);
        let down = line("eth1", "00000000", [192, 168, 9, 1], "0002", 10);
        let near = line("eth0", "0001A8C0", [192, 168, 1, 7], "0003", 0);
        let routes = format!("{head}{wifi}{tunnel}{down}{near}{cable}");
        assert_eq!(default_gateway(&routes), Some([192, 168, 1, 1].into()));
        assert_eq!(default_gateway(&format!("{head}{tunnel}{near}")), None);
        assert_eq!(default_gateway("what is this\nno route\n"), None);
    }

    /// Promise: nobody is asked from an address that is not translated, nor for a socket that is bound elsewhere, nor when it is switched off.
    #[test]
    fn nobody_is_asked_from_a_public_address() {
        for translated in ["10.1.2.3", "172.31.0.1", "192.168.178.20", "100.64.0.1", "100.127.9.9"] {
            assert!(!is_public(translated.parse().unwrap()), "{translated}");
        }
        for public in ["100.63.0.1", "100.128.0.1", "172.32.0.1", "192.0.2.1", "8.8.8.8"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        let gateway = Ipv4Addr::new(127, 0, 0, 2);
        let found = Router::find(PortMapping::Router(gateway), Ipv4Addr::UNSPECIFIED).unwrap();
        assert_eq!(found, Router { gateway, local: Ipv4Addr::LOCALHOST });
        assert_eq!(Router::find(PortMapping::Router(gateway), Ipv4Addr::LOCALHOST), Some(found));
        assert_eq!(Router::find(PortMapping::Router(gateway), Ipv4Addr::new(127, 0, 0, 3)), None);
        assert_eq!(Router::find(PortMapping::Off, Ipv4Addr::UNSPECIFIED), None);
    }
}
