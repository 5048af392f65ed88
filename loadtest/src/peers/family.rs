//! The processes of one measurement: started, counted and ended together.
//!
//! Invariant: this program has no other children. So what descends from it and from no client belongs to the server, whoever became a daemon: orphans
//! come to us.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::Serialize;
use tempfile::TempDir;

use crate::screen::cpu;

/// How long processes have to end in order.
const GRACE: Duration = Duration::from_millis(1500);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Makes orphans of our children ours.
pub fn adopt_orphans() -> Result<()> {
    Ok(nix::sys::prctl::set_child_subreaper(true)?)
}

/// Which end a process works for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It would run on the site's box.
    Server,
    /// It would run on the handheld.
    Client,
}

/// Memory of some processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Pages that nobody else has.
    pub private_bytes: u64,
    /// The same, and a share of those that others have too.
    pub proportional_bytes: u64,
}

/// Processes and the folder in which they live.
pub struct Family {
    folder: TempDir,
    children: Vec<(Side, Child)>,
}

impl Family {
    /// No process, an empty folder.
    pub fn new() -> Result<Self> {
        Ok(Self { folder: tempfile::tempdir()?, children: Vec::new() })
    }

    /// The folder; it goes with the processes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where a process writes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    /// Starts a process in a group of its own, with a home that is thrown away. It writes to the log of this name.
    pub fn start(&mut self, side: Side, name: &str, command: &mut Command) -> Result<()> {
        let home = self.folder.path().join(match side {
            Side::Server => "server",
            Side::Client => "client",
        });
        fs::create_dir_all(&home)?;
        fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let log = File::create(self.log(name))?;
        command.env("HOME", &home).env("XDG_RUNTIME_DIR", &home).env_remove("XAUTHORITY");
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn().with_context(|| format!("{name} can't be started"))?;
        self.children.push((side, child));
        Ok(())
    }

    /// The last words of a process, to explain a failure.
    pub fn last_words(&self, name: &str) -> String {
        let text = fs::read(self.log(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(3)..].join(" / ")
    }

    /// CPU time of the server's processes so far, in microseconds.
    pub fn server_cpu_us(&self) -> f64 {
        self.server().into_iter().filter_map(|process| cpu::used_us(process).ok()).sum()
    }

    /// Memory of the server's processes whose command contains `what`; empty: of all.
    pub fn server_memory(&self, what: &str) -> Memory {
        let mut memory = Memory::default();
        for process in self.server() {
            let command = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&command).contains(what)
                && let Ok(text) = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))
            {
                memory.private_bytes += kib(&text, "Private_") * 1024;
                memory.proportional_bytes += kib(&text, "Pss:") * 1024;
            }
        }
        memory
    }

    fn server(&self) -> BTreeSet<u32> {
        let parents = parents();
        let clients = self.children.iter().filter(|(side, _)| *side == Side::Client);
        let clients: BTreeSet<u32> =
            clients.flat_map(|(_, child)| with_descendants(child.id(), &parents)).collect();
        let mut all = with_descendants(std::process::id(), &parents);
        all.remove(&std::process::id());
        &all - &clients
    }
}

impl Drop for Family {
    /// Nothing stays behind: first politely, then not.
    fn drop(&mut self) {
        let me = std::process::id();
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            let limit = Instant::now() + GRACE;
            let mut asked = BTreeSet::new();
            loop {
                while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive)
                {
                }
                let mut left = with_descendants(me, &parents());
                left.remove(&me);
                if left.is_empty() {
                    return;
                }
                for process in left {
                    if asked.insert(process) {
                        let _ = kill(Pid::from_raw(process.cast_signed()), signal);
                    }
                }
                if Instant::now() > limit {
                    break;
                }
                std::thread::sleep(LOOK);
            }
        }
    }
}

/// Each process and its parent.
fn parents() -> BTreeMap<u32, u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    entries
        .filter_map(number)
        .filter_map(|process| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
            Some((process, parent(&stat)?))
        })
        .collect()
}

/// The parent in a line of `/proc/*/stat`; the name before it may hold spaces and brackets.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn with_descendants(root: u32, parents: &BTreeMap<u32, u32>) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([root]);
    loop {
        let more: Vec<u32> = parents
            .iter()
            .filter(|(process, parent)| found.contains(parent) && !found.contains(process))
            .map(|(process, _)| *process)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// The sum of the lines that begin so, in KiB.
fn kib(smaps: &str, start: &str) -> u64 {
    let lines = smaps.lines().filter(|line| line.starts_with(start));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a process counts for its parent, whatever it calls itself.
    #[test]
    fn a_parent_is_read_whatever_the_name() {
        assert_eq!(parent("12 (Xvfb) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12 (a) S 9 (b) R 7 12"), Some(7));
        assert_eq!(parent("12 (cut"), None);
    }

    /// Proves that grandchildren count, and that others do not.
    #[test]
    fn descendants_are_found_over_generations() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (10, 9)]);
        assert_eq!(with_descendants(2, &parents), BTreeSet::from([2, 3, 4]));
    }

    /// Proves that private memory is the clean and the dirty part, and nothing else.
    #[test]
    fn memory_is_summed_by_kind() {
        let text = "Rss: 900 kB\nPss: 70 kB\nPss_Dirty: 5 kB\nPrivate_Clean: 10 kB\nPrivate_Dirty: 30 kB\n";
        assert_eq!(kib(text, "Private_"), 40);
        assert_eq!(kib(text, "Pss:"), 70);
    }
}
