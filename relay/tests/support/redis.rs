//! A real Redis for a test.
#![allow(dead_code, reason = "several tests share it, and not each of them uses all of it")]

use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Whatever takes longer does not happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// The name of the file with a server's settings.
const SETTINGS: &str = "redis.conf";

/// That of the socket by which a server is asked whether it is there: at its port somebody else may answer.
const OWN_SOCKET: &str = "redis.sock";

/// Servers choose among these ports, of which the system gives none to those who don't care.
const PORTS: Range<u16> = 20_000..32_000;

/// So many of them may be somebody else's in a row.
const TRIES: u32 = 20;

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
        Self::start_as(|| lines.join("\n"), &[])
    }

    /// A Sentinel.
    pub fn start_sentinel(lines: &[&str]) -> Self {
        Self::start_as(|| lines.join("\n"), &["--sentinel"])
    }

    /// One that can be in a cluster, and has its data again when it is started again. It talks with the others at a second port; unless that is named, at one that is
    /// 10,000 higher, which not every port has.
    pub fn start_in_cluster(lines: &[&str]) -> Self {
        let in_cluster = || {
            let second_port = format!("cluster-port {}", some_port());
            [lines, &["cluster-enabled yes", "cluster-node-timeout 500", &second_port]].concat().join("\n")
        };
        Self::start_as(in_cluster, &[])
    }

    /// At the first port that is nobody else's.
    fn start_as(lines: impl Fn() -> String, arguments: &'static [&'static str]) -> Self {
        let started = (0..TRIES).find_map(|_| {
            let folder = tempfile::tempdir().expect("a folder");
            let (port, dir) = (some_port(), folder.path().display());
            let all = format!(
                "port {port}\nbind 127.0.0.1\ndir {dir}\nunixsocket {dir}/{OWN_SOCKET}\n{}\n",
                lines()
            );
            std::fs::write(folder.path().join(SETTINGS), all).expect("its settings");
            let child = run(folder.path(), arguments)?;
            Some(Self { child, port, arguments, folder })
        });
        started.expect("a port that is nobody else's")
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
        // Others know it by its port, which nobody else has taken for long.
        let again = (0..TRIES).find_map(|_| run(self.folder.path(), self.arguments));
        self.child = again.expect("its port is free");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().expect("kill").success());
    }

    /// What a command of its own program says.
    pub fn ask(&self, words: &[&str]) -> String {
        ask(&["-p", &self.port.to_string()], words)
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

fn some_port() -> u16 {
    rand::random_range(PORTS)
}

fn ask(at: &[&str], words: &[&str]) -> String {
    let output = Command::new("redis-cli").args(at).args(words).output();
    String::from_utf8_lossy(&output.expect("redis-cli: apt-get install redis-server").stdout).into_owned()
}

/// Starts a server with the settings in its folder; `None` when it ends, as it does where somebody else has its port.
fn run(folder: &Path, arguments: &[&str]) -> Option<Child> {
    let own_socket = folder.join(OWN_SOCKET);
    // One that was killed has left it.
    let _ = std::fs::remove_file(&own_socket);
    let mut command = Command::new("redis-server");
    command.arg(folder.join(SETTINGS)).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command
        .spawn()
        .expect("these tests need a Redis: apt-get install redis-server (cargo xtask test does)");
    let at = ["-s", own_socket.to_str().expect("text")];
    let limit = Instant::now() + PATIENCE;
    while !["PONG", "NOAUTH"].iter().any(|answer| ask(&at, &["ping"]).starts_with(answer)) {
        if child.try_wait().expect("a child").is_some() {
            return None;
        }
        assert!(Instant::now() < limit, "Redis answers");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(child)
}
