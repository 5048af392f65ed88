//! The network's thread: opens connections when it is told to, and carries messages.

use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use tokio::sync::mpsc;
use tresen_identity::KeyPair;

use crate::dial::dial;
use crate::store::Server;

/// Messages that may wait to be sent; a session keeps far fewer open.
const WAITING: usize = 512;

/// Whom to call, as whom.
pub struct Dialled {
    /// The server.
    pub server: Server,
    /// The device's key.
    pub key: Arc<KeyPair>,
}

/// What the window's thread asks for.
enum Order {
    Connect,
    Send(Vec<u8>),
    Disconnect,
}

/// What the network's thread reports.
#[derive(Debug)]
pub enum Report {
    /// A connection is open.
    Connected,
    /// A message has arrived.
    Message(Vec<u8>),
    /// The connection is gone, or there was none; why, for a log.
    Lost(String),
}

/// The network's thread.
pub struct Network {
    orders: mpsc::Sender<Order>,
}

impl Network {
    /// Starts the thread. It reports until `report` says that nobody listens.
    pub fn start(dialled: Dialled, report: impl Fn(Report) -> bool + Send + 'static) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (orders, received) = mpsc::channel(WAITING);
        let carry = move || runtime.block_on(serve(&dialled, received, &report));
        thread::Builder::new().name("network".into()).spawn(carry).context("No thread for the network")?;
        Ok(Self { orders })
    }

    /// Opens a connection.
    pub fn connect(&self) {
        self.order(Order::Connect);
    }

    /// Sends a message on the open connection.
    pub fn send(&self, message: Vec<u8>) {
        self.order(Order::Send(message));
    }

    /// Closes the open connection.
    pub fn disconnect(&self) {
        self.order(Order::Disconnect);
    }

    fn order(&self, order: Order) {
        if let Err(error) = self.orders.try_send(order) {
            tracing::warn!(%error, "the network is too slow for its orders");
        }
    }
}

async fn serve(dialled: &Dialled, mut orders: mpsc::Receiver<Order>, report: &impl Fn(Report) -> bool) {
    while let Some(order) = orders.recv().await {
        // What was to be sent on a connection that is gone, the session sends again.
        if matches!(order, Order::Connect) {
            let why = match session(dialled, &mut orders, report).await {
                Ok(()) => "closed".to_owned(),
                Err(error) => format!("{error:#}"),
            };
            tracing::info!(why, "no connection");
            if !report(Report::Lost(why)) {
                return;
            }
        }
    }
}

async fn session(
    dialled: &Dialled,
    orders: &mut mpsc::Receiver<Order>,
    report: &impl Fn(Report) -> bool,
) -> Result<()> {
    let mut link = dial(&dialled.server, &dialled.key).await?;
    report(Report::Connected);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(message)) => link.send(message).await?,
                Some(Order::Connect) => {}
                Some(Order::Disconnect) | None => {
                    link.close().await;
                    return Ok(());
                }
            },
            message = link.receive() => match message? {
                Some(message) => {
                    report(Report::Message(message));
                }
                None => return Ok(()),
            },
        }
    }
}
