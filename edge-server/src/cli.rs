//! Commands and arguments.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tresen_identity::DeviceClass;

use crate::backup::{self, Replace};
use crate::config::{Config, ConfigError};
use crate::doctor::{self, Health, Patient};
use crate::licence_file::{self, LicenceCommand};
use crate::run::{self, RunError, RunOptions};
use crate::{demo, local_door, relay, runtime};

/// Tresen: the point of sale of a site, streamed to any screen from one box.
#[derive(Parser)]
#[command(name = "tresen-edge", version)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Subcommand)]
pub enum Command {
    /// Runs the server until it is interrupted.
    Run(RunArguments),
    /// Shows a new pairing code of the running server.
    Pair {
        /// Data folder of the running server.
        #[arg(long, value_name = "DIR", default_value = "tresen-data")]
        data: PathBuf,
        /// For a payment terminal instead of a handheld.
        #[arg(long)]
        paypos: bool,
    },
    /// Joins a relay, so that devices reach this box from any network; the server has to be started again.
    Join {
        /// Host and port of the relay.
        relay: String,
        /// What its operator got from 'tresen-relay tenant add'.
        enrolment: String,
        /// Data folder.
        #[arg(long, value_name = "DIR", default_value = "tresen-data")]
        data: PathBuf,
    },
    /// Looks at everything that a server needs, and says what is wrong.
    Doctor(RunArguments),
    /// Copies database and keys, also while the server runs.
    Backup {
        /// A folder for the backup (made when it is missing; into an existing one goes a dated folder), or a name that ends in .db.
        target: PathBuf,
        /// Data folder.
        #[arg(long, value_name = "DIR", default_value = "tresen-data")]
        data: PathBuf,
    },
    /// Puts a backup into a data folder on which no server works.
    Restore {
        /// The backup.
        source: PathBuf,
        /// Data folder.
        #[arg(long, value_name = "DIR", default_value = "tresen-data")]
        data: PathBuf,
        /// Replaces a database that is there; the old one stays beside it.
        #[arg(long)]
        force: bool,
    },
    /// Makes an issuer's key, signs and shows licence files.
    #[command(subcommand)]
    Licence(LicenceCommand),
}

/// Arguments of `run`; they stand above the configuration file.
#[derive(Args)]
pub struct RunArguments {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data folder: keys, database, spool.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Port for everything, TCP and UDP; 0 takes a free one.
    #[arg(long)]
    pub port: Option<u16>,
    /// A demo restaurant with a demo licence; browsers on this machine attach without pairing.
    #[arg(long)]
    pub demo: bool,
}

/// Why the program ended with a failure.
pub struct Failure {
    /// One sentence for a person.
    pub message: String,
    /// 1: it failed; 2: it was asked wrongly (arguments, configuration).
    pub exit_code: u8,
}

impl Failure {
    /// It failed.
    pub fn failed(error: impl std::fmt::Display) -> Self {
        Self { message: error.to_string(), exit_code: 1 }
    }

    /// It was asked wrongly.
    pub fn usage(error: impl std::fmt::Display) -> Self {
        Self { message: error.to_string(), exit_code: 2 }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

/// Does what was asked.
///
/// # Errors
/// With one sentence and an exit code.
pub fn execute(arguments: Arguments) -> Result<(), Failure> {
    match arguments.command {
        Command::Run(arguments) => run_server(arguments),
        Command::Pair { data, paypos } => {
            let class = if paypos { DeviceClass::Paypos } else { DeviceClass::Mpos };
            let code = local_door::ask_for_code(&data, class).map_err(Failure::failed)?;
            println!("{}", demo::code_for_terminal(&code));
            Ok(())
        }
        Command::Join { relay, enrolment, data } => {
            let route = block_on(relay::join(&data, &relay, &enrolment))?.map_err(Failure::failed)?;
            println!("Joined the relay at {}, as tenant {}.", route.authority(), route.tenant);
            println!("Start the server again: its pairing codes work from any network then.");
            Ok(())
        }
        Command::Doctor(arguments) => doctor(arguments),
        Command::Backup { target, data } => {
            let made = backup::backup(&data, &target, &local_now()).map_err(Failure::failed)?;
            say_copied("Backed up to", &made);
            Ok(())
        }
        Command::Restore { source, data, force } => {
            let replace = if force { Replace::Force } else { Replace::Never };
            let restored = backup::restore(&source, &data, replace).map_err(Failure::failed)?;
            say_copied("Restored into", &restored);
            Ok(())
        }
        Command::Licence(command) => licence_file::execute(command),
    }
}

fn run_server(arguments: RunArguments) -> Result<(), Failure> {
    let config = configuration(&arguments)?;
    start_log(&config.log);
    let options = RunOptions {
        config,
        demo: arguments.demo,
        applications: None,
        ledger: tresen_ledger::Options::default(),
    };
    block_on(run::run(options, run::interrupted()))?.map_err(|error| match error {
        RunError::NotADemo(_) => Failure::usage(error),
        error => Failure::failed(error),
    })
}

/// The configuration, with the arguments applied.
fn configuration(arguments: &RunArguments) -> Result<Config, ConfigError> {
    let mut config = match &arguments.config {
        Some(path) => Config::read(path)?,
        None => Config::default(),
    };
    config.receipt_pictures |= arguments.demo;
    if let Some(data) = &arguments.data {
        config.data.clone_from(data);
    }
    if let Some(port) = arguments.port {
        config.port = port;
    }
    Ok(config)
}

fn doctor(arguments: RunArguments) -> Result<(), Failure> {
    let config = configuration(&arguments);
    let findings = doctor::examine(&Patient { config_path: arguments.config, config, demo: arguments.demo });
    findings.iter().for_each(|finding| println!("{finding}"));
    match doctor::worst(&findings) {
        Health::Good | Health::Warning => Ok(()),
        Health::Bad => Err(Failure::failed("a server can't run well like this: see the lines marked BAD")),
    }
}

fn local_now() -> jiff::ZonedDateTime {
    jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::system())
}

fn say_copied(what: &str, copied: &backup::Copied) {
    println!("{what} {}: {} rows of the journal, verified.", copied.path.display(), copied.rows);
    if !copied.keys {
        println!(
            "The keys of the server are not part of it: on another box, devices would have to pair again."
        );
    }
}

/// Starts the runtime for one future.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    Ok(runtime::start().map_err(Failure::failed)?.block_on(future))
}

fn start_log(filter: &str) {
    let from_environment = EnvFilter::try_from_env("TRESEN_LOG");
    let filter = from_environment.unwrap_or_else(|_| EnvFilter::new(filter));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(colours)
        .init();
}
