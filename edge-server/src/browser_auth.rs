//! How a browser proves who it is. The messages are specified in `tresen_identity`, module `handshake`; in short:
//!
//! - `POST /pair` with `{"pair":{"secret":"…","name":"…","key":"<base64url SPKI of a P-256 key>"}}`, once, answers `{"paired":{…}}` (200) or
//!   `{"refused":{"reason":"…","text":"…"}}` (403);
//! - on the WebSocket `/session` the server begins with the text `{"server":"…","challenge":"<base64url>","loopback":false,"relayed":false}`, the browser answers with the text
//!   `{"browser":{"key":"<base64url SPKI>","signature":"<base64url r||s>"}}`, a native device without UDP `{"device":{…}}`, or `{"loopback":{"tab":"<base64url of 16 random bytes>"}}` when the server offered it;
//!   then binary wire messages follow, the browser's hello first.
//!
//! **Loopback without pairing** is offered only in the demo, only to a peer on a loopback address, and only when `Host` and `Origin` name
//! a loopback host as well. Without the latter two any web page could reach the till through the browser on this machine, by its own
//! name pointed at 127.0.0.1 (DNS rebinding) or by a plain cross-origin WebSocket. For paired browsers `Origin` must be the same host as `Host`.

use std::sync::Arc;

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tresen_identity::{
    BrowserGreeting, BrowserKey, BrowserProof, Challenge, DeviceClass, Domain, Fingerprint, PublicKey,
    session_message,
};

use crate::net::home::{host_and_port, is_at_home};
use crate::net::tcp::{Peer, Via};
use crate::registry::{Device, DeviceKey, RegistryError};
use crate::site::Site;

/// Random bytes that a tab names itself with.
const TAB_BYTES: usize = 16;

/// What a browser may do, by where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Only what a paired browser may.
    Paired,
    /// Also attach without being paired.
    Loopback,
}

/// A challenge that was sent, waiting for its answer.
pub struct Asked {
    challenge: Challenge,
    offer: Offer,
}

