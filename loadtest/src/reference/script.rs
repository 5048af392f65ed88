//! The script: three sales of forty taps each on fixed positions, as a person would make them.
//!
//! A copy of the script that the peers (VNC servers, NX) were measured with, so that the figures compare.

use tresen_scene::Point;

/// The seeds that the peers were measured with.
pub const SEEDS: [u32; 3] = [1, 7, 42];

/// Taps of one sale.
pub const TAPS_OF_SALE: usize = 40;

/// Where each tap of the sales of `seeds` lands, in order.
pub fn taps(seeds: &[u32]) -> Vec<Point> {
    seeds.iter().flat_map(|seed| sale(*seed)).collect()
}

const UP: Point = Point::new(58, 1226);
const DOWN: Point = Point::new(162, 1226);
const PAY: Point = Point::new(540, 1226);
const CASH: Point = Point::new(480, 1165);
const NEW_SALE: Point = Point::new(360, 1165);
const BACK: Point = Point::new(120, 1165);

const fn tab(index: i32) -> Point {
    Point::new(index * 144 + 70, 96)
}

const fn product(index: i32) -> Point {
    Point::new(8 + (index % 4) * 177 + 80, 136 + (index / 4) * 132 + 60)
}

/// A key by its place: 7 8 9, 4 5 6, 1 2 3, 00 0 <.
const fn key(index: i32) -> Point {
    Point::new(8 + (index % 3) * 236 + 110, 370 + (index / 3) * 170 + 80)
}

fn sale(seed: u32) -> Vec<Point> {
    let mut taps = Vec::with_capacity(TAPS_OF_SALE);
    let mut x = seed;
    for index in [0, 3, 1, 2, 4] {
        taps.push(tab(index));
        let mut last = 0;
        for _ in 0..3 {
            x = x.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
            last = ((x >> 8) % 16) as i32;
            taps.push(product(last));
        }
        taps.push(product(last));
    }
    taps.extend([UP, UP, UP, DOWN, DOWN, PAY, BACK, PAY]);
    // 5, 0, 00, delete, 0
    taps.extend([4, 10, 9, 11, 10].map(key));
    taps.extend([CASH, NEW_SALE]);
    taps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that the figures stand on the same script as those of the peers: 120 taps.
    #[test]
    fn three_sales_are_120_taps() {
        let taps = taps(&SEEDS);
        assert_eq!(taps.len(), 120);
        assert_eq!(taps[0], Point::new(70, 96));
        assert_eq!(taps[119], NEW_SALE);
    }
}
