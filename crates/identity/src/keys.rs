//! Key pairs and signatures.

use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{Fingerprint, Secret};

/// What a signature is for. Its text stands before the message in what is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// A licence file.
    Licence,
    /// A browser that proves its key for a session.
    BrowserSession,
    /// A native device that proves its key for a session where it can't show its certificate.
    DeviceSession,
    /// A token that admits a device to a relay.
    Admission,
}

/// An Ed25519 key pair of a server, a device or a licence issuer. No `Debug`; wiped when dropped.
pub struct KeyPair(SigningKey);

/// An Ed25519 public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

/// A signature does not belong to this key and message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the signature is wrong")]
pub struct SignatureError;

impl Domain {
    /// The text that stands before the message; it ends with a zero byte, so that no domain begins with another.
    #[must_use]
    pub const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Licence => b"tresen licence v1\0",
            Self::BrowserSession => b"tresen browser session v1\0",
            Self::DeviceSession => b"tresen device session v1\0",
            Self::Admission => b"tresen admission v1\0",
        }
    }

    /// What is signed for `message`.
    #[must_use]
    pub fn statement(self, message: &[u8]) -> Vec<u8> {
        [self.prefix(), message].concat()
    }
}

impl KeyPair {
    /// From 32 random bytes, which are the private key.
    #[must_use]
    pub fn from_seed(seed: &Secret<32>) -> Self {
        Self(SigningKey::from_bytes(seed.expose()))
    }

    /// The 32 bytes to keep.
    #[must_use]
    pub fn seed(&self) -> Secret<32> {
        Secret::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The name of its owner.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.public_key().fingerprint()
    }

    /// Signs a message for one purpose.
    #[must_use]
    pub fn sign(&self, domain: Domain, message: &[u8]) -> [u8; 64] {
        self.0.sign(&domain.statement(message)).to_bytes()
    }

    /// 32 bytes for one purpose, that only the owner of the key can derive (BLAKE3's key derivation; `context` names the purpose).
    #[must_use]
    pub fn derive(&self, context: &str) -> [u8; 32] {
        blake3::derive_key(context, self.0.as_bytes())
    }

    pub(crate) fn pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        let document = self.0.to_pkcs8_der().expect("an Ed25519 key always fits PKCS#8");
        Zeroizing::new(document.as_bytes().to_vec())
    }
}

impl PublicKey {
    /// From its 32 bytes.
    ///
    /// # Errors
    /// When they are no point of the curve, or a weak one.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, SignatureError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| SignatureError)?;
        if key.is_weak() { Err(SignatureError) } else { Ok(Self(key)) }
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The name of its owner.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let document = self.0.to_public_key_der().expect("an Ed25519 key always fits SPKI");
        Fingerprint::of_spki(document.as_bytes())
    }

    /// Checks a signature of [`KeyPair::sign`].
    ///
    /// # Errors
    /// When it does not belong to this key, purpose and message.
    pub fn verify(&self, domain: Domain, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(&domain.statement(message), &signature).map_err(|_| SignatureError)
    }
}
