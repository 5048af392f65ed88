//! The ledger of an episode's server: one commit at a time, which takes its time, and what it leaves on disk.

use tresen_session::SenderEvent;

use super::Fault;
use super::app::State;
use super::broken::Broken;
use super::checker::Checker;
use super::server::Server;
use crate::wan::MS;

/// A commit takes so long, half of them less.
const COMMIT_US: u64 = 4 * MS;
/// Some take much longer.
const SLOW_COMMIT_US: u64 = 400 * MS;
/// One in so many.
const SLOW_COMMITS: u64 = 50;

/// What is on disk of an instance: how far its session came, and what the app saved.
#[derive(Clone, Debug, Default)]
pub(super) struct Mark {
    pub input: u64,
    pub state: State,
}

/// A commit on its way to the disk.
#[derive(Debug)]
pub(super) struct Flight {
    mark: Mark,
    settles: Settles,
    pub due_us: u64,
}

/// What a commit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settles {
    /// The oldest task of the app.
    Task,
    /// Only how far the session came.
    Nothing,
}

impl Server {
    /// Writes down what is not on its way yet: a booking if one waits, else how far the session came.
    pub(super) fn mark(&mut self, now_us: u64) {
        let settles = if self.state.has_tasks() { Settles::Task } else { Settles::Nothing };
        if self.flight.is_some() || self.marked && settles == Settles::Nothing {
            return;
        }
        let mut mark = Mark { input: self.applied, state: self.state.clone() };
        mark.state.settle();
        let due_us = now_us
            + match self.dice.below(SLOW_COMMITS) {
                0 => SLOW_COMMIT_US,
                _ => self.dice.lognormal(COMMIT_US, 2.0),
            };
        if self.fault == Fault::EarlyAck {
            self.sender.acknowledge_input(mark.input);
        }
        self.marked = true;
        self.flight = Some(Flight { mark, settles, due_us });
    }

    pub(super) fn land(&mut self, now_us: u64, checker: &mut Checker) -> Result<(), Broken> {
        let Some(Flight { mark, settles, .. }) = self.flight.take() else { return Ok(()) };
        self.disk = mark;
        checker.on_disk(self.disk.input)?;
        if settles == Settles::Task {
            if self.state.settle() {
                self.shared.pay();
            }
            self.render(checker);
        }
        self.sender.acknowledge_input(self.disk.input);
        while let Some(event) = self.sender.poll_event() {
            if let SenderEvent::Input { number, input } = event {
                self.apply(number, &input, checker)?;
            }
        }
        self.mark(now_us);
        Ok(())
    }
}
