//! How much may be on its way to a device: what CUBIC allows, and never less than a new connection may send at once.
//!
//! A session says little at a time. quinn lets a window grow only while it is used up, as it should, so on a line that loses one packet in a
//! hundred it sinks to two packets and stays there, and every screen of more takes several round trips. What a new connection may send to
//! somebody of whom nothing is known (RFC 9002, 7.2), one that has just been answered may send as well.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use quinn::congestion::{Controller, ControllerFactory, ControllerMetrics, CubicConfig};
use quinn_proto::RttEstimator;

/// Makes controllers that keep a window of [`CubicConfig`]'s initial one.
#[derive(Debug, Default)]
pub struct Config(Arc<CubicConfig>);

/// CUBIC above a floor.
struct AboveFloor(Box<dyn Controller>);

impl ControllerFactory for Config {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        Box::new(AboveFloor(self.0.clone().build(now, mtu)))
    }
}

impl Controller for AboveFloor {
    fn window(&self) -> u64 {
        self.0.window().max(self.initial_window())
    }

    fn initial_window(&self) -> u64 {
        self.0.initial_window()
    }

    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.0.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(&mut self, now: Instant, sent: Instant, bytes: u64, app_limited: bool, rtt: &RttEstimator) {
        self.0.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(&mut self, now: Instant, in_flight: u64, app_limited: bool, largest: Option<u64>) {
        self.0.on_end_acks(now, in_flight, app_limited, largest);
    }

    fn on_congestion_event(&mut self, now: Instant, sent: Instant, is_persistent: bool, lost_bytes: u64) {
        self.0.on_congestion_event(now, sent, is_persistent, lost_bytes);
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.0.on_mtu_update(mtu);
    }

    fn metrics(&self) -> ControllerMetrics {
        let mut metrics = self.0.metrics();
        metrics.congestion_window = self.window();
        metrics
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self(self.0.clone_box()))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Promise: however many packets a line loses, a whole screen may be on its way; where more is allowed, losses count as they do for everybody.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "quinn's controllers want an instant, whichever")]
    fn a_window_does_not_sink_below_a_new_ones() {
        let begun = Instant::now();
        let config = Arc::new(Config::default());
        let floor = config.0.clone().build(begun, 1200).initial_window();
        let mut controller = config.build(begun, 1200);
        for lost in 1..50 {
            let now = begun + Duration::from_secs(lost);
            controller.on_congestion_event(now, now, lost % 7 == 0, 1200);
            assert_eq!(controller.window(), floor);
        }
        let mut wide = CubicConfig::default();
        wide.initial_window(20 * floor);
        let wide = Arc::new(wide).build(begun, 1200);
        // As if it had grown: CUBIC's own window is what counts.
        let mut grown = AboveFloor(wide);
        grown.on_congestion_event(begun, begun, false, 1200);
        assert!(grown.0.window() < 20 * floor, "CUBIC heard of the loss");
    }
}
