//! Who is measured, and how each is started.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::family::{Family, Side};
use super::line::Carrier;
use super::xrdp;
use crate::screen::serve::PAIR;

/// A program that is not ready within this time never will be.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// A window that was opened shows its first screen within this time.
const SETTLED: Duration = Duration::from_secs(2);
/// The reference till under X11.
const TILL: &str = include_str!("till.py");
/// Debian's Python; only it has Debian's Tk.
const PYTHON: &str = "/usr/bin/python3";
/// NX listens on this and the number of its display.
const NX_PORT: u16 = 4000;

/// Somebody who is measured.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// The short name.
    pub id: &'static str,
    /// The name in tables and charts.
    pub name: &'static str,
    /// How it is set up.
    pub setting: &'static str,
    pub(super) kind: Kind,
    pub(super) app: App,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// The reference till.
    Till,
    /// The real handheld app.
    Handheld,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tresen(Carrier),
    Vnc(&'static str),
    Nx,
    Xpra,
    Xrdp,
}

const fn till(id: &'static str, name: &'static str, setting: &'static str, kind: Kind) -> Peer {
    Peer { id, name, setting, kind, app: App::Till }
}

const fn handheld(id: &'static str, name: &'static str, setting: &'static str, kind: Kind) -> Peer {
    Peer { id, name, setting, kind, app: App::Handheld }
}

/// Everybody, in the order of tables and charts.
pub const CAST: &[Peer] = &[
    till("tresen", "Tresen, QUIC", "tresen-desktop; TLS 1.3 over UDP", Kind::Tresen(Carrier::Udp)),
    till(
        "tresen-ws",
        "Tresen, WebSocket",
        "tresen-desktop where UDP is blocked; TLS 1.3 over TCP",
        Kind::Tresen(Carrier::Tcp),
    ),
    till("nx", "NX", "nxagent and nxproxy, link=adsl, no encryption", Kind::Nx),
    till(
        "vnc-tight",
        "TigerVNC, Tight",
        "Xtigervnc and xtigervncviewer, without JPEG (it makes text larger), no encryption",
        Kind::Vnc("Tight"),
    ),
    till(
        "vnc-zrle",
        "TigerVNC, ZRLE",
        "Xtigervnc and xtigervncviewer, defaults, no encryption",
        Kind::Vnc("ZRLE"),
    ),
    till(
        "xpra",
        "xpra",
        "seamless; xpra's own defaults without sound, printing, clipboard and shared memory; no encryption",
        Kind::Xpra,
    ),
    till("xrdp", "xrdp, FreeRDP", "xrdp with xorgxrdp, xfreerdp, 32 bit, TLS over TCP", Kind::Xrdp),
    handheld(
        "handheld",
        "Handheld app, Tresen",
        "tresen-desktop; TLS 1.3 over UDP",
        Kind::Tresen(Carrier::Udp),
    ),
    handheld(
        "handheld-vnc-tight",
        "Handheld app, VNC Tight",
        "the same window, on Xtigervnc",
        Kind::Vnc("Tight"),
    ),
    handheld(
        "handheld-vnc-zrle",
        "Handheld app, VNC ZRLE",
        "the same window, on Xtigervnc",
        Kind::Vnc("ZRLE"),
    ),
];

/// A server that waits for its client.
pub struct Served {
    /// Where.
    pub port: u16,
    /// What the client has to be told besides: the text of a pairing code.
    code: String,
}

impl Peer {
    /// What carries its bytes.
    pub const fn carrier(&self) -> Carrier {
        match self.kind {
            Kind::Tresen(carrier) => carrier,
            _ => Carrier::Tcp,
        }
    }

    /// Whether its server has an X display of its own.
    pub const fn has_display(&self) -> bool {
        !matches!(self.kind, Kind::Tresen(_))
    }

    /// Whether the display is there only once the client is.
    pub const fn display_needs_client(&self) -> bool {
        matches!(self.kind, Kind::Nx)
    }

