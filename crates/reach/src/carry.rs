//! Datagrams in a stream, where a network has no UDP.
//!
//! ```text
//! length 2, big endian | datagram
//! ```
//!
//! A stream repeats what is lost, and what waits behind it is late: worse than UDP for what is in the datagrams, and better than nothing.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Longest datagram, in bytes: QUIC makes none that is longer than what fits into one of Ethernet's packets.
const MAX_BYTES: usize = 1500;

/// Datagrams that are written at once.
const BATCH: usize = 32;

/// A stream on which nothing comes for so long is gone: endpoints and nodes say something every 20 s.
const IDLE: Duration = Duration::from_secs(60);

/// A stream that takes nothing for so long is gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

/// Datagrams that wait to be written; what finds no room is lost, as on any network.
const WAITING: usize = 256;

/// One of them.
pub type Datagram = Box<[u8]>;

/// Where datagrams for a stream wait, and who writes them.
#[must_use]
pub fn carried() -> (mpsc::Sender<Datagram>, mpsc::Receiver<Datagram>) {
    mpsc::channel(WAITING)
}

/// Writes what waits, and shows what comes, until the stream fails or nobody has anything to be written any more.
///
/// # Errors
/// When the stream fails, is silent or full for too long, or holds no datagrams.
pub async fn carry(
    stream: impl AsyncRead + AsyncWrite,
    waiting: &mut mpsc::Receiver<Datagram>,
    came: impl FnMut(&[u8]),
) -> io::Result<()> {
    let (reader, writer) = tokio::io::split(stream);
    tokio::select! {
        read = read(reader, came) => read,
        written = write(writer, waiting) => written,
    }
}

async fn read(stream: impl AsyncRead + Unpin, mut came: impl FnMut(&[u8])) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut datagram = [0; MAX_BYTES];
    loop {
        let length = in_time(IDLE, stream.read_u16()).await?;
        let room = datagram.get_mut(..length.into()).filter(|room| !room.is_empty());
        let room = room.ok_or(io::ErrorKind::InvalidData)?;
        in_time(IDLE, stream.read_exact(room)).await?;
        came(room);
    }
}

async fn write(
    mut stream: impl AsyncWrite + Unpin,
    waiting: &mut mpsc::Receiver<Datagram>,
) -> io::Result<()> {
    let (mut batch, mut bytes) = (Vec::with_capacity(BATCH), Vec::new());
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        bytes.clear();
        for datagram in batch.drain(..).filter(|datagram| datagram.len() <= MAX_BYTES) {
            bytes.extend((datagram.len() as u16).to_be_bytes());
            bytes.extend(datagram);
        }
        in_time(WRITE_PATIENCE, stream.write_all(&bytes)).await?;
        in_time(WRITE_PATIENCE, stream.flush()).await?;
    }
    Ok(())
}

async fn in_time<T>(patience: Duration, done: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(patience, done).await.map_err(|_| io::ErrorKind::TimedOut)?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: datagrams come out as they went in, one by one and in order, whatever pieces the stream has; none is longer than one can be.
    #[tokio::test]
    async fn datagrams_come_as_they_went() {
        for piece in [1, 3, 1_000, 100_000] {
            let (near, far) = tokio::io::duplex(piece);
            let sent: Vec<Datagram> =
                [1, 77, 1_200, 1_500].iter().map(|length| vec![*length as u8; *length].into()).collect();
            let (to_send, mut waiting) = carried();
            to_send.try_send(vec![0; MAX_BYTES + 1].into()).expect("room");
            sent.iter().for_each(|datagram| to_send.try_send(datagram.clone()).expect("room"));
            drop(to_send);
            let mut received: Vec<Datagram> = Vec::new();
            let (_idle, mut nothing) = carried();
            let receiving = carry(far, &mut nothing, |datagram| received.push(datagram.into()));
            let sending = async { carry(near, &mut waiting, |_| {}).await };
            let (received_until, sent_until) = tokio::join!(receiving, sending);
            sent_until.expect("all is written");
            assert_eq!(received_until.expect_err("it ends").kind(), io::ErrorKind::UnexpectedEof);
            assert_eq!(received, sent);
        }
    }

    /// Promise: a stream that holds something else, or nothing, is given up.
    #[tokio::test(start_paused = true)]
    async fn what_is_no_tunnel_is_given_up() {
        let (_out, mut nothing) = carried();
        let (mut near, far) = tokio::io::duplex(100);
        near.write_all(b"GET / HTTP/1.1").await.expect("room");
        let error = carry(far, &mut nothing, |_| panic!("no datagram")).await.expect_err("no datagrams");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let (mut near, far) = tokio::io::duplex(100);
        near.write_all(&[0, 0]).await.expect("room");
        let error = carry(far, &mut nothing, |_| panic!("no datagram")).await.expect_err("empty");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let (_near, far) = tokio::io::duplex(100);
        let error = carry(far, &mut nothing, |_| panic!("no datagram")).await.expect_err("nothing");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
