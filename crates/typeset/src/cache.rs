//! A bounded cache behind a lock.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// The last used values by key. A value is made outside of the lock: two threads may make the same one, and equal keys
/// make equal values, so it does not matter whose is kept.
pub(crate) struct Cache<K, V>(Mutex<LruCache<K, V>>);

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    pub(crate) fn new(entries: usize) -> Self {
        let entries = NonZeroUsize::new(entries).expect("a cache has room for one entry");
        Self(Mutex::new(LruCache::new(entries)))
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.lock().get(key).cloned()
    }

    pub(crate) fn get_or_make(&self, key: K, make: impl FnOnce(&K) -> V) -> V {
        if let Some(value) = self.get(&key) {
            return value;
        }
        let value = make(&key);
        self.lock().put(key, value.clone());
        value
    }

    /// A thread that panicked while it held the lock left a whole entry or none.
    fn lock(&self) -> MutexGuard<'_, LruCache<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
