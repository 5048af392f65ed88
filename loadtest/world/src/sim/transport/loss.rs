//! What arrived, what is lost, and how much may fly: QUIC's rules (RFC 9002), as far as they make a difference here.

use super::{End, Proof, Sent};
use crate::wan::MS;

/// The round trip before one was measured.
const FIRST_ROUND_TRIP_US: u64 = 333 * MS;
/// An acknowledgement may be so late.
const ACK_DELAY_US: u64 = 25 * MS;
/// Packets that may be under way at the least.
const LEAST_WINDOW: f64 = 2.0;
/// So many later packets arrived: the earlier one is lost.
const OVERTAKEN: u64 = 3;
/// Doublings of the wait for a probe.
const MOST_DOUBLINGS: u32 = 16;

impl End {
    pub(super) fn handle_ack(&mut self, now_us: u64, newest: u64, those: u64) {
        if self.unproven.is_some_and(|proof| matches!(proof, Proof::Asked(asked) if newest >= asked)) {
            self.unproven = None;
        }
        self.newest_acked = Some(self.newest_acked.map_or(newest, |before| before.max(newest)));
        for back in (0..64).filter(|back| those & (1 << back) != 0) {
            let number = newest.checked_sub(back);
            let Some(sent) = number.and_then(|number| self.flying.remove(&number)) else { continue };
            if back == 0 {
                self.measure(now_us - sent.at_us);
            }
            self.probes = 0;
            self.window += if self.window < self.threshold { 1.0 } else { 1.0 / self.window };
            if let Some(index) = sent.index {
                self.open.remove(&index);
                self.again.remove(&index);
            }
        }
        self.find_lost(now_us);
    }

    /// What was sent before something that has arrived is lost when enough has arrived since, or when its time is up.
    pub(super) fn find_lost(&mut self, now_us: u64) {
        let Some(newest) = self.newest_acked else { return };
        let delay_us = self.loss_delay_us();
        let is_lost = |(number, sent): &(&u64, &Sent)| {
            newest - **number >= OVERTAKEN || sent.at_us + delay_us <= now_us
        };
        let lost: Vec<u64> = self.flying.range(..newest).filter(is_lost).map(|(number, _)| *number).collect();
        for number in lost {
            let Some(sent) = self.flying.remove(&number) else { continue };
            self.again.extend(sent.index.filter(|index| self.open.contains_key(index)));
            // Once a round trip: what was sent before the window was halved says nothing new.
            if sent.at_us >= self.halved_us {
                self.halved_us = now_us;
                self.window = (self.window / 2.0).max(LEAST_WINDOW);
                self.threshold = self.window;
            }
        }
    }

    pub(super) fn measure(&mut self, took_us: u64) {
        self.round_trip_us = Some(match self.round_trip_us {
            None => (took_us, took_us / 2),
            Some((mean, spread)) => ((mean * 7 + took_us) / 8, (spread * 3 + mean.abs_diff(took_us)) / 4),
        });
    }

    fn loss_delay_us(&self) -> u64 {
        let (mean_us, _) = self.round_trip_us.unwrap_or((FIRST_ROUND_TRIP_US, 0));
        (mean_us * 9 / 8).max(MS)
    }

    /// When what was overtaken counts as lost.
    pub(super) fn lost_us(&self) -> u64 {
        let oldest = self.newest_acked.and_then(|newest| self.flying.range(..newest).next());
        oldest.map_or(u64::MAX, |(_, sent)| sent.at_us + self.loss_delay_us())
    }

    /// When a probe is due.
    pub(super) fn probe_us(&self) -> u64 {
        let (mean_us, spread_us) =
            self.round_trip_us.unwrap_or((FIRST_ROUND_TRIP_US, FIRST_ROUND_TRIP_US / 2));
        let wait_us = mean_us + (4 * spread_us).max(MS) + ACK_DELAY_US;
        self.eliciting_us + (wait_us << self.probes.min(MOST_DOUBLINGS))
    }
}
