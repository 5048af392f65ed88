//! The box at a relay: it joins once, registers whenever it runs, and answers for its devices.
//!
//! A device that comes through the relay is a QUIC client like any other: the relay forwards its packets to this server's own socket. Who may come, this
//! server says: a device calls it through the relay, and gets a token when it is paired, or while a pairing code is open.
//!
//! Not for: what devices may do once they are connected; that is asked at the end-to-end connection, as everywhere.

mod let_in;
mod places;
mod strangers;
mod talk;
mod vouched;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use quinn::Endpoint;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tresen_identity::{Fingerprint, KeyPair, PublicPlace, RelayRoute, TOKEN_LIFETIME_S};
use tresen_path::{FromNode, ToNode, canonical, is_tunnel};
use tresen_reach::{
    Caller, ControlFailed, Enrolment, OwnIds, OwnPacket, OwnPackets, Reached, Socket, endpoint, own_packets,
    resolve,
};

pub use self::places::keep;

use self::places::PLACES;
use self::strangers::Strangers;
use self::vouched::Vouched;
use crate::data_dir::{DataDir, DataDirError, read_secret_file};
use crate::files;
use crate::links::Way;
use crate::paths::Paths;
use crate::registry::DeviceKey;
use crate::site::Site;

/// The file in the data folder that holds the way through the relay.
pub(crate) const FILE: &str = "relay";

/// How long the relay may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// This server's socket, as the relay is reached from it.
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
pub struct RelayState {
    /// Where browsers reach this server.
    public: watch::Sender<Option<PublicPlace>>,
    /// The nodes at which this server is, or was.
    nodes: Mutex<[Option<SocketAddr>; PLACES]>,
    strangers: Mutex<Strangers>,
    /// Where the relay sees devices.
    vouched: Mutex<Vouched>,
    paths: OnceLock<Paths>,
}

impl RelayState {
    /// Of a server that has joined, or not.
    #[must_use]
    pub fn new(route: Option<&RelayRoute>) -> Self {
        Self {
            public: watch::Sender::new(route.and_then(|route| route.public.clone())),
            nodes: Mutex::default(),
            strangers: Mutex::default(),
            vouched: Mutex::default(),
            paths: OnceLock::new(),
        }
    }

    /// Where browsers reach this server, as soon as the relay has told.
    #[must_use]
    pub fn public(&self) -> watch::Receiver<Option<PublicPlace>> {
        self.public.subscribe()
    }

    /// Whether packets from there come through the relay.
    fn is_at(&self, address: SocketAddr) -> bool {
        let is_there = |node: &SocketAddr| canonical(*node) == canonical(address);
        lock(&self.nodes).iter().flatten().any(is_there)
    }

    /// The way of a device's connection, by where its packets come from.
    #[must_use]
    pub fn way(&self, device: Fingerprint, from: SocketAddr) -> Way {
        let is_tunnelled = || lock(&self.vouched).get(Instant::now(), device).is_some_and(is_tunnel);
        match from {
            _ if !self.is_at(from) => Way::Direct,
            _ if is_tunnel(from) || is_tunnelled() => Way::Tunnelled,
            _ => Way::Relayed,
        }
    }

    /// The ways past the relay, when there is one.
    #[must_use]
    pub fn paths(&self) -> Option<&Paths> {
        self.paths.get()
    }

    /// From where the relay gets a device's packets, when that is an address.
    #[must_use]
    pub fn vouched(&self, device: Fingerprint) -> Option<IpAddr> {
        lock(&self.vouched).get(Instant::now(), device).filter(|at| !is_tunnel(*at)).map(|at| at.ip())
    }

    fn vouch(&self, device: Fingerprint, at: SocketAddr) {
        lock(&self.vouched).put(Instant::now(), device, at);
    }

    fn set(&self, place: usize, node: SocketAddr) {
        lock(&self.nodes)[place] = Some(node);
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
    let setup = |error: io::Error| ControlFailed::Setup(error.into());
    let ((probes, _), (knocks, _)) = (own_packets(), own_packets());
    let bound = std::net::UdpSocket::bind(any(at)).map_err(setup)?;
    let socket = Socket::new(bound, OwnPackets { probes, knocks }).map_err(setup)?;
    let endpoint = endpoint(socket.clone(), OwnIds::default(), None).map_err(setup)?;
    let (relay, public_port) = (enrolment.node, None);
    let caller = Caller { endpoint: &endpoint, socket: &socket, relay, public_port, key };
    let Reached { mut control, tunnel: _tunnel, .. } = caller.call(at).await?;
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

/// Browsers reach this server there; what is new is remembered, so that pairing codes know it.
fn hear_of_public(site: &Site, route: &RelayRoute, place: PublicPlace) {
    tracing::info!(
        address = format!("https://{}/", place.authority(&site.name)),
        "browsers on any network reach this server"
    );
    let mut now = route.clone();
    now.public = Some(place);
    let is_new = site.relay.public.send_if_modified(|public| {
        let is_new = *public != now.public;
        public.clone_from(&now.public);
        is_new
    });
    if is_new {
        site.pairing.set_relay(now.clone());
        if let Err(error) = site.data.write_private(FILE, &format!("{now}\n")) {
            tracing::warn!(%error, "the relay's public domain could not be kept");
        }
    }
}

/// How long a device may use the relay, in seconds: a paired one; and a few others, for less long, while a pairing code is open.
fn may_call(site: &Site, device: Fingerprint, at: IpAddr) -> Option<u16> {
    let (least_s, most_s) = (*TOKEN_LIFETIME_S.start(), *TOKEN_LIFETIME_S.end());
    let snapshot = site.registry.snapshot();
    if let Some(known) = snapshot.devices.get(&device) {
        return (!known.revoked && known.key == DeviceKey::Certificate).then_some(most_s);
    }
    site.pairing.remaining_ms(&site.clock)?;
    let is_paired = |device: &Fingerprint| snapshot.devices.contains_key(device);
    lock(&site.relay.strangers).admit(site.clock.now_ms(), device, at, is_paired).then_some(least_s)
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

    /// Promise: the office says of a device's packets that they come straight, through the relay, or through it by TLS, because one of the two ends has no UDP.
    #[test]
    fn the_way_of_a_device_is_known() {
        let state = RelayState::new(None);
        let (node, elsewhere) = (([192, 0, 2, 1], 7844).into(), ([198, 51, 100, 1], 4433).into());
        let (tunnel, device) = (tresen_path::tunnel_address(7), Fingerprint::from_bytes([1; 32]));
        state.set(0, node);
        assert_eq!(state.way(device, elsewhere), Way::Direct);
        assert_eq!(state.way(device, node), Way::Relayed);
        state.vouch(device, elsewhere);
        assert_eq!((state.way(device, node), state.vouched(device)), (Way::Relayed, Some(elsewhere.ip())));
        state.vouch(device, tunnel);
        assert_eq!((state.way(device, node), state.vouched(device)), (Way::Tunnelled, None));
        assert_eq!(state.way(device, elsewhere), Way::Direct, "past the relay it has UDP");
        state.set(1, tunnel);
        assert_eq!(state.way(Fingerprint::from_bytes([2; 32]), tunnel), Way::Tunnelled);
    }
}
