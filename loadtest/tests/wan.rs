//! Promises of the network emulator with real sockets: traffic is treated as the profile says, many clients at once, the addresses and
//! outages as asked. Times are only held from below, and loosely from above: these tests share their machine.

#![allow(clippy::disallowed_methods, reason = "it measures real time")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tresen_loadtest::wan::Emulator;
use tresen_world::wan::Profile;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const PATIENCE: Duration = Duration::from_secs(10);

fn profile(text: &str) -> Profile {
    text.parse().unwrap()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind(ANY).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A server that sends everything back, and says from where it came.
fn echo() -> SocketAddr {
    let server = UdpSocket::bind(ANY).unwrap();
    let address = server.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 2_000];
        while let Ok((length, from)) = server.recv_from(&mut buffer) {
            let answer = [&from.port().to_be_bytes(), &buffer[..length]].concat();
            let _ = server.send_to(&answer, from);
        }
    });
    address
}

fn ask(client: &UdpSocket, text: &[u8]) -> Option<(u16, Vec<u8>)> {
    client.send(text).unwrap();
    hear(client)
}

fn hear(client: &UdpSocket) -> Option<(u16, Vec<u8>)> {
    let mut buffer = [0; 2_000];
    let length = client.recv(&mut buffer).ok()?;
    Some((u16::from_be_bytes([buffer[0], buffer[1]]), buffer[2..length].to_vec()))
}

#[test]
fn datagrams_take_their_time() {
    let emulator = Emulator::udp(ANY, echo(), profile("near"), 1).unwrap();
    let client = socket();
    client.connect(emulator.address()).unwrap();
    let mut times: Vec<Duration> = (0..40_u8)
        .map(|number| {
            let start = Instant::now();
            assert_eq!(ask(&client, &[number]).unwrap().1, [number]);
            start.elapsed()
        })
        .collect();
    times.sort();
    assert!(times[0] >= Duration::from_millis(40), "{times:?}");
    assert!(times[20] < Duration::from_millis(60), "{times:?}");
    let traffic = emulator.traffic();
    assert_eq!(
        (traffic.up.packets, traffic.up.bytes, traffic.down.packets, traffic.down.bytes),
        (40, 40, 40, 120)
    );
}

#[test]
fn thousands_of_packets_a_second_of_many_clients() {
    const CLIENTS: usize = 20;
    const ROUNDS: usize = 100;
    let emulator = Emulator::udp(ANY, echo(), profile("lan,rtt=20ms"), 2).unwrap();
    let clients: Vec<UdpSocket> = (0..CLIENTS).map(|_| socket()).collect();
    let start = Instant::now();
    for client in &clients {
        client.connect(emulator.address()).unwrap();
    }
    let mut ports = std::collections::BTreeSet::new();
    for round in 0..ROUNDS {
        for client in &clients {
            client.send(&[round as u8]).unwrap();
        }
        for client in &clients {
            let (port, text) = hear(client).unwrap();
            assert_eq!(text, [round as u8], "in order, and each to its own");
            ports.insert(port);
        }
    }
    assert_eq!(ports.len(), CLIENTS, "each client has an address of its own at the server");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?} for 100 round trips of 20 ms", start.elapsed());
}

#[test]
fn a_new_address_is_one_for_the_server_only() {
    let emulator = Emulator::udp(ANY, echo(), profile("lan"), 3).unwrap();
    let client = socket();
    client.connect(emulator.address()).unwrap();
    let before = ask(&client, b"here").unwrap().0;
    assert_eq!(ask(&client, b"here").unwrap().0, before);
    emulator.new_address();
    // The order is on its way to another thread.
    let moved = (0..1_000).any(|_| ask(&client, b"there").unwrap().0 != before);
    assert!(moved, "the server sees another port");
}

#[test]
fn nothing_passes_during_an_outage() {
    let emulator = Emulator::udp(ANY, echo(), profile("lan"), 4).unwrap();
    let client = socket();
    client.connect(emulator.address()).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert!(ask(&client, b"1").is_some());
    let start = Instant::now();
    emulator.cut(Duration::from_millis(300));
    while ask(&client, b"?").is_some() {
        assert!(start.elapsed() < PATIENCE, "the outage never begins");
    }
    while ask(&client, b"?").is_none() {
        assert!(start.elapsed() < PATIENCE, "the outage never ends");
    }
    assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
    assert!(emulator.traffic().up.lost > 0);
}

#[test]
fn what_is_lost_and_too_large_does_not_arrive() {
    let emulator = Emulator::udp(ANY, echo(), profile("lan,loss=30%"), 5).unwrap();
    let client = socket();
    client.connect(emulator.address()).unwrap();
    client.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    assert!(ask(&client, &[0; 1_600]).is_none(), "larger than a packet");
    let heard = (0..400).filter(|_| ask(&client, b"?").is_some()).count();
    assert!((130..270).contains(&heard), "about half come back, {heard} of 400 did");
}

/// A server that sends back what it gets until the end, and then ends too.
async fn tcp_echo() -> SocketAddr {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
                let _ = to.shutdown().await;
            });
        }
    });
    address
}

#[tokio::test]
async fn connections_carry_everything_and_not_faster_than_the_line() {
    let emulator = Emulator::tcp(ANY, tcp_echo().await, profile("far,rate=4Mbit"), 6).unwrap();
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    let start = Instant::now();
    let sent: Vec<u8> = (0..200_000_u32).map(|at| (at * 7 % 251) as u8).collect();
    let (mut from, mut to) = stream.split();
    let write = async {
        to.write_all(&sent).await.unwrap();
        to.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    let ((), read) = tokio::join!(write, from.read_to_end(&mut heard));
    read.unwrap();
    assert!(heard == sent, "everything, in order");
    // The opening's round trip, the first byte's, and the bytes at 4 Mbit/s.
    assert!(start.elapsed() >= Duration::from_millis(150 + 150 + 400), "{:?}", start.elapsed());
    assert_eq!(emulator.traffic().up.bytes, 200_000);
}

#[tokio::test]
async fn a_connection_ends_with_its_address_and_survives_an_outage() {
    let emulator = Emulator::tcp(ANY, tcp_echo().await, profile("lan"), 7).unwrap();
    let mut stream = TcpStream::connect(emulator.address()).await.unwrap();
    let mut byte = [0];
    stream.write_all(b"1").await.unwrap();
    stream.read_exact(&mut byte).await.unwrap();
    let start = Instant::now();
    emulator.cut(Duration::from_millis(300));
    while start.elapsed() < Duration::from_millis(300) {
        stream.write_all(b"2").await.unwrap();
        stream.read_exact(&mut byte).await.unwrap();
    }
    emulator.new_address();
    let ended = tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await.unwrap();
    assert!(ended.is_err(), "a reset, not an end: {ended:?}");
}
