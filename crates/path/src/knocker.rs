//! The endpoint's side of knocks: it tells a relay where it is now, and learns how it looks from outside.
//!
//! Not for: when an address may have changed. The shell says so ([`Knocker::start`]): after a change of its network, after it fell back to the relay, and
//! every [`crate::limits::KNOCK_AGAIN_MS`], because a NAT box may forget.

use std::net::SocketAddr;

use tresen_identity::Secret;

use crate::cid::CidMaker;
use crate::knock::{Cookie, KNOCK_BYTES, Knock, KnockKeys, Proven};
use crate::limits;
use crate::router::Grant;
use crate::seal::Entropy;

/// What an endpoint learned by knocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnockEvent {
    /// The relay forwards to where this endpoint is, which looks so from outside.
    Here(SocketAddr),
    /// The relay did not answer: it, the way to it or the admission is gone.
    NoAnswer,
}

/// An endpoint's knocks at one relay node.
pub struct Knocker {
    keys: KnockKeys,
    cids: CidMaker,
    entropy: Entropy,
    next_counter: u64,
    round: Option<Round>,
    look: Option<Look>,
}

/// A look that waits for its answer.
struct Look {
    first_counter: u64,
    tries: u32,
    next_at_ms: u64,
}

struct Round {
    /// Answers to older knocks are about older addresses.
    first_counter: u64,
    cookie: Option<Cookie>,
    tries: u32,
    next_at_ms: u64,
}

impl Knocker {
    /// With what the relay granted. `seed` is random. `None` when the grant has no handles.
    #[must_use]
    pub fn new(grant: &Grant, seed: &Secret<32>) -> Option<Self> {
        let cids = CidMaker::new(grant.own_handles.clone())?;
        let keys = KnockKeys::new(&grant.knock_secret);
        Some(Self { keys, cids, entropy: Entropy::new(seed), next_counter: 0, round: None, look: None })
    }

    /// The address may have changed: knock now, and until the relay knows.
    pub fn start(&mut self, now_ms: u64) {
        let first_counter = self.next_counter;
        self.round = Some(Round { first_counter, cookie: None, tries: 0, next_at_ms: now_ms });
    }

    /// Asks how this endpoint looks from the node's second port.
    pub const fn look(&mut self, now_ms: u64) {
        self.look = Some(Look { first_counter: self.next_counter, tries: 0, next_at_ms: now_ms });
    }

    /// The next look, to be sent to the node's second port from the socket that everything uses. Without an answer it ends after [`limits::LOOKS`].
    pub fn poll_look(&mut self, now_ms: u64) -> Option<[u8; KNOCK_BYTES]> {
        let look = self.look.as_mut().filter(|look| look.next_at_ms <= now_ms)?;
        if look.tries >= limits::LOOKS {
            self.look = None;
            return None;
        }
        look.next_at_ms = now_ms + (limits::KNOCK_FIRST_MS << look.tries);
        look.tries += 1;
        Some(self.seal(None))
    }

    /// A datagram from the node's second port that begins with [`crate::KNOCK_ANSWER`]: how this endpoint looks from there.
    pub fn handle_look(&mut self, datagram: &[u8]) -> Option<SocketAddr> {
        let first_counter = self.look.as_ref()?.first_counter;
        let (counter, observed) = self.keys.open_look(datagram)?;
        (first_counter..self.next_counter).contains(&counter).then(|| {
            self.look = None;
            observed
        })
    }

    /// When to ask [`Self::poll_transmit`] and [`Self::poll_look`] again.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        let round = self.round.as_ref().map(|round| round.next_at_ms);
        let look = self.look.as_ref().map(|look| look.next_at_ms);
        [round, look].into_iter().flatten().min()
    }

    /// The next knock to be sent to the relay's address, from the socket that everything uses.
    ///
    /// # Errors
    /// When the relay does not answer; said once.
    pub fn poll_transmit(&mut self, now_ms: u64) -> Result<Option<[u8; KNOCK_BYTES]>, KnockEvent> {
        let Some(round) = self.round.as_mut().filter(|round| round.next_at_ms <= now_ms) else {
            return Ok(None);
        };
        if round.tries >= limits::KNOCKS {
            self.round = None;
            return Err(KnockEvent::NoAnswer);
        }
        round.next_at_ms = now_ms + (limits::KNOCK_FIRST_MS << round.tries).min(limits::KNOCK_LONGEST_MS);
        round.tries += 1;
        let cookie = round.cookie;
        Ok(Some(self.seal(cookie)))
    }

    fn seal(&mut self, cookie: Option<Cookie>) -> [u8; KNOCK_BYTES] {
        let counter = self.next_counter;
        self.next_counter += 1;
        let cid = self.cids.make(self.entropy.bytes());
        self.keys.seal_knock(&Knock { cid, counter, cookie })
    }

    /// Whether what is knocked with now proves the address: the relay forwards what comes behind it.
    #[must_use]
    pub fn shows_cookie(&self) -> bool {
        self.round.as_ref().is_some_and(|round| round.cookie.is_some())
    }

    /// A datagram from the relay's address that begins with [`crate::KNOCK_ANSWER`]. Whatever is not an answer to this round's knocks is
    /// left alone.
    pub fn handle(&mut self, now_ms: u64, datagram: &[u8]) -> Option<KnockEvent> {
        let round = self.round.as_mut()?;
        let (counter, answer) = self.keys.open_answer(datagram)?;
        if !(round.first_counter..self.next_counter).contains(&counter) {
            return None;
        }
        match answer.proven {
            Proven::Yes => {
                self.round = None;
                Some(KnockEvent::Here(answer.observed))
            }
            Proven::No => {
                // The cookie is sent back at once.
                (round.cookie, round.next_at_ms) = (Some(answer.cookie), now_ms);
                None
            }
        }
    }
}
