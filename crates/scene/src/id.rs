//! Names of objects: keyed BLAKE3, truncated to 128 bits.

use std::fmt;

/// The name of an object: the first 16 bytes of the keyed BLAKE3 hash of its canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 16]);

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Gives objects their names. The key is one per edge server; a client learns it when its session opens, so that it can
/// check what it is given, and nobody else can find an object with a name of their choice.
#[derive(Clone)]
pub struct Namer {
    key: [u8; 32],
}

impl Namer {
    /// A namer with `key`.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The key, to be handed to a client over an authenticated connection.
    pub const fn key(&self) -> &[u8; 32] {
        &self.key
    }

    /// The name of an object with these canonical bytes.
    pub fn name(&self, canonical: &[u8]) -> ObjectId {
        let hash = blake3::keyed_hash(&self.key, canonical);
        let mut id = [0; 16];
        id.copy_from_slice(&hash.as_bytes()[..16]);
        ObjectId(id)
    }

    /// A digest of everything that was chained so far and `bytes` after it. Begins with zeros.
    pub fn chain(&self, before: &[u8; 16], bytes: &[u8]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        let hash = hasher.update(before).update(bytes).finalize();
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.as_bytes()[..16]);
        digest
    }
}

impl fmt::Debug for Namer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Namer")
    }
}
