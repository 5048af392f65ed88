//! Control connections: endpoints prove who they are and where, and get what they need to be forwarded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use rustls_pki_types::CertificateDer;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use tresen_identity::{Fingerprint, fingerprint_of_certificate};
use tresen_path::{ControlBuffer, ControlError, FromNode, Party, ToNode, is_tunnel};

use crate::guest::{Guest, Place, Unwanted};
use crate::letters::{Letter, Letters};
use crate::node::Node;

/// How long an endpoint may take for the handshake, for its stream, and then to become somebody; an edge server, to answer a call.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// With more handshakes than this under way, an endpoint must show that its address is its own before anything is computed for it.
const UNVALIDATED_HANDSHAKES: usize = 64;

/// With more handshakes than this under way, nothing is computed for a network that has spent its allowance, though boxes or devices are in it.
const SPENT_HANDSHAKES: usize = 32;

/// How often that is looked at.
const EDGE_RENEWAL: Duration = Duration::from_secs(30);

/// Longest pause before a control connection that is closed has delivered its last message.
const FAREWELL: Duration = Duration::from_secs(1);

/// What control connections are closed with; endpoints learn no reason.
pub(crate) const CLOSED: VarInt = VarInt::from_u32(1);

/// ... unless its owner has another one.
pub(crate) const REPLACED: VarInt = VarInt::from_u32(tresen_path::REPLACED);

/// Serves control connections until the endpoint is closed.
pub async fn serve(node: Arc<Node>, endpoint: Endpoint) {
    let connections = TaskTracker::new();
    while let Some(incoming) = endpoint.accept().await {
        if node.is_leaving() {
            incoming.refuse();
            continue;
        }
        // It has spent its allowance, and only handshakes that were finished count: nothing is computed for it. Where boxes and devices are at home, only a
        // handshake tells them from strangers.
        let (from, shaking) = (
            node.switch.tunnels.origin(incoming.remote_address()).ip(),
            connections.len().saturating_sub(node.settled()),
        );
        if node.limits.is_spent(from) && (shaking > SPENT_HANDSHAKES || !node.limits.knows(from)) {
            incoming.ignore();
            continue;
        }
        if !incoming.remote_address_validated() && shaking > UNVALIDATED_HANDSHAKES {
            let _ = incoming.retry();
            continue;
        }
        if connections.len() >= node.most_connections() {
            incoming.refuse();
            continue;
        }
        let (node, at) = (node.clone(), incoming.remote_address());
        // Boxed: what is in the task itself stays as long as the endpoint does, and this is over soon.
        let shaken = Box::pin(tokio::time::timeout(PATIENCE, async move { incoming.accept()?.await }));
        connections.spawn(async move {
            match shaken.await {
                Ok(Ok(connection)) => attend(&node, connection).await,
                Ok(Err(error)) => tracing::debug!(%at, %error, "a handshake failed"),
                Err(_) => tracing::debug!(%at, "a handshake took too long"),
            }
        });
    }
    connections.close();
    let _ = tokio::time::timeout(FAREWELL, connections.wait()).await;
}

async fn attend(node: &Arc<Node>, connection: Connection) {
    let packets = connection.remote_address();
    let at = node.switch.tunnels.origin(packets);
    if is_tunnel(at) {
        // It is gone already.
        return;
    }
    let Some(peer) = peer(&connection) else { return };
    if !node.limits.connect(at.ip(), peer) {
        refuse(node, peer, at, &Unwanted::TooOften);
        connection.close(CLOSED, b"");
        return;
    }
    let _settled = node.settle();
    let Ok(Ok((mut send, mut receive))) = tokio::time::timeout(PATIENCE, connection.accept_bi()).await else {
        return;
    };
    // Ahead of what browsers send on the same connection.
    let _ = send.set_priority(1);
    let (letters, mut waiting) = Letters::new();
    let mut guest = Guest::new(node.clone(), connection, peer, Place { packets, network: at }, letters);
    let mut renewal = tokio::time::interval(EDGE_RENEWAL);
    let mut nodes = node.watch_nodes();
    nodes.mark_changed();
    let mut pending = ControlBuffer::default();
    loop {
        let answer = tokio::select! {
            message = next(&mut receive, &mut pending) => match message {
                None => break,
                Some(Ok(message)) => Box::pin(guest.answer(message)).await,
                Some(Err(error)) => Err(error.into()),
            },
            letter = waiting.recv() => match letter.map(|letter| *letter) {
                None => break,
                Some(Letter::Say(letter)) => Ok(Some(letter)),
                Some(Letter::Token(token)) => guest.admit(token.as_slice()).map(Some),
                Some(Letter::TurnedAway) => Err(Unwanted::TurnedAway),
            },
            Ok(()) = nodes.changed(), if matches!(guest.party, Some(Party::Edge(_))) => {
                Ok(Some(node.told_of(nodes.borrow_and_update().clone())))
            }
            _ = renewal.tick() => guest.renew().map(|()| None),
            () = tokio::time::sleep_until(guest.until.unwrap_or_else(Instant::now)), if guest.until.is_some() => {
                Err(Unwanted::Silence)
            }
        };
        match answer {
            Ok(None) => {}
            Ok(Some(answer)) => {
                if say(&mut send, &answer).await.is_none() {
                    break;
                }
            }
            Err(unwanted) => {
                refuse(node, peer, at, &unwanted);
                if let Unwanted::Elsewhere(nodes) = unwanted {
                    let _ = say(&mut send, &node.told_of(nodes)).await;
                }
                let _ = say(&mut send, &FromNode::Refused).await;
                farewell(&mut send, &guest.connection).await;
                break;
            }
        }
    }
    guest.leave();
}

/// The next message; `None` when there will be none. May be dropped and called again.
async fn next(receive: &mut RecvStream, pending: &mut ControlBuffer) -> Option<Result<ToNode, ControlError>> {
    loop {
        if let Some(message) = pending.next(ToNode::decode).transpose() {
            return Some(message);
        }
        pending.push(&receive.read_chunk(usize::MAX, true).await.ok()??.bytes);
    }
}

async fn say(send: &mut SendStream, message: &FromNode) -> Option<()> {
    // One that does not read is let go.
    tokio::time::timeout(PATIENCE, send.write_all(&message.encode())).await.ok()?.ok()
}

/// Waits a moment, so that the last message arrives before the connection closes.
async fn farewell(send: &mut SendStream, connection: &Connection) {
    let _ = send.finish();
    let _ = tokio::time::timeout(FAREWELL, send.stopped()).await;
    connection.close(CLOSED, b"");
}

fn refuse(node: &Node, peer: Fingerprint, at: SocketAddr, why: &Unwanted) {
    node.counters.refused();
    tracing::warn!(%at, peer = %peer.short(), %why, "an endpoint was refused");
}

fn peer(connection: &Connection) -> Option<Fingerprint> {
    let identity = connection.peer_identity()?;
    let chain = identity.downcast_ref::<Vec<CertificateDer<'static>>>()?;
    fingerprint_of_certificate(chain.first()?).ok()
}
