//! Bookings on their way: one in flight, the others behind it in order.

use tresen_till::{CheckId, Command, Line, LoginOutcome, Money, ReceiptNumber, Refusal, Target};

use super::Step;
use crate::app::{App, Choice, Job, Order, Screen, Task};
use crate::notice::Notice;
use crate::{Commit, Effect, Failure, World, limits};

impl Step<'_> {
    /// Puts a booking at the end of the queue.
    pub(super) fn book(&mut self, task: Task) {
        if self.app.queue.jobs.len() >= limits::QUEUE {
            self.tell(Notice::TooFast);
        } else {
            self.app.queue.jobs.push_back(Job { staff: self.app.staff, task });
        }
    }

    /// Hands out the oldest booking, unless one is in flight. Bookings that meanwhile have nothing to book are dropped.
    pub(super) fn start_next_booking(&mut self) {
        while !self.app.queue.in_flight
            && let Some(job) = self.app.queue.jobs.front()
        {
            let commands = commands(&job.task, self.world);
            if commands.is_empty() {
                self.app.queue.jobs.pop_front();
            } else {
                self.effects.push(Effect::Commit(Commit { staff: job.staff, commands }));
                self.app.queue.in_flight = true;
            }
        }
    }

    pub(super) fn committed(&mut self, result: Result<(), Refusal>) {
        let Some(job) = self.landed() else { return };
        match result {
            Ok(()) => self.done(job.task),
            Err(refusal) => self.refused(&job, refusal),
        }
    }

    pub(super) fn failed(&mut self, reason: Failure) {
        if self.landed().is_some() {
            self.app.queue.jobs.clear();
            self.retype_pin();
            self.tell(Notice::Failed(reason));
        }
    }

    /// After a restart: a state that has a booking in flight was saved with that booking, so it is on disk; a login, too. What the person was
    /// being told may not have been seen.
    pub(super) fn restored(&mut self) {
        if let Some(toast) = self.app.toast.take() {
            self.tell_for(toast.notice, limits::RESTORED_NOTICE_MS);
        }
        if let Some(job) = self.landed() {
            self.done(job.task);
        }
    }

    fn landed(&mut self) -> Option<Job> {
        std::mem::take(&mut self.app.queue.in_flight).then(|| self.app.queue.jobs.pop_front()).flatten()
    }

    fn done(&mut self, task: Task) {
        match task {
            Task::Login { staff, outcome: LoginOutcome::Success } => {
                *self.app = App { staff: Some(staff), screen: Screen::Tables, ..App::new() };
            }
            Task::Login { outcome: LoginOutcome::WrongPin, .. } => {
                self.retype_pin();
                self.tell(Notice::WrongPin);
            }
            // Nobody is logged in when another device took the station meanwhile; what is typed on that one stays.
            Task::LogOut if self.app.staff.is_none() => {}
            Task::LogOut => *self.app = App::new(),
            Task::Send { target } => self.sent(target),
            Task::Pay { check, .. } => self.paid(check),
            Task::Add { target, .. }
            | Task::Quantity { target, .. }
            | Task::Delete { target, .. }
            | Task::Note { target, .. }
            | Task::Guests { target, .. } => self.see_check(target),
        }
    }

    /// Takes note of the check as our own booking left it: opened, or gone with its last line.
    fn see_check(&mut self, target: Target) {
        let check = self.world.till.open_check(&target).map(|check| check.id);
        if let Some(order) = self.order()
            && order.target == target
        {
            order.check = check;
        }
    }

    fn sent(&mut self, target: Target) {
        let idle = self.app.queue.jobs.is_empty();
        if let Screen::Order(Order { target: shown, sheet: None, .. }) = &self.app.screen
            && *shown == target
            && idle
        {
            self.app.screen = Screen::Tables;
        }
        self.tell(Notice::Sent { target });
    }

    fn paid(&mut self, check: CheckId) {
        let shown = matches!(&self.app.screen, Screen::Pay(pay) if pay.check == check);
        if let Some(number) = receipt_of(self.world, check)
            && shown
        {
            self.app.screen = Screen::Receipt(number);
        }
    }

    fn refused(&mut self, job: &Job, refusal: Refusal) {
        self.retype_pin();
        let notice = match (&job.task, refusal) {
            (Task::Pay { check, .. }, Refusal::TotalMoved { .. }) => self.total_changed(*check),
            (Task::Login { .. }, Refusal::Throttled { .. }) => return,
            (_, refusal) => Notice::Refused(refusal),
        };
        self.tell(notice);
    }

    fn retype_pin(&mut self) {
        if let Screen::Pin(entry) = &mut self.app.screen {
            entry.checking = false;
            entry.pin = Default::default();
        }
    }

    /// Names the newest line that somebody else added.
    fn total_changed(&self, check: CheckId) -> Notice {
        let till = self.world.till;
        let lines = till.check(check).into_iter().flat_map(|check| check.lines.iter());
        let newest =
            lines.filter(|line| Some(line.by) != self.app.staff).max_by_key(|line| (line.added_at, line.id));
        let known =
            newest.and_then(|line| Some((till.staff_member(line.by)?.name.clone(), line.name.clone())));
        let (by, what) = known.unzip();
        Notice::TotalChanged { by, what }
    }
}

