//! The life of the server, from the data folder to the last goodbye.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tresen_identity::{Certificate, CertificateError, TlsError, https_config};

use crate::config::Config;
use crate::data_dir::{DataDir, DataDirError};
use crate::net::listen::{self, ListenError, Sockets};
use crate::net::{http, tcp};
use crate::site::{Clock, PairingDesk, Site};

/// What to run.
pub struct RunOptions {
    /// The configuration, with the arguments applied.
    pub config: Config,
    /// Whether this is the demo restaurant.
    pub demo: bool,
}

/// Why a server can't run, or stopped running. Each is one sentence for a person.
#[derive(Debug, Error)]
pub enum RunError {
    /// The data folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The port.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificates.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A server that serves. Dropping it leaves its tasks running; [`Server::finish`] ends them.
pub struct Server {
    /// What its parts share.
    pub site: Arc<Site>,
    /// The port that it listens on.
    pub port: u16,
    tasks: JoinSet<()>,
}

/// Runs a server until `shutdown` resolves.
///
/// # Errors
/// When it can't start, or must stop.
pub async fn run(options: RunOptions, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
    let server = start(options).await?;
    tracing::info!(port = server.port, name = %server.site.name, "serving");
    shutdown.await;
    tracing::info!("stopping");
    server.finish().await;
    Ok(())
}

/// Starts a server and returns while it serves.
///
/// # Errors
/// When it can't start.
pub async fn start(options: RunOptions) -> Result<Server, RunError> {
    let RunOptions { config, demo } = options;
    let data = DataDir::open(&config.data)?;
    let key = data.server_key()?;
    let sockets = listen::bind(&config.bind, config.port)?;
    let native = Certificate::for_key_pair(&key)?;
    let hosts = own_hosts(&config);
    let browsers = Certificate::for_browsers(&data.browsers_key()?, &config.name, &hosts)?;
    let tls = TlsAcceptor::from(Arc::new(https_config(native, browsers)?));
    let port = sockets.port;
    let name = key.fingerprint();
    let pairing = pairing_desk(&config, name, port);
    let shutdown = CancellationToken::new();
    let site = Arc::new(Site { config, demo, name, data, clock: Clock::default(), pairing, shutdown });
    let tasks = serve(&site, sockets, &tls);
    Ok(Server { site, port, tasks })
}

impl Server {
    /// Ends everything in order and waits for it.
    pub async fn finish(mut self) {
        self.site.shutdown.cancel();
        while self.tasks.join_next().await.is_some() {}
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

fn serve(site: &Arc<Site>, sockets: Sockets, tls: &TlsAcceptor) -> JoinSet<()> {
    let connections = Arc::new(Semaphore::new(site.config.limits.connections.get() as usize));
    let router = http::router(site);
    let mut tasks = JoinSet::new();
    for listener in sockets.tcp {
        tasks.spawn(tcp::serve(
            listener,
            tls.clone(),
            router.clone(),
            connections.clone(),
            site.shutdown.clone(),
        ));
    }
    tasks
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

fn own_hosts(config: &Config) -> Vec<String> {
    let mut hosts: Vec<String> = config.public_host.iter().cloned().collect();
    hosts.push("localhost".into());
    hosts.extend(lan_addresses().iter().map(ToString::to_string));
    hosts
}

fn pairing_desk(config: &Config, name: tresen_identity::Fingerprint, port: u16) -> PairingDesk {
    let mut addresses: Vec<SocketAddr> =
        lan_addresses().into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
    if addresses.is_empty() {
        addresses.push(SocketAddr::new([127, 0, 0, 1].into(), port));
    }
    let authority = match &config.public_host {
        Some(host) => format!("{host}:{port}"),
        None => addresses[0].to_string(),
    };
    PairingDesk::new(name, authority, addresses)
}
