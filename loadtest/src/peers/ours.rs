//! Our own programs among the peers: the edge server, and the desktop client that is its device.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::cast::App;
use super::family::{Family, Side};
use super::ready::until;
use super::serve::Served;
use crate::screen::serve::PAIR;

/// Starts our edge server.
pub async fn edge(family: &mut Family, app: App) -> Result<Served> {
    let mut command = Command::new(std::env::current_exe()?);
    let name = match app {
        App::Till => "reference",
        App::Handheld => "mpos",
    };
    command.args(["serve", name, "--data"]).arg(family.folder().join("data"));
    family.start(Side::Server, "edge", &mut command)?;
    let log = family.log("edge");
    let code = || {
        let text = fs::read_to_string(&log).ok()?;
        let (whole, _) = text.split_once(PAIR)?.1.split_once('\n')?;
        Some(whole.trim().to_owned())
    };
    until(|| code().is_some(), || family.last_words("edge")).await?;
    let code = code().context("it was there")?;
    let parsed: tresen_identity::PairingCode = code.parse()?;
    let port = parsed.authority.rsplit(':').next().and_then(|port| port.parse().ok());
    Ok(Served { port: port.context("a pairing code without a port")?, code })
}

fn desktop_program() -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name("tresen-desktop");
    ensure!(program.exists(), "{} is missing: cargo build --release -p tresen-desktop", program.display());
    Ok(program)
}

/// The window: 720x1280 pixels, the handheld app with two of them a dp.
pub fn desktop(app: App, folder: &Path) -> Result<Command> {
    let (size, scale) = match app {
        App::Till => ("720x1280", "1"),
        App::Handheld => ("360x640", "2"),
    };
    let mut command = Command::new(desktop_program()?);
    command.args(["--size", size, "--theme", "light", "--language", "en", "--config"]).arg(folder);
    command.env("WINIT_X11_SCALE_FACTOR", scale).env_remove("WAYLAND_DISPLAY");
    Ok(command)
}

/// Makes a device of the server; returns its folder.
pub fn pair(family: &Family, code: &str) -> Result<PathBuf> {
    let folder = family.folder().join("device");
    let mut command = Command::new(desktop_program()?);
    let output = command.args(["pair", code, "--name", "bench", "--config"]).arg(&folder).output()?;
    ensure!(output.status.success(), "no pairing: {}", String::from_utf8_lossy(&output.stderr));
    Ok(folder)
}

/// Lets a paired device call its server through this port.
pub fn point_to(folder: &Path, port: u16) -> Result<()> {
    let file = folder.join("server.toml");
    let text = fs::read_to_string(&file)?;
    let name = text.lines().find(|line| line.starts_with("name ")).context("a server without a name")?;
    let here = format!("{}:{port}", Ipv4Addr::LOCALHOST);
    Ok(fs::write(&file, format!("{name}\nauthority = \"{here}\"\naddresses = [\"{here}\"]\n"))?)
}
