//! A connection between the network and an instance: two queues and the news that it is over.
//!
//! Whoever is done calls [`Closing::close`] or drops its end; the network then writes what is queued and closes, the instance goes on
//! without it.

use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tresen_wire::{CloseCode, ToClient};

/// Messages that wait to be read by the instance; then the network reads no more (back-pressure).
const INCOMING: usize = 64;

/// Messages that wait to be written to the network. A session has few open (two frames and small ones) unless its peer floods it and
/// takes no answers; such a connection is given up.
const OUTGOING: usize = 256;

/// How a connection ended, seen from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// With a goodbye, by either side: it won't be back soon.
    Goodbye,
    /// It was closed in order, without a word. A page that is loaded anew does that.
    Closed,
    /// It broke.
    Lost,
}

/// The instance's end.
pub struct Link {
    /// Messages of the client.
    pub incoming: mpsc::Receiver<Vec<u8>>,
    /// Messages to the client.
    pub outgoing: Outgoing,
    /// To end the connection. Dropping the link ends it as well.
    pub closing: Closing,
}

/// Where messages to a client go.
#[derive(Clone)]
pub struct Outgoing(mpsc::Sender<Vec<u8>>);

/// The network's end.
pub struct Wire {
    /// Messages of the client.
    pub incoming: mpsc::Sender<Vec<u8>>,
    /// Messages to the client.
    pub outgoing: mpsc::Receiver<Vec<u8>>,
    /// To end the connection, and to learn that the other side did.
    pub closing: Closing,
}

/// The end of a connection: it comes once, and stays.
#[derive(Clone, Default)]
pub struct Closing {
    over: CancellationToken,
    how: Arc<OnceLock<Leaving>>,
}

/// The peer does not take what is sent to it.
#[derive(Debug)]
pub struct Stuck;

/// A connection's two ends.
#[must_use]
pub fn pair() -> (Link, Wire) {
    let (to_instance, from_client) = mpsc::channel(INCOMING);
    let (to_client, from_instance) = mpsc::channel(OUTGOING);
    let closing = Closing::default();
    let link = Link { incoming: from_client, outgoing: Outgoing(to_client), closing: closing.clone() };
    (link, Wire { incoming: to_instance, outgoing: from_instance, closing })
}

impl Outgoing {
    /// Queues a message.
    ///
    /// # Errors
    /// When the peer does not take them, or the connection is closed.
    pub fn send(&self, message: Vec<u8>) -> Result<(), Stuck> {
        self.0.try_send(message).map_err(|_| Stuck)
    }
}

impl Link {
    /// Says goodbye and ends the connection. A peer that is stuck won't hear it, which is fine.
    pub fn bye(self, code: CloseCode, text: &str) {
        let _ = self.outgoing.send(ToClient::Bye { code, text: text.into() }.encode());
        self.closing.close(Leaving::Goodbye);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.closing.close(Leaving::Lost);
    }
}

impl Closing {
    /// Ends the connection. What was said first counts.
    pub fn close(&self, how: Leaving) {
        let _ = self.how.set(how);
        self.over.cancel();
    }

    /// Whether it ended with a goodbye: then nothing that its device still said counts.
    pub fn said_goodbye(&self) -> bool {
        self.how.get() == Some(&Leaving::Goodbye)
    }

    /// Waits for the end, and says how it came.
    pub async fn closed(&self) -> Leaving {
        self.over.cancelled().await;
        self.how.get().copied().unwrap_or(Leaving::Lost)
    }
}
