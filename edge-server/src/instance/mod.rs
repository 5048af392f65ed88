//! An instance: one application for one station, with the session of whoever is attached. One task owns all of it.
//!
//! The way of an input: the session takes it once -> the application updates -> a commit goes to the ledger together with a *mark* (the
//! input's number and the application's state), or, when it booked nothing, the mark alone goes much later, or with the next booking -> when
//! that is on disk, the input is acknowledged. Until then the client keeps it and sends it again to a server that died.
//!
//! Invariants:
//! - an input is acknowledged only when its mark is on disk, so after any crash it is neither lost nor applied twice;
//! - marks reach the ledger in the order of the inputs;
//! - nothing is drawn while nobody is attached, and nothing for what others book that the screen does not show ([`news`]).

mod alphabets;
#[cfg(test)]
mod bench;
mod due;
mod effects;
mod flights;
#[cfg(test)]
mod guess_tests;
mod guessing;
pub mod link;
mod marks;
mod news;
mod photos;
mod pins;
mod plan;
mod screen;
pub(crate) mod session;
mod status;
mod supervisor;
mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tresen_identity::Fingerprint;
use tresen_ledger::Ledger;
use tresen_scene::{Namer, Node};
use tresen_till::ReceiptNumber;
use tresen_wire::{CloseCode, Hello, Look};

use crate::application::Applications;
use crate::config::Prediction;
use crate::darkroom::{Darkroom, Photos};
use crate::habits::Habits;
use crate::registry::Station;
use crate::site::Clock;
pub use alphabets::Alphabets;
pub use link::Link;
pub use news::News;
pub use pins::PinChecks;
pub use status::{Counted, Shown, State, Status};

/// Requests that wait to be taken by an instance.
const REQUESTS: usize = 16;

/// What every instance works with.
pub struct Surroundings {
    /// Where bookings go.
    pub ledger: Ledger,
    /// Checks PINs.
    pub pin_checks: Arc<PinChecks>,
    /// Who hears of what is booked.
    pub news: Arc<News>,
    /// The server's clocks.
    pub clock: Arc<Clock>,
    /// Names objects of scenes.
    pub namer: Namer,
    /// The letters that were sent to anybody.
    pub alphabets: Alphabets,
    /// Makes the applications.
    pub applications: Arc<dyn Applications>,
    /// Scales photos.
    pub darkroom: Darkroom,
    /// What is tapped after what.
    pub habits: Arc<Habits>,
    /// When answers are sent ahead.
    pub prediction: Prediction,
    /// Prints a receipt again.
    pub reprint: Box<dyn Fn(ReceiptNumber) + Send + Sync>,
}

/// A running instance, as others see it.
#[derive(Clone)]
pub struct Handle {
    requests: mpsc::Sender<Request>,
    name: Arc<watch::Sender<String>>,
    /// What it is doing.
    pub status: Arc<Status>,
}

/// What an instance is asked.
pub(crate) enum Request {
    Attach(Box<Attach>),
    Picture { look: Look, reply: oneshot::Sender<Picture> },
    Renamed,
    Stop { code: CloseCode, text: &'static str },
}

/// How an instance looks.
pub(crate) struct Picture {
    root: Arc<Node>,
    /// Photos that it lacks are on their way.
    lacking: Option<oneshot::Receiver<Photos>>,
}

/// The station that an instance runs for. Its name may change, and outlives a panic.
#[derive(Clone)]
pub(crate) struct Place {
    pub number: u16,
    pub name: watch::Receiver<String>,
}

/// A device wants to attach.
pub(crate) struct Attach {
    pub device: Fingerprint,
    pub hello: Hello,
    pub link: Link,
}

impl Handle {
    /// Starts an instance for a station; it runs until it is stopped, whatever panics.
    #[must_use]
    pub fn start(surroundings: Arc<Surroundings>, station: &Station) -> Self {
        let (requests, inbox) = mpsc::channel(REQUESTS);
        let (name, named) = watch::channel(station.name.clone());
        let status = Arc::new(Status::default());
        let place = Place { number: station.number, name: named };
        tokio::spawn(supervisor::supervise(surroundings, place, inbox, status.clone()));
        Self { requests, name: Arc::new(name), status }
    }

    /// Attaches a device. Whoever is attached there leaves.
    pub async fn attach(&self, device: Fingerprint, hello: Hello, link: Link) {
        let attach = Attach { device, hello, link };
        // When the instance is gone, dropping the link closes the connection, and the client comes again.
        let _ = self.requests.send(Request::Attach(Box::new(attach))).await;
    }

    /// Its screen, drawn for a look of the caller's choice; with its photos, unless they take longer than `patience`. `None` when it is not running.
    pub async fn picture(&self, look: Look, patience: Duration) -> Option<Arc<Node>> {
        let Picture { root, lacking } = self.picture_now(look).await?;
        let Some(lacking) = lacking else { return Some(root) };
        let Ok(_alive_until_drawn) = tokio::time::timeout(patience, lacking).await else { return Some(root) };
        Some(self.picture_now(look).await?.root)
    }

    async fn picture_now(&self, look: Look) -> Option<Picture> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Picture { look, reply }).await.ok()?;
        answer.await.ok()
    }

    /// Tells it the station's new name.
    pub async fn rename(&self, name: String) {
        self.name.send_replace(name);
        let _ = self.requests.send(Request::Renamed).await;
    }

    /// Ends it, with a goodbye to whoever is attached, and waits until it is gone.
    pub async fn stop(&self, code: CloseCode, text: &'static str) {
        let _ = self.requests.send(Request::Stop { code, text }).await;
        self.requests.closed().await;
    }
}
