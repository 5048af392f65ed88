//! A bounded cache behind a lock.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// The last used values by key. A value is made outside of the lock: two threads may make the same one, and equal keys
/// make equal values, so it does not matter whose is kept.
pub(crate) struct Cache<K, V>(Mutex<LruCache<K, V>>);

/// As [`Cache`], bounded by what its values weigh as well.
pub(crate) struct Weighed<K: Hash + Eq, V>(Mutex<Shelf<K, V>>);

struct Shelf<K: Hash + Eq, V> {
    values: LruCache<K, (V, usize)>,
    bytes: usize,
    most_bytes: usize,
}

impl<K: Hash + Eq, V: Clone> Weighed<K, V> {
    pub(crate) fn new(entries: usize, most_bytes: usize) -> Self {
        let entries = NonZeroUsize::new(entries).expect("a cache has room for one entry");
        Self(Mutex::new(Shelf { values: LruCache::new(entries), bytes: 0, most_bytes }))
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.lock().values.get(key).map(|(value, _)| value.clone())
    }

    /// Keeps a value of `bytes`; the ones that were not used for longest make room.
    pub(crate) fn keep(&self, key: K, value: V, bytes: usize) {
        let mut shelf = self.lock();
        if let Some((_, (_, gone))) = shelf.values.push(key, (value, bytes)) {
            shelf.bytes -= gone;
        }
        shelf.bytes += bytes;
        while shelf.bytes > shelf.most_bytes
            && let Some((_, (_, gone))) = shelf.values.pop_lru()
        {
            shelf.bytes -= gone;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelf<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: what is kept is bounded by its bytes, whatever is asked for.
    #[test]
    fn what_weighs_too_much_goes() {
        let cache = Weighed::new(8, 100);
        for key in 0..5 {
            cache.keep(key, key, 40);
        }
        let kept =
            |cache: &Weighed<i32, i32>| (0..5).filter(|key| cache.get(key).is_some()).collect::<Vec<_>>();
        assert_eq!(kept(&cache), [3, 4]);
        cache.keep(4, 4, 60);
        assert_eq!(kept(&cache), [3, 4], "a value that is replaced is counted once");
        cache.keep(0, 0, 101);
        assert_eq!(kept(&cache), []);
    }
}
