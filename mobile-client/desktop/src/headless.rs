//! A device without a window: it connects, taps, and says what becomes of its connection, a line for each event, with milliseconds since the start.
//!
//! ```text
//! way direct | way internet | way relayed | way passed    the connection is open, or takes another way
//! screen                                     the first screen is there
//! answer MS                                  the server has answered a tap, which took so long
//! unanswered MS                              the time is over, and a tap has waited so long
//! shows TEXT                                 the time is over, and this is on the screen
//! moved | lost WHY                           it goes on in another network; it is gone, and is called again
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Result;
use tresen_client::{Backoff, Client, ItemKind, Path};
use tresen_wire::Look;

use crate::network::{Dialled, Network, Report};

/// What is done.
pub struct Options {
    /// For how long.
    pub limit: Duration,
    /// ... or until standard input is closed and the last tap is answered.
    pub until_closed: bool,
    /// Names of what is tapped first, one after the other.
    pub first: Vec<String>,
    /// Names of what is tapped then, one after the other, over and over.
    pub taps: Vec<String>,
    /// What to say of the screen at the end: everything with this in it.
    pub show: Option<String>,
    /// From an answer to the next tap.
    pub pause: Duration,
    /// ... and for how long at most when its way is direct.
    pub after_direct: Option<Duration>,
}

/// How long a goodbye may take to leave.
const FAREWELL: Duration = Duration::from_millis(200);

/// Longest time without a look at what is due.
const LOOK_AGAIN_MS: u64 = 50;

struct Headless {
    start: Instant,
    network: Network,
    client: Client,
    backoff: Backoff,
    options: Options,
    online_ms: Option<u64>,
    connect_at_ms: Option<u64>,
    is_shown: bool,
    /// What was tapped and has no answer yet, and when.
    tapped_ms: Option<u64>,
    next_tap_ms: u64,
    taps: usize,
    until: Duration,
    closed: Arc<AtomicBool>,
}

/// Runs until the time is over.
///
/// # Errors
/// When there is no thread for the network.
pub fn run(dialled: Dialled, look: Look, options: Options) -> Result<()> {
    let (reports, reported) = channel();
    let network = Network::start(dialled, move |report| reports.send(report).is_ok())?;
    let until = options.limit;
    let mut headless = Headless {
        start: Instant::now(),
        network,
        client: Client::new(look),
        backoff: Backoff::default(),
        options,
        online_ms: None,
        connect_at_ms: Some(0),
        is_shown: false,
        tapped_ms: None,
        next_tap_ms: 0,
        taps: 0,
        until,
        closed: Arc::default(),
    };
    if headless.options.until_closed {
        let closed = headless.closed.clone();
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            closed.store(true, Ordering::Relaxed);
        });
    }
    headless.live(&reported);
    if let Some(show) = headless.options.show.take() {
        let items = headless.client.outline().items.into_iter();
        let shown = items.map(|item| item.label).filter(|label| label.contains(&show));
        shown.for_each(|label| headless.say(&format!("shows {label}")));
    }
    if let Some(tapped_ms) = headless.tapped_ms {
        headless.say(&format!("unanswered {}", headless.now_ms() - tapped_ms));
    }
    headless.network.disconnect();
    while let Ok(report) = reported.recv_timeout(FAREWELL) {
        if matches!(report, Report::Lost(_)) {
            // The connection is closed; its last packet leaves.
            std::thread::sleep(FAREWELL);
        }
    }
    Ok(())
}

impl Headless {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn say(&self, what: &str) {
        println!("{} {what}", self.now_ms());
    }

