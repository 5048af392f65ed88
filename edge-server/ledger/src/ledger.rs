//! The door: submit, read what is published, watch.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use imbl::OrdMap;
use tokio::sync::{oneshot, watch};
use tresen_till::{Command, Context, Event, PhotoId, Site, Till};

use crate::database::Database;
use crate::error::{BackupError, OpenError, SubmitError, VerifyError};
use crate::lock::Lock;
use crate::photos::PHOTO;
use crate::stats::{Counters, Stats};
use crate::writer::{Job, Writer};
use crate::{Verified, limits};

/// A session: one device on one instance.
pub type SessionId = [u8; 16];

/// How to open a ledger.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What a new ledger's site is; an existing one keeps its own.
    pub site: Site,
    /// Most pages of the database file, to see what a full disk does. `None` is the normal life.
    pub pages_max: Option<u32>,
    /// Breaks a promise on purpose, so that a test can show that it would notice.
    pub fault: Fault,
}

/// A promise to break, for the tests of the tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// None: every promise is kept.
    #[default]
    None,
    /// Answers before the commit.
    AnswerBeforeCommit,
    /// Forgets the marks of sessions, so that an input sent again is done again.
    ForgetMarks,
    /// Syncs only at checkpoints (`synchronous=NORMAL`).
    LazySync,
}

/// What is to be done together: all or nothing.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Who, where, when.
    pub context: Context,
    /// What, in this order.
    pub commands: Vec<Command>,
    /// The input that led here, and the state of its instance.
    pub mark: Option<Mark>,
    /// Other durable values.
    pub records: Vec<Record>,
}

/// How far a session has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The session.
    pub session: SessionId,
    /// Number of the newest input whose effects are stored.
    pub input: u64,
    /// The state of the instance after it.
    pub app: Vec<u8>,
}

/// A small durable value: a device, a station, a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What kind of thing.
    pub kind: &'static str,
    /// Which one.
    pub key: String,
    /// Its new value; `None` removes it.
    pub value: Option<Vec<u8>>,
}

/// Something that is on disk.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The till with it. Commits of the same batch may be in it too.
    pub till: Arc<Till>,
    /// What happened.
    pub events: Vec<Event>,
    /// The journal row; `None` when nothing happened that belongs into the journal.
    pub row: Option<u64>,
    /// True when it was done before, as its mark shows; nothing happened now.
    pub repeated: bool,
}

/// Values by kind and key.
pub(crate) type Records = OrdMap<(String, String), Arc<[u8]>>;

/// What everybody may read: published after each commit.
#[derive(Clone)]
pub(crate) struct Published {
    pub(crate) till: Arc<Till>,
    pub(crate) marks: OrdMap<SessionId, Arc<Mark>>,
    pub(crate) records: Records,
    /// The records of the kind [`PHOTO`] once more, for the screens that ask for them again and again.
    pub(crate) photos: OrdMap<PhotoId, Arc<[u8]>>,
}

impl Published {
    pub(crate) fn new(till: Till, marks: OrdMap<SessionId, Arc<Mark>>, records: Records) -> Self {
        let photos = records.iter().filter(|((kind, _), _)| kind == PHOTO);
        let photos = photos.filter_map(|((_, key), value)| Some((PhotoId::from_hex(key)?, value.clone())));
        let photos = photos.collect();
        Self { till: Arc::new(till), marks, records, photos }
    }

    pub(crate) fn put(&mut self, record: &Record) {
        let key = (record.kind.to_owned(), record.key.clone());
        let photo = PhotoId::from_hex(&record.key).filter(|_| record.kind == PHOTO);
        let Some(value) = record.value.as_deref().map(Arc::<[u8]>::from) else {
            self.records.remove(&key);
            photo.and_then(|photo| self.photos.remove(&photo));
            return;
        };
        if let Some(photo) = photo {
            self.photos.insert(photo, value.clone());
        }
        self.records.insert(key, value);
    }
}

/// The doors from the writer to everybody else.
pub(crate) struct Doors {
    pub(crate) published: Arc<ArcSwap<Published>>,
    pub(crate) till: watch::Sender<Arc<Till>>,
    pub(crate) failure: watch::Sender<Option<String>>,
    pub(crate) counters: Arc<Counters>,
}

