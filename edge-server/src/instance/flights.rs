//! What is on its way to the ledger, oldest first. The ledger answers in the order in which it was asked.

use std::collections::VecDeque;

use tokio::sync::oneshot;
use tresen_ledger::{Committed, SubmitError};
use tresen_wire::SessionId;

/// What the ledger answers.
pub type Answer = Result<Committed, SubmitError>;

/// One submission on its way.
pub struct Flight {
    /// What it marks: these inputs are on disk with it.
    pub marks: Option<(SessionId, u64)>,
    /// Whether it carries the application's commit.
    pub cargo: Cargo,
    answer: oneshot::Receiver<Answer>,
}

/// What a submission carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// The application's commit.
    Commit,
    /// A mark alone.
    Mark,
}

/// All submissions on their way.
#[derive(Default)]
pub struct Flights(VecDeque<Flight>);

impl Flights {
    /// One more.
    pub fn push(&mut self, cargo: Cargo, marks: Option<(SessionId, u64)>, answer: oneshot::Receiver<Answer>) {
        self.0.push_back(Flight { marks, cargo, answer });
    }

    /// Whether one with such a cargo is on its way.
    #[must_use]
    pub fn any(&self, cargo: Cargo) -> bool {
        self.0.iter().any(|flight| flight.cargo == cargo)
    }

    /// Whether none is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits for the oldest; for ever when there is none. Safe to drop and call again.
    pub async fn land(&mut self) -> (Flight, Answer) {
        let Some(oldest) = self.0.front_mut() else { return std::future::pending().await };
        let answer = (&mut oldest.answer).await;
        let answer = answer.unwrap_or_else(|_| Err(SubmitError::Failed("the ledger is closed".into())));
        let flight = self.0.pop_front().expect("the oldest was there before the answer");
        (flight, answer)
    }
}
