//! The first message of a TLS stream (RFC 8446, 4.1.2), read for the name in it and for nothing else.
//!
//! rustls's own acceptor reads it, as a server that has not chosen its configuration yet. Its bytes are kept as they came, to be passed on.

use rustls::server::Acceptor;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest hello, in bytes as they come. Browsers' have about 2,000.
pub const MAX_HELLO_BYTES: usize = 16 * 1024;

/// Room for a usual one.
const USUAL_BYTES: usize = 2 * 1024;

/// A hello.
pub struct Hello {
    /// Whatever came until it was complete.
    pub bytes: Vec<u8>,
    /// Whom the client wants.
    pub server_name: String,
}

/// Why there is none.
#[derive(Debug, Error)]
pub enum NoHello {
    /// The client went away.
    #[error("the client went away")]
    Gone(#[from] std::io::Error),
    /// It is none, or longer than allowed.
    #[error("the client does not begin with a TLS hello: {0}")]
    Other(rustls::Error),
    /// Longer than allowed.
    #[error("its TLS hello is longer than {MAX_HELLO_BYTES} bytes")]
    TooLong,
    /// It does not say whom it wants.
    #[error("its TLS hello names no server")]
    NoName,
}

/// Reads a hello. How long that may take, the caller knows.
///
/// # Errors
/// When there is none.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Hello, NoHello> {
    let mut acceptor = Acceptor::default();
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    loop {
        let (known, room) = (bytes.len(), MAX_HELLO_BYTES - bytes.len());
        if room == 0 {
            return Err(NoHello::TooLong);
        }
        if (&mut *stream).take(room as u64).read_buf(&mut bytes).await? == 0 {
            return Err(NoHello::Gone(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let mut fresh = &bytes[known..];
        while !fresh.is_empty() {
            acceptor.read_tls(&mut fresh)?;
            if let Some(accepted) = acceptor.accept().map_err(|(error, _)| NoHello::Other(error))? {
                let server_name = accepted.client_hello().server_name().ok_or(NoHello::NoName)?.to_owned();
                return Ok(Hello { bytes, server_name });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::ClientConnection;
    use rustls_pki_types::ServerName;
    use tokio::io::AsyncWriteExt;
    use tresen_identity::{Fingerprint, https_client_config};

    use super::*;

    fn hello_for(name: &'static str) -> Vec<u8> {
        let config = https_client_config(Fingerprint::from_bytes([1; 32])).expect("TLS");
        let name = ServerName::try_from(name).expect("a name");
        let mut client = ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).expect("memory");
        bytes
    }

    /// Promise: the name is read whatever pieces the hello comes in, and its bytes are what came.
    #[tokio::test]
    async fn the_name_is_read_in_any_pieces() {
        let sent = hello_for("box.tills.example");
        for piece in [1, 7, 100, sent.len()] {
            let (mut client, mut node) = tokio::io::duplex(piece);
            let hello = sent.clone();
            tokio::spawn(async move { client.write_all(&hello).await });
            let read = read(&mut node).await.expect("a hello");
            assert_eq!(read.server_name, "box.tills.example");
            assert_eq!(read.bytes, sent);
        }
    }

    /// Promise: what is no hello, names nobody or goes on and on is given up after a bounded number of bytes, and no bytes crash anything.
    #[tokio::test]
    async fn what_is_no_hello_is_given_up() {
        assert!(matches!(read(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).await, Err(NoHello::Other(_))));
        let without_name = hello_for("127.0.0.1");
        assert!(matches!(read(&mut without_name.as_slice()).await, Err(NoHello::NoName)));
        let sent = hello_for("box.tills.example");
        for length in 0..sent.len() {
            assert!(matches!(read(&mut &sent[..length]).await, Err(NoHello::Gone(_))), "{length}");
        }
        // One record of a hello that claims to have 100,000 bytes, after the other.
        let record = [&[0x16, 3, 1, 0x40, 0][..], &[0; 0x4000]].concat();
        let mut giant = record.repeat(7);
        giant[5..9].copy_from_slice(&[1, 1, 0x86, 0xa0]);
        let mut left = giant.as_slice();
        assert!(matches!(read(&mut left).await, Err(NoHello::TooLong | NoHello::Other(_))));
        assert!(giant.len() - left.len() <= MAX_HELLO_BYTES);
        for at in 0..sent.len() {
            for changed in [0, 1, 0x7f, 0xff] {
                let mut bytes = sent.clone();
                bytes[at] = changed;
                let _ = read(&mut bytes.as_slice()).await;
            }
        }
    }
}