/// The ledger of a site. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    published: Arc<ArcSwap<Published>>,
    till: watch::Receiver<Arc<Till>>,
    failure: watch::Receiver<Option<String>>,
    counters: Arc<Counters>,
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Ledger {
    /// Opens the database file, or makes it. Replays what the snapshot does not hold.
    ///
    /// # Errors
    /// In use by another process, newer, damaged, or not readable.
    pub fn open(path: &Path, options: Options) -> Result<Ledger, OpenError> {
        let lock = Lock::take(path)?;
        crate::restore::carry_through(path)
            .map_err(|error| OpenError::Io { path: path.to_owned(), reason: error.to_string() })?;
        let (database, start) = Database::open(path, &options)?;
        let published = Arc::new(ArcSwap::from_pointee(start.published));
        let (till_sender, till) = watch::channel(published.load().till.clone());
        let (failure_sender, failure) = watch::channel(None);
        let counters = Arc::new(Counters::default());
        let doors = Doors {
            published: published.clone(),
            till: till_sender,
            failure: failure_sender,
            counters: counters.clone(),
        };
        let (jobs, queue) = std::sync::mpsc::sync_channel(limits::QUEUE_SUBMISSIONS);
        let writer = Writer::new(database, start.head, start.snapshot_row, doors, options.fault);
        let writer = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || {
                writer.run(&queue);
                drop(lock);
            })
            .map_err(|error| OpenError::Io { path: path.to_owned(), reason: error.to_string() })?;
        let inner = Inner {
            path: path.to_owned(),
            published,
            till,
            failure,
            counters,
            jobs: Some(jobs),
            writer: Some(writer),
        };
        Ok(Ledger { inner: Arc::new(inner) })
    }

    /// The newest till on disk.
    pub fn till(&self) -> Arc<Till> {
        self.inner.published.load().till.clone()
    }

    /// Sees every newest till, after its commit.
    pub fn watch(&self) -> watch::Receiver<Arc<Till>> {
        self.inner.till.clone()
    }

    /// Queues something. The answer comes after the commit; see [`SubmitError`] for what it may be.
    /// A submission that carries nothing but a mark may wait up to [`limits::MARK_DELAY`] for company.
    pub fn submit(&self, submission: Submission) -> oneshot::Receiver<Result<Committed, SubmitError>> {
        let (answer, receiver) = oneshot::channel();
        let refused = |answer: oneshot::Sender<_>, error| {
            let _ = answer.send(Err(error));
        };
        if let Err(error) = check_size(&submission) {
            refused(answer, error);
            return receiver;
        }
        let jobs = self.inner.jobs.as_ref().expect("the queue is open until the last clone is dropped");
        match jobs.try_send(Job { submission, answer }) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => {
                refused(job.answer, SubmitError::Overloaded(limits::QUEUE_SUBMISSIONS));
            }
            Err(TrySendError::Disconnected(job)) => {
                let reason = self.failed().unwrap_or_else(|| "the writer has ended".into());
                refused(job.answer, SubmitError::Failed(reason));
            }
        }
        receiver
    }

    /// Marks of all sessions.
    pub fn marks(&self) -> Vec<Arc<Mark>> {
        self.inner.published.load().marks.values().cloned().collect()
    }

    /// Mark of one session.
    pub fn mark(&self, session: &SessionId) -> Option<Arc<Mark>> {
        self.inner.published.load().marks.get(session).cloned()
    }

    /// All records of a kind, by key.
    pub fn records(&self, kind: &str) -> Vec<(String, Vec<u8>)> {
        let published = self.inner.published.load();
        published
            .records
            .range((kind.to_owned(), String::new())..)
            .take_while(|((of_kind, _), _)| of_kind == kind)
            .map(|((_, key), value)| (key.clone(), value.to_vec()))
            .collect()
    }

    /// One record.
    pub fn record(&self, kind: &str, key: &str) -> Option<Vec<u8>> {
        let published = self.inner.published.load();
        published.records.get(&(kind.to_owned(), key.to_owned())).map(|value| value.to_vec())
    }

    /// The picture of a product, as it was stored. As long as a product of the newest till has it, it is here.
    pub fn photo(&self, id: PhotoId) -> Option<Arc<[u8]>> {
        self.inner.published.load().photos.get(&id).cloned()
    }

    /// Why nothing can be stored any more; `None` while all is well.
    pub fn failed(&self) -> Option<String> {
        self.inner.failure.borrow().clone()
    }

    /// Changes from `None` when the disk fails: the server then stops with this sentence.
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.inner.failure.clone()
    }

    /// Figures since it was opened.
    pub fn stats(&self) -> Stats {
        self.inner.counters.read()
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Copies the ledger as it is now into a new file, while it runs. Blocks; call it off the async threads.
    ///
    /// # Errors
    /// See [`BackupError`].
    pub fn backup_to(&self, target: &Path) -> Result<Verified, BackupError> {
        crate::backup(&self.inner.path, target)
    }

    /// Verifies the whole journal, while it runs. Blocks; call it off the async threads.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<Verified, VerifyError> {
        crate::verify(&self.inner.path)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the ledger's writer panicked");
        }
    }
}

fn check_size(submission: &Submission) -> Result<(), SubmitError> {
    let check = |what, bytes, limit| {
        if bytes > limit { Err(SubmitError::TooLarge { what, bytes, limit }) } else { Ok(()) }
    };
    if let Some(mark) = &submission.mark {
        // SQLite's integers are signed; no session lives for that many inputs.
        check(
            "the number of an input",
            usize::try_from(mark.input).unwrap_or(usize::MAX),
            i64::MAX as usize,
        )?;
        check("the state of an instance", mark.app.len(), limits::MARK_BYTES)?;
    }
    for record in &submission.records {
        check("a record", record.value.as_ref().map_or(0, Vec::len), limits::RECORD_BYTES)?;
    }
    Ok(())
}
