//! A wide-area network in user space: a proxy that treats real traffic as a [`Profile`] says.
//!
//! ```text
//! client(s)  <->  listening socket | links of tresen_world::wan | one upstream socket for each client  <->  server
//! ```
//!
//! UDP: each client has links and weather of its own, as handhelds have; a new address is a new upstream socket, while the client's
//! side stays. TCP: each connection has; the kernel's own loss recovery can't be had on a local socket, so a loss shows as what its user
//! would see, a stall until it was sent again. A new address resets the client's side and leaves the server alone with a dead connection.
//!
//! Each emulator runs on a thread of its own, with a timer that is exact to some tens of microseconds. The same seed gives the same losses
//! and outages as long as packets come in the same order and at the same time, which real traffic does not quite do.
//!
//! Not modelled: slow start of TCP, ECN, what lies beyond 1,500 bytes (a datagram that is larger is lost).

mod alarm;
mod command;
mod tcp;
mod traffic;
mod udp;

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::mpsc;
use tresen_world::wan::Profile;

pub use command::{Arguments, run};
pub use traffic::{Counted, Traffic};

use traffic::Counters;

/// What an emulator is told while it runs.
#[derive(Clone, Copy, Debug)]
enum Order {
    /// Every client has another address from now on.
    NewAddress,
    /// Nothing arrives for so long.
    Cut(Duration),
}

/// A proxy that treats traffic as a profile says. It ends when it is dropped.
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    counters: Counters,
    orders: Option<mpsc::UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

/// What a proxy needs to run.
struct Task {
    to: SocketAddr,
    profile: Profile,
    seed: u64,
    counters: Counters,
    orders: mpsc::UnboundedReceiver<Order>,
}

impl Emulator {
    /// Carries datagrams from `listen` to `to`, and the answers back. Port 0: any free one.
    ///
    /// # Errors
    /// When the address can't be had.
    pub fn udp(listen: SocketAddr, to: SocketAddr, profile: Profile, seed: u64) -> Result<Self> {
        let socket = udp::socket(listen).with_context(|| format!("{listen} (UDP) can't be had"))?;
        let address = socket.local_addr()?;
        Self::start(address, to, profile, seed, |task| udp::carry(socket, task))
    }

    /// Carries connections from `listen` to `to`. Port 0: any free one.
    ///
    /// # Errors
    /// When the address can't be had.
    pub fn tcp(listen: SocketAddr, to: SocketAddr, profile: Profile, seed: u64) -> Result<Self> {
        let socket =
            std::net::TcpListener::bind(listen).with_context(|| format!("{listen} (TCP) can't be had"))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        Self::start(address, to, profile, seed, |task| tcp::carry(socket, task))
    }

    /// Where clients connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What has passed so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.counters.read()
    }

    /// Gives every client another address, now.
    pub fn new_address(&self) {
        self.order(Order::NewAddress);
    }

    /// Lets nothing through for so long, from now on.
    pub fn cut(&self, lasts: Duration) {
        self.order(Order::Cut(lasts));
    }

    fn order(&self, order: Order) {
        // A proxy whose thread is gone carries nothing anyway; whoever waits for traffic sees that.
        let _ = self.orders.as_ref().map(|orders| orders.send(order));
    }

    fn start<F: Future<Output = ()>>(
        address: SocketAddr,
        to: SocketAddr,
        profile: Profile,
        seed: u64,
        carry: impl FnOnce(Task) -> F + Send + 'static,
    ) -> Result<Self> {
        let counters = Counters::default();
        let (sender, orders) = mpsc::unbounded_channel();
        let task = Task { to, profile, seed, counters: counters.clone(), orders };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("wan".into()).spawn(move || {
            tokio::task::LocalSet::new().block_on(&runtime, carry(task));
        })?;
        Ok(Self { address, counters, orders: Some(sender), thread: Some(thread) })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The proxy's time.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn start() -> Self {
        Self(Instant::now())
    }

    fn now_us(self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}
