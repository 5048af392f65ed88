//! The proxy for datagrams.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::rc::Rc;

use anyhow::Result;
use bytes::Bytes;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tresen_world::dice::Dice;
use tresen_world::wan::{Change, Direction, Fate, Happening, MINUTE, Path};

use super::alarm::Alarm;
use super::{Clock, Order, Task};

/// Clients at once; the one that was silent longest goes when another comes.
const MOST_CLIENTS: usize = 8_192;
/// A client that is silent for so long is forgotten.
const FORGOTTEN_US: u64 = 10 * MINUTE;
/// Headers of IP and UDP, which take bandwidth too.
const HEADER_BYTES: usize = 28;
/// The largest packet with its headers.
const PACKET_BYTES: usize = 1_500;
/// What the kernel may keep for us.
const SOCKET_BUFFER_BYTES: usize = 4 << 20;
/// Datagrams that are taken from a socket before others get a turn.
const AT_ONCE: usize = 64;
/// Answers of servers that may wait for the proxy.
const ANSWERS: usize = 4_096;

pub(super) fn socket(listen: SocketAddr) -> io::Result<StdSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel gives what it allows.
    let _ = socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(SOCKET_BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    Ok(socket.into())
}

pub(super) async fn carry(socket: StdSocket, task: Task) {
    let proxy = Proxy::new(socket, task).expect("a runtime takes a bound socket");
    proxy.run().await;
}

struct Client {
    address: SocketAddr,
    path: Path<Bytes>,
    upstream: Upstream,
    heard_us: u64,
}

struct Upstream {
    socket: Rc<UdpSocket>,
    reader: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// An answer to the client with this number.
type Answer = (u64, Bytes);

struct Proxy {
    task: Task,
    clock: Clock,
    dice: Dice,
    socket: UdpSocket,
    numbers: HashMap<SocketAddr, u64>,
    clients: HashMap<u64, Client>,
    next_client: u64,
    /// When to look at which client; some entries are out of date.
    due: BinaryHeap<Reverse<(u64, u64)>>,
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
}

impl Proxy {
    fn new(socket: StdSocket, task: Task) -> Result<Self> {
        Ok(Self {
            dice: Dice::new(task.seed),
            clock: Clock::start(),
            socket: UdpSocket::from_std(socket)?,
            numbers: HashMap::new(),
            clients: HashMap::new(),
            next_client: 0,
            due: BinaryHeap::new(),
            answers: mpsc::channel(ANSWERS),
            task,
        })
    }

    async fn run(mut self) {
        let mut alarm = Alarm::new(self.clock).expect("the kernel has a timer");
        loop {
            self.deliver();
            let next_us = self.due.peek().map(|Reverse((due_us, _))| *due_us);
            tokio::select! {
                order = self.task.orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                _ = self.socket.readable() => self.take_from_clients(),
                Some((client, answer)) = self.answers.1.recv() => {
                    self.put_in(client, Direction::Down, answer);
                    while let Ok((client, answer)) = self.answers.1.try_recv() {
                        self.put_in(client, Direction::Down, answer);
                    }
                }
                _ = alarm.wait(next_us) => {}
            }
        }
    }

    fn take_from_clients(&mut self) {
        let mut buffer = [0; 1 << 16];
        for _ in 0..AT_ONCE {
            let Ok((length, from)) = self.socket.try_recv_from(&mut buffer) else { break };
            match self.client(from) {
                Ok(client) => self.put_in(client, Direction::Up, Bytes::copy_from_slice(&buffer[..length])),
                Err(error) => tracing::warn!(%error, "no socket for another client"),
            }
        }
    }

    fn put_in(&mut self, number: u64, direction: Direction, datagram: Bytes) {
        let now_us = self.clock.now_us();
        let Some(client) = self.clients.get_mut(&number) else { return };
        client.heard_us = now_us;
        let (length, with_headers) = (datagram.len(), datagram.len() + HEADER_BYTES);
        let fate = match with_headers <= PACKET_BYTES {
            true => client.path.push(now_us, direction, with_headers as u64, datagram),
            false => Fate::Lost,
        };
        self.task.counters.put_in(direction, length, fate);
        if let Some(due_us) = client.path.next_us() {
            self.due.push(Reverse((due_us, number)));
        }
    }

