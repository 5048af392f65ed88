//! Promises of the program `tresen-relay`, as an operator uses it.
#![allow(clippy::disallowed_methods, reason = "a test of a program: it starts processes")]

#[path = "support/redis.rs"]
mod redis;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use std::time::{Duration, Instant};

use tempfile::TempDir;

use redis::{Kind, Redis};

struct Relay {
    data: TempDir,
    child: Child,
    http: SocketAddr,
}

impl Relay {
    fn start() -> Self {
        Self::start_with(&[])
    }

    /// With these arguments of `run` besides.
    fn start_with(arguments: &[&str]) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let (child, http) = run(data.path(), arguments);
        Self { data, child, http }
    }

    fn ask(&self, words: &[&str]) -> Output {
        command(self.data.path()).args(words).output().expect("the program")
    }

    /// The lines that a command prints, which must succeed.
    fn told(&self, words: &[&str]) -> Vec<String> {
        let output = self.ask(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
    }

    /// Until it says so of its health.
    fn is_soon(&self, health: &str) {
        let limit = Instant::now() + Duration::from_secs(10);
        while !self.get("/health", "").contains(health) {
            assert!(Instant::now() < limit, "{health}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn get(&self, path: &str, header: &str) -> String {
        let mut stream = TcpStream::connect(self.http).expect("its API");
        let request = format!("GET {path} HTTP/1.1\r\nHost: relay\r\n{header}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    fn terminate(&self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill").success());
    }

    fn stop(&mut self) -> bool {
        self.terminate();
        self.child.wait().expect("its end").success()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tresen-relay"));
    command.arg("--data").arg(data);
    command
}

fn run(data: &Path, arguments: &[&str]) -> (Child, SocketAddr) {
    let mut child = command(data)
        .args(["run", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let http = lines.find_map(|line| line.ok()?.strip_prefix("API         http://")?.parse().ok());
    (child, http.expect("it says where its API is"))
}

fn word_after<'a>(lines: &'a [String], title: &str) -> &'a str {
    lines.iter().find_map(|line| line.strip_prefix(title)).expect(title).trim()
}

/// Promise: an operator makes tenants with one command each, sees them, takes them out; they outlive the program, and so does the relay's name.
#[test]
fn tenants_come_and_go_with_one_command_each() {
    let mut relay = Relay::start();
    let added = relay.told(&["tenant", "add", "Gasthaus Linde"]);
    let (id, enrolment) = (word_after(&added, "Tenant"), word_after(&added, "Enrolment"));
    let name = enrolment.split_once('.').expect("the relay's name and a secret").0;
    assert!(relay.told(&["tenant", "list"])[0].starts_with(&format!("{id}  Gasthaus Linde  (0 ")));
    assert!(relay.stop(), "it ends in good order");
    (relay.child, relay.http) = run(relay.data.path(), &[]);
    let another = relay.told(&["tenant", "enrol", id]);
    assert_eq!(word_after(&another, "Enrolment").split_once('.').expect("an enrolment").0, name);
    assert_ne!(word_after(&another, "Enrolment"), enrolment);
    relay.told(&["tenant", "limit", id, "--clients", "70", "--bytes-a-second", "500000"]);
    let limited = relay.told(&["tenant", "list"]);
    assert!(limited[0].contains("70 devices") && limited[0].contains("500000 bytes a second"), "{limited:?}");
    relay.told(&["tenant", "limit", id, "--connects-a-minute", "90"]);
    let limited = relay.told(&["tenant", "list"]);
    let all = ["70 devices", "90 connects a minute", "500000 bytes a second"];
    assert!(all.iter().all(|limit| limited[0].contains(limit)), "what is not named stays: {limited:?}");
    relay.told(&["tenant", "limit", id, "--bytes-a-second", "0"]);
    let limited = relay.told(&["tenant", "list"]);
    assert!(
        limited[0].contains("90 connects") && !limited[0].contains("bytes"),
        "as for others: {limited:?}"
    );
    relay.told(&["tenant", "remove", id]);
    assert!(relay.told(&["tenant", "list"]).is_empty());
    let gone = relay.ask(&["tenant", "enrol", id]);
    assert!(!gone.status.success());
    assert!(String::from_utf8_lossy(&gone.stderr).contains(&format!("there is no tenant {id}")));
}

/// Promise: an operator who makes a tenant while the node's disk is full gets its enrolment, and is warned; so is one who removes it; what the disk refused is written
/// when there is room, and outlives the program then.
#[test]
fn a_full_disk_loses_no_enrolment() {
    let mut relay = Relay::start();
    let directory = relay.data.path().join("directory.json");
    std::fs::create_dir(&directory).expect("in its place");
    let warned = |words: &[&str]| {
        let output = relay.ask(words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.contains("disk refuses it"), "{words:?}: {said}");
        String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let added = warned(&["tenant", "add", "Gasthaus Linde"]);
    let (id, enrolment) = (word_after(&added, "Tenant"), word_after(&added, "Enrolment"));
    let another = warned(&["tenant", "enrol", id]);
    assert_ne!(word_after(&another, "Enrolment"), enrolment);
    let gone = warned(&["tenant", "add", "Zum Anker"]);
    warned(&["tenant", "limit", id, "--clients", "70"]);
    warned(&["tenant", "remove", word_after(&gone, "Tenant")]);
    assert!(relay.get("/metrics", "").contains("\ntresen_relay_unsaved 1\n"));
    std::fs::remove_dir(&directory).expect("a folder");
    let limit = Instant::now() + Duration::from_secs(40);
    while !relay.get("/metrics", "").contains("\ntresen_relay_unsaved 0\n") {
        assert!(Instant::now() < limit, "it is written");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(relay.stop());
    (relay.child, relay.http) = run(relay.data.path(), &[]);
    let tenants = relay.told(&["tenant", "list"]);
    assert!(tenants.len() == 1 && tenants[0].contains("70 devices"), "{tenants:?}");
}

/// Promise: nobody changes tenants without the password that stands in the data folder; health and figures are for everybody who reaches the address.
#[test]
fn the_api_wants_its_password() {
    let relay = Relay::start();
    let wrong = "Authorization: Bearer aaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
    for header in ["", wrong] {
        assert!(relay.get("/v1/tenants", header).starts_with("HTTP/1.1 401"), "{header}");
    }
    assert!(relay.get("/health", "").starts_with("HTTP/1.1 200"));
    assert!(relay.get("/openapi.json", "").contains("\"/v1/tenants/{tenant}\""));
    assert!(relay.get("/metrics", "").contains("\ntresen_relay_edges 0\n"));
}

/// Promise: a command without a running relay says what to do.
#[test]
fn without_a_relay_a_command_says_so() {
    let data = tempfile::tempdir().expect("a folder");
    let output = command(data.path()).args(["tenant", "list"]).output().expect("the program");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no relay runs on"));
}

/// Promise: a node that is about to stop says so to whoever asks for its health, so that nobody is sent there any more.
#[test]
fn a_node_that_leaves_is_not_well() {
    let mut relay = Relay::start();
    relay.is_soon("200 OK");
    relay.terminate();
    relay.is_soon("the node is about to stop");
    assert!(relay.get("/health", "").starts_with("HTTP/1.1 503"));
    assert!(relay.child.wait().expect("its end").success());
}

/// Promise: nodes of a relay with one number are noticed, at each of them, and no longer when one of them is gone; without a number none of them starts.
#[test]
fn two_nodes_with_one_number_are_noticed() {
    let redis = Redis::start(Kind::One);
    let address = redis.address();
    let node = |number: &'static str| Relay::start_with(&["--redis", &address, "--node", number]);
    let (first, mut again, other) = (node("1"), node("1"), node("2"));
    for double in [&first, &again] {
        double.is_soon("503 Service Unavailable");
        assert!(double.get("/health", "").contains("another node has this node's number"));
    }
    other.is_soon("200 OK");
    assert!(again.stop());
    first.is_soon("200 OK");
    let data = tempfile::tempdir().expect("a folder");
    let refused = command(data.path()).args(["run", "--redis", &address]).output().expect("the program");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--node"));
}

/// Promise: a node tells every figure, with every reason, that the dashboard and the alerts ask for.
#[test]
fn what_dashboards_show_is_told() {
    let redis = Redis::start(Kind::One);
    let told = Relay::start_with(&["--redis", &redis.address(), "--node", "1"]).get("/metrics", "");
    let infra = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra");
    for file in ["grafana/relay.json", "prometheus/relay-alerts.yaml"] {
        let text = std::fs::read_to_string(infra.join(file)).expect(file);
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let metrics: Vec<&str> = words.filter(|word| word.starts_with("tresen_")).collect();
        assert!(metrics.len() > 5, "{file}");
        for metric in metrics {
            assert!(told.contains(&format!("\n# TYPE {metric} ")), "{file}: {metric}");
        }
        let reasons = text.split("reason=~\"").skip(1).filter_map(|rest| rest.split('"').next());
        for reason in reasons.flat_map(|all| all.split('|')) {
            assert!(told.contains(&format!("{{reason=\"{reason}\"}}")), "{file}: {reason}");
        }
    }
}

/// Promise: a log that goes to a file, a journal or a container's log is plain text.
#[test]
fn a_log_that_nobody_watches_is_plain_text() {
    let data = tempfile::tempdir().expect("a folder");
    let log = data.path().join("log");
    let nowhere = ["--node", "1", "--redis", "redis://127.0.0.1:1"];
    let mut child = command(data.path())
        .args(["run", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"])
        .args(nowhere)
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).expect("a file"))
        .spawn()
        .expect("the program");
    let written = || std::fs::read_to_string(&log).expect("text");
    redis::until("it says that Redis is away", || written().contains("not at Redis"));
    child.kill().expect("killed");
    child.wait().expect("its end");
    assert!(!written().contains('\u{1b}'), "{}", written());
}
