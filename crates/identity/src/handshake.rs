//! What a device says before the session's own messages: JSON, because it is rare, small, and read by browsers' scripts.
//!
//! **QUIC** (ALPN `tresen/1`, mutual TLS; the certificate is the device's key). The client opens one bidirectional stream. Every message
//! on it has its length before it, as LEB128 of at most four bytes. A paired device begins with the wire's hello. A new one begins with
//! a [`PairRequest`]; its first byte `{` tells it from a wire message. The server answers with a [`PairAnswer`] as one message; after
//! `paired` the client goes on with the wire's hello on the same stream, after `refused` the server closes the connection. A device
//! whose key is unknown and that begins with anything else gets a wire `Bye` (unauthorised) and is closed.
//!
//! ```text
//! C -> S  {"pair":{"secret":"<26 letters, base32>","name":"Anna's laptop"}}
//! S -> C  {"paired":{"device":"<fingerprint>","server":"<fingerprint>","station":3}}      station: absent when none is free yet
//!     or  {"refused":{"reason":"expired","text":"the pairing code has expired"}}          reason: closed, expired, wrong, full, malformed
//! ```
//!
//! **Browsers pair** with `POST /pair` (`application/json`), once. The page is `GET /pair`; its URL's fragment holds
//! `<server fingerprint>.<secret>[.<addresses>]`. The key is ECDSA P-256, not extractable, kept in IndexedDB. The answer is a [`PairAnswer`]
//! with status 200 or 403.
//!
//! ```text
//! {"pair":{"secret":"<26 letters>","name":"Chrome on Android","key":"<base64url of exportKey('spki', publicKey)>"}}
//! ```
//!
//! **Browser sessions**: WebSocket `GET /session`. First two text messages, then binary ones only, each one wire message:
//!
//! ```text
//! S -> C  {"server":"<fingerprint>","challenge":"<base64url, 32 bytes>","loopback":false,"relayed":false}
//! C -> S  {"browser":{"key":"<base64url SPKI>","signature":"<base64url, 64 bytes r||s>"}}
//!     or  {"loopback":{"tab":"<base64url, 16 random bytes>"}}        only when the server said "loopback":true
//!     or  {"device":{"key":"<base64url, 32 bytes>","signature":"<base64url, 64 bytes>"}}
//! C -> S  (binary) the wire's hello; it may follow without waiting
//! ```
//!
//! What is signed (`{name:"ECDSA",hash:"SHA-256"}`): `"tresen browser session v1" 0x00 <server's fingerprint as ASCII> 0x00 <32 challenge
//! bytes>` ([`session_statement`](crate::session_statement)). `loopback` is true only for a browser on the demo's own machine, `relayed` under the server's public name. `tab` names the device: keep it in
//! `sessionStorage`, so that each tab is a device of its own and a reload the same one. Base64url is without padding. A refusal is the wire's `Bye` as a
//! binary message, then the WebSocket closes.
//!
//! **Native devices where UDP is blocked** take the WebSocket too, over TLS with the server's pinned key. `device` has their Ed25519 key, whose
//! fingerprint is that of their certificate; they sign the same bytes after `"tresen device session v1" 0x00`. `Origin` is the server's own address.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::{Fingerprint, PairingRefused};

/// Largest message of a handshake, in bytes.
pub const MAX_HANDSHAKE_BYTES: usize = 2048;

/// Longest name that a device gives itself, in characters; the rest is cut off.
pub const MAX_DEVICE_NAME_CHARS: usize = 40;

/// A new device shows its secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum PairRequest {
    /// The only request.
    Pair {
        /// The one-time secret of the code, base32.
        secret: String,
        /// What the device calls itself; the owner may rename it.
        name: String,
        /// A browser's public key (base64url of its SPKI); absent on QUIC, where the certificate has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PairAnswer {
    /// The key is enrolled.
    Paired {
        /// The device's name from now on.
        device: Fingerprint,
        /// The server's name, to pin.
        server: Fingerprint,
        /// Number of the station that the device was assigned to, if one was free.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        station: Option<u16>,
    },
    /// It is not.
    Refused {
        /// For programs.
        reason: RefusalReason,
        /// For people.
        text: SmolStr,
    },
}

/// Why a pairing was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefusalReason {
    /// No pairing is open.
    Closed,
    /// The two minutes are over.
    Expired,
    /// Another secret.
    Wrong,
    /// The server has all the devices that it can keep.
    Full,
    /// The request is not of the form above.
    Malformed,
}

impl From<PairingRefused> for RefusalReason {
    fn from(refused: PairingRefused) -> Self {
        match refused {
            PairingRefused::Closed => Self::Closed,
            PairingRefused::Expired => Self::Expired,
            PairingRefused::Wrong => Self::Wrong,
        }
    }
}

/// The server's first message to a browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserGreeting {
    /// The server's name.
    pub server: Fingerprint,
    /// What to sign: base64url of 32 bytes.
    pub challenge: String,
    /// Whether this browser may attach without being paired.
    pub loopback: bool,
    /// Whether a relay passes this connection on.
    #[serde(default)]
    pub relayed: bool,
}

/// The browser's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum BrowserProof {
    /// It is paired.
    Browser {
        /// Its public key: base64url of the SPKI.
        key: String,
        /// Signature of the challenge: base64url of 64 bytes.
        signature: String,
    },
    /// It is no browser, but a paired native device on a network that blocks UDP.
    Device {
        /// Its public key: base64url of 32 bytes.
        key: String,
        /// Signature of the challenge: base64url of 64 bytes.
        signature: String,
    },
    /// It runs on the demo's own machine.
    Loopback {
        /// Base64url of 16 random bytes.
        tab: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_are_as_specified() {
        let request = r#"{"pair":{"secret":"abc","name":"Anna's laptop"}}"#;
        let PairRequest::Pair { secret, name, key } = serde_json::from_str(request).unwrap();
        assert_eq!((secret.as_str(), name.as_str(), key), ("abc", "Anna's laptop", None));
        let refused = PairAnswer::Refused { reason: RefusalReason::Expired, text: "late".into() };
        assert_eq!(
            serde_json::to_string(&refused).unwrap(),
            r#"{"refused":{"reason":"expired","text":"late"}}"#
        );
        let proof: BrowserProof = serde_json::from_str(r#"{"loopback":{"tab":"x"}}"#).unwrap();
        assert_eq!(proof, BrowserProof::Loopback { tab: "x".into() });
        assert!(serde_json::from_str::<BrowserProof>(r#"{"browser":{"key":"x"}}"#).is_err());
    }
}
