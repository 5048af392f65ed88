//! What both ends tell each other over the end-to-end connection, before they probe. The connection seals it; no relay sees an address.
//!
//! ```text
//! offer   1 | round 4 | link of the client 8 | probe secret 32 | mapping 1 | count 1 | candidates
//! answer  2 | round 4 | link of the edge server 8             | mapping 1 | count 1 | candidates
//! candidate   kind 1 (1 host, 2 mapped, 3 observed) | address 18
//! mapping     0 unknown, 1 stable, 2 another one for each destination
//! ```
//!
//! Numbers are big endian. The client offers, because it alone can migrate; it may offer again, with a new round, link and secret.

use bytes::{Buf, BufMut};
use thiserror::Error;
use tresen_identity::Secret;

use crate::address::{self, ADDRESS_BYTES};
use crate::candidate::{Candidate, CandidateKind, Mapping};
use crate::limits;

/// Longest message, in bytes.
pub const MAX_EXCHANGE_BYTES: usize = 1 + 4 + 8 + 32 + 1 + 1 + limits::CANDIDATES * (1 + ADDRESS_BYTES);

/// Names one end of an exchange in probes; random, drawn for each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LinkId(pub(crate) [u8; 8]);

/// What one end says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) round: u32,
    pub(crate) link: LinkId,
    pub(crate) mapping: Mapping,
    pub(crate) candidates: Vec<Candidate>,
}

/// A message.
pub(crate) enum Exchange {
    Offer(Terms, Secret<32>),
    Answer(Terms),
}

/// The peer's message is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ExchangeError {
    /// It ends before its parts do, or goes on after them.
    #[error("the message has another length than its parts")]
    Length,
    /// A kind, mapping or message that this version does not know.
    #[error("unknown {0}")]
    Unknown(&'static str),
    /// More candidates than allowed.
    #[error("more candidates than allowed")]
    TooMany,
    /// A message that this end does not take.
    #[error("a message that this end does not take")]
    Unexpected,
}

impl Exchange {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAX_EXCHANGE_BYTES);
        let (kind, terms, secret) = match self {
            Self::Offer(terms, secret) => (1, terms, Some(secret)),
            Self::Answer(terms) => (2, terms, None),
        };
        bytes.put_u8(kind);
        bytes.put_u32(terms.round);
        bytes.put_slice(&terms.link.0);
        bytes.put_slice(secret.map_or(&[], |secret| secret.expose()));
        bytes.put_u8(match terms.mapping {
            Mapping::Unknown => 0,
            Mapping::Stable => 1,
            Mapping::PerDestination => 2,
        });
        bytes.put_u8(terms.candidates.len() as u8);
        for candidate in &terms.candidates {
            bytes.put_u8(match candidate.kind {
                CandidateKind::Host => 1,
                CandidateKind::Mapped => 2,
                CandidateKind::Observed => 3,
            });
            bytes.put_slice(&address::encode(candidate.address));
        }
        bytes
    }

    pub(crate) fn decode(mut bytes: &[u8]) -> Result<Self, ExchangeError> {
        let bytes = &mut bytes;
        let exchange = match u8(bytes)? {
            1 => {
                let (round, link) = (u32::from_be_bytes(array(bytes)?), LinkId(array(bytes)?));
                let secret = Secret::new(array(bytes)?);
                Self::Offer(terms(round, link, bytes)?, secret)
            }
            2 => {
                let (round, link) = (u32::from_be_bytes(array(bytes)?), LinkId(array(bytes)?));
                Self::Answer(terms(round, link, bytes)?)
            }
            _ => return Err(ExchangeError::Unknown("message")),
        };
        if bytes.is_empty() { Ok(exchange) } else { Err(ExchangeError::Length) }
    }
}

fn terms(round: u32, link: LinkId, bytes: &mut &[u8]) -> Result<Terms, ExchangeError> {
    let mapping = match u8(bytes)? {
        0 => Mapping::Unknown,
        1 => Mapping::Stable,
        2 => Mapping::PerDestination,
        _ => return Err(ExchangeError::Unknown("mapping")),
    };
    let count = usize::from(u8(bytes)?);
    if count > limits::CANDIDATES {
        return Err(ExchangeError::TooMany);
    }
    let mut candidates = Vec::with_capacity(count);
    for _ in 0..count {
        let kind = match u8(bytes)? {
            1 => CandidateKind::Host,
            2 => CandidateKind::Mapped,
            3 => CandidateKind::Observed,
            _ => return Err(ExchangeError::Unknown("kind of candidate")),
        };
        candidates.push(Candidate { kind, address: address::decode(&array(bytes)?) });
    }
    Ok(Terms { round, link, mapping, candidates })
}

fn u8(bytes: &mut &[u8]) -> Result<u8, ExchangeError> {
    bytes.try_get_u8().map_err(|_| ExchangeError::Length)
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], ExchangeError> {
    let mut array = [0; N];
    bytes.try_copy_to_slice(&mut array).map_err(|_| ExchangeError::Length)?;
    Ok(array)
}
