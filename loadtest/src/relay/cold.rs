//! A box that is switched on: from the start of the edge server's program until it is at its relay, and until a device that calls it then is through.
//!
//! The data folder is a demo restaurant's that has run before. Between box and relay is a line of some length; the device is beside the relay. A box that knocks
//! at its relay needs two round trips (the handshake, and its registration), a device that calls it two more.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use quinn::ClientConfig;
use quinn::crypto::rustls::QuicClientConfig;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tresen_edge::config::Config;
use tresen_edge::data_dir::DataDir;
use tresen_edge::registry::{Device, DeviceKey};
use tresen_edge::run::{self, RunOptions};
use tresen_identity::{Certificate, DeviceClass, Fingerprint, KeyPair, RelayRoute, client_config};
use tresen_wire::CloseCode;
use tresen_world::wan::Profile;

use super::Core;
use super::node::{Node, key, tenant_of};
use super::report::Start;
use crate::wan::Emulator;

/// Round trips of the lines, in ms.
const LINES_MS: [u64; 3] = [0, 50, 150];

/// How often the box is switched on at each.
const ROUNDS: usize = 10;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The number of the device's key.
const DEVICE: u64 = 77;

/// What the edge server logs when it is at its relay.
const THERE: &str = "at the relay";

/// Starts edge servers; `cores` are for them.
pub async fn measure(core: Core, cores: &[usize]) -> Result<Vec<Start>> {
    let data = tempfile::tempdir()?;
    let edge = DataDir::open(data.path())?.server_key()?;
    let device = key(DEVICE);
    warm(data.path(), &device).await?;
    let node = Node::with_box(core, &edge)?;
    let cores: Vec<String> = cores.iter().map(ToString::to_string).collect();
    let bench = Bench { data, node, edge: edge.fingerprint(), device, cores: cores.join(",") };
    let mut starts = Vec::new();
    for rtt_ms in LINES_MS {
        starts.push(bench.line(rtt_ms).await?);
    }
    Ok(starts)
}

/// Lets a server run on the data folder once, and know the device.
async fn warm(data: &Path, device: &KeyPair) -> Result<()> {
    let config = Config { data: data.to_owned(), port: 0, mdns: false, ..Config::default() };
    let options = RunOptions { config, demo: true, applications: None, ledger: Default::default() };
    let server = run::start(options).await?;
    let device = Device {
        id: device.fingerprint(),
        name: "Handheld".into(),
        class: DeviceClass::Mpos,
        key: DeviceKey::Certificate,
        station: None,
        last_station: None,
        paired_at: server.site.clock.now(),
        last_seen: None,
        revoked: false,
        confirmed: true,
    };
    server.site.registry.enrol(device).await?;
    server.finish(CloseCode::ServerStopping, "").await;
    Ok(())
}

struct Bench {
    data: TempDir,
    node: Node,
    edge: Fingerprint,
    device: KeyPair,
    cores: String,
}

impl Bench {
    async fn line(&self, rtt_ms: u64) -> Result<Start> {
        let mut profile = Profile::named("lan").context("there is a LAN")?;
        (profile.up.delay_us, profile.down.delay_us) = (rtt_ms * 500, rtt_ms * 500);
        let near = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let line = Emulator::udp(near, self.node.at, profile, 1)?;
        // Without a line, nothing is between them.
        let at = if rtt_ms == 0 { self.node.at } else { line.address() };
        DataDir::open(self.data.path())?.write_private("relay", &format!("{}\n", self.route(at)?))?;
        let (mut there_ms, mut through_ms) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let (there, through) = self.round().await?;
            there_ms.push(there.as_secs_f64() * 1e3);
            through_ms.push(through.as_secs_f64() * 1e3);
        }
        Ok(Start::of(rtt_ms, there_ms, through_ms))
    }

    fn route(&self, at: SocketAddr) -> Result<RelayRoute> {
        Ok(RelayRoute::new(tenant_of(0), self.node.name, &at.to_string())?)
    }

    /// Until the box is at its relay, and until the device is through.
    async fn round(&self) -> Result<(Duration, Duration)> {
        let program = std::env::current_exe()?.with_file_name("tresen-edge");
        let begun = Instant::now();
        // It replaces itself with the program: the process is the same.
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", &self.cores])
            .arg(&program)
            .args(["run", "--demo", "--port", "0", "--data"]);
        command.arg(self.data.path()).env("TRESEN_LOG", "info");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut running = Running(child.with_context(|| format!("{} can't be started", program.display()))?);
        let said = running.0.stderr.take().context("no log")?;
        let (is_there, there) = oneshot::channel();
        std::thread::spawn(move || {
            let mut is_there = Some(is_there);
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                if line.contains(THERE)
                    && let Some(is_there) = is_there.take()
                {
                    let _ = is_there.send(Instant::now());
                }
            }
        });
        let there =
            tokio::time::timeout(PATIENCE, there).await.context("it does not come to its relay")??;
        let tls = client_config(self.edge, Certificate::for_key_pair(&self.device)?)?;
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
        let route = self.route(self.node.at)?;
        let called = tresen_reach::call(&route, self.edge, &self.device, config);
        let called = tokio::time::timeout(PATIENCE, called).await.context("the device gets no answer")??;
        let through = begun.elapsed();
        called.connection.close(0_u32.into(), b"");
        running.end()?;
        Ok((there - begun, through))
    }
}

/// An edge server that ends when this is dropped.
struct Running(Child);

impl Running {
    /// Ends it as a system does that is shut down.
    fn end(&mut self) -> Result<()> {
        kill(Pid::from_raw(self.0.id().cast_signed()), Signal::SIGTERM)?;
        self.0.wait()?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
