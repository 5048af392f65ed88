//! The real programs in a small internet: a relay, an edge server that has joined it, a device that is paired.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::net::{EDGE_PORT, RELAY, within};

/// Harmless: a person is chosen, and that is taken back.
const TAPS: [&str; 2] = ["Anna", "Switch"];

/// Between two taps, in ms.
pub const PAUSE_MS: u64 = 20;

/// How long a program may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_millis(50);

/// A program that ends when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// See the module.
pub struct House {
    programs: PathBuf,
    data: PathBuf,
    _relay: Running,
    _edge: Running,
}

/// What a device said, and when, in ms since its start.
pub type Line = (u64, String);

/// The same, and when it was heard.
pub struct Heard {
    /// What.
    pub what: String,
    /// When.
    pub at: Instant,
}

/// A device at work.
pub struct Device {
    running: Running,
    lines: Receiver<(Instant, String)>,
}

impl House {
    /// Starts everything; `data` is an empty folder, `programs` where the programs are, `config` what the edge server's configuration file says.
    ///
    /// # Errors
    /// When a program does not do its part.
    pub fn open(programs: &Path, data: &Path, is_ipv6: bool, config: &str) -> Result<Self> {
        let folder = |name: &str| data.join(name);
        let program = |name: &str| programs.join(name);
        let (relay, edge) = (program("tresen-relay"), program("tresen-edge"));
        let relay_data = folder("relay");
        let mut run = within("relay", &relay);
        let _relay = start(run.arg("--data").arg(&relay_data).arg("run").stdout(Stdio::null()))?;
        let enrolment = eventually("the relay starts", || {
            let mut add = within("relay", &relay);
            let text = read(add.arg("--data").arg(&relay_data).args(["tenant", "add", "Nat"]))?;
            let line = text.lines().find_map(|line| line.strip_prefix("Enrolment"));
            Ok(line.context("the relay gave no enrolment")?.trim().to_owned())
        })?;
        let at = if is_ipv6 { format!("[{}]:7844", RELAY.1) } else { format!("{}:7844", RELAY.0) };
        let edge_data = folder("edge");
        read(within("edge", &edge).args(["join", &at, &enrolment, "--data"]).arg(&edge_data))?;
        let (mut run, file) = (within("edge", &edge), folder("edge.toml"));
        std::fs::write(&file, config)?;
        run.args(["run", "--demo", "--port", EDGE_PORT, "--config"]).arg(&file).arg("--data").arg(&edge_data);
        let _edge = start(run.stdout(Stdio::null()))?;
        Ok(Self { programs: programs.to_owned(), data: data.to_owned(), _relay, _edge })
    }

    /// Pairs the device.
    ///
    /// # Errors
    /// When it can't reach the edge server.
    pub fn pair(&self) -> Result<()> {
        let edge = self.programs.join("tresen-edge");
        let mut why = None;
        let limit = Instant::now() + PATIENCE;
        // The box may not be at the relay yet.
        while Instant::now() < limit {
            let code = read(within("edge", &edge).args(["pair", "--data"]).arg(self.data.join("edge")));
            let code = code.and_then(|text| {
                let found = text.split_whitespace().find(|word| word.starts_with("https://"));
                Ok(found.context("there is no pairing code")?.to_owned())
            });
            let paired = code.and_then(|code| read(self.device().args(["pair", &code, "--name", "Nat"])));
            match paired {
                Ok(_) => return Ok(()),
                Err(error) => why = Some(error),
            }
            std::thread::sleep(AGAIN);
        }
        Err(why.context("there was no time")?)
    }

    /// Lets the device work for so long, and for `settle` when its way is direct.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn work(&self, limit: Duration, settle: Duration) -> Result<Device> {
        let settle = settle.as_secs_f64().to_string();
        let more = ["--after-direct", &settle, "--tap", TAPS[0], "--tap", TAPS[1]];
        self.watch(limit, PAUSE_MS, &more)
    }

    /// Lets the device do something for so long, with this pause between its taps, in ms.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn watch(&self, limit: Duration, pause_ms: u64, more: &[&str]) -> Result<Device> {
        let (pause, limit) = (pause_ms.to_string(), limit.as_secs_f64().to_string());
        let mut command = self.device();
        command.args(["--language", "en", "watch", "--until-closed", "--pause", &pause, "--seconds", &limit]);
        command.args(more);
        let mut running = start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let stdout = running.0.stdout.take().context("the device says nothing")?;
        let (said, lines) = channel();
        std::thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.map(|line| said.send((Instant::now(), line))).all(|sent| sent.is_ok())
        });
        Ok(Device { running, lines })
    }

    fn device(&self) -> Command {
        let mut command = within("client", &self.programs.join("tresen-desktop"));
        command.arg("--config").arg(self.data.join("device"));
        command
    }
}

impl Device {
    /// What it says next; `None` when it has ended, or says nothing for `patience`.
    pub fn next(&self, patience: Duration) -> Option<Line> {
        let (_, line) = self.lines.recv_timeout(patience).ok()?;
        let (at_ms, what) = line.split_once(' ')?;
        Some((at_ms.parse().ok()?, what.to_owned()))
    }

    /// What it says next; `None` when it has ended, or says nothing before this.
    pub fn next_before(&self, limit: Instant) -> Option<Heard> {
        let (at, line) = self.lines.recv_timeout(limit.saturating_duration_since(Instant::now())).ok()?;
        Some(Heard { what: line.split_once(' ')?.1.to_owned(), at })
    }

    /// Has it end, after the tap that it waits for; what it says until then can be heard.
    pub fn end(&mut self) {
        drop(self.running.0.stdin.take());
    }
}

fn start(command: &mut Command) -> Result<Running> {
    if std::env::var_os("TRESEN_LOG").is_none() {
        command.stderr(Stdio::null());
    }
    let child = command.spawn().with_context(|| format!("{command:?}"))?;
    Ok(Running(child))
}

fn read(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn eventually<T>(what: &str, attempt: impl Fn() -> Result<T>) -> Result<T> {
    let limit = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Err(error) if Instant::now() > limit => return Err(error.context(what.to_owned())),
            Err(_) => std::thread::sleep(AGAIN),
            done => return done,
        }
    }
}
