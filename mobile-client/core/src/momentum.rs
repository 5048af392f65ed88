//! How a list goes on moving after the finger has left it.
//!
//! Speeds are in pixels a millisecond. The speed falls by `1/e` every [`TIME_CONSTANT_MS`].

/// The time in which a list loses about two thirds of its speed.
const TIME_CONSTANT_MS: f32 = 325.0;

/// Only what happened in this time before the finger left counts for the speed.
const WINDOW_MS: u64 = 80;

/// Positions that are remembered.
const SAMPLES: usize = 16;

/// Slower than this, in dp a millisecond, nothing is thrown, and what moves stops.
pub const SLOWEST_DP: f32 = 0.03;

/// Fastest throw, in dp a millisecond.
const FASTEST_DP: f32 = 6.0;

/// The way of a finger.
#[derive(Clone, Debug, Default)]
pub struct Track {
    samples: Vec<(u64, i32)>,
}

impl Track {
    /// The finger is at `y`.
    pub fn push(&mut self, now_ms: u64, y: i32) {
        if self.samples.len() == SAMPLES {
            self.samples.remove(0);
        }
        self.samples.push((now_ms, y));
    }

    /// How fast it moves downwards, in pixels a millisecond.
    pub fn speed(&self, now_ms: u64) -> f32 {
        let mut recent = self.samples.iter().filter(|(at, _)| now_ms.saturating_sub(*at) <= WINDOW_MS);
        match (recent.next(), recent.next_back()) {
            (Some((first, from)), Some((last, to))) if last > first => {
                (to - from) as f32 / (last - first) as f32
            }
            _ => 0.0,
        }
    }
}

/// A list that moves by itself.
#[derive(Clone, Debug)]
pub struct Throw {
    offset: f32,
    speed: f32,
    slowest: f32,
    at_ms: u64,
}

impl Throw {
    /// A list at `offset` that moves with `speed`; `None` when that is too slow. `px_per_dp` is the screen's scale.
    pub fn new(now_ms: u64, offset: i32, speed: f32, px_per_dp: f32) -> Option<Self> {
        let slowest = SLOWEST_DP * px_per_dp;
        let fastest = FASTEST_DP * px_per_dp;
        let speed = speed.clamp(-fastest, fastest);
        (speed.abs() > slowest).then_some(Self { offset: offset as f32, speed, slowest, at_ms: now_ms })
    }

    /// Moves on to `now_ms`: the offset then, and whether it goes on.
    pub fn step(&mut self, now_ms: u64) -> (i32, bool) {
        let passed_ms = now_ms.saturating_sub(self.at_ms) as f32;
        self.at_ms = now_ms.max(self.at_ms);
        let kept = (-passed_ms / TIME_CONSTANT_MS).exp();
        self.offset += self.speed * TIME_CONSTANT_MS * (1.0 - kept);
        self.speed *= kept;
        (self.offset.round() as i32, self.speed.abs() > self.slowest)
    }

    /// Its speed in dp a millisecond.
    pub fn speed_dp(&self) -> f32 {
        self.speed.abs() / self.slowest * SLOWEST_DP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throw_slows_down_and_ends() {
        let mut throw = Throw::new(0, 100, 1.0, 1.0).unwrap();
        let (mut at, mut last) = (0, 100);
        loop {
            at += 16;
            let (offset, moving) = throw.step(at);
            assert!(offset >= last);
            last = offset;
            if !moving {
                break;
            }
        }
        assert!((380..=425).contains(&last), "{last}");
        assert!((500..2_000).contains(&at), "{at}");
    }

    #[test]
    fn a_finger_that_rested_throws_nothing() {
        let mut track = Track::default();
        (0..10).for_each(|step| track.push(step * 10, step as i32 * 10));
        assert_eq!(track.speed(90), 1.0);
        assert_eq!(track.speed(400), 0.0);
        assert!(Throw::new(0, 0, 0.01, 1.0).is_none());
    }
}
