//! Both ends of a connection over a path.

use super::*;
use crate::dice::Dice;
use crate::wan::{Change, Direction, HOUR, Happening, MS, Path, Profile};

/// Both ends and the path between them, until nothing is under way or the time is up.
struct Wire {
    path: Path<Packet>,
    client: End,
    server: Option<End>,
    now_us: u64,
}

impl Wire {
    fn new(profile: &str, seed: u64) -> Self {
        let profile: Profile = profile.parse().unwrap();
        let path = Path::new(&profile, 0, Dice::new(seed));
        Self { path, client: End::client(0), server: None, now_us: 0 }
    }

    fn run(&mut self, until_us: u64) {
        loop {
            while let Some((bytes, packet)) = self.client.poll_packet(self.now_us) {
                self.path.push(self.now_us, Direction::Up, bytes as u64, packet);
            }
            while let Some((bytes, packet)) =
                self.server.as_mut().and_then(|end| end.poll_packet(self.now_us))
            {
                self.path.push(self.now_us, Direction::Down, bytes as u64, packet);
            }
            let server_us = self.server.as_ref().map_or(u64::MAX, End::next_us);
            let next_us = self.path.next_us().unwrap_or(u64::MAX).min(self.client.next_us()).min(server_us);
            if next_us > until_us {
                self.now_us = until_us;
                return;
            }
            self.now_us = next_us;
            while let Some(happening) = self.path.poll(self.now_us) {
                match happening {
                    Happening::Arrived(Direction::Up, packet) => {
                        let now_us = self.now_us;
                        self.server.get_or_insert_with(|| End::server(now_us)).handle(now_us, &packet);
                    }
                    Happening::Arrived(Direction::Down, packet) => self.client.handle(self.now_us, &packet),
                    Happening::Changed(..) => {}
                }
            }
            self.client.handle_timeout(self.now_us).unwrap();
            if let Some(server) = &mut self.server {
                server.handle_timeout(self.now_us).unwrap();
            }
        }
    }

    fn server(&mut self) -> &mut End {
        self.server.as_mut().unwrap()
    }
}

/// Promise: a stream brings every message once, whole and in order, whatever the path loses, doubles and reorders.
#[test]
fn a_stream_is_reliable() {
    for seed in 0..40 {
        let mut wire = Wire::new("field,loss=10%,outage=none,address=0s", seed);
        wire.run(20 * SECOND);
        let messages: Vec<Vec<u8>> = (0..60_usize).map(|at| vec![at as u8; at * 97]).collect();
        for message in messages.iter().filter(|message| !message.is_empty()) {
            wire.server().send(message);
            wire.run(wire.now_us + 30 * MS);
        }
        wire.run(wire.now_us + 40 * SECOND);
        let arrived: Vec<Vec<u8>> = std::iter::from_fn(|| wire.client.poll_message()).collect();
        assert!(arrived == messages[1..], "seed {seed}: {} of 59 arrived", arrived.len());
        assert_eq!(wire.server().unacknowledged(), 0);
    }
}

#[test]
fn what_was_lost_is_sent_again_after_a_round_trip_or_so() {
    let mut wire = Wire::new("near", 1);
    wire.run(SECOND);
    wire.path.change(Change::Down { until_us: SECOND + MS });
    wire.server().send(b"lost");
    wire.run(SECOND + MS);
    wire.server().send(b"next");
    wire.run(SECOND + 50 * MS);
    assert_eq!(wire.client.poll_message(), None, "order is kept");
    wire.run(SECOND + 200 * MS);
    assert_eq!(wire.client.poll_message().unwrap(), b"lost");
    assert_eq!(wire.client.poll_message().unwrap(), b"next");
}

#[test]
fn an_idle_connection_is_gone_some_time() {
    let mut end = End::server(0);
    assert_eq!(end.handle_timeout(IDLE_US - 1), Ok(()));
    assert_eq!(end.handle_timeout(IDLE_US), Err(Gone));
    assert_eq!(End::client(0).handle_timeout(HOUR), Err(Gone));
}
