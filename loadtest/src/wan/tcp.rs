//! The proxy for connections.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tresen_world::dice::Dice;
use tresen_world::wan::{Change, Direction, Fate, Profile, Stream, Way, Weather};

use super::alarm::Alarm;
use super::traffic::Counters;
use super::{Clock, Order, Task};

/// Content of a segment.
const SEGMENT_BYTES: usize = 1_448;
/// Headers of IP and TCP, with time stamps.
const HEADER_BYTES: usize = 52;
/// What is read at once.
const READ_BYTES: usize = 16 * SEGMENT_BYTES;
/// How long a server's end stays open when its client got another address.
const STRANDED: Duration = Duration::from_secs(60);
/// Orders and changes that may wait for a connection.
const CHANGES: usize = 64;

/// A piece of a stream on its way.
enum Piece {
    Bytes(Bytes),
    End,
}

pub(super) async fn carry(listener: StdListener, mut task: Task) {
    let listener = TcpListener::from_std(listener).expect("a runtime takes a bound socket");
    let clock = Clock::start();
    let mut dice = Dice::new(task.seed);
    let (orders, _) = broadcast::channel(CHANGES);
    loop {
        tokio::select! {
            order = task.orders.recv() => match order {
                Some(order) => drop(orders.send(order)),
                None => return,
            },
            accepted = listener.accept() => {
                let Ok((client, _)) = accepted else { continue };
                let connection = Connection {
                    to: task.to,
                    profile: task.profile.clone(),
                    dice: dice.fork(),
                    counters: task.counters.clone(),
                    clock,
                    orders: orders.subscribe(),
                };
                tokio::task::spawn_local(async move {
                    if let Err(error) = connection.carry(client).await {
                        tracing::debug!(%error, "a connection ended");
                    }
                });
            }
        }
    }
}

struct Connection {
    to: SocketAddr,
    profile: Profile,
    dice: Dice,
    counters: Counters,
    clock: Clock,
    orders: broadcast::Receiver<Order>,
}

impl Connection {
    async fn carry(mut self, mut client: TcpStream) -> Result<()> {
        let mut server = TcpStream::connect(self.to).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (changes, _) = broadcast::channel(CHANGES);
        let half = |way: &Way, direction, dice| Half {
            stream: Stream::new(way.clone(), self.profile.round_trip_us(), dice),
            direction,
            clock: self.clock,
            // The kernel here has opened the connection already; over the path that takes a round trip.
            open_us: self.clock.now_us() + self.profile.round_trip_us(),
            counters: self.counters.clone(),
            changes: changes.subscribe(),
        };
        let up = half(&self.profile.up, Direction::Up, self.dice.fork());
        let down = half(&self.profile.down, Direction::Down, self.dice.fork());
        let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
        let both =
            async { tokio::try_join!(up.carry(from_client, to_server), down.carry(from_server, to_client)) };
        let stranded = tokio::select! {
            done = both => done.map(|_| false)?,
            moved = weather(self.profile, self.clock, self.dice, &mut self.orders, changes) => moved.map(|()| true)?,
        };
        if stranded {
            client.set_zero_linger()?;
            drop(client);
            tokio::time::sleep(STRANDED).await;
        }
        Ok(())
    }
}

/// Passes on what happens to the path, until the client gets another address.
async fn weather(
    profile: Profile,
    clock: Clock,
    dice: Dice,
    orders: &mut broadcast::Receiver<Order>,
    changes: broadcast::Sender<Change>,
) -> Result<()> {
    let mut weather = Weather::new(&profile, clock.now_us(), dice);
    let mut alarm = Alarm::new(clock)?;
    loop {
        let change = tokio::select! {
            order = orders.recv() => match order? {
                Order::NewAddress => Some(Change::Address),
                Order::Cut(lasts) => Some(Change::Down { until_us: clock.now_us() + lasts.as_micros() as u64 }),
            },
            rung = alarm.wait(weather.next_us()) => {
                rung?;
                weather.poll(clock.now_us())
            }
        };
        match change {
            Some(Change::Address) => return Ok(()),
            // A direction that is done does not listen any more.
            Some(change) => drop(changes.send(change)),
            None => {}
        }
    }
}

/// One direction of a connection.
struct Half {
    stream: Stream<Piece>,
    direction: Direction,
    clock: Clock,
    open_us: u64,
    counters: Counters,
    changes: broadcast::Receiver<Change>,
}

impl Half {
    async fn carry(mut self, mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) -> Result<()> {
        let mut alarm = Alarm::new(self.clock)?;
        let mut buffer = vec![0; READ_BYTES];
        let mut ended = false;
        loop {
            let now_us = self.clock.now_us();
            while let Some(piece) = self.stream.poll(now_us) {
                match piece {
                    Piece::Bytes(bytes) => {
                        to.write_all(&bytes).await?;
                        self.counters.arrived(self.direction);
                    }
                    Piece::End => return Ok(to.shutdown().await?),
                }
            }
            let room = self.stream.has_room(now_us);
            let due = [self.stream.next_us(), self.stream.room_us().filter(|_| !room)];
            tokio::select! {
                read = from.read(&mut buffer), if room && !ended => {
                    // A connection that was reset ends; its user sees the end of the stream.
                    let length = read.unwrap_or(0);
                    ended = length == 0;
                    self.put_in(&buffer[..length]);
                }
                change = self.changes.recv() => {
                    if let Ok(Change::Down { until_us }) = change {
                        self.stream.cut(self.clock.now_us(), until_us);
                    }
                }
                rung = alarm.wait(due.into_iter().flatten().min()) => rung?,
            }
        }
    }

    fn put_in(&mut self, bytes: &[u8]) {
        let now_us = self.clock.now_us().max(self.open_us);
        for segment in bytes.chunks(SEGMENT_BYTES) {
            let size_bytes = (segment.len() + HEADER_BYTES) as u64;
            self.stream.push(now_us, size_bytes, Piece::Bytes(Bytes::copy_from_slice(segment)));
            self.counters.put_in(self.direction, segment.len(), Fate::Taken);
        }
        if bytes.is_empty() {
            self.stream.push(now_us, HEADER_BYTES as u64, Piece::End);
        }
    }
}
