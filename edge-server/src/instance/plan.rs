//! What to guess next: a search through what may be tapped, the likeliest first, and through what may be tapped after that.
//!
//! Not for: trying and sending (`guessing`), what is likely (`crate::habits`).

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use tresen_scene::{Node, ObjectId, offers, touches};
use tresen_session::limits::GUESS_DEPTH;
use tresen_till::Till;
use tresen_wire::{GuessKind, Input, Key};

use crate::application::Application;
use crate::habits::{Around, Habits, Name};

/// What is less likely than this is not tried.
const LEAST_LIKELY: f32 = 0.02;

/// When so much of what may come was tried, only what is this likely is tried as well.
const ENOUGH: f32 = 0.75;
const WORTH_MORE: f32 = 0.06;

/// Ideas that wait; of more, those that come last are not thought of.
const IDEAS: usize = 256;

/// A screen from which something may be tapped.
pub struct Stage {
    /// The application and the till as they would be; `None`: as they are.
    pub tried: Option<(Box<dyn Application>, Arc<Till>)>,
    /// What it shows.
    pub root: Arc<Node>,
    depth: usize,
}

/// Something that may be tapped.
pub struct Idea {
    likely: f32,
    /// Where: the number of a stage.
    pub stage: usize,
    /// What.
    pub input: Input,
    /// How it is called.
    pub name: Name,
}

/// What is left to be tried for one screen of a client.
pub struct Plan {
    ideas: BinaryHeap<Idea>,
    /// How many were had, and how likely it is that the next tap is one of them.
    had: usize,
    covered: f32,
    stages: Vec<Stage>,
}

impl Plan {
    /// Begins with the screen that is shown.
    pub fn new(app: &dyn Application, root: Arc<Node>, before: Option<Name>, known: Known<'_>) -> Self {
        let mut plan = Self { ideas: BinaryHeap::new(), had: 0, covered: 0.0, stages: Vec::new() };
        plan.think(app, &root, before, 1.0, known);
        plan.stages.push(Stage { tried: None, root, depth: 0 });
        plan
    }

    /// The screen that it was made for.
    pub fn root(&self) -> ObjectId {
        self.stages[0].root.id()
    }

    /// Whether nothing is left.
    pub fn is_done(&self) -> bool {
        self.ideas.is_empty()
    }

    /// The likeliest idea, unless `most` were had before it, or it is not worth it.
    pub fn likeliest(&mut self, most: usize) -> Option<Idea> {
        let idea = self.ideas.pop()?;
        if self.had >= most || self.covered > ENOUGH && idea.likely < WORTH_MORE {
            self.stop();
            return None;
        }
        self.had += 1;
        self.covered += if idea.stage == 0 { idea.likely } else { 0.0 };
        Some(idea)
    }

    /// Enough of it.
    pub fn stop(&mut self) {
        self.ideas.clear();
    }

    /// It has to be tried again, later.
    pub fn put_back(&mut self, idea: Idea) {
        self.had -= 1;
        self.covered -= if idea.stage == 0 { idea.likely } else { 0.0 };
        self.ideas.push(idea);
    }

    /// Where an idea begins.
    pub fn stage(&self, number: usize) -> &Stage {
        &self.stages[number]
    }

    /// The client was told what an idea leads to: from there it may go on.
    pub fn goes_on(&mut self, idea: &Idea, tried: Tried, known: Known<'_>) {
        let depth = self.stages[idea.stage].depth + 1;
        let Tried { app, till, root, kind } = tried;
        if kind == GuessKind::Answer && depth < GUESS_DEPTH && root.id() != self.stages[idea.stage].root.id()
        {
            self.think(&*app, &root, Some(idea.name), idea.likely, known);
            self.stages.push(Stage { tried: Some((app, till)), root, depth });
        }
    }

    /// Has ideas for the stage that comes next.
    fn think(
        &mut self,
        app: &dyn Application,
        root: &Node,
        before: Option<Name>,
        likely: f32,
        known: Known<'_>,
    ) {
        let stage = self.stages.len();
        let (screen, named) = named_inputs(app, root, known.keys);
        let names: Vec<(Name, f32)> = named.iter().map(|(_, name, prior)| (*name, *prior)).collect();
        let shares = known.habits.likelihoods(Around { screen, before }, &names);
        for ((input, name, prior), share) in named.into_iter().zip(shares) {
            let likely = likely * share;
            if prior > 0.0 && likely >= LEAST_LIKELY && self.ideas.len() < IDEAS {
                self.ideas.push(Idea { likely, stage, input, name });
            }
        }
    }
}

/// Everything that may be done on a screen: what it is called, and how likely the application takes it for. And the kind of screen.
fn named_inputs(app: &dyn Application, root: &Node, keys: Keys) -> (u32, Vec<(Input, Name, f32)>) {
    let touched = touches(root).into_iter().flat_map(|touch| {
        let hold = touch.hold.map(Input::Hold);
        std::iter::once(Input::Tap(touch.action)).chain(hold)
    });
    let mut screen = 0;
    let mut counted: HashMap<u8, u64> = HashMap::new();
    let named = touched.chain(keys.inputs()).filter_map(|input| {
        let habit = app.habit(&input)?;
        screen = habit.screen;
        let place = counted.entry(habit.kind).and_modify(|count| *count += 1).or_insert(0);
        let name = Name { kind: habit.kind, what: habit.what.unwrap_or(*place) };
        Some((input, name, habit.prior))
    });
    let named = named.collect();
    (screen, named)
}

/// What ideas are made from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Whether the device has keys.
    pub keys: Keys,
    /// What is tapped after what.
    pub habits: &'a Habits,
}

/// What an idea led to.
pub struct Tried {
    /// The application then.
    pub app: Box<dyn Application>,
    /// The till then.
    pub till: Arc<Till>,
    /// What is shown then.
    pub root: Arc<Node>,
    /// Whether that is the answer, or only shown until it comes.
    pub kind: GuessKind,
}

/// Whether the device has keys that are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// None was pressed.
    #[default]
    None,
    /// Some are.
    Used,
}

impl Keys {
    fn inputs(self) -> Vec<Input> {
        match self {
            Self::None => Vec::new(),
            Self::Used => {
                let plain = [Key::Backspace, Key::Enter, Key::Back];
                (0..10).map(Key::Digit).chain(plain).map(Input::Key).collect()
            }
        }
    }
}

/// How an input on a root is called, and the kind of screen.
pub fn name_of(app: &dyn Application, root: &Node, input: &Input) -> Option<(u32, Name)> {
    let habit = app.habit(input)?;
    let is_there = match input {
        Input::Tap(action) | Input::Hold(action) => offers(root, action),
        Input::Key(_) => true,
        Input::Text { .. } | Input::Scan(_) => false,
    };
    if let Some(what) = habit.what.filter(|_| is_there) {
        return Some((habit.screen, Name { kind: habit.kind, what }));
    }
    // Its name is its place among others of its kind.
    let (screen, named) = named_inputs(app, root, Keys::Used);
    named.into_iter().find(|(other, ..)| other == input).map(|(_, name, _)| (screen, name))
}

impl PartialEq for Idea {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Idea {}

impl PartialOrd for Idea {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Idea {
    fn cmp(&self, other: &Self) -> Ordering {
        self.likely.total_cmp(&other.likely).then(other.stage.cmp(&self.stage))
    }
}
