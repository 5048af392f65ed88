//! What an instance is doing, for the back office and the metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tresen_identity::Fingerprint;
use tresen_scene::Node;
use tresen_till::StaffId;

/// What an instance is doing. It writes, others read.
#[derive(Default)]
pub struct Status {
    inner: Mutex<Inner>,
    /// Inputs that it applied.
    pub inputs: AtomicU64,
    /// Messages that it sent.
    pub messages: AtomicU64,
    /// Bytes that it sent.
    pub sent_bytes: AtomicU64,
    /// How often it panicked.
    pub panics: AtomicU64,
}

/// Whether it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It is being started.
    #[default]
    Starting,
    /// It runs.
    Running,
    /// It panicked and will be started again.
    Restarting,
    /// It was stopped.
    Stopped,
}

#[derive(Default)]
struct Inner {
    state: State,
    attached: Option<(Fingerprint, Timestamp)>,
    root: Option<Arc<Node>>,
    staff: Option<StaffId>,
    rtt_ms: Option<u64>,
}

impl Status {
    /// Whether it runs.
    #[must_use]
    pub fn state(&self) -> State {
        self.lock().state
    }

    /// Which device is attached, and since when.
    #[must_use]
    pub fn attached(&self) -> Option<(Fingerprint, Timestamp)> {
        self.lock().attached
    }

    /// The screen that was shown last, if ever one was.
    #[must_use]
    pub fn root(&self) -> Option<Arc<Node>> {
        self.lock().root.clone()
    }

    /// Who is logged in.
    #[must_use]
    pub fn staff(&self) -> Option<StaffId> {
        self.lock().staff
    }

    /// From a frame to its acknowledgement, smoothed, in ms.
    #[must_use]
    pub fn rtt_ms(&self) -> Option<u64> {
        self.lock().rtt_ms
    }

    pub(super) fn set_state(&self, state: State) {
        self.lock().state = state;
    }

    pub(super) fn set_attached(&self, attached: Option<(Fingerprint, Timestamp)>) {
        self.lock().attached = attached;
    }

    pub(super) fn set_root(&self, root: Arc<Node>) {
        self.lock().root = Some(root);
    }

    pub(super) fn set_staff(&self, staff: Option<StaffId>) {
        self.lock().staff = staff;
    }

    pub(super) fn set_rtt_ms(&self, rtt_ms: Option<u64>) {
        self.lock().rtt_ms = rtt_ms;
    }

    pub(super) fn count(&self, counter: &AtomicU64, by: usize) {
        counter.fetch_add(by as u64, Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
