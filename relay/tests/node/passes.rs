//! TLS from browsers, passed on by the name in its first message: a node, a box that answers with its own certificate, browsers and those who only claim to be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tresen_identity::{Certificate, PublicPlace, Secret, https_client_config, https_config};
use tresen_path::{FromNode, Party, Revocation, Subject};
use tresen_reach::{Pass, Passes};
use tresen_relay::{PassLimits, Settings};

use crate::common::eventually;
use crate::world::{BOX, Edge, PATIENCE, World, edge_name, hear, key, now_s, saved};

pub const DOMAIN: &str = "tills.example";

/// A relay that passes TLS on, and a box that takes it.
pub struct Passing {
    pub world: World,
    edge: Option<Edge>,
    pub at: SocketAddr,
    place: PublicPlace,
}

impl Passing {
    async fn new(limits: PassLimits) -> Self {
        let world = World::with(|settings| Settings { passes: limits, ..settings }).await;
        let mut passing = Self::at(world).await;
        passing.come().await;
        passing
    }

    /// At this node, without the box.
    pub async fn at(world: World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let place = PublicPlace::new(DOMAIN, at.port()).expect("a domain");
        world.relay.pass(listener, place.clone());
        Self { world, edge: None, at, place }
    }

    /// The box comes.
    pub async fn come(&mut self) {
        let mut edge = self.world.edge().await;
        let Ok(FromNode::Public(told)) = hear(&mut edge.control).await else { panic!("not told") };
        assert_eq!(told, self.place);
        tokio::spawn(serve(edge.control.passes(64)));
        self.edge = Some(edge);
    }

    /// The box goes.
    pub fn go(&mut self) {
        self.edge.take().expect("here").control.close();
    }

    /// A browser that has connected and done the handshake with whoever holds the name.
    pub async fn browser(&self) -> std::io::Result<TlsStream<TcpStream>> {
        self.browser_from(TcpStream::connect(self.at).await?).await
    }

    pub async fn browser_from(&self, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(self.place.host(&key(BOX).fingerprint())).expect("a name");
        let config = https_client_config(key(BOX).fingerprint()).expect("TLS");
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await
    }
}

/// The box: TLS with its own key, and every byte back; `!` at the beginning gets who is there.
async fn serve(passes: Passes) {
    let certificate = Certificate::for_key_pair(&key(BOX)).expect("a certificate");
    let browsers = Certificate::for_browsers(&Secret::new([4; 32]), "Box", &[]).expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(https_config(certificate, browsers).expect("TLS")));
    while let Some(Pass { from, stream }) = passes.next().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let mut stream = acceptor.accept(stream).await?;
            let mut piece = [0; 4096];
            loop {
                let count = stream.read(&mut piece).await?;
                match &piece[..count] {
                    [] => return stream.shutdown().await,
                    [b'!', ..] => stream.write_all(from.to_string().as_bytes()).await?,
                    said => stream.write_all(said).await?,
                }
                stream.flush().await?;
            }
        });
    }
}

/// Whether what is said comes back.
pub async fn answers(browser: &mut TlsStream<TcpStream>) -> bool {
    let talking = async {
        browser.write_all(b"hello").await.ok()?;
        let mut back = [0; 5];
        browser.read_exact(&mut back).await.ok()?;
        Some(&back == b"hello")
    };
    timeout(Duration::from_secs(3), talking).await.ok().flatten().unwrap_or(false)
}

/// How long until the node ends a connection, and what it said.
pub async fn ended(mut tcp: TcpStream) -> (Duration, Vec<u8>) {
    let (start, mut said) = (Instant::now(), Vec::new());
    let _ = timeout(PATIENCE, tcp.read_to_end(&mut said)).await.expect("it ends");
    (start.elapsed(), said)
}

