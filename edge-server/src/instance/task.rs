//! The task of an instance: waits for whatever comes first and handles it. See [`super`] for the way of an input.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tresen_mpos::Commit;
use tresen_scene::ObjectId;
use tresen_session::SenderEvent;
use tresen_till::Till;
use tresen_wire::{CloseCode, Look};

use super::due::MarkDue;
use super::effects::checked;
use super::flights::{Answer, Flight, Flights};
use super::guessing::Guessing;
use super::marks::Marks;
use super::news::{Reader, Rung};
use super::photos::Lacking;
use super::session::{Heard, Session};
use super::{Attach, Picture, Place, Request, State, Status, Surroundings};
use crate::application::{AppInput, Application};
use crate::darkroom::Photos;
use crate::look;

/// How long the mark of an input may wait that changed nothing: nothing but its acknowledgement tells the person that it was taken.
pub(super) const UNSEEN_MARK_MS: u64 = 100;

/// What others book is drawn so long after the last time that it was at the soonest: who looks over a whole room sees all of it change, some times a second.
pub(super) const NEWS_EVERY_MS: u64 = 200;

/// How long a stopping instance waits for the ledger.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// How long it sleeps when nothing is due.
const NOTHING_DUE_MS: u64 = 3_600_000;

/// Why the task ended.
pub enum Fate {
    /// It was stopped.
    Stopped,
}

/// An instance. Owned by its task.
pub struct Instance {
    pub(super) around: Arc<Surroundings>,
    pub(super) place: Place,
    pub(super) status: Arc<Status>,
    /// Seen is what the application heard of.
    pub(super) till: watch::Receiver<Arc<Till>>,
    pub(super) news: Reader,
    pub(super) app: Box<dyn Application>,
    pub(super) marks: Marks,
    pub(super) session: Option<Session>,
    /// A device that takes over as soon as everything of the one before is on disk.
    pub(super) arriving: Option<Box<Attach>>,
    pub(super) flights: Flights,
    pub(super) waiting: VecDeque<Commit>,
    pub(super) pin: Option<JoinHandle<bool>>,
    pub(super) mark_due: MarkDue,
    /// When a screen was drawn last.
    pub(super) drawn_ms: Option<u64>,
    /// When a screen was drawn last because of what others booked, and when it is next.
    news_drawn_ms: Option<u64>,
    pub(super) news_due_ms: Option<u64>,
    pub(super) render_due_ms: Option<u64>,
    pub(super) wake_due_ms: Option<u64>,
    pub(super) guessing: Guessing,
    pub(super) lacking: Lacking,
    /// The last input whose effect is settled: no booking is on its way for it.
    pub(super) settled: u64,
}

enum Event {
    Request(Option<Request>),
    Message(Option<Vec<u8>>),
    Landed(Flight, Answer),
    Pin(bool),
    News(Rung),
    Photos(Photos),
    Time,
    /// Nothing: there is time to guess.
    Idle,
}

impl Instance {
    /// An instance where its marks left it, or a new one.
    pub fn new(around: Arc<Surroundings>, place: Place, status: Arc<Status>, from_saved: bool) -> Self {
        let mut marks = Marks::read(&around.ledger, place.number);
        let saved = marks.saved.take().filter(|_| from_saved);
        let loaded = saved.and_then(|saved| around.applications.load(&saved));
        let restored = loaded.is_some();
        let app = loaded.unwrap_or_else(|| around.applications.create());
        let till = around.ledger.watch();
        let news = around.news.reader();
        let mut instance = Self {
            around,
            place,
            status,
            till,
            news,
            app,
            marks,
            session: None,
            arriving: None,
            flights: Flights::default(),
            waiting: VecDeque::new(),
            pin: None,
            mark_due: MarkDue::default(),
            drawn_ms: None,
            news_drawn_ms: None,
            news_due_ms: None,
            render_due_ms: None,
            wake_due_ms: None,
            guessing: Guessing::default(),
            lacking: Lacking::default(),
            settled: 0,
        };
        if restored {
            instance.tell(AppInput::Restored);
        }
        instance
    }

    /// Runs until it is stopped. Who waited at the door attaches first.
    pub async fn run(
        mut self,
        inbox: &mut mpsc::Receiver<Request>,
        at_the_door: Option<Box<Attach>>,
    ) -> Fate {
        self.status.set_state(State::Running);
        self.arriving = at_the_door;
        self.welcome_the_arriving();
        self.flush();
        loop {
            match self.next_event(inbox).await {
                Event::Request(None) => return self.stop(CloseCode::ServerStopping, "").await,
                Event::Request(Some(Request::Stop { code, text })) => return self.stop(code, text).await,
                Event::Request(Some(request)) => self.requested(request),
                Event::Message(message) => self.message(message.as_deref()),
                Event::Landed(flight, answer) => self.landed(&flight, answer),
                Event::Pin(right) => self.pin_checked(right),
                Event::News(rung) => self.heard_news(rung),
                Event::Photos(photos) => self.photos_arrived(photos),
                Event::Time => self.time(),
                Event::Idle => {
                    self.guess();
                    // What is guessed together goes together.
                    if self.has_ideas() {
                        continue;
                    }
                }
            }
            self.mark_when_due();
            self.welcome_the_arriving();
            self.flush();
        }
    }

