//! Admission at a relay: who may become a client of which edge server.
//!
//! A device shows a token (`tresen_identity::Admission`) on its control connection, whose handshake has proven its key. [`Gate`] says whether it admits
//! it, and the operator why not; the device learns no reason. Issuers are the relay's own directory, for every tenant, and edge servers, each
//! for itself: a device calls its edge server through the relay, which answers with one (see `control`).
//!
//! **Revocations** are remembered only as long as a token from before could still be good. Invariant: nothing that was revoked is admitted, also when
//! more is revoked than is remembered: then every token that was issued before is refused, and devices get new ones.
//!
//! What is limited, and by which keys, is named here ([`LimitKey`]); counting is the shell's (governor, in bounded maps).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use thiserror::Error;
use tresen_identity::{
    Admission, AdmissionError, CLOCK_SKEW_S, Fingerprint, PublicKey, TOKEN_LIFETIME_S, TenantId,
};

use crate::cid::{ClientName, EdgeName, NodeId, Party};
use crate::limits;
use crate::router::Subject;

/// Why nobody is admitted. For the operator's log; on the wire all of them look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The token itself.
    #[error(transparent)]
    Token(#[from] AdmissionError),
    /// Whom it is for was revoked after it was issued.
    #[error("revoked: {0:?}")]
    Revoked(Subject),
    /// More was revoked at once than is remembered.
    #[error("issued before a mass revocation; a new token will do")]
    BeforeFloor,
}

/// A client that may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Who.
    pub client: ClientName,
    /// For how long, in milliseconds.
    pub lifetime_ms: u64,
}

/// What a shell counts by, on connects and on bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LimitKey {
    /// A sender's network: its address (IPv4) or the /56 it is in (IPv6, where one customer has as many).
    Network(IpAddr),
    /// A device, whatever its addresses are.
    Device(Fingerprint),
    /// A customer.
    Tenant(TenantId),
    /// All that a node does.
    Node(NodeId),
}

/// Tokens for `subject` that were issued at `until_s` (Unix seconds) or before admit nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Whom it is about.
    pub subject: Subject,
    /// The last second whose tokens are refused.
    pub until_s: u64,
}

impl Revocation {
    /// Of what was issued until `now_s`, by whichever clock: a new token is good.
    #[must_use]
    pub const fn of_old_tokens(now_s: u64, subject: Subject) -> Self {
        Self { subject, until_s: now_s.saturating_add(CLOCK_SKEW_S) }
    }

    /// Of whatever is issued, for as long as a token lives.
    #[must_use]
    pub fn of_all_tokens(now_s: u64, subject: Subject) -> Self {
        Self { subject, until_s: now_s.saturating_add(u64::from(*TOKEN_LIFETIME_S.end())) }
    }
}

/// Who is admitted at a relay node.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    directory: Vec<PublicKey>,
    /// Tokens for them are refused that were issued at this second or before.
    revoked: BTreeMap<Subject, u64>,
    /// All tokens are refused that were issued at this second or before.
    floor_s: u64,
}

impl Gate {
    /// A gate that trusts the directory's keys: the present one, and the next while it is changed. Those beyond
    /// [`limits::DIRECTORY_KEYS`] are left out.
    #[must_use]
    pub fn new(directory: &[PublicKey]) -> Self {
        let directory = directory.iter().take(limits::DIRECTORY_KEYS).copied().collect();
        Self { directory, ..Self::default() }
    }

    /// Whether `token` admits `device`, which has proven its key, at `now_s` (Unix seconds). Whether the edge server is here, and belongs to the
    /// tenant that the token names, says [`crate::Router::admit`].
    ///
    /// # Errors
    /// When it does not, with the reason for the operator.
    pub fn admit(&self, now_s: u64, token: &[u8], device: Fingerprint) -> Result<Admitted, Refused> {
        let admission = Admission::read(token, &self.directory)?;
        admission.check(device, now_s)?;
        let edge = EdgeName { tenant: admission.tenant, edge: admission.edge };
        let client = ClientName { edge, device };
        self.check_revoked(client, admission.issued_s)?;
        // An issuer's clock may be ahead.
        let longest_s = u64::from(*TOKEN_LIFETIME_S.end());
        let lifetime_s = admission.expires_s().saturating_sub(now_s).min(longest_s);
        Ok(Admitted { client, lifetime_ms: lifetime_s * 1000 })
    }

