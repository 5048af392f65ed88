//! A port of the router that leads to this server, so that devices elsewhere reach it directly, whatever box they are behind: by PCP, NAT-PMP or UPnP.
//!
//! While this server is at a relay, its router is asked for a port, and again at half of the time that it granted, or when this server looks otherwise from
//! outside. What the router maps is one more candidate for direct paths ([`crate::paths`]). When this server stops, it gives the port back.
//!
//! Invariants: nobody but the router is asked, and it only from an address that is not public; one attempt runs at a time, and it ends by itself; a candidate is
//! offered no longer than the router granted it; whatever is going on when this server stops, what the router may have granted is given back
//! (by UPnP only what it was heard to grant: what it grants after that, it keeps as long as it likes).
//!
//! Not for: IPv6, whose addresses are not translated; a firewall that holds back what comes is opened by the probes of both ends.

mod lease;
mod router;
mod said;
mod upnp;

use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU16;
use std::time::Duration;

use crab_nat::pcp::Nonce;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use tresen_identity::KeyPair;
use tresen_path::is_tunnel;
use tresen_reach::{Seen, Socket};

use self::lease::{LEAST, Lease, give_back_unheard};
use self::router::Router;
use self::said::MappingError;
use crate::config::PortMapping;
use crate::site::Site;

/// How often it is looked whether something is to be done.
const LOOK: Duration = Duration::from_millis(500);

/// After a router that maps nothing, the next attempt.
const AGAIN: Duration = Duration::from_secs(600);

/// How long a router may take in all to map a port.
const ATTEMPT: Duration = Duration::from_secs(30);

/// From one request to the next at least, when this server looks otherwise from outside.
const MOVED_LEAST: Duration = Duration::from_secs(30);

/// Why nobody is asked.
const NO_ROUTER: &str = "there is no router of IPv4, or this server's address is not a private one";

/// How long a stopping server takes to give the port back.
const GIVE_BACK: Duration = Duration::from_secs(1);

/// Has the router map the port of this server's socket for IPv4, as long as it runs; what it maps, the receiver knows.
pub fn keep(
    site: &Site,
    key: &KeyPair,
    socket: &Socket,
    observed: &[watch::Receiver<Option<Seen>>],
) -> watch::Receiver<Option<SocketAddr>> {
    let (mapped, told) = watch::channel(None);
    let bound = socket.local_addresses().into_iter().find_map(|bound| match bound {
        SocketAddr::V4(bound) => Some(bound),
        SocketAddr::V6(_) => None,
    });
    if let Some((bound, port)) = bound.and_then(|bound| Some((bound, NonZeroU16::new(bound.port())?))) {
        let wanted = match site.config.port_mapping {
            // Everybody knows its PINs.
            PortMapping::Auto if site.demo => PortMapping::Off,
            wanted => wanted,
        };
        let observed = observed.to_vec();
        let nonce = nonce(key);
        let (lease, attempt, has_failed) = (None, None, false);
        let keeper = Keeper { wanted, bound, port, nonce, observed, mapped, lease, attempt, has_failed };
        site.tasks.spawn(keeper.run(site.shutdown.clone()));
    }
    told
}

struct Attempt {
    router: Router,
    asking: JoinHandle<Result<Lease, MappingError>>,
}

struct Keeper {
    wanted: PortMapping,
    /// Where the socket is bound, and its port.
    bound: SocketAddrV4,
    port: NonZeroU16,
    nonce: Nonce,
    /// How this server looks from outside.
    observed: Vec<watch::Receiver<Option<Seen>>>,
    mapped: watch::Sender<Option<SocketAddr>>,
    lease: Option<Lease>,
    /// A router is being asked for a first one.
    attempt: Option<Attempt>,
    /// Whether it was said that the router maps nothing.
    has_failed: bool,
}

impl Keeper {
    async fn run(mut self, shutdown: CancellationToken) {
        if self.wanted == PortMapping::Off {
            return;
        }
        shutdown.run_until_cancelled(self.renew_for_ever()).await;
        self.end_attempt().await;
        if let Some(lease) = self.lease.take() {
            let external = lease.external();
            match timeout(GIVE_BACK, lease.give_back()).await {
                Ok(Ok(())) => tracing::info!(%external, "the router's port is given back"),
                Ok(Err(_)) | Err(_) => tracing::info!(%external, "the router's port ends by itself"),
            }
        }
    }

