//! Admission tokens: for some minutes, this device may have its packets forwarded to this edge server.
//!
//! ```text
//! version 1 = 1 | tenant 16 | edge server 32 | device 32 | issued 8, Unix seconds | lifetime 2, seconds | id 8, random
//! | issuer's public key 32 | signature 64
//! ```
//!
//! Numbers are big endian. The signature is Ed25519 over all before it, in the domain `"tresen admission v1" 0x00`. Edge server and device
//! are named by their fingerprints, so a token is of use only to whoever proves the device's key. Issuers are a relay's directory and the edge
//! server itself: its name is the fingerprint of its key, so a token proves by itself that it is from there, and nobody has to keep its key.
//!
//! Invariant: nothing of a token is believed before its signature was checked.

use std::fmt;

use thiserror::Error;

use crate::{Domain, Fingerprint, KeyPair, PublicKey, TenantId};

/// Length of a token.
pub const TOKEN_BYTES: usize = 1 + SIGNED_BYTES_AFTER_VERSION + 64;

/// How long a token may be good for, in seconds.
pub const TOKEN_LIFETIME_S: std::ops::RangeInclusive<u16> = 300..=900;

/// How far the clocks of an issuer and of a relay may be apart, in seconds.
pub const CLOCK_SKEW_S: u64 = 60;

const SIGNED_BYTES_AFTER_VERSION: usize = 16 + 32 + 32 + 8 + 2 + 8 + 32;

const VERSION: u8 = 1;

/// Names one token, for logs and revocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub [u8; 8]);

/// What a token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whose edge server and device.
    pub tenant: TenantId,
    /// Where packets may go to.
    pub edge: Fingerprint,
    /// Whose packets.
    pub device: Fingerprint,
    /// When it was made, in Unix seconds.
    pub issued_s: u64,
    /// For how many seconds from then; within [`TOKEN_LIFETIME_S`].
    pub lifetime_s: u16,
    /// Random.
    pub id: TokenId,
}

/// Why a token admits nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AdmissionError {
    /// Not of the form above.
    #[error("this is no admission token")]
    Malformed,
    /// Neither the directory nor the edge server issued it.
    #[error("the token was issued by somebody who may not do so for this edge server")]
    Issuer,
    /// It was changed, or is not from whom it says.
    #[error("the token's signature is wrong")]
    Signature,
    /// Good for longer or shorter than tokens may be.
    #[error("the token is for {0} s; {min} to {max} s are allowed", min = TOKEN_LIFETIME_S.start(), max = TOKEN_LIFETIME_S.end())]
    Lifetime(u16),
    /// Its time is over.
    #[error("the token expired {0} s ago")]
    Expired(u64),
    /// Its time has not come: the issuer's clock is ahead of this one.
    #[error("the token was issued {0} s in the future: one of the clocks is wrong")]
    NotYet(u64),
    /// Somebody else shows it.
    #[error("the token is for the device {0}, another one shows it")]
    OtherDevice(Fingerprint),
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({:016x})", u64::from_be_bytes(self.0))
    }
}

impl Admission {
    /// Signs a token.
    #[must_use]
    pub fn sign(&self, issuer: &KeyPair) -> [u8; TOKEN_BYTES] {
        let mut token = [0; TOKEN_BYTES];
        let (signed, signature) = token.split_at_mut(TOKEN_BYTES - 64);
        let key = issuer.public_key();
        let parts: [&[u8]; 8] = [
            &[VERSION],
            self.tenant.as_bytes(),
            self.edge.as_bytes(),
            self.device.as_bytes(),
            &self.issued_s.to_be_bytes(),
            &self.lifetime_s.to_be_bytes(),
            &self.id.0,
            key.as_bytes(),
        ];
        signed.copy_from_slice(&parts.concat());
        signature.copy_from_slice(&issuer.sign(Domain::Admission, signed));
        token
    }

    /// Reads a token that its edge server signed, or the holder of one of the `directory`'s keys. Whether it admits anybody now says [`Self::check`].
    ///
    /// # Errors
    /// When it is malformed, or none of them signed it.
    pub fn read(token: &[u8], directory: &[PublicKey]) -> Result<Self, AdmissionError> {
        let (signed, signature) = token.split_last_chunk::<64>().ok_or(AdmissionError::Malformed)?;
        let (read, issuer) = Self::parse(signed).ok_or(AdmissionError::Malformed)?;
        let issuer = PublicKey::from_bytes(&issuer).map_err(|_| AdmissionError::Issuer)?;
        if !directory.contains(&issuer) && issuer.fingerprint() != read.edge {
            return Err(AdmissionError::Issuer);
        }
        issuer.verify(Domain::Admission, signed, signature).map_err(|_| AdmissionError::Signature)?;
        Ok(read)
    }

