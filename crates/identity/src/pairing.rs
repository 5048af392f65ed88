//! Pairing: how a device and a server come to know each other's keys.
//!
//! The owner asks for a code; the server draws a 128-bit secret, good for two minutes and one use, and shows
//! `https://HOST:PORT/pair#<fingerprint>.<secret>[.<address>,<address>…[.<way through a relay>]]` as a QR code. A camera app opens it as a page (what follows `#` never
//! leaves the browser); a native client reads name, secret and addresses from it. The device connects, checks the server's name, and
//! sends the secret together with its new key.
//!
//! Not for: who may ask for a code, and what a paired device may do.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use thiserror::Error;

use crate::fingerprint::base32;
use crate::{DeviceClass, Fingerprint, RelayRoute, RelayRouteError, Secret};

/// How long a code is good, in ms.
pub const PAIRING_LIFETIME_MS: u64 = 120_000;

/// More addresses than this are not written into a code, nor read from one.
pub const MAX_ADDRESSES: usize = 8;

/// Longest code that is read, in bytes.
const MAX_CODE_BYTES: usize = 1024;

/// Longest host with port in a code, in bytes (a DNS name has at most 253).
const MAX_AUTHORITY_BYTES: usize = 260;

/// What a pairing QR code says. No `Debug`: it holds the secret.
#[derive(Clone)]
pub struct PairingCode {
    /// Host and port of the address that a browser opens, for example `192.168.1.10:7843`.
    pub authority: String,
    /// The server's name.
    pub server: Fingerprint,
    /// The one-time secret.
    pub secret: Secret<16>,
    /// More ways to the server.
    pub addresses: Vec<SocketAddr>,
    /// The way from other networks.
    pub relay: Option<RelayRoute>,
}

/// Why a text is no pairing code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PairingCodeError {
    /// Longer than any code.
    #[error("the pairing code is too long")]
    TooLong,
    /// Not of the form in the module's comment.
    #[error("this is no pairing code: it begins with https:// and goes on after /pair#")]
    Form,
    /// The server's name is not a fingerprint.
    #[error("the server's name in the pairing code is malformed")]
    Server,
    /// The secret has the wrong length or letters.
    #[error("the secret in the pairing code is malformed")]
    Secret,
    /// An address is malformed, or there are too many.
    #[error("an address in the pairing code is malformed")]
    Address,
    /// The way through a relay is malformed.
    #[error(transparent)]
    Relay(#[from] RelayRouteError),
}

impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}/pair#{}.{}", self.authority, self.server, self.secret.to_text())?;
        let addresses: Vec<String> = self.addresses.iter().take(MAX_ADDRESSES).map(written).collect();
        match &self.relay {
            Some(relay) => write!(f, ".{}.{relay}", addresses.join(",")),
            None if addresses.is_empty() => Ok(()),
            None => write!(f, ".{}", addresses.join(",")),
        }
    }
}

impl FromStr for PairingCode {
    type Err = PairingCodeError;

    fn from_str(text: &str) -> Result<Self, PairingCodeError> {
        let text = text.trim();
        if text.len() > MAX_CODE_BYTES {
            return Err(PairingCodeError::TooLong);
        }
        let rest = text.strip_prefix("https://").ok_or(PairingCodeError::Form)?;
        let (authority, fragment) = rest.split_once("/pair#").ok_or(PairingCodeError::Form)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]_".contains(&byte);
        if authority.is_empty() || authority.len() > MAX_AUTHORITY_BYTES || !authority.bytes().all(allowed) {
            return Err(PairingCodeError::Form);
        }
        let mut parts = fragment.splitn(4, '.');
        let server = parts.next().and_then(|part| part.parse().ok()).ok_or(PairingCodeError::Server)?;
        let secret = parts.next().and_then(Secret::from_text).ok_or(PairingCodeError::Secret)?;
        let addresses = match parts.next() {
            None | Some("") => Vec::new(),
            Some(list) => list.split(',').map(read).collect::<Result<Vec<_>, _>>()?,
        };
        if addresses.len() > MAX_ADDRESSES {
            return Err(PairingCodeError::Address);
        }
        let relay = parts.next().map(str::parse).transpose()?;
        Ok(Self { authority: authority.to_owned(), server, secret, addresses, relay })
    }
}

/// Addresses stand in base32, so that a full stop or colon in them can't be mistaken for a separator.
fn written(address: &SocketAddr) -> String {
    let mut bytes = match address {
        SocketAddr::V4(address) => address.ip().octets().to_vec(),
        SocketAddr::V6(address) => address.ip().octets().to_vec(),
    };
    bytes.extend_from_slice(&address.port().to_be_bytes());
    base32().encode(&bytes)
}

fn read(text: &str) -> Result<SocketAddr, PairingCodeError> {
    let bytes = base32().decode(text.as_bytes()).map_err(|_| PairingCodeError::Address)?;
    let (ip, port) = bytes.split_last_chunk::<2>().ok_or(PairingCodeError::Address)?;
    let port = u16::from_be_bytes(*port);
    if let Ok(octets) = <[u8; 4]>::try_from(ip) {
        return Ok((octets, port).into());
    }
    let octets = <[u8; 16]>::try_from(ip).map_err(|_| PairingCodeError::Address)?;
    Ok((octets, port).into())
}

/// The server's side: at most one code is open at a time; a new one replaces the old.
pub struct Pairing {
    state: State,
}

enum State {
    Closed,
    Open { secret: Secret<16>, class: DeviceClass, until_ms: u64 },
}

