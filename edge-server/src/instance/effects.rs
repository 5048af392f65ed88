//! What an application wants done, and what comes back of it: commits, marks, checks of PINs.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tresen_ledger::{Submission, SubmitError};
use tresen_mpos::{Commit, Effect, Failure, Pin, PinOutcome};
use tresen_till::{Context, StaffId, StationId, Throttle, Till};
use tresen_wire::SessionId;
use zeroize::Zeroizing;

use super::flights::{Answer, Cargo, Flight};
use super::session::Session;
use super::task::Instance;
use crate::application::AppInput;

/// How long a mark that nobody waits for may wait, in ms: of an input that booked nothing and changed the screen, or of a booking that came
/// back. Most of them go with the next booking; a lone tap costs no write to the disk.
const LAZY_MARK_MS: u64 = 10_000;

/// How long whoever waits for everything to be on disk lets the ledger's full queue drain.
const OVERLOADED: Duration = Duration::from_millis(50);

/// Why something was not written that the ledger takes for done.
const OUTDATED: &str = "the ledger holds a later mark of this station";

/// Commits that may wait for the one in flight; an application has one at a time, so this is for those that don't keep to it.
const WAITING_COMMITS: usize = 64;

impl Instance {
    /// Tells the application something and does what it wants.
    pub(super) fn tell(&mut self, input: AppInput) {
        let till = self.till.borrow_and_update().clone();
        self.tell_of(&till, input);
    }

    /// The same, of a till that was just seen. Whoever heard something may look at something else from then on.
    pub(super) fn tell_of(&mut self, till: &Arc<Till>, input: AppInput) {
        let look = self.look();
        let effects = self.in_world(till, &look, |app, world| app.message(world, input));
        self.look_at(till);
        for effect in effects {
            match effect {
                Effect::Commit(commit) => self.commit(commit),
                Effect::VerifyPin { staff, pin } => self.check_pin(staff, &pin),
                Effect::Reprint(number) => {
                    (self.around.reprint)(number);
                    self.mark_by(0);
                }
            }
        }
        self.status.set_staff(self.app.staff());
    }

    fn commit(&mut self, commit: Commit) {
        if self.flights.any(Cargo::Commit) {
            assert!(self.waiting.len() < WAITING_COMMITS, "an application has one commit in flight");
            self.waiting.push_back(commit);
            return;
        }
        let mark = self.marks.make(&self.app.save());
        let context = self.context(commit.staff);
        let submission =
            Submission { context, commands: commit.commands, mark: Some(mark), records: Vec::new() };
        self.submit(Cargo::Commit, submission);
    }

    /// Saves the application's state, and with it covers the inputs that it has seen. Never while a commit is on its way: the state takes
    /// the booking for written then, and nobody knows yet whether it will be.
    fn mark(&mut self) {
        let mark = self.marks.make(&self.app.save());
        let context = self.context(None);
        let submission = Submission { context, commands: Vec::new(), mark: Some(mark), records: Vec::new() };
        self.submit(Cargo::Mark, submission);
    }

    /// One mark at a time: what comes meanwhile goes together with the next.
    pub(super) fn mark_when_due(&mut self) {
        let due = self.mark_due.at_ms().is_some_and(|due| due <= self.now_ms());
        if due && self.flights.is_empty() {
            self.mark();
        }
    }

    /// Waits until everything that was applied is on disk, or can't be.
    pub(super) async fn all_on_disk(&mut self) {
        while !self.flights.is_empty() || self.mark_due.is_wanted() {
            if self.flights.is_empty() {
                self.mark();
            }
            let (flight, answer) = self.flights.land().await;
            let overloaded = matches!(answer, Err(SubmitError::Overloaded(_)));
            let failed = flight.cargo == Cargo::Mark && !is_stored(&answer);
            self.landed(&flight, answer);
            if overloaded {
                tokio::time::sleep(OVERLOADED).await;
            } else if failed && self.flights.is_empty() {
                return;
            }
        }
    }

    fn submit(&mut self, cargo: Cargo, submission: Submission) {
        self.mark_due.made();
        let marks = self.session.as_ref().map(|session| (session.id, session.applied));
        self.flights.push(cargo, marks, self.around.ledger.submit(submission));
    }

