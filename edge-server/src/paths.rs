//! Direct paths on the box's side: a device that comes through the relay offers over its connection where it may be reached, the box answers, both send
//! probes, and the device's packets come directly from then on. What is decided is decided in [`EdgePaths`].
//!
//! Invariants: addresses are told to devices of this site only, and probes go to nobody else's; where packets go, QUIC decides by where they come from.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, VarInt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, sleep_until};
use tresen_identity::{Fingerprint, Secret};
use tresen_path::{ConnectionNumber, EdgePaths, Local, PathAction, limits};
use tresen_reach::{OwnPacket, Seen, Socket, read_exchange, write_exchange};
use tresen_wire::CloseCode;

use crate::links::Way;
use crate::site::Site;

/// Messages of all devices that may wait; a device whose message finds no room waits for it.
const OFFERS: usize = 256;

/// Probes that are looked at before anything else is done.
const PROBES: usize = 256;

/// How often connections that are gone are forgotten.
const SWEEP: Duration = Duration::from_secs(2);

/// For so long the addresses of this machine count as known.
const LOCAL_MS: u64 = 5_000;

/// Messages for one device that may wait.
const ANSWERS: usize = 2;

/// The box's paths, for whoever serves connections.
pub struct Paths(mpsc::Sender<Offer>);

/// What a device says.
struct Offer {
    from: ConnectionNumber,
    message: Vec<u8>,
    /// Where the relay sees the device.
    vouched: Option<IpAddr>,
    /// It is closed when the connection is.
    answers: mpsc::Sender<Answer>,
}

/// For a device; `None`: what it says is no message.
struct Answer(Option<Vec<u8>>);

/// What the box's paths are made of.
pub struct Means {
    /// The box's socket.
    pub socket: Arc<Socket>,
    /// What comes to them.
    pub probes: mpsc::Receiver<OwnPacket>,
    /// How the box looks from outside.
    pub observed: Vec<watch::Receiver<Option<Seen>>>,
    /// What its router maps to it.
    pub mapped: watch::Receiver<Option<SocketAddr>>,
}

impl Paths {
    /// Paths, and what runs them.
    pub fn new(means: Means) -> (Self, impl Future<Output = ()>) {
        let (offers, waiting) = mpsc::channel(OFFERS);
        (Self(offers), run(means, waiting))
    }
}

/// Serves what a device says of its paths, while its connection lasts. Does not end by itself.
pub async fn serve(site: Arc<Site>, device: Fingerprint, connection: Connection) {
    if let Some(paths) = site.relay.paths() {
        converse(&site, paths, device, &connection).await;
    }
    std::future::pending().await
}

async fn converse(site: &Site, paths: &Paths, device: Fingerprint, connection: &Connection) -> Option<()> {
    // For a device that came another way the relay does not speak.
    let is_relayed = site.relay.way(device, connection.remote_address()) != Way::Direct;
    let mut receive = connection.accept_uni().await.ok()?;
    let (answers, mut waiting) = mpsc::channel(ANSWERS);
    let reading = async move {
        let mut not_before = Instant::now();
        while let Some(message) = read_exchange(&mut receive).await {
            // An empty one only says where packets come from now.
            if message.is_empty() {
                continue;
            }
            sleep_until(not_before).await;
            not_before = Instant::now() + Duration::from_millis(limits::OFFER_PAUSE_MS);
            let is_known = site.registry.snapshot().devices.get(&device).is_some_and(|known| !known.revoked);
            if is_known {
                let vouched = site.relay.vouched(device).filter(|_| is_relayed);
                let answers = answers.clone();
                let _ = paths.0.send(Offer { from: number(device), message, vouched, answers }).await;
            }
        }
    };
    let writing = async {
        let mut send = None;
        while let Some(Answer(answer)) = waiting.recv().await {
            let Some(answer) = answer else {
                let code = CloseCode::Protocol;
                connection.close(VarInt::from_u32(code.number().into()), code.reason().as_bytes());
                return None;
            };
            if send.is_none() {
                send = Some(connection.open_uni().await.ok()?);
            }
            write_exchange(send.as_mut()?, &answer).await?;
        }
        Some(())
    };
    tokio::join!(reading, writing).1
}

/// All connections of a device are one: it has a share of what there is, whatever it opens.
fn number(device: Fingerprint) -> ConnectionNumber {
    let (first, _) = device.as_bytes().split_first_chunk().expect("a fingerprint has 32 bytes");
    ConnectionNumber(u64::from_be_bytes(*first))
}

struct Runner {
    paths: EdgePaths,
    start: Instant,
    means: Means,
    answers: BTreeMap<ConnectionNumber, mpsc::Sender<Answer>>,
    /// Offers that come sooner after the one before than they are answered: the newest of each device that has a round.
    early: BTreeMap<ConnectionNumber, Offer>,
    /// When the addresses of this machine are looked at again.
    look_ms: u64,
}

