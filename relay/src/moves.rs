//! What an edge server is told of its devices' moves: the relay vouches for where a device is, also after it has knocked from somewhere else.

use std::sync::Weak;

use tokio::sync::mpsc;
use tresen_path::{FromNode, Party};

use crate::node::Node;
use crate::switch::Move;

/// Tells edge servers of their devices' moves, as long as there is a node.
pub async fn tell(node: Weak<Node>, mut moves: mpsc::Receiver<Move>) {
    while let Some(Move { party, to }) = moves.recv().await {
        let Some(node) = node.upgrade() else { return };
        match party {
            Party::Client(client) => {
                node.tell(&Party::Edge(client.edge), FromNode::Client(client.device, to));
            }
            // Its devices know the relay alone.
            Party::Edge(_) => {}
        }
    }
}
