//! Figures of many taps: mean, median, percentiles.

use serde::Serialize;

/// How many bytes a tap costs over one pass of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PassBytes {
    /// Mean of the session payload, server to client.
    pub mean_bytes: f64,
    /// Median of it.
    pub median_bytes: f64,
    /// 95th percentile of it.
    pub p95_bytes: f64,
    /// Mean of what came over UDP: payload, acknowledgements, encryption; without IP headers.
    pub udp_mean_bytes: f64,
}

/// Two percentiles of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// What one tap cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tap {
    /// Session payload, server to client.
    pub payload_bytes: u64,
    /// Bytes of UDP, server to client.
    pub udp_bytes: u64,
    /// From the tap to the last byte of the screen that answers it.
    pub last_byte_ms: f64,
    /// From the tap to the news that its effects are on disk; `None` for a tap that booked nothing: that news comes with a later one.
    pub on_disk_ms: Option<f64>,
    /// Time the client spent decoding and painting.
    pub paint_us: f64,
}

/// The bytes of a pass.
pub fn pass_bytes(taps: &[Tap]) -> PassBytes {
    let payload: Vec<f64> = taps.iter().map(|tap| tap.payload_bytes as f64).collect();
    let udp: Vec<f64> = taps.iter().map(|tap| tap.udp_bytes as f64).collect();
    PassBytes {
        mean_bytes: mean(&payload),
        median_bytes: percentile(&payload, 50.0),
        p95_bytes: percentile(&payload, 95.0),
        udp_mean_bytes: mean(&udp),
    }
}

/// Percentiles of one of the times of those taps that have it.
pub fn percentiles(taps: &[Tap], time: impl Fn(&Tap) -> Option<f64>) -> Percentiles {
    let times: Vec<f64> = taps.iter().filter_map(time).collect();
    Percentiles { p50: percentile(&times, 50.0), p99: percentile(&times, 99.0) }
}

/// The arithmetic mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The smallest value that `percent` of the values do not exceed (nearest rank); 0 of nothing.
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a figure is what it is called.
    #[test]
    fn percentiles_are_nearest_ranks() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&values, 50.0), 50.0);
        assert_eq!(percentile(&values, 95.0), 95.0);
        assert_eq!(percentile(&values, 99.0), 99.0);
        assert_eq!(percentile(&[3.0], 50.0), 3.0);
        assert_eq!(percentile(&[], 50.0), 0.0);
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
    }
}
