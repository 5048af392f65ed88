//! The UDP sockets that an endpoint is bound to, as one: for IPv4 and IPv6, or for each address that it was told. So a connection that began in one family goes
//! on in the other, when a way there is better.
//!
//! Invariant: what is sent leaves from a socket that reaches the address; of several, from the one that QUIC names as the connection's own.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tresen_path::{canonical, written};

use crate::interfaces::interface_addresses;

/// See the module.
#[derive(Debug)]
pub(crate) struct Bound {
    sockets: Vec<One>,
    /// Which one is read first; they take turns.
    turn: AtomicUsize,
}

#[derive(Debug)]
struct One {
    io: Arc<UdpSocket>,
    state: UdpSocketState,
    local: SocketAddr,
    /// Of IPv6, and good for IPv4 too.
    is_dual: bool,
}

impl One {
    fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let (state, local) = (UdpSocketState::new((&socket).into())?, socket.local_addr()?);
        let is_dual = local.is_ipv6() && !SockRef::from(&socket).only_v6()?;
        Ok(Self { io: Arc::new(UdpSocket::from_std(socket)?), state, local, is_dual })
    }

    const fn reaches(&self, to: SocketAddr) -> bool {
        if to.is_ipv4() { self.local.is_ipv4() || self.is_dual } else { self.local.is_ipv6() }
    }

    /// An address as this one takes it. Those of IPv6 keep their scope.
    fn written(&self, to: SocketAddr) -> SocketAddr {
        match canonical(to) {
            four @ SocketAddr::V4(_) => written(four, self.local.is_ipv6()),
            SocketAddr::V6(_) => to,
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            match self.io.poll_recv_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
            let received =
                self.io.try_io(Interest::READABLE, || self.state.recv((&*self.io).into(), buffers, metas));
            match received {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return Poll::Ready(received),
            }
        }
    }
}

impl Bound {
    /// Takes over bound sockets, at least one; to be called within a runtime.
    ///
    /// # Errors
    /// When the operating system refuses, or there is none.
    pub(crate) fn new(sockets: Vec<std::net::UdpSocket>) -> io::Result<Self> {
        let sockets: Vec<One> = sockets.into_iter().map(One::new).collect::<io::Result<_>>()?;
        if sockets.is_empty() {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        Ok(Self { sockets, turn: AtomicUsize::new(0) })
    }

    /// Whether there is one of IPv6: to QUIC all addresses are of IPv6 then.
    pub(crate) fn is_ipv6(&self) -> bool {
        self.sockets.iter().any(|one| one.local.is_ipv6())
    }

    /// Where they are bound.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|one| one.local).collect()
    }

    /// At which addresses of this machine they may be reached, in a fixed order.
    pub(crate) fn interfaces(&self) -> Vec<SocketAddr> {
        let of_one = |one: &One| {
            let found = interface_addresses(one.local).into_iter();
            found.filter(|address| one.reaches(*address)).collect::<Vec<_>>()
        };
        self.sockets.iter().flat_map(of_one).collect()
    }

    /// Whether anything can be sent there.
    pub(crate) fn reaches(&self, to: SocketAddr) -> bool {
        self.towards(to, None).is_some()
    }

    /// The one from which to send there; `from` is where the question came in.
    fn towards(&self, to: SocketAddr, from: Option<IpAddr>) -> Option<&One> {
        let to = canonical(to);
        let from = from.map(|from| from.to_canonical());
        let fitting = || self.sockets.iter().filter(|one| one.reaches(to));
        let of_question = fitting().find(|one| Some(one.local.ip().to_canonical()) == from);
        let for_all = || fitting().find(|one| one.local.ip().is_unspecified());
        of_question.or_else(for_all).or_else(|| fitting().next())
    }

    /// Sends one datagram. What finds no room is lost, as on any network.
    ///
    /// # Errors
    /// When the operating system refuses, or no socket reaches the address.
    pub(crate) fn send_one(&self, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        let one = self.towards(to, None).ok_or(io::ErrorKind::NetworkUnreachable)?;
        match one.io.try_send_to(datagram, one.written(to)) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Sends what QUIC wants to be sent; what no socket reaches is lost.
    ///
    /// # Errors
    /// When there is no room.
    pub(crate) fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let Some(one) = self.towards(transmit.destination, transmit.src_ip) else { return Ok(()) };
        let destination = one.written(transmit.destination);
        // A connection that has changed the family still knows the address from before.
        let is_of_family = |ip: &IpAddr| ip.to_canonical().is_ipv4() == canonical(destination).is_ipv4();
        let src_ip = transmit.src_ip.filter(is_of_family);
        let Transmit { ecn, contents, segment_size, .. } = *transmit;
        let transmit = Transmit { destination, ecn, contents, segment_size, src_ip };
        one.io.try_io(Interest::WRITABLE, || one.state.send((&*one.io).into(), &transmit))
    }

