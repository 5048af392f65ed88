//! A client, an edge server, their NAT boxes and a relay between them, in simulated time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use tresen_path::*;

use crate::boxes::{Dice, Kind, NatBox};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Client,
    Edge,
}

/// What differs from one world to another.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub client: Kind,
    pub edge: Kind,
    /// Through the relay, there and back.
    pub relayed_rtt_ms: u64,
    pub direct_rtt_ms: u64,
    /// Of a thousand direct packets.
    pub lost_per_mille: u64,
    pub network: Network,
    pub seed: u64,
}

/// How the two networks lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Far from each other.
    Apart,
    /// On one LAN.
    Together,
    /// Behind one box that reflects, on a LAN that keeps its hosts from each other.
    Hairpin,
}

enum Event {
    Message(End, Vec<u8>),
    Datagram { is_lan: bool, to: SocketAddr, from: SocketAddr, datagram: [u8; PROBE_BYTES] },
    Opened(End, Vec<SocketId>),
}

pub struct World {
    pub setting: Setting,
    pub now_ms: u64,
    pub client: ClientPath,
    pub edge: EdgePaths,
    pub boxes: [NatBox; 2],
    /// Where the relay says that the client is.
    pub vouched: Option<IpAddr>,
    /// Every direct packet is lost.
    pub is_cut: bool,
    pub probes: BTreeMap<End, u64>,
    pub ways: Vec<(u64, Way)>,
    pub sockets_open: BTreeMap<End, BTreeSet<SocketId>>,
    dice: Dice,
    events: BTreeMap<(u64, u64), Event>,
    next_event: u64,
}

pub const CONNECTION: ConnectionNumber = ConnectionNumber(1);
const FIRST_PORT: u16 = 5000;

fn relay() -> IpAddr {
    IpAddr::from([192, 0, 2, 1])
}

fn outside(setting: &Setting, end: End) -> IpAddr {
    match end {
        End::Edge if setting.network == Network::Apart => IpAddr::from([198, 51, 100, 1]),
        _ => IpAddr::from([203, 0, 113, 1]),
    }
}

fn inside(setting: &Setting, end: End) -> IpAddr {
    let (kind, host) = match end {
        End::Client => (setting.client, [192, 168, 1, 5]),
        End::Edge if setting.network == Network::Apart => (setting.edge, [192, 168, 7, 9]),
        End::Edge => (setting.edge, [192, 168, 1, 9]),
    };
    if kind == Kind::Open { outside(setting, end) } else { IpAddr::from(host) }
}

impl World {
    pub fn new(setting: Setting) -> Self {
        let mut dice = Dice(setting.seed);
        let mut world = Self {
            setting,
            now_ms: 0,
            client: ClientPath::new(&dice.secret()),
            edge: EdgePaths::new(&dice.secret()),
            boxes: [
                NatBox::new(setting.client, outside(&setting, End::Client)),
                // When both are behind one box, this one is nowhere.
                NatBox::new(
                    setting.edge,
                    if setting.network == Network::Apart {
                        outside(&setting, End::Edge)
                    } else {
                        IpAddr::from([0; 4])
                    },
                ),
            ],
            vouched: Some(outside(&setting, End::Client)),
            is_cut: false,
            probes: BTreeMap::new(),
            ways: Vec::new(),
            sockets_open: BTreeMap::new(),
            dice,
            events: BTreeMap::new(),
            next_event: 0,
        };
        let (client, edge) = (world.gather(End::Client), world.gather(End::Edge));
        world.client.set_local(0, client);
        world.edge.set_local(edge);
        world.client.connected(0);
        world
    }

    /// An end asks two ports of the relay how it looks.
    pub fn gather(&mut self, end: End) -> Local {
        let host = SocketAddr::new(inside(&self.setting, end), FIRST_PORT);
        let observed: Vec<SocketAddr> = [443, 444]
            .into_iter()
            .filter_map(|port| self.leave(end, host, SocketAddr::new(relay(), port)))
            .collect();
        Local::new(&[host], &[], &observed)
    }

    /// One box serves both when they are not apart.
    fn box_of(&self, end: End) -> usize {
        usize::from(end == End::Edge && self.setting.network == Network::Apart)
    }

    fn leave(&mut self, end: End, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let at = self.box_of(end);
        self.boxes[at].leave(&mut self.dice, from, to, relay())
    }

    fn at(&mut self, after_ms: u64, event: Event) {
        self.events.insert((self.now_ms + after_ms, self.next_event), event);
        self.next_event += 1;
    }

