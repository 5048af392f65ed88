//! A waiter on a real device: a session over QUIC that outlives the server, and a finger that books as fast as it is confirmed.
//!
//! What a waiter does next depends only on the screen, so that after a kill it goes on wherever the server put it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;
use tresen_client::{Client, Event, Path, Pointer};
use tresen_scene::{OutlineItem, OutlineKind, Point, Role};
use tresen_wire::{Language, Look, Theme};

use crate::device::{Connection, Device};

/// A handheld on which nothing needs to be scrolled.
const LOOK: Look =
    Look { width_px: 720, height_px: 1280, scale_100: 100, theme: Theme::Light, language: Language::En };
/// What is booked, the group it is in, and who books with which PIN.
const PRODUCT: &str = "Helles 0,5";
const GROUP: &str = "Bier";
const PERSON: &str = "Anna";
const PIN: [&str; 4] = ["1", "2", "3", "4"];
/// The key that leaves the keypad.
const SWITCH: &str = "Switch";
/// The action that sends an order to the bar.
const SEND: &str = "Send";
/// Leaves the order.
const BACK: &str = "Back";
/// An order is sent within this time.
const SEND_PATIENCE: Duration = Duration::from_millis(150);
/// Most taps that are not confirmed.
const UNCONFIRMED_MAX: usize = 4;
/// An order is sent after so many bookings: fewer than may wait in an instance, which would else say that it is too fast. The tables
/// only come back when nothing waits any more.
const BOOKINGS_AN_ORDER: u32 = 24;
/// Between two looks at the clock and the screen.
const PACE: Duration = Duration::from_millis(2);
/// What still arrives after a kill arrives within this time.
const LAST_WORDS: Duration = Duration::from_millis(20);
/// A connection may break so long before the waiter is told that the server was killed.
const NEWS: Duration = Duration::from_secs(1);
/// A PIN is checked within this time.
const PIN_PATIENCE: Duration = Duration::from_secs(3);
/// A screen that does not change for so long means that the session is stuck.
const PATIENCE: Duration = Duration::from_secs(20);
/// The finger.
const FINGER: u32 = 0;

/// A waiter goes on to the next table after so many bookings: a check takes only so many lines.
const BOOKINGS_A_TABLE: u64 = 6000;

