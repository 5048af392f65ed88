//! What an instance runs: an application behind a trait, so that benchmarks and tests run their own through the real hub.

use std::sync::Arc;

use jiff::Timestamp;
use tresen_ledger::Ledger;
use tresen_mpos::ui::{Developing, Marks};
use tresen_mpos::{App, Effect, Failure, Habit, Message, Photos, PinOutcome, Reach, Tap, World};
use tresen_scene::Node;
use tresen_till::{PhotoId, Refusal, StaffId, Till, Topic};
use tresen_typeset::Typesetter;
use tresen_wire::{GuessKind, Input, Key, Look};

/// What an application hears.
#[derive(Clone, Debug)]
pub enum AppInput {
    /// From the device.
    Input(Input),
    /// The commit in flight is on disk and part of the world's till, or was refused.
    Committed(Result<(), Refusal>),
    /// The commit in flight failed; nothing was written.
    Failed(Failure),
    /// The PIN was checked.
    Pin(PinOutcome),
    /// What it looks at of the till changed, by whomever.
    Changed,
    /// It was loaded from what it saved.
    Restored,
    /// Another device than the last one took the station; it inherits nobody's login.
    OtherDevice,
    /// What this device had on its way when it was here last was refused, because nobody knows any more whether it was done.
    InputsLost,
}

/// An application: pure but for its own state, and owned by one instance.
pub trait Application: Send {
    /// Hears something and says what it wants done. At most one commit is in flight.
    fn message(&mut self, world: &World<'_>, input: AppInput) -> Vec<Effect>;

    /// Its screen. With marks, those of two people are never the same ([`tresen_scene::Role::Viewer`]).
    fn view(&self, world: &World<'_>, look: &Look) -> Arc<Node>;

    /// What of the till its screen shows and its next [`AppInput::Changed`] would heed: it hears of nothing else.
    fn looks_at(&self, _world: &World<'_>, _look: &Look) -> Vec<Topic> {
        vec![Topic::Anything]
    }

    /// Everything that its screen needs to come back.
    fn save(&self) -> Vec<u8>;

    /// Who is logged in.
    fn staff(&self) -> Option<StaffId> {
        None
    }

    /// Whether its screens tell which of their amounts others may change, and for whom they are. Not part of its state.
    fn set_marks(&mut self, _marks: Marks) {}

    /// What it and the till would be if this input came now, its bookings were written and nobody interfered; of what reaches beyond the till, only
    /// that it is being done. `None` when that is not to be tried.
    fn guess(&self, _world: &World<'_>, _input: &Input) -> Option<Foreseen> {
        None
    }

    /// What an input is to habits; `None`: nothing is learned from it, and nothing guessed.
    fn habit(&self, _input: &Input) -> Option<Habit> {
        None
    }

    /// When its view will look different by itself.
    fn wake_at(&self, _world: &World<'_>) -> Option<Timestamp> {
        None
    }
}

/// Where an input leads.
pub struct Foreseen {
    /// The application then.
    pub app: Box<dyn Application>,
    /// The till then.
    pub till: Till,
    /// Whether that is the answer, or only shown until it comes.
    pub kind: GuessKind,
}

/// The pictures of products, where the ledger keeps them.
pub struct StoredPhotos<'a> {
    /// Where they are.
    pub ledger: &'a Ledger,
    /// When they are scaled.
    pub developing: Developing,
}

impl Photos for StoredPhotos<'_> {
    fn photo(&self, id: PhotoId) -> Option<Arc<[u8]>> {
        self.ledger.photo(id)
    }

    fn developing(&self) -> Developing {
        self.developing.clone()
    }
}

/// Makes applications.
pub trait Applications: Send + Sync {
    /// A new one.
    fn create(&self) -> Box<dyn Application>;

    /// One from [`Application::save`]; `None` when the bytes are of another version.
    fn load(&self, saved: &[u8]) -> Option<Box<dyn Application>>;
}

/// The handheld app.
pub struct Handhelds {
    typesetter: Arc<Typesetter>,
}

struct Handheld {
    app: App,
    typesetter: Arc<Typesetter>,
    marks: Marks,
}

impl Handhelds {
    /// All of them share one typesetter and its caches.
    #[must_use]
    pub const fn new(typesetter: Arc<Typesetter>) -> Self {
        Self { typesetter }
    }
}

