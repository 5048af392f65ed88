//! Limits on connections: how many there are, how many from one address, and how fast new ones come from it.
//!
//! An IPv6 address stands for its /64: that is what one household gets, and it can take any address in it.
//!
//! Invariant: an address is charged only when it is proven to be the peer's own (TCP always is; QUIC after a retry or a handshake), so that
//! nobody can use up somebody else's allowance.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// Addresses whose rates are kept. When there are more, those that are idle are forgotten, and if that is not enough, the
/// one that has most of its allowance left.
const MAX_ADDRESSES: usize = 4096;

/// The time in which a full allowance comes back, in ms.
const MINUTE_MS: u64 = 60_000;

/// The gate of a server.
pub struct Gate {
    connections: Arc<Semaphore>,
    handshakes: Arc<AtomicUsize>,
    rates: Mutex<Rates>,
    an_address: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The right to one connection, given back when dropped.
pub struct Pass {
    _permit: OwnedSemaphorePermit,
    handshakes: Arc<AtomicUsize>,
    place: Option<Place>,
}

/// One of the connections that an address may have, given back when dropped.
struct Place {
    address: IpAddr,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A handshake under way.
pub struct Handshake(Arc<AtomicUsize>);

/// Why a connection is not admitted.
#[derive(Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// All connections are taken.
    Full,
    /// This address is too fast.
    TooFast,
    /// This address has too many.
    TooMany,
}

impl Gate {
    /// With the limits of a configuration; `fitting` says how many of the wanted connections the system has room for.
    #[must_use]
    pub fn new(limits: &Limits, fitting: impl FnOnce(usize) -> usize) -> Self {
        Self {
            connections: Arc::new(Semaphore::new(fitting(limits.connections.get() as usize))),
            handshakes: Arc::default(),
            rates: Mutex::new(Rates { a_minute: limits.connects_per_minute.get(), buckets: HashMap::new() }),
            an_address: limits.connections_per_address.get() as usize,
            open: Arc::default(),
        }
    }

    /// Admits a connection from an address. This machine itself is only counted, not slowed down.
    ///
    /// # Errors
    /// When it is not admitted.
    pub fn admit(&self, address: IpAddr, now_ms: u64) -> Result<Pass, NotAdmitted> {
        let mut pass = self.admit_unproven()?;
        self.prove(&mut pass, address, now_ms)?;
        Ok(pass)
    }

    /// Admits a connection that a relay passed on, from an address that the relay tells: nobody there is this machine.
    ///
    /// # Errors
    /// When it is not admitted.
    pub fn admit_passed(&self, address: IpAddr, now_ms: u64) -> Result<Pass, NotAdmitted> {
        let mut pass = self.admit_unproven()?;
        self.charge(&mut pass, network(address), now_ms)?;
        Ok(pass)
    }

    /// Admits a connection whose address may be forged: it is counted, and nobody is charged for it before [`Self::prove`].
    ///
    /// # Errors
    /// When all connections are taken.
    pub fn admit_unproven(&self) -> Result<Pass, NotAdmitted> {
        let permit = self.connections.clone().try_acquire_owned().map_err(|_| NotAdmitted::Full)?;
        Ok(Pass { _permit: permit, handshakes: self.handshakes.clone(), place: None })
    }

    /// The address of a connection is its peer's own: it is charged.
    ///
    /// # Errors
    /// When its allowance is used up.
    pub fn prove(&self, pass: &mut Pass, address: IpAddr, now_ms: u64) -> Result<(), NotAdmitted> {
        let address = network(address);
        if address.is_loopback() {
            return Ok(());
        }
        self.charge(pass, address, now_ms)
    }

    fn charge(&self, pass: &mut Pass, address: IpAddr, now_ms: u64) -> Result<(), NotAdmitted> {
        if !lock(&self.rates).take(address, now_ms) {
            return Err(NotAdmitted::TooFast);
        }
        let mut open = lock(&self.open);
        let count = open.entry(address).or_default();
        if *count >= self.an_address {
            return Err(NotAdmitted::TooMany);
        }
        *count += 1;
        drop(open);
        pass.place = Some(Place { address, open: self.open.clone() });
        Ok(())
    }

    /// Whether an address has used up more than half of its allowance.
    #[must_use]
    pub fn is_low(&self, address: IpAddr, now_ms: u64) -> bool {
        let rates = lock(&self.rates);
        rates
            .buckets
            .get(&network(address))
            .is_some_and(|bucket| rates.left(bucket, now_ms) < rates.full() / 2)
    }

