//! The server of an episode: the app, its session, the ledger with its marks, and connections. After `edge-server/src/instance`.

use std::collections::BTreeMap;
use std::sync::Arc;

use tresen_session::{Sender, SenderEvent};
use tresen_wire::{Alphabet, CloseCode, SessionId, ToClient, ToServer};

use super::app::{Kit, Shared, State};
use super::broken::Broken;
use super::checker::Checker;
use super::guesser::Guesser;
use super::ledger::{Flight, Mark};
use super::transport::{End, Packet};
use super::{Envelope, Fault, Transport, ms};
use crate::dice::Dice;
use crate::wan::{MS, SECOND};

/// A killed server is back after this at the soonest, and twice that at the latest.
const RESTART_US: u64 = 2 * SECOND;
/// Connections that are kept; more would be a leak.
const MOST_CONNECTIONS: usize = 64;

const SESSION: SessionId = SessionId([3; 16]);

#[derive(Debug)]
struct Connection {
    end: End,
    address: u64,
    transport: Transport,
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) dice: Dice,
    pub(super) fault: Fault,
    pub kit: Kit,
    /// As if others had gone on meanwhile, it stays when the server is started again.
    alphabet: Arc<Alphabet>,
    pub shared: Shared,
    pub(super) state: State,
    pub(super) sender: Sender,
    epoch: u64,
    pub(super) applied: u64,
    /// The last input whose effect is there in full.
    settled: u64,
    pub(super) marked: bool,
    pub(super) disk: Mark,
    pub(super) flight: Option<Flight>,
    connections: BTreeMap<u64, Connection>,
    attached: Option<u64>,
    /// Killed, and back then.
    down_until_us: u64,
    outbox: Vec<Envelope>,
    /// Restarts so far.
    pub restarts: u64,
    repairs_before: u64,
    guesser: Guesser,
}

impl Server {
    pub fn new(mut dice: Dice, fault: Fault) -> Self {
        let kit = Kit::new(&mut dice);
        let shared = Shared::new(&mut dice);
        let guesser = Guesser::new(dice.fork());
        let alphabet = Arc::default();
        let mut sender = Sender::new(kit.namer().clone(), SESSION, 1, 1, [9; 16]);
        sender.share(Arc::clone(&alphabet));
        Self {
            dice,
            fault,
            kit,
            alphabet,
            shared,
            state: State::default(),
            sender,
            epoch: 1,
            applied: 0,
            settled: 0,
            marked: true,
            disk: Mark::default(),
            flight: None,
            connections: BTreeMap::new(),
            attached: None,
            down_until_us: 0,
            outbox: Vec::new(),
            restarts: 0,
            repairs_before: 0,
            guesser,
        }
    }

