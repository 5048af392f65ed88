//! Guessing: the instance tries what may be tapped next and sends the answers ahead, while nobody needs it for anything else.
//!
//! One try a turn of the task, so that whatever comes is heard at once. What is tried: [`super::plan`]; what may be: `Application::guess`.
//!
//! The bytes: each byte of a frame, what its packets take beside it, and each byte of a guess that was used earn [`EARNED_PERCENT`] of a byte for guesses; a guess
//! that is used is paid back. So guesses that are not used never take more than that share of what would have been sent without any. At most
//! [`CREDIT_BYTES`] are saved up.
//!
//! Invariants: nothing is tried while a booking or a PIN is on its way; nothing that is tried has an effect; nobody is shown what was
//! foreseen for the person before, because their screens are never the same (`tresen_scene::Role::Viewer`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tresen_mpos::ui::Marks;
use tresen_mpos::{Memory, World};
use tresen_session::{Foresight, NoGuess, Stats};
use tresen_till::{StationId, Till, Topic};
use tresen_wire::Input;

use super::flights::Cargo;
use super::plan::{Idea, Keys, Known, Plan, Tried, name_of};
use super::session::Session;
use super::task::Instance;
use crate::application::Foreseen;
use crate::config::Prediction;
use crate::habits::{Around, Name};
use crate::look;

/// Percent of a byte that a byte earns.
const EARNED_PERCENT: u64 = 70;

/// What a tap and the frame that answers it take beside their own bytes: headers, tags and acknowledgements of their packets, both ways.
const FRAME_WIRE_BYTES: u64 = 160;

/// What a guess takes beside its own bytes: its share of the packets that carry it and its acknowledgement.
const GUESS_WIRE_BYTES: u64 = 16;

/// Bytes that may be saved up, and those that a session begins with.
const CREDIT_BYTES: u64 = 1_500;

/// With less than this, nothing is tried.
const LEAST_CREDIT_BYTES: u64 = 120;

/// What is tried for one screen, so that a tap costs no more than so many screens that are drawn for nothing.
const TRIES: usize = 10;

/// Shorter round trips need no guesses.
const LEAST_ROUND_TRIP_MS: u64 = 10;

/// After what others booked, what was tried on the old till is tried again, so much later.
const AGAIN_MS: u64 = 1_000;

/// What an instance keeps for guessing.
#[derive(Default)]
pub struct Guessing {
    plan: Option<Plan>,
    /// The till as it was when the plan was made.
    planned_on: Option<Arc<Till>>,
    credit_bytes: u64,
    seen: Stats,
    before: Option<Name>,
    keys: Keys,
    /// Guesses were of use on this session's link: its screens tell what others may change, and go on doing so.
    marking: Marks,
    /// A try panicked: a tap that nobody made must not take the instance down, so nothing more is tried.
    broken: bool,
    /// The till is another one than the plan was made with.
    pub again_due_ms: Option<u64>,
}

impl Guessing {
    /// A device attached.
    pub fn begin(&mut self) {
        *self = Self { credit_bytes: CREDIT_BYTES, ..Self::default() };
    }

    /// Counts what was sent since.
    fn earn(&mut self, stats: &Stats) {
        let used = stats.used_bytes - self.seen.used_bytes;
        let frames = (stats.frames - self.seen.frames) * FRAME_WIRE_BYTES;
        let sent = stats.frame_bytes - self.seen.frame_bytes + frames + used;
        self.credit_bytes = (self.credit_bytes + used + sent * EARNED_PERCENT / 100).min(CREDIT_BYTES);
        self.seen = *stats;
    }
}

impl Instance {
    /// Whether there is something to try now.
    pub(super) fn has_ideas(&self) -> bool {
        let busy = self.flights.any(Cargo::Commit) || self.pin.is_some() || !self.waiting.is_empty();
        // A screen without marks does not tell for whom it is.
        let unmarked = self.guessing.marking == Marks::Left;
        if busy || unmarked || !self.is_guessing() || self.guessing.credit_bytes < LEAST_CREDIT_BYTES {
            return false;
        }
        let Some(session) = self.session.as_ref().filter(|session| session.can_guess()) else { return false };
        let plan = self.guessing.plan.as_ref();
        session.root().is_some_and(|root| plan.is_none_or(|plan| plan.root() != root.id() || !plan.is_done()))
    }

    /// Whether guesses are of use on this link.
    pub(super) fn is_guessing(&self) -> bool {
        let Some(session) = self.session.as_ref().filter(|session| session.wants_guesses()) else {
            return false;
        };
        !self.guessing.broken && is_of_use(self.around.prediction, session.stats().least_rtt_ms)
    }

