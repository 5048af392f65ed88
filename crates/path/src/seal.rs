//! Sealing of small packets: ChaCha20-Poly1305, and one key for each direction of each exchange.
//!
//! Invariant: a key seals each counter once. A new exchange draws a new secret, so counters begin at zero with it.

use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, Nonce, Tag};
use tresen_identity::Secret;

/// What sealing adds, in bytes.
pub(crate) const TAG_BYTES: usize = 16;

/// The key of one direction. No `Debug`.
#[derive(Clone)]
pub(crate) struct Sealer(Secret<32>);

impl Sealer {
    /// The key for one purpose (`context` names it, and the direction) of a secret.
    pub(crate) fn derive(context: &str, secret: &Secret<32>) -> Self {
        Self(Secret::new(blake3::derive_key(context, secret.expose())))
    }

    /// Seals `body` where it is; what it returns belongs behind it. `header` is authenticated and stays readable.
    pub(crate) fn seal(&self, counter: u64, header: &[u8], body: &mut [u8]) -> [u8; TAG_BYTES] {
        let tag = self.cipher().encrypt_inout_detached(&nonce(counter), header, body.into());
        tag.expect("a datagram is shorter than what the cipher takes").into()
    }

    /// Opens `body` where it is. `None`: it was not sealed with this key, counter and header; `body` is then worthless.
    pub(crate) fn open(
        &self,
        counter: u64,
        header: &[u8],
        body: &mut [u8],
        tag: [u8; TAG_BYTES],
    ) -> Option<()> {
        let tag = Tag::from(tag);
        self.cipher().decrypt_inout_detached(&nonce(counter), header, body.into(), &tag).ok()
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(self.0.expose().into())
    }
}

fn nonce(counter: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    nonce.into()
}

/// Random bytes from a seed of the caller's: what a machine draws while it runs (keyed BLAKE3 of a counter). No `Debug`.
pub(crate) struct Entropy {
    key: Secret<32>,
    drawn: u64,
}

impl Entropy {
    pub(crate) fn new(seed: &Secret<32>) -> Self {
        let key = Secret::new(blake3::derive_key("tresen path entropy v1", seed.expose()));
        Self { key, drawn: 0 }
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let mut hasher = blake3::Hasher::new_keyed(self.key.expose());
        hasher.update(&self.drawn.to_be_bytes()).finalize_xof().fill(&mut bytes);
        self.drawn += 1;
        bytes
    }

    /// A number below `below`, which must not be 0. The bias is at most `below / 2^64`.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        let number = u128::from(u64::from_be_bytes(self.bytes()));
        ((number * u128::from(below)) >> 64) as u64
    }
}
