//! The writer thread: takes what is queued, decides, commits once, publishes, answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use tokio::sync::oneshot;
use tresen_till::{Event, PhotoId, Till, encode_events};

use crate::chain::{GENESIS, Head, Row};
use crate::database::Database;
use crate::error::SubmitError;
use crate::ledger::{Committed, Doors, Fault, Mark, Published, Record, Submission};
use crate::limits;
use crate::photos::{Change, PHOTO};

/// Something to do, and whom to tell.
pub(crate) struct Job {
    pub(crate) submission: Submission,
    pub(crate) answer: oneshot::Sender<Result<Committed, SubmitError>>,
}

type Answer = (oneshot::Sender<Result<Committed, SubmitError>>, Result<Done, SubmitError>);

/// What one submission came to, before the commit.
struct Done {
    events: Vec<Event>,
    row: Option<u64>,
    repeated: bool,
}

/// Why a submission did not get into the batch: its own fault, or the disk's.
enum Trouble {
    Own(SubmitError),
    Disk(rusqlite::Error),
}

/// The owner of the database and of the newest state.
pub(crate) struct Writer {
    database: Database,
    doors: Doors,
    /// State on disk.
    stored: Published,
    head: Head,
    snapshot_row: u64,
    fault: Fault,
}

/// State with what the open transaction holds.
struct Batch {
    next: Published,
    head: Head,
    wrote: bool,
}

impl Writer {
    pub(crate) fn new(
        database: Database,
        head: Head,
        snapshot_row: u64,
        doors: Doors,
        fault: Fault,
    ) -> Writer {
        let stored = Published::clone(&doors.published.load());
        doors.counters.rows(head.row);
        Writer { database, doors, stored, head, snapshot_row, fault }
    }

    /// Runs until the queue is closed, then leaves one tidy file.
    pub(crate) fn run(mut self, queue: &Receiver<Job>) {
        let mut not_before = Instant::now();
        let mut busy_until = not_before;
        while let Some(jobs) = next_batch(queue, not_before) {
            if let Some(reason) = self.failure() {
                refuse_all(jobs, &reason);
                continue;
            }
            let began = Instant::now();
            let urgent = jobs.iter().filter(|job| !job.submission.is_patient()).count();
            if urgent > 1 {
                busy_until = began + limits::BUSY;
            }
            not_before = if began < busy_until { began + limits::BUSY_COMMIT_EVERY } else { began };
            let (batch, answers) = match self.write(jobs) {
                Ok(written) => written,
                Err((error, answers)) => {
                    self.fail(&error, answers);
                    continue;
                }
            };
            self.doors.counters.commit(began.elapsed());
            self.publish(batch, answers);
            if self.head.row - self.snapshot_row >= limits::SNAPSHOT_ROWS {
                self.snapshot();
            }
        }
        if self.failure().is_none() {
            self.snapshot();
            if let Err(error) = self.database.fold() {
                tracing::warn!(%error, "the write-ahead log stays; the next start reads it");
            }
        }
    }

    /// One transaction for all jobs. Whatever fails for the disk's reasons fails all of them.
    fn write(&mut self, jobs: Vec<Job>) -> Result<(Batch, Vec<Answer>), (rusqlite::Error, Vec<Answer>)> {
        let mut answers: Vec<Answer> = Vec::with_capacity(jobs.len());
        let mut batch = Batch { next: self.stored.clone(), head: self.head, wrote: false };
        if let Err(error) = self.database.begin() {
            answers.extend(jobs.into_iter().map(|job| (job.answer, Ok(Done::nothing()))));
            return Err((error, answers));
        }
        let mut jobs = jobs.into_iter();
        while let Some(job) = jobs.next() {
            match self.perform(&mut batch, &job.submission) {
                Ok(done) if self.fault == Fault::AnswerBeforeCommit => {
                    let _ = job.answer.send(Ok(done.committed(&batch.next.till)));
                }
                Ok(done) => answers.push((job.answer, Ok(done))),
                Err(Trouble::Own(error)) => answers.push((job.answer, Err(error))),
                Err(Trouble::Disk(error)) => {
                    answers.push((job.answer, Ok(Done::nothing())));
                    answers.extend(jobs.map(|job| (job.answer, Ok(Done::nothing()))));
                    self.database.roll_back();
                    return Err((error, answers));
                }
            }
        }
        match self.database.commit() {
            Ok(()) => Ok((batch, answers)),
            Err(error) => {
                self.database.roll_back();
                Err((error, answers))
            }
        }
    }