    async fn next_event(&mut self, inbox: &mut mpsc::Receiver<Request>) -> Event {
        let sleep = Duration::from_millis(self.due_ms().saturating_sub(self.now_ms()));
        let idle = self.has_ideas();
        tokio::select! {
            request = inbox.recv() => Event::Request(request),
            message = receive(&mut self.session) => Event::Message(message),
            (flight, answer) = self.flights.land() => Event::Landed(flight, answer),
            right = checked(&mut self.pin) => Event::Pin(right),
            rung = self.news.rung() => Event::News(rung),
            photos = self.lacking.arrive() => Event::Photos(photos),
            () = tokio::time::sleep(sleep) => Event::Time,
            () = tokio::task::yield_now(), if idle => Event::Idle,
        }
    }

    fn due_ms(&self) -> u64 {
        let session = self.session.as_ref().and_then(Session::timeout_ms);
        let mark = self.mark_due.at_ms().filter(|_| self.flights.is_empty());
        let again = self.guessing.again_due_ms;
        let due = [mark, self.render_due_ms, self.wake_due_ms, self.news_due_ms, session, again];
        due.into_iter().flatten().min().unwrap_or_else(|| self.now_ms() + NOTHING_DUE_MS)
    }

    pub(super) fn time(&mut self) {
        let now_ms = self.now_ms();
        let passed = |due: Option<u64>| due.is_some_and(|due| due <= now_ms);
        if passed(self.guessing.again_due_ms) {
            self.guess_again();
        }
        if passed(self.render_due_ms) || passed(self.wake_due_ms) {
            self.render();
        }
        if self.news_due_ms.take_if(|due_ms| *due_ms <= now_ms).is_some() && self.is_connected() {
            self.draw_news(now_ms);
        }
        if let Some(session) = &mut self.session
            && passed(session.timeout_ms())
        {
            session.handle_timeout(now_ms);
            self.note_connection();
        }
    }

    /// Something was booked that concerns the screen or its guesses. What the application heard of already, its own bookings most of all, is
    /// no news.
    pub(super) fn heard_news(&mut self, rung: Rung) {
        if rung.guessed {
            self.guessed_of_what_changed();
        }
        if rung.shown && self.is_connected() && self.till.has_changed().unwrap_or(false) {
            let now_ms = self.now_ms();
            let due_ms = self.news_drawn_ms.map_or(0, |drawn_ms| drawn_ms + NEWS_EVERY_MS);
            if due_ms > now_ms {
                self.news_due_ms = Some(due_ms);
            } else {
                self.draw_news(now_ms);
            }
        }
    }

    fn draw_news(&mut self, now_ms: u64) {
        self.news_drawn_ms = Some(now_ms);
        self.news_due_ms = None;
        self.tell(AppInput::Changed);
        self.render_unless_committing();
    }

    pub(super) fn requested(&mut self, request: Request) {
        match request {
            Request::Attach(attach) => self.attach(attach),
            Request::Picture { look, reply } => {
                let root = self.with_world(&look, |app, world| app.view(world, &look));
                let missing = self.lacking.taken();
                let lacking = (!missing.is_empty()).then(|| self.around.darkroom.order(missing));
                let _ = reply.send(Picture { root, lacking });
            }
            Request::Renamed => {
                // The name stands on screens that were foreseen.
                self.guess_again();
                self.render();
            }
            Request::Stop { .. } => {}
        }
    }

    /// The same device goes on with its session; another one waits until everything of the one before is on disk.
    pub(super) fn attach(&mut self, attach: Box<Attach>) {
        let now_ms = self.now_ms();
        if let Some(session) = &mut self.session
            && session.device == attach.device
        {
            session.connect(now_ms, &attach.hello, attach.link);
            self.guess_again();
            self.begin_to_show();
            return;
        }
        if let Some(session) = &mut self.session {
            session.leave(now_ms, CloseCode::Replaced, "");
        }
        self.mark_due.hurry(now_ms);
        if let Some(earlier) = self.arriving.replace(attach) {
            earlier.link.bye(CloseCode::Replaced, "");
        }
    }