    /// From now on no token admits whom this is about that was issued before. Whoever is here already, the shell removes
    /// ([`crate::Router::remove`]). Whether it says more than what was known.
    pub fn revoke(&mut self, now_s: u64, revocation: Revocation) -> bool {
        // Whoever says so may have another clock, but nothing is refused for longer than tokens live.
        let longest_s = u64::from(*TOKEN_LIFETIME_S.end());
        let subject = revocation.subject;
        let until_s = revocation.until_s.min(now_s.saturating_add(longest_s + CLOCK_SKEW_S));
        // Of its tokens none is good any more.
        let is_over = until_s.saturating_add(longest_s) <= now_s;
        if is_over
            || until_s <= self.floor_s
            || self.revoked.get(&subject).is_some_and(|known_s| until_s <= *known_s)
        {
            return false;
        }
        if let Subject::Party(Party::Client(client)) = subject
            && self.devices_of(client.edge).count() >= limits::REVOCATIONS_OF_EDGE
        {
            return self.revoke_whole(client.edge, until_s);
        }
        if !self.revoked.contains_key(&subject) && self.revoked.len() >= limits::REVOCATIONS {
            self.forget_old(now_s);
            if self.revoked.len() >= limits::REVOCATIONS {
                self.floor_s = self.revoked.values().copied().max().unwrap_or(until_s);
                self.revoked.clear();
            }
        }
        self.revoked.insert(subject, until_s);
        true
    }

    /// The devices of an edge server that are revoked, and until when.
    fn devices_of(&self, edge: EdgeName) -> impl Iterator<Item = (Subject, u64)> {
        let device = |device| {
            let device = Fingerprint::from_bytes(device);
            Subject::Party(Party::Client(ClientName { edge, device }))
        };
        self.revoked.range(device([0; 32])..=device([0xff; 32])).map(|(subject, last_s)| (*subject, *last_s))
    }

    /// More of its devices are revoked than are remembered: every older token of this edge server is refused, and of no other one.
    fn revoke_whole(&mut self, edge: EdgeName, until_s: u64) -> bool {
        let devices: Vec<(Subject, u64)> = self.devices_of(edge).collect();
        let last_s = devices.iter().map(|(_, last_s)| *last_s).max().unwrap_or(until_s).max(until_s);
        devices.iter().for_each(|(subject, _)| {
            self.revoked.remove(subject);
        });
        let whole = self.revoked.entry(Subject::Party(Party::Edge(edge))).or_insert(last_s);
        *whole = last_s.max(*whole);
        true
    }

    /// Forgets those whose tokens from before are over by now.
    pub fn forget_old(&mut self, now_s: u64) {
        let longest_s = u64::from(*TOKEN_LIFETIME_S.end());
        self.revoked.retain(|_, last_s| last_s.saturating_add(longest_s) > now_s);
    }

    /// What is revoked.
    pub fn revocations(&self) -> impl ExactSizeIterator<Item = Revocation> {
        self.revoked.iter().map(|(subject, until_s)| Revocation { subject: *subject, until_s: *until_s })
    }

    /// All tokens are refused that were issued at this second (Unix) or before.
    #[must_use]
    pub const fn floor_s(&self) -> u64 {
        self.floor_s
    }

    /// Refuses all tokens that were issued at `until_s` or before.
    pub fn raise_floor(&mut self, until_s: u64) {
        self.floor_s = self.floor_s.max(until_s);
    }

    fn check_revoked(&self, client: ClientName, issued_s: u64) -> Result<(), Refused> {
        if issued_s <= self.floor_s {
            return Err(Refused::BeforeFloor);
        }
        let subjects = [
            Subject::Tenant(client.edge.tenant),
            Subject::Party(Party::Edge(client.edge)),
            Subject::Party(Party::Client(client)),
        ];
        let is_revoked =
            |subject: &&Subject| self.revoked.get(subject).is_some_and(|last_s| issued_s <= *last_s);
        subjects.iter().find(is_revoked).map_or(Ok(()), |subject| Err(Refused::Revoked(*subject)))
    }
}

impl LimitKey {
    /// The network of a sender.
    #[must_use]
    pub fn network(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V4(ip) => IpAddr::V4(ip),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() >> 72 << 72)),
        })
    }
}
