//! What an instance shows: drawn when it changed, handed to the session, sent.

use std::sync::Arc;

use tresen_mpos::World;
use tresen_till::{StationId, Till};
use tresen_wire::Look;

use super::Shown;
use super::flights::Cargo;
use super::task::Instance;
use crate::application::{AppInput, Application};
use crate::look;

/// How long a screen may wait for a commit that will change it again: some times what one takes. Whoever taps sees then that it is under way.
const COMMIT_PATIENCE_MS: u64 = 30;

/// A screen is drawn anew by itself after this at the soonest.
const LEAST_WAKE_MS: u64 = 10;

/// After a screen was drawn, a new size of the device's is drawn this much later at the soonest: a window that is dragged has many.
const RESIZED_MS: u64 = 100;

impl Instance {
    /// The device's screen is another one.
    pub(super) fn look_changed(&mut self) {
        let due_ms = self.drawn_ms.map_or(0, |drawn_ms| drawn_ms + RESIZED_MS);
        if due_ms <= self.now_ms() {
            self.render();
        } else {
            self.render_by(due_ms);
        }
    }

    /// The screen is drawn anew then, if not before.
    fn render_by(&mut self, due_ms: u64) {
        self.render_due_ms = Some(self.render_due_ms.map_or(due_ms, |earlier| earlier.min(due_ms)));
    }

    /// A screen that a commit on its way is about to change is not sent twice, unless the commit takes long.
    pub(super) fn render_unless_committing(&mut self) {
        if self.flights.any(Cargo::Commit) {
            self.render_by(self.now_ms() + COMMIT_PATIENCE_MS);
        } else {
            self.render();
        }
    }

    pub(super) fn render(&mut self) {
        self.render_due_ms = None;
        self.news_due_ms = None;
        self.wake_due_ms = None;
        if !self.is_connected() {
            return;
        }
        let till = self.till_that_was_heard_of();
        let look = self.look();
        let now = self.around.clock.now();
        self.drawn_ms = Some(self.now_ms());
        let marks = self.amount_marks();
        self.app.set_marks(marks);
        let (root, wake_at) =
            self.in_world(&till, &look, |app, world| (app.view(world, &look), app.wake_at(world)));
        self.wake_due_ms = wake_at.map(|at| {
            let ahead_ms = u64::try_from(at.duration_since(now).as_millis()).unwrap_or(0);
            self.now_ms() + ahead_ms.max(LEAST_WAKE_MS)
        });
        let committing = self.flights.any(Cargo::Commit);
        self.status.set_shown(Shown { root: root.clone(), size: look::size(&look) });
        if let Some(session) = &mut self.session {
            // A booking that is on its way has not had its effect: whoever guessed it goes on showing that.
            self.settled = if committing { self.settled } else { session.applied };
            session.show_as_of(root, self.settled);
        }
        self.order_photos();
    }

    /// The till as it is. What is drawn of it, the application has heard of.
    fn till_that_was_heard_of(&mut self) -> Arc<Till> {
        let newest = self.till.borrow_and_update();
        let (till, is_news) = (newest.clone(), newest.has_changed());
        drop(newest);
        if is_news {
            self.tell_of(&till, AppInput::Changed);
        } else {
            self.look_at(&till);
        }
        till
    }

    /// From now on, what the screen shows is news when it is another than on this till.
    pub(super) fn look_at(&mut self, till: &Arc<Till>) {
        if self.is_connected() {
            let look = self.look();
            let topics = self.in_world(till, &look, |app, world| app.looks_at(world, &look));
            self.news.look_at(topics, till, &self.till);
        }
    }

    pub(super) fn flush(&mut self) {
        let now_ms = self.now_ms();
        let Some(session) = &mut self.session else { return };
        let was_connected = session.is_connected();
        let (messages, bytes) = session.flush(now_ms);
        let given_up = was_connected && !session.is_connected();
        self.status.set_counted(session.counted());
        self.status.count(&self.status.messages, messages);
        self.status.count(&self.status.sent_bytes, bytes);
        self.count_guesses();
        if given_up {
            self.lost_connection();
        }
    }

    pub(super) fn with_world<T>(
        &mut self,
        look: &Look,
        f: impl FnOnce(&mut Box<dyn Application>, &World<'_>) -> T,
    ) -> T {
        let till = self.till.borrow().clone();
        self.in_world(&till, look, f)
    }

    pub(super) fn in_world<T>(
        &mut self,
        till: &Till,
        look: &Look,
        f: impl FnOnce(&mut Box<dyn Application>, &World<'_>) -> T,
    ) -> T {
        let device = self.device_label();
        let name = self.place.name.borrow().clone();
        let photos = self.lacking.photos(&self.around.ledger);
        let world = World {
            till,
            now: self.around.clock.now(),
            station: StationId(self.place.number),
            station_name: &name,
            device: &device,
            language: look::language(look),
            photos: &photos,
        };
        f(&mut self.app, &world)
    }
}
