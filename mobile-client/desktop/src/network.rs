//! The network's thread: opens connections when it is told to, carries messages, and takes a connection along into another network.

use std::sync::Arc;
use std::thread;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tresen_client::Path;
use tresen_identity::KeyPair;

use crate::dial::{Link, dial};
use crate::route::{Change, Watch};
use crate::store::Server;

/// Messages that may wait to be sent; a session keeps far fewer open.
const WAITING: usize = 512;

/// Messages that are sent at once when they wait together: fewer packets.
const BATCH: usize = 16;

/// Without a way to the server it is called all the same after this: the system may know one that is not seen here.
const CALL_ANYWAY: Duration = Duration::from_secs(5);

/// While an answer is waited for, it is looked so often whether the server's end is there.
const LOOK_EVERY: Duration = Duration::from_millis(300);

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
    /// What is sent from now on belongs to the other network.
    GoOn,
    Disconnect,
}

/// What the network's thread reports.
#[derive(Debug)]
pub enum Report {
    /// A connection is open, which takes this way.
    Connected(Path),
    /// Its packets go this way now.
    Way(Path),
    /// The connection is in another network: the session is to go on there, after [`Network::go_on`].
    Moved,
    /// There is no network, which ends nothing, or one again.
    Network(Change),
    /// A message has arrived.
    Message(Vec<u8>),
    /// Nothing has, but the server's end acknowledged what was sent.
    Acknowledged,
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

    /// What is sent from now on is for the connection as it is after [`Report::Moved`].
    pub fn go_on(&self) {
        self.order(Order::GoOn);
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

/// What becomes of messages for an open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Talk {
    /// They are sent.
    Open,
    /// They are of the time before the other network; the session sends them again.
    Moved,
    /// There is no network.
    Held,
}

/// Something was sent, and nothing has come since.
struct Unanswered {
    /// How many acknowledgements had come by then.
    acknowledgements: u64,
    /// When to look for another one.
    look_at: Instant,
}

impl Unanswered {
    fn sent(acknowledgements: u64) -> Self {
        Self { acknowledgements, look_at: Instant::now() + LOOK_EVERY }
    }

    /// Something more was sent. That does not put the look off: who taps fast wants to know as well.
    fn more(earlier: Option<Self>, acknowledgements: Option<u64>) -> Option<Self> {
        let sent = Self::sent(acknowledgements?);
        let look_at = earlier.map_or(sent.look_at, |earlier| earlier.look_at);
        Some(Self { look_at, ..sent })
    }

    /// `None` when something was acknowledged since.
    fn look(self, acknowledgements: Option<u64>) -> Option<Self> {
        (acknowledgements == Some(self.acknowledgements)).then(|| Self::sent(self.acknowledgements))
    }
}

async fn serve(dialled: &Dialled, mut orders: mpsc::Receiver<Order>, report: &impl Fn(Report) -> bool) {
    let mut watch = Watch::start(dialled.server.addresses.clone());
    loop {
        let order = tokio::select! {
            order = orders.recv() => order,
            change = watch.change() => {
                report(Report::Network(change));
                continue;
            }
        };
        match order {
            Some(Order::Connect) => {}
            // What was to be sent on a connection that is gone, the session sends again.
            Some(Order::Send(_) | Order::GoOn | Order::Disconnect) => continue,
            None => return,
        }
        let why = match session(dialled, &mut orders, &mut watch, report).await {
            Ok(()) => "closed".to_owned(),
            Err(error) => format!("{error:#}"),
        };
        tracing::info!(why, "no connection");
        if !report(Report::Lost(why)) {
            return;
        }
    }
}

/// Calls the server, and anew in each network that comes up meanwhile.
async fn reach(dialled: &Dialled, watch: &mut Watch, report: &impl Fn(Report) -> bool) -> Result<Link> {
    loop {
        if !watch.exists() {
            report(Report::Network(Change::Gone));
            let _ = tokio::time::timeout(CALL_ANYWAY, watch.change()).await;
        }
        if watch.exists() {
            report(Report::Network(Change::Another));
        }
        tokio::select! {
            link = dial(&dialled.server, &dialled.key) => return link,
            _ = watch.change() => {}
        }
    }
}

async fn session(
    dialled: &Dialled,
    orders: &mut mpsc::Receiver<Order>,
    watch: &mut Watch,
    report: &impl Fn(Report) -> bool,
) -> Result<()> {
    let mut link = reach(dialled, watch, report).await?;
    let mut way = Watch::start(link.remote_address().into_iter().collect());
    let mut ways = link.ways();
    let mut talk = Talk::Open;
    let mut answer_by: Option<Instant> = None;
    let mut batch = Vec::with_capacity(BATCH);
    let mut unanswered: Option<Unanswered> = None;
    report(Report::Connected(link.path()));
    loop {
        let overdue = tokio::time::sleep_until(answer_by.unwrap_or_else(Instant::now));
        let look =
            tokio::time::sleep_until(unanswered.as_ref().map_or_else(Instant::now, |sent| sent.look_at));
        tokio::select! {
            ordered = orders.recv_many(&mut batch, BATCH) => {
                let leaves = ordered == 0 || batch.iter().any(|order| matches!(order, Order::Disconnect));
                for order in batch.drain(..) {
                    match (order, talk) {
                        (Order::Send(message), Talk::Open) => link.feed(message).await?,
                        (Order::GoOn, Talk::Moved) => talk = Talk::Open,
                        (Order::Send(_) | Order::GoOn | Order::Connect | Order::Disconnect, _) => {}
                    }
                }
                link.flush().await?;
                unanswered = Unanswered::more(unanswered, link.acknowledgements());
                if leaves {
                    link.close().await;
                    return Ok(());
                }
            }
            message = link.receive() => match message? {
                Some(message) => {
                    (answer_by, unanswered) = (None, None);
                    report(Report::Message(message));
                }
                None => return Ok(()),
            },
            path = ways.change() => {
                tracing::info!(?path, "packets go another way");
                report(Report::Way(path));
            }
            change = way.change() => match change {
                Change::Gone => {
                    link.hold()?;
                    talk = Talk::Held;
                    (answer_by, unanswered) = (None, None);
                    report(Report::Network(Change::Gone));
                }
                Change::Another => {
                    let patience = link.go_on().await?;
                    tracing::info!("another network");
                    talk = Talk::Moved;
                    answer_by = Some(Instant::now() + patience);
                    report(Report::Moved);
                }
            },
            () = look, if unanswered.is_some() => {
                unanswered = unanswered.and_then(|sent| sent.look(link.acknowledgements()));
                if unanswered.is_none() {
                    report(Report::Acknowledged);
                }
            }
            () = overdue, if answer_by.is_some() => bail!("no answer in another network"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: whoever taps fast learns as soon as others whether the server's end is there, and only of what was acknowledged after the last tap.
    #[tokio::test(start_paused = true)]
    async fn fast_fingers_do_not_put_the_look_off() {
        let (start, mut unanswered) = (Instant::now(), None);
        for acknowledgements in 5..8 {
            unanswered = Unanswered::more(unanswered, Some(acknowledgements));
            tokio::time::advance(LOOK_EVERY / 4).await;
        }
        let unanswered = unanswered.expect("the transport tells");
        assert_eq!(unanswered.look_at, start + LOOK_EVERY);
        let unanswered = unanswered.look(Some(7)).expect("nothing was acknowledged since");
        assert!(unanswered.look_at > start + LOOK_EVERY, "it is looked again");
        assert!(unanswered.look(Some(8)).is_none());
        assert!(Unanswered::more(None, None).is_none(), "a WebSocket does not tell");
    }
}
