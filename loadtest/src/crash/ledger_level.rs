//! Kill cycles of a child process that holds the real ledger.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use rand::RngExt;
use rand::rngs::StdRng;

use super::clients::Client;
use super::compare::Compared;
use super::{Broken, Tally, child};

/// Clients that book at the same time, each at a table of its own.
const CLIENTS: u32 = 8;
/// A kill comes at most so long after the first answer.
const LIFE_MAX: Duration = Duration::from_millis(120);
/// A child that does not answer for so long is broken.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// Lines from the child that wait to be read.
const LINES: usize = 4_096;

/// Runs the cycles.
pub(super) fn run(folder: &Path, cycles: u32, fault: Option<Broken>, mut random: StdRng) -> Result<Tally> {
    let database = folder.join("crash-ledger.db");
    let mut clients: Vec<Client> = (1..=CLIENTS).map(Client::new).collect();
    let mut compared = Compared::new(&database);
    let mut tally = Tally::default();
    for cycle in 1..=cycles {
        let victim = Victim::start(&database, fault)?;
        tally.slowest_start = tally.slowest_start.max(victim.started);
        let life = LIFE_MAX.mul_f64(random.random_range(0.0..1.0));
        victim.live_and_die(&mut clients, life, &mut random).with_context(|| format!("cycle {cycle}"))?;
        compare(&mut compared, &clients).with_context(|| format!("cycle {cycle}"))?;
        tally.cycles = cycle;
        if cycle.is_multiple_of(50) {
            eprintln!("crash, ledger: {cycle} of {cycles} kills, {} rows", compared.rows());
        }
    }
    let victim = Victim::start(&database, fault)?;
    victim.settle(&mut clients)?;
    compare(&mut compared, &clients).context("at the end")?;
    for client in &clients {
        let stored = compared.stored(client.session);
        ensure!(
            stored == client.sent,
            "session {} sent {}, on disk is {stored}",
            client.session,
            client.sent
        );
        tally.acknowledged += client.acknowledged;
    }
    tally.rows = compared.rows();
    tresen_ledger::verify(&database)?;
    Ok(tally)
}

fn compare(compared: &mut Compared, clients: &[Client]) -> Result<()> {
    compared.follow()?;
    for client in clients {
        compared.check(client.session, client.acknowledged, client.sent)?;
    }
    Ok(())
}

/// A running child.
struct Victim {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    started: Duration,
}

impl Victim {
    fn start(database: &Path, fault: Option<Broken>) -> Result<Victim> {
        let begin = Instant::now();
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("crash-child").arg("--database").arg(database);
        if let Some(value) = fault.and_then(|fault| fault.to_possible_value()) {
            command.args(["--fault", value.get_name()]);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = process.stdin.take();
        let output = process.stdout.take().context("a pipe was asked for")?;
        let (sender, lines) = sync_channel(LINES);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let first = lines.recv_timeout(SILENCE_MAX).context("the child did not start")?;
        ensure!(first == "ready", "the child said {first}");
        Ok(Victim { process, input, lines, started: begin.elapsed() })
    }

    /// Books until its time is over, kills it, and takes what it still said before it died.
    fn live_and_die(mut self, clients: &mut [Client], life: Duration, random: &mut StdRng) -> Result<()> {
        for client in clients.iter_mut() {
            let again = client.again(random);
            self.book(client.session, &again)?;
        }
        let end = Instant::now() + life;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let (session, more) = heard(&line, clients, random)?;
                    self.book(session, &more)?;
                }
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("the child ended by itself: {}", self.process.wait()?)
                }
            }
        }
        // SIGKILL: no handler, no flush, no goodbye.
        self.process.kill()?;
        self.process.wait()?;
        for line in &self.lines {
            heard(&line, clients, random)?;
        }
        Ok(())
    }

    /// Sends what was not answered and waits for all answers, then lets it end in peace.
    fn settle(mut self, clients: &mut [Client]) -> Result<()> {
        for client in clients.iter() {
            let again: Vec<u64> = (client.acknowledged + 1..=client.sent).collect();
            self.book(client.session, &again)?;
        }
        while clients.iter().any(|client| client.acknowledged < client.sent) {
            let line = self.lines.recv_timeout(SILENCE_MAX).context("not everything was answered")?;
            let (session, input) = child::parse(&line)?;
            if let Some(client) = clients.iter_mut().find(|client| client.session == session) {
                client.acknowledged = client.acknowledged.max(input);
            }
        }
        self.input = None;
        ensure!(self.process.wait()?.success(), "the child did not end well");
        Ok(())
    }

    fn book(&mut self, session: u32, inputs: &[u64]) -> Result<()> {
        let lines: String = inputs.iter().map(|input| format!("{session} {input}\n")).collect();
        let input = self.input.as_mut().context("a pipe was asked for")?;
        input.write_all(lines.as_bytes()).context("the child does not listen")
    }
}

impl Drop for Victim {
    /// A cycle that went wrong leaves no child behind.
    fn drop(&mut self) {
        // When it is dead already, there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Takes an answer; gives the client's session and what it sends next.
fn heard(line: &str, clients: &mut [Client], random: &mut StdRng) -> Result<(u32, Vec<u64>)> {
    let (session, input) = child::parse(line)?;
    let client = clients.iter_mut().find(|client| client.session == session).context("an unknown session")?;
    Ok((session, client.answered(input, random)))
}
