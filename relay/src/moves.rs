//! What an edge server is told of its devices' moves: the relay vouches for where a device is, also after it has knocked from somewhere else.
//!
//! Invariant: one letter a second for each device at most, and none when the address is the same; a device can't fill its box's control connection.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Weak;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tresen_path::{ClientName, FromNode, Party};

use crate::node::Node;
use crate::switch::Move;

/// From one letter about a device to the next; a move in between is told with its next admission.
const PAUSE: Duration = Duration::from_secs(1);

/// Devices of which is remembered what was told; beyond that, of none before.
const DEVICES: usize = 16_384;

/// What was told of devices.
#[derive(Default)]
struct Told(HashMap<ClientName, (IpAddr, Instant)>);

impl Told {
    /// Whether this is to be told.
    fn note(&mut self, client: ClientName, ip: IpAddr, now: Instant) -> bool {
        let known = self.0.get(&client);
        if known.is_some_and(|(before, at)| *before == ip || now < *at + PAUSE) {
            return false;
        }
        if self.0.len() >= DEVICES {
            self.0.clear();
        }
        self.0.insert(client, (ip, now));
        true
    }
}

/// Tells edge servers of their devices' moves, as long as there is a node.
pub async fn tell(node: Weak<Node>, mut moves: mpsc::Receiver<Move>) {
    let mut told = Told::default();
    while let Some(Move { party, to }) = moves.recv().await {
        let Some(node) = node.upgrade() else { return };
        match party {
            Party::Client(client) if !told.note(client, to.ip(), Instant::now()) => {}
            Party::Client(client) => {
                node.tell(&Party::Edge(client.edge), FromNode::Client(client.device, to));
            }
            // Its devices know the relay alone.
            Party::Edge(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use tresen_identity::{Fingerprint, TenantId};
    use tresen_path::EdgeName;

    use super::*;

    /// Promise: a device that flips between addresses has a letter written now and then, another device's move is told all the same.
    #[test]
    fn who_flips_is_told_now_and_then() {
        let edge = EdgeName { tenant: TenantId::from_bytes([1; 16]), edge: Fingerprint::from_bytes([2; 32]) };
        let client = |byte: u8| ClientName { edge, device: Fingerprint::from_bytes([byte; 32]) };
        let (mut told, start) = (Told::default(), Instant::now());
        let ip = |number: u32| IpAddr::from([10, 0, 0, (number % 2) as u8]);
        let flips = (0..1_000).filter(|number| {
            told.note(client(3), ip(*number), start + Duration::from_millis((*number).into()))
        });
        assert_eq!(flips.count(), 1);
        assert!(told.note(client(4), ip(0), start));
        assert!(told.note(client(3), ip(1), start + PAUSE));
        assert!(!told.note(client(3), ip(1), start + 9 * PAUSE), "it is known to be there");
    }
}