    pub fn next_us(&self) -> u64 {
        let ends = self.connections.values().map(|connection| connection.end.next_us()).min();
        let session = self.sender.poll_timeout().map(|due_ms| due_ms * MS);
        let flight = self.flight.as_ref().map(|flight| flight.due_us);
        let back = Some(self.down_until_us).filter(|until| *until > 0);
        [ends, session, flight, back].into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// What it sends.
    pub fn take_packets(&mut self, now_us: u64) -> Vec<Envelope> {
        for (&connection, Connection { end, address, .. }) in &mut self.connections {
            while let Some((bytes, packet)) = end.poll_packet(now_us) {
                self.outbox.push(Envelope { connection, address: *address, bytes, packet });
            }
        }
        std::mem::take(&mut self.outbox)
    }

    /// Killed: what is not on disk is gone.
    pub fn kill(&mut self, now_us: u64, checker: &mut Checker) {
        self.repairs_before += self.sender.stats().repairs;
        self.restarts += 1;
        self.down_until_us = now_us + RESTART_US + self.dice.below(RESTART_US);
        self.connections.clear();
        self.attached = None;
        self.flight = None;
        self.epoch += 1;
        self.applied = self.disk.input;
        self.settled = self.applied;
        self.guesser.forget();
        self.state = self.disk.state.clone();
        self.marked = true;
        self.sender =
            Sender::new(self.kit.namer().clone(), SESSION, self.epoch, self.disk.input + 1, [9; 16]);
        self.sender.share(self.alphabet.clone());
        checker.server_restarted();
    }

    pub const fn is_down(&self) -> bool {
        self.down_until_us > 0
    }

    /// Others change what everybody sees, so many times.
    pub fn change(&mut self, now_us: u64, times: u64, checker: &mut Checker) -> Result<(), Broken> {
        let mut dice = self.dice.fork();
        for _ in 0..times {
            self.shared.change(&mut dice);
            if !self.is_down() {
                self.render(checker);
                self.flush(now_us, checker)?;
            }
        }
        Ok(())
    }

    /// What the screen has to be.
    pub fn truth(&mut self) -> std::sync::Arc<tresen_scene::Node> {
        self.kit.view(&self.state, &self.shared)
    }

    pub const fn repairs(&self) -> u64 {
        self.repairs_before + self.sender.stats().repairs
    }

    pub fn handle_packet(
        &mut self,
        now_us: u64,
        envelope: &Envelope,
        transport: Transport,
        checker: &mut Checker,
    ) -> Result<(), Broken> {
        if self.is_down() {
            return Ok(());
        }
        let Envelope { connection, address, packet, .. } = envelope;
        if matches!(packet, Packet::Open) && !self.connections.contains_key(connection) {
            let fresh = Connection { end: End::server(now_us), address: *address, transport };
            self.connections.insert(*connection, fresh);
            return Ok(());
        }
        let Some(known) = self.connections.get_mut(connection) else {
            if transport == Transport::Tcp {
                self.outbox.push(Envelope {
                    connection: *connection,
                    address: *address,
                    bytes: 60,
                    packet: Packet::Close,
                });
            }
            return Ok(());
        };
        if *address > known.address {
            if known.transport == Transport::Tcp {
                return Ok(());
            }
            known.address = *address;
            known.end.peer_moved();
        }
        if matches!(packet, Packet::Close) {
            self.drop_connection(now_us, *connection);
            return Ok(());
        }
        known.end.handle(now_us, packet);
        if transport == Transport::Rotten {
            known.end.spoil(&mut self.dice);
        }
        while let Some(message) =
            self.connections.get_mut(connection).and_then(|known| known.end.poll_message())
        {
            self.handle_message(now_us, *connection, &message, checker)?;
            self.flush(now_us, checker)?;
        }
        Ok(())
    }

    pub fn handle_time(&mut self, now_us: u64, checker: &mut Checker) -> Result<(), Broken> {
        if self.is_down() {
            if now_us >= self.down_until_us {
                self.down_until_us = 0;
                // A task that was saved without its answer goes on.
                self.mark(now_us);
            }
            return Ok(());
        }
        let gone = |(id, connection): (&u64, &mut Connection)| {
            connection.end.handle_timeout(now_us).is_err().then_some(*id)
        };
        let gone: Vec<u64> = self.connections.iter_mut().filter_map(gone).collect();
        gone.into_iter().for_each(|connection| self.drop_connection(now_us, connection));
        if self.flight.as_ref().is_some_and(|flight| flight.due_us <= now_us) {
            self.land(now_us, checker)?;
        }
        if self.sender.poll_timeout().is_some_and(|due_ms| due_ms <= ms(now_us))
            && self.sender.handle_timeout(ms(now_us)).is_err()
            && let Some(attached) = self.attached
        {
            self.close(now_us, attached, CloseCode::TimedOut);
        }
        self.mark(now_us);
        self.flush(now_us, checker)
    }

    fn handle_message(
        &mut self,
        now_us: u64,
        connection: u64,
        message: &[u8],
        checker: &mut Checker,
    ) -> Result<(), Broken> {
        if self.attached != Some(connection) {
            return self.attach(now_us, connection, message, checker);
        }
        checker.client_said(message)?;
        match self.sender.handle(ms(now_us), message) {
            Ok(Some(SenderEvent::Input { number, input })) => {
                self.apply(number, &input, checker)?;
                self.mark(now_us);
            }
            Ok(Some(SenderEvent::Look(_)) | None) => {}
            Ok(Some(SenderEvent::Bye(_))) => self.drop_connection(now_us, connection),
            Err(error) => {
                checker.told_off("server", error)?;
                self.close(now_us, connection, error.close_code());
            }
        }
        Ok(())
    }

    /// The same device again: its earlier connection ends.
    fn attach(
        &mut self,
        now_us: u64,
        connection: u64,
        message: &[u8],
        checker: &mut Checker,
    ) -> Result<(), Broken> {
        let Ok(ToServer::Hello(mut hello)) = ToServer::decode(message) else {
            // Late words of a connection that was replaced.
            return Ok(());
        };
        if let Some(earlier) = self.attached {
            self.close(now_us, earlier, CloseCode::Replaced);
        }
        if self.fault == Fault::ForgetUndo
            && let (Some(have), Some(digest)) = (&mut hello.have, checker.shadow_digest())
        {
            have.digest = digest;
        }
        let resumed = self.sender.stats().resumed;
        let Ok(()) = self.sender.connect(ms(now_us), &hello) else {
            return Err(Broken::new("the server refuses its own version".into()));
        };
        let resumed = self.sender.stats().resumed > resumed;
        if hello.have.is_some_and(|have| have.epoch == self.epoch && have.digest != [0; 16]) && !resumed {
            checker
                .unless_rotten(|| "a client that has a screen of this server gets everything anew".into())?;
        }
        self.attached = Some(connection);
        checker.connected();
        self.render(checker);
        Ok(())
    }

    pub(super) fn apply(
        &mut self,
        number: u64,
        input: &tresen_wire::Input,
        checker: &mut Checker,
    ) -> Result<(), Broken> {
        checker.handed(number, input, self.sender.root())?;
        let times = match self.fault {
            Fault::ServerForgetsInput if number % 7 == 3 => 0,
            Fault::ServerDoublesInput if number % 7 == 3 => 2,
            _ => 1,
        };
        for _ in 0..times {
            checker.applied(number, input)?;
            self.state.update(&self.shared, input);
        }
        self.applied = number;
        self.marked = false;
        let silent = self.fault == Fault::StaleScreen && number.is_multiple_of(2);
        if !silent {
            self.render(checker);
        }
        Ok(())
    }

    pub(super) fn render(&mut self, checker: &mut Checker) {
        if self.sender.is_connected() {
            let root = self.kit.view(&self.state, &self.shared);
            checker.shown(&root);
            // A task on its way has not had its effect: whoever guessed it goes on showing that.
            self.settled = if self.state.has_tasks() { self.settled } else { self.applied };
            self.sender.show_as_of(root, self.settled);
        }
    }

    /// What is due goes out; then there may be time to guess.
    fn flush(&mut self, now_us: u64, checker: &mut Checker) -> Result<(), Broken> {
        self.send(now_us, checker)?;
        if self.sender.is_connected() {
            checker.server_is_done(self.settled)?;
        }
        if !self.state.has_tasks() && self.sender.can_guess() {
            self.guesser.guess(now_us, &mut self.sender, &mut self.kit, (&self.state, &self.shared), checker);
            self.send(now_us, checker)?;
        }
        Ok(())
    }

    fn send(&mut self, now_us: u64, checker: &mut Checker) -> Result<(), Broken> {
        while let Some(message) = self.sender.poll_transmit(ms(now_us)) {
            checker.server_says(&message, self.sender.root())?;
            let connection = self.attached.and_then(|attached| self.connections.get_mut(&attached));
            let Some(connection) = connection else {
                return Err(Broken::new("a server without a connection talks".into()));
            };
            connection.end.send(&message);
            checker.queued_at_server(connection.end.unacknowledged())?;
        }
        Ok(())
    }

    /// Says goodbye to a connection, which ends with it.
    fn close(&mut self, now_us: u64, connection: u64, code: CloseCode) {
        if let Some(known) = self.connections.get_mut(&connection) {
            // The farewell goes out once; whether it arrives or not, nobody waits for it.
            known.end.send(&ToClient::Bye { code, text: smol_str::SmolStr::default() }.encode());
            while let Some((bytes, packet)) = known.end.poll_packet(now_us) {
                self.outbox.push(Envelope { connection, address: known.address, bytes, packet });
            }
        }
        self.drop_connection(now_us, connection);
    }

    fn drop_connection(&mut self, now_us: u64, connection: u64) {
        self.connections.remove(&connection);
        if self.attached == Some(connection) {
            self.attached = None;
            self.sender.disconnect(ms(now_us));
        }
        debug_assert!(self.connections.len() <= MOST_CONNECTIONS);
    }
}
