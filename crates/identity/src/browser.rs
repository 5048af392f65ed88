//! Keys of browsers: ECDSA on P-256 with SHA-256, made by WebCrypto and not exportable.
//!
//! A browser can't show a client certificate of its own making, so it proves its key by signing a challenge:
//! `"tresen browser session v1" 0x00 <server's fingerprint as text> 0x00 <32 challenge bytes>`, signature as `r || s` (IEEE P1363,
//! what `crypto.subtle.sign` returns). The server's name in it keeps a signature for one server from serving at another.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::DecodePublicKey;
use thiserror::Error;

use crate::{Domain, Fingerprint};

/// 32 random bytes that a browser signs once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge(pub [u8; 32]);

/// A browser's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserKey {
    spki_der: Vec<u8>,
    key: VerifyingKey,
}

/// What is wrong with a browser's key or signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BrowserKeyError {
    /// Not the `SubjectPublicKeyInfo` of a P-256 key.
    #[error("the key is no P-256 public key (SPKI)")]
    Malformed,
    /// The signature is not by this key over this challenge.
    #[error("the signature does not prove the key")]
    WrongSignature,
}

/// A P-256 SPKI has 91 bytes; some encoders write a little more.
const MAX_SPKI_BYTES: usize = 128;

impl BrowserKey {
    /// From `crypto.subtle.exportKey("spki", publicKey)`.
    ///
    /// # Errors
    /// When it is no P-256 key.
    pub fn from_spki(spki_der: &[u8]) -> Result<Self, BrowserKeyError> {
        if spki_der.len() > MAX_SPKI_BYTES {
            return Err(BrowserKeyError::Malformed);
        }
        let key = VerifyingKey::from_public_key_der(spki_der).map_err(|_| BrowserKeyError::Malformed)?;
        Ok(Self { spki_der: spki_der.to_vec(), key })
    }

    /// The bytes to keep.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki_der
    }

    /// The browser's name.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_spki(&self.spki_der)
    }

    /// Checks that the browser signed `challenge` for `server`.
    ///
    /// # Errors
    /// When it did not.
    pub fn verify(
        &self,
        server: &Fingerprint,
        challenge: &Challenge,
        signature: &[u8],
    ) -> Result<(), BrowserKeyError> {
        let signature = Signature::from_slice(signature).map_err(|_| BrowserKeyError::WrongSignature)?;
        self.key
            .verify(&session_statement(server, challenge), &signature)
            .map_err(|_| BrowserKeyError::WrongSignature)
    }
}

/// The bytes that a browser signs.
#[must_use]
pub fn session_statement(server: &Fingerprint, challenge: &Challenge) -> Vec<u8> {
    Domain::BrowserSession.statement(&session_message(server, challenge))
}

/// What both kinds of devices sign, under their own domains: the server's name, a zero byte, the challenge.
#[must_use]
pub fn session_message(server: &Fingerprint, challenge: &Challenge) -> Vec<u8> {
    let mut message = server.to_string().into_bytes();
    message.push(0);
    message.extend_from_slice(&challenge.0);
    message
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::SigningKey;
    use p256::ecdsa::signature::Signer;
    use p256::pkcs8::EncodePublicKey;
    use proptest::prelude::*;

    use super::*;

    fn browser() -> (SigningKey, BrowserKey) {
        let signing = SigningKey::from_slice(&[7; 32]).unwrap();
        let spki = signing.verifying_key().to_public_key_der().unwrap();
        (signing, BrowserKey::from_spki(spki.as_bytes()).unwrap())
    }

    #[test]
    fn a_signature_serves_one_server_and_one_challenge() {
        let (signing, key) = browser();
        let (server, other) = (Fingerprint::from_bytes([1; 32]), Fingerprint::from_bytes([2; 32]));
        let challenge = Challenge([3; 32]);
        let signature: Signature = signing.sign(&session_statement(&server, &challenge));
        let signature = signature.to_bytes();
        assert_eq!(key.verify(&server, &challenge, &signature), Ok(()));
        assert_eq!(key.verify(&other, &challenge, &signature), Err(BrowserKeyError::WrongSignature));
        assert_eq!(
            key.verify(&server, &Challenge([4; 32]), &signature),
            Err(BrowserKeyError::WrongSignature)
        );
    }

    #[test]
    fn a_signature_without_the_domain_is_refused() {
        let (signing, key) = browser();
        let server = Fingerprint::from_bytes([1; 32]);
        let signature: Signature = signing.sign(&[3; 32]);
        assert!(key.verify(&server, &Challenge([3; 32]), &signature.to_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused(spki in proptest::collection::vec(any::<u8>(), 0..200),
                                     signature in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(BrowserKey::from_spki(&spki).is_err());
            let (_, key) = browser();
            prop_assert!(key.verify(&Fingerprint::from_bytes([1; 32]), &Challenge([3; 32]), &signature).is_err());
        }
    }
}
