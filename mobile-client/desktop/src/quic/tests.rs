//! Real QUIC at both ends in simulated time; the networks between them are in memory and lose nothing until they are left.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, EndpointConfig, ServerConfig, TokioRuntime, UdpPoller};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, sleep_until};
use tresen_identity::{Secret, quic_server_config};
use tresen_wire::limits::DEVICE_STREAMS;

use super::*;

const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 8443);
/// What a round trip may take beside its time on the way.
const SLACK: Duration = Duration::from_millis(5);
/// As long as a hello, its welcome, a tap and a screen may be.
const HELLO_BYTES: usize = 60;
const WELCOME_BYTES: usize = 120;
const TAP_BYTES: usize = 70;
const SCREEN_BYTES: usize = 900;

/// First bytes of messages.
const HELLO: u8 = 1;
const TAP: u8 = 2;
/// The server takes it and says nothing.
const UNANSWERED: u8 = 3;

#[derive(Debug)]
struct Datagram {
    due: Instant,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// Everything between client and server.
#[derive(Debug)]
struct Networks {
    one_way: Duration,
    ways: UnboundedSender<Datagram>,
    sockets: Mutex<HashMap<SocketAddr, UnboundedSender<Datagram>>>,
}

#[derive(Debug)]
struct MemorySocket {
    networks: Arc<Networks>,
    address: SocketAddr,
    incoming: Mutex<UnboundedReceiver<Datagram>>,
}

impl Networks {
    fn start(round_trip: Duration) -> Arc<Self> {
        let (ways, mut under_way) = unbounded_channel::<Datagram>();
        let networks = Arc::new(Self { one_way: round_trip / 2, ways, sockets: Mutex::default() });
        let carrying = Arc::downgrade(&networks);
        tokio::spawn(async move {
            while let Some(datagram) = under_way.recv().await {
                sleep_until(datagram.due).await;
                let Some(networks) = carrying.upgrade() else { return };
                let sockets = networks.sockets.lock().unwrap_or_else(PoisonError::into_inner);
                if sockets.contains_key(&datagram.from)
                    && let Some(socket) = sockets.get(&datagram.to)
                {
                    let _ = socket.send(datagram);
                }
            }
        });
        networks
    }

    fn socket(self: &Arc<Self>, address: SocketAddr) -> Arc<MemorySocket> {
        let (sender, incoming) = unbounded_channel();
        self.sockets.lock().unwrap().insert(address, sender);
        Arc::new(MemorySocket { networks: self.clone(), address, incoming: Mutex::new(incoming) })
    }

    /// Nothing comes from there or gets there any more, not even what is under way.
    fn leave(&self, address: SocketAddr) {
        self.sockets.lock().unwrap().remove(&address);
    }
}

impl AsyncUdpSocket for MemorySocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(AlwaysWritable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let due = Instant::now() + self.networks.one_way;
        let (from, to, bytes) = (self.address, transmit.destination, transmit.contents.to_vec());
        let _ = self.networks.ways.send(Datagram { due, from, to, bytes });
        Ok(())
    }

    fn poll_recv(
        &self,
        context: &mut TaskContext<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let Some(datagram) = ready!(self.incoming.lock().unwrap().poll_recv(context)) else {
            return Poll::Pending;
        };
        let len = datagram.bytes.len();
        buffers[0][..len].copy_from_slice(&datagram.bytes);
        meta[0] = RecvMeta { addr: datagram.from, len, stride: len, ..RecvMeta::default() };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

#[derive(Debug)]
struct AlwaysWritable;

impl UdpPoller for AlwaysWritable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn endpoint(socket: Arc<MemorySocket>, config: Option<ServerConfig>) -> Endpoint {
    Endpoint::new_with_abstract_socket(EndpointConfig::default(), config, socket, Arc::new(TokioRuntime))
        .unwrap()
}

fn key(byte: u8) -> KeyPair {
    KeyPair::from_seed(&Secret::new([byte; 32]))
}

/// A server with the limits of the real one, which answers every message.
async fn serve(endpoint: Endpoint) {
    let connection = endpoint.accept().await.unwrap().await.unwrap();
    while let Ok((send, receive)) = connection.accept_bi().await {
        tokio::spawn(serve_stream(send, receive));
    }
}

async fn serve_stream(mut send: SendStream, mut receive: RecvStream) {
    let mut reassembly = Reassembly::default();
    while let Ok(Some(chunk)) = receive.read_chunk(PIECE_BYTES, true).await {
        reassembly.push(&chunk.bytes);
        while let Some(mut message) = reassembly.next_message().unwrap() {
            if message[0] == UNANSWERED {
                continue;
            }
            message.resize(if message[0] == HELLO { WELCOME_BYTES } else { SCREEN_BYTES }, 0);
            if send.write_all(&framed(&message)).await.is_err() {
                break;
            }
        }
    }
    let _ = send.reset(VarInt::from_u32(STREAM_GIVEN_UP));
}

/// What is lost with the old network.
#[derive(Clone, Copy, Debug)]
enum Lost {
    Answer,
    /// It was made without a network.
    Tap,
    /// The tap, and the hello in a network that was gone before a word came back.
    Hello,
}

/// What another network changes for the server.
#[derive(Clone, Copy, Debug)]
enum Changes {
    Address,
    Port,
}

struct Device {
    networks: Arc<Networks>,
    at: SocketAddr,
    link: QuicLink,
}

impl Device {
    async fn connect(round_trip: Duration) -> Self {
        let networks = Networks::start(round_trip);
        let tls = quic_server_config(Certificate::for_key_pair(&key(1)).unwrap()).unwrap();
        let mut server = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()));
        let mut transport = TransportConfig::default();
        transport.max_concurrent_bidi_streams(DEVICE_STREAMS.into());
        server.transport_config(Arc::new(transport));
        tokio::spawn(serve(endpoint(networks.socket(SERVER), Some(server))));
        let at = SocketAddr::from(([198, 51, 100, 1], 40_000));
        let near = endpoint(networks.socket(at), None);
        let config = config(key(1).fingerprint(), &key(2)).unwrap();
        let mut device = Self { networks, at, link: connect_from(near, SERVER, config).await.unwrap() };
        device.link.send(&message(HELLO, 0)).await.unwrap();
        device.until_answer(HELLO, 0).await;
        device
    }

