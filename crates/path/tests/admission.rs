//! Promises of the gate: who is admitted, and who is not any more.

use std::net::IpAddr;

use tresen_identity::{
    Admission, AdmissionError, Fingerprint, KeyPair, PublicKey, Secret, TenantId, TokenId,
};
use tresen_path::*;

const NOW_S: u64 = 1_800_000_000;

fn directory() -> KeyPair {
    KeyPair::from_seed(&Secret::new([1; 32]))
}

fn device() -> Fingerprint {
    Fingerprint::from_bytes([4; 32])
}

fn edge() -> EdgeName {
    EdgeName { tenant: TenantId::from_bytes([2; 16]), edge: Fingerprint::from_bytes([3; 32]) }
}

fn token(issued_s: u64) -> Vec<u8> {
    let EdgeName { tenant, edge } = edge();
    let id = TokenId([5; 8]);
    Admission { tenant, edge, device: device(), issued_s, lifetime_s: 600, id }.sign(&directory()).to_vec()
}

fn gate() -> Gate {
    Gate::new(&[directory().public_key()])
}

/// Promise: a token admits its device for as long as it is good, and nobody else.
#[test]
fn a_token_admits_its_device() {
    let client = ClientName { edge: edge(), device: device() };
    let admitted = gate().admit(NOW_S + 100, &token(NOW_S), device());
    assert_eq!(admitted, Ok(Admitted { client, lifetime_ms: 500_000 }));
    let thief = Fingerprint::from_bytes([9; 32]);
    let refused = gate().admit(NOW_S, &token(NOW_S), thief);
    assert_eq!(refused, Err(Refused::Token(AdmissionError::OtherDevice(device()))));
    let refused = Gate::new(&[]).admit(NOW_S, &token(NOW_S), device());
    assert_eq!(refused, Err(Refused::Token(AdmissionError::Issuer)));
}

/// Promise: the directory's present key and its next one are trusted, and no third.
#[test]
fn a_directory_has_two_keys_at_most() {
    let other = |seed| KeyPair::from_seed(&Secret::new([seed; 32])).public_key();
    let admit = |keys: &[PublicKey]| Gate::new(keys).admit(NOW_S, &token(NOW_S), device());
    assert!(admit(&[other(8), directory().public_key()]).is_ok());
    let third = admit(&[other(8), other(9), directory().public_key()]);
    assert_eq!(third, Err(Refused::Token(AdmissionError::Issuer)));
}

/// Promise: who was revoked gets in with no token from before, whether tenant, edge server or device; a newer token is good.
#[test]
fn the_revoked_stay_out() {
    let client = Party::Client(ClientName { edge: edge(), device: device() });
    for subject in
        [Subject::Tenant(edge().tenant), Subject::Party(Party::Edge(edge())), Subject::Party(client)]
    {
        let mut gate = gate();
        assert!(gate.revoke(NOW_S + 10, Revocation::of_old_tokens(NOW_S + 10, subject)));
        assert!(!gate.revoke(NOW_S + 10, Revocation::of_old_tokens(NOW_S, subject)), "nothing new");
        let admit = |issued_s, now_s| gate.admit(now_s, &token(issued_s), device()).err();
        assert_eq!(admit(NOW_S, NOW_S + 10), Some(Refused::Revoked(subject)));
        assert_eq!(admit(NOW_S + 10 + 60, NOW_S + 100), Some(Refused::Revoked(subject)));
        assert_eq!(admit(NOW_S + 10 + 61, NOW_S + 100), None);
    }
}

/// Promise: whom the operator revokes stays out for as long as tokens live, whatever is issued meanwhile.
#[test]
fn the_operator_revokes_for_as_long_as_tokens_live() {
    let mut gate = gate();
    gate.revoke(NOW_S, Revocation::of_all_tokens(NOW_S, Subject::Party(Party::Edge(edge()))));
    let admit = |at_s| gate.admit(at_s, &token(at_s), device()).is_ok();
    assert!(!admit(NOW_S) && !admit(NOW_S + 900));
    assert!(admit(NOW_S + 901));
}

