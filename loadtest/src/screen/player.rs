//! Plays taps on the real client core, one at a time, and counts what each costs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tresen_client::{Client, Outline, Path, Pointer};
use tresen_scene::{Point, window_pixel};
use tresen_wire::Look;

use super::figures::Tap;
use super::find::{centre, find, named};
use crate::device::{Connection, Device};
use crate::handheld::Act;
use crate::handheld::script::Step;

/// A line that is silent for this long after the tap was answered has nothing more to say. Longer than the latest that QUIC may
/// acknowledge (25 ms) and a commit may take (25 ms), shorter than any clock on a screen.
pub(super) const SILENCE: Duration = Duration::from_millis(60);

/// An answer that takes longer than this never comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A list that takes more notches of the wheel than this is too long for a script.
const WHEEL_NOTCHES: usize = 40;

/// One part in so many of a thing is enough to tap it: a notch of the wheel may be more than a short list shows.
const ENOUGH_SEEN: i32 = 4;

/// The finger.
const FINGER: u32 = 0;

/// A client on its screen.
pub struct Player {
    client: Client,
    connection: Connection,
    start: Instant,
}

/// What arrived from one silence to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    payload_bytes: u64,
    /// When the last message came that changed the screen.
    screen: Option<Instant>,
    /// When the last message came.
    last: Option<Instant>,
    /// When the acknowledgement of the last input came.
    on_disk: Option<Instant>,
    paint: Duration,
}

impl Player {
    /// Connects and waits for the first screen. Returns its bytes too.
    ///
    /// # Errors
    /// When there is no screen.
    pub async fn open(device: &Device, look: Look) -> Result<(Self, u64)> {
        let mut player =
            Self { client: Client::new(look), connection: device.connect().await?, start: Instant::now() };
        player.client.connected(player.now_ms(), Path::Direct);
        let heard = player.until_silence().await?;
        ensure!(player.client.root().is_some(), "no first screen came");
        Ok((player, heard.payload_bytes))
    }

