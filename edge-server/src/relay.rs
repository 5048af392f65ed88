//! The box at a relay: it joins once, registers whenever it runs, and answers for its devices.
//!
//! A device that comes through the relay is a QUIC client like any other: the relay forwards its packets to this server's own socket. Who may come, this
//! server says: a device calls it through the relay, and gets a token when it is paired, or while a pairing code is open.
//!
//! Not for: what devices may do once they are connected; that is asked at the end-to-end connection, as everywhere.

mod let_in;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use quinn::Endpoint;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tresen_identity::{
    Admission, Fingerprint, KeyPair, PAIRING_LIFETIME_MS, RelayRoute, Secret, TOKEN_LIFETIME_S, TokenId,
};
use tresen_path::{FromNode, Knocker, ToNode};
use tresen_reach::{
    Control, ControlFailed, Enrolment, Node, OwnIds, OwnPacket, Seen, Socket, keep_knocking, moves, resolve,
};

use self::let_in::LetIn;
use crate::data_dir::{DataDir, DataDirError, read_secret_file};
use crate::files;
use crate::paths::{self, Paths};
use crate::registry::DeviceKey;
use crate::site::Site;

/// The file in the data folder that holds the way through the relay.
pub(crate) const FILE: &str = "relay";

/// Devices that are not paired and may use the relay in the time in which a pairing code is good.
const STRANGERS: usize = 4;

/// Devices of which is known where the relay sees them; beyond that, of none before.
const VOUCHED: usize = 16_384;

/// From one attempt to reach the relay to the next: the first pause, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A pause is so much of what it is, by chance: the boxes of a relay that went away do not all come back at once.
const JITTER: std::ops::Range<f64> = 0.5..1.5;

/// How long the relay may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// From one message about revoked devices to the next: the relay takes no more from anybody.
const REVOCATION_PAUSE: Duration = Duration::from_secs(1);

