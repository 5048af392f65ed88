//! What a path is like.

use super::{MINUTE, MS, SECOND};

/// One direction of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// From one end to the other.
    pub delay_us: u64,
    /// Mean of what comes on top, exponentially distributed.
    pub jitter_us: u64,
    /// Share of packets that are lost, in millionths.
    pub loss_ppm: u32,
    /// Mean length of a stretch in which everything is lost (Gilbert and Elliott's bad state); 0: each packet by itself.
    pub burst_us: u64,
    /// Bandwidth; 0: no limit.
    pub rate_bit_s: u64,
    /// What may wait for the bottleneck; more is dropped.
    pub queue_bytes: u64,
    /// Share of packets that are held back so that later ones overtake them, in millionths.
    pub reorder_ppm: u32,
    /// Share of packets that arrive twice, in millionths.
    pub duplicate_ppm: u32,
}

/// Something that comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spells {
    /// How long it lasts, in the mean.
    pub lasts_us: u64,
    /// From one to the next, in the mean.
    pub every_us: u64,
}

/// A path between a client and a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Which of [`PROFILES`] it began as.
    pub name: &'static str,
    /// From the client.
    pub up: Way,
    /// To the client.
    pub down: Way,
    /// Nothing arrives.
    pub outages: Option<Spells>,
    /// The client gets another address so often, in the mean.
    pub address_every_us: Option<u64>,
}

/// The profiles that have a name, and what they stand for.
pub const PROFILES: &[(&str, &str)] = &[
    ("lan", "a good local network: 0.4 ms round trip, 1 Gbit/s"),
    ("near", "a wired line to another site: 40 ms round trip, 20 Mbit/s"),
    ("far", "a poor line far away: 150 ms round trip, 2 Mbit/s, 1 % loss in each direction"),
    ("3g", "mobile in the country: 200 ms round trip and up, 1.5 Mbit/s down, 384 kbit/s up, deep queues"),
    (
        "bad-wifi",
        "a handheld behind the wall: 5 Mbit/s, 4 % loss in bursts, reordering, 2 s away each 5 minutes",
    ),
    (
        "field",
        "the network of an event in a field: 90 ms and up, 1 Mbit/s, 3 % loss in bursts, outages, new addresses",
    ),
];

const NO_LOSS: Way = Way {
    delay_us: 0,
    jitter_us: 0,
    loss_ppm: 0,
    burst_us: 0,
    rate_bit_s: 0,
    queue_bytes: 256 * 1024,
    reorder_ppm: 0,
    duplicate_ppm: 0,
};

impl Profile {
    /// The profile with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let both = |way: Way| (way.clone(), way, None, None);
        let (up, down, outages, address_every_us) = match name {
            "lan" => both(Way { delay_us: 200, rate_bit_s: 1_000_000_000, queue_bytes: 4 << 20, ..NO_LOSS }),
            "near" => both(Way { delay_us: 20 * MS, rate_bit_s: 20_000_000, ..NO_LOSS }),
            "far" => both(Way {
                delay_us: 75 * MS,
                rate_bit_s: 2_000_000,
                loss_ppm: 10_000,
                queue_bytes: 64 * 1024,
                ..NO_LOSS
            }),
            "3g" => {
                let way = Way {
                    delay_us: 100 * MS,
                    jitter_us: 20 * MS,
                    loss_ppm: 5_000,
                    burst_us: 80 * MS,
                    queue_bytes: 192 * 1024,
                    ..NO_LOSS
                };
                let up = Way { rate_bit_s: 384_000, queue_bytes: 64 * 1024, ..way.clone() };
                let outages = Spells { lasts_us: 4 * SECOND, every_us: 20 * MINUTE };
                (up, Way { rate_bit_s: 1_500_000, ..way }, Some(outages), Some(60 * MINUTE))
            }
            "bad-wifi" => {
                let way = Way {
                    delay_us: 4 * MS,
                    jitter_us: 8 * MS,
                    loss_ppm: 40_000,
                    burst_us: 60 * MS,
                    rate_bit_s: 5_000_000,
                    reorder_ppm: 10_000,
                    duplicate_ppm: 1_000,
                    ..NO_LOSS
                };
                let outages = Spells { lasts_us: 2 * SECOND, every_us: 5 * MINUTE };
                (way.clone(), way, Some(outages), Some(30 * MINUTE))
            }
            "field" => {
                let way = Way {
                    delay_us: 45 * MS,
                    jitter_us: 30 * MS,
                    loss_ppm: 30_000,
                    burst_us: 120 * MS,
                    rate_bit_s: 1_000_000,
                    queue_bytes: 96 * 1024,
                    reorder_ppm: 5_000,
                    duplicate_ppm: 1_000,
                };
                let outages = Spells { lasts_us: 5 * SECOND, every_us: 3 * MINUTE };
                (way.clone(), way, Some(outages), Some(10 * MINUTE))
            }
            _ => return None,
        };
        let (name, _) = PROFILES.iter().find(|(known, _)| *known == name)?;
        Some(Self { name, up, down, outages, address_every_us })
    }

    /// There and back, without jitter and bandwidth.
    #[must_use]
    pub const fn round_trip_us(&self) -> u64 {
        self.up.delay_us + self.down.delay_us
    }
}