    /// Whether it admits `device`, which has proven its key, at `now_s` (Unix seconds).
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self, device: Fingerprint, now_s: u64) -> Result<(), AdmissionError> {
        if !TOKEN_LIFETIME_S.contains(&self.lifetime_s) {
            return Err(AdmissionError::Lifetime(self.lifetime_s));
        }
        if self.device != device {
            return Err(AdmissionError::OtherDevice(self.device));
        }
        if self.issued_s > now_s.saturating_add(CLOCK_SKEW_S) {
            return Err(AdmissionError::NotYet(self.issued_s - now_s));
        }
        if self.expires_s() <= now_s {
            return Err(AdmissionError::Expired(now_s - self.expires_s()));
        }
        Ok(())
    }

    /// The first second at which it is no longer good, in Unix seconds.
    #[must_use]
    pub const fn expires_s(&self) -> u64 {
        self.issued_s.saturating_add(self.lifetime_s as u64)
    }

    fn parse(bytes: &[u8]) -> Option<(Self, [u8; 32])> {
        let (&[version], rest) = bytes.split_first_chunk::<1>()?;
        let (&tenant, rest) = rest.split_first_chunk::<16>()?;
        let (&edge, rest) = rest.split_first_chunk::<32>()?;
        let (&device, rest) = rest.split_first_chunk::<32>()?;
        let (&issued, rest) = rest.split_first_chunk::<8>()?;
        let (&lifetime, rest) = rest.split_first_chunk::<2>()?;
        let (&id, rest) = rest.split_first_chunk::<8>()?;
        let (&issuer, rest) = rest.split_first_chunk::<32>()?;
        let read = Self {
            tenant: TenantId::from_bytes(tenant),
            edge: Fingerprint::from_bytes(edge),
            device: Fingerprint::from_bytes(device),
            issued_s: u64::from_be_bytes(issued),
            lifetime_s: u16::from_be_bytes(lifetime),
            id: TokenId(id),
        };
        (version == VERSION && rest.is_empty()).then_some((read, issuer))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Secret;

    const NOW_S: u64 = 1_800_000_000;

    fn issuer() -> KeyPair {
        KeyPair::from_seed(&Secret::new([1; 32]))
    }

    fn device() -> Fingerprint {
        Fingerprint::from_bytes([4; 32])
    }

    fn admission() -> Admission {
        Admission {
            tenant: TenantId::from_bytes([2; 16]),
            edge: Fingerprint::from_bytes([3; 32]),
            device: device(),
            issued_s: NOW_S,
            lifetime_s: 600,
            id: TokenId([5; 8]),
        }
    }

    /// Promise: the bytes of a token don't change unseen.
    #[test]
    fn the_bytes_of_a_token() {
        let token = admission().sign(&issuer());
        let hex = data_encoding::HEXLOWER.encode(&token);
        let signed = ["01", &"02".repeat(16), &"03".repeat(32), &"04".repeat(32), "000000006b49d200", "0258"];
        let issuer_key = data_encoding::HEXLOWER.encode(issuer().public_key().as_bytes());
        assert_eq!(hex[..262], [&signed.concat(), &*"05".repeat(8), &issuer_key].concat());
        assert_eq!(
            hex[262..],
            *"fe66bd5947e047c4fc9a5399981e284495ead6c81b334733c620b1492d5c6375c2db634bf0405aea15cc1aa3081053aaf3e47e5e0000f702123caf05a7724a0b"
        );
        assert_eq!(Admission::read(&token, &[issuer().public_key()]), Ok(admission()));
    }

    #[test]
    fn a_token_is_for_one_device_and_some_minutes() {
        let token = admission();
        assert_eq!(token.check(device(), NOW_S + 599), Ok(()));
        assert_eq!(token.check(device(), NOW_S + 600), Err(AdmissionError::Expired(0)));
        assert_eq!(token.check(device(), NOW_S - 60), Ok(()));
        assert_eq!(token.check(device(), NOW_S - 61), Err(AdmissionError::NotYet(61)));
        let other = Fingerprint::from_bytes([9; 32]);
        assert_eq!(token.check(other, NOW_S), Err(AdmissionError::OtherDevice(device())));
        for lifetime_s in [0, 299, 901, u16::MAX] {
            let token = Admission { lifetime_s, ..token };
            assert_eq!(token.check(device(), NOW_S), Err(AdmissionError::Lifetime(lifetime_s)));
        }
    }

    #[test]
    fn another_issuer_is_refused() {
        let token = admission().sign(&KeyPair::from_seed(&Secret::new([2; 32])));
        assert_eq!(Admission::read(&token, &[issuer().public_key()]), Err(AdmissionError::Issuer));
        assert_eq!(Admission::read(&token, &[]), Err(AdmissionError::Issuer));
    }

    #[test]
    fn an_edge_server_signs_for_itself_alone() {
        let edge = KeyPair::from_seed(&Secret::new([7; 32]));
        let own = Admission { edge: edge.fingerprint(), ..admission() };
        assert_eq!(Admission::read(&own.sign(&edge), &[]), Ok(own));
        assert_eq!(Admission::read(&admission().sign(&edge), &[]), Err(AdmissionError::Issuer));
    }

    proptest! {
        #[test]
        fn no_changed_byte_is_believed(at in 0..TOKEN_BYTES, flip in 1_u8..) {
            let mut token = admission().sign(&issuer());
            token[at] ^= flip;
            prop_assert!(Admission::read(&token, &[issuer().public_key()]).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Admission::read(&bytes, &[issuer().public_key()]).is_err());
        }

        #[test]
        fn no_number_panics(issued_s in any::<u64>(), lifetime_s in any::<u16>(), now_s in any::<u64>()) {
            let _ = Admission { issued_s, lifetime_s, ..admission() }.check(device(), now_s);
        }
    }
}
