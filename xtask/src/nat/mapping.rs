//! A router that maps ports for whoever asks it from within: miniupnpd (UPnP; PCP and NAT-PMP unless they are off) in the edge server's box.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::boxes::Side;
use super::net::{nft, within};

/// The daemon.
const PROGRAM: &str = "/usr/sbin/miniupnpd";

/// The box that it works in, as networks are built.
const BOX: &str = "edge-box";

/// The box's address within.
pub const GATE: &str = "10.2.0.1";

/// What it may map, and where it writes that.
const CONFIG: &str = "ext_ifname=wan
listening_ip=lan
enable_upnp=yes
secure_mode=yes
uuid=6f0d2a5c-53a1-4a0f-9d6e-0d3c6a1f2b7e
upnp_table_name=upnp
upnp_nat_table_name=upnp
upnp_forward_chain=mapped_forward
upnp_nat_chain=mapped_in
upnp_nat_postrouting_chain=mapped_out
allow 1024-65535 10.2.0.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
";

/// Where it writes them; the box lets through what was mapped.
const TABLE: &str = "table inet upnp {
    chain mapped_forward { }
    chain mapped_in { }
    chain mapped_out { }
    chain enter { type nat hook prerouting priority -110; policy accept; jump mapped_in; }
    chain leave { type nat hook postrouting priority 90; policy accept; jump mapped_out; }
    chain pass { type filter hook forward priority -10; policy accept; jump mapped_forward; }
}
";

/// It ends when this is dropped.
pub struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it in the edge server's box, which is one of these; `folder` is for its files.
///
/// # Errors
/// When the system refuses.
pub fn start(folder: &Path, side: Side) -> Result<Daemon> {
    nft(BOX, TABLE)?;
    let config = folder.join("miniupnpd.conf");
    // PCP goes with it.
    let nat_pmp = if side == Side::UpnpMapping { "no" } else { "yes" };
    std::fs::write(&config, format!("{CONFIG}enable_natpmp={nat_pmp}\n"))?;
    let mut command: Command = within(BOX, Path::new(PROGRAM));
    command.arg("-d").arg("-f").arg(&config).arg("-P").arg(folder.join("miniupnpd.pid"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(Daemon(command.spawn().with_context(|| format!("{command:?}"))?))
}
