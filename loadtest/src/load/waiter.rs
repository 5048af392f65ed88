//! A waiter: the real client core on a real connection, and a person who thinks between taps.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::Semaphore;
use tresen_client::{Client, Event, Item, ItemKind, Outline, Path, Pointer};
use tresen_scene::{ObjectId, Point, Role};
use tresen_wire::Gallery;

use super::pace::thought;
use super::shift::{Beat, Step};
use super::tally::{Tally, Window};
use crate::device::{Connection, Device};
use crate::screen::run::HANDHELD_LOOK;

/// An answer that takes longer than this never comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a tap is about is on the screen within this time: a PIN is checked, a table comes back.
const LOOK_FOR: Duration = Duration::from_secs(5);

/// Between two looks for it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Attempts to connect before a waiter gives up.
const CONNECTS: u32 = 5;

/// Before the next attempt.
const CONNECT_AGAIN: Duration = Duration::from_millis(500);

/// A PIN is typed so much quicker than an order.
const QUICKER: u32 = 4;

/// The finger.
const FINGER: u32 = 0;

/// What all waiters share.
pub struct Shift {
    /// When it counts.
    pub window: Window,
    /// What is counted.
    pub tally: Mutex<Tally>,
    /// Photos that one of them unpacked.
    pub gallery: Arc<Gallery>,
    /// Handshakes that may be under way at once.
    pub doors: Semaphore,
    /// Every waiter's connection, for its statistics.
    pub connections: Mutex<Connections>,
}

/// The connections, and what went over those that are gone.
#[derive(Default)]
pub struct Connections {
    open: Vec<quinn::Connection>,
    gone: Traffic,
}

/// What went over connections, both ways.
#[derive(Clone, Copy, Default)]
pub struct Traffic {
    /// Bytes of UDP.
    pub bytes: u64,
    /// Datagrams.
    pub datagrams: u64,
}

impl Connections {
    /// One more; returns its place.
    fn add(&mut self, connection: quinn::Connection) -> usize {
        self.open.push(connection);
        self.open.len() - 1
    }

    /// Another one in the place of one that is gone.
    fn replace(&mut self, place: usize, connection: quinn::Connection) {
        let gone = std::mem::replace(&mut self.open[place], connection);
        self.gone.count(&gone);
    }

    /// What went over all of them so far.
    pub fn traffic(&self) -> Traffic {
        let mut traffic = self.gone;
        self.open.iter().for_each(|connection| traffic.count(connection));
        traffic
    }
}

impl Traffic {
    fn count(&mut self, connection: &quinn::Connection) {
        let stats = connection.stats();
        self.bytes += stats.udp_rx.bytes + stats.udp_tx.bytes;
        self.datagrams += stats.udp_rx.datagrams + stats.udp_tx.datagrams;
    }
}

/// A waiter.
pub struct Waiter {
    shift: Arc<Shift>,
    device: Device,
    beat: Beat,
    random: StdRng,
    client: Client,
    connection: Connection,
    index: usize,
    start: Instant,
    /// Of QUIC, when they were counted last.
    acknowledgements: u64,
}

impl Waiter {
    /// Connects, and waits for the first screen.
    ///
    /// # Errors
    /// When it can't be had.
    pub async fn arrive(shift: Arc<Shift>, device: Device, number: u16, seed: u64) -> Result<Self> {
        let door = shift.doors.acquire().await?;
        let connection = connect(&shift, &device).await?;
        let index = lock(&shift.connections).add(connection.quic.clone());
        let start = Instant::now();
        let mut client = Client::new(HANDHELD_LOOK);
        client.share(shift.gallery.clone());
        client.connected(0, Path::Direct);
        let random = StdRng::seed_from_u64(seed ^ (u64::from(number) << 32));
        let beat = Beat::of(number);
        let mut waiter = Self {
            shift: shift.clone(),
            device,
            beat,
            random,
            client,
            connection,
            index,
            start,
            acknowledgements: 0,
        };
        waiter.listen(Instant::now() + PATIENCE, |client| client.root().is_some()).await?;
        drop(door);
        waiter.client.root().context("no first screen came")?;
        Ok(waiter)
    }

