//! Keeps a relay node informed of where this endpoint is, and this endpoint of how it looks from outside.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tresen_path::{KnockEvent, Knocker, canonical, limits};

use crate::socket::{OwnPacket, Socket};

/// Endpoints that wait for a knock, of one; more wait in vain.
const WAITING: usize = 4;

/// To say that the address may have changed; what it holds is answered when packets that are sent from now on pass the relay.
pub type Moved = oneshot::Sender<()>;

/// How an endpoint looks from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// From the node's port, to which everything goes.
    pub here: SocketAddr,
    /// From its second port.
    pub elsewhere: Option<SocketAddr>,
}

/// A relay node, as it is knocked at.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    at: SocketAddr,
    second: Option<SocketAddr>,
}

impl Seen {
    /// As long as nothing but the grant is known.
    #[must_use]
    pub const fn at(here: SocketAddr) -> Self {
        Self { here, elsewhere: None }
    }

    /// Both, as far as they are known.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        std::iter::once(self.here).chain(self.elsewhere).collect()
    }
}

impl Node {
    /// With its second port, when it has one.
    #[must_use]
    pub fn new(at: SocketAddr, second_port: Option<NonZeroU16>) -> Self {
        let at = canonical(at);
        Self { at, second: second_port.map(|port| SocketAddr::new(at.ip(), port.get())) }
    }
}

/// Where to say that the address may have changed, and who hears it.
#[must_use]
pub fn moves() -> (mpsc::Sender<Moved>, mpsc::Receiver<Moved>) {
    mpsc::channel(WAITING)
}

/// Knocks at a node at once, every [`limits::KNOCK_AGAIN_MS`], and whenever `moved` says that the address may have changed. Says in `seen` how this endpoint
/// looks from outside; `None`: the node does not answer, so that another one is wanted. Ends when one of the channels does.
pub async fn keep_knocking(
    socket: Arc<Socket>,
    node: Node,
    knocker: Knocker,
    answers: &mut mpsc::Receiver<OwnPacket>,
    moved: &mut mpsc::Receiver<Moved>,
    seen: watch::Sender<Option<Seen>>,
) {
    let start = Instant::now();
    socket.keep_on_main(node.at);
    let mut door = Door { socket, node, knocker, seen, fresh: None, waiting: Vec::new() };
    let now_ms = || start.elapsed().as_millis() as u64;
    let mut again_ms = 0;
    loop {
        if now_ms() >= again_ms {
            door.begin(now_ms());
            again_ms = now_ms() + limits::KNOCK_AGAIN_MS;
        }
        door.knock(now_ms());
        let wake_ms = door.knocker.poll_timeout().map_or(again_ms, |at_ms| at_ms.min(again_ms));
        tokio::select! {
            () = sleep_until(start + Duration::from_millis(wake_ms)) => {}
            packet = answers.recv() => match packet {
                Some(packet) => door.answered(now_ms(), &packet),
                None => return,
            },
            again = moved.recv() => {
                let Some(again) = again else { return };
                door.waiting.truncate(WAITING - 1);
                door.waiting.push(again);
                again_ms = now_ms();
            }
        }
    }
}

struct Door {
    socket: Arc<Socket>,
    node: Node,
    knocker: Knocker,
    seen: watch::Sender<Option<Seen>>,
    /// What the second port said in this round.
    fresh: Option<SocketAddr>,
    waiting: Vec<Moved>,
}

impl Door {
    fn begin(&mut self, now_ms: u64) {
        self.fresh = None;
        self.knocker.start(now_ms);
        if self.node.second.is_some() {
            self.knocker.look(now_ms);
        }
    }

    fn knock(&mut self, now_ms: u64) {
        match self.knocker.poll_transmit(now_ms) {
            Ok(Some(knock)) => {
                self.send(self.node.at, &knock);
                // What is sent behind this one arrives behind it.
                if self.knocker.shows_cookie() {
                    self.answer();
                }
            }
            Ok(None) => {}
            Err(event) => self.tell(event),
        }
        if let Some(second) = self.node.second
            && let Some(look) = self.knocker.poll_look(now_ms)
        {
            self.send(second, &look);
        }
    }

    fn send(&self, to: SocketAddr, packet: &[u8]) {
        if let Err(error) = self.socket.send_own(to, packet) {
            tracing::debug!(%error, "a knock could not be sent");
        }
    }

    fn answered(&mut self, now_ms: u64, packet: &OwnPacket) {
        if packet.from == self.node.at {
            if let Some(event) = self.knocker.handle(now_ms, &packet.datagram) {
                self.tell(event);
            }
        } else if Some(packet.from) == self.node.second
            && let Some(observed) = self.knocker.handle_look(&packet.datagram)
        {
            self.fresh = Some(observed);
            self.seen.send_if_modified(|seen| match seen {
                Some(seen) => seen.elsewhere.replace(observed) != Some(observed),
                None => false,
            });
        }
    }

    fn tell(&mut self, event: KnockEvent) {
        match event {
            KnockEvent::Here(here) => {
                self.seen.send_if_modified(|seen| {
                    let elsewhere = match seen {
                        Some(seen) if seen.here == here => seen.elsewhere,
                        // What was seen from another address says nothing of this one.
                        _ => self.fresh,
                    };
                    let now = Some(Seen { here, elsewhere });
                    std::mem::replace(seen, now) != now
                });
                self.answer();
            }
            KnockEvent::NoAnswer => {
                self.seen.send_if_modified(|seen| seen.take().is_some());
                // Whoever waits hears that nobody will answer.
                self.waiting.clear();
            }
        }
    }

    fn answer(&mut self) {
        for moved in self.waiting.drain(..) {
            let _ = moved.send(());
        }
    }
}
