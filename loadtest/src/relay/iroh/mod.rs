//! iroh's relay (crate `iroh-relay`, its own program): clients hold a WebSocket, and packets go from one to another by the name of its key.
//!
//! What it is given is what it is made for: several datagrams of one receiver in a frame (with offload), or each in a frame of its own.

mod client;
mod way;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::resource::{Resource, getrlimit};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, StreamOwned};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use self::client::Client;
use self::way::Line;
use super::report::{Carried, Group};
use super::stream::Way;
use super::{Arguments, Core, Program, SEGMENTS};
use crate::screen::cpu;

/// Clients that come at a time.
const AT_ONCE: usize = 48;

/// Files that a process opens besides its clients' sockets.
const FILES: u64 = 256;

/// How long everybody is still before memory is read.
const STILL: Duration = Duration::from_secs(2);

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Of its certificate.
const HOST: &str = "localhost";

/// How clients reach it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// As it is run for development.
    Plain,
    /// As it is run for others.
    Tls,
}

/// What it carries, and what its clients take.
pub struct Iroh {
    pub carried: Vec<Carried>,
    pub clients: Group,
}

/// Measures it, when there is a program.
pub async fn measure(core: Core, arguments: &Arguments, security: Security) -> Result<Iroh> {
    let path = arguments.iroh.as_deref().context("no program (see --iroh)")?;
    let server = Server::open(path, core, security).await?;
    let carried = match &server.tls {
        None => {
            let sink = Client::connect(tcp(server.at).await?, server.at, 0).await?;
            let source = Client::connect(tcp(server.at).await?, server.at, 1).await?;
            let name = sink.name();
            let (source, sink) = (source.into_stream().into_std()?, sink.into_stream().into_std()?);
            server.carried(Line::new(source, sink, name), arguments)?
        }
        Some(tls) => {
            let sink = Client::connect(secured(tls, server.at).await?, server.at, 0).await?;
            let source = Client::connect(secured(tls, server.at).await?, server.at, 1).await?;
            let name = sink.name();
            let by_hand = |client: Client<Secured>| -> Result<_> {
                let (stream, tls) = client.into_stream().into_inner();
                Ok(StreamOwned::new(tls, stream.into_std()?))
            };
            server.carried(Line::new(by_hand(source)?, by_hand(sink)?, name), arguments)?
        }
    };
    drop(server);
    // A new one: memory that was used before would be used again, and not be seen.
    let clients = Server::open(path, core, security).await?.crowd(arguments.crowd).await?;
    Ok(Iroh { carried, clients })
}

struct Server {
    program: Program,
    at: SocketAddr,
    /// What clients need, when they come by TLS.
    tls: Option<TlsConnector>,
    _folder: TempDir,
}

/// Ends when the client can stay no longer.
type Staying = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

type Secured = tokio_rustls::client::TlsStream<TcpStream>;

async fn tcp(at: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn secured(tls: &TlsConnector, at: SocketAddr) -> Result<Secured> {
    Ok(tls.connect(ServerName::try_from(HOST)?, tcp(at).await?).await?)
}

/// A certificate in the folder, and clients that believe it.
fn certificate(folder: &Path) -> Result<TlsConnector> {
    let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
    std::fs::write(folder.join("default.crt"), made.cert.pem())?;
    std::fs::write(folder.join("default.key"), made.signing_key.serialize_pem())?;
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Server {
    async fn open(path: &Path, core: Core, security: Security) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let (http, https) = (free()?, free()?);
        let mut config = format!("http_bind_addr = \"{http}\"\nenable_metrics = false\n");
        let (at, tls) = match security {
            Security::Plain => (http, None),
            Security::Tls => (https, Some(certificate(folder.path())?)),
        };
        if security == Security::Tls {
            let certificates = folder.path().to_str().context("no text")?;
            config.push_str(&format!(
                "[tls]\nhttps_bind_addr = \"{https}\"\ncert_mode = \"Manual\"\ncert_dir = \"{certificates}\"\n"
            ));
        }
        let file = folder.path().join("config.toml");
        std::fs::write(&file, config)?;
        let (path, file) = (path.to_str().context("no text")?, file.to_str().context("no text")?);
        let program = Program::start(path, &["--config-path", file], core)?;
        let begun = Instant::now();
        // It says nothing when it is ready.
        while TcpStream::connect(at).await.is_err() {
            if begun.elapsed() > PATIENCE {
                bail!("it does not answer");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { program, at, tls, _folder: folder })
    }

    fn carried(&self, mut line: impl Way, arguments: &Arguments) -> Result<Vec<Carried>> {
        let carried = SEGMENTS.iter().map(|segments| self.program.carried(&mut line, arguments, *segments));
        carried.collect()
    }

    /// A client that comes and stays.
    async fn client(at: SocketAddr, tls: Option<TlsConnector>, number: u64) -> Result<Staying> {
        Ok(match tls {
            None => Box::pin(Client::connect(tcp(at).await?, at, number).await?.stay()),
            Some(tls) => Box::pin(Client::connect(secured(&tls, at).await?, at, number).await?.stay()),
        })
    }

    /// Lets so many clients come, or as many as the limit of open files has room for.
    async fn crowd(&self, wanted: usize) -> Result<Group> {
        let room = getrlimit(Resource::RLIMIT_NOFILE)?.0.saturating_sub(FILES);
        let count = wanted.min(room as usize);
        let process = self.program.0.id();
        let (before_bytes, before_s, begun) =
            (cpu::private_bytes(process)?, self.program.cpu_s()?, Instant::now());
        let (places, mut coming, mut kept) =
            (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new(), JoinSet::new());
        for number in 0..count {
            let (place, at, tls) = (places.clone().acquire_owned().await?, self.at, self.tls.clone());
            coming.spawn(async move {
                let client = Self::client(at, tls, number as u64 + 2).await;
                drop(place);
                client
            });
        }
        while let Some(client) = coming.join_next().await {
            kept.spawn(client??);
        }
        let (seconds, cpu_s) = (begun.elapsed().as_secs_f64(), self.program.cpu_s()? - before_s);
        tokio::time::sleep(STILL).await;
        let bytes = cpu::private_bytes(process)?.saturating_sub(before_bytes);
        if let Some(ended) = kept.try_join_next() {
            ended?.context("a client did not stay")?;
        }
        Ok(Group {
            count,
            bytes_each: bytes as f64 / count as f64,
            connects_a_s: count as f64 / seconds,
            connects_a_cpu_s: count as f64 / cpu_s,
        })
    }
}
