//! Chance from a seed. Not from a crate: a seed that failed once has to fail in the same way after every update.

/// A stream of numbers (SplitMix64). The same seed gives the same numbers, on every machine and for ever.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The numbers of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of their own for a part of the world, so that what happens there does not change what happens elsewhere.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `below`; 0 when there is none.
    pub fn below(&mut self, below: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(below)) >> 64) as u64
    }

    /// From 0 to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something happens that happens `ppm` times in a million.
    pub fn happens(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.below(1_000_000) < u64::from(ppm)
    }

    /// A time from an exponential distribution with this mean.
    pub fn exponential(&mut self, mean: u64) -> u64 {
        (-(1.0 - self.unit()).ln() * mean as f64) as u64
    }

    /// A time from a lognormal distribution: half of them are below `median`; about one in six is above `median * spread`.
    pub fn lognormal(&mut self, median: u64, spread: f64) -> u64 {
        // Box and Muller; one of the two numbers is enough.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        (median as f64 * (normal * spread.ln()).exp()) as u64
    }

    /// One of these; `None` when there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_as_said() {
        let mut dice = Dice::new(1);
        let many = 100_000;
        let mean = (0..many).map(|_| dice.exponential(1_000)).sum::<u64>() / many;
        assert!((980..1_020).contains(&mean), "exponential: {mean}");
        let below = (0..many).filter(|_| dice.lognormal(2_000, 2.0) < 2_000).count();
        assert!((49_000..51_000).contains(&below), "lognormal: {below} below the median");
        let happened = (0..many).filter(|_| dice.happens(10_000)).count();
        assert!((850..1_150).contains(&happened), "one in a hundred: {happened}");
        assert!((0..many).all(|_| dice.below(7) < 7));
        assert_eq!(dice.below(0), 0);
    }

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut dice = Dice::new(42);
        assert_eq!(dice.next(), 0xbdd7_3226_2feb_6e95);
        assert_ne!(dice.fork().next(), Dice::new(42).fork().next());
    }
}
