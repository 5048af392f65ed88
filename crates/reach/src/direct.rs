//! A client's direct path to its edge server, while the connection through the relay stays: the shell of [`ClientPath`].

use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, VarInt};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};
use tresen_identity::Secret;
use tresen_path::{ClientPath, Local, PathAction, Way};

use crate::exchange::{read_exchange, write_exchange, write_turn};
use crate::knocking::{Moved, Seen};
use crate::routed::{RoutedSocket, Traffic};
use crate::socket::{OwnPacket, Socket};

/// How often this machine's interfaces are looked at.
const INTERFACES_AGAIN: Duration = Duration::from_secs(5);

/// Messages that may wait in either direction.
const MESSAGES: usize = 8;

/// With this code a connection is closed whose peer says what no peer says (`CloseCode::Protocol` of the session).
const PROTOCOL: VarInt = VarInt::from_u32(2);

/// What a path is made of.
pub(crate) struct Means {
    pub(crate) connection: Connection,
    pub(crate) socket: Arc<Socket>,
    pub(crate) routed: Arc<RoutedSocket>,
    /// Says which way is taken.
    pub(crate) way: watch::Sender<Way>,
    /// To have the relay knocked at.
    pub(crate) knock: mpsc::Sender<Moved>,
}

/// What it hears.
pub(crate) struct News {
    pub(crate) probes: mpsc::Receiver<OwnPacket>,
    pub(crate) traffic: mpsc::Receiver<Traffic>,
    /// How the client looks from outside.
    pub(crate) observed: watch::Receiver<Option<Seen>>,
    /// The client is in another network. Answered when it can go on there.
    pub(crate) moved: mpsc::Receiver<Moved>,
}

struct Driver {
    path: ClientPath,
    start: Instant,
    means: Means,
    messages: mpsc::Sender<Vec<u8>>,
}

/// Looks for a direct path and keeps it, as long as the connection lives.
pub(crate) async fn keep_direct(means: Means, mut news: News) {
    let connection = means.connection.clone();
    // They end with this, and let the connection go.
    let mut streams = JoinSet::new();
    let (messages, mut heard) = converse(&connection, &mut streams);
    let path = ClientPath::new(&Secret::new(rand::random()));
    let mut driver = Driver { path, start: Instant::now(), means, messages };
    let mut look = tokio::time::interval(INTERFACES_AGAIN);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Who waits until the relay knows this client in another network.
    let mut moving: Option<(Moved, oneshot::Receiver<()>)> = None;
    driver.begin(*news.observed.borrow_and_update());
    loop {
        driver.act();
        let wake_ms = driver.path.poll_timeout();
        let wake = driver.start + Duration::from_millis(wake_ms.unwrap_or_default());
        tokio::select! {
            Some(probe) = news.probes.recv() => {
                driver.path.handle_datagram(driver.now_ms(), probe.socket, probe.from, &probe.datagram);
            }
            Some(traffic) = news.traffic.recv() => match traffic {
                Traffic::Sent => driver.path.sent(driver.now_ms()),
                Traffic::Heard(from) => driver.path.received(driver.now_ms(), from),
            },
            Some(message) = heard.recv() => {
                if let Err(error) = driver.path.handle_message(driver.now_ms(), &message) {
                    tracing::warn!(%error, "the server says of its paths what no server says");
                    driver.means.connection.close(PROTOCOL, b"");
                }
            }
            Ok(()) = news.observed.changed(), if moving.is_none() => {
                driver.look_around(*news.observed.borrow_and_update());
            }
            _ = look.tick(), if moving.is_none() => driver.look_around(*news.observed.borrow()),
            Some(waiting) = news.moved.recv() => {
                driver.path.disconnected();
                let (known, knocked) = oneshot::channel();
                let _ = driver.means.knock.try_send(known);
                moving = Some((waiting, knocked));
            }
            Some((waiting, known)) = knocked(&mut moving) => {
                if known {
                    let _ = waiting.send(());
                }
                driver.begin(*news.observed.borrow_and_update());
            }
            () = sleep_until(wake), if wake_ms.is_some() => {}
            _ = connection.closed() => return,
        }
        driver.path.handle_timeout(driver.now_ms());
    }
}

/// Whether the relay knows this client in another network, as soon as that is known; whom to tell. For ever, when nobody waits.
async fn knocked(moving: &mut Option<(Moved, oneshot::Receiver<()>)>) -> Option<(Moved, bool)> {
    let Some((_, known)) = moving else { return std::future::pending().await };
    let known = known.await.is_ok();
    moving.take().map(|(waiting, _)| (waiting, known))
}

/// The stream for what both ends tell each other, as two queues.
fn converse(
    connection: &Connection,
    streams: &mut JoinSet<()>,
) -> (mpsc::Sender<Vec<u8>>, mpsc::Receiver<Vec<u8>>) {
    let (messages, mut waiting) = mpsc::channel::<Vec<u8>>(MESSAGES);
    let (told, heard) = mpsc::channel(MESSAGES);
    let writing = connection.clone();
    streams.spawn(async move {
        let Ok(mut send) = writing.open_uni().await else { return };
        while let Some(message) = waiting.recv().await {
            let is_turn = message.is_empty();
            let written =
                if is_turn { write_turn(&mut send).await } else { write_exchange(&mut send, &message).await };
            if written.is_none() {
                return;
            }
        }
    });
    let reading = connection.clone();
    streams.spawn(async move {
        let Ok(mut receive) = reading.accept_uni().await else { return };
        while let Some(message) = read_exchange(&mut receive).await {
            if told.send(message).await.is_err() {
                return;
            }
        }
    });
    (messages, heard)
}

impl Driver {
    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    fn begin(&mut self, observed: Option<Seen>) {
        self.look_around(observed);
        self.path.connected(self.now_ms());
    }

    /// Tells the path where this machine is.
    fn look_around(&mut self, observed: Option<Seen>) {
        let interfaces = self.means.socket.interfaces();
        let observed = observed.map(|seen| seen.addresses()).unwrap_or_default();
        self.path.set_local(self.now_ms(), Local::new(&interfaces, &[], &observed));
    }

    /// Does what the path wants done.
    fn act(&mut self) {
        while let Some(message) = self.path.poll_message() {
            let _ = self.messages.try_send(message);
        }
        while let Some(action) = self.path.poll_action() {
            match action {
                PathAction::Use(way) => self.turn(way),
                PathAction::OpenSockets { first, count } => {
                    let opened = self.means.socket.open_beside(first, count);
                    self.path.opened(self.now_ms(), opened);
                }
                PathAction::CloseSockets { first, count, except } => {
                    self.means.socket.close_beside(first, count, except);
                }
            }
        }
        while let Some(probe) = self.path.poll_transmit(self.now_ms()) {
            if let Err(error) = self.means.socket.send_probe(probe.socket, probe.to, &probe.datagram) {
                tracing::trace!(to = %probe.to, %error, "a probe could not be sent");
            }
        }
    }

    fn turn(&self, way: Way) {
        tracing::info!(?way, "packets go another way");
        self.means.routed.choose(way);
        // The server sends where packets come from: it gets one at once.
        let _ = self.messages.try_send(Vec::new());
        if way == Way::Relay {
            // A NAT box may have forgotten the way to the relay.
            let _ = self.means.knock.try_send(oneshot::channel().0);
        }
        self.means.way.send_replace(way);
    }
}
