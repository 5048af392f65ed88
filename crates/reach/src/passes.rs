//! Browsers' streams that a relay node passes to an edge server, on its control connection.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream, VarInt};
use tokio::io::Join;
use tresen_path::{PASS_HEAD_BYTES, PassHead};

/// How long the head of a stream may take after its first byte.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);

/// Both directions of a stream: what is written goes to the browser.
pub type PassStream = Join<RecvStream, SendStream>;

/// A stream from a browser.
pub struct Pass {
    /// Where the browser is, as the relay says.
    pub from: SocketAddr,
    /// TLS, end to end.
    pub stream: PassStream,
}

/// Takes them from a control connection.
pub struct Passes(Connection);

impl Passes {
    pub(crate) fn new(connection: Connection, most: u16) -> Self {
        connection.set_max_concurrent_bi_streams(VarInt::from_u32(most.into()));
        Self(connection)
    }

    /// The next one; `None` when the control connection is gone.
    pub async fn next(&self) -> Option<Pass> {
        loop {
            let (send, mut receive) = self.0.accept_bi().await.ok()?;
            let mut head = [0; PASS_HEAD_BYTES];
            match tokio::time::timeout(HEAD_PATIENCE, receive.read_exact(&mut head)).await {
                Ok(Ok(())) => match PassHead::decode(&head) {
                    Ok(PassHead { from }) => {
                        return Some(Pass { from, stream: tokio::io::join(receive, send) });
                    }
                    Err(error) => tracing::debug!(%error, "the relay opened a stream for something unknown"),
                },
                Ok(Err(_)) | Err(_) => tracing::debug!("the relay opened a stream without a head"),
            }
        }
    }
}
