//! Inputs on the server: each one once, in order, and only if its action stands on a screen that the client may have before it.
//!
//! Invariants: `acknowledged <= offered <= received <= acknowledged + INPUTS_OPEN`; `held` are the numbers `offered + 1 ..= received`
//! without the refused ones. A client never moves `received` by more than [`limits::INPUTS_AHEAD`] at once.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use tresen_scene::{Node, ObjectId};
use tresen_wire::Input;

use crate::offers::{OfferKey, Offers, stands_on};
use crate::{PeerError, limits};

/// What became of an input that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It waits to be handed out.
    Taken,
    /// It has arrived before, or will come again.
    Known,
    /// One before it is missing, and nobody has asked for it yet.
    Gap,
}

#[derive(Debug)]
struct Held {
    number: u64,
    input: Input,
    /// It stands on a screen that the client had. Otherwise that is looked at when the one before it has its effect.
    checked: bool,
}

#[derive(Debug)]
pub(crate) struct Inputs {
    received: u64,
    acknowledged: u64,
    /// The acknowledgement that the client was told last.
    told: u64,
    held: VecDeque<Held>,
    /// A gap after this number was asked about on this connection.
    asked_after: Option<u64>,
    /// Refused, but something before them is not acknowledged yet.
    refused: BTreeSet<u64>,
    /// Of roots that the client acknowledged, the newest last.
    roots: VecDeque<Offers>,
    secret: OfferKey,
    /// Nothing sent on this connection was acknowledged: inputs may have been made before it.
    early: bool,
}

impl Inputs {
    pub(crate) fn new(next: u64, secret: OfferKey) -> Self {
        let before = next.saturating_sub(1);
        Self {
            received: before,
            acknowledged: before,
            told: before,
            asked_after: None,
            held: VecDeque::new(),
            refused: BTreeSet::new(),
            roots: VecDeque::new(),
            secret,
            early: true,
        }
    }

    pub(crate) const fn received(&self) -> u64 {
        self.received
    }

    pub(crate) const fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Everything up to this number was handed out, or refused.
    pub(crate) fn offered(&self) -> u64 {
        self.held.front().map_or(self.received, |held| held.number - 1)
    }

    /// Whether the client may have a root with this name before it, apart from those that are on their way.
    pub(crate) fn may_show(&self, name: ObjectId) -> bool {
        self.roots.iter().any(|offers| offers.root() == name)
    }

    /// Whether a client whose first input without an acknowledgement is this one can be the one that made those before it.
    pub(crate) const fn may_follow(&self, first_open: u64) -> bool {
        first_open <= self.received + limits::INPUTS_AHEAD
    }

    /// A connection begins; the client says which of its inputs is the first without an acknowledgement.
    pub(crate) fn connect(&mut self, first_open: Option<u64>) {
        self.early = true;
        self.asked_after = None;
        // What lies before it was acknowledged: by refusing, if the ledger does not know.
        let before = first_open.map_or(0, |first| first.saturating_sub(1));
        if self.received < before {
            self.received = before;
            self.acknowledged = before;
            self.held.clear();
            self.refused.clear();
        }
        self.told = self.acknowledged;
    }

    /// Nothing is known of what the client shows.
    pub(crate) fn forget_roots(&mut self) {
        self.roots.clear();
    }

    /// The client shows `root`, which was sent to it.
    pub(crate) fn root_arrived(&mut self, root: Arc<Node>) {
        self.early = false;
        let offers = self.offers_of(&root);
        self.root_guessed(offers);
    }

    /// What a root offers.
    pub(crate) fn offers_of(&self, root: &Node) -> Offers {
        Offers::of(root, &self.secret)
    }

    /// The client shows a root by itself that offers this: the answer of a guess to an input that it made.
    pub(crate) fn root_guessed(&mut self, offers: Offers) {
        if self.roots.len() == limits::RECENT_ROOTS {
            self.roots.pop_front();
        }
        self.roots.push_back(offers);
    }

    pub(crate) fn arrive<'a>(
        &mut self,
        number: u64,
        input: Input,
        mut flying: impl Iterator<Item = &'a Arc<Node>>,
    ) -> Result<Arrival, PeerError> {
        if number <= self.received {
            if number <= self.acknowledged {
                self.told = self.told.min(number - 1);
            }
            return Ok(Arrival::Known);
        }
        if number > self.received + 1 {
            // All that follow a lost one arrive so; one question brings them all again, and many questions would do so many times.
            let asked = self.asked_after.replace(self.received) == Some(self.received);
            return Ok(if asked { Arrival::Known } else { Arrival::Gap });
        }
        if number > self.acknowledged + limits::INPUTS_OPEN {
            return Err(PeerError::TooManyInputs);
        }
        let known = !self.roots.is_empty();
        let wanted = self.secret.wanted(&input);
        let stands = wanted.is_none_or(|wanted| self.roots.iter().rev().any(|offers| offers.offers(wanted)))
            || flying.any(|root| stands_on(&input, root));
        if known && !stands && !self.early {
            return Err(PeerError::InventedAction(number));
        }
        self.received = number;
        if known && !stands {
            self.refuse(number);
        } else {
            self.held.push_back(Held { number, input, checked: stands });
        }
        Ok(Arrival::Taken)
    }

    /// The next input for the app; `shown` is the newest screen.
    pub(crate) fn next(&mut self, shown: Option<&Arc<Node>>) -> Option<(u64, Input)> {
        loop {
            let first = self.held.front()?;
            if !first.checked && self.acknowledged + 1 < first.number {
                return None;
            }
            let Held { number, input, checked } = self.held.pop_front()?;
            if checked || shown.is_some_and(|root| stands_on(&input, root)) {
                return Some((number, input));
            }
            self.refuse(number);
        }
    }

    /// Whether an input waits for the acknowledgement of the one before it.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    pub(crate) fn acknowledge(&mut self, number: u64) {
        self.acknowledged = self.acknowledged.max(number.min(self.received));
        self.skip_refused();
    }

    /// The low bits of the acknowledgement, if the client has not been told.
    pub(crate) fn news(&mut self) -> Option<u8> {
        if self.told == self.acknowledged {
            return None;
        }
        self.told = self.acknowledged;
        Some((self.told & 127) as u8)
    }

    fn refuse(&mut self, number: u64) {
        self.refused.insert(number);
        self.skip_refused();
    }

    fn skip_refused(&mut self) {
        while let Some(&first) = self.refused.first()
            && first <= self.acknowledged + 1
        {
            self.acknowledged = self.acknowledged.max(first);
            self.refused.pop_first();
        }
    }
}
