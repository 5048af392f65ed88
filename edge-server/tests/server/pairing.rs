//! Pairing and revocation.

use p256::ecdsa::SigningKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tresen_identity::{DeviceClass, PairAnswer, RefusalReason};
use tresen_wire::CloseCode;

use crate::client::{Client, Native, browser_spki, goodbye, paired_browser};
use crate::world::World;

/// Promise: a code pairs one device; the device comes back without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_for_one_device() {
    let world = World::open().await;
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let device = Native::new(1);
    let (answer, wire) = device.pair(world.port(), &code).await;
    assert_eq!(
        answer,
        PairAnswer::Paired { device: device.key.fingerprint(), server: site.name, station: Some(1) }
    );
    Client::new(wire).see("Anna").await;

    let (answer, _) = Native::new(2).pair(world.port(), &code).await;
    assert!(matches!(answer, PairAnswer::Refused { reason: RefusalReason::Closed, .. }), "{answer:?}");

    Client::new(device.connect(world.port(), site.name).await).see("Anna").await;
}

/// Promise: a server with another key is not talked to.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_refuses_another_server() {
    let world = World::open().await;
    let device = Native::new(1);
    assert!(device.dial(world.port(), device.key.fingerprint()).await.is_err());
}

/// Promise: an unknown key may do nothing but pair.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_not_let_in() {
    let world = World::open().await;
    let mut client = Client::new(Native::new(7).connect(world.port(), world.server.site.name).await);
    assert_eq!(client.closing().await, CloseCode::Unauthorised);
    assert!(client.receiver.root().is_none());
}

/// Promise: revocation ends the session at once, and for good.
#[tokio::test(flavor = "multi_thread")]
async fn revocation_ends_the_session() {
    let world = World::open().await;
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let device = Native::new(1);
    let mut client = Client::new(device.pair(world.port(), &code).await.1);
    client.see("Anna").await;
    site.registry.revoke(device.key.fingerprint()).await.unwrap();
    assert_eq!(client.closing().await, CloseCode::Revoked);
    let mut wire = device.connect(world.port(), site.name).await;
    wire.outgoing.send(b"anything".to_vec()).unwrap();
    assert_eq!(goodbye(&mut wire.incoming).await, CloseCode::Revoked);
}

/// Promise: a browser pairs once with its own key and proves it from then on; another key does not pass for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_pairs_once_and_proves_its_key() {
    let world = World::open().await;
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let key = SigningKey::from_slice(&[5; 32]).unwrap();
    let request = serde_json::json!({"pair": {
        "secret": code.secret.to_text(), "name": "Chrome", "key": browser_spki(&key),
    }})
    .to_string();
    let answer = post(world.port(), "/pair", &request).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#"{"paired":"#), "{answer}");
    let answer = post(world.port(), "/pair", &request).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains(r#""reason":"closed""#), "{answer}");
    let mut paired = Client::new(paired_browser(world.port(), &key).await);
    paired.see("Anna").await;

    let stranger = SigningKey::from_slice(&[6; 32]).unwrap();
    let mut client = Client::new(paired_browser(world.port(), &stranger).await);
    assert_eq!(client.closing().await, CloseCode::Unauthorised);

    for device in site.registry.snapshot().devices.keys() {
        site.registry.revoke(*device).await.unwrap();
    }
    assert_eq!(paired.closing().await, CloseCode::Revoked);
    let mut again = Client::new(paired_browser(world.port(), &key).await);
    assert_eq!(again.closing().await, CloseCode::Revoked, "it is told why, as over QUIC");
}

/// Promise: what is no request to pair is answered, not believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_uses_nothing_up() {
    let world = World::open().await;
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    for body in ["", "{}", r#"{"pair":{"secret":"x","name":"y","key":"z"}}"#, &"x".repeat(10_000)] {
        let answer = post(world.port(), "/pair", body).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let (answer, _) = Native::new(1).pair(world.port(), &code).await;
    assert!(matches!(answer, PairAnswer::Paired { .. }));
}

async fn post(port: u16, path: &str, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}
