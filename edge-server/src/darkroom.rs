//! Where photos are scaled that a screen needs: beside the threads that serve everybody, one order after the other.
//!
//! An order is what one screen lacks, at most [`tresen_mpos::limits::PHOTOS`]. It ends when nobody waits for it any more, so there are never more of
//! them than instances, and pictures of them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tresen_scene::Sprite;
use tresen_typeset::{Typesetter, Wanted};

/// Orders that are worked on at a time. One: the other threads belong to those who tap.
const AT_A_TIME: usize = 1;

/// The door to it; clones lead to the same one.
#[derive(Clone)]
pub struct Darkroom {
    typesetter: Arc<Typesetter>,
    turns: Arc<Semaphore>,
}

/// What an order brings: the photos, kept alive until they are on a screen.
pub type Photos = Vec<Arc<Sprite>>;

impl Darkroom {
    /// One that scales for whoever draws with `typesetter`.
    #[must_use]
    pub fn new(typesetter: Arc<Typesetter>) -> Self {
        Self { typesetter, turns: Arc::new(Semaphore::new(AT_A_TIME)) }
    }

    /// Has photos scaled, and tells when all are. What can't be read, or makes a decoder panic, is known as such from then on.
    #[must_use]
    pub fn order(&self, wanted: Vec<Wanted>) -> oneshot::Receiver<Photos> {
        let (mut ready, waiting) = oneshot::channel();
        let (typesetter, turns) = (self.typesetter.clone(), self.turns.clone());
        tokio::spawn(async move {
            let turn = tokio::select! {
                turn = turns.acquire_owned() => turn.expect("nobody closes it"),
                () = ready.closed() => return,
            };
            tokio::task::spawn_blocking(move || develop(&typesetter, &wanted, ready, turn));
        });
        waiting
    }
}

fn develop(
    typesetter: &Typesetter,
    wanted: &[Wanted],
    ready: oneshot::Sender<Photos>,
    _turn: OwnedSemaphorePermit,
) {
    let needed = wanted.iter().take_while(|_| !ready.is_closed());
    let photos = needed.filter_map(|wanted| typesetter.scale(wanted)).collect();
    let _ = ready.send(photos);
}
