//! Starts an instance again when it panics. What is broken is this instance's own: its connection closes, its state is read from the
//! ledger, and nobody else notices.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tresen_ledger::{Submission, SubmitError};

use super::task::{Fate, Instance};
use super::{Attach, Place, Request, State, Status, Surroundings};

/// Pause after the first panic; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// An instance that ran this long was healthy: the next panic counts as the first again.
const HEALTHY: Duration = Duration::from_secs(60);

/// After this many panics in a row, the saved state is the suspect, and the application begins anew.
const PANICS_BEFORE_FRESH: u32 = 3;

/// Runs an instance until it is stopped.
pub async fn supervise(
    surroundings: Arc<Surroundings>,
    place: Place,
    mut inbox: mpsc::Receiver<Request>,
    status: Arc<Status>,
) {
    let mut panics_in_a_row = 0;
    let mut at_the_door = None;
    loop {
        let started = std::time::Instant::now();
        let from_saved = panics_in_a_row < PANICS_BEFORE_FRESH;
        let run = AssertUnwindSafe(async {
            Instance::new(surroundings.clone(), place.clone(), status.clone(), from_saved)
                .run(&mut inbox, at_the_door.take())
                .await
        });
        match run.catch_unwind().await {
            Ok(Fate::Stopped) => break,
            Err(_panic) => {
                status.set_attached(None);
                status.set_state(State::Restarting);
                status.count(&status.panics, 1);
                panics_in_a_row = if started.elapsed() > HEALTHY { 1 } else { panics_in_a_row + 1 };
                let pause = pause(panics_in_a_row);
                tracing::error!(station = place.number, ?pause, "an instance panicked and is started again");
                match rest(pause, &mut inbox).await {
                    ControlFlow::Continue(waiting) => at_the_door = waiting,
                    ControlFlow::Break(()) => break,
                }
                settled(&surroundings).await;
            }
        }
    }
    status.set_state(State::Stopped);
}

/// Lets a pause pass. Who wants to attach meanwhile waits at the door; who wants to stop the instance need not wait.
async fn rest(pause: Duration, inbox: &mut mpsc::Receiver<Request>) -> ControlFlow<(), Option<Box<Attach>>> {
    let mut over = pin!(tokio::time::sleep(pause));
    let mut waiting = None;
    loop {
        tokio::select! {
            () = over.as_mut() => return ControlFlow::Continue(waiting),
            request = inbox.recv() => match request {
                None | Some(Request::Stop { .. }) => return ControlFlow::Break(()),
                Some(Request::Attach(attach)) => waiting = Some(attach),
                Some(Request::Picture { .. } | Request::Renamed) => {}
            },
        }
    }
}

/// Waits until everything that the broken instance had on its way is on disk: its successor reads the mark. A full queue is asked again,
/// because what waits in it may be the broken instance's.
async fn settled(surroundings: &Surroundings) {
    let context = tresen_till::Context {
        staff: None,
        station: tresen_till::StationId(0),
        device: "supervisor".into(),
        at: surroundings.clock.now(),
    };
    let nothing = Submission { context, commands: Vec::new(), mark: None, records: Vec::new() };
    while let Ok(Err(SubmitError::Overloaded(_))) = surroundings.ledger.submit(nothing.clone()).await {
        tokio::time::sleep(FIRST_PAUSE).await;
    }
}

fn pause(panics_in_a_row: u32) -> Duration {
    let doublings = panics_in_a_row.saturating_sub(1).min(16);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        assert_eq!([1, 2, 3].map(pause), [100, 200, 400].map(Duration::from_millis));
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
