//! Passwords and PINs, kept only as Argon2id hashes (RFC 9106) in PHC form.
//!
//! A four-digit PIN is guessed from its hash in seconds whatever the cost; what protects it is that the hash never leaves the box, and
//! the throttle of the till. So a PIN's hash is cheap enough for a waiter not to notice it.

use argon2::password_hash::{Output, PasswordHash, PasswordHasher, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use thiserror::Error;

/// How dear a hash is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl HashCost {
    /// For a password: 19 MiB, two passes (OWASP's recommendation).
    pub const PASSWORD: Self = Self { memory_kib: 19 * 1024, passes: 2 };
    /// For a PIN: 4 MiB, two passes.
    pub const PIN: Self = Self { memory_kib: 4 * 1024, passes: 2 };
}

/// Why a password could not be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// Longer than [`MAX_PASSWORD_BYTES`].
    #[error("a password has at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// The cost is outside of what Argon2 allows.
    #[error("the cost of the hash is outside of what Argon2 allows")]
    Cost,
}

/// Longest password, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 256;

/// Most memory that a stored hash may ask for, in KiB: a tampered one must not exhaust the box.
const MAX_MEMORY_KIB: u32 = 64 * 1024;

/// Hashes a password or PIN with 16 random bytes as salt.
///
/// # Errors
/// When it is too long, or the cost is impossible.
pub fn hash_password(password: &str, salt: &[u8; 16], cost: HashCost) -> Result<String, PasswordError> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|_| PasswordError::Cost)?;
    let salt = SaltString::encode_b64(salt).map_err(|_| PasswordError::Cost)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| PasswordError::Cost)
}

/// Whether `password` is the one of `hash`. A malformed hash fits nothing.
#[must_use]
pub fn verify_password(password: &str, hash: &str) -> bool {
    verify_password_in(&mut HashMemory::default(), password, hash)
}

/// What hashing works in, to be used again: an allocator that gets megabytes back and forth keeps more of them each time.
#[derive(Default)]
pub struct HashMemory(Vec<Block>);

/// The same, in memory that is kept. What is in it is of no consequence.
#[must_use]
pub fn verify_password_in(memory: &mut HashMemory, password: &str, hash: &str) -> bool {
    let mut fits = || -> Option<bool> {
        let hash = PasswordHash::new(hash).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
        let version = Version::try_from(hash.version?).ok()?;
        let params = Params::try_from(&hash).ok()?;
        if password.len() > MAX_PASSWORD_BYTES || params.m_cost() > MAX_MEMORY_KIB {
            return None;
        }
        let mut salt = [0; Salt::MAX_LENGTH];
        let salt = hash.salt?.decode_b64(&mut salt).ok()?;
        let right = hash.hash?;
        let mut out = [0; Output::MAX_LENGTH];
        let out = out.get_mut(..right.len())?;
        memory.0.resize(memory.0.len().max(params.block_count()), Block::new());
        let argon2 = Argon2::new(algorithm, version, params);
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory.0).ok()?;
        // Compared in constant time.
        Some(Output::new(out).ok()? == right)
    };
    fits().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashCost = HashCost { memory_kib: 64, passes: 1 };

    #[test]
    fn only_the_same_password_fits() {
        let hash = hash_password("1234", &[5; 16], CHEAP).unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify_password("1234", &hash));
        assert!(!verify_password("1235", &hash));
        assert!(!verify_password("", &hash));
        assert_ne!(hash, hash_password("1234", &[6; 16], CHEAP).unwrap());
    }

    /// Promise: what was checked before in the same memory changes nothing.
    #[test]
    fn memory_is_used_again() {
        let mut memory = HashMemory::default();
        for memory_kib in [64, 256, 128] {
            for password in ["1234", "0000"] {
                let cost = HashCost { memory_kib, passes: 2 };
                let hash = hash_password(password, &[5; 16], cost).unwrap();
                assert!(verify_password_in(&mut memory, password, &hash), "{memory_kib}");
                assert!(!verify_password_in(&mut memory, "4321", &hash), "{memory_kib}");
            }
        }
    }

    #[test]
    fn a_malformed_or_greedy_hash_fits_nothing() {
        assert!(!verify_password("1234", ""));
        assert!(!verify_password("1234", "$argon2id$v=19$m=64,t=1,p=1$x"));
        let hash = hash_password("1234", &[5; 16], CHEAP).unwrap();
        assert!(!verify_password("1234", &hash.replace("m=64", "m=4000000")));
        assert_eq!(hash_password(&"x".repeat(300), &[5; 16], CHEAP), Err(PasswordError::TooLong));
    }
}