    /// Handshakes under way.
    #[must_use]
    pub fn handshakes(&self) -> usize {
        self.handshakes.load(Ordering::Relaxed)
    }
}

impl Pass {
    /// Counts a handshake until the result is dropped.
    #[must_use]
    pub fn handshake(&self) -> Handshake {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
        Handshake(self.handshakes.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = lock(&self.open);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Token buckets, one an address.
struct Rates {
    a_minute: u32,
    buckets: HashMap<IpAddr, Bucket>,
}

struct Bucket {
    /// What is left, in connections times [`MINUTE_MS`].
    left: u64,
    at_ms: u64,
}

impl Rates {
    fn full(&self) -> u64 {
        u64::from(self.a_minute) * MINUTE_MS
    }

    fn left(&self, bucket: &Bucket, now_ms: u64) -> u64 {
        let back = now_ms.saturating_sub(bucket.at_ms).saturating_mul(u64::from(self.a_minute));
        bucket.left.saturating_add(back).min(self.full())
    }

    fn take(&mut self, address: IpAddr, now_ms: u64) -> bool {
        if self.buckets.len() >= MAX_ADDRESSES && !self.buckets.contains_key(&address) {
            self.make_room(now_ms);
        }
        let left = self.buckets.get(&address).map_or(self.full(), |bucket| self.left(bucket, now_ms));
        let rest = left.checked_sub(MINUTE_MS);
        self.buckets.insert(address, Bucket { left: rest.unwrap_or(left), at_ms: now_ms });
        rest.is_some()
    }

    fn make_room(&mut self, now_ms: u64) {
        self.buckets.retain(|_, bucket| now_ms.saturating_sub(bucket.at_ms) < MINUTE_MS);
        if self.buckets.len() >= MAX_ADDRESSES {
            let fullest = self.buckets.iter().max_by_key(|(_, bucket)| self.left(bucket, now_ms));
            if let Some(address) = fullest.map(|(address, _)| *address) {
                self.buckets.remove(&address);
            }
        }
    }
}

/// What an address counts as.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        other => other,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_an_allowance_that_comes_back() {
        let mut rates = Rates { a_minute: 60, buckets: HashMap::new() };
        let (a, b) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        assert_eq!((0..100).filter(|_| rates.take(a, 0)).count(), 60);
        assert!(rates.take(b, 0), "another address has its own");
        assert!(!rates.take(a, 999));
        assert!(rates.take(a, 1_000));
    }

    #[test]
    fn the_table_of_addresses_is_bounded() {
        let mut rates = Rates { a_minute: 60, buckets: HashMap::new() };
        for number in 0..20_000_u32 {
            rates.take(IpAddr::from(number.to_be_bytes()), u64::from(number));
        }
        assert!(rates.buckets.len() <= MAX_ADDRESSES);
    }

    #[test]
    fn connections_are_counted_and_given_back() {
        let limits = Limits { connections: 1.try_into().unwrap(), ..Limits::default() };
        let gate = Gate::new(&limits, |wanted| wanted);
        let pass = gate.admit([127, 0, 0, 1].into(), 0).unwrap();
        assert_eq!(gate.admit([127, 0, 0, 1].into(), 0).err(), Some(NotAdmitted::Full));
        drop(pass);
        assert!(gate.admit([127, 0, 0, 1].into(), 0).is_ok());
    }

    #[test]
    fn a_flood_of_addresses_gives_nobody_a_new_allowance() {
        let mut rates = Rates { a_minute: 60, buckets: HashMap::new() };
        let used_up = [10, 0, 0, 1].into();
        while rates.take(used_up, 0) {}
        for number in 0..10_000_u32 {
            rates.take(IpAddr::from((number | 0xc000_0000).to_be_bytes()), 0);
        }
        assert!(!rates.take(used_up, 0));
    }

    #[test]
    fn a_household_counts_as_one_address_and_has_so_many_connections() {
        let gate = Gate::new(&Limits::default(), |wanted| wanted);
        let at = |host: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
        let passes: Vec<Pass> = (0..64).map(|host| gate.admit(at(host), 0).unwrap()).collect();
        assert_eq!(gate.admit(at(99), 0).err(), Some(NotAdmitted::TooMany));
        assert!(gate.admit([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1].into(), 0).is_ok());
        drop(passes);
        assert!(gate.admit(at(99), 0).is_ok());
    }

    #[test]
    fn whoever_knows_that_many_share_an_address_lets_more_in() {
        let limits = Limits { connections_per_address: 100.try_into().unwrap(), ..Limits::default() };
        let gate = Gate::new(&limits, |wanted| wanted);
        let passes: Vec<Pass> = (0..100).map(|_| gate.admit([10, 0, 0, 1].into(), 0).unwrap()).collect();
        assert_eq!(gate.admit([10, 0, 0, 1].into(), 0).err(), Some(NotAdmitted::TooMany));
        drop(passes);
    }

    /// Promise: who comes through a relay is limited whatever address it tells, this machine's included.
    #[test]
    fn who_is_passed_on_is_not_this_machine() {
        let gate = Gate::new(&Limits::default(), |wanted| wanted);
        let here = IpAddr::from([127, 0, 0, 1]);
        let passes: Vec<Pass> = (0..64).map(|_| gate.admit_passed(here, 0).unwrap()).collect();
        assert_eq!(gate.admit_passed(here, 0).err(), Some(NotAdmitted::TooMany));
        assert!(gate.admit(here, 0).is_ok(), "nor does it count for this machine");
        drop(passes);
    }

    #[test]
    fn nobody_is_charged_for_a_forged_address() {
        let gate = Gate::new(&Limits::default(), |wanted| wanted);
        let victim = [10, 0, 0, 1].into();
        for _ in 0..1_000 {
            gate.admit_unproven().unwrap();
        }
        assert!(!gate.is_low(victim, 0));
        for _ in 0..121 {
            gate.admit(victim, 0).unwrap();
        }
        assert!(gate.is_low(victim, 0));
    }
}