/// Promise: a browser talks TLS with its box through the relay, end to end, and the box hears from where; large things arrive whole both ways, and an end of
/// one direction is carried.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_talks_with_its_box() {
    let passing = Passing::new(PassLimits::default()).await;
    let tcp = TcpStream::connect(passing.at).await.expect("a connection");
    let own = tcp.local_addr().expect("an address").to_string();
    let mut browser = passing.browser_from(tcp).await.expect("TLS");
    browser.write_all(b"!").await.expect("open");
    let mut from = vec![0; own.len()];
    browser.read_exact(&mut from).await.expect("an answer");
    assert_eq!(String::from_utf8_lossy(&from), own);
    let (mut read, mut write) = tokio::io::split(browser);
    let sent: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8 | 0x80).collect();
    let expected = sent.clone();
    let writing = tokio::spawn(async move {
        write.write_all(&sent).await?;
        write.shutdown().await
    });
    let mut back = Vec::new();
    timeout(PATIENCE, read.read_to_end(&mut back)).await.expect("in time").expect("whole");
    writing.await.expect("no panic").expect("open");
    assert!(back == expected, "{} bytes came back", back.len());
}

/// Promise: who wants nobody, somebody unknown, or no TLS at all, is let go at once, without a word.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_names_are_let_go() {
    let passing = Passing::new(PassLimits::default()).await;
    let elsewhere = format!("{}.other.example", key(BOX).fingerprint());
    let nobody = passing.place.host(&key(9).fingerprint());
    for name in [elsewhere.as_str(), nobody.as_str(), DOMAIN, "127.0.0.1"] {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let config = https_client_config(key(BOX).fingerprint()).expect("TLS");
        let tcp = TcpStream::connect(passing.at).await.expect("a connection");
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, tcp);
        assert!(timeout(Duration::from_secs(2), connecting).await.expect("at once").is_err());
    }
    let mut plain = TcpStream::connect(passing.at).await.expect("a connection");
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("open");
    let (after, said) = ended(plain).await;
    assert!(after < Duration::from_secs(2) && said.is_empty());
    assert!(answers(&mut passing.browser().await.expect("TLS")).await);
}

