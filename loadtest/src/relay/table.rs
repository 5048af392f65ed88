//! What a device takes in the routing table alone, without its control connection.

use anyhow::{Result, anyhow};
use tresen_identity::{Fingerprint, Secret};
use tresen_path::{Capacity, ClientName, EdgeName, NoRoom, NodeId, Router, RoutingKey};

use super::node::{key, tenant_of};
use crate::screen::cpu;

/// Devices in the table.
const CLIENTS: usize = 50_000;

/// Bytes of a device in the table.
pub fn client_bytes() -> Result<f64> {
    let capacity = Capacity { edges: 1, clients: CLIENTS, clients_of_edge: CLIENTS };
    let mut router = Router::new(RoutingKey::new(Secret::new([1; 32])), NodeId(1), capacity);
    let edge = EdgeName { tenant: tenant_of(0), edge: key(0).fingerprint() };
    let no_room = |error: NoRoom| anyhow!("no room in the table: {error}");
    router.register(0, edge, ([10, 0, 0, 1], 1).into(), u64::MAX, Secret::new([2; 32])).map_err(no_room)?;
    let before_bytes = cpu::private_bytes(std::process::id())?;
    for number in 0..CLIENTS {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let device = Fingerprint::from_bytes(name);
        let [_, a, b, c] = (number as u32).to_be_bytes();
        let at = ([10, a, b, c], 4000).into();
        let client = ClientName { edge, device };
        router.admit(0, client, at, u64::MAX, CLIENTS, Secret::new([3; 32])).map_err(no_room)?;
    }
    let bytes = cpu::private_bytes(std::process::id())?.saturating_sub(before_bytes);
    drop(router);
    Ok(bytes as f64 / CLIENTS as f64)
}
