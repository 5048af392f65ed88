//! As much of the protocol `iroh-relay-v2` as a client needs (`iroh-relay/src/protos` of that crate, version 1.4).
//!
//! A WebSocket at `/relay`; each binary message is a frame: its kind in a byte, then
//!
//! ```text
//! challenge 0   server -> client   16 bytes
//! proof     1   client -> server   public key (32), length of the signature (1), signature (64) of the challenge's derived key
//! welcome   2   server -> client   nothing
//! ping      9   server -> client   8 bytes, which come back in
//! pong     10   client -> server
//! ```

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use ed25519_dalek::{Signer as _, SigningKey};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// Bytes of a client's name: its public key.
pub const NAME_BYTES: usize = 32;

const VERSION: &str = "iroh-relay-v2";

/// What the challenge's key is derived for.
const CHALLENGE_CONTEXT: &str = "iroh-relay handshake v1 challenge signature";

const CHALLENGE: u8 = 0;
const PROOF: u8 = 1;
const WELCOME: u8 = 2;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Small buffers: there are many clients in this process, and they say little.
const BUFFER_BYTES: usize = 1024;

/// A client that was let in.
pub struct Client<S> {
    socket: WebSocketStream<S>,
    name: [u8; NAME_BYTES],
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Comes to the server at `at`, to which `stream` leads, as number `number`.
    pub async fn connect(stream: S, at: SocketAddr, number: u64) -> Result<Self> {
        let request =
            ClientRequestBuilder::new(format!("ws://{at}/relay").parse()?).with_sub_protocol(VERSION);
        let config =
            WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
        let (mut socket, _) =
            tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        let mut seed = [5; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let key = SigningKey::from_bytes(&seed);
        let challenge = hear(&mut socket).await?;
        ensure!(challenge.first() == Some(&CHALLENGE), "no challenge");
        socket.send(Message::binary(proof(&key, &challenge[1..]))).await?;
        ensure!(hear(&mut socket).await?.first() == Some(&WELCOME), "it refuses");
        Ok(Self { socket, name: key.verifying_key().to_bytes() })
    }

    /// How others reach this one.
    pub const fn name(&self) -> [u8; NAME_BYTES] {
        self.name
    }

    /// Says that it is there whenever it is asked, until the server ends it.
    pub async fn stay(mut self) -> Result<()> {
        loop {
            let frame = hear(&mut self.socket).await?;
            if let Some((&PING, token)) = frame.split_first() {
                self.socket.send(Message::binary([&[PONG], token].concat())).await?;
            }
        }
    }

    /// Its connection, for whoever does the rest by hand.
    pub fn into_stream(self) -> S {
        self.socket.into_inner()
    }
}

fn proof(key: &SigningKey, challenge: &[u8]) -> Vec<u8> {
    let signature = key.sign(&blake3::derive_key(CHALLENGE_CONTEXT, challenge)).to_bytes();
    [&[PROOF][..], key.verifying_key().as_bytes(), &[64], &signature].concat()
}

async fn hear(socket: &mut WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>) -> Result<Bytes> {
    loop {
        match socket.next().await.context("it went away")?? {
            Message::Binary(frame) => return Ok(frame),
            Message::Close(_) => bail!("it closes"),
            _ => {}
        }
    }
}