    fn live(&mut self, reported: &Receiver<Report>) {
        while self.start.elapsed() < self.until {
            self.follow();
            let next = [self.client.poll_timeout(), self.connect_at_ms, Some(self.next_tap_ms)];
            let now_ms = self.now_ms();
            let due = next.into_iter().flatten().filter(|at_ms| *at_ms > now_ms).min();
            let wait_ms = due.map_or(LOOK_AGAIN_MS, |at_ms| (at_ms - now_ms).min(LOOK_AGAIN_MS));
            match reported.recv_timeout(Duration::from_millis(wait_ms)) {
                Ok(report) => self.reported(report),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn follow(&mut self) {
        let now_ms = self.now_ms();
        if self.connect_at_ms.is_some_and(|at_ms| now_ms >= at_ms) {
            self.connect_at_ms = None;
            self.network.connect();
        }
        if self.client.handle_timeout(now_ms).is_err() {
            self.network.disconnect();
        }
        while let Some(event) = self.client.poll_event() {
            tracing::debug!(?event, "an event");
        }
        self.tap(now_ms);
        while let Some(message) = self.client.poll_transmit(now_ms) {
            if self.online_ms.is_some() {
                self.network.send(message);
            }
        }
    }

    /// Taps what is next, when the tap before is answered.
    fn tap(&mut self, now_ms: u64) {
        if let Some(tapped_ms) = self.tapped_ms.filter(|_| self.client.unanswered() == 0) {
            self.say(&format!("answer {}", now_ms - tapped_ms));
            self.tapped_ms = None;
            self.next_tap_ms = now_ms + self.options.pause.as_millis() as u64;
        }
        if self.tapped_ms.is_some() || now_ms < self.next_tap_ms {
            return;
        }
        if self.closed.load(Ordering::Relaxed) {
            self.until = Duration::ZERO;
            return;
        }
        let Options { first, taps, .. } = &self.options;
        let items = self.client.outline().items;
        let action_of = |name: &String| {
            items.iter().find_map(|item| match &item.kind {
                ItemKind::Touch { action, .. } if item.label.starts_with(name.as_str()) => {
                    Some(action.clone())
                }
                _ => None,
            })
        };
        let action = match self.taps.checked_sub(first.len()) {
            None => action_of(&first[self.taps]),
            // Over and over; what is not there, because somebody else was here before, is passed over.
            Some(done) => {
                let turn = done % taps.len().max(1);
                taps[turn..].iter().chain(&taps[..turn]).find_map(action_of)
            }
        };
        if let Some(action) = action {
            self.client.activate(now_ms, &action);
            self.tapped_ms = Some(now_ms);
            self.taps += 1;
        }
    }

    fn reported(&mut self, report: Report) {
        let now_ms = self.now_ms();
        match report {
            Report::Connected(path) => {
                self.online_ms = Some(now_ms);
                self.say_way(path);
                self.client.connected(now_ms, path);
            }
            Report::Way(path) => {
                self.say_way(path);
                self.client.set_path(path);
            }
            Report::Acknowledged => self.client.acknowledged(now_ms),
            Report::Moved => {
                self.say("moved");
                self.client.moved(now_ms);
                self.network.go_on();
            }
            Report::Network(_) => {}
            Report::Message(message) if self.online_ms.is_some() => {
                if self.client.handle(now_ms, &message).is_err() {
                    self.network.disconnect();
                }
                if !self.is_shown && self.client.root().is_some() {
                    self.is_shown = true;
                    self.say("screen");
                }
            }
            Report::Message(_) => {}
            Report::Lost(why) => {
                self.say(&format!("lost {why}"));
                let lasted_ms = self.online_ms.take().map_or(0, |since_ms| now_ms - since_ms);
                self.client.disconnected(now_ms);
                let wait_ms = self.backoff.next_wait_ms(lasted_ms, getrandom::u32().unwrap_or_default());
                self.connect_at_ms = Some(now_ms + wait_ms);
            }
        }
    }

    fn say_way(&mut self, path: Path) {
        if let Some(after) =
            self.options.after_direct.filter(|_| matches!(path, Path::Direct | Path::Internet))
        {
            self.until = self.until.min(self.start.elapsed() + after);
        }
        self.say(match path {
            Path::Direct => "way direct",
            Path::Internet => "way internet",
            Path::Relayed => "way relayed",
            Path::Passed => "way passed",
        });
    }
}
