//! One seed's worth of trouble.

use std::fmt;

use tresen_scene::Node;

use super::broken::Broken;
use super::checker::Checker;
use super::client::{Client, Notice, Start};
use super::person::Person;
use super::server::Server;
use super::trouble::{Trouble, Troubles};
use super::{Envelope, Fault, Transport};
use crate::dice::Dice;
use crate::wan::{Change, Direction, Happening, Path, Profile, SECOND};

/// A rest lasts so long before everything has to be where it belongs: whoever lost its connection without a word has noticed by then.
const SETTLES_US: u64 = 60 * SECOND;
/// And so much longer, in which next to nothing may be said.
const SILENT_US: u64 = 60 * SECOND;
/// Messages in that time: a question and an answer each ten seconds, and one pair at the edges.
const SILENT_MESSAGES: u64 = 14;
/// Calls without time passing, after which something turns in circles.
const MOST_CALLS_AT_ONCE: u32 = 10_000;

/// What has happened in an episode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Simulated time.
    pub simulated_us: u64,
    /// What the person did.
    pub inputs: u64,
    /// Frames that the server sent.
    pub frames: u64,
    /// Screens of the client that were compared with what the server showed.
    pub compared: u64,
    /// Of these, painted whole and compared bit by bit.
    pub painted: u64,
    /// Times that the server was killed.
    pub kills: u64,
    /// Connections.
    pub connections: u64,
    /// Rests, after which everything was where it belongs.
    pub rests: u64,
    /// Packets.
    pub packets: u64,
    /// Inputs that a guess answered at once.
    pub guessed: u64,
    /// Guesses that the server confirmed.
    pub hits: u64,
    /// And corrected.
    pub misses: u64,
}

impl Figures {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            simulated_us: self.simulated_us + other.simulated_us,
            inputs: self.inputs + other.inputs,
            frames: self.frames + other.frames,
            compared: self.compared + other.compared,
            painted: self.painted + other.painted,
            kills: self.kills + other.kills,
            connections: self.connections + other.connections,
            rests: self.rests + other.rests,
            packets: self.packets + other.packets,
            guessed: self.guessed + other.guessed,
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inputs, frames, compared, painted, kills, connections, rests, packets, .. } = self;
        let Self { guessed, hits, misses, .. } = self;
        write!(
            f,
            "{inputs} inputs, {frames} frames, {compared} screens compared, {painted} painted whole, "
        )?;
        write!(f, "{connections} connections, {kills} kills, {rests} rests, {packets} packets, ")?;
        write!(f, "{guessed} inputs answered by guesses: {hits} confirmed, {misses} corrected")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Busy,
    /// Everything comes to rest until then.
    Settling(u64),
    /// Nothing is said until then; so many messages had been said before.
    Silent(u64, u64),
    /// What happens is said from outside.
    Scripted,
}

/// One person at one handheld, a server, and the network between them.
#[derive(Debug)]
pub struct Episode {
    pub(super) now_us: u64,
    pub(super) dice: Dice,
    pub(super) transport: Transport,
    pub(super) path: Path<Envelope>,
    pub(super) server: Server,
    pub(super) client: Client,
    pub(super) person: Person,
    pub(super) troubles: Troubles,
    pub(super) checker: Checker,
    pub(super) phase: Phase,
    /// The client's system will say then that its address changed.
    pub(super) notice_us: Option<u64>,
    pub(super) rests: u64,
    pub(super) packets: u64,
}

impl Episode {
    /// The episode of a seed.
    #[must_use]
    pub fn new(seed: u64, fault: Fault) -> Self {
        let mut dice = Dice::new(!seed);
        let transport = if dice.below(3) == 0 { Transport::Tcp } else { Transport::Quic };
        Self::over(seed, transport, fault)
    }

    /// The episode of a seed over this transport.
    #[must_use]
    pub fn over(seed: u64, transport: Transport, fault: Fault) -> Self {
        let mut dice = Dice::new(seed);
        let mut troubles = Troubles::new(dice.fork());
        let profile = troubles.profile();
        let guesses = *dice.pick(&[0, 4, 24, 96]).unwrap_or(&0);
        Self {
            now_us: SECOND,
            transport,
            path: Path::new(&profile, SECOND, dice.fork()),
            server: Server::new(dice.fork(), fault),
            client: Client::new(dice.fork(), fault, guesses),
            person: Person::new(dice.fork()),
            troubles,
            checker: Checker::new(fault, transport),
            phase: Phase::Busy,
            notice_us: None,
            rests: 0,
            packets: 0,
            dice,
        }
    }

