//! Commands and arguments.

use std::io::{IsTerminal, Write};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use tresen_identity::Secret;
use tresen_path::{Capacity, NodeId};

use crate::common::{MOST_NODES, RedisAddress, RedisAddressError};
use crate::http::{self, NewRevocation, NewTenant, Office, Opened, TenantLimits, TenantView, Warned};
use crate::limit_arguments::LimitArguments;
use crate::node::{self, Settings, StartError};
use crate::pass_arguments::PassArguments;

/// The port when none is given.
pub const DEFAULT_PORT: u16 = 7844;

const DOOR: &str = "admin.door";

/// How long a command waits for the node.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long endpoints have to go elsewhere when the node is stopped.
const DRAIN: Duration = Duration::from_secs(2);

/// Tresen's relay: reaches the boxes of tenants from any network, and reads nothing of what it carries.
#[derive(Parser)]
#[command(name = "tresen-relay", version)]
pub struct Arguments {
    /// Data folder: key, directory.
    #[arg(long, global = true, value_name = "DIR", default_value = "tresen-relay-data")]
    data: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the node until it is interrupted.
    Run(Box<RunArguments>),
    /// Tenants of the running node.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Takes an edge server out, with its devices.
    RemoveEdge {
        /// The tenant's id.
        tenant: String,
        /// The edge server's name.
        edge: String,
    },
    /// Closes a device's way at once, for a quarter of an hour. For good its box does that: revoke the device there.
    Revoke {
        /// The tenant's id.
        tenant: String,
        /// The edge server's name.
        edge: String,
        /// The device's name.
        device: String,
    },
}

#[derive(Args)]
struct RunArguments {
    /// Where packets and control connections come in: UDP, TCP for who has no UDP, and UDP at the next port for looks. A machine with several addresses of a kind has to name one.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv6Addr::UNSPECIFIED, DEFAULT_PORT)))]
    listen: SocketAddr,
    /// Where the API, metrics and health are, TCP.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7845")]
    http: SocketAddr,
    /// The node's number, from 1 to 64; each node of a relay has another one, and the same relay.key. With Redis it has to be named.
    #[arg(long)]
    node: Option<u32>,
    /// Where endpoints reach this node, when it is one of several and listens on all of the machine's addresses; may be named more than once.
    #[arg(long, value_name = "ADDRESS")]
    public: Vec<SocketAddr>,
    /// How many edge servers it takes.
    #[arg(long, default_value_t = 10_000)]
    edges: usize,
    /// How many devices it takes.
    #[arg(long, default_value_t = 100_000)]
    clients: usize,
    /// How many devices of one edge server it takes.
    #[arg(long, default_value_t = 5_000)]
    clients_of_edge: usize,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    passes: PassArguments,
    /// What the nodes of a relay have in common: redis://host:port, redis+sentinel://host:port,host:port/master or redis+cluster://host:port,host:port. An
    /// address with a password is better given in the environment, as TRESEN_REDIS.
    #[arg(long, value_name = "URL")]
    redis: Option<RedisAddress>,
}

#[derive(Subcommand)]
enum TenantCommand {
    /// Makes a tenant, and an enrolment for its first edge server.
    Add {
        /// What you call it.
        name: String,
        /// How many devices it may have at one node.
        #[arg(long)]
        clients: Option<usize>,
    },
    /// Shows all.
    List,
    /// An enrolment for another edge server of a tenant.
    Enrol {
        /// The tenant's id.
        tenant: String,
    },
    /// Sets what a tenant may do at each node, from now on; what is left out stays as it is.
    Limit {
        /// The tenant's id.
        tenant: String,
        /// How many devices it may have.
        #[arg(long)]
        clients: Option<usize>,
        /// Admissions a minute: devices and boxes that come, and those that come again when their time is half over; 0: as others may.
        #[arg(long)]
        connects_a_minute: Option<u32>,
        /// Bytes a second, in both directions; 0: as others may.
        #[arg(long)]
        bytes_a_second: Option<u32>,
    },
    /// Takes a tenant out, with all that is theirs.
    Remove {
        /// The tenant's id.
        tenant: String,
    },
}