    /// Starts the server, its display with this number.
    pub async fn serve(&self, family: &mut Family, display: u16) -> Result<Served> {
        let plain = |port| Served { port, code: String::new() };
        let on = format!(":{display}");
        let port = free_port()?;
        match self.kind {
            Kind::Tresen(_) => return edge(family, self.app).await,
            Kind::Vnc(_) => {
                let mut command = Command::new("Xtigervnc");
                command.args([&on, "-geometry", "720x1280", "-depth", "24", "-localhost", "-rfbport"]);
                command.args([&port.to_string(), "-SecurityTypes", "None", "-ac", "-nolisten", "tcp"]);
                family.start(Side::Server, "Xtigervnc", &mut command)?;
            }
            Kind::Nx => {
                let mut command = Command::new("nxagent");
                let link = format!("nx/nx,link=adsl,accept=127.0.0.1,clipboard=0:{display}");
                command.env("DISPLAY", link).args(["-R", "-ac", "-geometry", "720x1280+0+0", "-nolisten"]);
                command.args(["tcp", "-name", "till", &on]);
                family.start(Side::Server, "nxagent", &mut command)?;
                listens(family, "nxagent", NX_PORT + display).await?;
                return Ok(plain(NX_PORT + display));
            }
            Kind::Xpra => {
                let mut command = xpra(family);
                command.args(["start", &on, "--daemon=no", "--html=off", "--mdns=no", "--pulseaudio=no"]);
                command.args([
                    "--dbus-launch=",
                    "--dbus-proxy=no",
                    "--systemd-run=no",
                    "--exit-with-children=no",
                ]);
                command
                    .args(["--start-new-commands=no", "--file-transfer=no", "--bind=none"])
                    .args(XPRA_QUIET);
                command.arg(format!("--bind-tcp=127.0.0.1:{port}"));
                command.arg(
                    "--xvfb=Xvfb +extension Composite -screen 0 720x1280x24+32 -nolisten tcp -noreset -ac",
                );
                family.start(Side::Server, "xpra", &mut command)?;
                listens(family, "xpra", port).await?;
            }
            Kind::Xrdp => {
                let sockets = family.folder().join("xrdp");
                fs::create_dir_all(&sockets)?;
                let socket = sockets.join(format!("xrdp_display_{display}"));
                let settings = xrdp::write_settings(family.folder(), port, &socket)?;
                let mut command = Command::new("Xorg");
                command.env("XRDP_SOCKET_PATH", &sockets).args([&on, "-config", "/etc/X11/xrdp/xorg.conf"]);
                command.args(["-noreset", "-ac", "-nolisten", "tcp", "-logfile"]).arg(family.log("Xorg-own"));
                family.start(Side::Server, "Xorg", &mut command)?;
                until(|| socket.exists(), || family.last_words("Xorg")).await?;
                let mut command = Command::new("xrdp");
                command.env("XRDP_SOCKET_PATH", &sockets).args(["--nodaemon", "--config"]).arg(settings);
                family.start(Side::Server, "xrdp", &mut command)?;
                listens(family, "xrdp", port).await?;
            }
        }
        Ok(plain(port))
    }

    /// Starts the client, on the display with this number, against this port.
    pub async fn call(&self, family: &mut Family, display: u16, port: u16, served: &Served) -> Result<()> {
        let on = format!(":{display}");
        let (name, mut command) = match self.kind {
            Kind::Tresen(_) => {
                let folder = pair(family, &served.code)?;
                point_to(&folder, port)?;
                ("tresen-desktop", desktop(self.app, &folder)?)
            }
            Kind::Vnc(encoding) => {
                let mut command = Command::new("xtigervncviewer");
                command.args(["-AutoSelect=0", "-FullColor=1", "-NoJPEG=1", "-MenuKey="]);
                command.args(["-geometry", "720x1280+0+0", "-PreferredEncoding", encoding]);
                command.arg(format!("127.0.0.1::{port}"));
                ("xtigervncviewer", command)
            }
            Kind::Nx => {
                let mut command = Command::new("nxproxy");
                let number = served.port - NX_PORT;
                let link = format!("nx/nx,connect=127.0.0.1,port={port},link=adsl:{number}");
                command.args(["-S", &link]);
                ("nxproxy", command)
            }
            Kind::Xpra => {
                let mut command = xpra(family);
                command.args(["attach", &format!("tcp://127.0.0.1:{port}"), "--opengl=no", "--tray=no"]);
                command.args(["--desktop-scaling=no"]).args(XPRA_QUIET);
                ("xpra-attach", command)
            }
            Kind::Xrdp => {
                let mut command = Command::new("xfreerdp");
                command.arg(format!("/v:127.0.0.1:{port}"));
                command.args([
                    "/u:till",
                    "/p:till",
                    "/cert:ignore",
                    "/size:720x1280",
                    "/bpp:32",
                    "-decorations",
                ]);
                ("xfreerdp", command)
            }
        };
        family.start(Side::Client, name, command.env("DISPLAY", on))
    }