/// Why the box did not join.
#[derive(Debug, Error)]
pub enum JoinError {
    /// The enrolment is none.
    #[error("this is no enrolment of a relay: its operator gets one with 'tresen-relay tenant add'")]
    Enrolment,
    /// The address is none.
    #[error("{0} is no address of a relay: host and port, for example relay.example:7844")]
    Address(String),
    /// No address of it answers as the relay of the enrolment.
    #[error("the relay at {0} does not answer: {1}")]
    NotReached(String, String),
    /// The data folder.
    #[error(transparent)]
    Data(#[from] DataDirError),
    /// The relay refused.
    #[error("the relay refused: the enrolment was used by another box, or is older than a day")]
    Refused,
    /// The system.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// One of this server's sockets, as the relay is reached from it.
pub struct Door {
    /// QUIC on it.
    pub endpoint: Endpoint,
    /// It.
    pub socket: Arc<Socket>,
    /// The ids that it issues.
    pub ids: OwnIds,
    /// Answers to knocks that come to it.
    pub knocks: mpsc::Receiver<OwnPacket>,
}

/// What is known of the relay.
#[derive(Default)]
pub struct RelayState {
    node: Mutex<Option<SocketAddr>>,
    strangers: Mutex<Strangers>,
    /// Where the relay sees devices.
    vouched: Mutex<HashMap<Fingerprint, IpAddr>>,
    paths: OnceLock<Paths>,
}

/// Devices that are not paired and were let in to show that they know the open code: the times at which they called, in ms.
#[derive(Default)]
struct Strangers(VecDeque<u64>);

impl Strangers {
    /// Whether another one may come: anybody can call, and each has a place at the relay for a while.
    fn admit(&mut self, now_ms: u64) -> bool {
        self.0.retain(|called_ms| called_ms + PAIRING_LIFETIME_MS > now_ms);
        let has_room = self.0.len() < STRANGERS;
        if has_room {
            self.0.push_back(now_ms);
        }
        has_room
    }
}

impl RelayState {
    /// Whether packets from there come through the relay.
    #[must_use]
    pub fn is_at(&self, address: SocketAddr) -> bool {
        let node = *lock(&self.node);
        node.is_some_and(|node| {
            node.ip().to_canonical() == address.ip().to_canonical() && node.port() == address.port()
        })
    }

    /// The ways past the relay, when there is one.
    #[must_use]
    pub fn paths(&self) -> Option<&Paths> {
        self.paths.get()
    }

    /// Where the relay sees a device.
    #[must_use]
    pub fn vouched(&self, device: Fingerprint) -> Option<IpAddr> {
        lock(&self.vouched).get(&device).copied()
    }

    fn vouch(&self, device: Fingerprint, at: SocketAddr) {
        let mut vouched = lock(&self.vouched);
        if vouched.len() >= VOUCHED {
            vouched.clear();
        }
        vouched.insert(device, at.ip());
    }

    fn set(&self, node: SocketAddr) {
        *lock(&self.node) = Some(node);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The way through the relay that this data folder's server has joined.
///
/// # Errors
/// When the file can't be read, or is damaged.
pub fn route(data: &Path) -> io::Result<Option<RelayRoute>> {
    match std::fs::read_to_string(data.join(FILE)) {
        Ok(text) => text.trim().parse().map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Joins a relay, for the server of a data folder; what it writes there, the server reads when it starts.
///
/// # Errors
/// When the relay does not take it.
pub async fn join(data: &Path, authority: &str, enrolment: &str) -> Result<RelayRoute, JoinError> {
    let enrolment = Enrolment::from_text(enrolment).ok_or(JoinError::Enrolment)?;
    let key = key(data)?;
    let found = resolve(authority).await.map_err(|_| JoinError::Address(authority.to_owned()))?;
    let mut why = "it has no address".to_owned();
    let mut answer = None;
    for at in found {
        let asked = tokio::time::timeout(PATIENCE, ask_to_join(at, &enrolment, &key)).await;
        match asked
            .map_err(|_| format!("{at} is silent"))
            .and_then(|asked| asked.map_err(|error| error.to_string()))
        {
            Ok(heard) => {
                answer = Some(heard);
                break;
            }
            Err(error) => why = error,
        }
    }
    let answer = answer.ok_or_else(|| JoinError::NotReached(authority.to_owned(), why))?;
    let FromNode::Joined(tenant) = answer else { return Err(JoinError::Refused) };
    let route = RelayRoute::new(tenant, enrolment.node, authority)
        .map_err(|_| JoinError::Address(authority.to_owned()))?;
    files::write_whole_private(&data.join(FILE), format!("{route}\n").as_bytes())?;
    Ok(route)
}

async fn ask_to_join(
    at: SocketAddr,
    enrolment: &Enrolment,
    key: &KeyPair,
) -> Result<FromNode, ControlFailed> {
    let endpoint = Endpoint::client(any(at)).map_err(|error| ControlFailed::Setup(error.into()))?;
    let mut control = Control::connect(&endpoint, at, enrolment.node, key).await?;
    control.say(&ToNode::Join(enrolment.secret.clone())).await?;
    let answer = control.hear().await?;
    control.close();
    endpoint.wait_idle().await;
    Ok(answer)
}

/// The key of a data folder's server, whether it runs or not, and whether it ever did.
fn key(data: &Path) -> Result<KeyPair, DataDirError> {
    match DataDir::open(data) {
        Ok(data) => data.server_key(),
        Err(DataDirError::Locked(_)) => Ok(KeyPair::from_seed(&read_secret_file(&data.join("server.key"))?)),
        Err(error) => Err(error),
    }
}

/// Is at the relay until the server stops.
pub async fn keep(
    site: Arc<Site>,
    route: RelayRoute,
    key: KeyPair,
    mut doors: Vec<Door>,
    probes: mpsc::Receiver<OwnPacket>,
) {
    let (seen, observed) = watch::channel(None);
    let sockets = doors.iter().map(|door| door.socket.clone()).collect();
    let (paths, running) = Paths::new(paths::Means { sockets, probes, observed });
    let _ = site.relay.paths.set(paths);
    let staying = async {
        let (mut pause, mut let_in) = (PAUSES.0, LetIn::default());
        loop {
            let error = match visit(&site, &route, &key, &mut doors, &seen).await {
                Ok(()) => {
                    pause = PAUSES.0;
                    "the relay node is about to stop".to_owned()
                }
                Err(Absent { why, was_there }) => {
                    pause = if was_there { PAUSES.0 } else { pause };
                    why
                }
            };
            tracing::warn!(relay = route.authority(), error, "not at the relay; trying again");
            tokio::time::sleep(pause.mul_f64(rand::random_range(JITTER))).await;
            pause = (2 * pause).min(PAUSES.1);
        }
    };
    site.shutdown.run_until_cancelled(async { tokio::join!(staying, running) }).await;
}

/// Why the box is not at the relay any more.
struct Absent {
    why: String,
    was_there: bool,
}

/// Registers, and answers calls until the node leaves or is lost.
async fn visit(
    site: &Site,
    route: &RelayRoute,
    key: &KeyPair,
    doors: &mut [Door],
    observed: &watch::Sender<Option<Seen>>,
) -> Result<(), Absent> {
    let absent = |why: String| Absent { why, was_there: false };
    let found = resolve(route.authority()).await.map_err(|error| absent(error.to_string()))?;
    let mut why = "the relay has no address of a kind that this server has".to_owned();
    let mut registered = None;
    for at in found {
        let Some(place) = doors.iter().position(|door| is_of_family(door, at)) else { continue };
        let registering = register(&doors[place], at, route, key);
        match tokio::time::timeout(PATIENCE, registering).await {
            Ok(Ok((control, answer))) => {
                registered = Some((at, place, control, answer));
                break;
            }
            Ok(Err(error)) => why = format!("{at}: {error}"),
            Err(_) => why = format!("{at} does not answer"),
        }
    }
    let Some((at, place, mut control, answer)) = registered else { return Err(absent(why)) };
    let door = &mut doors[place];
    let registering = async {
        let mut control = Control::connect(&door.endpoint, at, route.relay, key).await?;
        control.say(&ToNode::Register(route.tenant)).await?;
        let answer = control.hear().await?;
        Ok::<_, ControlFailed>((control, answer))
    };
    let registered = tokio::time::timeout(PATIENCE, registering).await;
    let registered = registered.map_err(|_| absent("it does not answer".into()))?;
    let (mut control, answer) = registered.map_err(|error| absent(error.to_string()))?;
    let FromNode::Granted { grant, second_port, .. } = answer else {
        return Err(absent("it refuses this server: join again with a new enrolment".into()));
    };
    let knocker = Knocker::new(&grant, &Secret::new(rand::random()));
    let knocker = knocker.ok_or_else(|| absent("it granted nothing".into()))?;
    door.ids.set(&grant.own_handles);
    site.relay.set(at);
    tracing::info!(relay = route.authority(), observed = %grant.observed, "at the relay");
    let (_moves, mut moved) = moves();
    observed.send_replace(Some(Seen::at(grant.observed)));
    let mut seen = observed.subscribe();
    let (socket, observed, node) = (door.socket.clone(), observed.clone(), Node::new(at, second_port));
    let knocking = keep_knocking(socket, node, knocker, &mut door.knocks, &mut moved, observed);
    let lost = |why: String| Absent { why, was_there: true };
    tokio::select! {
        heard = answer_calls(site, route, key, &mut control, let_in) => heard.map_err(|error| lost(error.to_string())),
        () = knocking => Err(lost("the socket is gone".into())),
        _ = seen.wait_for(Option::is_none) => Err(lost("it does not answer knocks".into())),
    }
}

async fn register(
    door: &Door,
    at: SocketAddr,
    route: &RelayRoute,
    key: &KeyPair,
) -> Result<(Control, FromNode), ControlFailed> {
    let mut control = Control::connect(&door.endpoint, at, route.relay, key).await?;
    control.say(&ToNode::Register(route.tenant)).await?;
    let answer = control.hear().await?;
    Ok((control, answer))
}

async fn answer_calls(
    site: &Site,
    route: &RelayRoute,
    key: &KeyPair,
    control: &mut Control,
    let_in: &mut LetIn,
) -> Result<(), ControlFailed> {
    let mut changes = site.registry.watch();
    // Somebody may have been revoked while this server was not there.
    changes.mark_changed();
    loop {
        let heard = tokio::select! {
            heard = control.hear() => heard?,
            Ok(()) = changes.changed() => {
                let revoked = let_in.take_revoked(&changes.borrow_and_update());
                tell_revoked(control, &revoked).await?;
                continue;
            }
        };
        match heard {
            FromNode::Call(device) => {
                let Some(lifetime_s) = may_call(site, device) else {
                    tracing::debug!(device = %device.short(), "a device that is not paired called through the relay");
                    control.say(&ToNode::TurnAway(device)).await?;
                    continue;
                };
                let_in.put(device, now_s(), &site.registry.snapshot());
                let token = Admission {
                    tenant: route.tenant,
                    edge: site.name,
                    device,
                    issued_s: now_s(),
                    lifetime_s,
                    id: TokenId(rand::random()),
                };
                control.say(&ToNode::Let(Box::new(token.sign(key)))).await?;
            }
            FromNode::Client(device, at) => {
                tracing::debug!(device = %device.short(), %at, "a device comes through the relay");
                site.relay.vouch(device, at);
            }
            FromNode::Leaving => return Ok(()),
            FromNode::Refused => return Err(ControlFailed::Closed),
            FromNode::Joined(_) | FromNode::Granted { .. } => {}
        }
    }
}

async fn tell_revoked(control: &mut Control, revoked: &[Fingerprint]) -> Result<(), ControlFailed> {
    let mut messages = revoked.chunks(MAX_REVOKED).peekable();
    while let Some(devices) = messages.next() {
        tracing::info!(devices = devices.len(), "the relay is told who is revoked");
        control.say(&ToNode::Revoke { devices: devices.to_vec(), until_s: now_s() }).await?;
        if messages.peek().is_some() {
            tokio::time::sleep(REVOCATION_PAUSE).await;
        }
    }
    Ok(())
}

/// How long a device may use the relay, in seconds: a paired one; and a few others, for less long, while a pairing code is open.
fn may_call(site: &Site, device: Fingerprint) -> Option<u16> {
    let (least_s, most_s) = (*TOKEN_LIFETIME_S.start(), *TOKEN_LIFETIME_S.end());
    let snapshot = site.registry.snapshot();
    if let Some(known) = snapshot.devices.get(&device) {
        return (!known.revoked && known.key == DeviceKey::Certificate).then_some(most_s);
    }
    site.pairing.remaining_ms(&site.clock)?;
    lock(&site.relay.strangers).admit(site.clock.now_ms()).then_some(least_s)
}

fn is_of_family(door: &Door, at: SocketAddr) -> bool {
    door.endpoint.local_addr().is_ok_and(|local| local.is_ipv4() == at.is_ipv4())
}

fn any(at: SocketAddr) -> SocketAddr {
    let ip: IpAddr = if at.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
    SocketAddr::new(ip, 0)
}

fn now_s() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: while a code is open, a few devices that are not paired may come to show it, not everybody who can call.
    #[test]
    fn few_strangers_come_in() {
        let mut strangers = Strangers::default();
        assert!((0..STRANGERS as u64).all(|at_ms| strangers.admit(at_ms)));
        assert!(!strangers.admit(1_000));
        assert!(
            strangers.admit(PAIRING_LIFETIME_MS) && !strangers.admit(PAIRING_LIFETIME_MS),
            "one was long ago"
        );
    }
}
