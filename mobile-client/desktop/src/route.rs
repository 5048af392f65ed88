//! Which way packets to the server go: the address that the system would send them from. It tells that a network went, came, or took the
//! place of another, on every system and without asking for permission. Asked is the system's table of routes, by a UDP socket that is
//! connected and sends nothing.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, SystemTime};

use tokio::time::{Interval, MissedTickBehavior};

/// Time between two looks: what a person does not notice on top of a network that comes up.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Who is looked at later than this has slept, and is somewhere else by now, even if the address is the same.
const SLEPT: Duration = Duration::from_secs(10);

/// Addresses of documentation, to which nobody answers. The way there is the way to everywhere: for a server of which only a name is known.
const ANYWHERE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9),
];

/// What has changed since the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is no way any more.
    Gone,
    /// There is another way, or one again.
    Another,
}

/// Looks at the ways to some addresses by and by.
pub struct Watch {
    ways: Ways,
    tick: Interval,
}

struct Ways {
    to: Vec<SocketAddr>,
    from: Vec<Option<IpAddr>>,
    looked: SystemTime,
}

impl Watch {
    /// Looks at the ways to these addresses; at the way to anywhere, if there are none.
    pub fn start(mut to: Vec<SocketAddr>) -> Self {
        if to.is_empty() {
            to.extend(ANYWHERE);
        }
        let from = sources(&to);
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ways: Ways { to, from, looked: SystemTime::now() }, tick }
    }

    /// Whether there is any way.
    pub fn exists(&self) -> bool {
        self.ways.exist()
    }

    /// Waits until they change. Safe to drop and call again.
    pub async fn change(&mut self) -> Change {
        loop {
            self.tick.tick().await;
            let from = sources(&self.ways.to);
            if let Some(change) = self.ways.saw(from, SystemTime::now()) {
                return change;
            }
        }
    }
}

impl Ways {
    fn exist(&self) -> bool {
        self.from.iter().any(Option::is_some)
    }

    fn saw(&mut self, from: Vec<Option<IpAddr>>, now: SystemTime) -> Option<Change> {
        let slept = now.duration_since(self.looked).is_ok_and(|since| since > SLEPT);
        self.looked = now;
        if from == self.from && !(slept && self.exist()) {
            return None;
        }
        self.from = from;
        Some(if self.exist() { Change::Another } else { Change::Gone })
    }
}

fn sources(to: &[SocketAddr]) -> Vec<Option<IpAddr>> {
    to.iter().map(source).collect()
}

/// The address from which the system would send to this one.
fn source(to: &SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if to.is_ipv4() { ([0; 4], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(to).ok()?;
    let from = socket.local_addr().ok()?.ip();
    (!from.is_unspecified()).then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8443);

    fn at(last: u8) -> Vec<Option<IpAddr>> {
        vec![Some([192, 168, 1, last].into())]
    }

    /// Promise: a network that goes, comes, or takes the place of another is noticed; nothing else is.
    #[test]
    fn what_happens_to_the_network_is_noticed_once() {
        let start = SystemTime::UNIX_EPOCH;
        let mut ways = Ways { to: vec![SERVER], from: at(20), looked: start };
        let mut saw = |from, after_ms| ways.saw(from, start + Duration::from_millis(after_ms));
        assert_eq!(saw(at(20), 250), None);
        assert_eq!(saw(at(30), 500), Some(Change::Another));
        assert_eq!(saw(at(30), 750), None);
        assert_eq!(saw(vec![None], 1_000), Some(Change::Gone));
        assert_eq!(saw(vec![None], 1_250), None);
        assert_eq!(saw(at(30), 1_500), Some(Change::Another), "the same address can be another network's");
    }

    /// Promise: who slept looks anew, if there is anything to look at.
    #[test]
    fn who_slept_is_in_another_network() {
        let start = SystemTime::UNIX_EPOCH;
        let mut ways = Ways { to: vec![SERVER], from: at(20), looked: start };
        let later = |minutes: u64| start + Duration::from_secs(minutes * 60);
        assert_eq!(ways.saw(at(20), later(1)), Some(Change::Another));
        assert_eq!(ways.saw(vec![None], later(2)), Some(Change::Gone));
        assert_eq!(ways.saw(vec![None], later(3)), None);
        assert_eq!(ways.saw(at(20), start), Some(Change::Another), "a clock may be put back");
    }

    #[test]
    fn the_system_knows_the_way_to_itself() {
        assert_eq!(source(&SERVER), Some(SERVER.ip()));
    }
}
