//! What is counted, and when.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::shift::Step;

/// Most kinds of stumbles that are told apart.
const STUMBLES: usize = 20;

/// The time that counts: from when everybody is at work until the end of the shift.
#[derive(Default)]
pub struct Window {
    from: OnceLock<Instant>,
    to: CancellationToken,
}

/// Sums over all waiters.
#[derive(Default)]
pub struct Tally {
    /// From each tap to the frame that answered it.
    pub taps_ms: Vec<f32>,
    /// From each tap that changed nothing to its acknowledgement.
    pub unchanged_ms: Vec<f32>,
    /// Session payload to the clients.
    pub to_client_bytes: u64,
    /// Session payload to the server.
    pub to_server_bytes: u64,
    /// Taps that nobody answered.
    pub unanswered: u64,
    /// Taps that met nothing.
    pub missed: u64,
    /// Connections that broke and were made anew, by the reason.
    pub broken: BTreeMap<String, u64>,
    /// Attempts to connect that failed.
    pub refused: u64,
    /// Steps whose name was not on the screen.
    pub stumbles: u64,
    /// What was looked for, and what was there.
    pub stumbled: BTreeMap<String, String>,
    /// Waiters who had to give up, and why.
    pub lost: Vec<String>,
}

impl Window {
    /// From now on it counts.
    pub fn open(&self) {
        let _ = self.from.set(Instant::now());
    }

    /// The shift is over.
    pub fn close(&self) {
        self.to.cancel();
    }

    /// Whether it counts now.
    pub fn is_open(&self) -> bool {
        self.from.get().is_some() && !self.is_over()
    }

    /// Whether the shift is over.
    pub fn is_over(&self) -> bool {
        self.to.is_cancelled()
    }

    /// Waits until it is.
    pub async fn over(&self) {
        self.to.cancelled().await;
    }
}

impl Tally {
    /// A waiter looked for something in vain.
    pub fn stumbled(&mut self, step: &Step, names: &[String]) {
        self.stumbles += 1;
        if self.stumbled.len() < STUMBLES {
            self.stumbled.entry(format!("{step:?}")).or_insert_with(|| names.join(" | "));
        }
    }
}
