//! The table of parties at a relay: who they are, which handles they have, where they are, until when.
//!
//! Invariants:
//! - a client's edge server is in the table, and both are of one tenant: a client is only put in beside its edge server and goes with it;
//! - an address belongs to one party, the last one that proved to be there;
//! - what is full refuses newcomers: nobody who is there is pushed out for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;

use ahash::RandomState;
use slab::Slab;
use tresen_identity::{Fingerprint, Secret, TenantId};

use crate::address::canonical;
use crate::cid::{ClientName, EdgeName, Handle, Party};
use crate::knock::KnockKeys;

/// What is known of a party.
pub(crate) struct Record {
    pub(crate) party: Party,
    /// Of all records that ever were, so that a cookie serves one.
    pub(crate) serial: u64,
    /// Where it is; `None` when another party was proven to be there.
    pub(crate) address: Option<SocketAddr>,
    /// First moment at which it is no longer known.
    pub(crate) expires_at_ms: u64,
    /// That of a client's edge server; an edge server's own.
    pub(crate) edge: Index,
    pub(crate) keys: KnockKeys,
    /// The next knock has at least this counter.
    pub(crate) next_counter: u64,
    /// The next look has at least this counter.
    pub(crate) next_look: u64,
}

/// Which record it is: half the bytes of what a slab calls it, because each party stands in several maps, and an edge server has many handles.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Index(u32);

impl Index {
    fn new(key: usize) -> Self {
        Self(u32::try_from(key).expect("memory holds fewer than 2^32 parties"))
    }

    pub(crate) const fn key(self) -> usize {
        self.0 as usize
    }
}

pub(crate) struct Parties {
    records: Slab<Record>,
    by_handle: HashMap<Handle, Index, RandomState>,
    by_address: HashMap<SocketAddr, Index, RandomState>,
    by_party: BTreeMap<Party, Index>,
    expiries: BTreeSet<(u64, Index)>,
    clients_of_tenant: BTreeMap<TenantId, usize>,
    next_serial: u64,
    edges: usize,
}

/// What a party brings along when it comes or comes again.
pub(crate) struct Arrival {
    pub(crate) address: SocketAddr,
    pub(crate) expires_at_ms: u64,
    pub(crate) knock_secret: Secret<32>,
}

