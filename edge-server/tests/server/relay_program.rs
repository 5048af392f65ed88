//! The real program `tresen-relay` beside a server of the tests.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

pub struct RelayProgram {
    child: Child,
    data: TempDir,
    pub listen: SocketAddr,
    /// Where its metrics are.
    http: SocketAddr,
    /// Where it takes TLS, if it was told to.
    pub tls: Option<SocketAddr>,
}

impl RelayProgram {
    /// Starts it with these arguments of `run` besides.
    pub fn start(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let log = File::create(data.path().join("log")).unwrap();
        let mut child = command(data.path())
            .args(["run", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
            .args(arguments)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = |title: &str| {
            let said = lines.find_map(|line| Some(line.ok()?.strip_prefix(title)?.trim().to_owned()));
            said.expect("it says where it is")
        };
        let listen = said("Packets").parse().unwrap();
        let http = said("API         http://").parse().unwrap();
        let takes_tls = arguments.contains(&"--tls");
        let tls = takes_tls.then(|| said("TLS").split_once(',').unwrap().0.parse().unwrap());
        // It goes on when its standard output is closed: what else it says stands in its log.
        Self { child, data, listen, http, tls }
    }

    /// What a metric says now.
    pub fn metric(&self, name: &str) -> u64 {
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap();
        value.parse().unwrap()
    }

    /// Makes a tenant: an enrolment for a box.
    pub fn enrolment(&self, tenant: &str) -> String {
        let output = command(self.data.path()).args(["tenant", "add", tenant]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().find_map(|line| line.strip_prefix("Enrolment")).unwrap().trim().to_owned()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the operator reads.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap()
    }

    /// Memory that it has from the system, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for RelayProgram {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(program());
    command.arg("--data").arg(data);
    command
}

/// Beside this crate's own program. A test of this crate alone does not build it.
fn program() -> PathBuf {
    static BUILT: std::sync::Once = std::sync::Once::new();
    let program = Path::new(env!("CARGO_BIN_EXE_tresen-edge")).with_file_name("tresen-relay");
    BUILT.call_once(|| {
        // A test of everything has built it, and would wait for another build.
        if program.exists() {
            return;
        }
        let cargo = std::env::var("CARGO").unwrap();
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--package", "tresen-relay", "--bins"])
            .status()
            .unwrap();
        assert!(built.success(), "tresen-relay can't be built");
    });
    program
}
