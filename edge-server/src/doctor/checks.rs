//! What the doctor looks at, one function each.

use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use tresen_identity::{Fingerprint, KeyPair, Secret};
use zeroize::Zeroizing;

use super::{Finding, Health};
use crate::config::Config;
use crate::demo::RECORD;
use crate::registry::{self, Licensing};

/// Below this, in bytes, a disk is full for our purposes.
const DISK_FULL_BYTES: u64 = 100 << 20;
/// Below this, in bytes, it will be soon.
const DISK_LOW_BYTES: u64 = 1 << 30;
/// Days before a licence ends from which on the doctor warns.
const LICENCE_WARN_DAYS: i32 = 30;
/// How long a running server may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Whether a server works on the data folder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Runs,
    Rests,
}

pub(super) fn all(config: &Config, demo: bool) -> Vec<Finding> {
    let mut findings = vec![folder(&config.data)];
    if !config.data.is_dir() {
        findings.push(ports(config, Server::Rests));
        findings.push(clock(&config.data));
        return findings;
    }
    let (server, lock) = lock(&config.data);
    let (name, key) = server_key(&config.data);
    findings.extend([lock, key, secrets(&config.data), database(&config.data)]);
    findings.extend(demo_folder(&config.data, demo));
    findings.push(licence(&config.data, name, demo));
    findings.extend([spool(&config.data), ports(config, server), clock(&config.data), disk(&config.data)]);
    findings
}

fn folder(data: &Path) -> Finding {
    const WHAT: &str = "data";
    let shown = data.display();
    match std::fs::metadata(data) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Finding::new(
            WHAT,
            Health::Warning,
            format!("{shown} does not exist yet: the first start makes it"),
        ),
        Err(error) => Finding::new(WHAT, Health::Bad, format!("{shown} can't be read: {error}")),
        Ok(found) if !found.is_dir() => {
            Finding::new(WHAT, Health::Bad, format!("{shown} is no folder: name another one with --data"))
        }
        Ok(found) if open_to_others(&found) => {
            Finding::new(WHAT, Health::Warning, format!("{shown} can be read by others: chmod 700 {shown}"))
        }
        Ok(found) => match foreign(data, &found) {
            Some(text) => Finding::new(WHAT, Health::Warning, text),
            None => Finding::new(WHAT, Health::Good, format!("{shown}")),
        },
    }
}

/// What is wrong with whom the folder or a file in it belongs to. Whoever runs the doctor may be root, for whom every owner is fine as long as it is
/// one.
fn foreign(data: &Path, folder: &Metadata) -> Option<String> {
    let (shown, me) = (data.display(), nix::unistd::geteuid());
    if !me.is_root() && folder.uid() != me.as_raw() {
        let owner = folder.uid();
        return Some(format!(
            "{shown} belongs to another user ({owner}): run as that one, or: sudo chown -R {me} {shown}"
        ));
    }
    let other = files(data).find(|(_, found)| found.uid() != folder.uid());
    other.map(|(path, found)| {
        let (file, owner, right) = (path.display(), found.uid(), folder.uid());
        format!("{file} belongs to user {owner}, the folder to {right}: sudo chown -R {right} {shown}")
    })
}

/// Secrets beside the server's key: what others may read of them.
fn secrets(data: &Path) -> Finding {
    const WHAT: &str = "secrets";
    let is_secret = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name == "local.door" || name.contains(".key") && name != "server.key"
    };
    match files(data).find(|(path, found)| is_secret(path) && open_to_others(found)) {
        Some((path, _)) => {
            let shown = path.display();
            let text = format!("{shown} can be read by others: chmod 600 {shown}");
            Finding::new(WHAT, Health::Warning, text)
        }
        None => Finding::new(WHAT, Health::Good, "for their owner's eyes only"),
    }
}

/// The files of the data folder; those that can't be looked at are left out.
fn files(data: &Path) -> impl Iterator<Item = (PathBuf, Metadata)> {
    let entries = std::fs::read_dir(data).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
}

/// A demo that is about to be run as a real site.
fn demo_folder(data: &Path, demo: bool) -> Option<Finding> {
    let path = data.join("ledger.db");
    let stored = path.exists().then(|| tresen_ledger::stored_record(&path, RECORD.0, RECORD.1));
    let furnished = matches!(stored, Some(Ok(Some(_))));
    (furnished && !demo).then(|| {
        let text =
            "this is the demo's folder, everybody knows its PINs: begin a real site in a new one (--data)";
        Finding::new("demo", Health::Warning, text)
    })
}

