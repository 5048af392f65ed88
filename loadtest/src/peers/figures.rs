//! Figures of the taps of a pass.

use serde::Serialize;

use super::picture::ANOTHER_PERCENT;
use crate::screen::figures::{mean, percentile};

/// What one tap cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct TapFigures {
    /// Content of the packets to the client.
    pub down_bytes: u64,
    /// Their number.
    pub down_packets: u64,
    /// Content of the packets from the client.
    pub up_bytes: u64,
    /// From the tap to the last pixel that changed at the client; nothing when none did.
    pub last_pixel_ms: Option<f64>,
    /// Pixels that look different than was rehearsed, in percent; 0 where nothing was.
    pub unlike_percent: f64,
}

/// What the taps of a pass cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Pass {
    /// How many.
    pub taps: usize,
    /// Of these, taps that changed no pixel; their bytes count, times they have none.
    pub without_change: usize,
    /// Taps after which the client showed another picture than was rehearsed.
    pub unlike: usize,
    /// The largest share of pixels that looked different then, in percent.
    pub unlike_most_percent: f64,
    /// Bytes to the client a tap.
    pub mean_bytes: f64,
    /// Their median.
    pub median_bytes: f64,
    /// Their 95th percentile.
    pub p95_bytes: f64,
    /// Packets to the client a tap.
    pub mean_packets: f64,
    /// Bytes from the client a tap.
    pub up_mean_bytes: f64,
    /// From the tap to the last pixel, median.
    pub last_pixel_p50_ms: f64,
    /// The same, 99th percentile (of fewer than 100 taps: the slowest).
    pub last_pixel_p99_ms: f64,
}

impl Pass {
    /// Of these taps.
    pub fn of(taps: &[TapFigures]) -> Self {
        let values = |value: fn(&TapFigures) -> u64| taps.iter().map(|tap| value(tap) as f64).collect();
        let down: Vec<f64> = values(|tap| tap.down_bytes);
        let packets: Vec<f64> = values(|tap| tap.down_packets);
        let up: Vec<f64> = values(|tap| tap.up_bytes);
        let times: Vec<f64> = taps.iter().filter_map(|tap| tap.last_pixel_ms).collect();
        Self {
            taps: taps.len(),
            without_change: taps.len() - times.len(),
            unlike: taps.iter().filter(|tap| tap.unlike_percent >= ANOTHER_PERCENT).count(),
            unlike_most_percent: taps.iter().map(|tap| tap.unlike_percent).fold(0.0, f64::max),
            mean_bytes: mean(&down),
            median_bytes: percentile(&down, 50.0),
            p95_bytes: percentile(&down, 95.0),
            mean_packets: mean(&packets),
            up_mean_bytes: mean(&up),
            last_pixel_p50_ms: percentile(&times, 50.0),
            last_pixel_p99_ms: percentile(&times, 99.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a tap that changes nothing costs its bytes, and does not count as a quick one.
    #[test]
    fn a_tap_without_a_change_has_no_time() {
        let answered = TapFigures { down_bytes: 300, last_pixel_ms: Some(8.0), ..TapFigures::default() };
        let pass = Pass::of(&[answered, TapFigures::default()]);
        assert_eq!((pass.taps, pass.without_change), (2, 1));
        assert_eq!((pass.mean_bytes, pass.last_pixel_p50_ms), (150.0, 8.0));
    }
}