/// Why a command failed: one sentence for a person.
#[derive(Debug, Error)]
pub enum Failure {
    /// The node could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An address is taken, or not one of this machine.
    #[error("can't listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// No domain.
    #[error("{0} is no domain with a port: name one such as tills.example with --domain")]
    Domain(String),
    /// A file or the system failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// One of several, without a number.
    #[error("a node of several has a number of its own: name it with --node, from 1 to {MOST_NODES}")]
    NoNumber,
    /// The environment names no Redis.
    #[error("TRESEN_REDIS: {0}")]
    Redis(#[from] RedisAddressError),
    /// The node's socket failed for good.
    #[error("the socket for packets has failed; the log says why")]
    Broken,
    /// No node.
    #[error("no relay runs on {0}: start it with 'tresen-relay run', or name its data folder with --data")]
    NoNode(String),
    /// The node refused.
    #[error("the relay refused: {0}")]
    Refused(String),
}

/// Does what was asked.
///
/// # Errors
/// With one sentence.
pub fn execute(arguments: Arguments) -> Result<(), Failure> {
    let Arguments { data, command } = arguments;
    match command {
        Command::Run(run) => {
            let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
            tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_writer(std::io::stderr)
                .with_ansi(
                    std::io::stderr().is_terminal()
                        && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()),
                )
                .init();
            tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(data, *run))
        }
        Command::Tenant(TenantCommand::Add { name, clients }) => {
            let opened: Opened = Door::open(&data)?.post("/v1/tenants", &NewTenant { name, clients })?;
            show_enrolment(&opened);
            Ok(())
        }
        Command::Tenant(TenantCommand::Enrol { tenant }) => {
            let opened = Door::open(&data)?.post(&format!("/v1/tenants/{tenant}/enrolments"), &())?;
            show_enrolment(&opened);
            Ok(())
        }
        Command::Tenant(TenantCommand::List) => {
            for tenant in Door::open(&data)?.get::<Vec<TenantView>>("/v1/tenants")? {
                println!("{}", tenant.line());
                tenant.edges.iter().for_each(|edge| println!("    {edge}"));
            }
            Ok(())
        }
        Command::Tenant(TenantCommand::Limit { tenant, clients, connects_a_minute, bytes_a_second }) => {
            let limits = TenantLimits { clients, connects_a_minute, bytes_a_second };
            Door::open(&data)?.put(&format!("/v1/tenants/{tenant}/limits"), &limits)
        }
        Command::Tenant(TenantCommand::Remove { tenant }) => {
            Door::open(&data)?.delete(&format!("/v1/tenants/{tenant}"))
        }
        Command::RemoveEdge { tenant, edge } => {
            Door::open(&data)?.delete(&format!("/v1/tenants/{tenant}/edges/{edge}"))
        }
        Command::Revoke { tenant, edge, device } => {
            let path = format!("/v1/tenants/{tenant}/edges/{edge}/revocations");
            Door::open(&data)?.send(&path, &NewRevocation { device })
        }
    }
}

fn show_enrolment(opened: &Opened) {
    opened.warning.iter().for_each(|warning| show_warning(warning));
    println!("Tenant      {}", opened.id);
    println!("Enrolment   {}", opened.enrolment);
    println!(
        "It lets one edge server join, within a day: tresen-edge join <address of this relay> <enrolment>"
    );
}

fn show_warning(warning: &str) {
    eprintln!("Warning: {warning}");
}

