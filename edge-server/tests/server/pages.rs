//! What is served over HTTP on the same port.

use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tresen_identity::fingerprint_of_certificate;

use crate::curious::Curious;
use crate::world::World;

/// Promise: TLS and plain HTTP share a port; whoever knows Ed25519 sees the server's name, a browser a key that it knows.
#[tokio::test(flavor = "multi_thread")]
async fn tls_and_plain_http_share_a_port() {
    let world = World::open().await;
    let plain = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
    assert!(get(plain, "/health").await.starts_with("HTTP/1.1 200"));

    for (scheme, is_name) in
        [(SignatureScheme::ED25519, true), (SignatureScheme::ECDSA_NISTP256_SHA256, false)]
    {
        let stream = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = connector(scheme).connect(name, stream).await.unwrap();
        let shown = stream.get_ref().1.peer_certificates().unwrap()[0].clone();
        assert_eq!(fingerprint_of_certificate(&shown).unwrap() == world.server.site.name, is_name);
        assert!(get(stream, "/health").await.starts_with("HTTP/1.1 200"));
    }
}

/// Promise: the handheld's page is there, or a page that says how to build it.
#[tokio::test(flavor = "multi_thread")]
async fn the_handheld_has_a_page() {
    let world = World::open().await;
    for path in ["/", "/pair"] {
        let stream = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
        let answer = get(stream, path).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Tresen"), "{answer}");
    }
    let stream = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
    assert!(get(stream, "/nothing.js").await.starts_with("HTTP/1.1 404"));
}

/// Promise: a web page that points a name of its own at this machine reads nothing through the browser here (DNS rebinding).
#[tokio::test(flavor = "multi_thread")]
async fn plain_http_answers_to_this_machines_names_only() {
    let world = World::open().await;
    for path in ["/", "/metrics", "/office/login", "/office/setup"] {
        for (host, misdirected) in [("evil.example", true), ("localhost:1", false), ("[::1]:1", false)] {
            let stream = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
            let answer = get_from(stream, path, host).await;
            assert_eq!(answer.starts_with("HTTP/1.1 421"), misdirected, "{host}{path}: {answer}");
        }
    }
}

async fn get(stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> String {
    get_from(stream, path, "localhost").await
}

async fn get_from(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str, host: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

fn connector(scheme: SignatureScheme) -> TlsConnector {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Curious(vec![scheme])))
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}
