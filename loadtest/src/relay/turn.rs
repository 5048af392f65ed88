//! coturn: the TURN server most installations have, relaying channel data from a client to a peer.
//!
//! As much of RFC 8656 as that takes: an allocation without credentials (coturn is told to want none), and a channel bound to the peer.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::report::Carried;
use super::stream::{Socket, Stream};
use super::{Arguments, Core, PACKET_BYTES, Program, SEGMENTS};

const PROGRAM: &str = "/usr/bin/turnserver";

const MAGIC: u32 = 0x2112_A442;
const CHANNEL: u16 = 0x4000;

const ALLOCATE: u16 = 0x0003;
const CHANNEL_BIND: u16 = 0x0009;
const SUCCESS: u16 = 0x0100;

const CHANNEL_NUMBER: u16 = 0x000C;
const XOR_PEER_ADDRESS: u16 = 0x0012;
const REQUESTED_TRANSPORT: u16 = 0x0019;

/// How often it is asked, and how long an answer may take.
const ATTEMPTS: u32 = 20;
const PATIENCE: Duration = Duration::from_millis(250);

/// Measures it, when it is installed.
pub fn measure(core: Core, arguments: &Arguments) -> Result<Vec<Carried>> {
    ensure!(std::path::Path::new(PROGRAM).exists(), "not installed (Debian package coturn)");
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let port = at.port().to_string();
    let words = [
        "-n",
        "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1",
        "--listening-port",
        &port,
        "--no-auth",
        "--no-tls",
        "--no-dtls",
        "--no-tcp",
        "--no-cli",
        "--allow-loopback-peers",
        "--relay-threads=1",
        "--no-stdout-log",
        "--log-file=/dev/null",
        "--pidfile=/dev/null",
        "--userdb=/dev/null",
    ];
    let program = Program::start(PROGRAM, &words, core)?;
    let (source, sink) = (Socket::bind()?, Socket::bind()?);
    let SocketAddr::V4(peer) = sink.at()? else { bail!("loopback is IPv4 here") };
    source.io().set_nonblocking(false)?;
    source.io().set_read_timeout(Some(PATIENCE))?;
    ask(source.io(), at, &request(ALLOCATE, &[(REQUESTED_TRANSPORT, &[17, 0, 0, 0])]))?;
    let channel = [CHANNEL.to_be_bytes(), [0, 0]].concat();
    let bind = [(CHANNEL_NUMBER, channel.as_slice()), (XOR_PEER_ADDRESS, &xored(peer))];
    ask(source.io(), at, &request(CHANNEL_BIND, &bind))?;
    source.io().set_nonblocking(true)?;
    let header = [CHANNEL.to_be_bytes(), (PACKET_BYTES as u16).to_be_bytes()].concat();
    let packet_bytes = PACKET_BYTES + header.len();
    let mut stream = Stream::new(source, sink, at, header, packet_bytes);
    SEGMENTS.iter().map(|segments| program.carried(&mut stream, arguments, *segments)).collect()
}

fn free_port() -> Result<u16> {
    Ok(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn request(kind: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let body: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, value)| {
            [&name.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
        })
        .collect();
    let transaction: [u8; 12] = rand::random();
    [&kind.to_be_bytes()[..], &(body.len() as u16).to_be_bytes(), &MAGIC.to_be_bytes(), &transaction, &body]
        .concat()
}

/// An address as attributes hold it.
fn xored(address: SocketAddrV4) -> [u8; 8] {
    let [port_high, port_low] = (address.port() ^ (MAGIC >> 16) as u16).to_be_bytes();
    let [a, b, c, d] = (address.ip().to_bits() ^ MAGIC).to_be_bytes();
    [0, 1, port_high, port_low, a, b, c, d]
}

/// Asks until it is answered.
fn ask(socket: &UdpSocket, at: SocketAddr, request: &[u8]) -> Result<()> {
    let mut answer = [0; 1500];
    for _ in 0..ATTEMPTS {
        socket.send_to(request, at)?;
        // Until it has started, nobody is there.
        let Ok((length, _)) = socket.recv_from(&mut answer) else {
            std::thread::sleep(PATIENCE / 5);
            continue;
        };
        let (kind, transaction) = (answer.get(..2).context("no answer")?, answer.get(8..20));
        if length < 20 || transaction != request.get(8..20) {
            continue;
        }
        let wanted = (u16::from_be_bytes([request[0], request[1]]) | SUCCESS).to_be_bytes();
        ensure!(kind == wanted, "it refuses: {kind:02x?}");
        return Ok(());
    }
    bail!("it does not answer")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 5769, section 2.2.
    #[test]
    fn addresses_are_written_as_the_standard_says() {
        let address = SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, 1), 32853);
        assert_eq!(xored(address), [0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
    }
}
