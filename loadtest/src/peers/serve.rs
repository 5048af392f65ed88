//! How each peer's server, and what it shows, are started.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::cast::{App, Kind, Peer};
use super::family::{Family, Side};
use super::ready::{free_port, listens, until};
use super::{ours, xpra, xrdp};

/// A window that was opened shows its first screen within this time.
const SETTLED: Duration = Duration::from_secs(2);
/// The reference till under X11.
const TILL: &str = include_str!("till.py");
/// Debian's Python; only it has Debian's Tk.
const PYTHON: &str = "/usr/bin/python3";
/// NX listens on this and the number of its display.
pub const NX_PORT: u16 = 4000;

/// A server that waits for its client.
pub struct Served {
    /// Where.
    pub port: u16,
    /// What the client has to be told besides: the text of a pairing code.
    pub code: String,
}

impl Peer {
    /// Starts the server, its display with this number.
    pub async fn serve(&self, family: &mut Family, display: u16) -> Result<Served> {
        let plain = |port| Served { port, code: String::new() };
        let on = format!(":{display}");
        let port = free_port()?;
        match self.kind {
            Kind::Tresen(_) => return ours::edge(family, self.app).await,
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
                let mut command = xpra::server(family, &on, port);
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
                let served = ours::edge(family, self.app).await?;
                let folder = ours::pair(family, &served.code)?;
                family.start(Side::Server, "till", ours::desktop(self.app, &folder)?.env("DISPLAY", on))?;
                tokio::time::sleep(SETTLED).await;
            }
        }
        Ok(())
    }
}
