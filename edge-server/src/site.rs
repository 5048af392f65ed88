//! What all parts of a running server share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tresen_identity::{DeviceClass, Fingerprint, Pairing, PairingCode, PairingRefused, RelayRoute, Secret};
use tresen_ledger::Ledger;
use tresen_scene::Namer;
use tresen_typeset::Typesetter;

use crate::config::Config;
use crate::data_dir::DataDir;
use crate::hub::Hub;
use crate::links::Links;
use crate::local_door;
use crate::registry::Registry;
use crate::relay::RelayState;
use crate::spool::Spool;

/// A running server. Shared as `Arc<Site>`; every part of it has its own lock or task.
pub struct Site {
    /// The configuration, with the arguments applied.
    pub config: Config,
    /// Whether this is the demo restaurant.
    pub demo: bool,
    /// The server's name: the fingerprint of its key.
    pub name: Fingerprint,
    /// The data folder, locked.
    pub data: DataDir,
    /// The journal and its till.
    pub ledger: Ledger,
    /// Stations, devices, licence.
    pub registry: Registry,
    /// The instances.
    pub hub: Arc<Hub>,
    /// How good the devices' links are.
    pub links: Arc<Links>,
    /// What is known of the relay.
    pub relay: RelayState,
    /// Draws text and shapes for all instances.
    pub typesetter: Arc<Typesetter>,
    /// Receipts as files.
    pub spool: Spool,
    /// Names objects of scenes.
    pub namer: Namer,
    /// Clocks.
    pub clock: Arc<Clock>,
    /// Pairing of new devices.
    pub pairing: PairingDesk,
    /// For commands on this machine.
    pub(crate) local_password: local_door::Password,
    /// Cancelled when the server is to stop.
    pub shutdown: CancellationToken,
    /// Every task that holds the site; the server ends when they have.
    pub tasks: TaskTracker,
}

/// The two clocks of the server.
pub struct Clock {
    start: Instant,
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock {
    /// Milliseconds since the server started; never goes back. For sessions and time limits.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The calendar's time. For bookings.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Where pairing codes are made and redeemed.
pub struct PairingDesk {
    server: Fingerprint,
    authority: String,
    addresses: Vec<SocketAddr>,
    relay: Mutex<Option<RelayRoute>>,
    open: Mutex<Pairing>,
}

impl PairingDesk {
    /// For a server with this name that answers at these addresses, and through this relay.
    #[must_use]
    pub fn new(
        server: Fingerprint,
        authority: String,
        addresses: Vec<SocketAddr>,
        relay: Option<RelayRoute>,
    ) -> Self {
        Self { server, authority, addresses, relay: Mutex::new(relay), open: Mutex::default() }
    }

    /// Opens pairing for one device: the code to show. An earlier code ends.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn open(&self, clock: &Clock, class: DeviceClass) -> Result<PairingCode, getrandom::Error> {
        let mut random = [0; 16];
        getrandom::fill(&mut random)?;
        let secret = lock(&self.open).open(clock.now_ms(), class, random);
        Ok(PairingCode {
            authority: self.authority.clone(),
            server: self.server,
            secret,
            addresses: self.addresses.clone(),
            relay: lock(&self.relay).clone(),
        })
    }

    /// A code as a link for browsers on other networks, when this server has a public name.
    #[must_use]
    pub fn link_from_anywhere(&self, code: &PairingCode) -> Option<String> {
        let authority = lock(&self.relay).as_ref()?.public.as_ref()?.authority(&self.server);
        // A browser wants no other way.
        Some(PairingCode { authority, addresses: Vec::new(), relay: None, ..code.clone() }.to_string())
    }

    /// A code as text, and in a second line the link for browsers on other networks, if there is one.
    #[must_use]
    pub fn written(&self, code: &PairingCode) -> String {
        let link = self.link_from_anywhere(code).map(|link| format!("\n{link}")).unwrap_or_default();
        format!("{code}{link}")
    }

    /// Whether a relay was joined.
    #[must_use]
    pub fn has_relay(&self) -> bool {
        lock(&self.relay).is_some()
    }

    /// The way through the relay is this one from now on.
    pub fn set_relay(&self, route: RelayRoute) {
        *lock(&self.relay) = Some(route);
    }

    /// Closes pairing.
    pub fn close(&self) {
        lock(&self.open).close();
    }

    /// How long the open code is still good, in ms; `None` when none is.
    #[must_use]
    pub fn remaining_ms(&self, clock: &Clock) -> Option<u64> {
        lock(&self.open).remaining_ms(clock.now_ms())
    }

    /// Uses up a code.
    ///
    /// # Errors
    /// When the secret opens nothing.
    pub fn redeem(&self, clock: &Clock, secret: &Secret<16>) -> Result<DeviceClass, PairingRefused> {
        lock(&self.open).redeem(clock.now_ms(), secret)
    }

    /// Host and port that stand in codes, for example `192.168.1.10:7843`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
