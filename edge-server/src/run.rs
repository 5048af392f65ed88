//! The life of the server, from the data folder to the last goodbye.

mod serve;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tresen_identity::{CertificateError, DeviceClass, Fingerprint, KeyPair, RelayRoute, TlsError};
use tresen_ledger::{Ledger, OpenError, Options};
use tresen_scene::Namer;
use tresen_typeset::Typesetter;
use tresen_wire::CloseCode;

use self::serve::{Certificates, serve};
use crate::application::{Applications, Handhelds};
use crate::config::Config;
use crate::darkroom::Darkroom;
use crate::data_dir::{DataDir, DataDirError};
use crate::demo::Nature;
use crate::habits::Habits;
use crate::hub::Hub;
use crate::instance::{News, Surroundings};
use crate::links::Links;
use crate::local_door::Password;
use crate::net::listen::{self, ListenError};
use crate::registry::{DEMO_SEATS, Licensing, Registry, RegistryError, demo_licence};
use crate::relay::{self, RelayState};
use crate::site::{Clock, PairingDesk, Site};
use crate::spool::Spool;
use crate::{backup, demo, mdns};

/// How long a stopping server waits for its tasks.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How long a server waits to hear where browsers on other networks find it, before it shows its first pairing code.
const RELAY_TELLS: Duration = Duration::from_secs(3);

/// What to run.
pub struct RunOptions {
    /// The configuration, with the arguments applied.
    pub config: Config,
    /// Whether this is the demo restaurant.
    pub demo: bool,
    /// What instances run; `None`: the handheld app.
    pub applications: Option<MakeApplications>,
    /// How to open the ledger; tests let its disk fail.
    pub ledger: Options,
}

/// Makes what instances run, with the typesetter that names objects as this server does.
pub type MakeApplications = Box<dyn FnOnce(Arc<Typesetter>) -> Arc<dyn Applications> + Send>;

/// Why a server can't run, or stopped running. Each is one sentence for a person.
#[derive(Debug, Error)]
pub enum RunError {
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// A restoration that was interrupted.
    #[error("an interrupted restore can't be finished: {0}")]
    Restore(#[from] backup::Error),
    /// The database.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// The port.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The socket for QUIC.
    #[error("QUIC can't be served: {0}")]
    Quic(std::io::Error),
    /// The certificates.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Stations and devices.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The demo was asked for where real data lie.
    #[error(
        "{} holds a real site, and --demo would open it to every browser on this machine and to the demo's licence: leave --demo out, or name another folder with --data",
        .0.display()
    )]
    NotADemo(std::path::PathBuf),
    /// The file with the way through the relay.
    #[error("the file 'relay' in the data folder can't be read: {0}")]
    Relay(std::io::Error),
    /// The demo's data.
    #[error("the demo can't be set up: {0}")]
    Demo(String),
    /// The disk failed while the server ran.
    #[error(
        "stopped, because bookings can't be stored any more: {0}. What was confirmed is safe; make room or change the disk, then start again"
    )]
    Disk(String),
}

/// A server that serves. [`Server::finish`] ends it.
pub struct Server {
    /// What its parts share.
    pub site: Arc<Site>,
    /// The port that it listens on.
    pub port: u16,
    _announcement: Option<mdns::Announcement>,
}

/// Runs a server until `shutdown` resolves.
///
/// # Errors
/// When it can't start, or must stop.
pub async fn run(options: RunOptions, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
    let server = start(options).await?;
    let office = format!("https://{}/office", server.site.pairing.authority());
    tracing::info!(port = server.port, name = %server.site.name, office, "serving");
    if server.site.demo {
        say_welcome(&server).await;
    }
    server.until(shutdown).await
}

/// Starts a server and returns while it serves.
///
/// # Errors
/// When it can't start.
pub async fn start(options: RunOptions) -> Result<Server, RunError> {
    let RunOptions { config, demo, applications, ledger } = options;
    let data = DataDir::open(&config.data)?;
    backup::carry_through(data.path())?;
    let key = data.server_key()?;
    let ledger = Ledger::open(&data.ledger(), ledger)?;
    keep_apart(&ledger, demo, &config.data)?;
    let route = relay::route(data.path()).map_err(RunError::Relay)?;
    let sockets = listen::bind(&config.bind, config.port)?;
    let certificates = Certificates::make(&config, &data, &key)?;
    let port = sockets.port;
    let name = key.fingerprint();
    let local_password = Password::open(&data, port)?;
    let registry = Registry::load(ledger.clone(), name, demo, today(&ledger)).await?;
    if demo {
        furnish_demo(&ledger, &registry).await?;
    }
    let namer = namer(&key);
    let typesetter = Typesetter::new(namer.clone());
    let applications = match applications {
        Some(make) => make(typesetter.clone()),
        None => Arc::new(Handhelds::new(typesetter.clone())),
    };
    let clock = Arc::new(Clock::default());
    let shutdown = CancellationToken::new();
    let painter = config.receipt_pictures.then(|| typesetter.clone());
    let spool = Spool::start(data.spool(), painter, ledger.watch(), shutdown.clone());
    let printer = spool.clone();
    let habits = Arc::new(Habits::read(data.path()));
    let news = News::new(ledger.till());
    let surroundings = Surroundings {
        news: news.clone(),
        pin_checks: Arc::default(),
        habits: habits.clone(),
        prediction: config.prediction,
        ledger: ledger.clone(),
        clock: clock.clone(),
        namer: namer.clone(),
        alphabets: Default::default(),
        applications,
        darkroom: Darkroom::new(typesetter.clone()),
        reprint: Box::new(move |number| {
            printer.reprint(number);
        }),
    };
    let addresses = lan_addresses();
    let announcement = config.mdns.then(|| mdns::announce(&config.name, name, &addresses, port)).flatten();
    let site = Arc::new(Site {
        pairing: pairing_desk(&config, name, port, &addresses, route.clone()),
        relay: RelayState::new(route.as_ref()),
        config,
        demo,
        name,
        data,
        ledger,
        registry,
        hub: Arc::new(Hub::new(Arc::new(surroundings))),
        links: Arc::new(Links::new(clock.clone())),
        typesetter,
        spool,
        namer,
        clock,
        local_password,
        shutdown,
        tasks: TaskTracker::new(),
    });
    keep_up(&site, habits, news);
    serve(&site, sockets, certificates, route).await?;
    Ok(Server { site, port, _announcement: announcement })
}

