//! Keeps a relay node informed of where this endpoint is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tresen_path::{KnockEvent, Knocker, limits};

use crate::socket::{OwnPacket, Socket};

/// Knocks at `node` at once, every [`limits::KNOCK_AGAIN_MS`], and whenever `moved` says that the address may have changed. Says in `observed` how this endpoint
/// looks from outside; `None`: the node does not answer, so that another one is wanted. Ends when one of the channels does.
pub async fn keep_knocking(
    socket: Arc<Socket>,
    node: SocketAddr,
    mut knocker: Knocker,
    answers: &mut mpsc::Receiver<OwnPacket>,
    mut moved: watch::Receiver<()>,
    observed: watch::Sender<Option<SocketAddr>>,
) {
    let start = Instant::now();
    let now_ms = || start.elapsed().as_millis() as u64;
    let mut again_ms = 0;
    loop {
        let event = match knocker.poll_transmit(now_ms()) {
            Ok(Some(knock)) => {
                if let Err(error) = socket.send_own(node, &knock) {
                    tracing::debug!(%error, "a knock could not be sent");
                }
                None
            }
            Ok(None) => None,
            Err(event) => Some(event),
        };
        if let Some(event) = event {
            tell(&observed, event);
        }
        let wake_ms = knocker.poll_timeout().unwrap_or(again_ms);
        tokio::select! {
            () = sleep_until(start + Duration::from_millis(wake_ms)) => {
                if knocker.poll_timeout().is_none() {
                    knocker.start(now_ms());
                    again_ms = now_ms() + limits::KNOCK_AGAIN_MS;
                }
            }
            answer = answers.recv() => {
                let Some(answer) = answer else { return };
                let is_from_node = answer.from.ip().to_canonical() == node.ip().to_canonical()
                    && answer.from.port() == node.port();
                if is_from_node && let Some(event) = knocker.handle(now_ms(), &answer.datagram) {
                    tell(&observed, event);
                }
            }
            changed = moved.changed() => {
                if changed.is_err() {
                    return;
                }
                knocker.start(now_ms());
                again_ms = now_ms() + limits::KNOCK_AGAIN_MS;
            }
        }
    }
}

fn tell(observed: &watch::Sender<Option<SocketAddr>>, event: KnockEvent) {
    let now = match event {
        KnockEvent::Here(address) => Some(address),
        KnockEvent::NoAnswer => None,
    };
    observed.send_if_modified(|before| std::mem::replace(before, now) != now);
}
