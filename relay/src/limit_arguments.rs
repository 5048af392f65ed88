//! Limits, as arguments of `tresen-relay run`.

use std::num::NonZeroU32;

use clap::Args;

use crate::limits::{LimitSettings, Rates};

/// See [`LimitSettings`].
#[derive(Args)]
pub struct LimitArguments {
    /// Control connections a minute from one network: an address (IPv4) or a /56 (IPv6). 0 is no limit, here and below, but for calls.
    #[arg(long, default_value_t = 600)]
    connects_a_minute: u32,
    /// Bytes a second from and to one network.
    #[arg(long, default_value_t = 50_000_000)]
    bytes_a_second: u32,
    /// Control connections a minute of one device or edge server.
    #[arg(long, default_value_t = 60)]
    device_connects_a_minute: u32,
    /// Bytes a second from and to one device.
    #[arg(long, default_value_t = 5_000_000)]
    device_bytes_a_second: u32,
    /// Admissions a minute of one tenant that has no limits of its own.
    #[arg(long, default_value_t = 6_000)]
    tenant_connects_a_minute: u32,
    /// Bytes a second from and to all devices of one tenant that has no limits of its own.
    #[arg(long, default_value_t = 100_000_000)]
    tenant_bytes_a_second: u32,
    /// Control connections a minute of the node.
    #[arg(long, default_value_t = 60_000)]
    node_connects_a_minute: u32,
    /// Bytes a second through the node.
    #[arg(long, default_value_t = 0)]
    node_bytes_a_second: u32,
    /// Calls a minute to one edge server.
    #[arg(long, default_value_t = NonZeroU32::new(600).expect("not zero"))]
    calls_a_minute: NonZeroU32,
}

impl LimitArguments {
    /// As a node takes them.
    #[must_use]
    pub fn settings(&self) -> LimitSettings {
        let rates = |connects, bytes| Rates {
            connects_a_minute: NonZeroU32::new(connects),
            bytes_a_second: NonZeroU32::new(bytes),
        };
        LimitSettings {
            network: rates(self.connects_a_minute, self.bytes_a_second),
            device: rates(self.device_connects_a_minute, self.device_bytes_a_second),
            tenant: rates(self.tenant_connects_a_minute, self.tenant_bytes_a_second),
            node: rates(self.node_connects_a_minute, self.node_bytes_a_second),
            calls_a_minute: self.calls_a_minute,
        }
    }
}