    /// As [`quinn::AsyncUdpSocket::poll_recv`].
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (count, turn) = (self.sockets.len(), self.turn.load(Ordering::Relaxed));
        for number in 0..count {
            let at = (turn + number) % count;
            if let Poll::Ready(received) = self.sockets[at].poll_recv(cx, buffers, metas) {
                self.turn.store(at + 1, Ordering::Relaxed);
                return Poll::Ready(received);
            }
        }
        Poll::Pending
    }

    /// To wait until all of them take packets.
    pub(crate) fn writable(&self) -> Vec<Arc<UdpSocket>> {
        self.sockets.iter().map(|one| one.io.clone()).collect()
    }

    pub(crate) fn max_gso_segments(&self) -> usize {
        self.sockets.iter().map(|one| one.state.max_gso_segments()).min().unwrap_or(1)
    }

    pub(crate) fn gro_segments(&self) -> usize {
        self.sockets.iter().map(|one| one.state.gro_segments()).max().unwrap_or(1)
    }

    pub(crate) fn may_fragment(&self) -> bool {
        self.sockets.iter().any(|one| one.state.may_fragment())
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket as StdSocket};
    use std::time::Duration;

    use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
    use quinn::{ClientConfig, Connection, Endpoint, ServerConfig};
    use tokio::sync::mpsc;
    use tokio::time::timeout;
    use tresen_identity::{Certificate, KeyPair, Secret, client_config, quic_server_config};
    use tresen_path::{Handle, SocketId, Way};

    use super::*;
    use crate::ids::OwnIds;
    use crate::routed::RoutedSocket;
    use crate::socket::{OwnPackets, Socket, endpoint, own_packets};

    const PATIENCE: Duration = Duration::from_secs(10);

    fn socket(sockets: Vec<StdSocket>) -> Arc<Socket> {
        let ((probes, _), (knocks, _)) = (own_packets(), own_packets());
        Socket::of_all(sockets, OwnPackets { probes, knocks }).expect("sockets")
    }

    /// A server on both loopback addresses, and where it is.
    fn server(key: &KeyPair) -> (Endpoint, SocketAddr, SocketAddr) {
        let four = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("IPv4");
        let six = StdSocket::bind((Ipv6Addr::LOCALHOST, 0)).expect("IPv6");
        let at = (four.local_addr().expect("an address"), six.local_addr().expect("an address"));
        let tls = quic_server_config(Certificate::for_key_pair(key).expect("a certificate")).expect("TLS");
        let crypto = Arc::new(QuicServerConfig::try_from(tls).expect("TLS 1.3"));
        let server = Some(ServerConfig::with_crypto(crypto));
        let endpoint = endpoint(socket(vec![four, six]), OwnIds::default(), server).expect("an endpoint");
        (endpoint, at.0, at.1)
    }

    async fn echo(endpoint: Endpoint) {
        let connection = endpoint.accept().await.expect("a client").await.expect("a handshake");
        while let Ok((mut send, mut receive)) = connection.accept_bi().await {
            let bytes = receive.read_to_end(100_000).await.expect("bytes");
            send.write_all(&bytes).await.expect("open");
            send.finish().expect("open");
        }
    }

    async fn talk(connection: &Connection) -> bool {
        let talking = async {
            let (mut send, mut receive) = connection.open_bi().await.ok()?;
            send.write_all(&[7; 10_000]).await.ok()?;
            send.finish().ok()?;
            receive.read_to_end(10_000).await.ok()
        };
        timeout(PATIENCE, talking).await.ok().flatten() == Some(vec![7; 10_000])
    }

    /// Promise: a connection that began over IPv4 goes on over IPv6 and back again, as when its device finds a direct way of the other family.
    #[tokio::test]
    async fn a_connection_changes_the_family() {
        let key = KeyPair::from_seed(&Secret::new([1; 32]));
        let (server, four, six) = server(&key);
        tokio::spawn(echo(server));
        let both = socket2::Socket::new(socket2::Domain::IPV6, socket2::Type::DGRAM, None).expect("a socket");
        both.set_only_v6(false).expect("both families");
        both.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into()).expect("an address");
        let (traffic, _told) = mpsc::channel(1);
        let (routed, _control) = RoutedSocket::new(socket(vec![both.into()]), four, traffic);
        let (ids, handles) = (OwnIds::default(), [Handle::from_bytes([7; 8])]);
        ids.set(&handles);
        routed.grant(&handles);
        let own =
            Certificate::for_key_pair(&KeyPair::from_seed(&Secret::new([2; 32]))).expect("a certificate");
        let tls = client_config(key.fingerprint(), own).expect("TLS");
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("TLS 1.3")));
        let client = endpoint(routed.clone(), ids, None).expect("an endpoint");
        let connecting = client.connect_with(config, four, "tresen").expect("a configuration");
        let connection = timeout(PATIENCE, connecting).await.expect("in time").expect("a server");
        assert!(talk(&connection).await);
        for address in [six, four, six] {
            routed.choose(Way::Direct { socket: SocketId::MAIN, address });
            assert!(talk(&connection).await, "at {address}");
        }
    }

    /// Promise: what is sent leaves from a socket that reaches the address; of several, from the one at the address that is named.
    #[tokio::test]
    async fn each_address_has_its_socket() {
        let bind = |ip: IpAddr| StdSocket::bind((ip, 0)).expect("a socket");
        let ips: [IpAddr; 3] = [[127, 0, 0, 1].into(), [127, 0, 0, 2].into(), Ipv6Addr::LOCALHOST.into()];
        let bound = Bound::new(ips.map(bind).into()).expect("sockets");
        let from = |to: &str, from: Option<IpAddr>| {
            bound.towards(to.parse().expect("an address"), from).map(|one| one.local.ip())
        };
        assert_eq!(from("127.0.0.9:1", None), Some(ips[0]));
        assert_eq!(from("127.0.0.9:1", Some(ips[1])), Some(ips[1]));
        assert_eq!(from("[::ffff:127.0.0.9]:1", Some(ips[1])), Some(ips[1]));
        assert_eq!(from("[::1]:1", Some(ips[1])), Some(ips[2]), "of the other family");
        let four = Bound::new(vec![bind(ips[0])]).expect("a socket");
        assert!(!four.reaches("[::1]:1".parse().expect("an address")));
        assert!(Bound::new(Vec::new()).is_err());
    }
}
