//! News of the till: a booking wakes whoever shows something of it, and nobody else.
//!
//! Every instance says what its screen looks at ([`Topic`]) and on which till; one task compares each till with the one before and
//! rings for those who look at something that differs. So a booking costs what it is worth, however many devices there are.
//!
//! Invariant: nobody misses anything. Between two looks of that task a till may come and go that somebody has drawn. Whoever drew
//! another till than the one that was told last is therefore a stray, and is compared by himself with the next one: with what he drew, so that
//! nobody draws his own booking twice because others have booked since.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tresen_till::{Changes, Till, Topic};

/// Between two looks at the till. In a busy house it changes all the time.
const PAUSE: Duration = Duration::from_millis(25);

/// Who looks at what.
pub struct News {
    readers: Mutex<Readers>,
}

struct Readers {
    /// The till up to which everybody has been told.
    told: Arc<Till>,
    next: u64,
    all: HashMap<u64, Looking>,
    by_topic: HashMap<Topic, HashSet<u64>>,
    strays: HashMap<u64, Arc<Till>>,
    guessing: HashMap<u64, HashSet<Topic>>,
    /// Who makes guesses of what: `guessing` the other way round.
    guessing_by_topic: HashMap<Topic, HashSet<u64>>,
}

/// A reader, as the news know it.
struct Looking {
    bell: Arc<Bell>,
    /// `None`: at nothing, not even at what every screen is made of.
    topics: Option<Vec<Topic>>,
}

#[derive(Default)]
struct Bell {
    rung: Notify,
    shown: AtomicBool,
    guessed: AtomicBool,
}

/// What a reader is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rung {
    /// What it looks at may have changed.
    pub shown: bool,
    /// Something changed on which its guesses may be built.
    pub guessed: bool,
}

/// One who wants to know. Dropped, it wants nothing more.
pub struct Reader {
    news: Arc<News>,
    id: u64,
    bell: Arc<Bell>,
}

impl News {
    /// Begins with a till that everybody knows.
    #[must_use]
    pub fn new(till: Arc<Till>) -> Arc<Self> {
        let readers = Readers {
            told: till,
            next: 0,
            all: HashMap::new(),
            by_topic: HashMap::new(),
            strays: HashMap::new(),
            guessing: HashMap::new(),
            guessing_by_topic: HashMap::new(),
        };
        Arc::new(Self { readers: Mutex::new(readers) })
    }