    /// Hears what comes of an attempt, for a moment; what may have been granted after it is given back unheard.
    async fn end_attempt(&mut self) {
        let Some(Attempt { router, mut asking }) = self.attempt.take() else { return };
        match timeout(GIVE_BACK, &mut asking).await {
            Ok(got) => self.lease = got.ok().and_then(Result::ok),
            Err(_) => {
                asking.abort();
                // Nothing is sent after this.
                let _ = asking.await;
                let _ = timeout(GIVE_BACK, give_back_unheard(router, self.port, self.nonce)).await;
            }
        }
    }

    async fn renew_for_ever(&mut self) {
        let mut looking = tokio::time::interval(LOOK);
        looking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut asked, mut due, mut from) = (None::<Instant>, Instant::now(), Vec::new());
        loop {
            looking.tick().await;
            let seen = self.seen();
            if seen.is_empty() {
                from.clear();
                if self.lease.is_none() {
                    continue;
                }
            }
            let has_moved = seen != from;
            let may_ask_again = asked.is_none_or(|asked| asked.elapsed() >= MOVED_LEAST);
            if Instant::now() >= due || has_moved && may_ask_again {
                (asked, from) = (Some(Instant::now()), seen);
                due = self.ask().await;
            }
        }
    }

    /// As which addresses the relay sees this server; none, when it is at none.
    fn seen(&self) -> Vec<IpAddr> {
        let here = self.observed.iter().filter_map(|seen| Some(seen.borrow().as_ref()?.here));
        let mut here: Vec<IpAddr> = here.filter(|here| !is_tunnel(*here)).map(|here| here.ip()).collect();
        here.sort_unstable();
        here.dedup();
        here
    }

    /// Asks the router; when to ask again.
    async fn ask(&mut self) -> Instant {
        let router = Router::find(self.wanted, *self.bound.ip());
        if let Some(lease) = &mut self.lease {
            // It stays this server's meanwhile: whoever stops it now gives it back.
            let renewed = match router {
                Some(router) if lease.is_from(router) => lease.renew().await,
                Some(_) => Err(MappingError::refused("this network has another router")),
                None => Err(MappingError::silent(NO_ROUTER)),
            };
            return self.go_on(renewed).await;
        }
        let got = match router {
            Some(router) => self.attempt(router).await,
            None => Err(MappingError::silent(NO_ROUTER)),
        };
        match got {
            Ok(lease) => {
                self.lease = Some(lease);
                self.go_on(Ok(())).await
            }
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    tracing::info!(%error, "no router maps a port to this server");
                }
                Instant::now() + AGAIN
            }
        }
    }

    /// Asks a router for a port. Whoever drops this finds the attempt under way ([`Self::end_attempt`]).
    async fn attempt(&mut self, router: Router) -> Result<Lease, MappingError> {
        let asking = timeout(ATTEMPT, Lease::get(router, self.port, self.nonce));
        let asking = tokio::spawn(async move {
            asking.await.unwrap_or_else(|_| Err(MappingError::silent("it takes too long")))
        });
        let attempt = self.attempt.insert(Attempt { router, asking });
        let got = (&mut attempt.asking).await;
        self.attempt = None;
        got.unwrap_or_else(|error| Err(MappingError::silent(error)))
    }

    /// Says what the router has granted, or gives up what it grants no more; when to ask again.
    async fn go_on(&mut self, granted: Result<(), MappingError>) -> Instant {
        let Some(lease) = &self.lease else { return Instant::now() };
        let external = lease.external();
        match granted {
            Ok(()) => {
                self.has_failed = false;
                if self.mapped.send_replace(Some(external.into())) != Some(external.into()) {
                    let (by, lifetime_s) = (lease.protocol(), lease.left().as_secs());
                    tracing::info!(%external, by, lifetime_s, "the router maps a port to this server");
                }
                lease.renew_at()
            }
            // It may still hold what it has granted.
            Err(MappingError::Silent(_)) if lease.left() > LEAST => lease.renew_at(),
            Err(error) => {
                self.mapped.send_replace(None);
                tracing::info!(%external, %error, "the router maps this port no more");
                // What is left of it would be in the way of the next one. A router that grants and refuses in turn is not asked all the time.
                // It stays this server's meanwhile: whoever stops it now gives it back.
                let _ = timeout(GIVE_BACK, lease.give_back()).await;
                self.lease = None;
                Instant::now() + MOVED_LEAST
            }
        }
    }
}

/// By which the router knows this server again, also when it was killed.
fn nonce(key: &KeyPair) -> Nonce {
    let bytes = key.derive("tresen port mapping v1");
    let word = |at: usize| u32::from_be_bytes(bytes[4 * at..][..4].try_into().expect("four bytes"));
    [word(0), word(1), word(2)]
}