    /// Starts what is shown, on the server's display.
    pub async fn show(&self, family: &mut Family, display: u16) -> Result<()> {
        let on = format!(":{display}");
        match (self.app, self.kind) {
            (_, Kind::Tresen(_)) => {}
            (App::Till, _) => {
                let file = family.folder().join("till.py");
                fs::write(&file, TILL)?;
                family.start(Side::Server, "till", Command::new(PYTHON).arg(file).env("DISPLAY", on))?;
                let log = family.log("till");
                let ready = || fs::read_to_string(&log).is_ok_and(|text| text.starts_with("ready"));
                until(ready, || family.last_words("till")).await?;
            }
            (App::Handheld, _) => {
                let served = edge(family, self.app).await?;
                let folder = pair(family, &served.code)?;
                family.start(Side::Server, "till", desktop(self.app, &folder)?.env("DISPLAY", on))?;
                tokio::time::sleep(SETTLED).await;
            }
        }
        Ok(())
    }
}

/// xpra without Debian's settings: those run a session script that opens a window.
fn xpra(family: &Family) -> Command {
    let mut command = Command::new("xpra");
    command.env("XPRA_SYSTEM_CONF_DIRS", family.folder().join("none"));
    command
}

/// What a session of a till has no use for; and both ends on one machine must not share memory in place of the line.
const XPRA_QUIET: &[&str] = &[
    "--mmap=no",
    "--notifications=no",
    "--speaker=off",
    "--microphone=off",
    "--webcam=no",
    "--clipboard=no",
    "--bell=no",
    "--printing=no",
];

/// Starts our edge server.
async fn edge(family: &mut Family, app: App) -> Result<Served> {
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
fn desktop(app: App, folder: &std::path::Path) -> Result<Command> {
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
fn pair(family: &Family, code: &str) -> Result<PathBuf> {
    let folder = family.folder().join("device");
    let mut command = Command::new(desktop_program()?);
    let output = command.args(["pair", code, "--name", "bench", "--config"]).arg(&folder).output()?;
    ensure!(output.status.success(), "no pairing: {}", String::from_utf8_lossy(&output.stderr));
    Ok(folder)
}

/// Lets a paired device call its server through this port.
fn point_to(folder: &std::path::Path, port: u16) -> Result<()> {
    let file = folder.join("server.toml");
    let text = fs::read_to_string(&file)?;
    let name = text.lines().find(|line| line.starts_with("name ")).context("a server without a name")?;
    let here = format!("{}:{port}", Ipv4Addr::LOCALHOST);
    Ok(fs::write(&file, format!("{name}\nauthority = \"{here}\"\naddresses = [\"{here}\"]\n"))?)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until somebody listens there, without calling: some let in only one.
async fn listens(family: &Family, name: &str, port: u16) -> Result<()> {
    let there = || {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
        tables.iter().any(|table| fs::read_to_string(table).is_ok_and(|text| has_listener(&text, port)))
    };
    until(there, || family.last_words(name)).await
}

/// Whether a table of the kernel's connections has a listener on this port.
fn has_listener(table: &str, port: u16) -> bool {
    let end = format!(":{port:04X}");
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields.len() > 3 && fields[1].ends_with(&end) && fields[3] == "0A"
    })
}

async fn until(ready: impl Fn() -> bool, words: impl Fn() -> String) -> Result<()> {
    let limit = Instant::now() + PATIENCE;
    while !ready() {
        if Instant::now() > limit {
            bail!("it was not ready in time: {}", words());
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a program is taken for ready when it listens, not when somebody else calls from that port.
    #[test]
    fn listeners_are_told_from_callers() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:0FE9 00000000:0000 0A 0\n   1: 0100007F:1F90 0100007F:0050 01 0\n";
        assert!(has_listener(table, 4073));
        assert!(!has_listener(table, 8080));
    }

    /// Proves that a short name means one.
    #[test]
    fn short_names_are_unique() {
        let names: std::collections::BTreeSet<_> = CAST.iter().map(|peer| peer.id).collect();
        assert_eq!(names.len(), CAST.len());
    }
}
