//! Promises of the directory.

use super::*;

const NOW_S: u64 = 1_800_000_000;

fn secret(byte: u8) -> Secret<32> {
    Secret::new([byte; 32])
}

fn tenant(byte: u8) -> TenantId {
    TenantId::from_bytes([byte; 16])
}

fn edge(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 32])
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    for id in [1, 2] {
        directory.add_tenant(tenant(id), "Gasthaus Linde", 50).expect("a tenant");
        directory.open_enrolment(tenant(id), &secret(id), NOW_S).expect("an enrolment");
    }
    directory
}

/// Promise: a secret enrols the first edge server that shows it, with the tenant that it is of, for a day; the same one again.
#[test]
fn a_secret_enrols_one_edge_server() {
    let mut directory = directory();
    let name = EdgeName { tenant: tenant(1), edge: edge(7) };
    assert!(!directory.knows(&name));
    assert_eq!(directory.enrol(&secret(9), edge(7), NOW_S), Err(DirectoryError::Secret));
    let late_s = NOW_S + ENROLMENT_LIFETIME_S;
    assert_eq!(directory.enrol(&secret(1), edge(7), late_s), Err(DirectoryError::Secret));
    for _ in 0..2 {
        assert_eq!(directory.enrol(&secret(1), edge(7), late_s - 1), Ok(tenant(1)));
    }
    assert!(directory.knows(&name));
    assert!(!directory.knows(&EdgeName { tenant: tenant(2), ..name }));
    assert_eq!(directory.enrol(&secret(1), edge(8), NOW_S), Err(DirectoryError::Secret));
    assert_eq!(directory.enrol(&secret(2), edge(7), NOW_S), Err(DirectoryError::OtherTenant));
}

/// Promise: who was taken out is unknown, and the secret that he used does not bring him back.
#[test]
fn who_was_taken_out_stays_outside() {
    let mut directory = directory();
    directory.enrol(&secret(1), edge(7), NOW_S).expect("enrolled");
    let name = EdgeName { tenant: tenant(1), edge: edge(7) };
    assert!(directory.remove_edge(&name));
    assert!(!directory.remove_edge(&name) && !directory.knows(&name));
    assert_eq!(directory.enrol(&secret(1), edge(7), NOW_S), Err(DirectoryError::Secret));
    assert!(directory.remove_tenant(tenant(2)));
    assert_eq!(directory.enrol(&secret(2), edge(8), NOW_S), Err(DirectoryError::Secret));
    assert_eq!(directory.clients_of(&tenant(2)), 0);
}

/// Promise: what is open is bounded, and what is over makes room.
#[test]
fn enrolments_are_bounded() {
    let mut directory = directory();
    for byte in 10..10 + OPEN_ENROLMENTS as u8 - 1 {
        directory.open_enrolment(tenant(1), &secret(byte), NOW_S).expect("room");
    }
    let full = directory.open_enrolment(tenant(1), &secret(99), NOW_S);
    assert_eq!(full, Err(DirectoryError::TooManyEnrolments));
    directory.open_enrolment(tenant(1), &secret(99), NOW_S + ENROLMENT_LIFETIME_S).expect("room");
    assert_eq!(directory.add_tenant(tenant(3), " ", 1), Err(DirectoryError::Name));
    assert_eq!(directory.add_tenant(tenant(3), &"x".repeat(81), 1), Err(DirectoryError::Name));
}

/// Promise: the file holds everything but the secrets, and a damaged one is refused.
#[test]
fn the_file_is_read_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("directory.json");
    assert_eq!(Directory::load(&path).expect("none yet"), Directory::default());
    let mut directory = directory();
    directory.enrol(&secret(1), edge(7), NOW_S).expect("enrolled");
    let rates = Rates { connects_a_minute: NonZeroU32::new(9), bytes_a_second: None };
    directory.limit(tenant(1), 60, rates).expect("a tenant");
    directory.save(&path).expect("a file");
    assert_eq!(Directory::load(&path).expect("a directory"), directory);
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(!text.contains(&secret(1).to_text()) && !text.contains(&secret(2).to_text()));
    std::fs::write(&path, text.replace("\"version\": 1", "\"version\": 2")).expect("a file");
    assert!(Directory::load(&path).is_err());
    std::fs::write(&path, &text[..text.len() / 2]).expect("a file");
    assert!(Directory::load(&path).is_err());
}
