//! A person before a client: taps, looks, waits until it is clear what came of the tap.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tresen_client::{Client, Path, Pointer};
use tresen_scene::{ObjectId, Point};
use tresen_wire::Look;
use tresen_world::dice::Dice;

use crate::device::{Connection, Device};
use crate::handheld::script::{Step, is_beyond};
use crate::screen::find::find;

/// An answer within this is felt as at once.
const AT_ONCE_MS: f64 = 16.0;

/// What a server and a disk may take on top of a round trip before something wrong is wrong for long.
const SERVER_MS: u64 = 50;

/// An answer that takes longer than this never comes.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much the pace of a person varies: the deviation of the logarithm.
const PACE_SPREAD: f64 = 0.5;

/// The finger.
const FINGER: u32 = 0;

/// A person with a client.
pub struct Walker {
    client: Client,
    connection: Connection,
    start: Instant,
    round_trip_ms: u64,
    dice: Dice,
    payload_bytes: u64,
    tapped: Instant,
}

/// How a tap was answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// From the tap to the screen that was right.
    pub right_ms: f64,
    /// How long something wrong of the client's own making was shown, if it was.
    pub wrong_ms: Option<f64>,
    /// Whether it was shown at once that the tap is being done: what reaches beyond the till is answered so.
    pub is_pending: bool,
    round_trip_ms: u64,
}

/// What the client showed of its own making, right after a tap.
#[derive(Clone, Copy, Debug)]
enum Guess {
    /// What came of it.
    Answer(ObjectId),
    /// That it is being done.
    Pending(ObjectId),
}

impl Answer {
    /// From what was shown and since when, in ms from the tap; what was shown last is right. That it is being done is the right thing to show only for what
    /// reaches beyond the till.
    fn judge(step: Step, seen: &[(f64, ObjectId)], guess: Option<Guess>, round_trip_ms: u64) -> Self {
        let right = seen.last().map(|(_, root)| *root);
        let first = seen.iter().rposition(|(_, root)| Some(*root) != right).map_or(0, |last| last + 1);
        let right_ms = seen.get(first).map_or(0.0, |(at_ms, _)| *at_ms);
        let (is_pending, guessed) = match guess {
            None => (false, None),
            Some(Guess::Pending(_)) if is_beyond(step) => (true, None),
            Some(Guess::Answer(root) | Guess::Pending(root)) => (false, Some(root)),
        };
        let wrong_ms = guessed.filter(|root| Some(*root) != right).map(|_| right_ms);
        Self { right_ms, wrong_ms, is_pending, round_trip_ms }
    }

    /// Whether the right screen was there at once: the answer, or that the tap is being done.
    pub fn is_answered(&self) -> bool {
        self.is_pending || self.right_ms <= AT_ONCE_MS
    }

    /// Whether something wrong was shown for longer than a round trip.
    pub fn is_wrong_for_long(&self) -> bool {
        self.wrong_ms.is_some_and(|wrong_ms| wrong_ms > (self.round_trip_ms + SERVER_MS) as f64)
    }
}

impl Walker {
    /// Connects and waits for the first screen.
    pub async fn open(device: &Device, look: Look, round_trip_ms: u64) -> Result<Self> {
        let connection = device.connect().await?;
        let mut walker = Self {
            client: Client::new(look),
            connection,
            start: Instant::now(),
            round_trip_ms,
            dice: Dice::new(5),
            payload_bytes: 0,
            tapped: Instant::now(),
        };
        walker.client.connected(walker.now_ms(), Path::Direct);
        walker.until(Instant::now() + Duration::from_secs(2), |_| false).await?;
        ensure!(walker.client.root().is_some(), "no first screen came");
        Ok(walker)
    }

    /// Bytes of messages that have arrived.
    pub const fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// The time that the person takes before the next tap: lognormal with this mean.
    pub fn pace(&mut self, mean: Duration) -> Duration {
        let median = mean.mul_f64((-PACE_SPREAD * PACE_SPREAD / 2.0).exp());
        Duration::from_micros(self.dice.lognormal(median.as_micros() as u64, PACE_SPREAD))
    }

    /// Does one step of a script, `pace` after the one before, or as soon as it can be seen.
    pub async fn step(&mut self, step: Step, pace: Duration) -> Result<Answer> {
        self.until(self.tapped + pace, |_| false).await?;
        let deadline = Instant::now() + PATIENCE;
        let at = loop {
            if let Some(at) = find(&mut self.client, step) {
                break at;
            }
            ensure!(Instant::now() < deadline, "it is not on the screen");
            self.until(Instant::now() + Duration::from_millis(20), |_| false).await?;
        };
        self.tap(step, at).await
    }

