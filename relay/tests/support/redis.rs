//! A real Redis for a test.
#![allow(dead_code, reason = "several tests share it, and not each of them uses all of it")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Whatever takes longer does not happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// The name of the file with a server's settings.
const SETTINGS: &str = "redis.conf";

/// Settings of a server that loses its data when it is killed.
pub const IN_MEMORY: &[&str] = &["save \"\"", "appendonly no"];

/// Of one that keeps it.
pub const ON_DISK: &[&str] = &["save \"\"", "appendonly yes"];

/// It lets a replica in at once.
pub const HASTY: &str = "repl-diskless-sync-delay 0";

/// A server that is a whole Redis, or a cluster by itself.
pub struct Redis {
    server: Server,
    kind: Kind,
}

#[derive(Clone, Copy)]
pub enum Kind {
    One,
    Cluster,
}

impl Redis {
    pub fn start(kind: Kind) -> Self {
        let server = match kind {
            Kind::One => Server::start(IN_MEMORY),
            Kind::Cluster => Server::start_in_cluster(IN_MEMORY),
        };
        let redis = Self { server, kind };
        redis.take_all_slots();
        redis
    }

    pub fn address(&self) -> String {
        match self.kind {
            Kind::One => format!("redis://{}", self.server.address()),
            Kind::Cluster => format!("redis+cluster://{}", self.server.address()),
        }
    }

    pub fn kill(&mut self) {
        self.server.kill();
    }

    pub fn start_again(&mut self) {
        self.server.start_again();
        self.take_all_slots();
    }

    /// It takes connections and answers nothing, until [`Self::go_on`].
    pub fn hang(&self) {
        self.server.signal("-STOP");
    }

    pub fn go_on(&self) {
        self.server.signal("-CONT");
    }

    /// What a command of its own program says.
    pub fn ask(&self, words: &[&str]) -> String {
        self.server.ask(words)
    }

    fn take_all_slots(&self) {
        if matches!(self.kind, Kind::Cluster) && !self.server.says("cluster_slots_ok:16384") {
            self.ask(&["cluster", "addslotsrange", "0", "16383"]);
            until("the cluster is whole", || self.server.says("cluster_state:ok"));
        }
    }
}

/// One process, with a folder and a port of its own.
pub struct Server {
    child: Child,
    port: u16,
    arguments: &'static [&'static str],
    folder: TempDir,
}

impl Server {
    /// With these lines of a configuration besides; they are in a file because some change theirs.
    pub fn start(lines: &[&str]) -> Self {
        Self::start_as(lines, &[])
    }

    /// A Sentinel.
    pub fn start_sentinel(lines: &[&str]) -> Self {
        Self::start_as(lines, &["--sentinel"])
    }

    /// One that can be in a cluster, and has its data again when it is started again. It talks with the others at a second port; unless that is named, at one that is
    /// 10,000 higher, which not every port has.
    pub fn start_in_cluster(lines: &[&str]) -> Self {
        let second_port = format!("cluster-port {}", free_port());
        let in_cluster = ["cluster-enabled yes", "cluster-node-timeout 500", &second_port];
        Self::start(&[lines, &in_cluster].concat())
    }

    fn start_as(lines: &[&str], arguments: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (port, dir) = (free_port(), folder.path().display());
        let all = format!("port {port}\nbind 127.0.0.1\ndir {dir}\n{}\n", lines.join("\n"));
        std::fs::write(folder.path().join(SETTINGS), all).expect("its settings");
        let child = run(folder.path(), port, arguments);
        Self { child, port, arguments, folder }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub const fn port(&self) -> u16 {
        self.port
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("its end");
    }

    pub fn start_again(&mut self) {
        self.child = run(self.folder.path(), self.port, self.arguments);
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
    }

    /// What a command of its own program says.
    pub fn ask(&self, words: &[&str]) -> String {
        ask(self.port, words)
    }

    /// Whether it says so of the cluster.
    pub fn says(&self, of_cluster: &str) -> bool {
        self.ask(&["cluster", "info"]).contains(of_cluster)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Until something is so; panics when that takes too long.
pub fn until(what: &str, done: impl Fn() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < limit, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("an address").port()
}

fn ask(port: u16, words: &[&str]) -> String {
    let output = Command::new("redis-cli").args(["-p", &port.to_string()]).args(words).output();
    String::from_utf8_lossy(&output.expect("redis-cli: apt-get install redis-server").stdout).into_owned()
}

fn run(folder: &Path, port: u16, arguments: &[&str]) -> Child {
    let mut command = Command::new("redis-server");
    command.arg(folder.join(SETTINGS)).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command
        .spawn()
        .expect("these tests need a Redis: apt-get install redis-server (cargo xtask test does)");
    let answers = ["PONG", "NOAUTH"];
    until("Redis answers", || answers.iter().any(|answer| ask(port, &["ping"]).starts_with(answer)));
    child
}