    /// Tells of every change until the ledger is closed.
    pub async fn follow(self: Arc<Self>, mut till: watch::Receiver<Arc<Till>>) {
        // It may have changed before somebody began to follow it.
        till.mark_changed();
        while till.changed().await.is_ok() {
            // Everybody depends on this task; a fault in comparing costs everybody a look, and no more.
            if catch_unwind(AssertUnwindSafe(|| self.tell(|| till.borrow_and_update().clone()))).is_err() {
                tracing::error!("two tills could not be compared; everybody looks at the newer one");
                self.tell_everybody(|| till.borrow_and_update().clone());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One more reader, who looks at nothing yet.
    pub(super) fn reader(self: &Arc<Self>) -> Reader {
        let bell = Arc::new(Bell::default());
        let mut readers = self.lock();
        let id = readers.next;
        readers.next += 1;
        readers.all.insert(id, Looking { bell: bell.clone(), topics: None });
        drop(readers);
        Reader { news: self.clone(), id, bell }
    }

    /// Tells of the newest till. It is asked for when nobody can say any more what he drew: who drew a newer one says so afterwards.
    pub(super) fn tell(&self, newest: impl FnOnce() -> Arc<Till>) {
        let mut readers = self.lock();
        let newest = newest();
        let changes = newest.changes_since(&readers.told);
        readers.ring_for(&changes);
        let strays = std::mem::take(&mut readers.strays);
        let mut since: Vec<(Arc<Till>, Changes)> = Vec::new();
        for (id, drawn) in strays {
            let known = since.iter().position(|(till, _)| Arc::ptr_eq(till, &drawn));
            let at = known.unwrap_or_else(|| {
                let changes = newest.changes_since(&drawn);
                since.push((drawn, changes));
                since.len() - 1
            });
            readers.ring_if_concerned(id, &since[at].1);
        }
        readers.ring_for_guesses(&changes);
        readers.told = newest;
    }

    fn tell_everybody(&self, newest: impl FnOnce() -> Arc<Till>) {
        let mut readers = self.lock();
        let newest = newest();
        for reader in readers.all.values() {
            reader.bell.ring();
            reader.bell.ring_for_guesses();
        }
        readers.strays.clear();
        readers.told = newest;
    }

    fn lock(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readers {
    /// Rings for those who have drawn the till that was told last.
    fn ring_for(&self, changes: &Changes) {
        each_concerned(changes, self.all.keys(), &self.by_topic, |id| {
            if let Some(reader) = self.all.get(id).filter(|reader| reader.topics.is_some())
                && !self.strays.contains_key(id)
            {
                reader.bell.ring();
            }
        });
    }

    fn ring_for_guesses(&self, changes: &Changes) {
        each_concerned(changes, self.guessing.keys(), &self.guessing_by_topic, |id| {
            if let Some(reader) = self.all.get(id) {
                reader.bell.ring_for_guesses();
            }
        });
    }

    fn ring_if_concerned(&self, id: u64, changes: &Changes) {
        let Some(reader) = self.all.get(&id) else { return };
        if reader.topics.as_ref().is_some_and(|topics| changes.concern(topics)) {
            reader.bell.ring();
        }
    }

    fn set_topics(&mut self, id: u64, topics: Option<Vec<Topic>>) {
        let Some(reader) = self.all.get_mut(&id).filter(|reader| reader.topics != topics) else { return };
        let before = std::mem::replace(&mut reader.topics, topics.clone());
        before.into_iter().flatten().for_each(|topic| strike(&mut self.by_topic, topic, id));
        for topic in topics.into_iter().flatten() {
            self.by_topic.entry(topic).or_default().insert(id);
        }
    }

    fn guess_on(&mut self, id: u64, topics: impl IntoIterator<Item = Topic>) {
        let guessing = self.guessing.entry(id).or_default();
        for topic in topics.into_iter().filter(|topic| guessing.insert(*topic)) {
            self.guessing_by_topic.entry(topic).or_default().insert(id);
        }
    }

    fn guess_no_more(&mut self, id: u64) {
        let before = self.guessing.remove(&id);
        before.into_iter().flatten().for_each(|topic| strike(&mut self.guessing_by_topic, topic, id));
    }
}

/// Calls everybody whom changes concern, some more than once.
fn each_concerned<'a>(
    changes: &Changes,
    everybody: impl Iterator<Item = &'a u64>,
    by_topic: &HashMap<Topic, HashSet<u64>>,
    call: impl Fn(&u64),
) {
    if changes.everywhere() {
        everybody.for_each(call);
        return;
    }
    for topic in changes.topics() {
        by_topic.get(&topic).into_iter().flatten().for_each(&call);
    }
}

/// Takes a reader out of those of a topic.
fn strike(by_topic: &mut HashMap<Topic, HashSet<u64>>, topic: Topic, id: u64) {
    if let Some(ids) = by_topic.get_mut(&topic) {
        ids.remove(&id);
        if ids.is_empty() {
            by_topic.remove(&topic);
        }
    }
}

impl Bell {
    fn ring(&self) {
        self.shown.store(true, Ordering::Relaxed);
        self.rung.notify_one();
    }

    fn ring_for_guesses(&self) {
        self.guessed.store(true, Ordering::Relaxed);
        self.rung.notify_one();
    }
}

impl Reader {
    /// From now on, these are looked at; what they were on this till is known. `newest` is asked afterwards, once this till may not be the
    /// newest any more.
    pub fn look_at(&self, topics: Vec<Topic>, till: &Arc<Till>, newest: &watch::Receiver<Arc<Till>>) {
        let mut readers = self.news.lock();
        readers.set_topics(self.id, Some(topics));
        if Arc::ptr_eq(till, &readers.told) {
            readers.strays.remove(&self.id);
        } else {
            readers.strays.insert(self.id, till.clone());
        }
        drop(readers);
        // The next one may have been told already, to those who looked then.
        if newest.has_changed().unwrap_or(false) {
            self.bell.ring();
        }
    }

    /// From now on, nothing is looked at.
    pub fn look_away(&self) {
        let mut readers = self.news.lock();
        readers.set_topics(self.id, None);
        readers.strays.remove(&self.id);
        readers.guess_no_more(self.id);
    }

    /// Guesses are made of these too. Rings when they change.
    pub fn guess_on(&self, topics: impl IntoIterator<Item = Topic>) {
        self.news.lock().guess_on(self.id, topics);
    }

    /// Guesses are made anew, of these. What the ones before were made of does not count any more.
    pub fn guess_anew_on(&self, topics: impl IntoIterator<Item = Topic>) {
        let mut readers = self.news.lock();
        readers.guess_no_more(self.id);
        readers.guess_on(self.id, topics);
    }

    /// Waits for news. Safe to drop and call again.
    pub async fn rung(&self) -> Rung {
        loop {
            self.bell.rung.notified().await;
            let rung = self.heard();
            if rung != Rung::default() {
                return rung;
            }
        }
    }

    /// What it was rung for since the last time.
    pub(super) fn heard(&self) -> Rung {
        Rung {
            shown: self.bell.shown.swap(false, Ordering::Relaxed),
            guessed: self.bell.guessed.swap(false, Ordering::Relaxed),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.look_away();
        self.news.lock().all.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