    pub(super) fn welcome_the_arriving(&mut self) {
        // A PIN that is being checked counts for the device on which it was typed.
        let on_disk = self.flights.is_empty() && self.waiting.is_empty() && !self.mark_due.is_wanted();
        let settled = on_disk && self.pin.is_none();
        if self.arriving.is_none() || !settled {
            return;
        }
        let Some(attach) = self.arriving.take() else { return };
        let Attach { device, hello, link } = *attach;
        let id = self.marks.session(device);
        let loses_inputs = hello.have.is_some_and(|have| Marks::loses_inputs(have.session, id));
        let next_input = self.marks.next_input(id);
        let namer = self.around.namer.clone();
        let mut session = Session::new(namer, id, device, next_input, rand::random(), hello.look);
        session.share(self.around.alphabets.of(hello.look.scale_100));
        session.connect(self.now_ms(), &hello, link);
        if let Some(replaced) = &mut self.session {
            replaced.leave(self.around.clock.now_ms(), CloseCode::Replaced, "");
        }
        self.session = Some(session);
        self.guessing.begin();
        if !self.marks.is_last(id) {
            self.marks.applied(id, next_input - 1);
            self.tell(AppInput::OtherDevice);
            self.mark_by(0);
        }
        if loses_inputs {
            tracing::warn!(station = self.place.number, device = %device.short(), "a forgotten device is back: what it had on its way was refused");
            self.tell(AppInput::InputsLost);
        }
        self.begin_to_show();
    }

    fn begin_to_show(&mut self) {
        self.note_connection();
        self.tell(AppInput::Changed);
        self.render();
    }

    fn note_connection(&self) {
        let connected = self.session.as_ref().filter(|session| session.is_connected());
        self.status.set_attached(connected.map(|session| (session.device, self.around.clock.now())));
        if connected.is_none() {
            self.news.look_away();
        }
    }

    /// The connection is gone: whoever takes over should not wait for a mark that was put off.
    pub(super) fn lost_connection(&mut self) {
        self.hurry_mark();
        self.note_connection();
    }

    pub(super) fn message(&mut self, message: Option<&[u8]>) {
        let now_ms = self.now_ms();
        let Some(session) = &mut self.session else { return };
        match session.handle(now_ms, message) {
            Heard::Event(event) => self.event(event),
            Heard::Nothing => {}
            Heard::Gone => self.lost_connection(),
        }
        self.mark_if_wanted();
    }

    pub(super) fn event(&mut self, event: SenderEvent) {
        let Some(session) = &mut self.session else { return };
        match event {
            SenderEvent::Input { number, input } => {
                session.applied = number;
                self.marks.applied(session.id, number);
                self.status.count(&self.status.inputs, 1);
                let before = session.shown();
                self.mark_by(self.lazily_ms());
                self.learn(&input);
                self.tell(AppInput::Input(input));
                self.render_unless_committing();
                self.hasten_mark(before);
            }
            SenderEvent::Look(look) => {
                session.look = look;
                self.look_changed();
            }
            SenderEvent::Bye(_) => {}
        }
    }

    /// Whoever sees that the tap was taken need not be told that it is on disk, as long as it booked nothing: should the server die, the
    /// device sends it again. While a booking is on its way nothing new is drawn, so nobody sees anything; what goes with a booking needs no mark.
    fn hasten_mark(&mut self, shown_before: Option<ObjectId>) {
        let Some(session) = &self.session else { return };
        if session.shown() == shown_before {
            self.mark_due.hurry(self.around.clock.now_ms() + UNSEEN_MARK_MS);
        }
        self.mark_if_wanted();
    }

    /// Says goodbye when everything that was applied is on disk.
    async fn stop(mut self, code: CloseCode, text: &str) -> Fate {
        let _ = tokio::time::timeout(STOP_PATIENCE, self.all_on_disk()).await;
        self.flush();
        let now_ms = self.now_ms();
        if let Some(session) = &mut self.session {
            session.leave(now_ms, code, text);
        }
        if let Some(arriving) = self.arriving.take() {
            arriving.link.bye(code, text);
        }
        self.note_connection();
        Fate::Stopped
    }

    pub(super) fn is_connected(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_connected)
    }

    pub(super) fn look(&self) -> Look {
        self.session.as_ref().map_or(look::DEFAULT, |session| session.look)
    }

    pub(super) fn device_label(&self) -> SmolStr {
        self.session.as_ref().map(|session| session.label.clone()).unwrap_or_default()
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.around.clock.now_ms()
    }
}

async fn receive(session: &mut Option<Session>) -> Option<Vec<u8>> {
    match session {
        Some(session) => session.receive().await,
        None => std::future::pending().await,
    }
}