/// Promise: what is remembered is bounded and ends, and nobody who was revoked gets in because of that.
#[test]
fn revocations_are_bounded() {
    let subject = |number: u64| {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        // Of many edge servers, so that none has too many.
        Subject::Party(Party::Edge(EdgeName { edge: Fingerprint::from_bytes(name), ..edge() }))
    };
    let mut gate = gate();
    let revoke =
        |gate: &mut Gate, now_s, subject| gate.revoke(now_s, Revocation::of_old_tokens(now_s, subject));
    revoke(&mut gate, NOW_S, Subject::Party(Party::Client(ClientName { edge: edge(), device: device() })));
    let many = limits::REVOCATIONS as u64;
    assert!((1..many).all(|number| revoke(&mut gate, NOW_S, subject(number))));
    assert_eq!(gate.revocations().len(), limits::REVOCATIONS);
    revoke(&mut gate, NOW_S, subject(1));
    assert_eq!(gate.revocations().len(), limits::REVOCATIONS, "who is revoked again takes no more room");
    let mut later = gate.clone();
    revoke(&mut later, NOW_S + 2_000, subject(many));
    assert_eq!(later.revocations().len(), 1, "no token from before is good any more");
    revoke(&mut gate, NOW_S, subject(many));
    assert_eq!(gate.revocations().len(), 1);
    assert_eq!(gate.admit(NOW_S, &token(NOW_S), device()), Err(Refused::BeforeFloor));
    assert!(gate.admit(NOW_S + 100, &token(NOW_S + 61), device()).is_ok());
    let mut restarted = Gate::new(&[directory().public_key()]);
    restarted.raise_floor(gate.floor_s());
    assert_eq!(restarted.admit(NOW_S, &token(NOW_S), device()), Err(Refused::BeforeFloor));
}

/// Promise: an edge server that revokes more than is remembered voids its own older tokens, and those of nobody else.
#[test]
fn an_edge_server_revokes_for_itself_alone() {
    let mut gate = gate();
    let other = EdgeName { edge: Fingerprint::from_bytes([8; 32]), ..edge() };
    for number in 0..3 * limits::REVOCATIONS_OF_EDGE as u64 {
        let mut name = [7; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        let client = ClientName { edge: other, device: Fingerprint::from_bytes(name) };
        gate.revoke(NOW_S, Revocation::of_old_tokens(NOW_S, Subject::Party(Party::Client(client))));
    }
    assert!(gate.revocations().len() <= limits::REVOCATIONS_OF_EDGE + 1);
    let whole = Subject::Party(Party::Edge(other));
    assert!(gate.revocations().any(|revocation| revocation.subject == whole));
    assert!(gate.admit(NOW_S, &token(NOW_S), device()).is_ok(), "another one's device comes in");
}

/// Promise: what is revoked is remembered for as long as tokens from before could be good, and not learned again after that.
#[test]
fn what_is_over_is_forgotten() {
    let mut gate = gate();
    let revocation = Revocation { subject: Subject::Tenant(edge().tenant), until_s: NOW_S };
    assert!(gate.revoke(NOW_S, revocation));
    gate.forget_old(NOW_S + 899);
    assert_eq!(gate.admit(NOW_S + 899, &token(NOW_S), device()).ok(), None);
    assert!(gate.revocations().eq([revocation]));
    gate.forget_old(NOW_S + 900);
    assert_eq!(gate.revocations().len(), 0);
    assert!(!gate.revoke(NOW_S + 900, revocation), "no news");
    assert_eq!(gate.revocations().len(), 0);
}

/// Promise: nothing is revoked for longer than tokens live, whatever another node's clock says.
#[test]
fn a_revocation_ends() {
    let mut gate = gate();
    gate.revoke(NOW_S, Revocation { subject: Subject::Tenant(edge().tenant), until_s: u64::MAX });
    assert!(gate.admit(NOW_S + 961, &token(NOW_S + 961), device()).is_ok());
}

/// Promise: an IPv6 customer is one network, whatever address of his he takes; IPv4 is the same in both of its forms.
#[test]
fn networks_are_counted_as_one() {
    let network = |text: &str| LimitKey::network(text.parse::<IpAddr>().expect("an address"));
    assert_eq!(network("2001:db8:1:200::1"), network("2001:db8:1:2ff:ffff:ffff:ffff:ffff"));
    assert_ne!(network("2001:db8:1:200::1"), network("2001:db8:1:300::1"));
    assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
}
