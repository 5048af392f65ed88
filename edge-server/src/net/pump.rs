//! Moves messages between a connection and an instance, whatever the connection is made of.

use std::time::Duration;

use tresen_wire::{CloseCode, ToClient};

use crate::instance::link::{Leaving, Wire};

/// Messages that are written at once when they wait together: fewer packets.
const BATCH: usize = 16;

/// How long a batch may take to be written. A peer that takes none for so long is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);

/// What a connection brought.
pub enum Incoming {
    /// A message.
    Message(Vec<u8>),
    /// The peer closed in order.
    Closed,
    /// The connection broke.
    Lost,
    /// The peer broke the rules of the connection itself.
    Refused(CloseCode),
}

/// The receiving half of a connection.
pub trait Reader: Send {
    /// The next message, or why there is none.
    fn next(&mut self) -> impl Future<Output = Incoming> + Send;
}

/// The sending half of a connection.
pub trait Writer: Send {
    /// Writes messages, in order; `false` when the connection is gone.
    fn send(&mut self, messages: Vec<Vec<u8>>) -> impl Future<Output = bool> + Send;

    /// Closes in order.
    fn close(&mut self, code: CloseCode) -> impl Future<Output = ()> + Send;
}

/// Moves messages until either side ends the connection. What the instance queued before the end is still written.
pub async fn pump(mut reader: impl Reader, mut writer: impl Writer, wire: Wire) {
    let Wire { incoming, mut outgoing, closing } = wire;
    let mut farewell = None;
    let read = async {
        loop {
            match reader.next().await {
                Incoming::Message(message) => {
                    if incoming.send(message).await.is_err() {
                        return None;
                    }
                }
                Incoming::Closed => return Some((Leaving::Closed, None)),
                Incoming::Lost => return Some((Leaving::Lost, None)),
                Incoming::Refused(code) => return Some((Leaving::Lost, Some(code))),
            }
        }
    };
    let write = async {
        loop {
            let mut batch = Vec::new();
            if outgoing.recv_many(&mut batch, BATCH).await == 0 || !written(&mut writer, batch).await {
                return;
            }
        }
    };
    tokio::select! {
        ended = read => {
            if let Some((how, code)) = ended {
                farewell = code;
                closing.close(how);
            }
        }
        () = write => closing.close(Leaving::Lost),
        _ = closing.closed() => {}
    }
    closing.close(Leaving::Lost);
    let mut code = farewell.unwrap_or(CloseCode::Normal);
    if let Some(code) = farewell {
        tracing::warn!(%code, "a connection was closed: the client broke the rules of its transport");
        written(&mut writer, vec![ToClient::Bye { code, text: code.reason().into() }.encode()]).await;
    }
    while let Ok(message) = outgoing.try_recv() {
        if let Ok(ToClient::Bye { code: said, .. }) = ToClient::decode(&message) {
            code = said;
        }
        if !written(&mut writer, vec![message]).await {
            return;
        }
    }
    let _ = tokio::time::timeout(WRITE_TIMEOUT, writer.close(code)).await;
}

async fn written(writer: &mut impl Writer, messages: Vec<Vec<u8>>) -> bool {
    tokio::time::timeout(WRITE_TIMEOUT, writer.send(messages)).await.unwrap_or(false)
}
