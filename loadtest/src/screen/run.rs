//! Runs the benchmark: starts servers, plays the scripts, gathers the figures.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use tempfile::TempDir;
use tresen_identity::PairingCode;
use tresen_scene::Point;
use tresen_wire::{Language, Look, Theme};

use super::figures::{PassBytes, Tap, mean, pass_bytes, percentiles};
use super::player::{Player, SILENCE};
use super::report::{AppFigures, Report};
use super::serve::{App, Guesses, IDLE, PAIR};
use super::{bare, cpu};
use crate::device::Device;
use crate::handheld::Act;
use crate::handheld::script::{self as handheld, Step};
use crate::reference::script::{self as reference, SEEDS};

/// Seeds that nobody tuned anything for.
const OTHER_SEEDS: [u32; 3] = [2, 3, 5];

/// Instances over which the memory of one is measured.
const IDLE_INSTANCES: u16 = 1000;

/// The screen of the reference till.
pub const REFERENCE_LOOK: Look =
    Look { width_px: 720, height_px: 1280, scale_100: 100, theme: Theme::Light, language: Language::En };

/// A handheld of 360x640 dp with two pixels a dp.
pub const HANDHELD_LOOK: Look = Look { scale_100: 200, ..REFERENCE_LOOK };

/// Measures everything.
///
/// # Errors
/// When a server can't be started or does not answer.
pub async fn run() -> Result<Report> {
    let bare = bare_us().await?;
    let seeds = |seeds| Script::Points(reference::taps(seeds));
    Ok(Report {
        bare_quic_cpu_us_per_tap: bare,
        reference: measure(App::Reference, &seeds(&SEEDS)).await?,
        reference_other_seeds: measure(App::Reference, &seeds(&OTHER_SEEDS)).await?,
        mpos: measure(App::Mpos, &Script::Steps(handheld::steps())).await?,
    })
}

/// What is tapped.
enum Script {
    Points(Vec<Point>),
    Steps(Vec<Step>),
}

impl App {
    /// The screen that it is measured on.
    pub const fn look(self) -> Look {
        match self {
            Self::Reference => REFERENCE_LOOK,
            Self::Mpos => HANDHELD_LOOK,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Mpos => "mpos",
        }
    }
}

async fn measure(app: App, script: &Script) -> Result<AppFigures> {
    eprintln!("measuring: {}", app.name());
    let mut server = Server::start(app, 0, Guesses::Auto)?;
    let device = Device::pair(&server.pairing_code()?, "bench").await?;
    let (mut player, first_screen_bytes) = Player::open(&device, app.look()).await?;
    let before_us = cpu::used_us(server.process.id())?;
    let first = play(&mut player, script).await?;
    let repeat = play(&mut player, script).await?;
    let used_us = cpu::used_us(server.process.id())? - before_us;
    let reconnect_bytes = player.reconnect(&device).await?;
    drop(player);
    server.stop();
    let taps: Vec<Tap> = first.iter().chain(&repeat).copied().collect();
    let paint: Vec<f64> = taps.iter().map(|tap| tap.paint_us).collect();
    Ok(AppFigures {
        taps: first.len(),
        first_screen_bytes,
        first_pass: passed(&first),
        repeat_pass: passed(&repeat),
        reconnect_bytes,
        server_cpu_us_per_tap: used_us / taps.len() as f64,
        tap_to_last_byte_ms: percentiles(&taps, |tap| Some(tap.last_byte_ms)),
        tap_to_disk_ms: percentiles(&taps, |tap| tap.on_disk_ms),
        client_paint_us_per_tap: mean(&paint),
        instance_idle_bytes: idle_bytes(app)?,
    })
}

fn passed(taps: &[Tap]) -> PassBytes {
    pass_bytes(taps)
}

async fn play(player: &mut Player, script: &Script) -> Result<Vec<Tap>> {
    let mut taps = Vec::new();
    match script {
        Script::Points(points) => {
            for at in points {
                taps.push(player.tap(*at).await?);
            }
        }
        Script::Steps(steps) => {
            for (index, step) in steps.iter().enumerate() {
                let tap = player.step(*step).await;
                taps.push(tap.with_context(|| format!("step {index}, {step:?}"))?);
            }
        }
    }
    Ok(taps)
}

async fn bare_us() -> Result<f64> {
    eprintln!("measuring: bare QUIC");
    let mut server = Server::spawn(&["serve-bare"])?;
    let line = server.line(bare::BARE)?;
    let us = bare::measure(server.process.id(), &line, SILENCE).await?;
    server.stop();
    Ok(us)
}

/// How the evening is played with a mouse, so many steps of it in each pass, a glance at the picture after each of them, and the picture at the end.
///
/// # Errors
/// When the app can't be played.
pub async fn rehearse<G>(
    steps: &[usize],
    notch_px: i32,
    glance: impl Fn(&[u8]) -> G,
) -> Result<(Vec<Vec<(Act, G)>>, Vec<u8>)> {
    let mut server = Server::start(App::Mpos, 0, Guesses::Auto)?;
    let device = Device::pair(&server.pairing_code()?, "rehearsal").await?;
    let (mut player, _) = Player::open(&device, HANDHELD_LOOK).await?;
    let mut passes = Vec::new();
    for steps in steps {
        let mut pass = Vec::new();
        for step in handheld::steps().into_iter().take(*steps) {
            let act = player.rehearse(step, notch_px).await?;
            pass.push((act, glance(&player.pixels())));
        }
        passes.push(pass);
    }
    let pixels = player.pixels();
    drop(player);
    server.stop();
    Ok((passes, pixels))
}

/// Memory of one more instance that idles.
///
/// # Errors
/// When the server can't be started.
pub fn idle_bytes(app: App) -> Result<u64> {
    let mut server = Server::start(app, IDLE_INSTANCES, Guesses::Auto)?;
    server.pairing_code()?;
    let bytes = server.line(IDLE)?.parse().context("no number of bytes")?;
    server.stop();
    Ok(bytes)
}

/// The server's process.
pub struct Server {
    process: Child,
    output: BufReader<std::process::ChildStdout>,
    /// Its folder, gone with it.
    data: Option<TempDir>,
}

impl Server {
    /// Starts one.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(app: App, idle: u16, guesses: Guesses) -> Result<Self> {
        let data = tempfile::tempdir()?;
        let folder = data.path().to_str().context("a temporary folder with a name that is no text")?;
        let idle = idle.to_string();
        let arguments = ["serve", app.name(), "--guesses", guesses.name(), "--idle", &idle, "--data", folder];
        let mut server = Self::spawn(&arguments)?;
        server.data = Some(data);
        Ok(server)
    }

    fn spawn(arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the server could not be started")?;
        let output = BufReader::new(process.stdout.take().context("the server has an output")?);
        Ok(Self { process, output, data: None })
    }

    /// The code with which a device pairs.
    ///
    /// # Errors
    /// When it printed none.
    pub fn pairing_code(&mut self) -> Result<PairingCode> {
        Ok(self.line(PAIR)?.parse()?)
    }

    /// The rest of the next line that begins with `start`.
    fn line(&mut self, start: &str) -> Result<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line)? > 0 {
            if let Some(rest) = line.strip_prefix(start) {
                return Ok(rest.trim().to_owned());
            }
            line.clear();
        }
        anyhow::bail!("the server ended early")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it in order.
    pub fn stop(mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}