    /// What is due goes out.
    fn deliver(&mut self) {
        let now_us = self.clock.now_us();
        while let Some(Reverse((due_us, number))) = self.due.peek().copied()
            && due_us <= now_us
        {
            self.due.pop();
            let Some(client) = self.clients.get_mut(&number) else { continue };
            while let Some(happening) = client.path.poll(now_us) {
                match happening {
                    Happening::Arrived(Direction::Up, datagram) => {
                        // A full socket buffer is one more place where packets are lost.
                        let _ = client.upstream.socket.try_send(&datagram);
                        self.task.counters.arrived(Direction::Up);
                    }
                    Happening::Arrived(Direction::Down, datagram) => {
                        let _ = self.socket.try_send_to(&datagram, client.address);
                        self.task.counters.arrived(Direction::Down);
                    }
                    Happening::Changed(change, lost) => {
                        self.task.counters.lost(Direction::Down, lost);
                        if change == Change::Address {
                            move_client(client, number, self.task.to, &self.answers.0);
                        }
                    }
                }
            }
            if let Some(due_us) = client.path.next_us() {
                self.due.push(Reverse((due_us, number)));
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let now_us = self.clock.now_us();
        for (number, client) in &mut self.clients {
            let change = match order {
                Order::NewAddress => Change::Address,
                Order::Cut(lasts) => Change::Down { until_us: now_us + lasts.as_micros() as u64 },
            };
            let lost = client.path.change(change);
            self.task.counters.lost(Direction::Down, lost);
            if change == Change::Address {
                move_client(client, *number, self.task.to, &self.answers.0);
            }
        }
    }

    /// The number of the client at this address; new ones get links of their own.
    fn client(&mut self, address: SocketAddr) -> io::Result<u64> {
        if let Some(number) = self.numbers.get(&address) {
            return Ok(*number);
        }
        let now_us = self.clock.now_us();
        self.make_room(now_us);
        let number = self.next_client;
        let upstream = upstream(number, self.task.to, &self.answers.0)?;
        let path = Path::new(&self.task.profile, now_us, self.dice.fork());
        self.next_client += 1;
        self.numbers.insert(address, number);
        self.clients.insert(number, Client { address, path, upstream, heard_us: now_us });
        Ok(number)
    }

    fn make_room(&mut self, now_us: u64) {
        self.clients.retain(|_, client| now_us - client.heard_us < FORGOTTEN_US);
        if self.clients.len() >= MOST_CLIENTS
            && let Some((&longest, _)) = self.clients.iter().min_by_key(|(_, client)| client.heard_us)
        {
            self.clients.remove(&longest);
        }
        self.numbers.retain(|_, number| self.clients.contains_key(number));
    }
}

fn move_client(client: &mut Client, number: u64, to: SocketAddr, answers: &mpsc::Sender<Answer>) {
    match upstream(number, to, answers) {
        Ok(fresh) => client.upstream = fresh,
        Err(error) => tracing::warn!(%error, "a client keeps its address"),
    }
}

/// A socket of its own for a client, and a task that takes the answers from it.
fn upstream(number: u64, to: SocketAddr, answers: &mpsc::Sender<Answer>) -> io::Result<Upstream> {
    let any: SocketAddr = if to.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let bound = socket(any)?;
    bound.connect(to)?;
    let socket = Rc::new(UdpSocket::from_std(bound)?);
    let (reading, answers) = (socket.clone(), answers.clone());
    let reader = tokio::task::spawn_local(async move {
        let mut buffer = vec![0; 1 << 16];
        loop {
            // A server that is not there is an error of the socket now and then; packets to it are lost, as elsewhere.
            let Ok(length) = reading.recv(&mut buffer).await else { continue };
            if answers.send((number, Bytes::copy_from_slice(&buffer[..length]))).await.is_err() {
                return;
            }
        }
    });
    Ok(Upstream { socket, reader })
}