    pub(super) fn landed(&mut self, flight: &Flight, answer: Answer) {
        let on_disk = is_stored(&answer);
        if on_disk {
            self.mark_due.stored();
        } else if flight.cargo == Cargo::Mark {
            self.mark_failed(&answer);
        }
        if flight.cargo == Cargo::Commit {
            // The till of this commit is in the application's world by now: it is published before the answer.
            self.tell(match answer {
                Ok(committed) if committed.repeated => {
                    tracing::error!(station = self.place.number, "a booking was not written: {OUTDATED}");
                    AppInput::Failed(Failure::Outdated)
                }
                Ok(_) => AppInput::Committed(Ok(())),
                Err(SubmitError::Refused(refusal)) => AppInput::Committed(Err(refusal)),
                Err(error) => {
                    tracing::error!(station = self.place.number, %error, "a booking was not written");
                    AppInput::Failed(failure(&error))
                }
            });
            self.mark_by(if on_disk { self.lazily_ms() } else { 0 });
            self.render();
            // What was tried before was tried on another till.
            self.guessed_of_what_changed();
            if !self.flights.any(Cargo::Commit)
                && let Some(commit) = self.waiting.pop_front()
            {
                self.commit(commit);
            }
        }
        if on_disk && let Some((id, input)) = flight.marks {
            self.acknowledge(id, input);
        }
        self.mark_if_wanted();
    }

    /// It is tried again after a pause. What it would have covered is not acknowledged meanwhile, so its device keeps it.
    fn mark_failed(&mut self, answer: &Answer) {
        let why = answer.as_ref().err().map_or(OUTDATED.to_owned(), SubmitError::to_string);
        tracing::warn!(station = self.place.number, why, "a mark was not written; it is tried again");
        self.mark_due.failed(self.around.clock.now_ms());
    }

    fn acknowledge(&mut self, id: SessionId, input: u64) {
        let Some(session) = self.session.as_mut().filter(|session| session.id == id) else { return };
        session.acknowledge(input);
        while let Some(event) = self.session.as_mut().and_then(Session::waiting_input) {
            self.event(event);
        }
    }

    /// Checks a PIN on a thread for slow work, when its turn comes. While the till's throttle is closed, it is not even looked at. One at a
    /// time: a check whose outcome nobody hears would be a guess that nobody counts.
    fn check_pin(&mut self, staff: StaffId, pin: &Pin) {
        if self.pin.is_some() {
            tracing::warn!(
                station = self.place.number,
                "a PIN was not checked: the check of another one is under way"
            );
            return;
        }
        let till = self.till.borrow().clone();
        let device = self.device_label();
        let throttle = till.throttle(staff, &device, self.around.clock.now());
        let hash = till.staff_member(staff).map(|person| person.pin_hash.clone());
        let pin = Zeroizing::new(pin.expose());
        self.pin = Some(match (throttle, hash) {
            (Throttle::Open, Some(hash)) => tokio::spawn(self.around.pin_checks.clone().check(pin, hash)),
            (Throttle::Locked { .. }, _) | (_, None) => tokio::spawn(async { false }),
        });
    }

    pub(super) fn pin_checked(&mut self, right: bool) {
        self.pin = None;
        self.tell(AppInput::Pin(if right { PinOutcome::Right } else { PinOutcome::Wrong }));
        self.mark_by(self.lazily_ms());
        self.render_unless_committing();
    }

    /// How long a mark that nobody waits for may wait. A device that wants to take over waits.
    pub(super) const fn lazily_ms(&self) -> u64 {
        if self.arriving.is_some() { 0 } else { LAZY_MARK_MS }
    }

    pub(super) fn mark_by(&mut self, within_ms: u64) {
        self.mark_due.by(self.now_ms() + within_ms);
    }

    /// Puts the mark off no longer when something waits for it, unless what is on its way brings it along.
    pub(super) fn mark_if_wanted(&mut self) {
        if self.flights.is_empty() && self.session.as_ref().is_some_and(Session::wants_mark) {
            self.hurry_mark();
        }
    }

    /// What was put off is due now, if anything was.
    pub(super) fn hurry_mark(&mut self) {
        self.mark_due.hurry(self.now_ms());
    }

    fn context(&self, staff: Option<StaffId>) -> Context {
        Context {
            staff,
            station: StationId(self.place.number),
            device: self.device_label(),
            at: self.around.clock.now(),
        }
    }
}

/// Whether what was submitted is on disk: not when the ledger holds a later mark of the station, since then it did nothing.
fn is_stored(answer: &Answer) -> bool {
    answer.as_ref().is_ok_and(|committed| !committed.repeated)
}

/// What a person is told of it.
const fn failure(error: &SubmitError) -> Failure {
    match error {
        SubmitError::Failed(_) => Failure::Disk,
        SubmitError::Overloaded(_) => Failure::Busy,
        SubmitError::Refused(_)
        | SubmitError::TooLarge { .. }
        | SubmitError::NoPicture(_)
        | SubmitError::Bug(_) => Failure::Fault,
    }
}

/// Whether the PIN was right; a check that panicked counts as wrong.
pub(super) async fn checked(pin: &mut Option<JoinHandle<bool>>) -> bool {
    match pin {
        Some(check) => check.await.unwrap_or(false),
        None => std::future::pending().await,
    }
}
