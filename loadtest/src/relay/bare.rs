//! A forwarder that decides nothing: one socket, quinn-udp, everything to one address. The shape of the relay's switch without a table.

use std::io::{self, BufRead, BufReader, IoSliceMut, Read as _};
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::stream::{Socket, Stream};
use super::{Core, PACKET_BYTES, Program};

/// As the relay's.
const BUFFER_BYTES: usize = 64 * 1024;

/// Where the forwarder sends everything.
#[derive(clap::Args)]
pub struct Arguments {
    /// The address.
    to: SocketAddr,
}

/// A forwarder at work, and packets for it.
pub struct Bare {
    pub program: Program,
    pub stream: Stream,
}

/// Starts one.
pub fn open(core: Core) -> Result<Bare> {
    let (source, sink) = (Socket::bind()?, Socket::bind()?);
    let own = std::env::current_exe()?;
    let own = own.to_str().context("a path that is no text")?;
    let mut program = Program::start(own, &["relay-bare", &sink.at()?.to_string()], core)?;
    let said = program.0.stdout.take().context("no output")?;
    let port: u16 = BufReader::new(said).lines().next().context("it says nothing")??.parse()?;
    let stream = Stream::new(source, sink, (Ipv4Addr::LOCALHOST, port).into(), Vec::new(), PACKET_BYTES);
    Ok(Bare { program, stream })
}

/// Forwards until the standard input ends; says its port.
///
/// # Errors
/// When there is no socket.
pub async fn serve(arguments: &Arguments) -> Result<()> {
    let socket = Socket::bind()?;
    println!("{}", socket.at()?.port());
    let (io, state) =
        (UdpSocket::from_std(socket.io().try_clone()?)?, UdpSocketState::new(socket.io().into())?);
    let to = arguments.to;
    tokio::spawn(async move { forward(&io, &state, to).await });
    tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}

async fn forward(io: &UdpSocket, state: &UdpSocketState, destination: SocketAddr) -> io::Result<()> {
    let mut memory = vec![0; BATCH_SIZE * BUFFER_BYTES];
    let mut metas = [RecvMeta::default(); BATCH_SIZE];
    loop {
        io.readable().await?;
        let mut buffers: Vec<_> = memory.chunks_mut(BUFFER_BYTES).map(IoSliceMut::new).collect();
        let received =
            io.try_io(Interest::READABLE, || state.recv(io.into(), &mut buffers, &mut metas)).unwrap_or(0);
        for (buffer, meta) in buffers.iter().zip(&metas).take(received) {
            let most = state.max_gso_segments().max(1) * meta.stride;
            for contents in buffer[..meta.len].chunks(most.max(1)) {
                let segment_size = (contents.len() > meta.stride).then_some(meta.stride);
                let transmit = Transmit { destination, ecn: meta.ecn, contents, segment_size, src_ip: None };
                let _ = io.try_io(Interest::WRITABLE, || state.try_send(io.into(), &transmit));
            }
        }
    }
}