async fn serve(data: PathBuf, arguments: RunArguments) -> Result<(), Failure> {
    let redis = match arguments.redis {
        None => std::env::var("TRESEN_REDIS").ok().map(|url| url.parse()).transpose()?,
        named => named,
    };
    if redis.is_some() && arguments.node.is_none() {
        return Err(Failure::NoNumber);
    }
    let settings = Settings {
        data: data.clone(),
        listen: arguments.listen,
        node: NodeId(arguments.node.unwrap_or(1)),
        public: arguments.public,
        capacity: Capacity {
            edges: arguments.edges,
            clients: arguments.clients,
            clients_of_edge: arguments.clients_of_edge,
        },
        limits: arguments.limits.settings(),
        passes: arguments.passes.limits(),
        redis,
    };
    let running = node::start(&settings)?;
    let (mut interrupted, mut terminated) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let http = tokio::net::TcpListener::bind(arguments.http).await;
    let http = http.map_err(|error| Failure::Listen(arguments.http, error))?;
    let password = Secret::new(rand::random());
    write_door(&data, http.local_addr()?, &password)?;
    let name = running.key.fingerprint();
    let office = Arc::new(Office { node: running.node.clone(), name, password });
    println!("Relay       {name}");
    println!("Packets     {}", running.listen);
    println!("API         http://{}", http.local_addr()?);
    if let Some(tls) = arguments.passes.begin(&running).await? {
        println!("TLS         {tls}");
    }
    if !arguments.passes.are_at(running.listen.port()) {
        match tokio::net::TcpListener::bind(running.listen).await {
            Ok(listener) => running.take_streams(listener),
            // Those who have UDP, and those who come where TLS is passed on, don't need it.
            Err(error) => {
                tracing::warn!(at = %running.listen, %error, "no tunnels for networks without UDP at this port of TCP")
            }
        }
    }
    let mut served = std::pin::pin!(async { axum::serve(http, http::routes(office)).await });
    tokio::select! {
        () = running.node.failed() => return Err(Failure::Broken),
        failed = &mut served => return Ok(failed?),
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    tracing::info!("stopping: everybody is told to go elsewhere");
    // Whoever asks for its health hears so, too.
    tokio::select! {
        () = running.drain(DRAIN) => {}
        failed = served => failed?,
    }
    Ok(())
}

fn write_door(data: &Path, at: SocketAddr, password: &Secret<16>) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(data)?;
    writeln!(file, "{at} {}", password.to_text())?;
    file.persist(data.join(DOOR))?;
    Ok(())
}

/// The API of the node that runs on a data folder.
struct Door {
    data: String,
    at: String,
    bearer: String,
}

impl Door {
    fn open(data: &Path) -> Result<Self, Failure> {
        let nobody = || Failure::NoNode(data.display().to_string());
        let door = std::fs::read_to_string(data.join(DOOR)).map_err(|_| nobody())?;
        let (at, password) = door.trim().split_once(' ').ok_or_else(nobody)?;
        let at = at.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:");
        Ok(Self { data: data.display().to_string(), at, bearer: format!("Bearer {password}") })
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let asked = agent().get(self.address(path)).header("Authorization", &self.bearer).call();
        self.read(asked)
    }

    fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let asked = agent().post(self.address(path)).header("Authorization", &self.bearer).send_json(body);
        self.read(asked)
    }

    fn send(&self, path: &str, body: &impl Serialize) -> Result<(), Failure> {
        let asked = agent().post(self.address(path)).header("Authorization", &self.bearer).send_json(body);
        self.done(asked)
    }

    fn put(&self, path: &str, body: &impl Serialize) -> Result<(), Failure> {
        let asked = agent().put(self.address(path)).header("Authorization", &self.bearer).send_json(body);
        self.done(asked)
    }

    fn delete(&self, path: &str) -> Result<(), Failure> {
        let asked = agent().delete(self.address(path)).header("Authorization", &self.bearer).call();
        self.done(asked)
    }

    fn address(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    fn read<T: DeserializeOwned>(&self, asked: Answer) -> Result<T, Failure> {
        let mut answer = self.answered(asked)?;
        answer.body_mut().read_json().map_err(|error| Failure::Refused(error.to_string()))
    }

    /// What there is to say of a change that was made.
    fn done(&self, asked: Answer) -> Result<(), Failure> {
        let mut answer = self.answered(asked)?;
        if answer.status() == ureq::http::StatusCode::ACCEPTED {
            let Warned { warning } =
                answer.body_mut().read_json().map_err(|error| Failure::Refused(error.to_string()))?;
            show_warning(&warning);
        }
        Ok(())
    }

    fn answered(&self, asked: Answer) -> Result<ureq::http::Response<ureq::Body>, Failure> {
        let mut answer = asked.map_err(|_| Failure::NoNode(self.data.clone()))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let why = answer.body_mut().read_to_string().unwrap_or_default();
        Err(Failure::Refused(if why.is_empty() { answer.status().to_string() } else { why }))
    }
}

type Answer = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder();
    config.http_status_as_error(false).timeout_global(Some(PATIENCE)).proxy(None).build().into()
}
