//! Knocks: how an endpoint says where it is now, and learns how it looks from outside.
//!
//! A relay forwards to an address only what somebody proved to receive there. When an endpoint is admitted, its control connection proves it; when
//! its address changes, it knocks from the new one. A knock without the right cookie changes nothing and gets one answer of the same size; the cookie in that
//! answer, sent back from the same address, proves the address. So a move costs one round trip before packets flow again.
//!
//! ```text
//! knock   0x01 | id of the sender 12 | counter 8 | sealed: cookie 16 (zeros: none yet), zeros 24 | tag 16
//! answer  0x02 | the same id 12 | the same counter 8 | sealed: proven 1 (0 or 1), observed address 18, cookie 16, zeros 5 | tag 16
//! ```
//!
//! 77 bytes each, so nothing is amplified. The key was handed to the endpoint when it was admitted. Counters rise: a relay takes each once, in order, so a
//! replayed knock is dropped.
//!
//! The same knock at the node's second port is a *look*: it is answered under a key of its own, with the observed address alone, and changes nothing. An
//! endpoint that looks different there is behind a box with another address for each destination.

use std::net::SocketAddr;

use tresen_identity::Secret;

use crate::address::{self, ADDRESS_BYTES};
use crate::cid::{CID_BYTES, Cid};
use crate::packet;
use crate::seal::{Sealer, TAG_BYTES};

/// Length of a knock and of its answer, in bytes.
pub const KNOCK_BYTES: usize = HEADER_BYTES + BODY_BYTES + TAG_BYTES;

/// A cookie: the relay's proof that its holder received at an address.
pub(crate) type Cookie = [u8; 16];

const HEADER_BYTES: usize = 1 + CID_BYTES + 8;
const BODY_BYTES: usize = 40;

/// Both directions' keys.
pub(crate) struct KnockKeys {
    to_relay: Sealer,
    from_relay: Sealer,
    /// Of answers to looks: the same counter may have been a knock's.
    looks: Sealer,
}

/// A knock that was opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Knock {
    pub(crate) cid: Cid,
    pub(crate) counter: u64,
    pub(crate) cookie: Option<Cookie>,
}

/// A knock that came to the second port and was opened.
#[derive(Debug, PartialEq, Eq)]
pub struct Look(pub(crate) Knock);

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) proven: Proven,
    pub(crate) observed: SocketAddr,
    pub(crate) cookie: Cookie,
}

/// Whether the relay forwards to the address from which was knocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proven {
    No,
    Yes,
}

impl KnockKeys {
    pub(crate) fn new(secret: &Secret<32>) -> Self {
        Self {
            to_relay: Sealer::derive("tresen path knock to relay v1", secret),
            from_relay: Sealer::derive("tresen path knock from relay v1", secret),
            looks: Sealer::derive("tresen path look from relay v1", secret),
        }
    }

    pub(crate) fn seal_knock(&self, knock: &Knock) -> [u8; KNOCK_BYTES] {
        let mut body = [0; BODY_BYTES];
        body[..16].copy_from_slice(&knock.cookie.unwrap_or_default());
        seal(&self.to_relay, packet::KNOCK, knock.cid, knock.counter, body)
    }

    pub(crate) fn open_knock(&self, datagram: &[u8]) -> Option<Knock> {
        let (cid, counter, body) = open(&self.to_relay, packet::KNOCK, datagram)?;
        let cookie: Cookie = *body.first_chunk()?;
        Some(Knock { cid, counter, cookie: (cookie != [0; 16]).then_some(cookie) })
    }

    pub(crate) fn seal_look(&self, cid: Cid, counter: u64, observed: SocketAddr) -> [u8; KNOCK_BYTES] {
        let mut body = [0; BODY_BYTES];
        body[1..19].copy_from_slice(&address::encode(observed));
        seal(&self.looks, packet::KNOCK_ANSWER, cid, counter, body)
    }

    pub(crate) fn open_look(&self, datagram: &[u8]) -> Option<(u64, SocketAddr)> {
        let (_, counter, body) = open(&self.looks, packet::KNOCK_ANSWER, datagram)?;
        Some((counter, address::decode(body[1..].first_chunk()?)))
    }

    pub(crate) fn seal_answer(&self, cid: Cid, counter: u64, answer: &Answer) -> [u8; KNOCK_BYTES] {
        let mut body = [0; BODY_BYTES];
        body[0] = u8::from(answer.proven == Proven::Yes);
        body[1..19].copy_from_slice(&address::encode(answer.observed));
        body[19..35].copy_from_slice(&answer.cookie);
        seal(&self.from_relay, packet::KNOCK_ANSWER, cid, counter, body)
    }

    pub(crate) fn open_answer(&self, datagram: &[u8]) -> Option<(u64, Answer)> {
        let (_, counter, body) = open(&self.from_relay, packet::KNOCK_ANSWER, datagram)?;
        let (&[proven], rest) = body.split_first_chunk::<1>()?;
        let (observed, rest) = rest.split_first_chunk::<ADDRESS_BYTES>()?;
        let proven = match proven {
            0 => Proven::No,
            1 => Proven::Yes,
            _ => return None,
        };
        let answer = Answer { proven, observed: address::decode(observed), cookie: *rest.first_chunk()? };
        Some((counter, answer))
    }
}

/// The id in a knock, before anything of it is believed.
pub(crate) fn claimed_cid(datagram: &[u8]) -> Option<Cid> {
    let datagram: &[u8; KNOCK_BYTES] = datagram.try_into().ok()?;
    datagram[1..].first_chunk().map(|cid| Cid::from_bytes(*cid))
}

fn seal(sealer: &Sealer, kind: u8, cid: Cid, counter: u64, body: [u8; BODY_BYTES]) -> [u8; KNOCK_BYTES] {
    let mut datagram = [0; KNOCK_BYTES];
    datagram[0] = kind;
    datagram[1..=CID_BYTES].copy_from_slice(cid.as_bytes());
    datagram[1 + CID_BYTES..HEADER_BYTES].copy_from_slice(&counter.to_be_bytes());
    let (header, rest) = datagram.split_at_mut(HEADER_BYTES);
    let (sealed, tag) = rest.split_at_mut(BODY_BYTES);
    sealed.copy_from_slice(&body);
    tag.copy_from_slice(&sealer.seal(counter, header, sealed));
    datagram
}

fn open(sealer: &Sealer, kind: u8, datagram: &[u8]) -> Option<(Cid, u64, [u8; BODY_BYTES])> {
    let datagram: &[u8; KNOCK_BYTES] = datagram.try_into().ok()?;
    let (header, rest) = datagram.split_first_chunk::<HEADER_BYTES>()?;
    let (&body, tag) = rest.split_first_chunk::<BODY_BYTES>()?;
    let cid = Cid::from_bytes(*header[1..].first_chunk()?);
    let counter = u64::from_be_bytes(*header.last_chunk()?);
    let mut body = body;
    (header[0] == kind).then_some(())?;
    sealer.open(counter, header, &mut body, *tag.first_chunk()?)?;
    Some((cid, counter, body))
}
