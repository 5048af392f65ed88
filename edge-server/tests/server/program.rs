//! The program itself: what it says when it can't run, and what is left after `kill -9`.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tresen_ledger::{Options, Submission};

use crate::client::{Client, loopback};

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tresen-edge"))
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn sentence(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().lines().last().unwrap_or_default().to_owned()
}

/// Promise: a wrong configuration says the line and what is allowed, with exit code 2.
#[test]
fn a_wrong_configuration_says_where_and_what() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tresen.toml");
    std::fs::write(&file, "name = \"Linde\"\nprot = 7843\n").unwrap();
    let output = run(&["run", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let said = sentence(&output);
    assert!(said.contains("line 2") && said.contains("prot") && said.contains("`port`"), "{said}");
    assert_eq!(run(&["run", "--port", "seven"]).status.code(), Some(2));
    assert_eq!(run(&["run", "--config", "/nowhere/at/all.toml"]).status.code(), Some(2));
}

/// Promise: a port or folder that is taken gets one clear sentence.
#[test]
fn what_is_taken_gets_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let data = folder.path().to_str().unwrap();
    let output = run(&["run", "--data", data, "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    assert!(sentence(&output).contains(&format!("port {port} is in use")), "{}", sentence(&output));

    let running = Program::start(folder.path());
    let output = run(&["run", "--data", data, "--port", "0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(sentence(&output).contains("in use by another tresen-edge"), "{}", sentence(&output));
    drop(running);
}

/// Promise: a real site is never opened as a demo, and a demo that is run as a real site says that everybody knows its PINs.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_keeps_away_from_a_real_site() {
    let folder = tempfile::tempdir().unwrap();
    let (real, demo) = (folder.path().join("real"), folder.path().join("demo"));
    drop(Program::start(&demo));
    drop(Program::start(&demo));
    let other = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = other.local_addr().unwrap().port().to_string();
    let output = run(&["run", "--data", demo.to_str().unwrap(), "--port", &port]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("everybody knows its PINs"), "{said}");

    // An owner, as the back office's first page makes one.
    std::fs::create_dir(&real).unwrap();
    let ledger = tresen_ledger::Ledger::open(&real.join("ledger.db"), Options::default()).unwrap();
    let owner = tresen_till::Staff {
        id: tresen_till::StaffId(1),
        name: "Ida".into(),
        role: tresen_till::Role::Owner,
        pin_hash: tresen_till::PinHash::new("none".into()),
    };
    let context = tresen_till::Context {
        staff: None,
        station: tresen_till::StationId(0),
        device: "office".into(),
        at: jiff::Timestamp::now(),
    };
    let commands = vec![tresen_till::Command::Manage(tresen_till::Manage::PutStaff(owner))];
    let submission = Submission { context, commands, mark: None, records: Vec::new() };
    ledger.submit(submission).await.unwrap().unwrap();
    drop(ledger);
    let output = run(&["run", "--demo", "--data", real.to_str().unwrap(), "--port", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(sentence(&output).contains("holds a real site"), "{}", sentence(&output));
    let doctor = run(&["doctor", "--data", demo.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("everybody knows its PINs"));
}

/// Promise: a pairing code of the running server, from a command on its machine.
#[test]
fn the_pair_command_shows_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let output = run(&["pair", "--data", data]);
    assert_eq!(output.status.code(), Some(1));
    assert!(sentence(&output).contains("no server runs"), "{}", sentence(&output));
    let running = Program::start(folder.path());
    let output = run(&["pair", "--data", data]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let code = said.lines().find(|line| line.contains("/pair#")).expect("a code").trim();
    assert!(code.parse::<tresen_identity::PairingCode>().is_ok(), "{code}");
    drop(running);
}

/// Promise: a confirmed booking survives `kill -9`, and the screen comes back where it was.
#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_loses_nothing_that_was_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let running = Program::start(folder.path());
    let mut anna = Client::new(loopback(running.port, 1).await);
    anna.log_in("Anna", "1234").await;
    anna.tap("Table 4").await;
    anna.tap("Getränke").await;
    anna.book("Cola 0,33").await;
    anna.tap("Küche").await;
    assert_eq!(anna.receiver.unacknowledged(), 1, "what books nothing is not on disk yet");
    let before = anna.labels();
    drop(running);
    let receiver = anna.gone().await;
    let running = Program::start(folder.path());
    let mut again = Client::on(receiver, loopback(running.port, 1).await);
    again.until("the same screen", |client| client.labels() == before).await;
}

/// The program on a free port; dropping it is `kill -9`.
struct Program {
    child: Child,
    port: u16,
}

impl Program {
    fn start(folder: &Path) -> Self {
        let door = folder.join("local.door");
        let _ = std::fs::remove_file(&door);
        let mut child = program()
            .args(["run", "--demo", "--port", "0", "--data"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let limit = Instant::now() + Duration::from_secs(30);
        loop {
            let text = std::fs::read_to_string(&door).unwrap_or_default();
            let port = text.split(' ').next().and_then(|port| port.parse().ok());
            if let Some(port) = port
                && std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
                && healthy(port)
            {
                return Self { child, port };
            }
            if Instant::now() > limit || child.try_wait().unwrap().is_some() {
                let _ = child.kill();
                let mut said = String::new();
                child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                panic!("the program did not start: {said}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn healthy(port: u16) -> bool {
    use std::io::Write;
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let request = "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    let mut answer = String::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.starts_with("HTTP/1.1 200")
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
