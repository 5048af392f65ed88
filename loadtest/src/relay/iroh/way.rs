//! Datagrams from one client to another one, both in this thread.
//!
//! ```text
//! datagram      4 (from a client), 6 (to one)   name (32), ECN (1), contents
//! datagrams     5, 7                            name (32), ECN (1), length of each (2), contents
//! ```
//!
//! The name is the receiver's on the way to the server, the sender's on the way from it.

use std::io::{self, Read, Write};

use anyhow::Result;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::client::NAME_BYTES;
use crate::relay::PACKET_BYTES;
use crate::relay::stream::Way;

const DATAGRAM: u8 = 4;
const DATAGRAMS: u8 = 5;

/// As many as the server's queue for a client holds (512), or a little less: what is beyond is lost.
const UNDER_WAY: usize = 480;

/// Room for what the kernel hands over at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// See the module.
pub struct Line<S> {
    source: S,
    /// Of the last burst, what the connection has not taken yet.
    rest: Vec<u8>,
    sink: WebSocket<S>,
    name: [u8; NAME_BYTES],
}

impl<S: Read + Write> Line<S> {
    /// From the connection `source` to `sink`, that of the client which is called `name`; both block nobody.
    pub fn new(source: S, sink: S, name: [u8; NAME_BYTES]) -> Self {
        let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES);
        let sink = WebSocket::from_raw_socket(sink, Role::Client, Some(config));
        Self { source, rest: Vec::new(), sink, name }
    }

    /// Whether the connection has taken all of the last burst.
    fn flush(&mut self) -> Result<bool> {
        while !self.rest.is_empty() {
            match self.source.write(&self.rest) {
                Ok(0) => return Ok(false),
                Ok(count) => drop(self.rest.drain(..count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        // TLS may have more, but has taken it.
        match self.source.flush() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error.into()),
            _ => Ok(true),
        }
    }
}

impl<S: Read + Write> Way for Line<S> {
    fn burst(&self, segments: usize) -> Result<Vec<u8>> {
        let length = (PACKET_BYTES as u16).to_be_bytes();
        let (kind, length) = if segments > 1 { (DATAGRAMS, &length[..]) } else { (DATAGRAM, &[][..]) };
        let contents = vec![7; PACKET_BYTES * segments];
        let datagrams = [&[kind][..], &self.name, &[0], length, &contents].concat();
        let mut frame = Frame::message(datagrams, OpCode::Data(Data::Binary), true);
        // Whatever the mask is, the server has to take it off.
        frame.header_mut().mask = Some([1, 2, 3, 4]);
        let mut burst = Vec::new();
        frame.format(&mut burst)?;
        Ok(burst)
    }

    fn most_under_way(&self, _segments: usize) -> usize {
        UNDER_WAY
    }

    fn send(&mut self, burst: &[u8], _segments: usize) -> Result<bool> {
        if !self.flush()? {
            return Ok(false);
        }
        self.rest.extend_from_slice(burst);
        self.flush()?;
        Ok(true)
    }

    fn receive(&mut self) -> Result<usize> {
        self.flush()?;
        let mut packets = 0;
        loop {
            match self.sink.read() {
                // Pings are shorter.
                Ok(Message::Binary(frame)) => packets += frame.len() / PACKET_BYTES,
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(packets),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
