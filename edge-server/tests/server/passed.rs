//! A browser that reaches a box by its public name through a relay, all of it real: TLS, pages, pairing, a session.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use p256::ecdsa::SigningKey;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tresen_edge::config::Config;
use tresen_edge::links::Way;
use tresen_edge::relay::join;
use tresen_edge::run::{RunOptions, start};
use tresen_identity::{BrowserKey, Certificate, DeviceClass, PublicPlace, https_client_config};
use tresen_ledger::Options;
use tresen_wire::CloseCode;

use crate::client::{Client, browser_spki, paired_on};
use crate::relayed::{Relay, eventually, relay};
use crate::world::World;

/// A box behind a relay that passes TLS on.
struct Front {
    relay: Relay,
    world: World,
    at: SocketAddr,
    place: PublicPlace,
}

impl Front {
    async fn open() -> Self {
        let (relay, at, place) = passing().await;
        let folder = tempfile::tempdir().unwrap();
        join(folder.path(), &relay.running.listen.to_string(), &relay.enrolment).await.unwrap();
        let front = Self { relay, world: World::again(folder).await, at, place };
        front.is_reached().await;
        front
    }

    /// Waits until browsers find the box, and see its certificate for the name that the relay told.
    async fn is_reached(&self) {
        let public = self.world.server.site.relay.public();
        eventually("the relay tells the public name", || public.borrow().is_some()).await;
        assert_eq!(public.borrow().as_ref(), Some(&self.place));
        let limit = tokio::time::Instant::now() + Duration::from_secs(20);
        while self.browser().await.is_err() {
            assert!(tokio::time::Instant::now() < limit, "browsers find the box");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn host(&self) -> String {
        self.place.host(&self.world.server.site.name)
    }

    fn authority(&self) -> String {
        self.place.authority(&self.world.server.site.name)
    }

    /// A browser that has accepted the box's own certificate, under the public name.
    async fn browser(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let site = &self.world.server.site;
        let key = site.data.browsers_key().unwrap();
        let own = Certificate::for_browsers(&key, &site.config.name, &[self.host()]).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(own.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = TcpStream::connect(self.at).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(self.host()).unwrap(), tcp).await
    }

    /// What is answered to a request that names this host.
    async fn ask(&self, head: &str, host: &str, body: &str) -> String {
        let mut stream = self.browser().await.unwrap();
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    async fn status(&self, head: &str, host: &str) -> String {
        self.ask(head, host, "").await.chars().skip("HTTP/1.1 ".len()).take(3).collect()
    }
}

async fn passing() -> (Relay, SocketAddr, PublicPlace) {
    let relay = relay().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let place = PublicPlace::new("tills.example", at.port()).unwrap();
    relay.running.pass(listener, place.clone());
    (relay, at, place)
}

/// Promise: a browser on any network pairs by a link and sells, under the box's public name, with the certificate for that name; the office says which way it
/// takes and from where; a revocation ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_pairs_and_sells_through_a_relay() {
    let front = Front::open().await;
    let site = &front.world.server.site;
    let page = front.ask("GET /", &front.authority(), "").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("Tresen"), "{page}");
    let code = site.pairing.open(&site.clock, DeviceClass::Mpos).unwrap();
    let link = site.pairing.link_from_anywhere(&code).unwrap();
    let start = format!("https://{}/pair#{}.{}", front.authority(), site.name, code.secret.to_text());
    assert_eq!(link, start);
    assert_eq!(code.relay.unwrap().public.as_ref(), Some(&front.place), "native clients learn it too");
    let key = SigningKey::from_slice(&[5; 32]).unwrap();
    let wish = serde_json::json!({"pair": {
        "secret": code.secret.to_text(), "name": "Chrome", "key": browser_spki(&key),
    }});
    let answer = front.ask("POST /pair", &front.authority(), &wish.to_string()).await;
    assert!(answer.contains(r#"{"paired":"#), "{answer}");

    let stream = front.browser().await.unwrap();
    let own_address = stream.get_ref().0.local_addr().unwrap();
    let mut request = format!("wss://{}/session", front.authority()).into_client_request().unwrap();
    let origin = format!("https://{}", front.authority());
    request.headers_mut().insert("origin", origin.parse().unwrap());
    let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    let (greeting, wire) = paired_on(socket, &key).await;
    assert!(greeting.relayed && !greeting.loopback, "this is the demo, and the browser on its machine");
    let mut client = Client::new(wire);
    client.log_in("Anna", "1234").await;
    client.tap("Table 4").await;
    client.book("Cola 0,33").await;
    let spki = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, browser_spki(&key));
    let device = BrowserKey::from_spki(&spki.unwrap()).unwrap().fingerprint();
    let record = site.links.record(device).unwrap();
    assert_eq!((record.way, record.address), (Way::Passed, own_address));
    site.registry.revoke(device).await.unwrap();
    assert_eq!(client.closing().await, CloseCode::Revoked);
}

/// Promise: nothing of what is for the box's own machine is there through a relay, though everybody is on one machine here; another host's name gets nothing; and
/// the back office is there only when the configuration says so.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_opens_no_other_door() {
    let front = Front::open().await;
    let (public, port) = (front.authority(), front.at.port());
    assert_eq!(front.status("GET /health", &public).await, "200");
    for head in ["GET /metrics", "POST /local/pair?class=mpos"] {
        assert_eq!(front.status(head, &public).await, "403", "{head}");
    }
    for path in ["/office", "/office/login", "/office/setup", "/office/assets/office.css"] {
        assert_eq!(front.status(&format!("GET {path}"), &public).await, "403", "{path}");
    }
    for host in ["127.0.0.1".to_owned(), format!("localhost:{port}"), format!("evil.example:{port}")] {
        for head in ["GET /", "GET /health", "GET /metrics", "GET /session"] {
            assert_eq!(front.status(head, &host).await, "421", "{head} of {host}");
        }
    }

    let Front { relay, world, at, place } = front;
    world.server.finish(CloseCode::ServerStopping, "").await;
    let mut config =
        Config { data: world.folder.path().to_owned(), port: 0, mdns: false, ..Config::default() };
    config.bind = vec![[127, 0, 0, 1].into()];
    config.public.office = true;
    let options = RunOptions { config, demo: true, applications: None, ledger: Options::default() };
    let server = start(options).await.unwrap();
    let front = Front { relay, world: World { server, folder: world.folder }, at, place };
    front.is_reached().await;
    assert_eq!(front.status("GET /office/login", &public).await, "200");
    assert_eq!(front.status("GET /metrics", &public).await, "403");
}

/// Promise: whoever knows the box's key and nothing else finds it under the public name too, and a server that stops ends what is passed on.
#[tokio::test(flavor = "multi_thread")]
async fn a_native_client_pins_the_box_through_a_relay() {
    let front = Front::open().await;
    let name = ServerName::try_from(front.host()).unwrap();
    let config = https_client_config(front.world.server.site.name).unwrap();
    let tcp = TcpStream::connect(front.at).await.unwrap();
    let pinned = TlsConnector::from(Arc::new(config)).connect(name, tcp).await;
    let mut pinned = pinned.unwrap();
    front.world.server.finish(CloseCode::ServerStopping, "").await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), pinned.read_to_end(&mut rest)).await;
    assert!(ended.is_ok() && rest.is_empty());
}