fn open_to_others(found: &Metadata) -> bool {
    found.permissions().mode() & 0o077 != 0
}

fn lock(data: &Path) -> (Server, Finding) {
    const WHAT: &str = "lock";
    let path = data.join("lock");
    let tried = OpenOptions::new().write(true).open(&path);
    let file: File = match tried {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return (Server::Rests, Finding::new(WHAT, Health::Good, "free, no server has run here yet"));
        }
        Err(error) => {
            let text = format!("{} can't be opened: {error}", path.display());
            return (Server::Rests, Finding::new(WHAT, Health::Bad, text));
        }
    };
    match file.try_lock() {
        Ok(()) => (Server::Rests, Finding::new(WHAT, Health::Good, "free, no server is running")),
        Err(TryLockError::WouldBlock) => {
            (Server::Runs, Finding::new(WHAT, Health::Good, "held by a running server"))
        }
        Err(TryLockError::Error(error)) => {
            let text = format!("this file system can't lock files ({error}): use a local disk");
            (Server::Rests, Finding::new(WHAT, Health::Bad, text))
        }
    }
}

fn server_key(data: &Path) -> (Option<Fingerprint>, Finding) {
    const WHAT: &str = "key";
    let path = data.join("server.key");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = "none yet: the first start makes one";
            return (None, Finding::new(WHAT, Health::Warning, text));
        }
        Err(error) => {
            return (
                None,
                Finding::new(WHAT, Health::Bad, format!("{} can't be read: {error}", path.display())),
            );
        }
    };
    let Some(seed) = Secret::from_text(text.trim()) else {
        let text = format!("{} is damaged: put it back from a backup", path.display());
        return (None, Finding::new(WHAT, Health::Bad, text));
    };
    let name = KeyPair::from_seed(&seed).fingerprint();
    if std::fs::metadata(&path).is_ok_and(|found| open_to_others(&found)) {
        let text = format!("can be read by others: chmod 600 {}", path.display());
        return (Some(name), Finding::new(WHAT, Health::Bad, text));
    }
    (Some(name), Finding::new(WHAT, Health::Good, format!("this server is {name}")))
}

fn database(data: &Path) -> Finding {
    const WHAT: &str = "database";
    let path = data.join("ledger.db");
    if tresen_ledger::is_restoring(&path).unwrap_or(false) {
        return Finding::new(WHAT, Health::Warning, "a restore was interrupted: the next start finishes it");
    }
    if !path.exists() {
        return Finding::new(WHAT, Health::Warning, "none yet: the first start makes one");
    }
    match tresen_ledger::verify(&path) {
        Ok(verified) => {
            let text = format!(
                "{} rows in the journal, the chain is whole (head {})",
                verified.rows,
                &verified.head[..12]
            );
            Finding::new(WHAT, Health::Good, text)
        }
        Err(error) => {
            Finding::new(WHAT, Health::Bad, format!("{error}: restore a backup (tresen-edge restore)"))
        }
    }
}

fn licence(data: &Path, server: Option<Fingerprint>, demo: bool) -> Finding {
    const WHAT: &str = "licence";
    let path = data.join("ledger.db");
    let stored = if path.exists() { registry::stored_licence(&path) } else { Ok(None) };
    let text = match (stored, server) {
        (Err(reason), _) => return Finding::new(WHAT, Health::Bad, format!("it can't be read: {reason}")),
        (Ok(None), _) | (Ok(Some(_)), None) => {
            return Finding::new(
                WHAT,
                Health::Good,
                "none installed: the trial of 2 mpos and 2 paypos seats",
            );
        }
        (Ok(Some(text)), Some(_)) => text,
    };
    let Some(server) = server else { return Finding::new(WHAT, Health::Warning, "no key to check it with") };
    let today = Timestamp::now().to_zoned_datetime(TimeZone::system()).date();
    match Licensing::of(&text, &registry::issuers(demo), server, today) {
        Licensing::Licensed(licence) => {
            let left = (licence.valid_until - today).get_days();
            let seats = licence.seats;
            let until = licence.valid_until;
            let text = format!("{} mpos and {} paypos seats until {until}", seats.mpos, seats.paypos);
            let health = if left < LICENCE_WARN_DAYS { Health::Warning } else { Health::Good };
            Finding::new(WHAT, health, text)
        }
        Licensing::Void { reason } => {
            Finding::new(WHAT, Health::Warning, format!("{reason}: the trial's seats stand in"))
        }
        Licensing::Trial => Finding::new(WHAT, Health::Good, "the trial"),
    }
}

