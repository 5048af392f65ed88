//! Episodes in which only that happens what a test says: for promises with a number.

use super::broken::Broken;
use super::checker::Checker;
use super::client::{Client, Notice};
use super::episode::{Episode, Phase};
use super::person::Person;
use super::reach::possible;
use super::server::Server;
use super::trouble::Troubles;
use super::{Fault, Transport};
use crate::dice::Dice;
use crate::wan::{Change, MINUTE, MS, Path, Profile, SECOND};

/// How often a script looks whether something has happened.
const LOOKS_US: u64 = MS;
/// How long it waits for it.
const PATIENCE_US: u64 = 2 * MINUTE;

impl Episode {
    /// A connected client over this network; nothing happens by itself.
    ///
    /// # Errors
    /// When a promise is broken meanwhile.
    pub fn scripted(seed: u64, profile: &Profile, transport: Transport) -> Result<Self, Broken> {
        let mut dice = Dice::new(seed);
        let mut episode = Self {
            now_us: SECOND,
            transport,
            path: Path::new(profile, SECOND, dice.fork()),
            server: Server::new(dice.fork(), Fault::None),
            client: Client::new(dice.fork(), Fault::None, 0),
            person: Person::new(dice.fork()),
            troubles: Troubles::new(dice.fork()),
            checker: Checker::new(Fault::None, transport),
            phase: Phase::Scripted,
            notice_us: None,
            rests: 0,
            packets: 0,
            dice,
        };
        episode.until_newest()?;
        episode.pass(5 * SECOND)?;
        Ok(episode)
    }

    /// Time passes.
    ///
    /// # Errors
    /// When a promise is broken meanwhile.
    pub fn pass(&mut self, takes_us: u64) -> Result<(), Broken> {
        let until_us = self.now_us + takes_us;
        while self.next_us() <= until_us {
            self.now_us = self.now_us.max(self.next_us());
            self.step()?;
        }
        self.now_us = until_us;
        Ok(())
    }

    /// Time passes until the client shows the newest screen. Returns how long that took.
    ///
    /// # Errors
    /// When a promise is broken meanwhile, or it takes for ever.
    pub fn until_newest(&mut self) -> Result<u64, Broken> {
        let since_us = self.now_us;
        while !self.is_newest() {
            if self.now_us > since_us + PATIENCE_US {
                return Err(Broken::new("the newest screen never comes".into()));
            }
            self.pass(LOOKS_US)?;
        }
        Ok(self.now_us - since_us)
    }

    /// Others change something that shows.
    ///
    /// # Errors
    /// When a promise is broken by it.
    pub fn others_change(&mut self) -> Result<(), Broken> {
        let before = self.server.truth().id();
        while self.server.truth().id() == before {
            self.server.change(self.now_us, 1, &mut self.checker)?;
        }
        self.exchange();
        Ok(())
    }

    /// The person taps on something that shows an effect. Returns how long the effect took to show.
    ///
    /// # Errors
    /// When a promise is broken meanwhile.
    pub fn tap(&mut self) -> Result<u64, Broken> {
        let root = self.client.receiver().root().cloned();
        let inputs = root.map_or(Vec::new(), |root| possible(&root, &mut self.dice));
        let Some(input) = inputs.last() else { return Err(Broken::new("there is nothing to tap on".into())) };
        self.client.enter(self.now_us, input, &mut self.checker)?;
        self.exchange();
        let before = self.checker.counts.compared;
        let since_us = self.now_us;
        while self.checker.counts.compared == before && self.now_us < since_us + PATIENCE_US {
            self.pass(LOOKS_US)?;
        }
        Ok(self.now_us - since_us)
    }

    /// The link is down for so long, from now on.
    pub fn cut(&mut self, lasts_us: u64) {
        self.path.change(Change::Down { until_us: self.now_us + lasts_us });
    }

    /// The client has another address from now on, and knows it or not.
    pub fn new_address(&mut self, notice: Notice) {
        self.path.change(Change::Address);
        self.client.address_changed(self.now_us, self.transport, notice);
        self.exchange();
    }

    fn is_newest(&mut self) -> bool {
        let truth = self.server.truth().id();
        self.client.receiver().root().is_some_and(|root| root.id() == truth)
    }
}
