//! xpra without Debian's settings: those run a session script that opens a window.

use std::process::Command;

use super::family::Family;

/// What a session of a till has no use for; and both ends on one machine must not share memory in place of the line.
const QUIET: &[&str] = &[
    "--mmap=no",
    "--notifications=no",
    "--speaker=off",
    "--microphone=off",
    "--webcam=no",
    "--clipboard=no",
    "--bell=no",
    "--printing=no",
];

/// A server for this display, which it starts itself.
pub fn server(family: &Family, display: &str, port: u16) -> Command {
    let mut command = xpra(family);
    command.args(["start", display, "--daemon=no", "--html=off", "--mdns=no", "--pulseaudio=no"]);
    command.args(["--dbus-launch=", "--dbus-proxy=no", "--systemd-run=no", "--exit-with-children=no"]);
    command.args(["--start-new-commands=no", "--file-transfer=no", "--bind=none"]).args(QUIET);
    command.arg(format!("--bind-tcp=127.0.0.1:{port}"));
    command.arg("--xvfb=Xvfb +extension Composite -screen 0 720x1280x24+32 -nolisten tcp -noreset -ac");
    command
}

/// A client of the server at this port.
pub fn client(family: &Family, port: u16) -> Command {
    let mut command = xpra(family);
    command.args(["attach", &format!("tcp://127.0.0.1:{port}"), "--opengl=no", "--tray=no"]);
    command.args(["--desktop-scaling=no"]).args(QUIET);
    command
}

fn xpra(family: &Family) -> Command {
    let mut command = Command::new("xpra");
    command.env("XPRA_SYSTEM_CONF_DIRS", family.folder().join("none"));
    command
}
