//! Limits on connections: how many there are, and how fast new ones come from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;

/// Addresses whose rates are kept. When there are more, those that are idle are forgotten, and if that is not enough, all.
const MAX_ADDRESSES: usize = 4096;

/// The time in which a full allowance comes back, in ms.
const MINUTE_MS: u64 = 60_000;

/// The gate of a server.
pub struct Gate {
    connections: Arc<Semaphore>,
    handshakes: Arc<AtomicUsize>,
    rates: Mutex<Rates>,
}

/// The right to one connection, given back when dropped.
pub struct Pass {
    _permit: OwnedSemaphorePermit,
    handshakes: Arc<AtomicUsize>,
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
}

impl Gate {
    /// With the limits of a configuration.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            connections: Arc::new(Semaphore::new(limits.connections.get() as usize)),
            handshakes: Arc::default(),
            rates: Mutex::new(Rates { a_minute: limits.connects_per_minute.get(), buckets: HashMap::new() }),
        }
    }

    /// Admits a connection from an address. This machine itself is only counted, not slowed down.
    ///
    /// # Errors
    /// When it is not admitted.
    pub fn admit(&self, address: IpAddr, now_ms: u64) -> Result<Pass, NotAdmitted> {
        let address = address.to_canonical();
        let in_time = || self.rates.lock().unwrap_or_else(PoisonError::into_inner).take(address, now_ms);
        if !address.is_loopback() && !in_time() {
            return Err(NotAdmitted::TooFast);
        }
        let permit = self.connections.clone().try_acquire_owned().map_err(|_| NotAdmitted::Full)?;
        Ok(Pass { _permit: permit, handshakes: self.handshakes.clone() })
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
    fn take(&mut self, address: IpAddr, now_ms: u64) -> bool {
        if self.buckets.len() >= MAX_ADDRESSES && !self.buckets.contains_key(&address) {
            self.buckets.retain(|_, bucket| now_ms.saturating_sub(bucket.at_ms) < MINUTE_MS);
            if self.buckets.len() >= MAX_ADDRESSES {
                self.buckets.clear();
            }
        }
        let full = u64::from(self.a_minute) * MINUTE_MS;
        let bucket = self.buckets.entry(address).or_insert(Bucket { left: full, at_ms: now_ms });
        let back = now_ms.saturating_sub(bucket.at_ms).saturating_mul(u64::from(self.a_minute));
        bucket.left = bucket.left.saturating_add(back).min(full);
        bucket.at_ms = now_ms;
        match bucket.left.checked_sub(MINUTE_MS) {
            Some(left) => {
                bucket.left = left;
                true
            }
            None => false,
        }
    }
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
        let gate = Gate::new(&limits);
        let pass = gate.admit([127, 0, 0, 1].into(), 0).unwrap();
        assert_eq!(gate.admit([127, 0, 0, 1].into(), 0).err(), Some(NotAdmitted::Full));
        drop(pass);
        assert!(gate.admit([127, 0, 0, 1].into(), 0).is_ok());
    }
}