    /// Whether a screen that is drawn now has to tell what others may change.
    pub(super) fn amount_marks(&mut self) -> Marks {
        if self.is_guessing() {
            self.guessing.marking = Marks::Told;
        }
        self.guessing.marking
    }

    /// Learns from an input before it has its effect.
    pub(super) fn learn(&mut self, input: &Input) {
        let Some(root) = self.session.as_ref().and_then(|session| session.root()) else { return };
        if matches!(input, Input::Key(_)) {
            self.guessing.keys = Keys::Used;
        }
        if self.app.habit(input).is_some_and(|habit| habit.memory == Memory::Private) {
            self.guessing.before = None;
        } else if let Some((screen, name)) = name_of(&*self.app, root, input) {
            self.around.habits.note(Around { screen, before: self.guessing.before }, name);
            self.guessing.before = Some(name);
        }
    }

    /// What was tried may not be what would follow any more, unless it was tried on the till as it is now.
    pub(super) fn guessed_of_what_changed(&mut self) {
        let shown = self.session.as_ref().and_then(Session::shown);
        let plan = self.guessing.plan.as_ref();
        // Otherwise the plan for this screen is yet to be made.
        if plan.is_some_and(|plan| Some(plan.root()) == shown) && !self.is_planned_on_this_till() {
            self.try_again_in(AGAIN_MS);
        }
    }

    fn is_planned_on_this_till(&self) -> bool {
        let planned_on = self.guessing.planned_on.as_ref();
        planned_on.is_some_and(|till| Arc::ptr_eq(till, &self.till.borrow()))
    }

    fn try_again_in(&mut self, ahead_ms: u64) {
        if self.guessing.plan.is_none() {
            return;
        }
        let due = self.now_ms() + ahead_ms.max(AGAIN_MS);
        let again = &mut self.guessing.again_due_ms;
        *again = Some(again.map_or(due, |earlier| earlier.min(due)));
    }

    /// The till has been another one for a while.
    pub(super) fn guess_again(&mut self) {
        self.guessing.again_due_ms = None;
        self.guessing.plan = None;
    }

    /// Tries one thing.
    pub(super) fn guess(&mut self) {
        let begun = Instant::now();
        let Some(idea) = self.next_idea() else { return };
        let Ok(tried) = catch_unwind(AssertUnwindSafe(|| self.try_out(&idea))) else {
            tracing::error!(
                station = self.place.number,
                "what a tap would lead to panicked; nothing more is sent ahead"
            );
            self.guessing.broken = true;
            return;
        };
        if let Some((tried, topics, stale_at)) = tried {
            self.news.guess_on(topics);
            if !self.is_planned_on_this_till() {
                // That may have been told before it was listened to.
                self.try_again_in(AGAIN_MS);
            }
            if let Some(stale_at) = stale_at {
                let ahead_ms = stale_at.duration_since(self.around.clock.now()).as_millis();
                self.try_again_in(u64::try_from(ahead_ms).unwrap_or(0));
            }
            self.send_guess(idea, tried);
        }
        self.status.count(&self.status.tries, 1);
        self.status.count(&self.status.tries_us, begun.elapsed().as_micros() as usize);
    }

    /// What was sent, and how the client's guesses came out.
    pub(super) fn count_guesses(&mut self) {
        let Some(session) = &self.session else { return };
        let (now, seen) = (*session.stats(), self.guessing.seen);
        self.status.count(&self.status.hits, (now.hits - seen.hits) as usize);
        self.status.count(&self.status.misses, (now.misses - seen.misses) as usize);
        self.status.count(&self.status.guesses, (now.guesses - seen.guesses) as usize);
        self.status.count(&self.status.guess_bytes, (now.guess_bytes - seen.guess_bytes) as usize);
        self.status.count(&self.status.wasted_bytes, (now.wasted_bytes - seen.wasted_bytes) as usize);
        self.guessing.earn(&now);
    }

    /// A plan is made. Of what it tries and does not send, at least the screen itself is heard of.
    fn begin_plan(&mut self) {
        self.guessing.planned_on = Some(self.till.borrow().clone());
        let look = self.look();
        let topics = self.with_world(&look, |app, world| app.looks_at(world, &look));
        self.news.guess_anew_on(topics);
    }

    fn next_idea(&mut self) -> Option<Idea> {
        let root = self.session.as_ref()?.root()?.clone();
        let before = self.guessing.before;
        let current = self.guessing.plan.take().filter(|plan| plan.root() == root.id());
        if current.is_none() {
            self.begin_plan();
        }
        let known = Known { keys: self.guessing.keys, habits: &self.around.habits };
        let mut plan = current.unwrap_or_else(|| Plan::new(&*self.app, root, before, known));
        let idea = plan.likeliest(TRIES);
        self.guessing.plan = Some(plan);
        idea
    }