    /// Breaks the connection, comes again, and counts the bytes until the screen is there again.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn reconnect(&mut self, device: &Device) -> Result<u64> {
        let before = self.root_id();
        self.client.disconnected(self.now_ms());
        self.connection = device.connect().await?;
        self.client.connected(self.now_ms(), Path::Direct);
        let heard = self.until_silence().await?;
        ensure!(self.root_id() == before, "another screen came back");
        Ok(heard.payload_bytes)
    }

    /// Goes on in another network, as a device that learns of it at once. Returns what came until the screen was there again: its bytes,
    /// and how long the last one that changed it or said that it stays took.
    ///
    /// # Errors
    /// When nothing comes.
    pub async fn go_on(&mut self, device: &Device) -> Result<Tap> {
        let udp_before = self.connection.udp_received_bytes();
        let moved = Instant::now();
        device.go_on(&mut self.connection).await?;
        self.client.moved(self.now_ms());
        let heard = self.until_silence().await?;
        self.cost(&heard, udp_before, moved).context("nothing came")
    }

    /// Taps at a point, and does not wait for what comes of it.
    ///
    /// # Errors
    /// When the connection breaks, or nothing can be tapped there.
    pub async fn tap_only(&mut self, at: Point) -> Result<()> {
        self.client.pointer(self.now_ms(), FINGER, Pointer::Down(at));
        self.client.pointer(self.now_ms(), FINGER, Pointer::Up(at));
        ensure!(self.client.unacknowledged() > 0, "nothing to tap at {at:?}");
        self.transmit().await
    }

    /// Taps at a point.
    ///
    /// # Errors
    /// When the connection breaks, or there is no answer.
    pub async fn tap(&mut self, at: Point) -> Result<Tap> {
        let udp_before = self.connection.udp_received_bytes();
        let down = Instant::now();
        self.client.pointer(self.now_ms(), FINGER, Pointer::Down(at));
        self.client.paint(self.now_ms());
        let pressed = down.elapsed();
        let tapped = Instant::now();
        self.client.pointer(self.now_ms(), FINGER, Pointer::Up(at));
        ensure!(self.client.unacknowledged() > 0, "nothing to tap at {at:?}");
        let heard = self.until_silence().await?;
        let mut tap = self.cost(&heard, udp_before, tapped).context("a tap without an answer")?;
        tap.paint_us += pressed.as_secs_f64() * 1e6;
        Ok(tap)
    }

    /// Does one step of a script.
    ///
    /// # Errors
    /// As [`Self::tap`], and when nothing has this name.
    pub async fn step(&mut self, step: Step) -> Result<Tap> {
        self.until_named(step).await?;
        let at = find(&mut self.client, step)
            .with_context(|| format!("it is not on the screen: {:?}", self.names()))?;
        self.tap(at).await
    }

    /// Does one step of a script as a hand with a mouse does it, and says how.
    ///
    /// # Errors
    /// As [`Self::tap`], and when nothing has this name.
    pub async fn rehearse(&mut self, step: Step, notch_px: i32) -> Result<Act> {
        self.until_named(step).await?;
        let mut wheel: Option<(Point, i32)> = None;
        for _ in 0..WHEEL_NOTCHES {
            let Outline { areas, items } = self.client.outline();
            let item = named(&items, step).with_context(|| format!("it is not on the screen: {step:?}"))?;
            let middle = centre(item.rect);
            let Some(area) = item.area.map(|area| &areas[area]) else {
                self.tap(middle).await?;
                return Ok(Act { wheel, tap: middle });
            };
            let seen = item.rect.intersect(area.rect);
            if seen.w > 0 && seen.h * ENOUGH_SEEN >= item.rect.h {
                let middle = centre(seen);
                self.tap(middle).await?;
                return Ok(Act { wheel, tap: middle });
            }
            let down = if item.rect.y > area.rect.y { 1 } else { -1 };
            let at = centre(area.rect);
            self.client.wheel(at, down * notch_px);
            self.client.paint(self.now_ms());
            wheel = Some((at, wheel.map_or(0, |(_, notches)| notches) + down));
        }
        bail!("scrolling does not bring it: {step:?}")
    }

    /// What it shows, as a window of a desktop: blue, green, red, 0.
    pub fn pixels(&self) -> Vec<u8> {
        self.client.canvas().pixels().iter().flat_map(|pixel| window_pixel(*pixel).to_le_bytes()).collect()
    }

    /// The names on the screen.
    pub fn names(&self) -> Vec<String> {
        self.client.outline().items.into_iter().map(|item| item.label).collect()
    }

    /// What it took since then; `None` when nothing came.
    fn cost(&self, heard: &Heard, udp_before: u64, began: Instant) -> Option<Tap> {
        let since = |moment: Instant| moment.saturating_duration_since(began).as_secs_f64() * 1000.0;
        let last = heard.last?;
        Some(Tap {
            payload_bytes: heard.payload_bytes,
            udp_bytes: self.connection.udp_received_bytes() - udp_before,
            last_byte_ms: since(heard.screen.unwrap_or(last)),
            on_disk_ms: heard.on_disk.map(since),
            paint_us: heard.paint.as_secs_f64() * 1e6,
        })
    }

    /// Whether the server has answered everything that was tapped.
    pub fn has_answers(&self) -> bool {
        self.client.unanswered() == 0
    }

    fn root_id(&self) -> Option<tresen_scene::ObjectId> {
        self.client.root().map(|root| root.id())
    }

    /// Waits until something on the screen has the step's name: the answer that brings it may take longer than the silence after a tap.
    async fn until_named(&mut self, step: Step) -> Result<()> {
        let limit = Instant::now() + PATIENCE;
        while named(&self.client.outline().items, step).is_none() {
            ensure!(Instant::now() < limit, "{step:?} is not on the screen: {:?}", self.names());
            self.transmit().await?;
            if let Ok(message) = tokio::time::timeout(SILENCE, self.connection.receive()).await {
                self.take(&message.context("the server closed the connection")?, &mut Heard::default())?;
            }
        }
        Ok(())
    }

    /// Sends what the client has to say and takes what comes, until nothing comes any more.
    async fn until_silence(&mut self) -> Result<Heard> {
        let mut heard = Heard::default();
        let limit = Instant::now() + PATIENCE;
        loop {
            self.transmit().await?;
            match tokio::time::timeout(SILENCE, self.connection.receive()).await {
                Ok(Some(message)) => self.take(&message, &mut heard)?,
                Ok(None) => bail!("the server closed the connection"),
                Err(_) if heard.last.is_some() && self.client.unanswered() == 0 => return Ok(heard),
                Err(_) if Instant::now() > limit => bail!("no answer within {PATIENCE:?}"),
                Err(_) => {}
            }
        }
    }

    fn take(&mut self, message: &[u8], heard: &mut Heard) -> Result<()> {
        let arrived = Instant::now();
        let before = self.root_id();
        self.client.handle(self.now_ms(), message)?;
        self.client.paint(self.now_ms());
        heard.paint += arrived.elapsed();
        heard.last = Some(arrived);
        if heard.on_disk.is_none() && self.client.unacknowledged() == 0 {
            heard.on_disk = Some(arrived);
        }
        if self.root_id() != before {
            heard.screen = Some(arrived);
        }
        heard.payload_bytes += message.len() as u64;
        Ok(())
    }

    async fn transmit(&mut self) -> Result<()> {
        let now_ms = self.now_ms();
        let messages: Vec<_> = std::iter::from_fn(|| self.client.poll_transmit(now_ms)).collect();
        if messages.is_empty() { Ok(()) } else { self.connection.send_all(messages).await }
    }

    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}