    /// Logs in when it is time to.
    ///
    /// # Errors
    /// When it is not possible.
    pub async fn log_in(&mut self, begin: Instant) -> Result<()> {
        self.listen(begin, |_| false).await?;
        for step in self.beat.log_in() {
            let until = Instant::now() + thought(&mut self.random) / QUICKER;
            self.listen(until, |_| false).await?;
            if !self.step(&step).await? {
                bail!("no {step:?} at the log-in; on the screen: {:?}", self.names());
            }
        }
        Ok(())
    }

    /// Serves guests until the end of the shift.
    ///
    /// # Errors
    /// When the server sends the waiter away for good.
    pub async fn work(&mut self) -> Result<()> {
        loop {
            for step in self.beat.guest(&mut self.random) {
                self.think().await?;
                if self.shift.window.is_over() {
                    return Ok(());
                }
                if !self.step(&step).await? {
                    lock(&self.shift.tally).stumbled(&step, &self.names());
                    self.step_back().await?;
                    break;
                }
            }
        }
    }

    async fn think(&mut self) -> Result<()> {
        let until = Instant::now() + thought(&mut self.random);
        let shift = self.shift.clone();
        tokio::select! {
            thought = self.listen(until, |_| false) => thought,
            () = shift.window.over() => Ok(()),
        }
    }

    /// Goes back to where a sale begins.
    async fn step_back(&mut self) -> Result<()> {
        for name in ["Done", "Close", "Back", "Back"] {
            self.think().await?;
            if let Some(at) = self.find(&Step::Tap(name.into())) {
                self.tap(at).await?;
            }
        }
        Ok(())
    }

    /// Does one step; `false` when it is not on the screen.
    async fn step(&mut self, step: &Step) -> Result<bool> {
        let limit = Instant::now() + LOOK_FOR;
        loop {
            if let Some(at) = self.find(step) {
                self.tap(at).await?;
                return Ok(true);
            }
            if Instant::now() > limit {
                return Ok(false);
            }
            self.listen(Instant::now() + LOOK_AGAIN, |_| false).await?;
        }
    }

    /// Taps, and waits for the frame that answers.
    async fn tap(&mut self, at: Point) -> Result<()> {
        let before = self.root_id();
        let tapped = Instant::now();
        let counts = self.shift.window.is_open();
        self.client.pointer(self.now_ms(), FINGER, Pointer::Down(at));
        self.client.pointer(self.now_ms(), FINGER, Pointer::Up(at));
        if self.client.unacknowledged() == 0 {
            lock(&self.shift.tally).missed += 1;
            return Ok(());
        }
        // A tap that changes nothing is answered by its acknowledgement.
        let answered =
            |client: &Client| client.root().map(|root| root.id()) != before || client.unacknowledged() == 0;
        self.listen(tapped + PATIENCE, answered).await?;
        let took = tapped.elapsed();
        if counts {
            let mut tally = lock(&self.shift.tally);
            let ms = took.as_secs_f32() * 1000.0;
            match self.root_id() != before {
                true => tally.taps_ms.push(ms),
                // The group is shown already, for one: nothing changes, and no frame comes.
                false if took < PATIENCE => tally.unchanged_ms.push(ms),
                false => tally.unanswered += 1,
            }
        }
        Ok(())
    }

    /// Sends what the client has to say and takes what comes, until a moment, or until it has what it waits for.
    async fn listen(&mut self, until: Instant, enough: impl Fn(&Client) -> bool) -> Result<()> {
        loop {
            self.transmit().await?;
            let now = Instant::now();
            if enough(&self.client) || now >= until {
                return Ok(());
            }
            let due = self.client.poll_timeout().map(|due| self.start + Duration::from_millis(due));
            let wake = due.map_or(until, |due| due.min(until)).max(now);
            match tokio::time::timeout_at(wake.into(), self.connection.receive()).await {
                Ok(Some(message)) => self.take(&message)?,
                Ok(None) => self.come_again("the stream ended").await?,
                Err(_) => {
                    self.look_for_acknowledgements();
                    if self.client.handle_timeout(self.now_ms()).is_err() {
                        self.come_again("the client heard nothing").await?;
                    }
                }
            }
        }
    }

