//! The real server as a child process.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tresen_identity::PairingCode;

/// A server that does not say that it is open for so long is broken.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// What the server says when it is open.
const OPEN: &str = "Gasthaus Linde is open";
/// Lines of its output that wait to be read.
const LINES: usize = 1_024;

/// How to start the server, again and again.
pub(super) struct Recipe {
    program: PathBuf,
    data: PathBuf,
    port: u16,
}

/// A running server.
pub(super) struct Server {
    process: Child,
    _lines: Receiver<String>,
}

impl Recipe {
    /// The program beside this one, a folder, and a port that is free now.
    pub(super) fn new(folder: &Path) -> Result<Recipe> {
        let program = std::env::current_exe()?.with_file_name("tresen-edge");
        ensure!(program.exists(), "{} is missing: cargo build --package tresen-edge", program.display());
        let port = UdpSocket::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let data = folder.join("server");
        Ok(Recipe { program, data, port })
    }

    /// The server's ledger.
    pub(super) fn database(&self) -> PathBuf {
        self.data.join("ledger.db")
    }

    /// Starts the server and waits until it is open.
    pub(super) fn start(&self) -> Result<Server> {
        let mut command = Command::new(&self.program);
        command.args(["run", "--demo", "--port", &self.port.to_string(), "--data"]).arg(&self.data);
        command.env("TRESEN_LOG", "error").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let output = process.stdout.take().context("a pipe was asked for")?;
        let (sender, lines) = sync_channel(LINES);
        std::thread::spawn(move || {
            // Reads on when nobody listens: a server must not block on its terminal.
            BufReader::new(output).lines().map_while(Result::ok).for_each(|line| drop(sender.try_send(line)));
        });
        loop {
            match lines.recv_timeout(SILENCE_MAX) {
                Ok(line) if line.contains(OPEN) => return Ok(Server { process, _lines: lines }),
                Ok(_) => {}
                Err(_) => {
                    process.kill()?;
                    bail!("the server did not open: {}", process.wait()?);
                }
            }
        }
    }

    /// A new pairing code of the running server.
    pub(super) fn pairing_code(&self) -> Result<PairingCode> {
        let output = Command::new(&self.program).args(["pair", "--data"]).arg(&self.data).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let code = text.lines().find_map(|line| line.trim().parse().ok());
        code.with_context(|| format!("no pairing code in: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

impl Server {
    /// SIGKILL: no handler, no flush, no goodbye.
    pub(super) fn kill(mut self) -> Result<()> {
        if let Some(status) = self.process.try_wait()? {
            bail!("the server ended by itself: {status}");
        }
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    /// A cycle that went wrong leaves no server behind.
    fn drop(&mut self) {
        // When it is dead already, there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