    /// Lets the world go on until then, and come to rest.
    ///
    /// # Errors
    /// When a promise is broken: when, and which.
    pub fn run(&mut self, until_us: u64) -> Result<Figures, Broken> {
        let run = self.run_to_rest(until_us);
        let at_ms = self.now_us / 1_000;
        run.map_err(|broken| Broken::new(format!("after {at_ms} ms over {:?}: {broken}", self.transport)))?;
        Ok(self.figures())
    }

    /// What has happened so far.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            simulated_us: self.now_us,
            inputs: self.checker.counts.inputs,
            frames: self.checker.counts.frames,
            compared: self.checker.counts.compared,
            painted: self.checker.counts.painted,
            kills: self.server.restarts,
            connections: self.client.greeted,
            rests: self.rests,
            packets: self.packets,
            guessed: self.checker.guesses.answered,
            hits: self.checker.guesses.hits,
            misses: self.checker.guesses.misses,
        }
    }

    fn run_to_rest(&mut self, until_us: u64) -> Result<(), Broken> {
        let rests = self.rests;
        let mut calls = 0;
        while self.now_us < until_us || self.rests == rests || self.phase != Phase::Busy {
            if self.now_us >= until_us && self.phase == Phase::Busy {
                self.troubles.rest_us = self.now_us;
            }
            let next_us = self.next_us();
            calls = if next_us > self.now_us { 0 } else { calls + 1 };
            if calls > MOST_CALLS_AT_ONCE {
                return Err(Broken::new("the world turns in circles".into()));
            }
            self.now_us = self.now_us.max(next_us);
            self.step()?;
        }
        Ok(())
    }

    pub(super) fn next_us(&self) -> u64 {
        let world_us = match self.phase {
            Phase::Busy => self.troubles.next_us().min(self.person.next_us),
            Phase::Settling(until_us) | Phase::Silent(until_us, _) => until_us,
            Phase::Scripted => u64::MAX,
        };
        let path_us = self.path.next_us().unwrap_or(u64::MAX);
        let notice_us = self.notice_us.unwrap_or(u64::MAX);
        world_us.min(path_us).min(notice_us).min(self.server.next_us()).min(self.client.next_us())
    }

    pub(super) fn step(&mut self) -> Result<(), Broken> {
        let now_us = self.now_us;
        while let Some(happening) = self.path.poll(now_us) {
            self.happens(happening)?;
            self.exchange();
        }
        if self.notice_us.is_some_and(|notice_us| notice_us <= now_us) {
            self.notice_us = None;
            self.client.address_changed(now_us, self.transport, Notice::Told);
        }
        self.server.handle_time(now_us, &mut self.checker)?;
        self.client.handle_time(now_us, self.transport, &mut self.checker)?;
        self.world()?;
        self.exchange();
        Ok(())
    }

    /// What both ends have to say goes on its way.
    pub(super) fn exchange(&mut self) {
        for (direction, envelopes) in [
            (Direction::Up, self.client.take_packets(self.now_us)),
            (Direction::Down, self.server.take_packets(self.now_us)),
        ] {
            for envelope in envelopes {
                self.packets += 1;
                self.path.push(self.now_us, direction, envelope.bytes as u64, envelope);
            }
        }
    }

    fn happens(&mut self, happening: Happening<Envelope>) -> Result<(), Broken> {
        let now_us = self.now_us;
        // In a rest even the worst one behaves.
        let transport = match (self.transport, self.phase) {
            (Transport::Rotten, Phase::Settling(_) | Phase::Silent(..)) => Transport::Quic,
            (transport, _) => transport,
        };
        match happening {
            Happening::Arrived(Direction::Up, envelope) => {
                self.server.handle_packet(now_us, &envelope, transport, &mut self.checker)
            }
            Happening::Arrived(Direction::Down, envelope) if envelope.address == self.client.address => {
                self.client.handle_packet(now_us, &envelope, transport, &mut self.checker)
            }
            // Nobody lives at that address any more.
            Happening::Arrived(Direction::Down, _) => Ok(()),
            Happening::Changed(Change::Address, _) => {
                let notice = if self.dice.below(2) == 0 { Notice::Told } else { Notice::Silent };
                self.client.address_changed(now_us, self.transport, notice);
                Ok(())
            }
            Happening::Changed(Change::Down { .. }, _) => Ok(()),
        }
    }

    fn world(&mut self) -> Result<(), Broken> {
        let now_us = self.now_us;
        match self.phase {
            Phase::Busy => self.busy(),
            Phase::Settling(until_us) if until_us <= now_us => {
                self.at_rest()?;
                self.phase = Phase::Silent(now_us + SILENT_US, self.checker.counts.messages);
                Ok(())
            }
            Phase::Silent(until_us, before) if until_us <= now_us => {
                let said = self.checker.counts.messages - before;
                if said > SILENT_MESSAGES {
                    return Err(Broken::new(format!("{said} messages in a minute in which nothing happens")));
                }
                self.rests += 1;
                self.phase = Phase::Busy;
                let profile = self.troubles.profile();
                self.move_to(&profile);
                self.troubles.rested(now_us);
                Ok(())
            }
            Phase::Settling(_) | Phase::Silent(..) | Phase::Scripted => Ok(()),
        }
    }

    fn busy(&mut self) -> Result<(), Broken> {
        let now_us = self.now_us;
        if self.troubles.others_us <= now_us {
            self.troubles.others(now_us);
            self.server.change(now_us, 1, &mut self.checker)?;
        }
        if self.person.next_us <= now_us {
            let root = self.client.receiver().root().cloned();
            if let Some(input) = self.person.act(now_us, root.as_deref()) {
                self.client.enter(now_us, &input, &mut self.checker)?;
            }
        }
        if self.troubles.trouble_us <= now_us {
            let trouble = self.troubles.trouble(now_us);
            self.trouble(trouble)?;
        }
        if self.troubles.rest_us <= now_us {
            self.phase = Phase::Settling(now_us + SETTLES_US);
            let calm = Profile::named("near").unwrap_or_else(|| unreachable!("near is a profile"));
            self.move_to(&calm);
        }
        Ok(())
    }

    fn trouble(&mut self, trouble: Trouble) -> Result<(), Broken> {
        let now_us = self.now_us;
        match trouble {
            Trouble::Kill => self.server.kill(now_us, &mut self.checker),
            Trouble::WarmStart => self.client.restart(now_us, Start::Warm, &mut self.checker),
            Trouble::ColdStart => self.client.restart(now_us, Start::Cold, &mut self.checker),
            Trouble::Outage(lasts_us) => {
                self.path.change(Change::Down { until_us: now_us + lasts_us });
            }
            Trouble::Moved(lasts_us) => {
                self.path.change(Change::Down { until_us: now_us + lasts_us });
                self.notice_us = Some(now_us + lasts_us);
            }
            Trouble::MovedSilently => {
                self.path.change(Change::Address);
                self.client.address_changed(now_us, self.transport, Notice::Silent);
            }
            Trouble::Network(profile) => self.move_to(&profile),
            Trouble::Rush(times) => self.server.change(now_us, times, &mut self.checker)?,
        }
        Ok(())
    }

    /// Another network, with another address in it.
    fn move_to(&mut self, profile: &Profile) {
        self.path = Path::new(profile, self.now_us, self.dice.fork());
        self.client.address_changed(self.now_us, self.transport, Notice::Told);
    }

    fn at_rest(&mut self) -> Result<(), Broken> {
        let truth: std::sync::Arc<Node> = self.server.truth();
        let Some(root) = self.client.receiver().root() else {
            return Err(Broken::new("at rest the client shows nothing".into()));
        };
        if root.id() != truth.id() {
            return Err(Broken::new("at rest the client does not show the newest screen".into()));
        }
        self.checker.pixels(root.id(), self.client.canvas())?;
        if self.client.receiver().unacknowledged() > 0 || !self.client.is_well(self.now_us) {
            return Err(Broken::new("at rest the client waits for something".into()));
        }
        if self.server.repairs() > 0 && self.transport != Transport::Rotten {
            return Err(Broken::new("a frame had to be repaired, although the transport keeps order".into()));
        }
        self.checker.at_rest()
    }
}