/// Why a secret opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PairingRefused {
    /// Nobody asked for a code, or it was used already.
    #[error("no pairing is open: the code was used already, or none was asked for")]
    Closed,
    /// The two minutes are over.
    #[error("the pairing code has expired")]
    Expired,
    /// It is another secret.
    #[error("the pairing code is wrong")]
    Wrong,
}

impl Default for Pairing {
    fn default() -> Self {
        Self { state: State::Closed }
    }
}

impl Pairing {
    /// Opens pairing for one device of a class, with 16 random bytes, and returns the secret to show.
    pub fn open(&mut self, now_ms: u64, class: DeviceClass, random: [u8; 16]) -> Secret<16> {
        let secret = Secret::new(random);
        self.state = State::Open {
            secret: secret.clone(),
            class,
            until_ms: now_ms.saturating_add(PAIRING_LIFETIME_MS),
        };
        secret
    }

    /// Closes it, used or not.
    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    /// How long the open code is still good, in ms; `None` when none is.
    #[must_use]
    pub fn remaining_ms(&self, now_ms: u64) -> Option<u64> {
        match &self.state {
            State::Closed => None,
            State::Open { until_ms, .. } => until_ms.checked_sub(now_ms).filter(|left| *left > 0),
        }
    }

    /// A device shows a secret. When it is right, the code is used up, and the device is paired as the class returned.
    ///
    /// # Errors
    /// When it opens nothing. A wrong secret leaves the code open: 128 bits are not guessed in two minutes, and closing would let
    /// anybody on the network disturb a pairing.
    pub fn redeem(&mut self, now_ms: u64, shown: &Secret<16>) -> Result<DeviceClass, PairingRefused> {
        let State::Open { secret, class, until_ms } = &self.state else {
            return Err(PairingRefused::Closed);
        };
        if now_ms >= *until_ms {
            self.state = State::Closed;
            return Err(PairingRefused::Expired);
        }
        if !secret.same_as(shown) {
            return Err(PairingRefused::Wrong);
        }
        let class = *class;
        self.state = State::Closed;
        Ok(class)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::TenantId;

    #[test]
    fn a_code_is_good_once_and_for_two_minutes() {
        let mut pairing = Pairing::default();
        let shown = Secret::new([9; 16]);
        assert_eq!(pairing.redeem(0, &shown), Err(PairingRefused::Closed));

        pairing.open(1_000, DeviceClass::Mpos, [9; 16]);
        assert_eq!(pairing.redeem(1_000, &Secret::new([8; 16])), Err(PairingRefused::Wrong));
        assert_eq!(pairing.redeem(120_999, &shown), Ok(DeviceClass::Mpos));
        assert_eq!(pairing.redeem(120_999, &shown), Err(PairingRefused::Closed));

        pairing.open(1_000, DeviceClass::Paypos, [9; 16]);
        assert_eq!(pairing.remaining_ms(120_999), Some(1));
        assert_eq!(pairing.remaining_ms(121_000), None);
        assert_eq!(pairing.redeem(121_000, &shown), Err(PairingRefused::Expired));
        assert_eq!(pairing.redeem(121_000, &shown), Err(PairingRefused::Closed));
    }

    #[test]
    fn what_is_no_code_says_why() {
        let reason = |text: &str| text.parse::<PairingCode>().err();
        assert_eq!(reason("http://a/pair#b"), Some(PairingCodeError::Form));
        assert_eq!(reason("https:///pair#b"), Some(PairingCodeError::Form));
        assert_eq!(reason("https://a b/pair#b"), Some(PairingCodeError::Form));
        assert_eq!(reason("https://a/pair#b.c"), Some(PairingCodeError::Server));
        let server = Fingerprint::from_bytes([1; 32]);
        assert_eq!(reason(&format!("https://a/pair#{server}.c")), Some(PairingCodeError::Secret));
        let secret = Secret::new([1; 16]).to_text();
        assert_eq!(reason(&format!("https://a/pair#{server}.{secret}.x")), Some(PairingCodeError::Address));
        let many = ["aaaaaaaaaa"; MAX_ADDRESSES + 1].join(",");
        assert_eq!(
            reason(&format!("https://a/pair#{server}.{secret}.{many}")),
            Some(PairingCodeError::Address)
        );
        assert_eq!(reason(&"x".repeat(2_000)), Some(PairingCodeError::TooLong));
    }

    proptest! {
        #[test]
        fn a_code_comes_back(server in any::<[u8; 32]>(), secret in any::<[u8; 16]>(),
                             v4 in proptest::collection::vec(any::<([u8; 4], u16)>(), 0..4),
                             v6 in proptest::collection::vec(any::<([u8; 16], u16)>(), 0..4), relay in any::<bool>()) {
            let addresses: Vec<SocketAddr> =
                v4.into_iter().map(SocketAddr::from).chain(v6.into_iter().map(SocketAddr::from)).collect();
            let code = PairingCode {
                authority: "192.168.1.10:7843".into(),
                server: Fingerprint::from_bytes(server),
                secret: Secret::new(secret),
                addresses: addresses.clone(),
                relay: relay.then(|| {
                    let (tenant, relay) = (TenantId::from_bytes([1; 16]), Fingerprint::from_bytes([2; 32]));
                    RelayRoute::new(tenant, relay, "r.example:1").unwrap()
                }),
            };
            let read: PairingCode = code.to_string().parse().map_err(|_| TestCaseError::fail("unreadable"))?;
            prop_assert_eq!(read.to_string(), code.to_string());
            prop_assert_eq!(read.addresses, addresses);
            prop_assert_eq!(&read.relay, &code.relay);
            prop_assert!(read.secret.same_as(&code.secret));
        }

        #[test]
        fn no_text_panics(text in "https://a/pair#.{0,200}") {
            let _ = text.parse::<PairingCode>();
        }
    }
}
