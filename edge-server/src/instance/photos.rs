//! Photos that the screen lacks because nobody has scaled them yet. It is shown without them at once; they are scaled in the darkroom, where that
//! holds up nobody, and it is drawn again when all of them are there, or from time to time while that takes long.

use std::sync::Arc;

use tokio::sync::oneshot;
use tresen_ledger::Ledger;
use tresen_mpos::ui::{Developing, Missing};
use tresen_typeset::Wanted;

use super::task::Instance;
use crate::application::StoredPhotos;
use crate::darkroom::Photos;

#[cfg(test)]
mod tests;

/// After this, a screen shows the photos that are there, also when others are not.
const PATIENCE_MS: u64 = 400;

/// What an instance keeps for the photos that its screen lacks.
#[derive(Default)]
pub(super) struct Lacking {
    /// What the view that is drawn lacks.
    missing: Arc<Missing>,
    ordered: Option<Order>,
    /// What an order brought, until it is on the screen.
    brought: Photos,
}

struct Order {
    wanted: Vec<Wanted>,
    /// `None`: it brought all that it could.
    ready: Option<oneshot::Receiver<Photos>>,
}

impl Lacking {
    /// The pictures for a view: none is scaled while it is drawn.
    pub(super) fn photos<'a>(&self, ledger: &'a Ledger) -> StoredPhotos<'a> {
        StoredPhotos { ledger, developing: Developing::Later(self.missing.clone()) }
    }

    /// What the view that was drawn just now lacks.
    pub(super) fn taken(&self) -> Vec<Wanted> {
        self.missing.take()
    }

    /// The order's photos, when they are there; nothing, when it failed.
    pub(super) async fn arrive(&mut self) -> Photos {
        let Some(ready) = self.ordered.as_mut().and_then(|order| order.ready.as_mut()) else {
            return std::future::pending().await;
        };
        let photos = ready.await.unwrap_or_default();
        if let Some(order) = &mut self.ordered {
            order.ready = None;
        }
        photos
    }
}

impl Instance {
    /// The photos of an order are there.
    pub(super) fn photos_arrived(&mut self, photos: Photos) {
        self.lacking.brought = photos;
        self.render_unless_committing();
    }

    /// The screen was drawn: has scaled what it lacks. What was ordered and did not come, is not ordered again: no order brings it.
    pub(super) fn order_photos(&mut self) {
        self.lacking.brought.clear();
        let wanted = self.lacking.taken();
        if wanted.is_empty() {
            self.lacking.ordered = None;
            return;
        }
        let known = self.lacking.ordered.as_ref();
        if known.is_none_or(|order| wanted.iter().any(|photo| !order.wanted.contains(photo))) {
            let ready = Some(self.around.darkroom.order(wanted.clone()));
            self.lacking.ordered = Some(Order { wanted, ready });
        }
        if self.lacking.ordered.as_ref().is_some_and(|order| order.ready.is_some()) {
            let due = self.now_ms() + PATIENCE_MS;
            self.render_due_ms = Some(self.render_due_ms.map_or(due, |earlier| earlier.min(due)));
        }
    }
}
