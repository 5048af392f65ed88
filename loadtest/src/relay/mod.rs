//! What a relay node costs and carries: beside a forwarder that decides nothing, coturn and iroh's relay, in one run on loopback.
//!
//! ```text
//! generator's core:  source -> \               / -> sink       one thread, so many packets under way and no more
//! relay's core:                  the forwarder                 packets and bytes for each second of its CPU
//! ```
//!
//! CPU seconds are the kernel's account of the forwarder's process, so that whatever else the machine does counts little; all forwarders get the same
//! packets from the same generator on the same cores, one after the other. With segment offload the source hands ten packets to the kernel at once, as quinn does under load; without, each one alone.

mod bare;
mod cold;
mod crowd;
mod iroh;
mod node;
mod report;
mod stream;
mod table;
mod turn;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::load::cores::{self, Layout};
use crate::screen::cpu;
use iroh::Security;
use report::{Carried, Latency, Measured, Report};
use stream::{Stream, Way};

pub use bare::{Arguments as BareArguments, serve as serve_bare};
pub use report::table;

/// Bytes of a packet as it is carried.
const PACKET_BYTES: usize = 1200;

/// Packets that the source hands over at once, with and without segment offload.
const SEGMENTS: [usize; 2] = [10, 1];

/// How it is measured.
#[derive(clap::Args)]
pub struct Arguments {
    /// How long each forwarder is measured, in seconds.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Control connections that stay.
    #[arg(long, default_value_t = 10_000)]
    crowd: usize,
    /// The program `iroh-relay`; without it, that one is not measured.
    #[arg(long)]
    iroh: Option<PathBuf>,
}

/// The relay's core.
#[derive(Clone, Copy)]
struct Core(usize);

/// A program on the relay's core; it ends when this is dropped.
struct Program(Child);

impl Program {
    /// Starts it on the relay's core.
    fn start(path: &str, arguments: &[&str], core: Core) -> Result<Self> {
        // It replaces itself with the program: the process is the same.
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &core.0.to_string(), path]);
        let command = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.stderr(Stdio::null()).spawn();
        Ok(Self(child.with_context(|| format!("{path} can't be started"))?))
    }

    /// CPU time so far, in seconds.
    fn cpu_s(&self) -> Result<f64> {
        Ok(cpu::used_us(self.0.id())? / 1e6)
    }

    /// What this carries while it is offered more.
    fn carried(&self, way: &mut impl Way, arguments: &Arguments, segments: usize) -> Result<Carried> {
        let lasting = std::time::Duration::from_secs(arguments.seconds);
        // Caches and clocks warm up.
        stream::saturate(way, lasting / 4, segments)?;
        let before_s = self.cpu_s()?;
        let streamed = stream::saturate(way, lasting, segments)?;
        let cpu_s = self.cpu_s()? - before_s;
        Ok(Carried {
            packets_a_cpu_s: streamed.packets as f64 / cpu_s,
            gbit_a_cpu_s: (streamed.packets as usize * PACKET_BYTES * 8) as f64 / cpu_s / 1e9,
            packets_a_s: streamed.packets as f64 / streamed.seconds,
            lost: streamed.lost,
        })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures all of it.
///
/// # Errors
/// When our own node can't be measured; a peer that does not run is part of the report.
pub async fn run(arguments: &Arguments, layout: Layout, cores: &[usize]) -> Result<Report> {
    let core = Core(cores::chosen(cores::Side::Server, cores).context("no core")?);
    // First: memory that was used before would be used again, and not be seen.
    let table_bytes = table::client_bytes()?;
    eprintln!("measuring: forwarding");
    let mut bare = bare::open(core)?;
    let node = node::Node::open(core, 0)?;
    let mut ours = node.stream().await?;
    let (mut carried_bare, mut carried_ours) = (Vec::new(), Vec::new());
    for segments in SEGMENTS {
        carried_bare.push(bare.program.carried(&mut bare.stream, arguments, segments)?);
        carried_ours.push(node.program.carried(&mut ours, arguments, segments)?);
    }
    eprintln!("measuring: latency");
    let half = carried_ours.last().map_or(1_000.0, |carried| carried.packets_a_s / 2.0);
    let mut direct = Stream::direct()?;
    let latency = Latency {
        packets_a_s: half,
        direct: direct.paced(half, arguments.seconds)?,
        bare: bare.stream.paced(half, arguments.seconds)?,
        ours: ours.paced(half, arguments.seconds)?,
    };
    drop((node, bare));
    eprintln!("measuring: coturn");
    let coturn = turn::measure(core, arguments);
    eprintln!("measuring: iroh's relay");
    let (mut irohs, mut iroh_clients) = (Vec::new(), Vec::new());
    for (name, security) in [("iroh-relay", Security::Plain), ("iroh-relay, TLS", Security::Tls)] {
        let (carried, clients) = match iroh::measure(core, arguments, security).await {
            Ok(measured) => (Ok(measured.carried), Some(measured.clients)),
            Err(error) => (Err(error), None),
        };
        irohs.push(Measured::new(name, carried));
        iroh_clients.extend(clients.map(|clients| (name, clients)));
    }
    eprintln!("measuring: cold starts");
    let starts = cold::measure(core, cores).await?;
    eprintln!("measuring: {} control connections", arguments.crowd);
    let crowd = crowd::measure(core, arguments.crowd).await?;
    let mut forwarders = vec![
        Measured::new("bare forwarder", Ok(carried_bare)),
        Measured::new("tresen-relay", Ok(carried_ours)),
        Measured::new("coturn", coturn),
    ];
    forwarders.extend(irohs);
    Ok(Report { layout, forwarders, latency, crowd, table_bytes, iroh_clients, starts })
}