    /// Puts one submission into the open transaction. What it decides is decided on everything before it.
    fn perform(&self, batch: &mut Batch, submission: &Submission) -> Result<Done, Trouble> {
        if submission.mark.as_ref().is_some_and(|mark| is_repeated(&batch.next, mark, submission)) {
            return Ok(Done { repeated: true, ..Done::nothing() });
        }
        let (till, events) = decide(&batch.next.till, submission).map_err(Trouble::Own)?;
        let pictures = Change::between(&batch.next.till, &till);
        check_pictures(&batch.next, &pictures, submission).map_err(Trouble::Own)?;
        let row = if events.is_empty() { None } else { Some(self.append(batch, submission, &events)?) };
        batch.next.till = Arc::new(till);
        if let Some(mark) = &submission.mark
            && self.fault != Fault::ForgetMarks
        {
            self.database.put_mark(mark).map_err(Trouble::Disk)?;
            batch.next.marks.insert(mark.session, Arc::new(mark.clone()));
            batch.wrote = true;
        }
        let unused = pictures.unused.iter();
        let unused = unused.map(|photo| Record { kind: PHOTO, key: photo.to_string(), value: None });
        for record in submission.records.iter().chain(&unused.collect::<Vec<_>>()) {
            self.put_record(batch, record)?;
        }
        Ok(Done { events, row, repeated: false })
    }

    fn put_record(&self, batch: &mut Batch, record: &Record) -> Result<(), Trouble> {
        self.database.put_record(record).map_err(Trouble::Disk)?;
        batch.next.put(record);
        batch.wrote = true;
        Ok(())
    }

    fn append(&self, batch: &mut Batch, submission: &Submission, events: &[Event]) -> Result<u64, Trouble> {
        let context = &submission.context;
        let mut row = Row {
            row: batch.head.row + 1,
            at_ms: context.at.as_millisecond(),
            staff: context.staff.map(|staff| staff.0),
            station: context.station.0,
            device: context.device.to_string(),
            events: encode_events(events),
            hash: GENESIS,
        };
        row.hash = row.hash_after(&batch.head.hash);
        self.database.append(&row).map_err(Trouble::Disk)?;
        batch.head = Head { row: row.row, hash: row.hash };
        batch.wrote = true;
        Ok(row.row)
    }

    fn publish(&mut self, batch: Batch, answers: Vec<Answer>) {
        let moved = batch.head != self.head;
        self.head = batch.head;
        self.doors.counters.rows(self.head.row);
        if batch.wrote {
            self.stored = batch.next;
            self.doors.published.store(Arc::new(self.stored.clone()));
        }
        if moved {
            self.doors.till.send_replace(self.stored.till.clone());
        }
        for (answer, done) in answers {
            // Whoever asked may be gone; what was asked for is done all the same.
            let _ = answer.send(done.map(|done| done.committed(&self.stored.till)));
        }
    }

    fn fail(&mut self, error: &rusqlite::Error, answers: Vec<Answer>) {
        let reason = describe(error);
        tracing::error!(%reason, "the ledger has failed: nothing is stored any more");
        self.doors.failure.send_replace(Some(reason.clone()));
        for (answer, _) in answers {
            let _ = answer.send(Err(SubmitError::Failed(reason.clone())));
        }
    }

