//! The server of a benchmark, in a process of its own: the real one, with the real hub, on loopback and a folder that is thrown away.
//!
//! It tells its parent on its standard output what it needs to know, one line each, and ends when its standard input does.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tresen_edge::application::Applications;
use tresen_edge::config::{Config, Prediction};
use tresen_edge::instance::{Handle, link};
use tresen_edge::registry::{Snapshot, Station};
use tresen_edge::run::{self, RunOptions, Server};
use tresen_identity::{DeviceClass, Fingerprint};
use tresen_wire::{CloseCode, Hello, Look, ToClient, ToServer};

use super::cpu;
use crate::reference::app::ReferenceTills;

/// What the instances run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum App {
    /// The reference till.
    Reference,
    /// The handheld app.
    Mpos,
}

/// When the server sends answers ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Guesses {
    /// When the line is slow, as configured unless told otherwise.
    #[default]
    Auto,
    /// Never.
    Off,
}

impl Guesses {
    /// As an argument.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Off => "off",
        }
    }

    const fn prediction(self) -> Prediction {
        match self {
            Self::Auto => Prediction::Auto,
            Self::Off => Prediction::Off,
        }
    }
}

/// Begins the line with the pairing code.
pub const PAIR: &str = "pair ";
/// Begins the line with the bytes of an idle instance.
pub const IDLE: &str = "idle ";

/// A server that was started has settled after this.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(1);

/// First number of the stations that only idle.
const FIRST_IDLE: u16 = 1000;

/// Serves until the standard input ends. With `idle` instances, each of them has shown its first screen to a device.
///
/// # Errors
/// When the server can't start.
pub async fn serve(app: App, data: PathBuf, look: Look, idle: u16, guesses: Guesses) -> Result<()> {
    let config = Config {
        data,
        port: 0,
        bind: vec![Ipv4Addr::LOCALHOST.into()],
        mdns: false,
        prediction: guesses.prediction(),
        ..Config::default()
    };
    let applications: Option<run::MakeApplications> = match app {
        App::Mpos => None,
        App::Reference => {
            Some(Box::new(|typesetter| Arc::new(ReferenceTills::new(typesetter)) as Arc<dyn Applications>))
        }
    };
    let server =
        run::start(RunOptions { config, demo: true, applications, ledger: Default::default() }).await?;
    let code = server.site.pairing.open(&server.site.clock, DeviceClass::Mpos)?;
    println!("{PAIR}{code}");
    if idle > 0 {
        println!("{IDLE}{}", idle_bytes(&server, look, idle).await?);
    }
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    server.finish(CloseCode::ServerStopping, "").await;
    Ok(())
}

/// Starts `count` instances, shows each one's first screen to a device, and returns what one more of them costs.
async fn idle_bytes(server: &Server, look: Look, count: u16) -> Result<u64> {
    let hub = &server.site.hub;
    // Until the server has settled, it may put its own stations in place of these.
    tokio::time::sleep(SETTLED).await;
    // What all share is there before the counting begins.
    hub.follow(&stations(server, 1)).await;
    show_first_screens(hub.instances(), look).await?;
    let before = cpu::private_bytes(std::process::id())?;
    hub.follow(&stations(server, count)).await;
    let links = show_first_screens(hub.instances(), look).await?;
    let after = cpu::private_bytes(std::process::id())?;
    drop(links);
    Ok(after.saturating_sub(before) / u64::from(count - 1))
}

/// The server's own stations, and `count` more.
fn stations(server: &Server, count: u16) -> Snapshot {
    let mut snapshot = (*server.site.registry.snapshot()).clone();
    let more: BTreeMap<u16, Station> = (FIRST_IDLE..FIRST_IDLE + count)
        .map(|number| {
            let name = format!("Station {number}");
            (number, Station { number, name, class: DeviceClass::Mpos, seated: true })
        })
        .collect();
    Arc::make_mut(&mut snapshot.stations).extend(more);
    snapshot
}

/// Attaches a device to each instance that idles and has none, and takes its first screen.
async fn show_first_screens(instances: Vec<(Station, Handle)>, look: Look) -> Result<Vec<link::Wire>> {
    let mut wires = Vec::new();
    for (station, handle) in instances {
        if station.number < FIRST_IDLE || handle.status.attached().is_some() {
            continue;
        }
        let mut name = [0; 32];
        name[..2].copy_from_slice(&station.number.to_be_bytes());
        let (link, mut wire) = link::pair();
        let hello = Hello {
            versions: tresen_wire::limits::VERSIONS,
            table_kib: 16 * 1024,
            look,
            have: None,
            guesses: 0,
        };
        handle.attach(Fingerprint::from_bytes(name), hello, link).await;
        take_first_screen(&mut wire).await?;
        wires.push(wire);
    }
    Ok(wires)
}

async fn take_first_screen(wire: &mut link::Wire) -> Result<()> {
    loop {
        let message = wire.outgoing.recv().await.context("an instance ended")?;
        match ToClient::decode(&message)? {
            ToClient::Frame(frame) => {
                let acknowledged = ToServer::FrameAck { sequence: frame.sequence, waited_ms: 0 }.encode();
                ensure!(wire.incoming.send(acknowledged).await.is_ok(), "an instance ended");
                return Ok(());
            }
            ToClient::Bye { code, text } => anyhow::bail!("an instance said goodbye: {code} {text}"),
            _ => {}
        }
    }
}
