//! Texts and records: pairing codes, licences, handshakes, events of the ledger.

use tresen_identity::{
    BrowserGreeting, BrowserProof, KeyPair, Licence, PairAnswer, PairRequest, PairingCode, Secret,
};

/// A pairing code that can be read says the same when it is written again.
pub fn pairing_code(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(code) = text.parse::<PairingCode>() {
        let again: PairingCode = code.to_string().parse().expect("what is written can be read");
        assert_eq!(code.to_string(), again.to_string());
    }
}

/// No text is a licence but one that was signed.
pub fn licence(bytes: &[u8]) {
    let issuer = KeyPair::from_seed(&Secret::new([5; 32]));
    assert!(Licence::read(&String::from_utf8_lossy(bytes), &[issuer.public_key()]).is_err());
}

/// Handshakes of devices and browsers.
pub fn handshake(bytes: &[u8]) {
    let _ = serde_json::from_slice::<PairRequest>(bytes);
    let _ = serde_json::from_slice::<PairAnswer>(bytes);
    let _ = serde_json::from_slice::<BrowserGreeting>(bytes);
    let _ = serde_json::from_slice::<BrowserProof>(bytes);
}

/// Events as they stand in the ledger.
pub fn events(bytes: &[u8]) {
    let _ = tresen_till::decode_events(bytes);
}