    /// As a device does while it waits for an answer.
    fn look_for_acknowledgements(&mut self) {
        let acknowledgements = self.connection.acknowledgements();
        if acknowledgements != self.acknowledgements {
            self.acknowledgements = acknowledgements;
            self.client.acknowledged(self.now_ms());
        }
    }

    fn take(&mut self, message: &[u8]) -> Result<()> {
        if self.shift.window.is_open() {
            lock(&self.shift.tally).to_client_bytes += message.len() as u64;
        }
        self.client.handle(self.now_ms(), message)?;
        while let Some(event) = self.client.poll_event() {
            if let Event::Closed { code, text } = event {
                bail!("the server closed the session: {code} {text}");
            }
        }
        Ok(())
    }

    async fn transmit(&mut self) -> Result<()> {
        loop {
            let now_ms = self.now_ms();
            let messages: Vec<_> = std::iter::from_fn(|| self.client.poll_transmit(now_ms)).collect();
            if messages.is_empty() {
                return Ok(());
            }
            if self.shift.window.is_open() {
                let bytes = messages.iter().map(|message| message.len() as u64).sum::<u64>();
                lock(&self.shift.tally).to_server_bytes += bytes;
            }
            if let Err(error) = self.connection.send_all(messages).await {
                self.come_again(&format!("nothing can be sent: {error:#}")).await?;
            }
        }
    }

    async fn come_again(&mut self, why: &str) -> Result<()> {
        let why = match self.connection.quic.close_reason() {
            Some(reason) => format!("{why}; {reason}"),
            None => why.to_owned(),
        };
        *lock(&self.shift.tally).broken.entry(why).or_default() += 1;
        self.client.disconnected(self.now_ms());
        self.connection = connect(&self.shift, &self.device).await?;
        self.acknowledgements = self.connection.acknowledgements();
        lock(&self.shift.connections).replace(self.index, self.connection.quic.clone());
        self.client.connected(self.now_ms(), Path::Direct);
        Ok(())
    }

    fn names(&self) -> Vec<String> {
        self.client.outline().items.into_iter().map(|item| item.label).collect()
    }

    /// Where what has the step's name is: exactly this name, else one that begins with it. Scrolls to it.
    fn find(&mut self, step: &Step) -> Option<Point> {
        let Outline { areas, items } = self.client.outline();
        let (name, key) = match step {
            Step::Tap(name) => (name.as_str(), false),
            Step::Key(name) => (*name, true),
        };
        let suits = |item: &&Item| {
            let enabled = matches!(&item.kind, ItemKind::Touch { state, .. } if !state.disabled);
            enabled && (item.role == Role::Key) == key
        };
        let begins = |item: &&Item| {
            item.label.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ',', '\n', '…']))
        };
        let exact = |item: &&Item| item.label == name;
        let item =
            items.iter().filter(suits).find(exact).or_else(|| items.iter().filter(suits).find(begins))?;
        let mut rect = item.rect;
        if let Some(area) = item.area.map(|area| &areas[area])
            && rect.intersect(area.rect) != rect
        {
            let wished = area.offset + rect.y - area.rect.y - (area.rect.h - rect.h) / 2;
            let offset = wished.clamp(0, (area.content_h - area.rect.h).max(0));
            self.client.scroll_to(&area.action, offset);
            rect.y -= offset - area.offset;
        }
        Some(Point::new(rect.x + rect.w / 2, rect.y + rect.h / 2))
    }

    fn root_id(&self) -> Option<ObjectId> {
        self.client.root().map(|root| root.id())
    }

    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}

async fn connect(shift: &Shift, device: &Device) -> Result<Connection> {
    let mut left = CONNECTS;
    loop {
        match device.connect().await {
            Ok(connection) => return Ok(connection),
            Err(error) if left == 0 => return Err(error),
            Err(_) => {
                left -= 1;
                lock(&shift.tally).refused += 1;
                tokio::time::sleep(CONNECT_AGAIN).await;
            }
        }
    }
}

/// A lock whose holder panicked holds figures that are still whole.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
