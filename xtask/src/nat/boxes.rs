//! NAT boxes of nftables, by the names that people use for them; `wan` is the interface to the outside.

use std::fmt;

/// What stands between a host and the internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Nothing: a public address.
    Open,
    /// Whoever knows the outside address gets in.
    FullCone,
    /// Whom the host has sent to gets in, from any port.
    AddressRestricted,
    /// Only the address and port that the host has sent to get in.
    PortRestricted,
    /// As port restricted; unexpected packets are answered that nobody is there.
    Answering,
    /// Another outside port for each destination.
    Symmetric,
    /// As symmetric; within it, the router maps ports for whoever asks, by PCP, NAT-PMP or UPnP.
    Mapping,
    /// The same, by UPnP only.
    UpnpMapping,
    /// Two boxes, port restricted, one behind the other.
    Double,
    /// A public address of IPv6 and none of IPv4, behind a firewall that lets answers in.
    Ipv6,
    /// Port restricted, and no UDP gets through.
    NoUdp,
    /// A box of its own behind one that both sides share and that turns packets to its own address around.
    Shared,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "no NAT",
            Self::FullCone => "full cone",
            Self::AddressRestricted => "address-restricted",
            Self::PortRestricted => "port-restricted",
            Self::Answering => "port-restricted, answers",
            Self::Symmetric => "symmetric",
            Self::Mapping => "symmetric, maps ports",
            Self::UpnpMapping => "symmetric, UPnP",
            Self::Double => "double NAT",
            Self::Ipv6 => "IPv6 only, firewall",
            Self::NoUdp => "UDP blocked",
            Self::Shared => "behind one box (hairpin)",
        })
    }
}

impl Side {
    /// Whether there is a router that maps ports.
    pub const fn maps_ports(self) -> bool {
        matches!(self, Self::Mapping | Self::UpnpMapping)
    }
}

/// What a box does with the packets of the one machine that stands behind it at `inside`.
pub fn rules(side: Side, inside: &str) -> String {
    let port = if side == Side::Symmetric || side.maps_ports() { "fully-random" } else { "" };
    let (enter, known) = match side {
        Side::FullCone => (format!("iifname \"wan\" udp dport 1-65535 dnat to {inside}"), ""),
        Side::AddressRestricted => (
            format!("iifname \"wan\" ip saddr @peers udp dport 1-65535 dnat to {inside}"),
            "oifname \"wan\" update @peers { ip daddr }",
        ),
        _ => (String::new(), ""),
    };
    let unexpected = if side == Side::Answering { "reject" } else { "drop" };
    let udp = if side == Side::NoUdp { "meta l4proto udp drop" } else { "" };
    format!(
        "table ip box {{
            set peers {{ type ipv4_addr; flags dynamic,timeout; timeout 120s; }}
            chain enter {{ type nat hook prerouting priority dstnat; policy accept;
                {enter}
            }}
            chain leave {{ type nat hook postrouting priority srcnat; policy accept;
                oifname \"wan\" masquerade {port}
            }}
            chain pass {{ type filter hook forward priority filter; policy accept;
                {udp}
                {known}
                iifname \"wan\" ct state new ct status dnat accept
                iifname \"wan\" ct state new drop
            }}
            chain own {{ type filter hook input priority filter; policy accept;
                iifname \"wan\" meta l4proto udp {unexpected}
            }}
        }}\n"
    )
}

/// What a firewall does with packets of IPv6.
pub const SIX_RULES: &str = "table ip6 box {
    chain pass { type filter hook forward priority filter; policy accept;
        iifname \"wan\" meta l4proto udp ct state new drop
    }
}\n";

/// What a carrier's box does with two others behind it. Each side has ports of its own, which both boxes keep, so that it can be told whose an unexpected packet is.
pub fn shared_rules(outside: &str, client: &str, edge: &str) -> String {
    format!(
        "table ip box {{
            chain enter {{ type nat hook prerouting priority dstnat; policy accept;
                ip daddr {outside} udp dport 20000-29999 dnat to {client}
                ip daddr {outside} udp dport 30000-39999 dnat to {edge}
            }}
            chain leave {{ type nat hook postrouting priority srcnat; policy accept;
                oifname \"wan\" snat to {outside}
                oifname {{ \"lan1\", \"lan2\" }} ct status dnat ip saddr 100.64.0.0/16 snat to {outside}
            }}
            chain pass {{ type filter hook forward priority filter; policy accept;
                iifname \"wan\" ct state new ct status dnat accept
                iifname \"wan\" ct state new drop
                iifname {{ \"lan1\", \"lan2\" }} oifname {{ \"lan1\", \"lan2\" }} ct state new ct status dnat accept
                iifname {{ \"lan1\", \"lan2\" }} oifname {{ \"lan1\", \"lan2\" }} ct state new drop
            }}
        }}\n"
    )
}
