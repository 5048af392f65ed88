//! Promise: the doctor says what is wrong with a box, and what to do.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use support::{database, open_demo, plain_product, sell};
use tempfile::tempdir;
use tresen_edge::config::Config;
use tresen_edge::data_dir::DataDir;
use tresen_edge::doctor::{Finding, Health, Patient, examine, worst};

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn look_at(data: &Path, port: u16) -> Vec<Finding> {
    let bind = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    let config = Config { data: data.to_owned(), port, bind, ..Config::default() };
    examine(&Patient { config_path: None, config: Ok(config), demo: false })
}

fn finding<'a>(findings: &'a [Finding], what: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.what == what).unwrap_or_else(|| panic!("{what} in {findings:?}"))
}

#[test]
fn a_healthy_box_gets_one_good_line_for_everything() {
    let root = tempdir().unwrap();
    let data = root.path().join("data");
    let folder = DataDir::open(&data).unwrap();
    folder.server_key().unwrap();
    let ledger = open_demo(&data);
    sell(&ledger, 1, plain_product(&ledger));
    let findings = look_at(&data, free_port());
    for what in ["config", "data", "lock", "key", "database", "licence", "spool", "clock", "disk"] {
        let found = finding(&findings, what);
        assert_ne!(found.health, Health::Bad, "{found}");
    }
    assert!(finding(&findings, "lock").text.contains("held by a running server"));
    assert!(finding(&findings, "database").text.contains("the chain is whole"));
    drop((ledger, folder));
    let findings = look_at(&data, free_port());
    assert!(finding(&findings, "lock").text.contains("free"));
    assert_eq!(finding(&findings, "port").health, Health::Good);
    assert!(findings.iter().all(|finding| finding.to_string().lines().count() == 1));
    assert_ne!(worst(&findings), Health::Bad);
}

#[test]
fn what_is_broken_is_named() {
    let root = tempdir().unwrap();
    let data = root.path().join("data");
    let folder = DataDir::open(&data).unwrap();
    folder.server_key().unwrap();
    let ledger = open_demo(&data);
    drop((ledger, folder));
    std::fs::set_permissions(data.join("server.key"), PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(database(&data), "no database any more").unwrap();
    std::fs::write(data.join("spool"), "a file").unwrap();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let findings = look_at(&data, taken.local_addr().unwrap().port());
    for what in ["key", "database", "spool", "port"] {
        let found = finding(&findings, what);
        assert_eq!(found.health, Health::Bad, "{found}");
    }
    assert!(finding(&findings, "key").text.contains("chmod 600"));
    assert!(finding(&findings, "port").text.contains("--port"));
    assert_eq!(worst(&findings), Health::Bad);
}

/// Promise: what others may read or own of a data folder is named, with the command that mends it.
#[test]
fn what_others_may_read_is_named() {
    let root = tempdir().unwrap();
    let data = root.path().join("data");
    let folder = DataDir::open(&data).unwrap();
    folder.server_key().unwrap();
    folder.browsers_key().unwrap();
    drop(folder);
    assert_eq!(finding(&look_at(&data, free_port()), "secrets").health, Health::Good);
    let open = |path: &Path| std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    for (path, what, command) in
        [(data.join("browsers.key"), "secrets", "chmod 600"), (data.clone(), "data", "chmod 700")]
    {
        open(&path);
        let findings = look_at(&data, free_port());
        let found = finding(&findings, what);
        assert_eq!(found.health, Health::Warning);
        assert!(found.text.contains(&format!("{command} {}", path.display())), "{found}");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
    }
    // Only root can give a file away.
    if nix::unistd::geteuid().is_root() {
        let stray = data.join("lock");
        std::os::unix::fs::chown(&stray, Some(12_345), None).unwrap();
        let findings = look_at(&data, free_port());
        let found = finding(&findings, "data");
        assert_eq!(found.health, Health::Warning);
        assert!(found.text.contains("sudo chown -R 0 "), "{found}");
    }
}

#[test]
fn a_wrong_configuration_is_the_only_finding() {
    let root = tempdir().unwrap();
    let path = root.path().join("tresen.toml");
    std::fs::write(&path, "name = \"a\"\nprot = 1\n").unwrap();
    let patient = Patient { config_path: Some(path.clone()), config: Config::read(&path), demo: false };
    let findings = examine(&patient);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].text.contains("line 2") && findings[0].text.contains("prot"), "{}", findings[0]);
    assert_eq!(worst(&findings), Health::Bad);
}

#[test]
fn a_new_box_is_no_patient() {
    let root = tempdir().unwrap();
    let findings = look_at(&root.path().join("not-yet"), free_port());
    assert_eq!(worst(&findings), Health::Warning);
    assert!(finding(&findings, "data").text.contains("does not exist yet"));
}
