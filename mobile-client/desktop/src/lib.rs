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

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

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
    if let Some(Command::Pair { code, name }) = arguments.command {
        return pair::pair(&store, &code, name);
    }
    let server = store.server()?.context(
        "This computer is not paired yet. Show a pairing code in the back office, then type: tresen-desktop pair '<the code's text>'",
    )?;
    window::run(
        network::Dialled { server, key: Arc::new(store.key()?) },
        Options {
            size_dp: arguments.size,
            theme: arguments.theme,
            language: arguments.language,
            picture: arguments.dump_png,
        },
    )
}

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let fits = |side: &u32| (100..=8192).contains(side);
    sides.filter(|(w, h)| fits(w) && fits(h)).ok_or_else(|| "a size is written like 360x720".to_owned())
}