    fn failure(&self) -> Option<String> {
        self.doors.failure.borrow().clone()
    }

    /// A convenience for the next start: its failure says something about the disk, but loses nothing.
    fn snapshot(&mut self) {
        if self.head.row == self.snapshot_row {
            return;
        }
        match self.database.put_snapshot(self.head.row, &self.stored.till) {
            Ok(()) => self.snapshot_row = self.head.row,
            Err(error) => self.fail(&error, Vec::new()),
        }
    }
}

impl Done {
    fn nothing() -> Done {
        Done { events: Vec::new(), row: None, repeated: false }
    }

    fn committed(self, till: &Arc<Till>) -> Committed {
        Committed { till: till.clone(), events: self.events, row: self.row, repeated: self.repeated }
    }
}

/// The next jobs, not before this moment; `None` when the queue is closed and empty. Jobs that carry only marks wait a little for company.
fn next_batch(queue: &Receiver<Job>, not_before: Instant) -> Option<Vec<Job>> {
    let first = queue.recv().ok()?;
    let deadline = Instant::now() + limits::MARK_DELAY;
    let mut jobs = vec![first];
    loop {
        while jobs.len() < limits::BATCH_SUBMISSIONS
            && let Ok(job) = queue.try_recv()
        {
            jobs.push(job);
        }
        let is_urgent = jobs.iter().any(|job| !job.submission.is_patient());
        let until = if is_urgent { not_before } else { deadline };
        let left = until.saturating_duration_since(Instant::now());
        if jobs.len() >= limits::BATCH_SUBMISSIONS || left.is_zero() {
            return Some(jobs);
        }
        match queue.recv_timeout(left) {
            Ok(job) => jobs.push(job),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Some(jobs),
        }
    }
}

impl Submission {
    /// Whether nobody waits for it: it only remembers where an instance is.
    fn is_patient(&self) -> bool {
        self.commands.is_empty() && self.records.is_empty()
    }
}

/// Whether a mark says that its submission was done before. A newer state after the same input is no repetition.
fn is_repeated(stored: &Published, mark: &Mark, submission: &Submission) -> bool {
    let Some(known) = stored.marks.get(&mark.session) else { return false };
    if submission.is_patient() { mark.input < known.input } else { mark.input <= known.input }
}

/// Whether each picture that a product gets is stored, or comes along.
fn check_pictures(stored: &Published, change: &Change, submission: &Submission) -> Result<(), SubmitError> {
    let is_here = |photo: &PhotoId| {
        let name = photo.to_string();
        let comes = |record: &Record| record.kind == PHOTO && record.key == name && record.value.is_some();
        stored.photos.contains_key(photo) || submission.records.iter().any(comes)
    };
    match change.wanted.iter().find(|photo| !is_here(photo)) {
        Some(photo) => Err(SubmitError::NoPicture(*photo)),
        None => Ok(()),
    }
}

/// Decides on the newest state. A panic is a bug of one command and must not stop the site.
fn decide(till: &Till, submission: &Submission) -> Result<(Till, Vec<Event>), SubmitError> {
    let decided =
        catch_unwind(AssertUnwindSafe(|| till.decide_all(&submission.context, &submission.commands)));
    match decided {
        Ok(decided) => decided.map_err(SubmitError::Refused),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            tracing::error!(text, commands = ?submission.commands, "deciding panicked");
            Err(SubmitError::Bug(text.to_owned()))
        }
    }
}

fn refuse_all(jobs: Vec<Job>, reason: &str) {
    for job in jobs {
        let _ = job.answer.send(Err(SubmitError::Failed(reason.to_owned())));
    }
}

fn describe(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full. Free some space and start again".into(),
        Some(rusqlite::ErrorCode::SystemIoFailure) => {
            format!("the disk failed ({error}). Check the disk, then start again")
        }
        _ => error.to_string(),
    }
}