    fn send(&mut self, end: End, transmit: Transmit) {
        *self.probes.entry(end).or_default() += 1;
        let is_open = self.sockets_open.get(&end).is_some_and(|open| open.contains(&transmit.socket));
        assert!(is_open || transmit.socket == SocketId::MAIN, "{end:?} sends from a closed socket");
        let port = FIRST_PORT + transmit.socket.0 as u16;
        let host = SocketAddr::new(inside(&self.setting, end), port);
        let other = match end {
            End::Client => End::Edge,
            End::Edge => End::Client,
        };
        let (to, delay_ms) = (transmit.to, self.setting.direct_rtt_ms / 2);
        let is_lan = to.ip() == inside(&self.setting, other) && self.setting.network == Network::Together;
        let from = if is_lan { Some(host) } else { self.leave(end, host, to) };
        let is_lost = self.is_cut || self.dice.below(1000) < self.setting.lost_per_mille;
        if let Some(from) = from.filter(|_| !is_lost) {
            let datagram = transmit.datagram;
            self.at(delay_ms.max(1), Event::Datagram { is_lan, to, from, datagram });
        }
    }

    /// Who gets what was sent to an address, and on which of his addresses.
    fn arrive(&self, is_lan: bool, to: SocketAddr, from: SocketAddr) -> Option<(End, SocketAddr)> {
        let to = if is_lan {
            to
        } else {
            let at = usize::from(self.boxes[1].outside == to.ip());
            let is_there = self.boxes[at].outside == to.ip();
            Some(at).filter(|_| is_there).and_then(|at| self.boxes[at].enter(to, from))?
        };
        let end = [End::Edge, End::Client].into_iter().find(|end| inside(&self.setting, *end) == to.ip())?;
        Some((end, to))
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Message(End::Client, message) => {
                self.client.handle_message(self.now_ms, &message).expect("a good answer");
            }
            Event::Message(End::Edge, message) => {
                self.edge
                    .handle_message(self.now_ms, CONNECTION, &message, self.vouched)
                    .expect("a good offer");
            }
            Event::Datagram { is_lan, to, from, datagram } => {
                let Some((end, to)) = self.arrive(is_lan, to, from) else { return };
                let socket = SocketId(u32::from(to.port() - FIRST_PORT));
                let is_open = self.sockets_open.get(&end).is_some_and(|open| open.contains(&socket));
                match end {
                    _ if !is_open && socket != SocketId::MAIN => {}
                    End::Client => self.client.handle_datagram(self.now_ms, socket, from, &datagram),
                    End::Edge => self.edge.handle_datagram(self.now_ms, socket, from, &datagram),
                }
            }
            Event::Opened(end, sockets) => {
                self.sockets_open.entry(end).or_default().extend(&sockets);
                match end {
                    End::Client => self.client.opened(self.now_ms, sockets),
                    End::Edge => self.edge.opened(self.now_ms, sockets),
                }
            }
        }
    }

    fn act(&mut self, end: End, action: PathAction) {
        let open = self.sockets_open.entry(end).or_default();
        match action {
            PathAction::Use(way) => self.ways.push((self.now_ms, way)),
            PathAction::OpenSockets { first, count } => {
                let sockets: Vec<SocketId> = (first.0..first.0 + count).map(SocketId).collect();
                self.at(5, Event::Opened(end, sockets));
            }
            PathAction::CloseSockets { first, count, except } => {
                open.retain(|socket| {
                    !(first.0..first.0 + count).contains(&socket.0) || Some(*socket) == except
                });
            }
        }
    }

    /// Lets both ends do what they have to do now.
    pub fn settle(&mut self) {
        let half_ms = self.setting.relayed_rtt_ms / 2;
        self.client.handle_timeout(self.now_ms);
        self.edge.handle_timeout(self.now_ms);
        while let Some(message) = self.client.poll_message() {
            self.at(half_ms, Event::Message(End::Edge, message));
        }
        while let Some((_, message)) = self.edge.poll_message() {
            self.at(half_ms, Event::Message(End::Client, message));
        }
        while let Some(action) = self.client.poll_action() {
            self.act(End::Client, action);
        }
        while let Some(action) = self.edge.poll_action() {
            self.act(End::Edge, action);
        }
        while let Some(transmit) = self.client.poll_transmit(self.now_ms) {
            self.send(End::Client, transmit);
        }
        while let Some(transmit) = self.edge.poll_transmit(self.now_ms) {
            self.send(End::Edge, transmit);
        }
    }

    /// Runs until then, or until the client uses what is asked for.
    pub fn run(&mut self, until_ms: u64, wanted: impl Fn(Way) -> bool) -> Option<u64> {
        self.settle();
        loop {
            if wanted(self.client.way()) {
                return Some(self.now_ms);
            }
            let event = self.events.keys().next().map(|(at_ms, _)| *at_ms);
            let timers = [self.client.poll_timeout(), self.edge.poll_timeout(), event];
            let next_ms = timers.into_iter().flatten().min().unwrap_or(u64::MAX).max(self.now_ms);
            if next_ms > until_ms {
                self.now_ms = until_ms;
                return None;
            }
            self.now_ms = next_ms;
            while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= next_ms) {
                let event = entry.remove();
                self.happen(event);
            }
            self.settle();
        }
    }

    pub fn run_until_direct(&mut self, until_ms: u64) -> Option<u64> {
        self.run(until_ms, |way| way != Way::Relay)
    }
}
