//! What a message would lead to, tried before it comes: so that a screen can be shown before the server is asked.
//!
//! Invariant: how something turns out whose effects leave the till is never foreseen, only that it is being done. Of what an update wants done, only
//! plain line bookings are followed, on a copy of the till; nothing is carried out.

use tresen_till::{Command, Context, Till};

use crate::{App, Commit, Effect, Message, World, update};

/// Bookings that one message may lead to.
const BOOKINGS: usize = 2;

/// How far an effect reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Lines of a check that were not sent: the till alone knows of them.
    Lines,
    /// Money, paper, the kitchen, a person's rights: what can't be taken back by showing something else.
    Beyond,
}

impl Effect {
    /// How far it reaches.
    pub fn reach(&self) -> Reach {
        match self {
            Self::Commit(commit) => commit.reach(),
            Self::VerifyPin { .. } | Self::Reprint(_) => Reach::Beyond,
        }
    }
}

impl Commit {
    /// How far its commands reach.
    pub fn reach(&self) -> Reach {
        let lines = |command: &Command| match command {
            Command::AddLine { .. }
            | Command::ChangeQuantity { .. }
            | Command::DeleteLine { .. }
            | Command::SetNote { .. }
            | Command::SetGuests { .. } => true,
            Command::Send { .. }
            | Command::PayCash { .. }
            | Command::RecordLogin { .. }
            | Command::LogOut
            | Command::Manage(_) => false,
        };
        if self.commands.iter().all(lines) { Reach::Lines } else { Reach::Beyond }
    }
}

/// Where a message leads.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// The app then.
    pub app: App,
    /// The till then.
    pub till: Till,
    /// Whether that is all of it. [`Reach::Beyond`]: it is what is shown while something is done that reaches beyond the till; how that turns out is not
    /// foreseen.
    pub reach: Reach,
}

/// Where `message` leads, if it came now and nobody interfered. `None` when that is not to be tried: something is on its way already, or it would
/// be refused, or it reaches beyond the till and nothing shows that it is being done.
pub fn guess(app: &App, world: &World, message: Message) -> Option<Foreseen> {
    if app.is_waiting() {
        return None;
    }
    let mut app = app.clone();
    let mut till = world.till.clone();
    let mut effects = update(&mut app, world, message);
    if effects.iter().any(|effect| effect.reach() == Reach::Beyond) {
        return app.is_waiting().then_some(Foreseen { app, till, reach: Reach::Beyond });
    }
    let mut bookings = 0;
    while let Some(effect) = effects.pop() {
        let Effect::Commit(commit) = effect else { return None };
        bookings += 1;
        if commit.reach() == Reach::Beyond || bookings > BOOKINGS || !effects.is_empty() {
            return None;
        }
        let context = Context {
            staff: commit.staff,
            station: world.station,
            device: world.device.into(),
            at: world.now,
        };
        till = till.decide_all(&context, &commit.commands).ok()?.0;
        effects = update(&mut app, &World { till: &till, ..*world }, Message::Committed(Ok(())));
    }
    Some(Foreseen { app, till, reach: Reach::Lines })
}