/// A demo does not begin in the folder of a real site; the other way round, somebody is warned.
fn keep_apart(ledger: &Ledger, demo: bool, folder: &Path) -> Result<(), RunError> {
    match (demo::nature(ledger), demo) {
        (Nature::Real, true) => return Err(RunError::NotADemo(folder.to_owned())),
        (Nature::Demo, false) => warn_of_demo(folder),
        (Nature::Real | Nature::Empty, false) | (Nature::Demo | Nature::Empty, true) => {}
    }
    Ok(())
}

fn warn_of_demo(folder: &Path) {
    tracing::warn!(
        folder = %folder.display(),
        "this is the demo's data folder: everybody knows its PINs. Begin a real site in a new folder (--data)"
    );
}

async fn furnish_demo(ledger: &Ledger, registry: &Registry) -> Result<(), RunError> {
    demo::furnish(ledger).await.map_err(RunError::Demo)?;
    // What somebody installed stays.
    if !matches!(registry.snapshot().licensing, Licensing::Licensed(_)) {
        let licence =
            demo_licence(DEMO_SEATS, today(ledger)).map_err(|error| RunError::Demo(error.to_string()))?;
        registry.install_licence(&licence, today(ledger)).await?;
    }
    Ok(())
}

/// Starts what goes on beside the serving: habits are kept, and bookings are told to whoever shows them.
fn keep_up(site: &Site, habits: Arc<Habits>, news: Arc<News>) {
    let shutdown = site.shutdown.clone();
    site.tasks.spawn(async move { habits.keep(shutdown).await });
    let (shutdown, telling) = (site.shutdown.clone(), news.follow(site.ledger.watch()));
    site.tasks.spawn(async move {
        shutdown.run_until_cancelled(telling).await;
    });
}

impl Server {
    /// Serves until `shutdown` resolves, or the disk fails.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn until(self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let mut failure = self.site.ledger.failure();
        let failed = async { failure.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone()) };
        tokio::select! {
            () = shutdown => {
                tracing::info!("stopping");
                self.finish(CloseCode::ServerStopping, "").await;
                Ok(())
            }
            reason = failed => {
                let reason = reason.unwrap_or_default();
                tracing::error!(reason, "bookings can't be stored: stopping");
                self.finish(CloseCode::Internal, "bookings can't be stored").await;
                Err(RunError::Disk(reason))
            }
        }
    }

    /// Ends everything in order: goodbyes, open connections, tasks.
    pub async fn finish(self, code: CloseCode, text: &'static str) {
        let Self { site, .. } = self;
        site.hub.stop(code, text).await;
        site.shutdown.cancel();
        site.tasks.close();
        if tokio::time::timeout(STOP_PATIENCE, site.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
    }
}

/// Resolves at SIGTERM, SIGINT or ctrl-c.
pub async fn interrupted() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

async fn say_welcome(server: &Server) {
    let site = &server.site;
    if site.pairing.has_relay() {
        // The relay tells at once where browsers on other networks find this server, if they do.
        let mut public = site.relay.public();
        let _ = tokio::time::timeout(RELAY_TELLS, public.wait_for(Option::is_some)).await;
    }
    print!("{}", demo::welcome(server.port, &lan_addresses()));
    match site.pairing.open(&site.clock, DeviceClass::Mpos) {
        Ok(code) => println!("{}", demo::code_for_terminal(&site.pairing.written(&code))),
        Err(error) => tracing::warn!(%error, "no pairing code could be made"),
    }
}

/// Object names are keyed per server, and stay the same across restarts, so that a client's slots stay good.
fn namer(key: &KeyPair) -> Namer {
    Namer::new(key.derive("tresen scene names v1"))
}

/// The date where the site is.
fn today(ledger: &Ledger) -> jiff::civil::Date {
    ledger.till().site().local(jiff::Timestamp::now()).date()
}

/// This machine's addresses on its networks, best first for a pairing code.
fn lan_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut addresses: Vec<IpAddr> = interfaces
        .iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(if_addrs::Interface::ip)
        .collect();
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses
}

fn pairing_desk(
    config: &Config,
    name: Fingerprint,
    port: u16,
    lan: &[IpAddr],
    relay: Option<RelayRoute>,
) -> PairingDesk {
    let mut addresses: Vec<SocketAddr> = lan.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
    if addresses.is_empty() || config.bind.iter().all(IpAddr::is_loopback) {
        addresses = vec![SocketAddr::new([127, 0, 0, 1].into(), port)];
    }
    let authority = match &config.public_host {
        Some(host) => host.with_port(port),
        None => addresses[0].to_string(),
    };
    PairingDesk::new(name, authority, addresses, relay)
}
