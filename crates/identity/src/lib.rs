//! Who is who: key pairs and their names, certificates and pinned TLS, pairing, browser keys, licences, admission tokens, hashed secrets.
//!
//! A core: time and randomness come as arguments, nothing is read or written here. (TLS handshakes draw their own
//! randomness inside rustls.)
//!
//! Invariants:
//! - A party's name is the [`Fingerprint`] of its public key, nothing else; names in certificates mean nothing.
//! - Everything that is signed carries a domain (what it is for), so that a signature for one thing never serves for another.
//! - Secrets have no `Debug`, are wiped from memory when dropped, and are compared in constant time.

mod admission;
mod browser;
mod certificate;
#[cfg(test)]
#[path = "../tests/support/curious.rs"]
mod curious;
mod device;
mod fingerprint;
mod handshake;
mod keys;
mod licence;
mod pairing;
mod password;
mod place;
mod public_tls;
mod route;
mod secret;
mod tenant;
mod tls;

pub use admission::{Admission, AdmissionError, CLOCK_SKEW_S, TOKEN_BYTES, TOKEN_LIFETIME_S, TokenId};
pub use browser::{BrowserKey, BrowserKeyError, Challenge, session_message, session_statement};
pub use certificate::{Certificate, CertificateError, fingerprint_of_certificate};
pub use device::{DeviceClass, UnknownClass};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use handshake::{
    BrowserGreeting, BrowserProof, MAX_DEVICE_NAME_CHARS, MAX_HANDSHAKE_BYTES, PairAnswer, PairRequest,
    RefusalReason,
};
pub use keys::{Domain, KeyPair, PublicKey, SignatureError};
pub use licence::{Licence, LicenceError, SeatCounts};
pub use pairing::{
    MAX_ADDRESSES, PAIRING_LIFETIME_MS, Pairing, PairingCode, PairingCodeError, PairingRefused,
};
pub use password::{
    HashCost, HashMemory, MAX_PASSWORD_BYTES, PasswordError, hash_password, verify_password,
    verify_password_in,
};
pub use place::{PublicPlace, PublicPlaceError};
pub use public_tls::{ACME_ALPN, PublicCertificates};
pub use route::{RelayRoute, RelayRouteError};
pub use secret::Secret;
pub use tenant::{TenantId, TenantIdError};
pub use tls::{
    ALPN, RELAY_ALPN, RELAY_SERVER_NAME, TUNNEL_ALPN, TlsError, client_config, https_client_config,
    https_config, quic_server_config, relay_client_config, relay_server_config, tunnel_client_config,
    tunnel_server_config,
};