async fn run(means: Means, mut offers: mpsc::Receiver<Offer>) {
    let paths = EdgePaths::new(&Secret::new(rand::random()));
    let mut runner = Runner {
        paths,
        start: Instant::now(),
        means,
        answers: BTreeMap::new(),
        early: BTreeMap::new(),
        look_ms: 0,
    };
    let mut probes = Vec::with_capacity(PROBES);
    let mut sweep = tokio::time::interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        runner.act();
        let wake_ms = runner.paths.poll_timeout().into_iter().chain(runner.early_ms()).min();
        let wake = runner.start + Duration::from_millis(wake_ms.unwrap_or_default());
        tokio::select! {
            offer = offers.recv() => match offer {
                Some(offer) => runner.hear(offer),
                None => return,
            },
            _ = sweep.tick() => runner.sweep(),
            1.. = runner.means.probes.recv_many(&mut probes, PROBES) => {
                let now_ms = runner.now_ms();
                for probe in probes.drain(..) {
                    runner.paths.handle_datagram(now_ms, probe.socket, probe.from, &probe.datagram);
                }
            }
            () = sleep_until(wake), if wake_ms.is_some() => {}
        }
        runner.hear_early();
        runner.paths.handle_timeout(runner.now_ms());
    }
}

impl Runner {
    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// When the next offer that came too soon is heard.
    fn early_ms(&self) -> Option<u64> {
        self.early.keys().map(|from| self.paths.next_offer_ms(*from)).min()
    }

    fn hear_early(&mut self) {
        let now_ms = self.now_ms();
        let is_due = |from: &ConnectionNumber| now_ms >= self.paths.next_offer_ms(*from);
        let due: Vec<ConnectionNumber> = self.early.keys().copied().filter(is_due).collect();
        for from in due {
            if let Some(offer) = self.early.remove(&from) {
                self.hear(offer);
            }
        }
    }

    fn hear(&mut self, offer: Offer) {
        let now_ms = self.now_ms();
        if now_ms < self.paths.next_offer_ms(offer.from) {
            // A device that dialled anew begins with an offer.
            self.early.insert(offer.from, offer);
            return;
        }
        let Offer { from, message, vouched, answers } = offer;
        if now_ms >= self.look_ms || self.is_seen_anew() {
            self.look_ms = now_ms + LOCAL_MS;
            let local = self.local();
            self.paths.set_local(local);
        }
        if self.paths.round_count() >= limits::ROUNDS || self.answers.len() >= limits::ROUNDS {
            self.sweep();
        }
        if let Err(error) = self.paths.handle_message(now_ms, from, &message, vouched) {
            tracing::warn!(%error, "a device says of its paths what no device says");
            let _ = answers.try_send(Answer(None));
        }
        if self.answers.len() < limits::ROUNDS || self.answers.contains_key(&from) {
            self.answers.insert(from, answers);
        }
    }

    /// Forgets devices whose connections are gone.
    fn sweep(&mut self) {
        let gone: Vec<ConnectionNumber> =
            self.answers.iter().filter(|(_, answers)| answers.is_closed()).map(|(from, _)| *from).collect();
        for from in gone {
            self.answers.remove(&from);
            self.paths.closed(from);
        }
    }

    /// Whether it looks otherwise from outside than it did.
    fn is_seen_anew(&self) -> bool {
        let is_mapped_anew = self.means.mapped.has_changed().unwrap_or(false);
        is_mapped_anew || self.means.observed.iter().any(|seen| seen.has_changed().unwrap_or(false))
    }

    /// Where this box is now.
    fn local(&mut self) -> Local {
        let interfaces = self.means.socket.interfaces();
        let seen = self.means.observed.iter_mut().filter_map(|seen| *seen.borrow_and_update());
        let observed: Vec<SocketAddr> = seen.flat_map(|seen| seen.addresses()).collect();
        let mapped = *self.means.mapped.borrow_and_update();
        Local::new(&interfaces, mapped.as_slice(), &observed)
    }

    /// Does what the paths want done.
    fn act(&mut self) {
        while let Some((connection, message)) = self.paths.poll_message() {
            // A device that does not read its answers gets no more of them.
            let _ = self.answers.get(&connection).map(|answers| answers.try_send(Answer(Some(message))));
        }
        while let Some(action) = self.paths.poll_action() {
            match action {
                PathAction::OpenSockets { first, count } => {
                    let opened = self.means.socket.open_beside(first, count);
                    self.paths.opened(self.now_ms(), opened);
                }
                PathAction::CloseSockets { first, count, except } => {
                    self.means.socket.close_beside(first, count, except);
                }
                PathAction::Use(_) => {}
            }
        }
        while let Some(probe) = self.paths.poll_transmit(self.now_ms()) {
            if let Err(error) = self.means.socket.send_probe(probe.socket, probe.to, &probe.datagram) {
                tracing::trace!(to = %probe.to, %error, "a probe could not be sent");
            }
        }
    }
}