/// The tables of one waiter.
pub(super) type Tables = [&'static str; 3];

/// A waiter.
pub(super) struct Waiter {
    /// The tables at which this waiter books, one after the other.
    pub(super) tables: Tables,
    /// Bookings that were tapped.
    pub(super) sent: u64,
    /// Bookings that were confirmed.
    pub(super) acknowledged: u64,
    device: Device,
    client: Client,
    connection: Option<Connection>,
    /// Taps that are not confirmed, oldest first: whether each is a booking.
    unconfirmed: VecDeque<bool>,
    in_order: u32,
    digits: usize,
    sure_of_digits: bool,
    start: Instant,
    progress: Instant,
}

impl Waiter {
    pub(super) fn new(device: Device, tables: Tables) -> Waiter {
        Waiter {
            tables,
            sent: 0,
            acknowledged: 0,
            device,
            client: Client::new(LOOK),
            connection: None,
            unconfirmed: VecDeque::new(),
            in_order: 0,
            digits: 0,
            sure_of_digits: false,
            start: Instant::now(),
            progress: Instant::now(),
        }
    }

    /// Connects, logs in and opens the table. Nothing is booked yet.
    pub(super) async fn log_in(&mut self, random: &mut StdRng) -> Result<()> {
        self.connect().await?;
        // A login is a booking: what comes after it is shown when it is on disk.
        while self.find(PRODUCT).is_none() || self.client.unanswered() > 0 {
            if self.find(PRODUCT).is_none() {
                self.act(random)?;
            }
            self.talk(PACE).await?;
        }
        self.disconnect();
        Ok(())
    }

    /// Connects and books until told to stop; then takes the last words of the server.
    pub(super) async fn work(&mut self, stop: &CancellationToken, mut random: StdRng) -> Result<()> {
        let connected = tokio::select! {
            connected = self.connect() => connected,
            () = stop.cancelled() => return Ok(()),
        };
        if let Err(error) = connected {
            // The kill may come while we connect, and its news later.
            let killed = tokio::time::timeout(NEWS, stop.cancelled()).await;
            return killed.map_err(|_| error);
        }
        while !stop.is_cancelled() {
            self.act(&mut random)?;
            self.talk(PACE).await?;
        }
        // The process is dead; what it sent before is still to be heard.
        while self.listen(LAST_WORDS).await? {}
        self.disconnect();
        Ok(())
    }

    /// Connects and waits until every tap is answered and every booking confirmed.
    pub(super) async fn settle(&mut self) -> Result<()> {
        self.connect().await?;
        while self.client.unanswered() > 0 || self.unconfirmed.contains(&true) {
            self.talk(PACE).await?;
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<()> {
        let connection = tokio::time::timeout(PATIENCE, self.device.connect()).await;
        self.connection = Some(connection.context("the server does not answer")??);
        self.client.connected(self.now_ms(), Path::Direct);
        self.sure_of_digits = false;
        self.progress = Instant::now();
        Ok(())
    }

    /// Breaks the connection; the session stays.
    pub(super) fn disconnect(&mut self) {
        self.connection = None;
        self.client.disconnected(self.now_ms());
    }

    /// Sends what there is to say and takes what comes within a time.
    async fn talk(&mut self, within: Duration) -> Result<()> {
        let now_ms = self.now_ms();
        while let Some(message) = self.client.poll_transmit(now_ms) {
            if let Some(connection) = &mut self.connection
                && connection.send(&message).await.is_err()
            {
                // Broken: the kill comes before its news. What was to be sent is sent again by the session.
                break;
            }
        }
        self.listen(within).await?;
        if self.client.handle_timeout(self.now_ms()).is_err() {
            self.connection = None;
        }
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Closed { code, text } => bail!("the server closed the session: {code} {text}"),
                Event::Full => bail!("the session took no more taps"),
                Event::EditingChanged | Event::StatusAsked => {}
            }
        }
        ensure!(
            self.progress.elapsed() < PATIENCE,
            "nothing happens any more; on the screen: {:?}",
            self.names()
        );
        Ok(())
    }

    /// Takes one message, if one comes within a time.
    async fn listen(&mut self, within: Duration) -> Result<bool> {
        let Some(connection) = &mut self.connection else {
            tokio::time::sleep(within).await;
            return Ok(false);
        };
        match tokio::time::timeout(within, connection.receive()).await {
            Err(_) => Ok(false),
            Ok(None) => {
                self.connection = None;
                Ok(false)
            }
            Ok(Some(message)) => {
                let before = self.client.unanswered();
                self.client.handle(self.now_ms(), &message)?;
                if self.client.unanswered() < before {
                    self.progress = Instant::now();
                }
                self.count_confirmed();
                Ok(true)
            }
        }
    }

    fn count_confirmed(&mut self) {
        while self.unconfirmed.len() > self.client.unacknowledged() {
            let booking = self.unconfirmed.pop_front().unwrap_or(false);
            self.acknowledged += u64::from(booking);
            self.progress = Instant::now();
        }
    }

    /// Does what the screen calls for.
    fn act(&mut self, random: &mut StdRng) -> Result<()> {
        let quiet = self.client.unanswered() == 0 && !self.unconfirmed.contains(&true);
        if let Some(tile) = self.find(PRODUCT) {
            if self.in_order < BOOKINGS_AN_ORDER {
                let free = UNCONFIRMED_MAX.saturating_sub(self.client.unacknowledged());
                for _ in 0..random.random_range(0..=free) {
                    self.tap(&tile, true)?;
                }
            } else if quiet && let Some(send) = self.find(SEND) {
                self.tap(&send, false)?;
            } else if quiet
                && self.progress.elapsed() > SEND_PATIENCE
                && let Some(back) = self.find(BACK)
            {
                // Everything was sent, and the kill took away the way back to the tables.
                self.tap(&back, false)?;
            }
            return Ok(());
        }
        if !quiet {
            return Ok(());
        }
        if let Some(switch) = self.find_key(SWITCH) {
            if self.sure_of_digits && self.digits == PIN.len() && self.progress.elapsed() < PIN_PATIENCE {
                return Ok(());
            }
            // After a kill nobody knows how many digits the keypad has: begin again.
            let next = PIN.get(self.digits).filter(|_| self.sure_of_digits);
            let key = next.and_then(|digit| self.find_key(digit));
            self.digits += 1;
            return self.tap(&key.unwrap_or(switch), false);
        }
        let table = self.tables[(self.sent / BOOKINGS_A_TABLE) as usize % self.tables.len()];
        let next = self.find(GROUP).or_else(|| self.find(&format!("Table {table}")));
        if let Some(item) = next.or_else(|| self.find(PERSON)) {
            self.in_order = 0;
            self.digits = 0;
            self.sure_of_digits = true;
            return self.tap(&item, false);
        }
        Ok(())
    }

    fn tap(&mut self, item: &OutlineItem, booking: bool) -> Result<()> {
        let at = Point::new(item.rect.x + item.rect.w / 2, item.rect.y + item.rect.h / 2);
        let before = self.client.unacknowledged();
        self.client.pointer(self.now_ms(), FINGER, Pointer::Down(at));
        self.client.pointer(self.now_ms(), FINGER, Pointer::Up(at));
        ensure!(self.client.unacknowledged() == before + 1, "nothing to tap at {}", item.label);
        self.unconfirmed.push_back(booking);
        self.sent += u64::from(booking);
        self.in_order += u32::from(booking);
        Ok(())
    }

    fn items(&self) -> Vec<OutlineItem> {
        self.client.root().map_or_else(Vec::new, |root| tresen_scene::outline(root, self.client.scrolls()))
    }

    fn names(&self) -> Vec<String> {
        self.items().into_iter().map(|item| item.label).collect()
    }

    /// What has a name, exactly or up to a space, comma or line break, and is no key of a keypad. From 10,000 euros on, a
    /// button's text gives way to its amount and ends in an ellipsis.
    fn find(&self, name: &str) -> Option<OutlineItem> {
        self.touch(|item| {
            let rest = item.label.strip_prefix(name);
            let named = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ',', '\n', '…']));
            named && item.role != Role::Key
        })
    }

    fn find_key(&self, name: &str) -> Option<OutlineItem> {
        self.touch(|item| item.label == name && item.role == Role::Key)
    }

    fn touch(&self, fits: impl Fn(&OutlineItem) -> bool) -> Option<OutlineItem> {
        let mut items = self.items().into_iter();
        items.find(|item| {
            let enabled = matches!(&item.kind, OutlineKind::Touch { state, .. } if !state.disabled);
            enabled && fits(item)
        })
    }

    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}
