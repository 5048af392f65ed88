//! A real Redis for a test.
#![allow(dead_code, reason = "several tests share it, and not each of them uses all of it")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A server with a folder and a port of its own, that keeps nothing when it is killed.
pub struct Redis {
    child: Child,
    port: u16,
    kind: Kind,
    folder: TempDir,
}

#[derive(Clone, Copy)]
pub enum Kind {
    One,
    Cluster,
}

impl Redis {
    pub fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        Self { child: run(folder.path(), port, kind), port, kind, folder }
    }

    pub fn address(&self) -> String {
        match self.kind {
            Kind::One => format!("redis://127.0.0.1:{}", self.port),
            Kind::Cluster => format!("redis+cluster://127.0.0.1:{}", self.port),
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("its end");
    }

    pub fn start_again(&mut self) {
        self.child = run(self.folder.path(), self.port, self.kind);
    }

    /// What a command of its own program says.
    pub fn ask(&self, words: &[&str]) -> String {
        ask(self.port, words)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(port: u16, words: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).output();
    String::from_utf8_lossy(&output.expect("redis-cli: apt-get install redis-server").stdout).into_owned()
}

fn run(folder: &Path, port: u16, kind: Kind) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    if matches!(kind, Kind::Cluster) {
        command.args(["--cluster-enabled", "yes"]);
    }
    let child = command.arg("--dir").arg(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child =
        child.expect("these tests need a Redis: apt-get install redis-server (cargo xtask test does)");
    let answers = || {
        (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            ask(port, &["ping"]).starts_with("PONG")
        })
    };
    assert!(answers(), "Redis does not answer");
    if matches!(kind, Kind::Cluster) && !ask(port, &["cluster", "info"]).contains("cluster_slots_ok:16384") {
        ask(port, &["cluster", "addslotsrange", "0", "16383"]);
        let is_whole = || {
            (0..200).any(|_| {
                std::thread::sleep(Duration::from_millis(20));
                ask(port, &["cluster", "info"]).contains("cluster_state:ok")
            })
        };
        assert!(is_whole(), "the cluster is not whole");
    }
    child
}
