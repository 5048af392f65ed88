//! The demo restaurant behind a relay, both on this machine.
//!
//! Browsers reach it by a name below `localhost`, which leads to this machine wherever it is asked; the box makes the certificate for it itself, and browsers warn of that.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::{programs, setup};

const RELAY_DATA: &str = "tresen-relay-data";
const EDGE_DATA: &str = "tresen-data";
const RELAY_PORT: u16 = 7844;

/// Where browsers come in, on every address, and the domain that they come by.
const TLS: &str = "[::]:7846";
const DOMAIN: &str = "localhost";

/// How often the relay is asked whether it runs, and how many times.
const POLL: Duration = Duration::from_millis(200);
const POLLS: u32 = 50;

/// Ends a program when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs both until they are interrupted.
///
/// # Errors
/// When something can't be built or started.
pub fn run(shell: &Shell, host: Option<String>) -> Result<()> {
    programs::build_web(shell)?;
    programs::build(shell)?;
    let programs = setup::target_dir().join("debug");
    let (relay, edge) = (programs.join("tresen-relay"), programs.join("tresen-edge"));
    let arguments = ["--data", RELAY_DATA, "run", "--tls", TLS, "--domain", DOMAIN];
    let started = Command::new(&relay).args(arguments).spawn();
    let _running = Running(started.context("the relay can't be started")?);
    if !Path::new(EDGE_DATA).join("relay").exists() {
        let enrolment = enrolment(shell, &relay)?;
        let host = host.map_or_else(own_address, Ok)?;
        let authority = format!("{host}:{RELAY_PORT}");
        cmd!(shell, "{edge} join {authority} {enrolment} --data {EDGE_DATA}").quiet().run()?;
    }
    cmd!(shell, "{edge} run --demo --data {EDGE_DATA}").quiet().run()?;
    Ok(())
}

/// A new tenant's enrolment, when the relay runs.
fn enrolment(shell: &Shell, relay: &Path) -> Result<String> {
    for _ in 0..POLLS {
        let added = cmd!(shell, "{relay} --data {RELAY_DATA} tenant add Demo").quiet().ignore_stderr().read();
        if let Ok(text) = added {
            let enrolment = text.lines().find_map(|line| line.strip_prefix("Enrolment"));
            return Ok(enrolment.context("the relay gave no enrolment")?.trim().to_owned());
        }
        std::thread::sleep(POLL);
    }
    bail!("the relay does not start")
}

/// This machine's address on its network; nothing is sent.
fn own_address() -> Result<String> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    let found = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr());
    Ok(found.map_or_else(|_| "127.0.0.1".to_owned(), |address| address.ip().to_string()))
}