    async fn until_answer(&mut self, what: u8, number: u8) {
        loop {
            let answer = self.link.receive().await.unwrap().expect("the server stays");
            if answer[..2] == [what, number] {
                return;
            }
        }
    }

    /// Loses its network for so long, and returns how long the tap of the old one then waits for its answer in another one.
    async fn roam(&mut self, number: u8, lost: Lost, changes: Changes, away: Duration) -> Duration {
        let tap = message(TAP, number);
        match lost {
            Lost::Answer => {
                self.link.send(&tap).await.unwrap();
                sleep(self.networks.one_way + SLACK).await;
                self.networks.leave(self.at);
            }
            Lost::Tap | Lost::Hello => {
                self.networks.leave(self.at);
                self.link.send(&tap).await.unwrap();
            }
        }
        sleep(away).await;
        if matches!(lost, Lost::Hello) {
            self.go_on(number, changes).await;
            self.networks.leave(self.at);
            sleep(away).await;
        }
        let there = Instant::now();
        self.go_on(number, changes).await;
        self.until_answer(TAP, number).await;
        there.elapsed()
    }

    async fn go_on(&mut self, number: u8, changes: Changes) {
        match (changes, self.at.ip()) {
            (Changes::Address, IpAddr::V4(ip)) => {
                self.at.set_ip(Ipv4Addr::from_bits(ip.to_bits() + 1).into())
            }
            _ => self.at.set_port(self.at.port() + 1),
        }
        self.link.endpoint.rebind_abstract(self.networks.socket(self.at)).unwrap();
        self.link.next_stream().expect("another stream");
        self.link.send(&message(HELLO, number)).await.unwrap();
        self.link.send(&message(TAP, number)).await.unwrap();
    }
}

fn message(what: u8, number: u8) -> Vec<u8> {
    let mut message = vec![what, number];
    message.resize(if what == HELLO { HELLO_BYTES } else { TAP_BYTES }, 0);
    message
}

/// How networks change.
struct Journey {
    round_trip_ms: u64,
    /// Between two networks.
    away_ms: u64,
    /// In a network, after the answer.
    settled_ms: u64,
    moves: u8,
}

const JOURNEYS: [Journey; 5] = [
    Journey { round_trip_ms: 150, away_ms: 1_000, settled_ms: 1_000, moves: 100 },
    Journey { round_trip_ms: 300, away_ms: 200, settled_ms: 5_000, moves: 100 },
    // Acknowledgements of an answer do not get away before the network is lost again.
    Journey { round_trip_ms: 150, away_ms: 1_000, settled_ms: 60, moves: 7 },
    Journey { round_trip_ms: 300, away_ms: 1_000, settled_ms: 60, moves: 7 },
    Journey { round_trip_ms: 40, away_ms: 10_000, settled_ms: 60, moves: 7 },
];

/// Promise: in another network the first answer is there after one round trip, move after move upon one connection, whatever was lost and
/// for however long there was no network.
#[tokio::test(start_paused = true)]
async fn the_first_answer_in_another_network_takes_one_round_trip() {
    for Journey { round_trip_ms, away_ms, settled_ms, moves } in JOURNEYS {
        let round_trip = Duration::from_millis(round_trip_ms);
        for lost in [Lost::Answer, Lost::Tap, Lost::Hello] {
            for changes in [Changes::Address, Changes::Port] {
                let mut device = Device::connect(round_trip).await;
                for number in 0..moves {
                    sleep(Duration::from_millis(settled_ms)).await;
                    let took = device.roam(number, lost, changes, Duration::from_millis(away_ms)).await;
                    assert!(
                        took <= round_trip + SLACK,
                        "{took:?} of {round_trip:?} at move {number}; {lost:?} lost, another {changes:?}, away {away_ms} ms"
                    );
                }
            }
        }
    }
}

/// Promise: a device can tell a server that does not answer from one that it does not reach.
#[tokio::test(start_paused = true)]
async fn a_silent_server_is_told_from_one_that_is_gone() {
    let mut device = Device::connect(Duration::from_millis(40)).await;
    sleep(Duration::from_secs(1)).await;
    let is_there = async |device: &mut Device| {
        let before = device.link.acknowledgements();
        device.link.send(&message(UNANSWERED, 0)).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        device.link.acknowledgements() > before
    };
    assert!(is_there(&mut device).await, "it is there");
    device.networks.leave(SERVER);
    assert!(!is_there(&mut device).await, "it is gone");
}
