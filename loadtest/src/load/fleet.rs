//! One run: a server, its waiters, and what came of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::measured::{Arrival, Measured, Memory, Reading};
use super::report::Run;
use super::serve::{FIGURES, Figures, READY, Ready};
use super::tally::{Tally, Window};
use super::waiter::{Shift, Waiter, lock};
use super::{cores, key_of};
use crate::device::Device;
use crate::screen::cpu;

/// Handshakes that the waiters have under way at once.
const HANDSHAKES: usize = 32;

/// Devices that share a UDP socket.
const DEVICES_A_SOCKET: usize = 10;

/// Files that either process opens besides sockets.
const FILES: u64 = 256;

/// Everybody logs in within this time a device: a PIN costs the server some milliseconds on purpose.
const LOG_IN_EACH: Duration = Duration::from_millis(20);

/// And at least within this time.
const LOG_IN: Duration = Duration::from_secs(2);

/// Who is not logged in this long after the last one began is counted as lost.
const LOG_IN_PATIENCE: Duration = Duration::from_secs(60);

/// Between the last log-in and the first tap that counts.
const SETTLED: Duration = Duration::from_secs(2);

/// After the end of the shift, the last taps are answered within this time.
const LAST_ORDERS: Duration = Duration::from_secs(30);

/// How many of so many devices the limit of open files lets us have.
pub fn that_fit(wanted: u16) -> u16 {
    let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return wanted };
    let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    let sockets = hard.saturating_sub(FILES).max(1);
    wanted.min(u16::try_from(sockets.saturating_mul(DEVICES_A_SOCKET as u64)).unwrap_or(u16::MAX))
}

/// The server's process.
struct Server {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    _data: TempDir,
}

/// Serves so many waiters for so long.
///
/// # Errors
/// When the server can't be started, or does not answer.
pub async fn run(devices: u16, seconds: u64, seed: u64, all_cores: &[usize]) -> Result<Run> {
    eprintln!("{devices} devices: the server gets ready ...");
    let (mut server, ready) = Server::start(devices, seed, all_cores)?;
    let generator_before = cpu::private_bytes(std::process::id())?;
    let known = devices_of(devices, seed, &ready)?;
    let shift = Arc::new(Shift {
        window: Window::default(),
        tally: Mutex::new(Tally::default()),
        gallery: Arc::default(),
        doors: Semaphore::new(HANDSHAKES),
        connections: Mutex::default(),
    });
    eprintln!("{devices} devices: connecting ...");
    let (waiters, arrival) = arrive(&shift, &server, known, seed).await?;
    eprintln!("{devices} devices: {} connected in {:.1?}; logging in ...", arrival.devices, arrival.took);
    let mut shifts = log_in(&shift, waiters, devices).await;
    tokio::time::sleep(SETTLED).await;
    let worked = shifts.len();
    eprintln!("{devices} devices: {worked} at work for {seconds} s ...");
    shift.window.open();
    let before = Reading::take(&mut server, &shift)?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let after = Reading::take(&mut server, &shift)?;
    shift.window.close();
    go_home(&shift, &mut shifts).await;
    server.stop();
    let tally = std::mem::take(&mut *lock(&shift.tally));
    let empty_bytes = Memory { server: ready.empty_bytes, generator: generator_before };
    Ok(Measured { devices, worked, empty_bytes, arrival, before, after, tally }.into())
}

/// The last taps are answered, and everybody ends.
async fn go_home(shift: &Shift, shifts: &mut JoinSet<()>) {
    let ended = async { while shifts.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST_ORDERS, ended).await.is_err() {
        lock(&shift.tally).lost.push("some taps were never answered".into());
    }
    shifts.shutdown().await;
}

/// The devices, some behind each socket: quinn keeps megabytes for every socket, which a real device has for itself.
fn devices_of(devices: u16, seed: u64, ready: &Ready) -> Result<Vec<Device>> {
    let mut known = Vec::new();
    let numbers: Vec<u16> = (0..devices).collect();
    for numbers in numbers.chunks(DEVICES_A_SOCKET) {
        let socket = quinn::Endpoint::client((std::net::Ipv4Addr::LOCALHOST, 0).into())?;
        for number in numbers {
            known.push(Device::known(ready.server, ready.port, &key_of(seed, *number), &socket)?);
        }
    }
    Ok(known)
}

