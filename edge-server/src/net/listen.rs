//! Binding the port, once for every configured address.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::TcpListener;

/// Why the server can't listen.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Somebody else has the port.
    #[error("port {0} is in use by another program: stop that one, or choose another port with --port")]
    PortTaken(u16),
    /// The address is not one of this machine, or not allowed.
    #[error("can't listen on {address}: {source}")]
    Address {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// The bound sockets, all on one port number.
pub struct Sockets {
    /// For HTTP.
    pub tcp: Vec<TcpListener>,
    /// For QUIC.
    pub udp: Vec<std::net::UdpSocket>,
    /// The port number.
    pub port: u16,
}

/// Connections that wait to be accepted.
const TCP_BACKLOG: i32 = 1024;

/// What may wait in the kernel to be read or sent, on the one socket of all QUIC clients. The system's usual 208 KiB are a tenth of a second of a full
/// house, and what does not fit is lost; `net.core.rmem_max` and `wmem_max` bound it.
const UDP_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// How often a free port is tried again when only TCP or only UDP had it free.
const FREE_PORT_ATTEMPTS: u32 = 8;

/// Binds TCP and UDP on every address. An address family that the machine lacks is left out when another one works.
///
/// # Errors
/// When the port is taken, or no address works.
pub fn bind(addresses: &[IpAddr], port: u16) -> Result<Sockets, ListenError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        match bind_once(addresses, port) {
            Err(ListenError::PortTaken(_)) if port == 0 && attempt < FREE_PORT_ATTEMPTS => {}
            other => return other,
        }
    }
}

fn bind_once(addresses: &[IpAddr], port: u16) -> Result<Sockets, ListenError> {
    let mut sockets = Sockets { tcp: Vec::new(), udp: Vec::new(), port };
    let mut unusable = None;
    for ip in addresses {
        let address = SocketAddr::new(*ip, sockets.port);
        match bind_address(address) {
            Ok((tcp, udp)) => {
                sockets.port = tcp.local_addr().map_or(port, |address| address.port());
                sockets.tcp.push(tcp);
                sockets.udp.push(udp);
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(ListenError::PortTaken(sockets.port));
            }
            Err(source) => unusable = Some(ListenError::Address { address, source }),
        }
    }
    match unusable {
        Some(error) if sockets.tcp.is_empty() => Err(error),
        _ => Ok(sockets),
    }
}

fn bind_address(address: SocketAddr) -> io::Result<(TcpListener, std::net::UdpSocket)> {
    let tcp = socket(address, Type::STREAM, Protocol::TCP)?;
    tcp.set_reuse_address(true)?;
    tcp.bind(&address.into())?;
    tcp.listen(TCP_BACKLOG)?;
    let listener = TcpListener::from_std(tcp.into())?;
    let same_port = SocketAddr::new(address.ip(), listener.local_addr()?.port());
    let udp = socket(address, Type::DGRAM, Protocol::UDP)?;
    // The kernel gives as much of it as it may.
    udp.set_recv_buffer_size(UDP_BUFFER_BYTES)?;
    udp.set_send_buffer_size(UDP_BUFFER_BYTES)?;
    udp.bind(&same_port.into())?;
    Ok((listener, udp.into()))
}

fn socket(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        // Else `::` would take the port of `0.0.0.0` as well, and peers would come with two kinds of addresses.
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}