impl Parties {
    /// An empty table; `seed` keeps strangers from choosing addresses that collide in it.
    pub(crate) fn new(seed: &Secret<32>) -> Self {
        let (parts, _) = seed.expose().as_chunks::<8>();
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| u64::from_le_bytes(parts[at]));
        let state = RandomState::with_seeds(a, b, c, d);
        Self {
            records: Slab::new(),
            by_handle: HashMap::with_hasher(state.clone()),
            by_address: HashMap::with_hasher(state),
            by_party: BTreeMap::new(),
            expiries: BTreeSet::new(),
            clients_of_tenant: BTreeMap::new(),
            next_serial: 0,
            edges: 0,
        }
    }

    pub(crate) fn find(&self, party: &Party) -> Option<Index> {
        self.by_party.get(party).copied()
    }

    pub(crate) fn of_handle(&self, handle: Handle) -> Option<(Index, &Record)> {
        let index = *self.by_handle.get(&handle)?;
        self.get(index).map(|record| (index, record))
    }

    pub(crate) fn of_address(&self, address: SocketAddr) -> Option<(Index, &Record)> {
        let index = *self.by_address.get(&canonical(address))?;
        self.get(index).map(|record| (index, record))
    }

    pub(crate) fn get(&self, index: Index) -> Option<&Record> {
        self.records.get(index.key())
    }

    pub(crate) fn get_mut(&mut self, index: Index) -> Option<&mut Record> {
        self.records.get_mut(index.key())
    }

    pub(crate) const fn edge_count(&self) -> usize {
        self.edges
    }

    pub(crate) fn client_count(&self) -> usize {
        self.records.len() - self.edges
    }

    pub(crate) fn clients_of_tenant(&self, tenant: &TenantId) -> usize {
        self.clients_of_tenant.get(tenant).copied().unwrap_or(0)
    }

    /// Puts a party in, or what it brings in the place of what it brought before. `edge` is the index of a client's edge server.
    /// The handles that it has now: all of `handles` that are nobody else's.
    pub(crate) fn put(
        &mut self,
        party: Party,
        edge: Option<Index>,
        handles: Vec<Handle>,
        arrival: Arrival,
    ) -> Vec<Handle> {
        let keys = KnockKeys::new(&arrival.knock_secret);
        let index = match self.find(&party) {
            Some(index) => {
                let record = &mut self.records[index.key()];
                (record.keys, record.next_counter, record.next_look) = (keys, 0, 0);
                index
            }
            None => self.insert(party, edge, keys, arrival.expires_at_ms),
        };
        self.extend(index, arrival.expires_at_ms);
        self.place(index, arrival.address);
        let mine = |handle: &Handle| *self.by_handle.entry(*handle).or_insert(index) == index;
        handles.into_iter().filter(mine).collect()
    }

    /// Puts in who is not there yet, and is nowhere yet.
    fn insert(&mut self, party: Party, edge: Option<Index>, keys: KnockKeys, expires_at_ms: u64) -> Index {
        let (serial, entry) = (self.next_serial, self.records.vacant_entry());
        let index = Index::new(entry.key());
        let edge = edge.unwrap_or(index);
        entry.insert(Record {
            party,
            serial,
            address: None,
            expires_at_ms,
            edge,
            keys,
            next_counter: 0,
            next_look: 0,
        });
        self.next_serial += 1;
        self.by_party.insert(party, index);
        match party {
            Party::Edge(_) => self.edges += 1,
            Party::Client(ClientName { edge, .. }) => {
                *self.clients_of_tenant.entry(edge.tenant).or_default() += 1
            }
        }
        index
    }

    /// From now on it is known until then.
    pub(crate) fn extend(&mut self, index: Index, expires_at_ms: u64) {
        let record = &mut self.records[index.key()];
        self.expiries.remove(&(record.expires_at_ms, index));
        record.expires_at_ms = expires_at_ms;
        self.expiries.insert((expires_at_ms, index));
    }

    /// It was proven to be there.
    pub(crate) fn place(&mut self, index: Index, address: SocketAddr) {
        let address = canonical(address);
        if let Some(before) = self.by_address.insert(address, index).filter(|before| *before != index) {
            self.records[before.key()].address = None;
        }
        let left = self.records[index.key()].address.replace(address).filter(|left| *left != address);
        if let Some(left) = left {
            self.by_address.remove(&left);
        }
    }

    /// Takes a party out, an edge server with its clients; who went.
    pub(crate) fn remove(&mut self, party: &Party, handles_of: impl Fn(&Party) -> Vec<Handle>) -> Vec<Party> {
        let mut gone = Vec::new();
        if let Party::Edge(edge) = party {
            gone.extend(self.clients_of(edge));
        }
        if self.by_party.contains_key(party) {
            gone.push(*party);
        }
        gone.iter().for_each(|party| self.remove_one(party, &handles_of(party)));
        gone
    }

    /// The clients of an edge server that are in the table.
    pub(crate) fn clients_of(&self, edge: &EdgeName) -> impl Iterator<Item = Party> {
        let client =
            |device| Party::Client(ClientName { edge: *edge, device: Fingerprint::from_bytes(device) });
        self.by_party.range(client([0; 32])..=client([0xff; 32])).map(|(party, _)| *party)
    }

    /// The edge servers of a tenant that are in the table.
    pub(crate) fn edges_of(&self, tenant: TenantId) -> Vec<Party> {
        let edge = |edge| Party::Edge(EdgeName { tenant, edge: Fingerprint::from_bytes(edge) });
        self.by_party.range(edge([0; 32])..=edge([0xff; 32])).map(|(party, _)| *party).collect()
    }

    /// The next party whose time is over at `now_ms`.
    pub(crate) fn expired(&self, now_ms: u64) -> Option<Party> {
        let (at_ms, index) = self.expiries.first()?;
        (*at_ms <= now_ms).then(|| self.records[index.key()].party)
    }

    /// When the next time is over.
    pub(crate) fn next_expiry_ms(&self) -> Option<u64> {
        self.expiries.first().map(|(at_ms, _)| *at_ms)
    }

    fn remove_one(&mut self, party: &Party, handles: &[Handle]) {
        let Some(index) = self.by_party.remove(party) else { return };
        let record = self.records.remove(index.key());
        self.expiries.remove(&(record.expires_at_ms, index));
        if let Some(address) = record.address {
            self.by_address.remove(&address);
        }
        for handle in handles {
            if self.by_handle.get(handle) == Some(&index) {
                self.by_handle.remove(handle);
            }
        }
        match party {
            Party::Edge(_) => self.edges -= 1,
            Party::Client(ClientName { edge, .. }) => {
                let left = self.clients_of_tenant(&edge.tenant) - 1;
                if left == 0 {
                    self.clients_of_tenant.remove(&edge.tenant);
                } else {
                    self.clients_of_tenant.insert(edge.tenant, left);
                }
            }
        }
    }
}