    /// What an idea leads to, what that looks at of the till, and when it will look different by itself.
    fn try_out(&self, idea: &Idea) -> Option<(Tried, Vec<Topic>, Option<Timestamp>)> {
        let stage = self.guessing.plan.as_ref()?.stage(idea.stage);
        let now = self.till.borrow().clone();
        let (app, till) = match &stage.tried {
            Some((app, till)) => (&**app, till),
            None => (&*self.app, &now),
        };
        let (look, device, name) = (self.look(), self.device_label(), self.place.name.borrow().clone());
        let photos = self.lacking.photos(&self.around.ledger);
        let world = World {
            till,
            now: self.around.clock.now(),
            station: StationId(self.place.number),
            station_name: &name,
            device: &device,
            language: look::language(&look),
            photos: &photos,
        };
        let Foreseen { app, till, kind } = app.guess(&world, &idea.input)?;
        let till = Arc::new(till);
        let then = World { till: &till, ..world };
        let root = app.view(&then, &look);
        // What lacks photos is about to look different, and nobody scales any for what nobody may ever see.
        if !self.lacking.taken().is_empty() {
            return None;
        }
        let (stale_at, topics) = (app.wake_at(&then), app.looks_at(&then, &look));
        Some((Tried { app, till, root, kind }, topics, stale_at))
    }

    fn send_guess(&mut self, idea: Idea, tried: Tried) {
        let now_ms = self.now_ms();
        let credit = self.guessing.credit_bytes;
        let (Some(plan), Some(session)) = (&mut self.guessing.plan, &mut self.session) else { return };
        let base = plan.stage(idea.stage).root.clone();
        if base.id() == tried.root.id() {
            return;
        }
        let known = Known { keys: self.guessing.keys, habits: &self.around.habits };
        let Tried { root, kind, .. } = &tried;
        let foresight = Foresight { base: base.id(), input: &idea.input, root, kind: *kind };
        match session.guess(now_ms, &foresight, credit as usize) {
            Ok(bytes) => {
                self.guessing.credit_bytes = credit.saturating_sub(bytes as u64 + GUESS_WIRE_BYTES);
                plan.goes_on(&idea, tried, known);
            }
            Err(NoGuess::Known) => plan.goes_on(&idea, tried, known),
            Err(NoGuess::Busy) => plan.put_back(idea),
            Err(NoGuess::TooLarge) if credit < CREDIT_BYTES / 2 => plan.stop(),
            Err(NoGuess::Astray | NoGuess::TooDeep | NoGuess::TooLarge) => {}
        }
    }
}

/// Whether guesses are of use where round trips take so long at least.
fn is_of_use(prediction: Prediction, least_rtt_ms: Option<u64>) -> bool {
    match prediction {
        Prediction::Off => false,
        Prediction::Auto => least_rtt_ms.is_some_and(|rtt_ms| rtt_ms >= LEAST_ROUND_TRIP_MS),
        Prediction::Always => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a link that is quick enough gets no guesses, unless that was configured; nor does one that is not known yet.
    #[test]
    fn a_quick_link_gets_no_guesses() {
        assert!(!is_of_use(Prediction::Auto, None) && !is_of_use(Prediction::Auto, Some(9)));
        assert!(is_of_use(Prediction::Auto, Some(10)) && is_of_use(Prediction::Always, None));
        assert!(!is_of_use(Prediction::Off, Some(500)));
    }

    /// Promise: guesses that are not used take no more than their share of what is sent anyway.
    #[test]
    fn bytes_are_earned() {
        let mut guessing = Guessing::default();
        guessing.begin();
        assert_eq!(guessing.credit_bytes, CREDIT_BYTES);
        guessing.credit_bytes = 0;
        guessing.earn(&Stats { frames: 1, frame_bytes: 40, ..Stats::default() });
        assert_eq!(guessing.credit_bytes, (40 + FRAME_WIRE_BYTES) * EARNED_PERCENT / 100);
        guessing.credit_bytes = 0;
        guessing.earn(&Stats { frames: 1, frame_bytes: 40, used_bytes: 100, ..Stats::default() });
        assert_eq!(guessing.credit_bytes, 100 + EARNED_PERCENT);
        guessing.earn(&Stats { frames: 999, frame_bytes: 99_999, used_bytes: 100, ..Stats::default() });
        assert_eq!(guessing.credit_bytes, CREDIT_BYTES);
    }
}
