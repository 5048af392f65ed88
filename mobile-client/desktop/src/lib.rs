//! The thin client as a desktop window: winit and softbuffer around `tresen-client`, QUIC to the edge server, or WebSocket where UDP is
//! blocked.
//!
//! Two threads: the window's owns the client and decides; the network's carries bytes. What is kept on disk is who this device is and
//! where its server is, nothing else.

#![allow(
    clippy::disallowed_methods,
    reason = "a shell: it reads clock and environment, and starts the network's thread"
)]

mod dial;
mod framing;
mod headless;
mod keys;
mod look;
mod network;
mod pair;
mod picture;
mod quic;
mod route;
mod store;
mod surface;
mod websocket;
mod window;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use winit::dpi::PhysicalSize;

use crate::store::Store;
use crate::window::Options;

/// Tresen: the till on the site's box, on this screen.
#[derive(Parser)]
#[command(name = "tresen-desktop", version)]
struct Arguments {
    /// Folder of the device's identity; by default in the user's configuration folder.
    #[arg(long, value_name = "DIR", global = true)]
    config: Option<PathBuf>,
    /// Size of the window, in dp.
    #[arg(long, value_name = "WxH", default_value = "360x720", value_parser = size)]
    size: (u32, u32),
    /// Light or dark, whatever the system says.
    #[arg(long, value_parser = ["light", "dark"])]
    theme: Option<String>,
    /// German or English, whatever the system says.
    #[arg(long, value_parser = ["de", "en"])]
    language: Option<String>,
    /// Keeps a picture of the screen in this file (PNG).
    #[arg(long, value_name = "FILE")]
    dump_png: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Makes this computer a device of the server whose pairing code this is.
    Pair {
        /// The text of the QR code: https://.../pair#...
        code: String,
        /// What the back office calls this computer.
        #[arg(long)]
        name: Option<String>,
    },
    /// Connects without a window, and says which way the connection takes and how long answers do: a line for each event.
    Watch {
        /// For so many seconds.
        #[arg(long, default_value_t = 10.0)]
        seconds: f64,
        /// ... and for so many at most when the way is direct.
        #[arg(long, value_name = "SECONDS")]
        after_direct: Option<f64>,
        /// ... or until standard input is closed and the last tap is answered.
        #[arg(long)]
        until_closed: bool,
        /// What to tap first, by its name; several are tapped one after the other.
        #[arg(long)]
        first: Vec<String>,
        /// What to tap then; several are tapped one after the other, over and over.
        #[arg(long)]
        tap: Vec<String>,
        /// What to say of the screen at the end: everything with this in it.
        #[arg(long, value_name = "TEXT")]
        show: Option<String>,
        /// From an answer to the next tap, in ms.
        #[arg(long, default_value_t = 20)]
        pause: u64,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TRESEN_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let store = Store::open(arguments.config)?;
    if let Some(Command::Pair { code, name }) = &arguments.command {
        return pair::pair(&store, code, name.clone());
    }
    let server = store.server()?.context(
        "This computer is not paired yet. Show a pairing code in the back office, then type: tresen-desktop pair '<the code's text>'",
    )?;
    let dialled = network::Dialled { server, key: Arc::new(store.key()?) };
    let options = Options {
        size_dp: arguments.size,
        theme: arguments.theme,
        language: arguments.language,
        picture: arguments.dump_png,
    };
    match arguments.command {
        Some(Command::Watch { seconds, after_direct, until_closed, first, tap, show, pause }) => {
            let size = PhysicalSize::new(options.size_dp.0, options.size_dp.1);
            let look = look::look(size, 1.0, look::theme(&options, None), look::language(&options));
            let limit = Duration::try_from_secs_f64(seconds).context("This is no time")?;
            let after_direct = after_direct.map(Duration::try_from_secs_f64).transpose()?;
            let pause = Duration::from_millis(pause);
            let options =
                headless::Options { limit, until_closed, first, taps: tap, show, pause, after_direct };
            headless::run(dialled, look, options)
        }
        Some(Command::Pair { .. }) | None => window::run(dialled, options),
    }
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let fits = |side: &u32| (100..=8192).contains(side);
    sides.filter(|(w, h)| fits(w) && fits(h)).ok_or_else(|| "a size is written like 360x720".to_owned())
}
