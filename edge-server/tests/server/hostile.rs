//! Hostile and broken peers: closed with a code, and nobody else notices.

use std::time::{Duration, Instant};

use futures_util::SinkExt;
use quinn::VarInt;
use tokio_tungstenite::tungstenite::{self, Message};
use tresen_identity::DeviceClass;
use tresen_wire::{CloseCode, Hello, Language, Look, STREAM_GIVEN_UP, Theme, ToServer, limits};

use crate::client::{Client, Native, dial, framed, goodbye, greeting, loopback, read};
use crate::world::World;

fn hello(versions: (u16, u16)) -> Vec<u8> {
    let look =
        Look { width_px: 360, height_px: 640, scale_100: 100, theme: Theme::Light, language: Language::En };
    ToServer::Hello(Hello { versions, table_kib: 8192, look, have: None, guesses: 0 }).encode()
}

/// Promise: broken, oversize and wrong first messages and frames close the connection with a code, and disturb nobody.
#[tokio::test(flavor = "multi_thread")]
async fn broken_messages_close_their_own_connection_only() {
    let world = World::open().await;
    let mut bystander = Client::tab(world.port(), 1).await;
    bystander.see("Anna").await;
    let cases: [(Vec<Vec<u8>>, CloseCode); 6] = [
        (vec![vec![0xff; 40]], CloseCode::Protocol),
        (vec![vec![]], CloseCode::Protocol),
        (vec![ToServer::Nak.encode()], CloseCode::Protocol),
        (vec![hello((900, 901))], CloseCode::Version),
        (vec![hello(limits::VERSIONS), vec![0xee; 9]], CloseCode::Protocol),
        (vec![hello(limits::VERSIONS), hello(limits::VERSIONS)], CloseCode::Protocol),
    ];
    for (tab, (messages, code)) in (10..).zip(cases) {
        let mut wire = loopback(world.port(), tab).await;
        for message in messages {
            wire.outgoing.send(message).unwrap();
        }
        assert_eq!(goodbye(&mut wire.incoming).await, code, "case {tab}");
    }
    let mut wire = loopback(world.port(), 30).await;
    wire.outgoing.send(hello(limits::VERSIONS)).unwrap();
    wire.outgoing.send(vec![2; limits::TO_SERVER_BYTES + 1]).unwrap();
    assert_eq!(goodbye(&mut wire.incoming).await, CloseCode::TooLarge);
    bystander.tap("Anna").await;
    assert!(bystander.closed.is_none());
}

/// Promise: the same over QUIC, where the length prefix is hostile too.
#[tokio::test(flavor = "multi_thread")]
async fn broken_lengths_close_a_quic_connection() {
    let world = World::open().await;
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let device = Native::new(1);
    drop(device.pair(world.port(), &code).await);
    let cases = [
        (vec![0xff, 0xff, 0xff, 0xff, 0xff], CloseCode::Protocol),
        (vec![0xff, 0xff, 0xff, 0x7f], CloseCode::TooLarge),
        (framed(&[0xff; 12]), CloseCode::Protocol),
        (framed(&[]), CloseCode::Protocol),
    ];
    for (bytes, code) in cases {
        let connection = device.dial(world.port(), site.name).await.unwrap();
        let (mut send, mut recv) = connection.open_bi().await.unwrap();
        send.write_all(&bytes).await.unwrap();
        let bye = read(&mut recv).await.expect("a goodbye");
        let tresen_wire::ToClient::Bye { code: said, .. } = tresen_wire::ToClient::decode(&bye).unwrap()
        else {
            panic!("no goodbye");
        };
        assert_eq!(said, code, "{bytes:?}");
    }
}

/// Promise: a device that goes on upon another stream in a loop is heard no more often than one that connects anew may be, and disturbs nobody.
#[tokio::test(flavor = "multi_thread")]
async fn streams_in_a_loop_are_taken_up_one_after_the_other() {
    const EVERY: Duration = Duration::from_millis(250);
    let world = World::open().await;
    let mut bystander = Client::tab(world.port(), 1).await;
    bystander.see("Anna").await;
    let site = &world.server.site;
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let device = Native::new(1);
    drop(device.pair(world.port(), &code).await);
    let connection = device.dial(world.port(), site.name).await.unwrap();
    let begun = Instant::now();
    let mut heard = 0;
    let given_up = VarInt::from_u32(STREAM_GIVEN_UP);
    let in_a_loop = async {
        loop {
            let (mut send, mut recv) = connection.open_bi().await.unwrap();
            send.write_all(&framed(&hello(limits::VERSIONS))).await.unwrap();
            read(&mut recv).await.expect("a welcome");
            heard += 1;
            send.reset(given_up).unwrap();
            recv.stop(given_up).unwrap();
        }
    };
    assert!(tokio::time::timeout(8 * EVERY, in_a_loop).await.is_err());
    assert!(heard > 1, "it is not heard again");
    assert!(heard <= 1 + begun.elapsed().div_duration_f64(EVERY) as u32, "{heard} times");
    bystander.tap("Anna").await;
    assert!(bystander.closed.is_none());
}

/// Promise: a page of another origin gets no session, and no word about the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_gets_no_session() {
    let world = World::open().await;
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        match dial(world.port(), origin).await {
            Err(tungstenite::Error::Http(response)) => assert_eq!(response.status(), 403),
            other => panic!("{origin}: {:?}", other.map(|_| ())),
        }
    }
}

/// Promise: a proof that is none gets a goodbye.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_proof_is_not_believed() {
    use futures_util::StreamExt;
    let world = World::open().await;
    let proofs = [
        "{}".to_owned(),
        r#"{"browser":{"key":"AAAA","signature":"AAAA"}}"#.into(),
        r#"{"loopback":{"tab":"AAAA"}}"#.into(),
        "x".repeat(3_000),
    ];
    for proof in proofs {
        let mut socket = dial(world.port(), &format!("http://127.0.0.1:{}", world.port())).await.unwrap();
        greeting(&mut socket).await;
        socket.send(Message::Text(proof.into())).await.unwrap();
        let Some(Ok(Message::Binary(bye))) = socket.next().await else { panic!("no goodbye") };
        assert!(matches!(tresen_wire::ToClient::decode(&bye), Ok(tresen_wire::ToClient::Bye { .. })));
    }
}