fn spool(data: &Path) -> Finding {
    const WHAT: &str = "spool";
    let path = data.join("spool");
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Finding::new(WHAT, Health::Good, "no receipt yet")
        }
        Err(error) => Finding::new(WHAT, Health::Bad, format!("{} can't be read: {error}", path.display())),
        Ok(found) if !found.is_dir() || found.permissions().readonly() => {
            let text = format!("{} can't be written: receipts wait until it can", path.display());
            Finding::new(WHAT, Health::Bad, text)
        }
        Ok(_) => {
            let last = std::fs::read_to_string(path.join("progress")).unwrap_or_default();
            let last = if last.trim().is_empty() { "0" } else { last.trim() };
            Finding::new(WHAT, Health::Good, format!("receipts up to number {last}"))
        }
    }
}

fn ports(config: &Config, server: Server) -> Finding {
    const WHAT: &str = "port";
    let port = config.port;
    if server == Server::Runs {
        let here = SocketAddr::from(([127, 0, 0, 1], port));
        return match TcpStream::connect_timeout(&here, ANSWER) {
            Ok(_) => Finding::new(WHAT, Health::Good, format!("{port} answers")),
            Err(error) => {
                let text =
                    format!("a server runs, but not on {port} of this machine ({error}): see its --port");
                Finding::new(WHAT, Health::Warning, text)
            }
        };
    }
    for ip in &config.bind {
        let address = SocketAddr::new(*ip, port);
        let bound = TcpListener::bind(address).map(drop).and_then(|()| UdpSocket::bind(address).map(drop));
        match bound {
            Ok(()) => {}
            // No IPv6 on this machine is no trouble: the server does without as well.
            Err(error) if ip.is_ipv6() && error.kind() != io::ErrorKind::AddrInUse => {}
            Err(error) if ip.is_ipv6() && ip.is_unspecified() && config.bind.len() > 1 => {
                tracing::debug!(%error, "the dual-stack address is covered by the other one");
            }
            Err(error) => {
                let text = format!(
                    "{address} can't be used: {error}. Stop what uses it, or choose another with --port"
                );
                return Finding::new(WHAT, Health::Bad, text);
            }
        }
    }
    Finding::new(WHAT, Health::Good, format!("{port} is free, TCP and UDP"))
}

fn clock(data: &Path) -> Finding {
    const WHAT: &str = "clock";
    let now = Timestamp::now();
    let local = now.to_zoned_datetime(TimeZone::system());
    let shown = local.strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    if local.date() < date(2026, 1, 1) {
        return Finding::new(
            WHAT,
            Health::Bad,
            format!("{shown} is in the past: set it, and let it be kept (NTP)"),
        );
    }
    let written = std::fs::metadata(data.join("ledger.db")).and_then(|found| found.modified());
    let ahead = written.ok().and_then(|at| Timestamp::try_from(at).ok()).filter(|at| *at > now);
    match ahead {
        Some(at) => {
            let text = format!("{shown} is before the last booking ({at}): set it, and let it be kept (NTP)");
            Finding::new(WHAT, Health::Bad, text)
        }
        None => Finding::new(WHAT, Health::Good, shown),
    }
}

fn disk(data: &Path) -> Finding {
    const WHAT: &str = "disk";
    let free = match fs4::available_space(data) {
        Ok(free) => free,
        Err(error) => {
            return Finding::new(WHAT, Health::Bad, format!("its free space can't be told: {error}"));
        }
    };
    let shown = format!("{} MB free", free >> 20);
    if free < DISK_FULL_BYTES {
        Finding::new(WHAT, Health::Bad, format!("{shown}: make room, or bookings will fail"))
    } else if free < DISK_LOW_BYTES {
        Finding::new(WHAT, Health::Warning, format!("{shown}: make room soon"))
    } else {
        Finding::new(WHAT, Health::Good, shown)
    }
}