/// Why a browser was not believed.
#[derive(Debug, thiserror::Error)]
pub enum Disbelief {
    /// Not one of the messages above.
    #[error("its proof is malformed")]
    Malformed,
    /// The key did not sign the challenge.
    #[error(transparent)]
    Key(#[from] tresen_identity::BrowserKeyError),
    /// The device's key did not sign the challenge.
    #[error(transparent)]
    Device(#[from] tresen_identity::SignatureError),
    /// It claims to be on this machine, which it is not, or this is not the demo.
    #[error("it is not a browser on the demo's own machine")]
    NotLoopback,
    /// The browser could not be noted.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// What a request's origin allows; `None` when it is a foreign page's, or none.
#[must_use]
pub fn offer(demo: bool, peer: Peer, headers: &HeaderMap) -> Option<Offer> {
    let host = host_and_port(headers.get(HOST)?.to_str().ok()?)?;
    let origin: Uri = headers.get(ORIGIN)?.to_str().ok()?.parse().ok()?;
    let origin = host_and_port(origin.authority()?.as_str())?;
    if host != origin {
        return None;
    }
    let loopback = demo && is_at_home(peer, headers);
    Some(if loopback { Offer::Loopback } else { Offer::Paired })
}

/// Asks a browser to prove who it is.
#[must_use]
pub fn ask(server: Fingerprint, offer: Offer, via: Via, random: [u8; 32]) -> (BrowserGreeting, Asked) {
    let challenge = Challenge(random);
    let greeting = BrowserGreeting {
        server,
        challenge: URL_SAFE_NO_PAD.encode(random),
        loopback: offer == Offer::Loopback,
        relayed: via == Via::Relay,
    };
    (greeting, Asked { challenge, offer })
}

/// Believes or disbelieves a browser's answer: its device. Whether the device may attach is not decided here.
///
/// # Errors
/// When it is not believed.
pub async fn believe(site: &Arc<Site>, asked: &Asked, answer: &str) -> Result<Fingerprint, Disbelief> {
    match serde_json::from_str(answer).map_err(|_| Disbelief::Malformed)? {
        BrowserProof::Browser { key, signature } => {
            let key = browser_key(&key).ok_or(Disbelief::Malformed)?;
            let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Disbelief::Malformed)?;
            key.verify(&site.name, &asked.challenge, &signature)?;
            Ok(key.fingerprint())
        }
        BrowserProof::Device { key, signature } => {
            let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Disbelief::Malformed);
            let key = bytes(&key)?.try_into().map_err(|_| Disbelief::Malformed)?;
            let signature = bytes(&signature)?.try_into().map_err(|_| Disbelief::Malformed)?;
            let key = PublicKey::from_bytes(&key)?;
            let message = session_message(&site.name, &asked.challenge);
            key.verify(Domain::DeviceSession, &message, &signature)?;
            Ok(key.fingerprint())
        }
        BrowserProof::Loopback { tab } => {
            if asked.offer != Offer::Loopback {
                return Err(Disbelief::NotLoopback);
            }
            let tab = URL_SAFE_NO_PAD.decode(tab).map_err(|_| Disbelief::Malformed)?;
            if tab.len() != TAB_BYTES {
                return Err(Disbelief::Malformed);
            }
            let device = Fingerprint::of_spki(&[b"tresen loopback tab\0", tab.as_slice()].concat());
            note_tab(site, device).await?;
            Ok(device)
        }
    }
}

/// A public key as browsers send it.
#[must_use]
pub fn browser_key(text: &str) -> Option<BrowserKey> {
    BrowserKey::from_spki(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// A tab of the demo's own machine is a device from its first visit on.
async fn note_tab(site: &Arc<Site>, device: Fingerprint) -> Result<(), RegistryError> {
    if site.registry.snapshot().devices.contains_key(&device) {
        return Ok(());
    }
    let now = site.clock.now();
    site.registry
        .enrol(Device {
            id: device,
            name: format!("Browser {}", &device.short()[..4]),
            class: DeviceClass::Mpos,
            key: DeviceKey::Loopback,
            station: None,
            last_station: None,
            paired_at: now,
            last_seen: Some(now),
            revoked: false,
            confirmed: true,
        })
        .await
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn offered(demo: bool, peer: &str, host: &str, origin: &str) -> Option<Offer> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        offer(demo, Peer { address: peer.parse().unwrap(), tls: false, via: Via::Port }, &headers)
    }

    #[test]
    fn only_pages_of_this_machine_on_this_machine_attach_without_pairing() {
        let home = "127.0.0.1:50000";
        assert_eq!(offered(true, home, "127.0.0.1:7843", "http://127.0.0.1:7843"), Some(Offer::Loopback));
        assert_eq!(offered(true, home, "localhost:7843", "http://localhost:7843"), Some(Offer::Loopback));
        assert_eq!(offered(true, "[::1]:5", "[::1]:7843", "http://[::1]:7843"), Some(Offer::Loopback));
        // Not the demo, not this machine, not by its name.
        assert_eq!(offered(false, home, "127.0.0.1:7843", "http://127.0.0.1:7843"), Some(Offer::Paired));
        assert_eq!(
            offered(true, "192.168.1.9:5", "127.0.0.1:7843", "http://127.0.0.1:7843"),
            Some(Offer::Paired)
        );
        assert_eq!(
            offered(true, home, "evil.example:7843", "http://evil.example:7843"),
            Some(Offer::Paired),
            "DNS rebinding"
        );
        assert_eq!(
            offered(true, home, "localhost.evil.example:7843", "http://localhost.evil.example:7843"),
            Some(Offer::Paired)
        );
    }

    #[test]
    fn a_foreign_page_gets_no_offer_at_all() {
        let home = "127.0.0.1:50000";
        assert_eq!(offered(true, home, "127.0.0.1:7843", "http://evil.example"), None);
        assert_eq!(offered(true, home, "127.0.0.1:7843", "http://127.0.0.1:8000"), None);
        assert_eq!(offered(true, home, "127.0.0.1:7843", "null"), None);
        let peer = Peer { address: home.parse().unwrap(), tls: false, via: Via::Port };
        assert_eq!(offer(true, peer, &HeaderMap::new()), None);
    }
}