    async fn tap(&mut self, step: Step, at: Point) -> Result<Answer> {
        self.client.pointer(self.now_ms(), FINGER, Pointer::Down(at));
        self.client.paint(self.now_ms());
        self.tapped = Instant::now();
        let before = self.shown();
        self.client.pointer(self.now_ms(), FINGER, Pointer::Up(at));
        self.client.paint(self.now_ms());
        ensure!(self.client.unacknowledged() > 0, "nothing to tap at {at:?}");
        let mut seen = vec![(0.0, before)];
        self.look(&mut seen);
        let shown = self.shown();
        let is_pending = self.client.is_pending() && shown != before;
        let guess = if is_pending { Guess::Pending(shown) } else { Guess::Answer(shown) };
        let guess = self.client.is_guess().then_some(guess);
        let least = self.tapped + Duration::from_millis(self.round_trip_ms + 20);
        let deadline = self.tapped + PATIENCE;
        while !(self.client.unanswered() == 0 && !self.client.is_guess() && Instant::now() >= least) {
            ensure!(Instant::now() < deadline, "no answer within {PATIENCE:?}");
            self.until(Instant::now() + Duration::from_millis(15), |client| {
                client.root().map(|root| root.id()) != seen.last().map(|(_, root)| *root)
            })
            .await?;
            self.look(&mut seen);
        }
        Ok(Answer::judge(step, &seen, guess, self.round_trip_ms))
    }

    fn look(&self, seen: &mut Vec<(f64, ObjectId)>) {
        let shown = self.shown();
        if seen.last().is_none_or(|(_, root)| *root != shown) {
            seen.push((self.tapped.elapsed().as_secs_f64() * 1000.0, shown));
        }
    }

    fn shown(&self) -> ObjectId {
        self.client.root().map_or(ObjectId([0; 16]), |root| root.id())
    }

    /// Sends and takes what comes until then, or until something is so.
    async fn until(&mut self, end: Instant, so: impl Fn(&Client) -> bool) -> Result<()> {
        loop {
            let now_ms = self.now_ms();
            let messages: Vec<_> = std::iter::from_fn(|| self.client.poll_transmit(now_ms)).collect();
            if !messages.is_empty() {
                self.connection.send_all(messages).await?;
            }
            let now = Instant::now();
            if now >= end || so(&self.client) {
                return Ok(());
            }
            let timer = self.client.poll_timeout().map_or(u64::MAX, |due| due.saturating_sub(self.now_ms()));
            let wait = end.saturating_duration_since(now).min(Duration::from_millis(timer.max(1)));
            match tokio::time::timeout(wait, self.connection.receive()).await {
                Ok(Some(message)) => {
                    self.payload_bytes += message.len() as u64;
                    self.client.handle(self.now_ms(), &message)?;
                }
                Ok(None) => bail!("the server closed the connection"),
                Err(_) => {}
            }
            let due = self.client.poll_timeout().is_some_and(|due| due <= self.now_ms());
            if due {
                self.client.handle_timeout(self.now_ms()).ok().context("the line is dead")?;
            }
            self.client.paint(self.now_ms());
        }
    }

    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that only what reaches beyond the till is answered by showing that it is being done, and that anything else of the client's own making that
    /// is not the answer is wrong.
    #[test]
    fn only_what_reaches_beyond_the_till_may_be_pending() {
        let root = |byte| ObjectId([byte; 16]);
        let seen = [(0.0, root(1)), (0.1, root(2)), (180.0, root(3))];
        let judge = |step, guess| Answer::judge(step, &seen, Some(guess), 150);
        let send = judge(Step::Tap("Send"), Guess::Pending(root(2)));
        assert!(send.is_answered() && send.is_pending && send.wrong_ms.is_none());
        let order = judge(Step::Tap("Cola 0,33"), Guess::Pending(root(2)));
        assert!(!order.is_answered() && !order.is_pending);
        assert_eq!(order.wrong_ms, Some(180.0));
        let order = judge(Step::Tap("Cola 0,33"), Guess::Answer(root(3)));
        assert!(!order.is_pending && order.wrong_ms.is_none());
    }
}
