//! How long a person thinks before a tap: lognormal, as times of human reactions are.

use rand::RngExt;
use rand::rngs::StdRng;
use std::time::Duration;

/// Mean of the time between an answer and the next tap, in seconds.
pub const MEAN_S: f64 = 2.0;

/// Spread of its logarithm: the middle half of all thoughts takes 1.1 to 2.5 s.
const SIGMA: f64 = 0.6;

/// Nobody is quicker, and no thought in the middle of an order takes longer, in seconds.
const RANGE_S: (f64, f64) = (0.15, 15.0);

/// The next pause for thought.
pub fn thought(random: &mut StdRng) -> Duration {
    let normal = standard_normal(random.random(), random.random());
    let seconds = (MEAN_S.ln() - SIGMA * SIGMA / 2.0 + SIGMA * normal).exp();
    Duration::from_secs_f64(seconds.clamp(RANGE_S.0, RANGE_S.1))
}

/// A normally distributed number from two that are equally distributed over 0 to 1 (Box and Muller, 1958).
fn standard_normal(one: f64, other: f64) -> f64 {
    let radius = (-2.0 * (1.0 - one).ln()).sqrt();
    radius * (std::f64::consts::TAU * other).cos()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Proves that the load is what the benchmark says: a tap each two seconds, with a long tail, the same for the same seed.
    #[test]
    fn thoughts_take_two_seconds_on_average() {
        let take = |seed| {
            let mut random = StdRng::seed_from_u64(seed);
            (0..20_000).map(|_| thought(&mut random).as_secs_f64()).collect::<Vec<_>>()
        };
        let thoughts = take(1);
        let mean = crate::screen::figures::mean(&thoughts);
        assert!((1.95..2.05).contains(&mean), "{mean}");
        let median = crate::screen::figures::percentile(&thoughts, 50.0);
        assert!((1.6..1.75).contains(&median), "{median}");
        assert_eq!(thoughts, take(1));
        assert_ne!(thoughts, take(2));
    }
}