impl Applications for Handhelds {
    fn create(&self) -> Box<dyn Application> {
        Box::new(Handheld { app: App::new(), typesetter: self.typesetter.clone(), marks: Marks::Left })
    }

    fn load(&self, saved: &[u8]) -> Option<Box<dyn Application>> {
        let app = App::load(saved)?;
        Some(Box::new(Handheld { app, typesetter: self.typesetter.clone(), marks: Marks::Left }))
    }
}

impl Application for Handheld {
    fn message(&mut self, world: &World<'_>, input: AppInput) -> Vec<Effect> {
        match message_of(input) {
            Some(message) => tresen_mpos::update(&mut self.app, world, message),
            None => Vec::new(),
        }
    }

    fn view(&self, world: &World<'_>, look: &Look) -> Arc<Node> {
        let kit = crate::look::kit(&self.typesetter, look).marking(self.marks);
        tresen_mpos::view(&self.app, world, &kit, crate::look::size(look))
    }

    fn looks_at(&self, world: &World<'_>, look: &Look) -> Vec<Topic> {
        let kit = crate::look::kit(&self.typesetter, look);
        tresen_mpos::looks_at(&self.app, world, &kit, crate::look::size(look))
    }

    fn save(&self) -> Vec<u8> {
        self.app.save()
    }

    fn staff(&self) -> Option<StaffId> {
        self.app.staff()
    }

    fn guess(&self, world: &World<'_>, input: &Input) -> Option<Foreseen> {
        let message = message_of(AppInput::Input(input.clone()))?;
        let tresen_mpos::Foreseen { app, till, reach } = tresen_mpos::guess(&self.app, world, message)?;
        let app = Box::new(Self { app, typesetter: self.typesetter.clone(), marks: self.marks });
        let kind = match reach {
            Reach::Lines => GuessKind::Answer,
            Reach::Beyond => GuessKind::Pending,
        };
        Some(Foreseen { app, till, kind })
    }

    fn set_marks(&mut self, marks: Marks) {
        self.marks = marks;
    }

    fn habit(&self, input: &Input) -> Option<Habit> {
        match input {
            Input::Tap(action) | Input::Hold(action) => {
                Tap::of(action).map(|tap| tresen_mpos::habit_of_tap(&self.app, &tap))
            }
            Input::Key(key) => key_of(*key).map(|key| tresen_mpos::habit_of_key(&self.app, key)),
            Input::Text { .. } | Input::Scan(_) => None,
        }
    }

    fn wake_at(&self, world: &World<'_>) -> Option<Timestamp> {
        tresen_mpos::wake_at(&self.app, world)
    }
}

/// What an input means to the handheld app; `None` when it means nothing.
fn message_of(input: AppInput) -> Option<Message> {
    match input {
        AppInput::Input(Input::Tap(action) | Input::Hold(action)) => Message::tap(&action),
        AppInput::Input(Input::Text { action, text }) => Message::text(&action, text),
        AppInput::Input(Input::Scan(code)) => Some(Message::Scan(code)),
        AppInput::Input(Input::Key(key)) => key_of(key).map(Message::Key),
        AppInput::Committed(result) => Some(Message::Committed(result)),
        AppInput::Failed(reason) => Some(Message::Failed(reason)),
        AppInput::Pin(outcome) => Some(Message::Pin(outcome)),
        AppInput::Changed => Some(Message::Changed),
        AppInput::Restored => Some(Message::Restored),
        AppInput::OtherDevice => Some(Message::OtherDevice),
        AppInput::InputsLost => Some(Message::InputsLost),
    }
}

fn key_of(key: Key) -> Option<tresen_mpos::Key> {
    match key {
        Key::Digit(digit) => Some(tresen_mpos::Key::Digit(digit)),
        Key::Backspace | Key::Delete => Some(tresen_mpos::Key::Backspace),
        Key::Enter => Some(tresen_mpos::Key::Enter),
        Key::Back => Some(tresen_mpos::Key::Back),
        Key::Tab
        | Key::Up
        | Key::Down
        | Key::Left
        | Key::Right
        | Key::PageUp
        | Key::PageDown
        | Key::Function(_)
        | Key::Character(_) => None,
    }
}