/// The receipt of a check, when it was paid not too long ago.
pub(crate) fn receipt_of(world: &World, check: CheckId) -> Option<ReceiptNumber> {
    const LOOKED_AT: usize = 200;
    let newest_first = world.till.receipts_from(ReceiptNumber(0)).rev().take(LOOKED_AT);
    newest_first.filter(|receipt| receipt.check == check).map(|receipt| receipt.number).next()
}

/// Items of a place that were not sent yet.
pub(crate) fn unsent_count(world: &World, target: &Target) -> u32 {
    world.till.open_check(target).map_or(0, tresen_till::Check::unsent_count)
}

/// What a task means in the world as it is now; nothing, when there is nothing left to do.
fn commands(task: &Task, world: &World) -> Vec<Command> {
    let check_of = |target: &Target| world.till.open_check(target).map(|check| check.id);
    let one = |command: Option<Command>| command.into_iter().collect();
    match task {
        Task::Login { staff, outcome } => vec![Command::RecordLogin { staff: *staff, outcome: *outcome }],
        Task::LogOut => vec![Command::LogOut],
        Task::Add { target, choice } => add(target, choice, world),
        Task::Quantity { target, line, by } => {
            let check = world.till.open_check(target).filter(|check| check.line(*line).is_some());
            one(check.map(|check| Command::ChangeQuantity { check: check.id, line: *line, by: *by }))
        }
        Task::Delete { target, line } => {
            one(check_of(target).map(|check| Command::DeleteLine { check, line: *line }))
        }
        Task::Note { target, line, note } => {
            one(check_of(target).map(|check| Command::SetNote { check, line: *line, note: note.clone() }))
        }
        Task::Guests { target, guests } => vec![Command::SetGuests { target: *target, guests: *guests }],
        Task::Send { target } => {
            let check = world.till.open_check(target).filter(|check| check.unsent_count() > 0);
            one(check.map(|check| Command::Send { check: check.id }))
        }
        Task::Pay { check, expected, tendered } => {
            vec![Command::PayCash { check: *check, expected: *expected, tendered: *tendered }]
        }
    }
}

/// A new line; or a line in the place of another. An identical one would join it, so then only the quantity changes.
fn add(target: &Target, choice: &Choice, world: &World) -> Vec<Command> {
    let add = Command::AddLine {
        target: *target,
        product: choice.product,
        quantity: choice.quantity,
        modifiers: choice.chosen.clone(),
        note: choice.note.clone(),
    };
    let Some(replaced) = choice.replaces else { return vec![add] };
    let Some(check) = world.till.open_check(target) else { return Vec::new() };
    let Some(line) = check.line(replaced) else { return Vec::new() };
    let (check, by) = (check.id, choice.quantity as i32 - line.quantity as i32);
    match (is_same(line, choice), by) {
        (true, 0) => Vec::new(),
        (true, by) => vec![Command::ChangeQuantity { check, line: replaced, by }],
        (false, _) => vec![add, Command::DeleteLine { check, line: replaced }],
    }
}

fn is_same(line: &Line, choice: &Choice) -> bool {
    let chosen = |id| choice.chosen.contains(&id);
    line.note == choice.note
        && line.modifiers.len() == choice.chosen.len()
        && line.modifiers.iter().all(|modifier| chosen(modifier.id))
}

/// An amount that people can hand over.
pub(crate) fn clamp_amount(minor: i64) -> Money {
    Money::from_minor(minor.clamp(0, limits::TENDERED))
}
