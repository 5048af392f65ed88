//! How each peer's client is started.

use std::process::Command;

use anyhow::Result;

use super::cast::{Kind, Peer};
use super::family::{Family, Side};
use super::serve::{NX_PORT, Served};
use super::{ours, xpra};

impl Peer {
    /// Starts the client, on the display with this number, against this port.
    pub async fn call(&self, family: &mut Family, display: u16, port: u16, served: &Served) -> Result<()> {
        let on = format!(":{display}");
        let (name, mut command) = match self.kind {
            Kind::Tresen(_) => {
                let folder = ours::pair(family, &served.code)?;
                ours::point_to(&folder, port)?;
                ("tresen-desktop", ours::desktop(self.app, &folder)?)
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
            Kind::Xpra => ("xpra-attach", xpra::client(family, port)),
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
}