/// Promise: hellos that are half, slow or giant end within seconds, whatever else they do, and browsers go on meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_giant_hellos_end() {
    let passing = Passing::new(PassLimits::default()).await;
    let mut live = passing.browser().await.expect("TLS");
    let mut hostile = Vec::new();
    for number in 0..60 {
        let mut tcp = TcpStream::connect(passing.at).await.expect("a connection");
        hostile.push(tokio::spawn(async move {
            match number % 3 {
                // Half-open: nothing at all.
                0 => {}
                // One byte a second of a hello.
                1 => {
                    for byte in [0x16, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb, 3, 3] {
                        if tcp.write_all(&[byte]).await.is_err() {
                            break;
                        }
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
                // 100 KB that claim to be one.
                _ => {
                    let record = [&[0x16, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
                    let mut giant = record.repeat(7);
                    giant[5..9].copy_from_slice(&[1, 1, 0x86, 0xa0]);
                    let _ = tcp.write_all(&giant).await;
                }
            }
            ended(tcp).await
        }));
    }
    let start = Instant::now();
    for hostile in hostile {
        assert!(answers(&mut live).await);
        let (_, said) = hostile.await.expect("no panic");
        assert!(said.is_empty());
    }
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(answers(&mut live).await);
}

/// Promise: there are no more streams to an edge server and from a network than there may be; who is there stays, and who leaves makes room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_are_bounded() {
    let limits = PassLimits { edge: 2, network: 4, ..PassLimits::default() };
    let passing = Passing::new(limits).await;
    let mut first = passing.browser().await.expect("TLS");
    let mut second = passing.browser().await.expect("TLS");
    assert!(answers(&mut first).await && answers(&mut second).await);
    assert!(passing.browser().await.is_err(), "the box has two");
    let mut silent = Vec::new();
    for _ in 0..6 {
        silent.push(TcpStream::connect(passing.at).await.expect("a connection"));
    }
    let until = join_all(silent.into_iter().map(ended)).await;
    let refused = until.iter().filter(|(after, _)| *after < Duration::from_secs(2)).count();
    assert!(refused >= 4, "the network has four: {until:?}");
    assert!(answers(&mut first).await && answers(&mut second).await);
    drop(second);
    let limit = Instant::now() + PATIENCE;
    while passing.browser().await.is_err() {
        assert!(Instant::now() < limit, "who left makes room");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(answers(&mut first).await);
}

/// Promise: connections that say nothing, and hellos after which nothing comes, keep no browser out, however many there are; whoever is at work stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_nothing_makes_room() {
    let passing = Passing::new(PassLimits { node: 8, edge: 4, ..PassLimits::default() }).await;
    let mut first = passing.browser().await.expect("TLS");
    assert!(answers(&mut first).await);
    let hello = {
        let mut bytes = Vec::new();
        let config = https_client_config(key(BOX).fingerprint()).expect("TLS");
        let name = ServerName::try_from(passing.place.host(&key(BOX).fingerprint())).expect("a name");
        let mut client = rustls::ClientConnection::new(Arc::new(config), name).expect("a client");
        client.write_tls(&mut bytes).expect("memory");
        bytes
    };
    let open = || passing.world.relay.node.open_passes();
    for said in [&[][..], &hello] {
        let mut hostile = Vec::new();
        for _ in 0..20 {
            let mut tcp = TcpStream::connect(passing.at).await.expect("a connection");
            tcp.write_all(said).await.expect("open");
            hostile.push(tcp);
        }
        let filled = if said.is_empty() { 8 } else { 4 };
        eventually("it is full", async || open() == filled).await;
        let mut newcomer = passing.browser().await.expect("a browser finds a place");
        assert!(answers(&mut newcomer).await && answers(&mut first).await);
        drop((hostile, newcomer));
        eventually("the places are free again", async || open() == 1).await;
    }
}

/// Promise: passes end when their edge server leaves or is taken out, and nobody comes to it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passes_end_with_their_edge_server() {
    let passing = Passing::new(PassLimits::default()).await;
    let mut browser = passing.browser().await.expect("TLS");
    assert!(answers(&mut browser).await);
    let revocation = Revocation::of_all_tokens(now_s(), Subject::Party(Party::Edge(edge_name())));
    saved(passing.world.relay.node.revoke(revocation).await);
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(2), browser.read_to_end(&mut rest)).await.expect("at once");
    assert!(passing.browser().await.is_err());

    let mut passing = Passing::new(PassLimits::default()).await;
    let mut browser = passing.browser().await.expect("TLS");
    passing.go();
    let _ = timeout(Duration::from_secs(2), browser.read_to_end(&mut rest)).await.expect("at once");
    let gone = timeout(Duration::from_secs(2), passing.browser()).await.expect("at once");
    assert!(gone.is_err());
}

/// Promise: a browser that does not read holds up neither others nor what the box has to say to the relay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_holds_up_nobody() {
    let mut passing = Passing::new(PassLimits::default()).await;
    let mut stuck = Vec::new();
    for _ in 0..8 {
        let mut browser = passing.browser().await.expect("TLS");
        let flood = vec![b'x'; 100_000];
        while timeout(Duration::from_millis(200), browser.write_all(&flood))
            .await
            .is_ok_and(|sent| sent.is_ok())
        {}
        stuck.push(browser);
    }
    let mut browser = passing.browser().await.expect("TLS");
    assert!(answers(&mut browser).await);
    let end = crate::world::end(None);
    let mut caller = passing.world.control(&end, &key(2)).await;
    caller.say(&tresen_path::ToNode::Call(edge_name())).await.expect("said");
    let control = &mut passing.edge.as_mut().expect("here").control;
    assert!(matches!(hear(control).await, Ok(FromNode::Call(..))));
    control.say(&tresen_path::ToNode::TurnAway(key(2).fingerprint())).await.expect("said");
    assert!(matches!(hear(&mut caller).await, Ok(FromNode::Refused)));
}