/// Everybody comes at once, as after a power cut.
async fn arrive(
    shift: &Arc<Shift>,
    server: &Server,
    devices: Vec<Device>,
    seed: u64,
) -> Result<(Vec<Waiter>, Arrival)> {
    let (began, before_us) = (Instant::now(), cpu::used_us(server.process.id())?);
    let mut arriving = JoinSet::new();
    for (device, number) in devices.into_iter().zip(0..) {
        arriving.spawn(Waiter::arrive(shift.clone(), device, number, seed));
    }
    let mut waiters = Vec::new();
    while let Some(arrived) = arriving.join_next().await {
        match arrived {
            Ok(Ok(waiter)) => waiters.push(waiter),
            Ok(Err(error)) => lock(&shift.tally).lost.push(format!("did not arrive: {error:#}")),
            Err(error) => lock(&shift.tally).lost.push(error.to_string()),
        }
    }
    let arrival = Arrival {
        devices: waiters.len(),
        took: began.elapsed(),
        server_us: cpu::used_us(server.process.id())? - before_us,
        server_bytes: cpu::private_bytes(server.process.id())?,
    };
    Ok((waiters, arrival))
}

/// Logs everybody in, one after the other, and lets each begin to work at once.
async fn log_in(shift: &Arc<Shift>, waiters: Vec<Waiter>, devices: u16) -> JoinSet<()> {
    let (logged_in, mut all) = tokio::sync::mpsc::channel::<()>(1);
    let spread = LOG_IN.max(LOG_IN_EACH * u32::from(devices));
    let count = waiters.len().max(1) as u32;
    let mut shifts = JoinSet::new();
    for (index, mut waiter) in (0..).zip(waiters) {
        let (shift, begun) = (shift.clone(), logged_in.clone());
        shifts.spawn(async move {
            let begin = Instant::now() + spread / count * index;
            let worked = match waiter.log_in(begin).await {
                Ok(()) => {
                    drop(begun);
                    waiter.work().await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = worked {
                lock(&shift.tally).lost.push(format!("{error:#}"));
            }
        });
    }
    drop(logged_in);
    // Nobody sends: it ends when the last one has dropped his end.
    let _ = tokio::time::timeout(spread + LOG_IN_PATIENCE, all.recv()).await;
    shifts
}

impl Reading {
    fn take(server: &mut Server, shift: &Shift) -> Result<Self> {
        let figures = server.figures()?;
        let traffic = lock(&shift.connections).traffic();
        Ok(Self {
            at: Instant::now(),
            server_us: cpu::used_us(server.process.id())?,
            generator_us: cpu::used_us(std::process::id())?,
            memory: Memory {
                server: cpu::private_bytes(server.process.id())?,
                generator: cpu::private_bytes(std::process::id())?,
            },
            figures,
            traffic,
        })
    }
}

impl Server {
    fn start(devices: u16, seed: u64, all_cores: &[usize]) -> Result<(Self, Ready)> {
        let data = tempfile::tempdir()?;
        // A child begins on its parent's cores; it chooses its own from all of them.
        cores::unpin(all_cores)?;
        let process = Command::new(std::env::current_exe()?)
            .args(["load-serve", "--devices", &devices.to_string(), "--seed", &seed.to_string(), "--data"])
            .arg(data.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        cores::pin(cores::Side::Generator)?;
        let mut process = process.context("the server could not be started")?;
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().context("the server has an output")?);
        let mut server = Self { process, input, output, _data: data };
        let ready = server.line(READY)?;
        Ok((server, ready))
    }

    fn figures(&mut self) -> Result<Figures> {
        writeln!(self.input.as_mut().context("the server has an input")?)?;
        self.line(FIGURES)
    }

    /// What stands in the next line that begins with `start`.
    fn line<T: DeserializeOwned>(&mut self, start: &str) -> Result<T> {
        let mut line = String::new();
        while self.output.read_line(&mut line)? > 0 {
            if let Some(rest) = line.strip_prefix(start) {
                return Ok(serde_json::from_str(rest)?);
            }
            line.clear();
        }
        anyhow::bail!("the server ended early")
    }

    /// Ends it in order.
    fn stop(mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}
