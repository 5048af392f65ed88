//! Packets from a source through a forwarder to a sink, both in this thread.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

use super::PACKET_BYTES;
use super::report::Quantiles;

/// Packets that are under way, with segment offload and without: as many as fit into the buffer that a socket has without special rights.
const UNDER_WAY: [usize; 2] = [320, 96];

/// When nothing has arrived for so long, what is under way is lost.
const LOST: Duration = Duration::from_millis(10);

/// Room for what the kernel hands over at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Where the time at which a packet was sent stands in it: behind every header.
const STAMP: std::ops::Range<usize> = 64..72;

/// What was carried in how long.
pub struct Streamed {
    pub packets: u64,
    pub lost: u64,
    pub seconds: f64,
}

/// Packets on their way through a forwarder, and both ends of it.
pub trait Way {
    /// So many packets for one call of [`Self::send`], as they are handed to the kernel.
    fn burst(&self, segments: usize) -> Result<Vec<u8>>;
    /// How many packets are under way, in bursts of so many.
    fn most_under_way(&self, segments: usize) -> usize;
    /// Whether the kernel took the burst.
    fn send(&mut self, burst: &[u8], segments: usize) -> Result<bool>;
    /// Takes what has arrived: how many packets.
    fn receive(&mut self) -> Result<usize>;
}

/// Keeps as many packets under way as fit, for so long.
pub fn saturate(way: &mut impl Way, lasting: Duration, segments: usize) -> Result<Streamed> {
    drain(way)?;
    let (most, burst) = (way.most_under_way(segments), way.burst(segments)?);
    let (begun, mut heard) = (Instant::now(), Instant::now());
    let (mut sent, mut arrived, mut lost) = (0_u64, 0_u64, 0_u64);
    while begun.elapsed() < lasting {
        while ((sent - arrived - lost) as usize) + segments <= most && way.send(&burst, segments)? {
            sent += segments as u64;
        }
        let came = way.receive()?;
        arrived += came as u64;
        if came > 0 {
            heard = Instant::now();
            // What was given up came after all.
            lost = lost.min(sent - arrived);
        } else if heard.elapsed() > LOST {
            (lost, heard) = (sent - arrived, Instant::now());
        }
    }
    ensure!(arrived > 0, "nothing arrives");
    Ok(Streamed { packets: arrived, lost, seconds: begun.elapsed().as_secs_f64() })
}

/// Forgets what is still under way.
fn drain(way: &mut impl Way) -> Result<()> {
    let mut heard = Instant::now();
    while heard.elapsed() < 2 * LOST {
        if way.receive()? > 0 {
            heard = Instant::now();
        }
    }
    Ok(())
}

/// Datagrams of UDP from a source through a forwarder to a sink. See the module.
pub struct Stream {
    source: Socket,
    sink: Socket,
    to: SocketAddr,
    header: Vec<u8>,
    packet_bytes: usize,
    memory: Vec<u8>,
}

/// A socket of the generator.
pub struct Socket {
    io: UdpSocket,
    state: UdpSocketState,
}

impl Socket {
    /// On a free port of this machine.
    pub fn bind() -> Result<Self> {
        Self::new(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?)
    }

    /// Of a socket that is bound.
    pub fn new(io: UdpSocket) -> Result<Self> {
        let raw = socket2::SockRef::from(&io);
        raw.set_recv_buffer_size(8 << 20)?;
        raw.set_send_buffer_size(8 << 20)?;
        let state = UdpSocketState::new((&io).into())?;
        io.set_nonblocking(true)?;
        Ok(Self { io, state })
    }

    /// Where it is.
    pub fn at(&self) -> Result<SocketAddr> {
        Ok(self.io.local_addr()?)
    }

    /// The socket itself.
    pub const fn io(&self) -> &UdpSocket {
        &self.io
    }
}

impl Stream {
    /// From `source` to a forwarder at `to`, which brings packets that begin with `header` to `sink`. Packets have `packet_bytes` on the way to it.
    pub fn new(source: Socket, sink: Socket, to: SocketAddr, header: Vec<u8>, packet_bytes: usize) -> Self {
        Self { source, sink, to, header, packet_bytes, memory: vec![0; BATCH_SIZE * BUFFER_BYTES] }
    }

    /// Without a forwarder.
    pub fn direct() -> Result<Self> {
        let (source, sink) = (Socket::bind()?, Socket::bind()?);
        let to = sink.at()?;
        Ok(Self::new(source, sink, to, Vec::new(), PACKET_BYTES))
    }

    /// Sends so many packets a second, one at a time, for so many seconds: how long they take.
    pub fn paced(&mut self, packets_a_s: f64, seconds: u64) -> Result<Quantiles> {
        drain(self)?;
        let mut packet = self.burst(1)?;
        let (begun, mut sent, mut times_us) = (Instant::now(), 0_u64, Vec::new());
        let now_ns = || begun.elapsed().as_nanos() as u64;
        while begun.elapsed() < Duration::from_secs(seconds) {
            if begun.elapsed().as_secs_f64() * packets_a_s >= sent as f64 {
                packet[STAMP].copy_from_slice(&now_ns().to_le_bytes());
                sent += u64::from(self.send(&packet, 1)?);
            }
            // The header may be gone: a forwarder with one takes it off.
            let shift = self.packet_bytes - PACKET_BYTES;
            self.each(|packet| {
                if let Some(stamp) = packet.get(STAMP.start - shift..STAMP.end - shift) {
                    let sent_ns = u64::from_le_bytes(stamp.try_into().unwrap_or_default());
                    times_us.push(now_ns().saturating_sub(sent_ns) as f64 / 1e3);
                }
            })?;
        }
        ensure!(!times_us.is_empty(), "nothing arrives");
        Ok(Quantiles::of(times_us, sent))
    }

    /// Takes what has arrived, packet by packet: how many.
    fn each(&mut self, mut each: impl FnMut(&[u8])) -> Result<usize> {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let mut buffers: Vec<_> = self.memory.chunks_mut(BUFFER_BYTES).map(IoSliceMut::new).collect();
        let count = match self.sink.state.recv((&self.sink.io).into(), &mut buffers, &mut metas) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => return Err(error.into()),
        };
        let mut packets = 0;
        for (buffer, meta) in buffers.iter().zip(&metas).take(count) {
            for packet in buffer[..meta.len].chunks(meta.stride.max(1)) {
                each(packet);
                packets += 1;
            }
        }
        Ok(packets)
    }
}

impl Way for Stream {
    fn burst(&self, segments: usize) -> Result<Vec<u8>> {
        let mut packet = vec![7; self.packet_bytes];
        packet[..self.header.len()].copy_from_slice(&self.header);
        Ok(packet.repeat(segments))
    }

    fn most_under_way(&self, segments: usize) -> usize {
        if segments > 1 { UNDER_WAY[0] } else { UNDER_WAY[1] }
    }

    fn send(&mut self, burst: &[u8], segments: usize) -> Result<bool> {
        let segment_size = (segments > 1).then_some(self.packet_bytes);
        let transmit =
            Transmit { destination: self.to, ecn: None, contents: burst, segment_size, src_ip: None };
        match self.source.state.try_send((&self.source.io).into(), &transmit) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn receive(&mut self) -> Result<usize> {
        self.each(|_| {})
    }
}
